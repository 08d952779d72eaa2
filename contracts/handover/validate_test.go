package handover_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/einmal-hub/einmal/contracts/fault"
	h "github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/personal"
	"github.com/stretchr/testify/require"
)

// rule is one change of a valid example and what Validate must say about it; no finding means that it is admitted.
type rule struct {
	name   string
	change func(t *testing.T) h.Payload
	want   []string
}

// when builds a rule from a change of the example of one message.
func when[T h.Payload](name string, change func(*T), want ...string) rule {
	return rule{name: name, want: want, change: func(t *testing.T) h.Payload {
		m := exampleOf[T](t)
		change(&m)
		return m
	}}
}

func long(n int) personal.Text { return personal.Text(strings.Repeat("ü", n)) }

func checkRules(t *testing.T, rules []rule) {
	t.Helper()
	for _, r := range rules {
		t.Run(r.name, func(t *testing.T) {
			var fs fault.Findings
			err := r.change(t).Validate()
			require.Equal(t, err != nil, errors.As(err, &fs), "an error of Validate is a list of findings")
			require.Equal(t, r.want, short(fs))
		})
	}
}

func TestApplicationSubmittedRules(t *testing.T) {
	type m = h.ApplicationSubmitted
	checkRules(t, []rule{
		when("the example", func(*m) {}),
		when("parties at their limit", func(m *m) { m.Assigning, m.Receiving = h.OrganisationID(long(64)), "x" }),
		when("the receiver left to the directory", func(m *m) { m.Receiving = "" }),
		when("parties missing", func(m *m) { m.Assigning, m.Receiving = "", " " }, "assigning missing", "receiving missing"),
		when("party too long", func(m *m) { m.Assigning = h.OrganisationID(long(65)) }, "assigning too-long"),
		when("party with a line break", func(m *m) { m.Receiving = "rav\nluzern" }, "receiving control-characters"),
		when("codes missing", func(m *m) { m.Process, m.TargetGroup, m.Consent.Kind = "", "", "" }, "process missing", "targetGroup missing", "consent.kind missing"),
		when("code in lower case", func(m *m) { m.Process = "optima" }, "process code-format"),
		when("code with umlaut", func(m *m) { m.Process = "KÜ" }, "process code-format"),
		when("code at its limit", func(m *m) { m.TargetGroup = h.Code(strings.Repeat("A", 40)) }),
		when("code too long", func(m *m) { m.TargetGroup = h.Code(strings.Repeat("A", 41)) }, "targetGroup too-long"),
		when("dates missing", func(m *m) { m.AppliedOn, m.Consent.GivenOn = "", "" }, "appliedOn missing", "consent.givenOn missing"),
		when("date that was not parsed", func(m *m) { m.AppliedOn = "x" }, "appliedOn date-format"),
		when("consent on the day itself", func(m *m) { m.Consent.GivenOn = m.AppliedOn }),
		when("consent a day later", func(m *m) { m.Consent.GivenOn = "2026-03-03" }, "consent.givenOn consent-after-application"),
		when("shortest plan", func(m *m) { m.PlannedMonths = 1 }),
		when("longest plan", func(m *m) { m.PlannedMonths = 60 }),
		when("no plan", func(m *m) { m.PlannedMonths = 0 }, "plannedMonths out-of-range"),
		when("plan too long", func(m *m) { m.PlannedMonths = 61 }, "plannedMonths out-of-range"),
		when("texts missing", func(m *m) { m.Goal, m.Reason = "", "\n\t " }, "goal missing", "reason missing"),
		when("texts at their limit", func(m *m) { m.Goal, m.Reason, m.Remark = long(2000), long(2000), long(2000) }),
		when("texts too long", func(m *m) { m.Goal, m.Reason, m.Remark = long(2001), long(2001), long(2001) }, "goal too-long", "reason too-long", "remark too-long"),
		when("line breaks count", func(m *m) { m.Goal = personal.Text("x" + strings.Repeat("\n", 2000)) }, "goal too-long"),
		when("control character", func(m *m) { m.Goal = "a\x00b" }, "goal control-characters"),
		when("C1 control character", func(m *m) { m.Goal = "a\u0085b" }, "goal control-characters"),
		when("trace of a wrong conversion", func(m *m) { m.Goal = "M\ufffdller" }, "goal control-characters"),
		when("character that XML cannot carry", func(m *m) { m.Goal = "a\uffffb" }, "goal control-characters"),
		when("not UTF-8", func(m *m) { m.Goal = "M\xfcller" }, "goal control-characters"),
		when("no deputy, no remark", func(m *m) { m.Deputy, m.Remark = nil, "" }),
		when("nameless contacts", func(m *m) { m.Contact.Name, m.Deputy = "", &h.Contact{} }, "contact.name missing", "deputy.name missing"),
		when("contact at its limits", func(m *m) { m.Contact = h.Contact{Name: long(100), Phone: long(40), Email: long(254)} }),
		when("contact beyond its limits", func(m *m) { m.Contact = h.Contact{Name: long(101), Phone: long(41), Email: long(255)} },
			"contact.name too-long", "contact.phone too-long", "contact.email too-long"),
	})
}

