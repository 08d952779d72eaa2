package sim

import (
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/gateway/ledger"
)

// Writable: every simulated place takes entries.
func (*world) Writable(ledger.Destination) bool { return true }

// Open admits every application: what a jurisdiction has against one is not what this simulation is about.
func (*world) Open(m handover.Message) (handover.Parties, ledger.Opening, error) {
	return m.Parties, ledger.Opening{Profile: "sim"}, nil
}

// Same says that an application stands already.
func (*world) Same(string, handover.SystemID, native.CaseKey) ledger.Finding {
	return ledger.Finding{Rule: "SAME", Severity: handover.SeverityRefuse}
}

// mayBeTwice is what stands before the remark of an entry that may stand already.
const mayBeTwice = "PERHAPS TWICE"

// Repeated marks what may stand already.
func (*world) Repeated(string) string { return mayBeTwice }

// Check has nothing against any message.
func (*world) Check(handover.Message, string) (*ledger.Expected, error) { return nil, nil } //nolint:nilnil // nobody waits for anything
