// Package casenet translates between the shared case platform CASEnet and einmal's messages. What is translated into what stands in
// table.yaml, which is the program and the documentation at once (FIELDS.md is made from it). Nothing else is needed: whose word a record is, and
// which case it belongs to, stand in the platform's frame.
//
// CASEnet keeps one case for both parties. The platform's "entered for" is the sender of a message when einmal reads, and it is the sender
// again, not the owner of a dossier, when einmal writes.
package casenet

import (
	_ "embed"

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
	return t.Mapper(), nil
}
