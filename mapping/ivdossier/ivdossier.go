// Package ivdossier translates between the documents of an IV office's dossier folder (contracts/native/ivdossier) and the canonical messages. Fields and codes are the
// table (table.yaml); the code here is what a table cannot say: the head of a document, which comes from the envelope.
//
// The folder belongs to one office, whose staff alone release documents in it. So the office of the record is the sender when einmal reads; a document that names somebody
// else is parked. What einmal writes names the organisation that says it, so that staff see whose word they read. There is no guard of P7 here: the folder holds
// persons with and without registration, and which cases go into it is decided by directory and profile.
//
// A recall or correction, in both directions, names the record that it is about by its number in the register's history. A message that answers another one names nothing: the
// folder holds its case in order.
package ivdossier

import (
	_ "embed"
	"maps"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/mapping"
	"github.com/einmal-hub/einmal/mapping/table"
)

//go:embed table.yaml
var tableYAML string

// Type is the word for this mapping in the configuration.
const Type = "ivdossier"

// The names of the head's values in the table.
const (
	sender     = "sender"
	action     = "action"
	references = "references"
)

// Table returns the table of fields and code lists, for documentation and tests.
func Table() (*table.Table, error) {
	return table.Load("mapping/ivdossier/table.yaml", []byte(tableYAML))
}

// New returns the mapper. It fails only when the table in the program is wrong, with every finding.
func New() (mapping.Mapper, error) {
	t, err := Table()
	if err != nil {
		return nil, err
	}
	return With(t), nil
}

// With returns a mapper with another table, such as one with a row less in a test.
func With(t *table.Table) mapping.Mapper { return mapper{t} }

type mapper struct{ table *table.Table }

// WithCodes implements [mapping.Coded].
func (m mapper) WithCodes(file string, data []byte) (mapping.Mapper, error) {
	return m.table.Recode(file, data, With)
}

// Codes implements [mapping.Coded].
func (m mapper) Codes(n handover.Name, path string) ([]handover.Code, bool) {
	return m.table.CodesAt(n, path)
}

// ToHandover implements [mapping.Mapper].
func (m mapper) ToHandover(r native.Record) (mapping.Draft, error) {
	content, err := m.table.Read(r.Kind, r.Body)
	if err != nil {
		return mapping.Draft{}, err
	}
	draft, findings := head(content.Outside, r)
	if len(findings) > 0 {
		return mapping.Draft{}, fault.New(fault.Park, Type+".to-handover", "head", "the head of the document does not belong to it").Because(findings)
	}
	draft.Payload = content.Payload
	return draft, nil
}

// head reads the head of a document.
func head(o table.Outside, r native.Record) (mapping.Draft, fault.Findings) {
	var fs fault.Findings
	d := mapping.Draft{Sender: r.Organisation, Action: handover.ActionNew}
	switch named := handover.OrganisationID(o.Get(sender)); {
	case named == "" && d.Sender == "":
		fs.Add("Kopf.Absender", "missing", "the document does not say whose it is", "fill it in")
	case named == "":
	case r.Reference == "" && d.Sender != "" && named != d.Sender:
		fs.Add("Kopf.Absender", "contradiction", "the document names another sender than the office whose folder it lies in", "leave it empty, or release the document in the folder of that office")
	default:
		d.Sender = named
	}
	switch o.Get(action) {
	case "RECALL":
		d.Action = handover.ActionRecall
	case "CORRECTION":
		d.Action = handover.ActionCorrection
	}
	if d.Action != handover.ActionNew {
		if d.References = native.RecordID(o.Get(references)); d.References == "" {
			fs.Add("Kopf.Bezug", "missing", "a recall or correction does not say which entry it is about", "write the number of the entry, as it stands in the history of the register")
		}
	}
	return d, fs
}

// FromHandover implements [mapping.Mapper]. A test is parked: staff could not tell it from a real document.
func (m mapper) FromHandover(msg handover.Message, at mapping.Placement) (native.Entry, error) {
	const op = Type + ".from-handover"
	if msg.Test {
		return native.Entry{}, fault.New(fault.Park, op, "test-not-supported", "a document in a folder cannot be marked as a test").
			At("testdelivery").Hint("send tests to a test folder, as ordinary messages")
	}
	actions := map[handover.Action]string{handover.ActionNew: "NEW", handover.ActionRecall: "RECALL", handover.ActionCorrection: "CORRECTION"}
	if actions[msg.Action] == "" || msg.Sender == "" {
		return native.Entry{}, fault.New(fault.Park, op, "envelope", "the envelope lacks what the head of a document demands").
			Hint("this is a mistake of the sender's gateway")
	}
	o := table.Outside{sender: {string(msg.Sender)}, action: {actions[msg.Action]}}
	e := native.Entry{
		Reference: at.Reference, Case: at.Case, CaseReference: msg.Case, Organisation: at.Organisation, Documents: handover.DocumentsOf(msg.Payload),
	}
	if msg.Action != handover.ActionNew {
		if at.Earlier.Record == "" {
			return native.Entry{}, fault.New(fault.Park, op, "earlier-entry", "the entry that is recalled or corrected does not stand in this folder").
				At("referencemessageid").Hint("see to it that the earlier entry is recorded there, then let this one go on")
		}
		o[references], e.Action, e.Refers = []string{string(at.Earlier.Record)}, msg.Action, at.Earlier.Record
	}
	beside, err := m.table.Beside(msg.Payload.Name(), at)
	if err != nil {
		return native.Entry{}, err
	}
	maps.Copy(o, beside)
	if e.Kind, e.Body, err = m.table.Write(table.Content{Payload: msg.Payload, Outside: o}); err != nil {
		return native.Entry{}, err
	}
	return e, nil
}
