// Package klib translates between the case systems of municipal social services (KLIB) and einmal's messages. What is translated into what stands in
// table.yaml, which is the program and the documentation (FIELDS.md is made from it); nothing else is written here.
//
// A KLIB keeps a dossier for one organisation, whose clerks alone make entries in it. So the organisation of the record is the sender of the message when
// einmal reads, and the owner of the dossier is the organisation of the entry when einmal writes, whoever said it.
package klib

import (
	_ "embed"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/mapping"
	"github.com/einmal-hub/einmal/mapping/table"
)

//go:embed table.yaml
var tableYAML string

// Table returns the table of fields and code lists, for documentation and tests.
func Table() (*table.Table, error) { return table.Load("mapping/klib/table.yaml", []byte(tableYAML)) }

// New returns the mapper. It fails only when the table in the program is wrong, with every finding.
func New() (mapping.Mapper, error) {
	t, err := Table()
	if err != nil {
		return nil, err
	}
	return With(t), nil
}

// With returns a mapper with another table, such as one with a row less in a test.
func With(t *table.Table) mapping.Mapper { return mapper{Mapper: t.Mapper(), table: t} }

// mapper is the table's mapper, without tests.
type mapper struct {
	mapping.Mapper
	table *table.Table
}

// WithCodes implements [mapping.Coded].
func (m mapper) WithCodes(file string, data []byte) (mapping.Mapper, error) {
	return m.table.Recode(file, data, With)
}

// Codes implements [mapping.Coded].
func (m mapper) Codes(n handover.Name, path string) ([]handover.Code, bool) {
	return m.table.CodesAt(n, path)
}

// FromHandover translates a message; see [mapping.Mapper]. A test is parked: KLIB could not tell it from a real entry.
func (m mapper) FromHandover(msg handover.Message, at mapping.Placement) (native.Entry, error) {
	if msg.Test {
		return native.Entry{}, fault.New(fault.Park, "klib.from-handover", "test-not-supported", "KLIB cannot mark an entry as a test").
			At("testdelivery").Hint("send tests to a test system, as ordinary messages")
	}
	return m.Mapper.FromHandover(msg, at)
}
