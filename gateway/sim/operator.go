package sim

import (
	"context"
	"strings"
	"time"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/gateway/ledger"
	"github.com/einmal-hub/einmal/gateway/parked"
)

// operator looks at what is parked every now and then, at any gateway, searches the native system, and rules.
func (w *world) operator(name string) {
	for w.rest(w.dice.draw("operator", name).between(15*time.Second, 40*time.Second)) {
		living := w.living()
		if len(living) == 0 {
			continue
		}
		c := w.dice.draw("desk", name)
		p := living[c.n(len(living))]
		if !p.ready.Load() {
			continue
		}
		for _, it := range p.desk.List() {
			w.rule(name, p, it)
		}
	}
}

// settled is how long a person waits before she believes what she finds: everything that a gateway may still have under way is over then.
func (w *world) settled(at handover.SystemID) time.Duration {
	b := bounds()
	if s := w.system(at); s != nil {
		b = s.bounds()
	}
	return b.Settle() + b.Margin + 5*time.Second
}

// rule decides about one item.
func (w *world) rule(name string, p *process, it parked.Item) {
	mark := w.markAt(it.Item)
	where := it.To.String() + " " + mark
	if it.Status != ledger.StatusParked || time.Since(it.Since) < w.settled(it.To.System) || w.left(where) {
		return
	}
	c := w.dice.draw("ruling", where)
	r := parked.Ruling{Person: name, Why: "searched by hand", Verdict: ledger.Retry}
	if c.is(0.3) || w.book.tries(where) > 2 || hopeless(it.Reason.Code) && c.is(0.7) {
		r.Verdict = ledger.Withdraw
	}
	w.teach(c, it, mark)
	if s := w.system(it.To.System); s != nil {
		if found := s.byReference(it.Ref, time.Time{}); len(found) > 0 {
			r.Verdict, r.Record, r.Case = ledger.Found, found[0].Record, found[0].Case
		}
	}
	w.book.ruling(mark, it, r.Verdict)
	err := w.decide(p, it, r)
	if !w.rest(c.between(time.Microsecond, 50*time.Millisecond)) { // operators whose gateway has died would go on at the same moment
		return
	}
	w.note(name, "rules", string(r.Verdict), where, "("+it.Reason.Code+")", "at", p.name, fault.CodeOf(err))
	if err == nil {
		w.book.ruled(mark, it, r.Verdict)
	}
	if err == nil && c.is(0.1) {
		if w.decide(p, it, parked.Ruling{Person: "second", Why: "did not look", Verdict: ledger.Withdraw}) == nil {
			w.book.find("a second ruling on the same parking was taken: %s", where)
		}
	}
}

// decide asks a gateway to write a ruling down. The process may be stopped or die meanwhile.
func (w *world) decide(p *process, it parked.Item, r parked.Ruling) error {
	ctx, cancel := context.WithTimeout(p.ctx, 20*time.Second)
	defer cancel()
	return p.desk.Rule(ctx, it.ID, r)
}

// hopeless reports codes that another try does not help, unless something else was ruled.
func hopeless(code string) bool {
	switch code {
	case string(handover.RefusedState), string(handover.RefusedSender), string(handover.RefusedApproval), string(handover.RefusedReference), string(handover.RefusedSuperseded),
		"native-case-unknown", "out-of-order", "earlier-entry", "nothing-to-recall":
		return true
	}
	return false
}

// teach adds the missing code to the table, most of the time.
func (w *world) teach(c *chance, it parked.Item, mark string) {
	if it.Reason.Code == "unknown-code" && c.is(0.8) {
		w.learn(mark)
	}
}

// left reports whether nobody decides about an item before the day ends.
func (w *world) left(where string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	key := "left|" + where
	left, drawn := w.learnt[key]
	if !drawn {
		left = w.dice.draw(key).is(w.plan.abandons)
		w.learnt[key] = left
	}
	return left
}

// markAt returns the mark of the message that an item is about, read where the item says that it lies.
func (w *world) markAt(it ledger.Item) string {
	on := w.bus
	if it.Place.Topic == ledger.OnParked {
		on = w.kept
	}
	e, ok := on[w.partitionOf(it.Case)].at(it.Place.Offset)
	if !ok {
		return ""
	}
	if mark := markIn(e.value); mark != "" {
		return mark
	}
	return markIn(keptBody(e.value))
}

// reference tells whether a string is a reference of einmal, for messages of findings.
func reference(r native.Reference) string {
	short, _, _ := strings.Cut(string(r), "-")
	return short
}