func TestDocumentRules(t *testing.T) {
	type m = h.CaseClosed
	hash := func(i int) string { return fmt.Sprintf("%064x", i) }
	one := h.Document{Name: "A", MediaType: "application/pdf", Size: 1, SHA256: hash(1)}
	with := func(change func(*h.Document)) func(*m) {
		d := one
		change(&d)
		return func(m *m) { m.Documents = []h.Document{d} }
	}
	many := func(n int) func(*m) {
		return func(m *m) {
			m.Documents = make([]h.Document, n)
			for i := range m.Documents {
				m.Documents[i] = one
				m.Documents[i].SHA256 = hash(i)
			}
		}
	}
	checkRules(t, []rule{
		when("no document", func(m *m) { m.Documents = nil }),
		when("an empty list", many(0), "documents out-of-range"),
		when("as many as may be", many(20)),
		when("too many", many(21), "documents out-of-range"),
		when("nothing of it said", with(func(d *h.Document) { *d = h.Document{} }),
			"documents[0].name missing", "documents[0].mediaType media-type", "documents[0].size out-of-range", "documents[0].sha256 hash-format"),
		when("the smallest and the largest", func(m *m) {
			large := one
			large.Size, large.SHA256, large.Name = h.DocumentLimit, hash(2), long(200)
			m.Documents = []h.Document{one, large}
		}),
		when("too large", with(func(d *h.Document) { d.Size = h.DocumentLimit + 1 }), "documents[0].size out-of-range"),
		when("of negative size", with(func(d *h.Document) { d.Size = -1 }), "documents[0].size out-of-range"),
		when("name too long", with(func(d *h.Document) { d.Name = long(201) }), "documents[0].name too-long"),
		when("name of two lines", with(func(d *h.Document) { d.Name = "a\nb" }), "documents[0].name control-characters"),
		when("name with a tab", with(func(d *h.Document) { d.Name = "a\tb" }), "documents[0].name control-characters"),
		when("a long type of many characters", with(func(d *h.Document) {
			d.MediaType = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
		})),
		when("type at its limit", with(func(d *h.Document) { d.MediaType = "a/" + strings.Repeat("b", 98) })),
		when("type too long", with(func(d *h.Document) { d.MediaType = "a/" + strings.Repeat("b", 99) }), "documents[0].mediaType media-type"),
		when("type with a parameter", with(func(d *h.Document) { d.MediaType = "text/plain; charset=utf-8" }), "documents[0].mediaType media-type"),
		when("type in upper case", with(func(d *h.Document) { d.MediaType = "Text/plain" }), "documents[0].mediaType media-type"),
		when("type without subtype", with(func(d *h.Document) { d.MediaType = "text" }), "documents[0].mediaType media-type"),
		when("type of three parts", with(func(d *h.Document) { d.MediaType = "a/b/c" }), "documents[0].mediaType media-type"),
		when("type that begins with a dot", with(func(d *h.Document) { d.MediaType = "a/.b" }), "documents[0].mediaType media-type"),
		when("type with an umlaut", with(func(d *h.Document) { d.MediaType = "ä/b" }), "documents[0].mediaType media-type"),
		when("hash in upper case", with(func(d *h.Document) { d.SHA256 = strings.Repeat("A", 64) }), "documents[0].sha256 hash-format"),
		when("hash too short", with(func(d *h.Document) { d.SHA256 = strings.Repeat("a", 62) }), "documents[0].sha256 hash-format"),
		when("hash of other letters", with(func(d *h.Document) { d.SHA256 = strings.Repeat("g", 64) }), "documents[0].sha256 hash-format"),
		when("the same content twice", func(m *m) { m.Documents = []h.Document{one, one} }, "documents[1].sha256 repeated-document"),
	})
}

