package sim

import (
	"slices"

	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/gateway/ledger"
)

// checkReceipts: once everything has come to rest, the sender of every message is told at every place what has become of it, and that is what the journals, the desk and the operators say.
func (w *world) checkReceipts(waiting map[string]bool) {
	told := map[string]bool{}
	for _, f := range w.fates() {
		mark, at := w.markAt(ledger.Item{Case: f.Case, Place: f.Place}), place{f.To.System, f.To.Organisation}
		told[mark+" "+at.String()] = true
		if !w.tells(f, mark, at, waiting) {
			w.book.find("the receipt of %s at %s says %s %s, and that is not so", mark, at, f.Outcome, f.Native)
		}
	}
	for _, i := range w.book.items {
		for _, at := range i.places() {
			if !told[i.mark+" "+at.String()] && !told[i.mark+" gate"] && !w.dropped(i.mark, at) && !w.unsaid(i.mark, at, waiting) {
				w.book.find("%s has no receipt for %s", i.mark, at)
			}
		}
	}
}

// fates are what a gateway tells.
func (w *world) fates() []ledger.Fate {
	for _, p := range w.living() {
		if p.ready.Load() {
			all, _, _ := p.view.Fates(ledger.Query{})
			return all
		}
	}
	return nil
}

// tells reports whether a receipt says what is so.
func (w *world) tells(f ledger.Fate, mark string, at place, waiting map[string]bool) bool {
	switch f.Outcome {
	case ledger.OutcomeRecorded, ledger.OutcomeReturned:
		return f.To == ledger.Gate || w.holds(at, f.Native)
	case ledger.OutcomeParked, ledger.OutcomeHeld:
		return waiting[mark+" "+at.String()]
	case ledger.OutcomeWithdrawn:
		return w.book.explained(mark, at, true)
	case ledger.OutcomePending:
		return waiting[mark+" "+at.String()] // a person has let it go on, behind another message about which nobody decides; otherwise nothing is on its way any more
	}
	return false
}

// holds reports whether a record of einmal's stands at a place.
func (w *world) holds(at place, number native.RecordID) bool {
	s := w.system(at.system)
	if s == nil {
		return false
	}
	rows, _ := s.rows()
	return slices.ContainsFunc(rows, func(r row) bool { return r.ID == number && r.org == at.org && !r.clerk })
}
