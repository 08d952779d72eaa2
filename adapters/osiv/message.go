package osiv

import (
	"github.com/beevik/etree"

	"github.com/einmal-hub/einmal/adapters/internal/xmlframe"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	contract "github.com/einmal-hub/einmal/contracts/native/osiv"
	"github.com/einmal-hub/einmal/contracts/strict"
)

// answer is what a numbered pair turned out to be, as far as it is remembered: no content, no person.
type answer struct {
	report  bool
	ref     native.Reference
	receipt native.Receipt // of a positive report
	refusal string         // code of a negative report
}

// writeMessage writes message_1.xml for an entry.
func writeMessage(e native.Entry, content *etree.Element) ([]byte, error) {
	doc, root := document("auftrag", contract.Namespace)
	set := func(name, text string) { root.CreateElement(name).SetText(text) }
	if e.Case != "" {
		set("geschaeft", string(e.Case))
	}
	set("fallreferenz", string(e.CaseReference))
	set("stelle", string(e.Organisation))
	set("art", string(e.Kind))
	root.CreateElement("inhalt").AddChild(content)
	return doc.WriteToBytes()
}

// readMessage reads what lies in a payload: a record, or a report with its answer.
func readMessage(v envelope, b []byte) (native.Record, answer, error) {
	root, err := strict.XML(b)
	if err != nil {
		return native.Record{}, answer{}, err
	}
	switch {
	case v.class == contract.ClassResponse && strict.Is(root, contract.HeaderNamespace, "eventReport"):
		a, err := readReport(v, root)
		return native.Record{}, a, err
	case v.class == contract.ClassMessage && strict.Is(root, contract.Namespace, "meldung"):
		r, err := readRecord(root)
		return r, answer{}, err
	}
	return native.Record{}, answer{}, xmlframe.Broken("unexpected-root", "the message is not what its envelope says").At(strict.PathOf(root))
}

func readRecord(root *etree.Element) (native.Record, error) {
	f := xmlframe.Read(root, contract.Namespace)
	r := native.Record{
		ID: native.RecordID(f.Text("eintragsnummer")), Case: native.CaseKey(f.Text("geschaeft")), Sequence: f.Number("laufnummer"),
		CaseReference: handover.CaseID(f.Optional("fallreferenz")), Organisation: handover.OrganisationID(f.Text("stelle")), Kind: native.Kind(f.Text("art")),
	}
	r.At = f.Moment("erfasstAm")
	content := f.Element("inhalt")
	if err := f.Done(); err != nil {
		return native.Record{}, err
	}
	if r.Sequence == 0 {
		return native.Record{}, xmlframe.Broken("number", "the position in the case is not a number from 1").At(strict.PathOf(root) + "/laufnummer")
	}
	inner, err := xmlframe.Only(content)
	if err != nil {
		return native.Record{}, err
	}
	r.Body, err = xmlframe.Detach(inner)
	return r, err
}

// readReport reads a business report. Envelope, header and report must say the same.
func readReport(v envelope, root *etree.Element) (answer, error) {
	f := xmlframe.Read(root, contract.HeaderNamespace)
	header, info := f.Element("header"), f.Element("info")
	if err := f.Done(); err != nil {
		return answer{}, err
	}
	reference, err1 := strict.Child(header, contract.HeaderNamespace, "referenceMessageId")
	action, err2 := strict.Child(header, contract.HeaderNamespace, "action")
	outcome, err3 := xmlframe.Only(info)
	for _, err := range []error{err1, err2, err3} {
		if err != nil {
			return answer{}, err
		}
	}
	if v.reference == "" || reference.Text() != v.reference {
		return answer{}, xmlframe.Broken("contradiction", "the report is about another message than its envelope says").At(strict.PathOf(reference))
	}
	a := answer{report: true, ref: native.Reference(v.reference)}
	switch {
	case action.Text() == contract.ActionPositive && strict.Is(outcome, contract.HeaderNamespace, "positiveReport"):
		return a, a.positive(outcome)
	case action.Text() == contract.ActionNegative && strict.Is(outcome, contract.HeaderNamespace, "negativeReport"):
		return a, a.negative(outcome)
	}
	return answer{}, xmlframe.Broken("contradiction", "action and outcome of the report do not belong together").At(strict.PathOf(action))
}

// data returns the element in the data of a report.
func data(outcome *etree.Element, name string) (*xmlframe.Frame, error) {
	f := xmlframe.Read(outcome, contract.HeaderNamespace)
	_ = f.Element("notice")
	d := f.Element("data")
	if err := f.Done(); err != nil {
		return nil, err
	}
	inner, err := xmlframe.Only(d)
	if err == nil && !strict.Is(inner, contract.Namespace, name) {
		err = xmlframe.Unexpected(inner)
	}
	if err != nil {
		return nil, err
	}
	return xmlframe.Read(inner, contract.Namespace), nil
}

func (a *answer) positive(outcome *etree.Element) error {
	f, err := data(outcome, "eintrag")
	if err != nil {
		return err
	}
	a.receipt = native.Receipt{Record: native.RecordID(f.Text("eintragsnummer")), Case: native.CaseKey(f.Text("geschaeft"))}
	return f.Done()
}

func (a *answer) negative(outcome *etree.Element) error {
	f, err := data(outcome, "ablehnung")
	if err != nil {
		return err
	}
	a.refusal = "refused"
	if code, known := map[string]string{
		contract.ReasonUnknownCase: "unknown-case", contract.ReasonInvalidContent: "invalid-content", contract.ReasonOpening: "opening",
		contract.ReasonNotOpening: "not-opening", contract.ReasonNotRegistered: noRegistration, contract.ReasonUnknownEntry: "unknown-entry",
		contract.ReasonNoAttachment: "missing-document", contract.ReasonRule: "rule",
	}[f.Text("grund")]; known {
		a.refusal = code
	}
	_ = f.Optional("pfad")
	return f.Done()
}

// noRegistration is the code of everything that P7 forbids.
const noRegistration = "no-iv-registration"

// refused is the error for an entry that OSIV has refused.
func refused(op string, a answer) error {
	return fault.New(fault.Refuse, op, a.refusal, "OSIV refused the entry").
		Hint("see the reason; OSIV takes a corrected entry only as a new message")
}
