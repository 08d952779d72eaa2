package casenet

import (
	_ "embed"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/contracts/strict"
	"github.com/einmal-hub/einmal/mocks/core"
)

//go:embed words.json
var wordsJSON []byte

// clerk fills in the forms: she knows the facts, and the platform's words for codes.
type clerk struct {
	core.Facts
	words map[string]map[string]string
}

// word is the platform's word for a code. A code without one stays visible as it is, and the platform refuses it.
func (c clerk) word(list, code string) string {
	if w := c.words[list][code]; w != "" {
		return w
	}
	return code
}

// form is what a clerk fills in; fields that she leaves empty are not in it.
type form map[string]any

// text fills in a field.
func (f form) text(name, value string) form {
	if value != "" {
		f[name] = value
	}
	return f
}

// Compose returns what the platform's form for a message looks like when a clerk who knows the facts has filled it in; no kind for a
// message that the platform does not know.
func Compose(name handover.Name, f core.Facts) (native.Kind, []byte) {
	c := clerk{Facts: f}
	if err := strict.JSON(wordsJSON, &c.words); err != nil {
		return "", nil // the file is part of the program, and a test holds that it can be read
	}
	for _, forms := range []func(handover.Name) (native.Kind, form){c.begin, c.meet, c.approve, c.measure, c.end} {
		kind, filled := forms(name)
		if kind == "" {
			continue
		}
		b, err := json.Marshal(filled.text("note", f.Remark), json.Deterministic(true))
		if err != nil {
			return "", nil
		}
		return kind, b
	}
	return "", nil
}

func (c clerk) begin(name handover.Name) (native.Kind, form) {
	switch name {
	case "application-submitted":
		return "application", c.application()
	case "application-withdrawn":
		return "applicationWithdrawal", form{}.text("withdrawalDate", c.WithdrawnOn).text("reason", c.word("withdrawal", c.WithdrawalReason))
	case "clarification-requested":
		return "query", form{}.text("question", c.Question).text("replyUntil", c.AnswerBy)
	case "clarification-answered":
		return "queryReply", c.with(form{}.text("reply", c.Answer))
	case "application-checked":
		return "assessment", c.assessment()
	case "application-decided":
		d := form{}.text("result", c.word("decision", c.Decision)).text("rejectionReason", c.word("rejection", c.RejectionReason)).text("decisionDate", c.DecidedOn)
		if c.Lead != nil {
			d["caseLead"] = caseworker(*c.Lead)
		}
		return "decision", d
	}
	return "", nil
}

func (c clerk) application() form {
	s := c.Situation
	a := form{
		"client": c.client(),
		"entitlements": form{
			"socialCounselling": s.SocialCounselling, "economicAssistance": s.EconomicAssistance, "jobseeker": s.RegisteredJobseeker,
			"unemploymentBenefit": s.UnemploymentBenefit, "disabilityMeasures": s.DisabilityMeasures,
		},
		"legalBasis":            form{}.text("type", c.word("consent", c.ConsentKind)).text("date", c.ConsentGivenOn),
		"plannedDurationMonths": c.PlannedMonths, "caseworker": caseworker(c.Contact),
	}
	if c.Deputy != nil {
		a["deputy"] = caseworker(*c.Deputy)
	}
	if c.Declarations != nil {
		a["statements"] = c.statements()
	}
	return c.with(a).text("applicant", string(c.Assigning)).text("addressee", string(c.Receiving)).text("programme", c.word("process", c.Process)).
		text("targetGroup", c.TargetGroup).text("applicationDate", c.AppliedOn).text("goal", c.Goal).text("reason", c.Reason)
}

// with lists the documents that belong to a record.
func (c clerk) with(f form) form {
	var list []form
	for _, d := range c.Documents {
		list = append(list, form{"size": d.Size()}.text("name", d.Name).text("mediaType", d.MediaType).text("sha256", d.SHA256()))
	}
	if list != nil {
		f["documents"] = list
	}
	return f
}

// assessment is what einmal writes of its own check; no clerk enters it.
func (c clerk) assessment() form {
	list := make([]form, len(c.Findings))
	for i, f := range c.Findings {
		list[i] = form{}.text("rule", f.Rule).text("severity", c.word("severity", f.Severity)).text("reason", c.word("rejection", f.Reason)).text("source", f.Source).
			text("text", f.Text).text("remedy", f.Hint)
	}
	return form{"findings": list}.text("outcome", c.word("assessment", c.CheckOutcome)).text("ruleSet", c.CheckProfile)
}

func (c clerk) statements() []form {
	list := make([]form, len(c.Declarations))
	for i, d := range c.Declarations {
		list[i] = form{}.text("question", c.word("question", d.Item)).text("answer", c.word("answer", d.Answer)).text("day", d.On)
		if d.Number != nil {
			list[i]["figure"] = *d.Number
		}
	}
	return list
}

