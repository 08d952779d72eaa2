package avam

import (
	_ "embed"
	"strconv"
	"time"

	"github.com/einmal-hub/einmal/contracts/handover"
	contract "github.com/einmal-hub/einmal/contracts/native/avam"
	"github.com/einmal-hub/einmal/contracts/strict"
	"github.com/einmal-hub/einmal/mocks/core"
)

// templates returns the forms of AVAM, by the message that they amount to.
func templates() map[handover.Name]template {
	return map[handover.Name]template{
		"application-submitted":       {"OPT01", assigning, fillApplication},
		"application-withdrawn":       {"OPT02", assigning, fillWithdrawal},
		"clarification-requested":     {"OPT03", receiving, fillInquiry},
		"clarification-answered":      {"OPT04", assigning, fillReply},
		"application-decided":         {"OPT05", receiving, fillDecision},
		"transfer-meeting-scheduled":  {"OPT06", assigning, fillInvitation},
		"transfer-meeting-recorded":   {"OPT07", receiving, fillTransferNote},
		"job-search-exemption-signed": {"OPT08", ours, fillExemption},
		"cost-approval-requested":     {"OPT09", receiving, fillCostRequest},
		"cost-approval-signed":        {"OPT10", assigning, fillCostApproval},
		"cost-approval-refused":       {"OPT11", assigning, fillCostRefusal},
		"cost-approval-reminder":      {"OPT12", receiving, fillCostReminder},
		"measure-ordered":             {"OPT13", receiving, fillOrder},
		"measure-completed":           {"OPT14", receiving, fillMeasureEnd},
		"invoice-forwarded":           {"OPT15", receiving, fillInvoice},
		"sanction-hint":               {"OPT16", receiving, fillObservation},
		"review-meeting-scheduled":    {"OPT17", receiving, fillInvitation},
		"review-meeting-recorded":     {"OPT18", receiving, fillReviewNote},
		"extra-meeting-requested":     {"OPT19", assigning, fillExtraMeeting},
		"case-closed":                 {"OPT20", receiving, fillClosure},
		"consent-withdrawn":           {"OPT21", ours, func(m form, f core.Facts) { m.Put("effectiveOn", f.WithdrawnOn) }},
		"application-checked":         {checkKind, gateway, fillCheck},
	}
}

func fillApplication(m form, f core.Facts) {
	m.Put("applicantOffice", string(f.Assigning))
	m.Put("requestedOffice", string(f.Receiving))
	m.Code("procedure", f.Process, map[string]string{"OPTIMA_ALV": "1", "OPTIMA_IV": "2", "OPTIMA_SH": "3"})
	m.Code("targetGroup", f.TargetGroup, map[string]string{
		"A": "01", "B": "02", "C": "03", "D": "04", "E": "05", "F": "06", "G": "07", "H": "08", "I": "09",
	})
	m.Put("filedOn", f.AppliedOn)
	fillPerson(m.part("insuredPerson"), f.Person)
	s := m.part("status")
	s.Flag("socialCounselling", f.Situation.SocialCounselling)
	s.Flag("economicAid", f.Situation.EconomicAssistance)
	s.Flag("jobseeker", f.Situation.RegisteredJobseeker)
	s.Flag("dailyAllowance", f.Situation.UnemploymentBenefit)
	s.Flag("disabilityMeasure", f.Situation.DisabilityMeasures)
	fillStatements(m, f)
	legal := m.part("legalBasis")
	legal.Code("basis", f.ConsentKind, map[string]string{"CONSENT": "35A1", "INFORMED": "35A1TER"})
	legal.Put("givenOn", f.ConsentGivenOn)
	m.Put("durationMonths", strconv.Itoa(f.PlannedMonths))
	m.Put("objective", f.Goal)
	m.Put("grounds", f.Reason)
	m.adviser("adviser", &f.Contact)
	m.adviser("deputyAdviser", f.Deputy)
	m.documents(f)
}

//go:embed words.json
var wordsJSON []byte

