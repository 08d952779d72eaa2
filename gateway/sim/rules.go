package sim

import (
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/gateway/ledger"
)

// Writable: every simulated place takes entries.
func (*world) Writable(ledger.Destination) bool { return true }

// Open judges an application by its goal.
func (*world) Open(m handover.Message) (handover.Parties, ledger.Opening, error) {
	o := ledger.Opening{Profile: "sim"}
	form, _ := m.Payload.(handover.ApplicationSubmitted)
	parties := handover.Parties{Assigning: form.Assigning, Receiving: form.Receiving}
	switch form.Goal.Reveal() {
	case goalReject:
		o.Check = against(handover.SeverityRefuse, handover.Returned)
	case goalDoubt:
		o.Check = against(handover.SeverityWarn, handover.Forward)
	}
	return parties, o, nil
}

func against(severity, outcome handover.Code) *ledger.Check {
	return &ledger.Check{Outcome: outcome, Findings: []ledger.Finding{{Rule: "GOAL", Severity: severity, Source: "sim", Text: "the goal"}}}
}

// Same says that an application stands already.
func (*world) Same(string, handover.SystemID, native.CaseKey) ledger.Finding {
	return ledger.Finding{Rule: "SAME", Severity: handover.SeverityRefuse}
}

// Cleared takes back what was said against an earlier wording.
func (*world) Cleared(string) ledger.Finding {
	return ledger.Finding{Rule: goalCleared, Severity: handover.SeverityWarn, Source: "sim", Text: "the goal is fair"}
}

// goalCleared is the rule that takes back the others.
const goalCleared = "CLEARED"

// mayBeTwice is what stands before the remark of an entry that may stand already.
const mayBeTwice = "PERHAPS TWICE"

// Repeated marks what may stand already.
func (*world) Repeated(string) string { return mayBeTwice }

// Check has nothing against any message.
func (*world) Check(handover.Message, string) (*ledger.Expected, error) { return nil, nil } //nolint:nilnil // nobody waits for anything
