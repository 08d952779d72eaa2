package parked

import (
	"slices"
	"strings"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/gateway/ledger"
)

// Preview is one ruling that is possible, and what it would do.
type Preview struct {
	Verdict ledger.Verdict `json:"verdict"`
	Effect  string         `json:"effect"`
}

// previews says what each ruling on a difference would do; nil for a message.
func previews(it ledger.Item) []Preview {
	if it.Difference == nil {
		return nil
	}
	verdicts := it.Difference.Verdicts()
	out := make([]Preview, len(verdicts))
	for i, v := range verdicts {
		out[i] = Preview{Verdict: v, Effect: effect(*it.Difference, v)}
	}
	return out
}

// effect is what a ruling on a difference would do. einmal never changes or removes a record in a native system.
func effect(d ledger.Difference, v ledger.Verdict) string {
	switch v {
	case ledger.Retry:
		return "einmal takes the message up again by the rules of the system's mode: in mode A it sends it under the same reference, which joins the record if it is there after all; in mode B it " +
			"searches for the reference first and sends only if nothing is found; in mode C it asks once more. What is sent in modes B and C says that it may be a duplicate. It will stand behind what was recorded since; take up the opening of a case before the rest of it"
	case ledger.Found:
		if d.Kind == ledger.DifferenceMissing {
			return "nothing is sent; the ledger takes the number that you name as that of the record, and the case that you name as the one that later messages go into"
		}
		return "nothing is sent, and nothing will be; the ledger says that the entry stands under the number that you name, and later messages go into the case that you name"
	default:
		return "nothing is sent and nothing is changed; this difference is not put before anybody again as long as it stays exactly as it is"
	}
}

// answers finds what a ruling cannot say about a difference.
func (r Ruling) answers(it Item) error {
	var possible []string
	for _, p := range it.Rulings {
		possible = append(possible, string(p.Verdict))
	}
	if !slices.Contains(possible, string(r.Verdict)) {
		return fault.New(fault.Refuse, "parked.rule", "impossible-ruling", "this cannot be decided about a difference of this kind").
			Hint("rule " + strings.Join(possible, " or "))
	}
	return nil
}