func TestApplicationCheckedRules(t *testing.T) {
	type m = h.ApplicationChecked
	finding := h.RuleFinding{Rule: "A", Severity: h.SeverityRefuse, Source: "B", Text: "C"}
	many := func(n int) func(*m) {
		return func(m *m) {
			m.Findings = make([]h.RuleFinding, n)
			for i := range m.Findings {
				m.Findings[i] = finding
			}
		}
	}
	with := func(change func(*h.RuleFinding)) func(*m) {
		f := finding
		change(&f)
		return func(m *m) { m.Findings = []h.RuleFinding{finding, f} }
	}
	checkRules(t, []rule{
		when("nothing said", func(m *m) { *m = h.ApplicationChecked{} }, "outcome unknown-code", "profile missing", "findings out-of-range"),
		when("returned without a finding", func(m *m) { m.Findings = nil }, "findings out-of-range", "outcome outcome-differs"),
		when("returned for a warning", func(m *m) { m.Findings = m.Findings[1:] }, "outcome outcome-differs"),
		when("sent on with a warning", func(m *m) { m.Outcome, m.Findings, m.Remark = h.Forward, m.Findings[1:], "" }),
		when("sent on although refused", func(m *m) { m.Outcome = h.Forward }, "outcome outcome-differs"),
		when("as many findings as may be", many(60)),
		when("too many findings", many(61), "findings out-of-range"),
		when("profile at its limit", func(m *m) { m.Profile = string(long(100)) }),
		when("profile too long", func(m *m) { m.Profile = string(long(101)) }, "profile too-long"),
		when("remark too long", func(m *m) { m.Remark = long(2001) }, "remark too-long"),
		when("finding without anything", with(func(f *h.RuleFinding) { *f = h.RuleFinding{} }),
			"findings[1].rule missing", "findings[1].severity unknown-code", "findings[1].source missing", "findings[1].text missing"),
		when("finding at its limits", with(func(f *h.RuleFinding) {
			f.Rule, f.Source, f.Text, f.Hint, f.Reason = string(long(40)), string(long(200)), long(500), long(2000), "OTHER"
		})),
		when("finding beyond its limits", with(func(f *h.RuleFinding) {
			f.Rule, f.Source, f.Text, f.Hint, f.Reason = string(long(41)), string(long(201)), long(501), long(2001), "other"
		}), "findings[1].rule too-long", "findings[1].reason code-format", "findings[1].source too-long", "findings[1].text too-long", "findings[1].hint too-long"),
	})
}

