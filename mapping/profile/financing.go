package profile

import "github.com/einmal-hub/einmal/contracts/handover"

// Financing says which agency type pays for a measure when a condition holds. A version's entries are read in their order, and the first that holds decides.
type Financing struct {
	Scope  `yaml:",inline"`
	Agency handover.Code `yaml:"financer"`
	When   Condition     `yaml:"when"` // empty, in the last one: whatever else
	Source string        `yaml:"source"`
	Text   Text          `yaml:"text"`
}

// Financer returns which agency type a measure's cost approval is asked of, from the entitlements that the application declares (P11). It depends on the process, because the law puts
// one entitlement before another. Whether there is an entitlement to just this measure remains that agency's own ruling (P1). When an answer is missing that could change the
// result, nothing is decided and the missing items are returned.
func (v Version) Financer(a Application) (Financing, []handover.Code) {
	f := v.facts(a)
	for _, x := range v.Financing {
		switch t, missing := x.When.eval(f); t {
		case yes:
			return x, nil
		case unknown:
			return Financing{}, missing
		}
	}
	return Financing{}, nil
}

// checkFinancing demands that there is always one who pays: the last entry holds whatever else is so, and no other one does.
func (e *edition) checkFinancing() {
	if len(e.financing) == 0 {
		e.anywhere("financing", "missing", "who pays for measures is missing in the version "+e.Name)
	}
	for i, x := range e.financing {
		need(x, ".financer", e.Knows(listAgency, x.entry.Agency), "unknown-code", "the financer is no agency type")
		need(x, ".source", x.entry.Source != "", "missing", "the source is missing")
		need(x, ".when", x.entry.When.zero() == (i == len(e.financing)-1), "condition", "the last one of the version "+e.Name+" has no condition, and each one before it has one")
		conditions(e, x, ".when", x.entry.When)
	}
}
