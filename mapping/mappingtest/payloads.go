package mappingtest

import (
	"strings"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/personal"
	"github.com/einmal-hub/einmal/mapping/table"
	"pgregory.net/rapid"
)

// Payload returns a generator of valid payloads of a message: every optional value there or not, all kinds of characters, every code. With
// tables it stays within what all of them can hold: their limits, character sets and common codes. All people are invented.
func Payload(name handover.Name, tables ...*table.Table) *rapid.Generator[handover.Payload] {
	return payloads(name, anySize, tables)
}

// Full is Payload with everything optional in it.
func Full(name handover.Name, tables ...*table.Table) *rapid.Generator[handover.Payload] {
	return payloads(name, fullSize, tables)
}

// Longest is Full with every text as long as it may be, in umlauts.
func Longest(name handover.Name, tables ...*table.Table) *rapid.Generator[handover.Payload] {
	return payloads(name, mostSize, tables)
}

func payloads(name handover.Name, s size, tables []*table.Table) *rapid.Generator[handover.Payload] {
	limits := limitsOf(name, tables)
	return rapid.Custom(func(t *rapid.T) handover.Payload {
		d := draw{T: t, name: name, limits: limits, size: s}
		d.yes("some payloads say nothing that can be drawn")
		for _, part := range []func() handover.Payload{d.application, d.meeting, d.cost, d.rest} {
			if p := part(); p != nil {
				return p
			}
		}
		t.Fatalf("the message %s has no generator", name)
		return nil
	})
}

func (d draw) application() handover.Payload {
	switch d.name {
	case "application-submitted":
		return d.submitted()
	case "application-withdrawn":
		return handover.ApplicationWithdrawn{WithdrawnOn: d.day("withdrawnOn"), Reason: d.code("reason", "OTHER"), Remark: d.remark()}
	case "clarification-requested":
		return handover.ClarificationRequested{Question: d.long("question"), AnswerBy: d.maybeDay("answerBy"), Remark: d.remark()}
	case "clarification-answered":
		return handover.ClarificationAnswered{Answer: d.long("answer"), Documents: d.documents(), Remark: d.remark()}
	case "application-decided":
		return d.decided()
	case "application-checked":
		return d.checked()
	case "consent-withdrawn":
		return handover.ConsentWithdrawn{WithdrawnOn: d.day("withdrawnOn"), Remark: d.remark()}
	}
	return nil
}

func (d draw) submitted() handover.Payload {
	given := d.day("consent.givenOn")
	p := handover.ApplicationSubmitted{
		Assigning: "sd-kriens", Process: d.code("process", "OPTIMA_ALV"), TargetGroup: d.code("targetGroup", "H"),
		AppliedOn: d.after("appliedOn", given), Person: d.person(), PlannedMonths: d.between("plannedMonths", 1, 60),
		Situation: handover.Situation{
			SocialCounselling: d.yes("social"), EconomicAssistance: d.yes("economic"), RegisteredJobseeker: d.yes("jobseeker"),
			UnemploymentBenefit: d.yes("benefit"), DisabilityMeasures: d.yes("disability"),
		},
		Declarations: d.declarations(),
		Consent:      handover.Consent{Kind: d.code("consent.kind", "CONSENT"), GivenOn: given},
		Goal:         d.long("goal"), Reason: d.long("reason"), Contact: d.contact("contact"), Remark: d.remark(),
	}
	if d.there("receiving") {
		p.Receiving = "rav-luzern"
	}
	p.Deputy, p.Documents = d.maybeContact("deputy"), d.documents()
	return p
}

// declarations answers different questions with a code, a number and a day.
func (d draw) declarations() []handover.Declaration {
	if !d.there("declarations[]") {
		return nil
	}
	n := d.between("a number", 0, 999_999)
	all := []handover.Declaration{{Answer: d.code("declarations[].answer", "YES")}, {Number: &n}, {On: d.day("declarations[].on")}}
	items := rapid.Permutation(d.codes("declarations[].item", "A", "B", "C")).Draw(d.T, "items")
	for i := range all {
		all[i].Item = items[i]
	}
	if d.size == anySize {
		all = all[:d.between("declarations", 1, 3)]
	}
	return all
}

