// Package casenet translates between the shared case platform CASEnet and einmal's messages. What is translated into what stands in
// table.yaml, which is the program and the documentation at once (FIELDS.md is made from it). Little else is needed: whose word a record is,
// which case it belongs to, and what it recalls or corrects stand in the platform's frame.
//
// CASEnet keeps one case for both parties. The platform's "entered for" is the sender of a message when einmal reads, and it is the sender
// again, not the owner of a dossier, when einmal writes. What einmal itself says is entered for the applicant: the platform knows no organisation
// of einmal's name, and shows an assessment to whom it is entered for.
package casenet

import (
	_ "embed"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/mapping"
	"github.com/einmal-hub/einmal/mapping/table"
)

//go:embed table.yaml
var tableYAML []byte

// Table returns the table of fields and code lists, for documentation and tests.
func Table() (*table.Table, error) { return table.Load("mapping/casenet/table.yaml", tableYAML) }

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

// mapper is the table's mapper, with an applicant for what einmal itself says.
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

// FromHandover implements [mapping.Mapper].
func (m mapper) FromHandover(msg handover.Message, at mapping.Placement) (native.Entry, error) {
	if at.Organisation == handover.Gateway {
		at.Organisation = at.Parties.Assigning
	}
	return m.Mapper.FromHandover(msg, at)
}