func (c clerk) client() form {
	p := c.Person
	at := form{"municipalityCode": p.Municipality}.text("street", p.Street).text("number", p.HouseNumber).text("postalCode", p.Zip).text("city", p.Town)
	return form{"address": at}.text("socialSecurityNumber", p.AHV).text("familyName", p.OfficialName).text("givenName", p.FirstName).
		text("birthDate", p.DateOfBirth).text("gender", c.word("sex", p.Sex)).text("phone", p.Phone).text("email", p.Email).text("language", c.word("language", p.Language))
}

func caseworker(c core.Contact) form {
	return form{}.text("name", c.Name).text("phone", c.Phone).text("email", c.Email)
}

func (c clerk) meet(name handover.Name) (native.Kind, form) {
	meeting := form{}.text("start", c.MeetingAt.Format(time.RFC3339)).text("location", c.MeetingPlace)
	note := form{"attendees": c.attendees()}.text("meetingDate", c.HeldOn).text("nextReview", c.NextReviewOn)
	switch name {
	case "transfer-meeting-scheduled":
		return "transferMeeting", meeting
	case "review-meeting-scheduled":
		return "reviewMeeting", meeting
	case "transfer-meeting-recorded":
		note["statesCanAndWantsToWork"] = c.CanAndWantsWork
		return "transferNote", c.with(note).text("caseWorkStart", c.StartOfCaseWork).text("strategy", c.Strategy).text("applicantProcedure", c.word("procedure", c.Procedure))
	case "review-meeting-recorded":
		note["continuation"] = c.Continue
		return "reviewNote", note.text("furtherMeasures", c.FurtherMeasures)
	case "extra-meeting-requested":
		return "meetingRequest", form{}.text("requestDate", c.ExtraRequestedOn).text("reason", c.ExtraReason)
	}
	return "", nil
}

func (c clerk) attendees() []form {
	list := make([]form, len(c.Participants))
	for i, p := range c.Participants {
		list[i] = form{"agrees": p.Agreed}.text("name", p.Name).text("role", c.word("part", p.Part))
	}
	return list
}

func (c clerk) approve(name handover.Name) (native.Kind, form) {
	about := form{}.text("approvalNumber", c.Approval)
	switch name {
	case "cost-approval-requested":
		about["period"], about["cost"] = period(c.MeasureFrom, c.MeasureTo), money(c.AmountCents)
		return "costApprovalRequest", about.text("measure", c.Measure).text("provider", c.Provider).text("returnUntil", c.ReturnBy)
	case "cost-approval-signed":
		return "costApproval", c.with(about).text("signatureDate", c.ApprovalSignedOn).text("signatory", c.SignedBy)
	case "cost-approval-refused":
		return "costApprovalRefusal", about.text("refusalDate", c.RefusedOn).text("reason", c.word("refusal", c.RefusalReason))
	case "cost-approval-reminder":
		return "costApprovalReminder", about.text("returnUntil", c.ReturnBy)
	}
	return "", nil
}

func (c clerk) measure(name handover.Name) (native.Kind, form) {
	about := form{}.text("approvalNumber", c.Approval)
	switch name {
	case "measure-ordered":
		about["period"] = period(c.MeasureFrom, c.MeasureTo)
		return "measureOrder", about.text("orderDate", c.OrderedOn)
	case "measure-completed":
		return "measureCompletion", about.text("completionDate", c.CompletedOn).text("result", c.Result)
	case "invoice-forwarded":
		about["cost"] = money(c.InvoiceCents)
		return "invoice", c.with(about).text("invoiceDate", c.InvoicedOn)
	}
	return "", nil
}

func period(from, to string) form { return form{}.text("from", from).text("to", to) }

// money writes francs with two decimals.
func money(cents int64) form {
	return form{"amount": jsontext.Value(fmt.Sprintf("%d.%02d", cents/100, cents%100)), "currency": "CHF"}
}

func (c clerk) end(name handover.Name) (native.Kind, form) {
	switch name {
	case "job-search-exemption-signed":
		e := form{"period": period(c.ExemptFrom, c.ExemptTo)}
		return "jobSearchExemption", c.with(e).text("signatureDate", c.ExemptionSignedOn).text("reasonForExtension", c.ExtensionReason)
	case "sanction-hint":
		return "observation", form{}.text("observationDate", c.ObservedOn).text("observation", c.Hint)
	case "case-closed":
		return "closure", c.with(form{}).text("closureDate", c.ClosedOn).text("reason", c.word("closure", c.ClosureReason)).text("outcome", c.word("outcome", c.Outcome)).
			text("applicantProcedure", c.word("procedure", c.Procedure))
	case "consent-withdrawn":
		return "consentWithdrawal", form{}.text("withdrawalDate", c.WithdrawnOn)
	}
	return "", nil
}
