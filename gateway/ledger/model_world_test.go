package ledger

import (
	"fmt"

	"github.com/einmal-hub/einmal/adapters"
)

// gone is the owner of a claim whose process has died.
const gone = uint8(3)

// network lets something happen to a request: executed, with an answer or without; lost; or provably not executed.
func (x *model) network(s *state, k int, out emit) {
	q := s.requests[k]
	if !q.live {
		return
	}
	x.execute(s, k, true, "executes", out)
	if s.left.unanswered > 0 && q.owner > 0 {
		n := *s
		n.left.unanswered--
		x.execute(&n, k, false, "executes, its answer is lost,", out)
	}
	if s.left.lost > 0 {
		n := *s
		n.left.lost--
		n.requests[k] = request{}
		out(label{who: "network", what: "loses a request", m: q.m}, n)
	}
	if s.left.rejected > 0 {
		x.reject(*s, k, out)
	}
}

// execute writes the entry and, if so said and somebody still waits, answers.
func (x *model) execute(s *state, k int, answers bool, what string, out emit) {
	n, q := *s, s.requests[k]
	n.requests[k] = request{}
	if x.unique && n.entries[q.m] > 0 {
		what += " and joins"
	} else {
		n.entries[q.m]++
		if n.entries[q.m] == 1 {
			n.shown[q.m] = 0
		}
	}
	n.refused &^= 1 << q.m
	if q.owner > 0 && answers {
		w := &n.workers[q.owner-1]
		w.stand, w.since = finish, 0
	}
	out(label{who: "system", what: what, m: q.m}, n)
}

// reject does not execute a request, and says so: try again, or never.
func (x *model) reject(n state, k int, out emit) {
	q := n.requests[k]
	n.left.rejected--
	n.requests[k] = request{}
	if x.world.Asynchronous() {
		n.refused |= 1 << q.m
		out(label{who: "system", what: "refuses, and says so later,", m: q.m}, n)
		return
	}
	if q.owner == 0 {
		out(label{who: "system", what: "rejects, unheard,", m: q.m}, n)
		return
	}
	w := &n.workers[q.owner-1]
	w.stand, w.since, w.attempt, w.nonce = void, 0, w.own.attempt, w.own.nonce
	if x.noLedger {
		w.stand, w.attempt, w.nonce = follow, 0, 0
	}
	out(label{who: "system", what: "rejects", m: q.m}, n)
	if x.noLedger {
		return
	}
	w.refused = true
	if x.mode == adapters.ModeA && !x.atOnce {
		w.stand = overtook
	}
	out(label{who: "system", what: "refuses", m: q.m}, n)
}

// person rules on what is parked, at either gateway, with that one's view. She waits until everything that could still happen has happened, and searches.
func (x *model) person(s *state, out emit) {
	if s.left.rulings == 0 || s.end == mostRecords {
		return
	}
	for i := range s.workers {
		for _, a := range x.views.nodes[s.workers[i].view].parked {
			if s.log[a.parking].age < ticks(x.world.Settle()) {
				continue
			}
			verdicts := []Verdict{Retry, Withdraw}
			if s.entries[a.m] > 0 {
				verdicts = []Verdict{Found}
			}
			for _, v := range verdicts {
				n := *s
				n.left.rulings--
				f := x.views.fact(fact{kind: Ruling, m: a.m, verdict: v, parking: a.parking})
				if v == Withdraw && x.counts(s, a) {
					n.dropped |= 1 << a.m
				}
				n.log[n.end] = line{fact: f}
				n.end++
				out(label{who: "person", what: "appends", fact: f}, n)
			}
		}
	}
}

// counts reports whether a ruling on a parking would be the first one.
func (x *model) counts(s *state, a asked) bool {
	for _, p := range x.views.nodes[x.whole(s)].parked {
		if p == a {
			return true
		}
	}
	return false
}

// whole returns the view of somebody who reads the ledger from its beginning.
func (x *model) whole(s *state) uint16 {
	view := uint16(0)
	for at := range s.end {
		view = x.views.read(view, edge{at, s.log[at].fact})
	}
	return view
}