func (d draw) person() handover.Person {
	p := handover.Person{
		OfficialName: d.text("person.officialName", 100), FirstName: d.text("person.firstName", 100), DateOfBirth: d.birth("person.dateOfBirth"),
		Sex: d.code("person.sex", handover.Male, handover.Female, handover.SexUnknown), Address: d.address(),
		Phone: d.maybeText("person.phone", 40), Email: d.maybeText("person.email", 254), Language: d.maybeCode("person.language", "DE"),
	}
	if d.there("person.ahv") {
		p.AHV = d.ahv("person.ahv")
	}
	return p
}

// address has a house number only beside a street, as eCH-0010 has it.
func (d draw) address() handover.Address {
	a := handover.Address{
		Zip:  personal.Text(rapid.StringMatching(`[1-9][0-9]{3}`).Draw(d.T, "person.address.zip")),
		Town: d.text("person.address.town", 40), Municipality: d.between("person.address.municipality", 1, 9999),
		Street: d.maybeText("person.address.street", 60),
	}
	if a.Street != "" {
		a.HouseNumber = d.maybeText("person.address.houseNumber", 12)
	}
	return a
}

func (d draw) contact(at string) handover.Contact {
	return handover.Contact{Name: d.text(at+".name", 100), Phone: d.maybeText(at+".phone", 40), Email: d.maybeText(at+".email", 254)}
}

func (d draw) maybeContact(at string) *handover.Contact {
	if !d.there(at) || d.dropped(at) {
		return nil
	}
	c := d.contact(at)
	return &c
}

// dropped reports whether a table does not carry an object on purpose.
func (d draw) dropped(at string) bool {
	for _, r := range d.limits[at+".name"] {
		if r.Drop {
			return true
		}
	}
	return false
}

func (d draw) decided() handover.Payload {
	p := handover.ApplicationDecided{
		Decision: d.code("decision", handover.Accepted, handover.Rejected), DecidedOn: d.day("decidedOn"), Contact: d.maybeContact("contact"), Remark: d.remark(),
	}
	if p.Decision == handover.Rejected {
		p.Reason = d.code("reason", "OTHER")
	}
	return p
}

// checked returns an application that a rule refuses, and sends on one that has warnings only.
func (d draw) checked() handover.Payload {
	p := handover.ApplicationChecked{Outcome: handover.Forward, Profile: string(d.text("profile", 100)), Remark: d.remark()}
	most := d.between("findings", 1, 3)
	for i := range max(most, map[size]int{fullSize: 2, mostSize: 2}[d.size]) {
		f := handover.RuleFinding{
			Rule: string(d.text("findings[].rule", 40)), Severity: d.code("findings[].severity", handover.SeverityRefuse, handover.SeverityWarn),
			Reason: d.maybeCode("findings[].reason", "OTHER"), Source: string(d.text("findings[].source", 200)), Text: d.longOf("findings[].text", 500), Hint: d.maybeLong("findings[].hint"),
		}
		if i == 0 && d.size != anySize {
			f.Severity = handover.SeverityRefuse
		}
		if f.Severity == handover.SeverityRefuse {
			p.Outcome = handover.Returned
		}
		p.Findings = append(p.Findings, f)
	}
	return p
}

// documents invents what a message says of its documents; the contents are not part of a payload.
func (d draw) documents() []handover.Document {
	if !d.there("documents[]") || d.dropped("documents[]") {
		return nil
	}
	kinds := []string{"application/pdf", "image/jpeg", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"}
	hashes := rapid.SliceOfNDistinct(rapid.StringMatching(`[0-9a-f]{64}`), 2, 3, rapid.ID[string]).Draw(d.T, "documents[].sha256")
	if d.size == anySize {
		hashes = hashes[:d.between("documents", 1, len(hashes))]
	}
	var all []handover.Document
	for _, hash := range hashes {
		all = append(all, handover.Document{
			Name: d.text("documents[].name", 200), MediaType: rapid.SampledFrom(kinds).Draw(d.T, "documents[].mediaType"),
			Size: int64(d.between("documents[].size", 1, handover.DocumentLimit)), SHA256: hash,
		})
	}
	return all
}

func (d draw) meeting() handover.Payload {
	switch d.name {
	case "transfer-meeting-scheduled":
		return handover.TransferMeetingScheduled{At: d.moment("at"), Place: d.text("place", 200), Remark: d.remark()}
	case "review-meeting-scheduled":
		return handover.ReviewMeetingScheduled{At: d.moment("at"), Place: d.text("place", 200), Remark: d.remark()}
	case "transfer-meeting-recorded":
		return d.transferred()
	case "review-meeting-recorded":
		return d.reviewed()
	case "extra-meeting-requested":
		return handover.ExtraMeetingRequested{RequestedOn: d.day("requestedOn"), Reason: d.long("reason"), Remark: d.remark()}
	}
	return nil
}

func (d draw) participants() []handover.Participant {
	agreed := d.size != anySize || d.yes("all agreed")
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) handover.Participant {
		one := d
		one.T = t
		return handover.Participant{
			Name: one.text("participants[].name", 100), Part: one.code("participants[].part", "PERSON", "OTHER"), Agreed: agreed || one.yes("agreed"),
		}
	}), 2, 5).Draw(d.T, "participants")
}

