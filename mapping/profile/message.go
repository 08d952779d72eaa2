package profile

import (
	"fmt"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
)

// CheckMessage holds any message against the version: codes that its lists do not have, an exemption from the search for work that is longer than the deadline
// [JobSearchExemption] allows without a reason, and for an application what [Version.Check] finds. It is pure and looks at this message alone: two exemptions one after the other are
// not added up. The error is of kind Park with all findings, each with what to do; it names paths of the message, never values.
func (v Version) CheckMessage(p handover.Payload) error {
	if m, opens := p.(handover.ApplicationSubmitted); opens {
		return v.Check(m)
	}
	var fs fault.Findings
	for _, c := range coded(p) {
		if c.code != "" && !v.Knows(c.list, c.code) {
			fs.Add(c.path, "unknown-code", "the code is not in the profile's list "+c.list, correctCode)
		}
	}
	if m, exempts := p.(handover.JobSearchExemptionSigned); exempts {
		v.exemption(m, &fs)
	}
	if len(fs) == 0 {
		return nil
	}
	return fault.New(fault.Park, "profile.check", fs[0].Code, "the message does not hold what "+v.ID+" demands").Because(fs)
}

const correctCode = "correct it where it was entered, or add it to the profile"

// codeAt is a code of a message and the list that it is of.
type codeAt struct {
	path, list string
	code       handover.Code
}

// coded lists the codes of a message that a profile has a list for. Those of the contract itself, such as a decision, are checked there.
func coded(p handover.Payload) []codeAt {
	switch m := p.(type) {
	case handover.ApplicationWithdrawn:
		return []codeAt{{"reason", listWithdrawal, m.Reason}}
	case handover.ApplicationDecided:
		return []codeAt{{"reason", listRejection, m.Reason}}
	case handover.TransferMeetingRecorded:
		return parts(m.Participants)
	case handover.ReviewMeetingRecorded:
		return parts(m.Participants)
	case handover.CostApprovalRefused:
		return []codeAt{{"reason", listCostRefusal, m.Reason}}
	case handover.CaseClosed:
		return []codeAt{{"reason", listClosure, m.Reason}, {"outcome", listOutcome, m.Outcome}}
	}
	return nil
}

// Spoken is a place of a message, or of what is written beside it, with every code that the version lets stand there.
type Spoken struct {
	Message handover.Name
	Path    string // "participants[].part"; "procedure" stands beside the message
	List    string // the code list, or "item"
	Codes   []handover.Code
}

// Spoken returns every place of a message where codes of this version stand: what a native system must have words for.
func (v Version) Spoken() []Spoken {
	all := []Spoken{
		{Message: "application-submitted", Path: "process", List: listProcess},
		{Message: "application-submitted", Path: "targetGroup", List: listGroup},
		{Message: "application-submitted", Path: "consent.kind", List: listConsent},
		{Message: "application-submitted", Path: "person.sex", List: listSex},
		{Message: "application-submitted", Path: "person.language", List: listLanguage},
		{Message: "application-submitted", Path: "declarations[].answer", List: listAnswer},
		{Message: "application-withdrawn", Path: "reason", List: listWithdrawal},
		{Message: "application-decided", Path: "decision", List: listDecision},
		{Message: "application-decided", Path: "reason", List: listRejection},
		{Message: "application-checked", Path: "findings[].reason", List: listRejection},
		{Message: "transfer-meeting-recorded", Path: "participants[].part", List: listPart},
		{Message: "transfer-meeting-recorded", Path: "procedure", List: listProcedure},
		{Message: "review-meeting-recorded", Path: "participants[].part", List: listPart},
		{Message: "cost-approval-refused", Path: "reason", List: listCostRefusal},
		{Message: "case-closed", Path: "reason", List: listClosure},
		{Message: "case-closed", Path: "outcome", List: listOutcome},
		{Message: "case-closed", Path: "procedure", List: listProcedure},
	}
	for i := range all {
		for _, e := range v.Codes(all[i].List) {
			all[i].Codes = append(all[i].Codes, e.Code)
		}
	}
	items := Spoken{Message: "application-submitted", Path: "declarations[].item", List: "item"}
	for _, i := range v.Items {
		items.Codes = append(items.Codes, i.Code)
	}
	return append(all, items)
}

func parts(ps []handover.Participant) []codeAt {
	var all []codeAt
	for i, p := range ps {
		all = append(all, codeAt{index("participants", i) + ".part", listPart, p.Part})
	}
	return all
}

// exemption finds an exemption that needs a reason and has none.
func (v Version) exemption(m handover.JobSearchExemptionSigned, fs *fault.Findings) {
	d, limited := v.Deadline(JobSearchExemption)
	if !limited || d.Beyond != BeyondReason || m.ExtensionReason != "" {
		return
	}
	if last, err := d.Due(m.From); err != nil || m.To > last {
		fs.Add("extensionReason", "reason-missing", fmt.Sprintf("an exemption of more than %d %s needs a reason in the single case (source: %s)", d.Count, d.Unit, d.Source),
			"add the reason, or let the exemption end earlier")
	}
}

// Expected is something that is to happen by a day.
type Expected struct {
	Deadline Deadline
	By       handover.Date // the last day that is in time
}

// Expects returns what a message makes people wait for, and until when: the answer to a cost approval, or the next review meeting. said is the day on which it was entered. A day
// that the message itself names is taken; otherwise the version's deadline counts. It reports false for a message that makes nobody wait, and when the version has no
// such deadline. Who is late with a cost approval is reminded by the receiving agency (cost-approval-reminder), never by einmal: it adds nothing to a case.
func (v Version) Expects(p handover.Payload, said handover.Date) (Expected, bool) {
	switch m := p.(type) {
	case handover.CostApprovalRequested:
		return v.expected(CostApprovalReturn, said, m.ReturnBy)
	case handover.CostApprovalReminder:
		return v.expected(CostApprovalReturn, said, m.ReturnBy)
	case handover.TransferMeetingRecorded:
		if m.Agreed() {
			return v.expected(ReviewMeeting, m.NextReviewOn, "")
		}
	case handover.ReviewMeetingRecorded:
		if m.Continue {
			return v.expected(ReviewMeeting, m.NextReviewOn, "")
		}
	}
	return Expected{}, false
}

func (v Version) expected(code handover.Code, from, named handover.Date) (Expected, bool) {
	d, known := v.Deadline(code)
	if !known {
		return Expected{}, false
	}
	if named != "" {
		return Expected{Deadline: d, By: named}, true
	}
	by, err := d.Due(from)
	return Expected{Deadline: d, By: by}, err == nil
}
