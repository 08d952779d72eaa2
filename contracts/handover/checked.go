package handover

import (
	"fmt"
	"log/slog"

	"github.com/einmal-hub/einmal/contracts/personal"
)

// Outcomes of the check of an application.
const (
	Returned Code = "RETURNED" // the rules do not admit it: it was not sent on, and nothing of it has left
	Forward  Code = "FORWARD"  // it was sent on; the findings are warnings
)

// How severe a finding of the check is.
const (
	SeverityRefuse Code = "REFUSE"
	SeverityWarn   Code = "WARN"
)

// ApplicationChecked is einmal's own answer to an application, at once and before any person decides: the rules of the jurisdiction profile that do not hold, each with its source and
// with what can be done. It goes to the assigning agency only, and replaces no decision: what is sent on is still accepted or rejected by the receiving agency
// (concept 3.2; complaints "criteria perceived as hurdles", "reasons not analysable" of the evaluation).
type ApplicationChecked struct {
	Outcome  Code          `json:"outcome"`         // RETURNED or FORWARD
	Profile  string        `json:"profile"`         // the version of the rules: "lucerne/regular-2025"
	Findings []RuleFinding `json:"findings"`        // 1 to 60, in the order of the profile
	Remark   personal.Text `json:"remark,omitzero"` // the remark of the application, so that people see which one it is about
}

// RuleFinding is one rule that does not hold. Which one that is says something about the person, and often about her health.
type RuleFinding struct {
	Rule     string        `json:"rule"`            // its id in the profile: "ALV3"
	Severity Code          `json:"severity"`        // REFUSE or WARN
	Reason   Code          `json:"reason,omitzero"` // the reason that a rejection would have, of the code list "rejection"
	Source   string        `json:"source"`          // chapter of the concept, or law
	Text     personal.Text `json:"text"`            // the rule in words
	Hint     personal.Text `json:"hint,omitzero"`   // what to do, or whom to ask
}

// LogValue masks the finding.
func (RuleFinding) LogValue() slog.Value { return slog.StringValue("***") }

// Format masks the whole finding for every verb.
func (RuleFinding) Format(s fmt.State, _ rune) { personal.WriteMask(s) }

// Name returns application-checked.
func (ApplicationChecked) Name() Name { return "application-checked" }

// Validate checks the obligatory fields: what is returned has a reason, and what is sent on has none.
func (m ApplicationChecked) Validate() error {
	var c check
	c.must(m.Outcome == Returned || m.Outcome == Forward, "outcome", "unknown-code", "the outcome is RETURNED or FORWARD")
	c.text("profile", m.Profile, 1, 100)
	c.must(len(m.Findings) >= 1 && len(m.Findings) <= 60, "findings", "out-of-range", "there are 1 to 60 findings")
	refused := false
	for i, f := range m.Findings {
		c.within(fmt.Sprintf("findings[%d].", i), f.validate)
		refused = refused || f.Severity == SeverityRefuse
	}
	c.must(refused == (m.Outcome == Returned), "outcome", "outcome-differs", "an application is returned exactly when a rule refuses it")
	c.personal("remark", m.Remark, 0, remarkLimit)
	return c.Err()
}

func (f RuleFinding) validate() error {
	var c check
	c.text("rule", f.Rule, 1, 40)
	c.must(f.Severity == SeverityRefuse || f.Severity == SeverityWarn, "severity", "unknown-code", "the severity is REFUSE or WARN")
	c.code("reason", f.Reason, false)
	c.text("source", f.Source, 1, 200)
	c.personal("text", f.Text, 1, 500)
	c.personal("hint", f.Hint, 0, remarkLimit)
	return c.Err()
}
