package table

import (
	"slices"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/mapping"
)

// Procedure is the name under which a table finds, beside the payload, how the organisation leads its own procedure after the message. It is
// einmal's word for the native system; what a clerk's record says of it is read by the table and dropped here, because it follows from the message.
const Procedure = "procedure"

// mapper is the mapping of a system whose content is the table and nothing else: sender, case, and whether it recalls or corrects something, stand in the frame.
type mapper struct{ table *Table }

// Mapper returns the mapping of a system of which the table says everything.
func (t *Table) Mapper() mapping.Mapper { return mapper{table: t} }

// WithCodes implements [mapping.Coded].
func (m mapper) WithCodes(file string, data []byte) (mapping.Mapper, error) {
	return m.table.Recode(file, data, (*Table).Mapper)
}

// Codes implements [mapping.Coded].
func (m mapper) Codes(n handover.Name, path string) ([]handover.Code, bool) {
	return m.table.CodesAt(n, path)
}

// ToHandover implements [mapping.Mapper].
func (m mapper) ToHandover(r native.Record) (mapping.Draft, error) {
	payload, err := m.table.ToHandover(r.Kind, r.Body)
	if err != nil {
		return mapping.Draft{}, err
	}
	if r.Organisation == "" {
		return mapping.Draft{}, fault.New(fault.Park, m.table.system+".to-handover", "missing", "the record does not say whose clerk entered it").At("organisation")
	}
	if r.Action != "" && r.Action != handover.ActionRecall && r.Action != handover.ActionCorrection || (r.Action == "") != (r.Refers == "") {
		return mapping.Draft{}, fault.New(fault.Park, m.table.system+".to-handover", "frame", "the record does not say clearly which earlier record it recalls or corrects").At("action")
	}
	d := mapping.Draft{Payload: payload, Sender: r.Organisation, Action: handover.ActionNew, References: r.Refers}
	if r.Action != "" {
		d.Action = r.Action
	}
	return d, nil
}

// FromHandover implements [mapping.Mapper].
func (m mapper) FromHandover(msg handover.Message, at mapping.Placement) (native.Entry, error) {
	outside, err := m.table.Beside(msg.Payload.Name(), at)
	if err != nil {
		return native.Entry{}, err
	}
	kind, body, err := m.table.Write(Content{Payload: msg.Payload, Outside: outside})
	if err != nil {
		return native.Entry{}, err
	}
	e := native.Entry{
		Reference: at.Reference, Kind: kind, Case: at.Case, CaseReference: msg.Case, Organisation: at.Organisation,
		Documents: handover.DocumentsOf(msg.Payload), Body: body,
	}
	if msg.Action != handover.ActionNew {
		if at.Earlier.Record == "" {
			return native.Entry{}, fault.New(fault.Park, m.table.system+".from-handover", "earlier-entry", "the entry that is recalled or corrected does not stand at this place").
				At("referencemessageid").Hint("see to it that the earlier entry is recorded there, then let this one go on")
		}
		e.Action, e.Refers = msg.Action, at.Earlier.Record
	}
	return e, nil
}

// Beside returns what a placement says beside the payload of a message: how the organisation leads its own procedure. A procedure that the table has no place for is parked, not
// left out.
func (t *Table) Beside(n handover.Name, at mapping.Placement) (Outside, error) {
	if at.Procedure == "" {
		return nil, nil
	}
	if !slices.ContainsFunc(t.Rows(n), func(r Row) bool { return r.Outside == Procedure }) {
		return nil, fault.New(fault.Park, t.system+".from-handover", "no-place", "the table has no place for the procedure in this message").At(Procedure).
			Hint("add a row with outside: procedure to the table")
	}
	return Outside{Procedure: {string(at.Procedure)}}, nil
}