func TestDeclarationRules(t *testing.T) {
	type m = h.ApplicationSubmitted
	number := func(n int) *int { return &n }
	declare := func(ds ...h.Declaration) func(*m) { return func(m *m) { m.Declarations = ds } }
	many := func(n int) []h.Declaration {
		ds := make([]h.Declaration, n)
		for i := range ds {
			ds[i] = h.Declaration{Item: h.Code(fmt.Sprintf("I%d", i)), Answer: "YES"}
		}
		return ds
	}
	checkRules(t, []rule{
		when("nothing declared", func(m *m) { m.Declarations = nil }),
		when("an answer, a number, a day", declare(h.Declaration{Item: "A", Answer: "NO"}, h.Declaration{Item: "B", Number: number(0)}, h.Declaration{Item: "C", On: "2026-03-01"})),
		when("the largest number", declare(h.Declaration{Item: "A", Number: number(999_999)})),
		when("numbers out of range", declare(h.Declaration{Item: "A", Number: number(-1)}, h.Declaration{Item: "B", Number: number(1_000_000)}),
			"declarations[0].number out-of-range", "declarations[1].number out-of-range"),
		when("empty list", func(m *m) { m.Declarations = []h.Declaration{} }, "declarations out-of-range"),
		when("as many as may be", func(m *m) { m.Declarations = many(60) }),
		when("too many", func(m *m) { m.Declarations = many(61) }, "declarations out-of-range"),
		when("nothing said", declare(h.Declaration{}), "declarations[0].item missing", "declarations[0].answer one-answer"),
		when("two things said", declare(h.Declaration{Item: "A", Answer: "YES", Number: number(1)}), "declarations[0].answer one-answer"),
		when("item twice", declare(h.Declaration{Item: "A", Answer: "YES"}, h.Declaration{Item: "A", Answer: "NO"}), "declarations[1].item repeated-item"),
		when("wrong spelling", declare(h.Declaration{Item: "a", Answer: "yes"}, h.Declaration{Item: "B", On: "soon"}),
			"declarations[0].item code-format", "declarations[0].answer code-format", "declarations[1].on date-format"),
	})
}

func TestPersonRules(t *testing.T) {
	type m = h.ApplicationSubmitted
	checkRules(t, []rule{
		when("everything optional left out", func(m *m) {
			m.Person.AHV, m.Person.Phone, m.Person.Email, m.Person.Language = personal.AHV{}, "", "", ""
			m.Person.Address.Street, m.Person.Address.HouseNumber = "", ""
		}),
		when("nobody", func(m *m) { m.Person = h.Person{} }, "person.officialName missing", "person.firstName missing", "person.dateOfBirth missing",
			"person.sex unknown-code", "person.address.zip zip-format", "person.address.town missing", "person.address.municipality bfs-range"),
		when("names at their limit", func(m *m) { m.Person.OfficialName, m.Person.FirstName = long(100), long(100) }),
		when("names too long", func(m *m) { m.Person.OfficialName, m.Person.FirstName = long(101), long(101) }, "person.officialName too-long", "person.firstName too-long"),
		when("male", func(m *m) { m.Person.Sex = h.Male }),
		when("unknown", func(m *m) { m.Person.Sex = h.SexUnknown }),
		when("sex in another spelling", func(m *m) { m.Person.Sex = "male" }, "person.sex unknown-code"),
		when("phone and mail too long", func(m *m) { m.Person.Phone, m.Person.Email = long(41), long(255) }, "person.phone too-long", "person.email too-long"),
		when("language in lower case", func(m *m) { m.Person.Language = "de" }, "person.language code-format"),
		when("address at its limits", func(m *m) {
			m.Person.Address = h.Address{Street: long(60), HouseNumber: long(12), Zip: "1000", Town: long(40), Municipality: 1}
		}),
		when("address at its other limits", func(m *m) { m.Person.Address.Zip, m.Person.Address.Municipality = "9999", 9999 }),
		when("address beyond its limits", func(m *m) {
			m.Person.Address = h.Address{Street: long(61), HouseNumber: long(13), Zip: "0999", Town: long(41), Municipality: 10000}
		}, "person.address.street too-long", "person.address.houseNumber too-long", "person.address.zip zip-format", "person.address.town too-long", "person.address.municipality bfs-range"),
		when("postcode with letters", func(m *m) { m.Person.Address.Zip = "1abc" }, "person.address.zip zip-format"),
		when("postcode with a sign", func(m *m) { m.Person.Address.Zip = "+601" }, "person.address.zip zip-format"),
		when("postcode of five digits", func(m *m) { m.Person.Address.Zip = "60100" }, "person.address.zip zip-format"),
		when("negative municipality", func(m *m) { m.Person.Address.Municipality = -1 }, "person.address.municipality bfs-range"),
	})
}

