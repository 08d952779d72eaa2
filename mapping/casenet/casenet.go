// Package casenet translates between the shared case platform CASEnet and einmal's messages. What is translated into what stands in
// table.yaml, which is the program and the documentation (FIELDS.md is made from it); only what a table of fields cannot say is written here:
// whose word a record is.
//
// CASEnet keeps one case for both parties, so it says for every record on whose behalf it was entered. That is the sender of the message when
// einmal reads, and it is the sender again, not the owner of a dossier, when einmal writes.
package casenet

import (
	_ "embed"

	"github.com/einmal-hub/einmal/contracts/fault"
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
	return mapper{t.Mapper()}, nil
}

// mapper is the mapping of the table, with CASEnet's own answer to whose record it is.
type mapper struct{ mapping.Mapper }

// FromHandover translates a message; see [mapping.Mapper]. CASEnet could not tell a test from a real record, so a test is parked.
func (m mapper) FromHandover(msg handover.Message, at mapping.Placement) (native.Entry, error) {
	if msg.Test {
		return native.Entry{}, fault.New(fault.Park, "casenet.from-handover", "test-not-supported", "CASEnet cannot mark a record as a test").
			At("testdelivery").Hint("send tests to a test platform, as ordinary messages")
	}
	at.Organisation = msg.Sender
	return m.Mapper.FromHandover(msg, at)
}