// fillStatements answers the further questions of the form.
func fillStatements(m form, f core.Facts) {
	var words map[string]map[string]string
	if err := strict.JSON(wordsJSON, &words); err != nil {
		return // the file is part of the program, and a test holds that it can be read
	}
	for _, d := range f.Declarations {
		s := m.part("statement")
		s.Code("question", d.Item, words["question"])
		s.Code("answer", d.Answer, words["answer"])
		if d.Number != nil {
			s.Put("figure", strconv.Itoa(*d.Number))
		}
		s.Put("day", d.On)
	}
}

func fillPerson(m form, p core.Person) {
	id := m.part("identification")
	id.El.CreateAttr("xmlns:p", contract.PersonNamespace)
	id.Put("p:vn", p.AHV)
	local := id.part("p:localPersonId")
	local.Put("p:personIdCategory", "AVAM.PERSNR")
	local.Put("p:personId", "P1000001")
	id.Put("p:officialName", p.OfficialName)
	id.Put("p:firstName", p.FirstName)
	id.Code("p:sex", p.Sex, map[string]string{"MALE": "1", "FEMALE": "2", "UNKNOWN": "3"})
	id.part("p:dateOfBirth").Put("p:yearMonthDay", p.DateOfBirth)
	lives := m.part("residence")
	lives.Put("street", p.Street)
	lives.Put("houseNumber", p.HouseNumber)
	lives.Put("swissZipCode", p.Zip)
	lives.Put("town", p.Town)
	lives.Put("municipalityId", strconv.Itoa(p.Municipality))
	m.Put("phone", p.Phone)
	m.Put("mail", p.Email)
	m.Code("correspondence", p.Language, map[string]string{"DE": "D", "FR": "F", "IT": "I", "EN": "E"})
}

func fillWithdrawal(m form, f core.Facts) {
	m.Put("effectiveOn", f.WithdrawnOn)
	m.Code("withdrawalCode", f.WithdrawalReason, map[string]string{"PERSON_WITHDREW": "W10", "AGENCY_WITHDREW": "W20", "OTHER": "W90"})
}

func fillInquiry(m form, f core.Facts) {
	m.Put("inquiryText", f.Question)
	m.Put("replyBy", f.AnswerBy)
}

func fillDecision(m form, f core.Facts) {
	m.Code("decision", f.Decision, map[string]string{"ACCEPTED": "1", "REJECTED": "2"})
	if f.Decision == "REJECTED" {
		m.Code("refusalCode", f.RejectionReason, refusals())
	}
	m.Put("decidedOn", f.DecidedOn)
	m.adviser("caseLead", f.Lead)
}

func fillInvitation(m form, f core.Facts) {
	m.Put("startsAt", f.MeetingAt.Format(time.RFC3339))
	m.Put("venue", f.MeetingPlace)
}

func fillAttendees(m form, f core.Facts) {
	m.Put("conversationOn", f.HeldOn)
	for _, p := range f.Participants {
		a := m.part("attendee")
		a.Put("name", p.Name)
		a.Code("capacity", p.Part, map[string]string{"PERSON": "P", "ASSIGNING": "A", "RECEIVING": "R", "OTHER": "X"})
		a.Flag("agrees", p.Agreed)
	}
}

func fillTransferNote(m form, f core.Facts) {
	fillAttendees(m, f)
	m.Flag("declaredFitAndWilling", f.CanAndWantsWork)
	m.Put("leadershipFrom", f.StartOfCaseWork)
	m.Put("nextConversationOn", f.NextReviewOn)
	m.Put("plannedSteps", f.Strategy)
	m.proceedings(f)
	m.documents(f)
}

func fillReviewNote(m form, f core.Facts) {
	fillAttendees(m, f)
	m.Flag("caseworkContinues", f.Continue)
	m.Put("nextConversationOn", f.NextReviewOn)
	m.Put("furtherSteps", f.FurtherMeasures)
}

func fillExemption(m form, f core.Facts) {
	m.validity(f.ExemptFrom, f.ExemptTo)
	m.Put("signedOn", f.ExemptionSignedOn)
	m.Put("extensionGrounds", f.ExtensionReason)
	m.documents(f)
}

func fillCostRequest(m form, f core.Facts) {
	m.Put("costNumber", f.Approval)
	m.Put("measureName", f.Measure)
	m.Put("organiser", f.Provider)
	m.validity(f.MeasureFrom, f.MeasureTo)
	m.Amount("chf", f.AmountCents)
	m.Put("returnUntil", f.ReturnBy)
}