func TestApplicationRules(t *testing.T) {
	checkRules(t, []rule{
		when("withdrawn without anything", func(m *h.ApplicationWithdrawn) { *m = h.ApplicationWithdrawn{} }, "withdrawnOn missing", "reason missing"),
		when("withdrawn, remark too long", func(m *h.ApplicationWithdrawn) { m.Remark = long(2001) }, "remark too-long"),
		when("question missing", func(m *h.ClarificationRequested) { *m = h.ClarificationRequested{} }, "question missing"),
		when("question without date and remark", func(m *h.ClarificationRequested) { m.AnswerBy, m.Remark = "", "" }),
		when("question with a wrong date", func(m *h.ClarificationRequested) { m.AnswerBy = "soon" }, "answerBy date-format"),
		when("question too long", func(m *h.ClarificationRequested) { m.Question, m.Remark = long(2001), long(2001) }, "question too-long", "remark too-long"),
		when("answer missing", func(m *h.ClarificationAnswered) { *m = h.ClarificationAnswered{} }, "answer missing"),
		when("answer too long", func(m *h.ClarificationAnswered) { m.Answer, m.Remark = long(2001), long(2001) }, "answer too-long", "remark too-long"),
		when("accepted without reason and contact", func(m *h.ApplicationDecided) { m.Decision, m.Reason, m.Contact, m.Remark = h.Accepted, "", nil, "" }),
		when("rejected without reason", func(m *h.ApplicationDecided) { m.Reason = "" }, "reason missing"),
		when("undecided", func(m *h.ApplicationDecided) { *m = h.ApplicationDecided{} }, "decision unknown-code", "decidedOn missing"),
		when("decision in another word", func(m *h.ApplicationDecided) { m.Decision = "MAYBE" }, "decision unknown-code"),
		when("decided, wrong parts", func(m *h.ApplicationDecided) { m.Reason, m.Contact, m.Remark = "no capacity", &h.Contact{}, long(2001) },
			"reason code-format", "contact.name missing", "remark too-long"),
		when("consent withdrawn without date", func(m *h.ConsentWithdrawn) { *m = h.ConsentWithdrawn{Remark: long(2001)} }, "withdrawnOn missing", "remark too-long"),
	})
}