func (d draw) transferred() handover.Payload {
	p := handover.TransferMeetingRecorded{
		HeldOn: d.day("heldOn"), Participants: d.participants(), CanAndWantsWork: d.yes("canAndWantsWork"), Strategy: d.maybeLong("strategy"), Documents: d.documents(),
		Remark: d.remark(),
	}
	if p.Agreed() {
		p.StartOfCaseWork = d.after("startOfCaseWork", p.HeldOn)
		p.NextReviewOn = d.after("nextReviewOn", p.StartOfCaseWork)
	}
	return p
}

func (d draw) reviewed() handover.Payload {
	p := handover.ReviewMeetingRecorded{
		HeldOn: d.day("heldOn"), Participants: d.participants(), Continue: d.there("continue"), Measures: d.maybeLong("measures"), Remark: d.remark(),
	}
	if p.Continue {
		p.NextReviewOn = d.after("nextReviewOn", p.HeldOn)
	}
	return p
}

func (d draw) cost() handover.Payload {
	if !strings.HasPrefix(string(d.name), "cost-") {
		return nil
	}
	number, from := string(d.text("approval", 40)), d.day("from")
	switch d.name {
	case "cost-approval-requested":
		return handover.CostApprovalRequested{
			Approval: number, Measure: d.text("measure", 200), Provider: d.text("provider", 200), From: from, To: d.after("to", from),
			AmountCents: d.cents(), ReturnBy: d.maybeDay("returnBy"), Remark: d.remark(),
		}
	case "cost-approval-signed":
		return handover.CostApprovalSigned{Approval: number, SignedOn: from, SignedBy: d.text("signedBy", 100), Documents: d.documents(), Remark: d.remark()}
	case "cost-approval-refused":
		return handover.CostApprovalRefused{Approval: number, RefusedOn: from, Reason: d.code("reason", "OTHER"), Remark: d.remark()}
	case "cost-approval-reminder":
		return handover.CostApprovalReminder{Approval: number, ReturnBy: from, Remark: d.remark()}
	}
	return nil
}

func (d draw) cents() int64 { return int64(d.between("amountCents", 1, 999_999_999)) }

func (d draw) rest() handover.Payload {
	from := d.day("from")
	switch d.name {
	case "job-search-exemption-signed":
		return handover.JobSearchExemptionSigned{
			From: from, To: d.after("to", from), SignedOn: d.day("signedOn"), ExtensionReason: d.maybeLong("extensionReason"), Documents: d.documents(), Remark: d.remark(),
		}
	case "measure-ordered":
		return handover.MeasureOrdered{Approval: d.number(), OrderedOn: d.day("orderedOn"), From: from, To: d.after("to", from), Remark: d.remark()}
	case "measure-completed":
		return handover.MeasureCompleted{Approval: d.number(), CompletedOn: from, Result: d.maybeLong("result"), Remark: d.remark()}
	case "invoice-forwarded":
		return handover.InvoiceForwarded{Approval: d.number(), InvoicedOn: from, AmountCents: d.cents(), Documents: d.documents(), Remark: d.remark()}
	case "sanction-hint":
		return handover.SanctionHint{ObservedOn: from, Hint: d.long("hint"), Remark: d.remark()}
	case "case-closed":
		return handover.CaseClosed{ClosedOn: from, Reason: d.code("reason", "OTHER"), Outcome: d.code("outcome", "OTHER"), Documents: d.documents(), Remark: d.remark()}
	}
	return nil
}

func (d draw) number() string { return string(d.text("approval", 40)) }
