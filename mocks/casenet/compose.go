package casenet

import (
	_ "embed"
	"fmt"
	"sync"
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

// words are the platform's words for codes, by list. The file is part of the program, so a test holds that it can be read.
var words = sync.OnceValues(func() (map[string]map[string]string, error) {
	var w map[string]map[string]string
	err := strict.JSON(wordsJSON, &w)
	return w, err
})

// form is what a clerk fills in; fields that she leaves empty are not in it.
type form map[string]any

// text fills in a field.
func (f form) text(name, value string) form {
	if value != "" {
		f[name] = value
	}
	return f
}

// choose fills in a field with a list to choose from. A code without a word stays visible as it is, and the platform refuses it.
func (f form) choose(name, list, code string) form {
	if w, err := words(); err == nil && w[list][code] != "" {
		code = w[list][code]
	}
	return f.text(name, code)
}

// Compose returns what the platform's form for a message looks like when a clerk who knows the facts has filled it in; no kind for a
// message that the platform does not know.
func Compose(name handover.Name, f core.Facts) (native.Kind, []byte) {
	for _, forms := range []func(handover.Name, core.Facts) (native.Kind, form){begin, meet, approve, measure, end} {
		kind, filled := forms(name, f)
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

func begin(name handover.Name, f core.Facts) (native.Kind, form) {
	switch name {
	case "application-submitted":
		return "application", application(f)
	case "application-withdrawn":
		return "applicationWithdrawal", form{}.text("withdrawalDate", f.WithdrawnOn).choose("reason", "withdrawal", f.WithdrawalReason)
	case "clarification-requested":
		return "query", form{}.text("question", f.Question).text("replyUntil", f.AnswerBy)
	case "clarification-answered":
		return "queryReply", form{}.text("reply", f.Answer)
	case "application-decided":
		d := form{}.choose("result", "decision", f.Decision).choose("rejectionReason", "rejection", f.RejectionReason).text("decisionDate", f.DecidedOn)
		if f.Lead != nil {
			d["caseLead"] = caseworker(*f.Lead)
		}
		return "decision", d
	}
	return "", nil
}

func application(f core.Facts) form {
	s := f.Situation
	a := form{
		"client": client(f.Person),
		"entitlements": form{
			"socialCounselling": s.SocialCounselling, "economicAssistance": s.EconomicAssistance, "jobseeker": s.RegisteredJobseeker,
			"unemploymentBenefit": s.UnemploymentBenefit, "disabilityMeasures": s.DisabilityMeasures,
		},
		"legalBasis":            form{}.choose("type", "consent", f.ConsentKind).text("date", f.ConsentGivenOn),
		"plannedDurationMonths": f.PlannedMonths, "caseworker": caseworker(f.Contact),
	}
	if f.Deputy != nil {
		a["deputy"] = caseworker(*f.Deputy)
	}
	return a.text("applicant", string(f.Assigning)).text("addressee", string(f.Receiving)).choose("programme", "process", f.Process).
		text("targetGroup", f.TargetGroup).text("applicationDate", f.AppliedOn).text("goal", f.Goal).text("reason", f.Reason)
}

func client(p core.Person) form {
	at := form{"municipalityCode": p.Municipality}.text("street", p.Street).text("number", p.HouseNumber).text("postalCode", p.Zip).text("city", p.Town)
	return form{"address": at}.text("socialSecurityNumber", p.AHV).text("familyName", p.OfficialName).text("givenName", p.FirstName).
		text("birthDate", p.DateOfBirth).choose("gender", "sex", p.Sex).text("phone", p.Phone).text("email", p.Email).choose("language", "language", p.Language)
}

func caseworker(c core.Contact) form {
	return form{}.text("name", c.Name).text("phone", c.Phone).text("email", c.Email)
}

func meet(name handover.Name, f core.Facts) (native.Kind, form) {
	meeting := form{}.text("start", f.MeetingAt.Format(time.RFC3339)).text("location", f.MeetingPlace)
	note := form{"attendees": attendees(f.Participants)}.text("meetingDate", f.HeldOn).text("nextReview", f.NextReviewOn)
	switch name {
	case "transfer-meeting-scheduled":
		return "transferMeeting", meeting
	case "review-meeting-scheduled":
		return "reviewMeeting", meeting
	case "transfer-meeting-recorded":
		note["statesCanAndWantsToWork"] = f.CanAndWantsWork
		return "transferNote", note.text("caseWorkStart", f.StartOfCaseWork).text("strategy", f.Strategy)
	case "review-meeting-recorded":
		note["continuation"] = f.Continue
		return "reviewNote", note.text("furtherMeasures", f.FurtherMeasures)
	case "extra-meeting-requested":
		return "meetingRequest", form{}.text("requestDate", f.ExtraRequestedOn).text("reason", f.ExtraReason)
	}
	return "", nil
}

func attendees(ps []core.Participant) []form {
	list := make([]form, len(ps))
	for i, p := range ps {
		list[i] = form{"agrees": p.Agreed}.text("name", p.Name).choose("role", "part", p.Part)
	}
	return list
}

func approve(name handover.Name, f core.Facts) (native.Kind, form) {
	about := form{}.text("approvalNumber", f.Approval)
	switch name {
	case "cost-approval-requested":
		about["period"], about["cost"] = period(f.MeasureFrom, f.MeasureTo), money(f.AmountCents)
		return "costApprovalRequest", about.text("measure", f.Measure).text("provider", f.Provider).text("returnUntil", f.ReturnBy)
	case "cost-approval-signed":
		return "costApproval", about.text("signatureDate", f.ApprovalSignedOn).text("signatory", f.SignedBy)
	case "cost-approval-refused":
		return "costApprovalRefusal", about.text("refusalDate", f.RefusedOn).choose("reason", "refusal", f.RefusalReason)
	case "cost-approval-reminder":
		return "costApprovalReminder", about.text("returnUntil", f.ReturnBy)
	}
	return "", nil
}

func measure(name handover.Name, f core.Facts) (native.Kind, form) {
	about := form{}.text("approvalNumber", f.Approval)
	switch name {
	case "measure-ordered":
		about["period"] = period(f.MeasureFrom, f.MeasureTo)
		return "measureOrder", about.text("orderDate", f.OrderedOn)
	case "measure-completed":
		return "measureCompletion", about.text("completionDate", f.CompletedOn).text("result", f.Result)
	case "invoice-forwarded":
		about["cost"] = money(f.InvoiceCents)
		return "invoice", about.text("invoiceDate", f.InvoicedOn)
	}
	return "", nil
}

func period(from, to string) form { return form{}.text("from", from).text("to", to) }

// money writes francs with two decimals.
func money(cents int64) form {
	return form{"amount": jsontext.Value(fmt.Sprintf("%d.%02d", cents/100, cents%100)), "currency": "CHF"}
}

func end(name handover.Name, f core.Facts) (native.Kind, form) {
	switch name {
	case "job-search-exemption-signed":
		e := form{"period": period(f.ExemptFrom, f.ExemptTo)}
		return "jobSearchExemption", e.text("signatureDate", f.ExemptionSignedOn).text("reasonForExtension", f.ExtensionReason)
	case "sanction-hint":
		return "observation", form{}.text("observationDate", f.ObservedOn).text("observation", f.Hint)
	case "case-closed":
		return "closure", form{}.text("closureDate", f.ClosedOn).choose("reason", "closure", f.ClosureReason).choose("outcome", "outcome", f.Outcome)
	case "consent-withdrawn":
		return "consentWithdrawal", form{}.text("withdrawalDate", f.WithdrawnOn)
	}
	return "", nil
}