func TestMeetingRules(t *testing.T) {
	crowd := func(n int) []h.Participant {
		ps := make([]h.Participant, n)
		for i := range ps {
			ps[i] = h.Participant{Name: "A", Part: "OTHER", Agreed: true}
		}
		return ps
	}
	checkRules(t, []rule{
		when("transfer without time and place", func(m *h.TransferMeetingScheduled) { *m = h.TransferMeetingScheduled{} }, "at missing", "place missing"),
		when("transfer, place at its limit", func(m *h.TransferMeetingScheduled) { m.Place, m.Remark = long(200), "" }),
		when("transfer, texts too long", func(m *h.TransferMeetingScheduled) { m.Place, m.Remark = long(201), long(2001) }, "place too-long", "remark too-long"),
		when("review without time and place", func(m *h.ReviewMeetingScheduled) { *m = h.ReviewMeetingScheduled{} }, "at missing", "place missing"),
		when("an empty transfer note", func(m *h.TransferMeetingRecorded) { *m = h.TransferMeetingRecorded{} }, "heldOn missing", "participants out-of-range"),
		when("one participant", func(m *h.TransferMeetingRecorded) { m.Participants = crowd(1) }, "participants out-of-range"),
		when("two participants", func(m *h.TransferMeetingRecorded) { m.Participants = crowd(2) }),
		when("twenty participants", func(m *h.TransferMeetingRecorded) { m.Participants = crowd(20) }),
		when("twenty-one participants", func(m *h.TransferMeetingRecorded) { m.Participants = crowd(21) }, "participants out-of-range"),
		when("nameless participant", func(m *h.TransferMeetingRecorded) { m.Participants[1] = h.Participant{Agreed: true} },
			"participants[1].name missing", "participants[1].part missing"),
		when("agreed without dates", func(m *h.TransferMeetingRecorded) { m.StartOfCaseWork, m.NextReviewOn = "", "" }, "startOfCaseWork missing", "nextReviewOn missing"),
		when("not agreed, without dates", func(m *h.TransferMeetingRecorded) {
			m.Participants[0].Agreed, m.StartOfCaseWork, m.NextReviewOn, m.Strategy, m.Remark = false, "", "", "", ""
		}),
		when("not agreed, wrong dates", func(m *h.TransferMeetingRecorded) {
			m.Participants[0].Agreed, m.StartOfCaseWork, m.NextReviewOn = false, "x", "y"
		}, "startOfCaseWork date-format", "nextReviewOn date-format"),
		when("review on the first day", func(m *h.TransferMeetingRecorded) { m.NextReviewOn = m.StartOfCaseWork }),
		when("review before the start", func(m *h.TransferMeetingRecorded) { m.NextReviewOn = "2026-03-31" }, "nextReviewOn dates-reversed"),
		when("transfer note, texts too long", func(m *h.TransferMeetingRecorded) { m.Strategy, m.Remark = long(2001), long(2001) }, "strategy too-long", "remark too-long"),
		when("an empty review note", func(m *h.ReviewMeetingRecorded) { *m = h.ReviewMeetingRecorded{} }, "heldOn missing", "participants out-of-range"),
		when("goes on without date", func(m *h.ReviewMeetingRecorded) { m.NextReviewOn = "" }, "nextReviewOn missing"),
		when("goes on, next review in the past", func(m *h.ReviewMeetingRecorded) { m.NextReviewOn = "2026-06-30" }, "nextReviewOn dates-reversed"),
		when("ends without date", func(m *h.ReviewMeetingRecorded) { m.Continue, m.NextReviewOn, m.Measures, m.Remark = false, "", "", "" }),
		when("ends with a wrong date", func(m *h.ReviewMeetingRecorded) { m.Continue, m.NextReviewOn = false, "never" }, "nextReviewOn date-format"),
		when("review note, texts too long", func(m *h.ReviewMeetingRecorded) { m.Measures, m.Remark = long(2001), long(2001) }, "measures too-long", "remark too-long"),
		when("extra meeting without anything", func(m *h.ExtraMeetingRequested) { *m = h.ExtraMeetingRequested{} }, "requestedOn missing", "reason missing"),
		when("extra meeting, texts too long", func(m *h.ExtraMeetingRequested) { m.Reason, m.Remark = long(2001), long(2001) }, "reason too-long", "remark too-long"),
		when("closed without anything", func(m *h.CaseClosed) { *m = h.CaseClosed{} }, "closedOn missing", "reason missing", "outcome missing"),
		when("closed, wrong parts", func(m *h.CaseClosed) { m.ClosedOn, m.Reason, m.Outcome, m.Remark = "x", "a", "b", long(2001) },
			"closedOn date-format", "reason code-format", "outcome code-format", "remark too-long"),
	})
}

