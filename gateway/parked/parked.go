// Package parked is the desk at which a person decides about messages that the machine may not decide about.
//
// What waits, why, and what was ruled stands in the ledger; this package gives it numbers that can be read aloud and checks that a ruling says
// who and why. Rejected: a store of its own (it could disagree with the ledger).
package parked

import (
	"context"
	"fmt"
	"strings"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/gateway/ledger"
)

// Ledger is what the desk needs of the ledger.
type Ledger interface {
	Parked() []ledger.Item
	Rule(ctx context.Context, it ledger.Item, d ledger.Decision, found native.Receipt) error
}

// Item is a message that waits, with the number that an operator uses.
type Item struct {
	ID string `json:"id"` // "3-1042": partition and place in the ledger
	ledger.Item
	Destination string `json:"destination"` // "gate", "klib/sd-kriens", "casenet"
	// Rulings is what can be decided about a difference, and what each decision would do.
	Rulings []Preview `json:"rulings,omitzero"`
}

// Ruling is what a person decides.
type Ruling struct {
	Verdict ledger.Verdict  `json:"verdict"` // RETRY, FOUND, WITHDRAW; ACCEPT, RETRY, FOUND about a difference
	Person  string          `json:"person"`  // account name of who decides
	Why     string          `json:"why"`
	Record  native.RecordID `json:"record,omitzero"` // FOUND: the native record's number
	Case    native.CaseKey  `json:"case,omitzero"`   // FOUND: the native case's number, when the message opened it
}

// Desk lists what waits and takes rulings. It is safe for concurrent use.
type Desk struct{ ledger Ledger }

// New returns a desk.
func New(l Ledger) *Desk { return &Desk{ledger: l} }

// List returns everything that waits, the longest waiting first.
func (d *Desk) List() []Item {
	waiting := d.ledger.Parked()
	out := make([]Item, len(waiting))
	for i, it := range waiting {
		out[i] = Item{ID: fmt.Sprintf("%d-%d", it.Partition, it.Parking), Item: it, Destination: it.To.String(), Rulings: previews(it)}
	}
	return out
}

// Rule records a decision. It fails with kind Refuse and code no-such-item, not-parked, already-ruled, incomplete-ruling or impossible-ruling.
func (d *Desk) Rule(ctx context.Context, id string, r Ruling) error {
	if err := r.check(); err != nil {
		return err
	}
	for _, it := range d.List() {
		if it.ID != id {
			continue
		}
		if err := r.fits(it); err != nil {
			return err
		}
		decision := ledger.Decision{Verdict: r.Verdict, Person: r.Person, Why: r.Why}
		return d.ledger.Rule(ctx, it.Item, decision, native.Receipt{Record: r.Record, Case: r.Case})
	}
	return fault.New(fault.Refuse, "parked.rule", "no-such-item", "nothing with this number waits").Hint("list what waits: it may have gone on")
}

// check finds what every ruling must say.
func (r Ruling) check() error {
	var missing []string
	switch r.Verdict {
	case ledger.Retry, ledger.Withdraw, ledger.Accept:
	case ledger.Found:
		if r.Record == "" {
			missing = append(missing, "record (the number in the native system)")
		}
	default:
		missing = append(missing, "verdict (RETRY, FOUND, WITHDRAW or ACCEPT)")
	}
	if strings.TrimSpace(r.Person) == "" {
		missing = append(missing, "person")
	}
	if strings.TrimSpace(r.Why) == "" {
		missing = append(missing, "why")
	}
	if len(missing) > 0 {
		return fault.New(fault.Refuse, "parked.rule", "incomplete-ruling", "the ruling lacks "+strings.Join(missing, ", "))
	}
	return nil
}

// fits finds what a ruling cannot say about this message: FOUND would take it out of its case without a trace, or leave the messages after it without
// a native case.
func (r Ruling) fits(it Item) error {
	switch {
	case it.Difference != nil:
		return r.answers(it)
	case r.Verdict == ledger.Accept:
		return fault.New(fault.Refuse, "parked.rule", "impossible-ruling", "a message waits here, and leaving it as it is would leave it waiting").
			Hint("rule RETRY, FOUND or WITHDRAW")
	case r.Verdict != ledger.Found:
		return nil
	case it.To == ledger.Gate:
		return fault.New(fault.Refuse, "parked.rule", "impossible-ruling", "the message waits for its place in its case and stands in no other system yet").
			Hint("rule RETRY or WITHDRAW")
	case handover.Opens(it.Name) && r.Case == "":
		return fault.New(fault.Refuse, "parked.rule", "incomplete-ruling", "the ruling lacks case (the number of the case in the native system)").
			Hint("the message opened the case there; later messages need its number")
	}
	return nil
}
