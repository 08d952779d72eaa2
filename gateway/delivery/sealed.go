package delivery

import (
	"github.com/go-json-experiment/json"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/gateway/ledger"
)

// What the rules have against an application is settled when it is admitted, and said when its answer is written, perhaps by another gateway with other files: so the ledger carries it. Which rule does
// not hold says something about the person (I6): so it is sealed.

// sealCheck seals what the rules have against an application.
func (c *claim) sealCheck(a *ledger.Admission, m handover.Message) error {
	if a.Opening == nil || a.Opening.Check == nil {
		return nil
	}
	plain, err := json.Marshal(a.Opening.Check.Findings)
	if err == nil {
		a.Opening.Check.Sealed, err = c.o.Keys.Seal(plain, checkOf(m))
	}
	return fault.Wrap(fault.Park, "delivery.seal", err)
}

// openCheck opens it again.
func (c *claim) openCheck(k ledger.Check, m handover.Message) (findings []ledger.Finding, err error) {
	plain, err := c.o.Keys.Open(k.Sealed, checkOf(m))
	if err == nil {
		err = json.Unmarshal(plain, &findings)
	}
	return findings, fault.Wrap(fault.Park, "delivery.seal", err)
}

// checkOf ties the answer to its application.
func checkOf(m handover.Message) []byte {
	return []byte("check|" + string(m.Case) + "|" + string(m.ID))
}