func TestMeasureRules(t *testing.T) {
	approval40, approval41 := string(long(40)), string(long(41))
	checkRules(t, []rule{
		when("exemption without anything", func(m *h.JobSearchExemptionSigned) { *m = h.JobSearchExemptionSigned{} }, "from missing", "to missing", "signedOn missing"),
		when("exemption of one day", func(m *h.JobSearchExemptionSigned) { m.To, m.ExtensionReason, m.Remark = m.From, "", "" }),
		when("exemption backwards", func(m *h.JobSearchExemptionSigned) { m.To = "2026-03-31" }, "to dates-reversed"),
		when("exemption, texts too long", func(m *h.JobSearchExemptionSigned) { m.ExtensionReason, m.Remark = long(2001), long(2001) }, "extensionReason too-long", "remark too-long"),
		when("request without anything", func(m *h.CostApprovalRequested) { *m = h.CostApprovalRequested{} },
			"approval missing", "measure missing", "provider missing", "from missing", "to missing", "amountCents out-of-range"),
		when("request at its limits", func(m *h.CostApprovalRequested) {
			m.Approval, m.Measure, m.Provider, m.AmountCents, m.ReturnBy, m.Remark = approval40, long(200), long(200), 999_999_999, "", ""
		}),
		when("one centime", func(m *h.CostApprovalRequested) { m.AmountCents = 1 }),
		when("request beyond its limits", func(m *h.CostApprovalRequested) {
			m.Approval, m.Measure, m.Provider, m.AmountCents, m.ReturnBy = approval41, long(201), long(201), 1_000_000_000, "x"
		}, "approval too-long", "measure too-long", "provider too-long", "amountCents out-of-range", "returnBy date-format"),
		when("negative amount", func(m *h.CostApprovalRequested) { m.AmountCents = -1 }, "amountCents out-of-range"),
		when("request backwards", func(m *h.CostApprovalRequested) { m.From = "2026-07-11" }, "to dates-reversed"),
		when("approval with a line break", func(m *h.CostApprovalRequested) { m.Approval = "a\nb" }, "approval control-characters"),
		when("signed without anything", func(m *h.CostApprovalSigned) { *m = h.CostApprovalSigned{} }, "approval missing", "signedOn missing", "signedBy missing"),
		when("signed, texts too long", func(m *h.CostApprovalSigned) { m.SignedBy, m.Remark = long(101), long(2001) }, "signedBy too-long", "remark too-long"),
		when("refused without anything", func(m *h.CostApprovalRefused) { *m = h.CostApprovalRefused{} }, "approval missing", "refusedOn missing", "reason missing"),
		when("refused, remark too long", func(m *h.CostApprovalRefused) { m.Remark = long(2001) }, "remark too-long"),
		when("reminder without anything", func(m *h.CostApprovalReminder) { *m = h.CostApprovalReminder{} }, "approval missing", "returnBy missing"),
		when("reminder, remark too long", func(m *h.CostApprovalReminder) { m.Remark = long(2001) }, "remark too-long"),
		when("order without anything", func(m *h.MeasureOrdered) { *m = h.MeasureOrdered{} }, "approval missing", "orderedOn missing", "from missing", "to missing"),
		when("order backwards", func(m *h.MeasureOrdered) { m.To, m.Remark = "2026-04-12", long(2001) }, "to dates-reversed", "remark too-long"),
		when("completed without anything", func(m *h.MeasureCompleted) { *m = h.MeasureCompleted{} }, "approval missing", "completedOn missing"),
		when("completed, texts too long", func(m *h.MeasureCompleted) { m.Result, m.Remark = long(2001), long(2001) }, "result too-long", "remark too-long"),
		when("invoice without anything", func(m *h.InvoiceForwarded) { *m = h.InvoiceForwarded{} }, "approval missing", "invoicedOn missing", "amountCents out-of-range"),
		when("invoice, remark too long", func(m *h.InvoiceForwarded) { m.Remark = long(2001) }, "remark too-long"),
		when("hint without anything", func(m *h.SanctionHint) { *m = h.SanctionHint{} }, "observedOn missing", "hint missing"),
		when("hint, texts too long", func(m *h.SanctionHint) { m.Hint, m.Remark = long(2001), long(2001) }, "hint too-long", "remark too-long"),
	})
}

// message returns a valid message around an example.
func message(t *testing.T, n h.Name) h.Message {
	t.Helper()
	m := h.Message{
		Envelope: h.Envelope{
			ID: "0190b6c2-7a30-7cc3-98c4-dc0c0c07398f", Source: "klib", Name: n, Case: "c-1", Time: time.Date(2026, 3, 2, 9, 30, 0, 0, time.UTC),
			Sender: "sd-kriens", Sequence: 1, Action: h.ActionNew,
		},
		Payload: example(t, n),
	}
	if n == (h.ApplicationChecked{}).Name() {
		m.Sender = h.Gateway
	}
	if h.Opens(n) {
		m.Parties = h.Parties{Assigning: "sd-kriens", Receiving: "rav-luzern"}
	}
	return m
}

// foreign is a payload of nobody's catalogue whose Validate does not keep to the rules.
type foreign struct{}

func (foreign) Name() h.Name    { return "case-closed" }
func (foreign) Validate() error { return fault.New(fault.Park, "foreign", "foreign-code", "text") }

