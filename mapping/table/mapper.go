package table

import (
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/mapping"
)

// mapper is the mapping of a system whose content is the table and nothing else: sender and case stand in the frame.
type mapper struct{ table *Table }

// Mapper returns the mapping of a system of which the table says everything. Recalls and corrections are refused: such a
// system has no word for them.
func (t *Table) Mapper() mapping.Mapper { return mapper{table: t} }

// ToHandover implements [mapping.Mapper].
func (m mapper) ToHandover(r native.Record) (mapping.Draft, error) {
	payload, err := m.table.ToHandover(r.Kind, r.Body)
	if err != nil {
		return mapping.Draft{}, err
	}
	if r.Organisation == "" {
		return mapping.Draft{}, fault.New(fault.Park, m.table.system+".to-handover", "missing", "the record does not say whose clerk entered it").At("organisation")
	}
	return mapping.Draft{Payload: payload, Sender: r.Organisation, Action: handover.ActionNew}, nil
}

// FromHandover implements [mapping.Mapper].
func (m mapper) FromHandover(msg handover.Message, at mapping.Placement) (native.Entry, error) {
	if msg.Action != handover.ActionNew {
		return native.Entry{}, fault.New(fault.Park, m.table.system+".from-handover", "unsupported-action", "the native system has no word for a recall or a correction").
			At("action").Hint("enter it there by hand")
	}
	kind, body, err := m.table.FromHandover(msg.Payload)
	if err != nil {
		return native.Entry{}, err
	}
	return native.Entry{
		Reference: at.Reference, Kind: kind, Case: at.Case, CaseReference: msg.Case, Organisation: at.Organisation, Body: body,
	}, nil
}