func fillCostApproval(m form, f core.Facts) {
	m.Put("costNumber", f.Approval)
	m.Put("signedOn", f.ApprovalSignedOn)
	m.Put("signatory", f.SignedBy)
	m.documents(f)
}

func fillCostRefusal(m form, f core.Facts) {
	m.Put("costNumber", f.Approval)
	m.Put("refusedOn", f.RefusedOn)
	m.Code("costRefusalCode", f.RefusalReason, map[string]string{"NO_ENTITLEMENT": "K10", "NOT_NECESSARY": "K20", "OTHER": "K90"})
}

func fillCostReminder(m form, f core.Facts) {
	m.Put("costNumber", f.Approval)
	m.Put("returnUntil", f.ReturnBy)
}

func fillOrder(m form, f core.Facts) {
	m.Put("costNumber", f.Approval)
	m.Put("orderedOn", f.OrderedOn)
	m.validity(f.MeasureFrom, f.MeasureTo)
}

func fillMeasureEnd(m form, f core.Facts) {
	m.Put("costNumber", f.Approval)
	m.Put("endedOn", f.CompletedOn)
	m.Put("resultText", f.Result)
}

func fillInvoice(m form, f core.Facts) {
	m.Put("costNumber", f.Approval)
	m.Put("invoiceDate", f.InvoicedOn)
	m.Amount("chf", f.InvoiceCents)
	m.documents(f)
}

func fillObservation(m form, f core.Facts) {
	m.Put("noticedOn", f.ObservedOn)
	m.Put("observationText", f.Hint)
}

func fillExtraMeeting(m form, f core.Facts) {
	m.Put("requestedOn", f.ExtraRequestedOn)
	m.Put("grounds", f.ExtraReason)
}

func fillClosure(m form, f core.Facts) {
	m.Put("closedOn", f.ClosedOn)
	m.Code("closureCode", f.ClosureReason, map[string]string{
		"REVOKED_BY_ASSIGNING": "A10", "GOAL_REACHED": "A20", "GOAL_NOT_REACHABLE": "A30", "COST_APPROVAL_REFUSED": "A40",
		"PARALLEL_CASE_LEADERSHIP": "A50", "CONSENT_WITHDRAWN": "A60",
	})
	m.Code("outcomeCode", f.Outcome, map[string]string{"SUCCESSFUL": "1", "PARTIAL": "2", "NOT_IMPLEMENTED": "3", "OTHER": "9"})
	m.proceedings(f)
	m.documents(f)
}

func fillReply(m form, f core.Facts) {
	m.Put("replyText", f.Answer)
	m.documents(f)
}

// fillCheck writes what no clerk does: how the check of an application stands in the dossier.
func fillCheck(m form, f core.Facts) {
	m.Code("checkResult", f.CheckOutcome, map[string]string{"RETURNED": "Z", "FORWARD": "W"})
	m.Put("ruleSet", f.CheckProfile)
	for _, x := range f.Findings {
		d := m.part("finding")
		d.Put("rule", x.Rule)
		d.Code("weight", x.Severity, map[string]string{"REFUSE": "1", "WARN": "2"})
		d.Code("refusalCode", x.Reason, refusals())
		d.Put("source", x.Source)
		d.Put("ruleText", x.Text)
		d.Put("advice", x.Hint)
	}
}

func (f form) proceedings(facts core.Facts) {
	f.Code(proceedings, facts.Procedure, map[string]string{"FULL": "1", "REDUCED": "2", "SUSPENDED": "3"})
}

func (f form) documents(facts core.Facts) {
	for _, d := range facts.Documents {
		p := f.part("document")
		p.Put("title", d.Name)
		p.Put("mediaType", d.MediaType)
		p.Put("size", strconv.FormatInt(d.Size(), 10))
		p.Put("sha256", d.SHA256())
	}
}

// refusals are the reasons of a rejection.
func refusals() map[string]string {
	return map[string]string{
		"IV_REJECTION_RECENT": "R10", "NO_INTACT_WORK_OFFER": "R20", "NO_CAPACITY": "R30", "GOAL_NOT_REALISABLE": "R40", "OTHER": "R90",
	}
}