// trouble is what goes wrong beside the network: crashes, Redis, compaction, an election that loses a record.
func (x *model) trouble(s *state, out emit) {
	if s.left.crashes > 0 {
		for i := range s.workers {
			n := *s
			n.left.crashes--
			x.restart(&n, i)
			out(label{who: workerNames[i], what: "is killed and starts again", m: never}, n)
		}
	}
	if s.left.redis > 0 {
		x.troubleRedis(*s, out)
	}
	if s.left.compactions > 0 {
		if n := *s; x.compact(&n) {
			n.left.compactions--
			out(label{who: "ledger", what: "is compacted", m: never}, n)
		}
	}
	if s.left.elections > 0 && s.end > 0 {
		n := *s
		n.left.elections--
		n.end--
		n.log[n.end].fact, n.log[n.end].lost = 0, true
		out(label{who: "ledger", what: "loses", fact: s.log[n.end].fact}, n)
	}
}

// restart is a new life: it reads the ledger to its end, and what is not complete for the bus or open in the view comes again.
func (x *model) restart(s *state, i int) {
	for k := range s.requests {
		if s.requests[k].owner == uint8(i)+1 { //nolint:gosec // small
			s.requests[k].owner = 0
		}
	}
	for m := range s.claims {
		if s.claims[m].owner == uint8(i)+1 { //nolint:gosec // small
			s.claims[m].owner = gone
		}
	}
	s.workers[i] = worker{next: s.end, view: x.whole(s)}
	for m := range uint8(x.messages) {
		if s.committed&(1<<m) == 0 || !x.noLedger && !x.views.nodes[s.workers[i].view].refs[m].Settled() {
			s.workers[i].queue |= 1 << m
		}
	}
}

// troubleRedis wipes Redis, or sets it back to when a process had a claim that has died since.
func (x *model) troubleRedis(s state, out emit) {
	s.left.redis--
	wiped := s
	wiped.claims, wiped.inRedis = [2]lease{}, 0
	out(label{who: "redis", what: "is wiped", m: never}, wiped)
	for m := range x.messages {
		old := wiped
		old.claims[m] = lease{owner: gone}
		out(label{who: "redis", what: "is set back", m: uint8(m)}, old) //nolint:gosec // small
	}
}

// compact keeps the last record of each key, and reports whether one was removed.
func (x *model) compact(s *state) (removed bool) {
	last := map[string]uint8{}
	for at := range s.end {
		if s.log[at].fact > 0 {
			last[x.keyAt(s, at)] = at
		}
	}
	for at := range s.end {
		if s.log[at].fact > 0 && last[x.keyAt(s, at)] != at {
			s.log[at], removed = line{}, true
		}
	}
	return removed
}

// keyAt returns the key of a record. Where the product draws a nonce for it, the offset stands for that.
func (x *model) keyAt(s *state, at uint8) string {
	r := x.views.facts[s.log[at].fact].record()
	switch r.Kind {
	case Done, Park, Ruling:
		r.Nonce = fmt.Sprint("at ", at)
	}
	return x.key(r)
}

// tick lets time go by, as far as the world's bounds allow: nothing stays on its way longer than the system says, and no worker pauses longer between its
// decision and its request than the margin.
func (x *model) tick(s *state, out emit) {
	latest := ticks(x.world.Request + x.world.Processing + x.world.Answer)
	n := *s
	for k := range n.requests {
		if q := &n.requests[k]; q.live {
			if q.age >= latest {
				return
			}
			q.age++
		}
	}
	for i := range n.workers {
		w := &n.workers[i]
		if w.stand == send && !x.paused && w.since >= ticks(x.world.Margin) {
			return
		}
		switch w.stand {
		case send, await:
			w.since = min(w.since+1, max(ticks(x.world.Request), ticks(x.world.Margin)+1))
		case overtook:
			w.since = min(w.since+1, ticks(x.told.Settle()))
		}
		if (w.own.nonce > 0 || w.stand == intend) && !w.own.sent {
			w.own.age = min(w.own.age+1, ticks(x.told.Send)+1)
		}
	}
	for at := range n.log {
		switch f := x.views.facts[n.log[at].fact]; {
		case f.kind == Intent || n.log[at].lost:
			n.log[at].age = min(n.log[at].age+1, x.oldest)
		case f.kind == Park && !f.held:
			n.log[at].age = min(n.log[at].age+1, ticks(x.world.Settle()))
		}
	}
	for m := range n.entries {
		if n.entries[m] > 0 {
			n.shown[m] = min(n.shown[m]+1, ticks(x.world.Lookup))
		}
	}
	for m := range n.claims {
		if c := &n.claims[m]; c.owner > 0 {
			if c.age++; c.age >= ticks(x.world.Send+x.world.Request) {
				*c = lease{}
			}
		}
	}
	if n != *s {
		out(label{who: "time", what: "goes by", m: never}, n)
	}
}