func TestMessageRules(t *testing.T) {
	for _, zero := range h.Catalogue() {
		require.NoError(t, message(t, zero.Name()).Validate())
	}
	tooLong := string(long(37))
	for name, test := range map[string]struct {
		message h.Name
		change  func(*h.Message)
		want    []string
	}{
		"empty envelope": {"case-closed", func(m *h.Message) { m.Envelope = h.Envelope{} }, []string{
			"id missing", "source missing", "subject missing", "senderorganisation missing", "time missing", "sequence missing",
			"referencemessageid missing", "action unknown-code", "type type-mismatch",
		}},
		"ids too long": {"case-closed", func(m *h.Message) {
			m.ID, m.Source, m.Case, m.References, m.Sender = h.MessageID(tooLong), h.SystemID(tooLong), h.CaseID(tooLong), h.MessageID(tooLong), h.OrganisationID(long(65))
		}, []string{"id too-long", "source too-long", "subject too-long", "senderorganisation too-long", "referencemessageid too-long"}},
		"recall of nothing":       {"case-closed", func(m *h.Message) { m.Action = h.ActionRecall }, []string{"referencemessageid missing"}},
		"correction of something": {"case-closed", func(m *h.Message) { m.Action, m.References = h.ActionCorrection, "m-1" }, nil},
		"unknown action":          {"case-closed", func(m *h.Message) { m.Action, m.References = "delete", "m-1" }, []string{"action unknown-code"}},
		"no payload":              {"case-closed", func(m *h.Message) { m.Payload = nil }, []string{"data missing"}},
		"another payload":         {"case-closed", func(m *h.Message) { m.Payload = h.ConsentWithdrawn{WithdrawnOn: "2026-05-04"} }, []string{"type type-mismatch"}},
		"pointer to a payload":    {"case-closed", func(m *h.Message) { m.Payload = &h.CaseClosed{ClosedOn: "2026-10-01", Reason: "A", Outcome: "B"} }, []string{"data unknown-message"}},
		"foreign payload":         {"case-closed", func(m *h.Message) { m.Payload = foreign{} }, []string{"data unknown-message", "data foreign-code"}},
		"parties where none belong": {"case-closed", func(m *h.Message) { m.Parties.Assigning = "sd-kriens" },
			[]string{"assigningorganisation unexpected"}},
		"parties missing": {"application-submitted", func(m *h.Message) { m.Parties = h.Parties{} }, []string{
			"assigningorganisation missing", "receivingorganisation same-organisation", "assigningorganisation parties-differ",
		}},
		"receiver missing outside": {"application-submitted", func(m *h.Message) { m.Parties.Receiving = "" }, []string{"assigningorganisation parties-differ"}},
		"receiver found by the directory": {"application-submitted", func(m *h.Message) {
			a := exampleOf[h.ApplicationSubmitted](t)
			a.Receiving = ""
			m.Payload = a
		}, nil},
		"receiver found by nobody": {"application-submitted", func(m *h.Message) {
			a := exampleOf[h.ApplicationSubmitted](t)
			a.Receiving = ""
			m.Payload, m.Parties.Receiving = a, ""
		}, nil},
		"receiver of blanks": {"application-submitted", func(m *h.Message) {
			a := exampleOf[h.ApplicationSubmitted](t)
			a.Receiving = ""
			m.Payload, m.Parties.Receiving = a, " "
		}, []string{"receivingorganisation missing"}},
		"checked by a party":   {"application-checked", func(m *h.Message) { m.Sender = "rav-luzern" }, []string{"senderorganisation not-by-this-party"}},
		"einmal closes a case": {"case-closed", func(m *h.Message) { m.Sender = h.Gateway }, []string{"senderorganisation not-by-this-party"}},
		"handed over to oneself": {"application-submitted", func(m *h.Message) {
			a := exampleOf[h.ApplicationSubmitted](t)
			a.Receiving = "sd-kriens"
			m.Payload, m.Parties.Receiving = a, "sd-kriens"
		}, []string{"receivingorganisation same-organisation"}},
		"other parties inside": {"application-submitted", func(m *h.Message) { m.Parties.Receiving = "rav-sursee" }, []string{"assigningorganisation parties-differ"}},
		"finding inside":       {"case-closed", func(m *h.Message) { m.Payload = h.CaseClosed{} }, []string{"data.closedOn missing", "data.reason missing", "data.outcome missing"}},
	} {
		t.Run(name, func(t *testing.T) {
			m := message(t, test.message)
			test.change(&m)
			var fs fault.Findings
			err := m.Validate()
			require.Equal(t, err != nil, errors.As(err, &fs))
			require.Equal(t, test.want, short(fs))
		})
	}
}
