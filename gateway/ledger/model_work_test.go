package ledger

import (
	"time"

	"github.com/einmal-hub/einmal/adapters"
)

// emit takes a next state.
type emit func(label, state)

var workerNames = [2]string{"worker 1", "worker 2"}

// now is any time that is long after everything.
var modelNow = begin.Add(1000 * time.Hour)

// work lets a worker take every step that it can take.
func (x *model) work(s *state, i int, out emit) {
	w := &s.workers[i]
	if x.readsSlowly() && w.next < s.end {
		n := *s
		x.reach(&n, i, w.next+1)
		out(label{who: workerNames[i], what: "reads", fact: s.log[w.next].fact}, n)
	}
	switch w.stand {
	case idle, follow, confirm, overtook, classify:
		for at := max(w.next, w.need); at <= s.end; at++ {
			n := *s
			x.reach(&n, i, at)
			x.think(&n, i, out)
			if x.readsSlowly() {
				break
			}
		}
		if w.next >= w.need && w.next > s.end { // the ledger has lost what it has read
			n := *s
			x.think(&n, i, out)
		}
	case intend:
		w := *w
		x.append(s, i, fact{kind: Intent, m: w.m, attempt: w.own.attempt, nonce: x.nonce(s)}, out, func(n *state, ok bool) {
			v := &n.workers[i]
			switch {
			case !ok && n.end > s.end: // it does not know whether the INTENT is there, and will know it when it reads it
				v.stand, v.own.nonce = follow, x.nonce(s)
			case !ok:
				v.stand, v.own = follow, own{}
			case !x.literal() && n.end == s.end: // it was not the first: no other INTENT of the attempt can be its own
				v.stand, v.own = follow, own{}
			default:
				v.stand, v.own.nonce = confirm, x.nonce(s)
			}
			n.serial = s.serial
			if x.literal() {
				n.serial++
			}
		})
	case send:
		n := *s
		x.send(&n, i, out)
	case await:
		if w.since >= ticks(x.world.Request) {
			n := *s
			x.doubt(&n, i)
			out(label{who: workerNames[i], what: "has waited long enough", m: w.m}, n)
		}
	case finish:
		x.finish(s, i, out)
	case void:
		x.append(s, i, fact{kind: Void, m: w.m, attempt: w.attempt, nonce: w.nonce, searched: w.searched}, out, func(n *state, ok bool) {
			v := &n.workers[i]
			switch {
			case !ok:
			case v.refused:
				v.stand, v.searched, v.nonce = classify, false, 0
			default:
				v.stand, v.searched, v.attempt, v.nonce = follow, false, 0, 0
			}
		})
	case park:
		f := fact{kind: Park, m: w.m, attempt: w.attempt, refused: w.refused}
		if x.nameless {
			f.attempt = 0
		}
		x.append(s, i, f, out, func(n *state, ok bool) {
			if ok {
				n.workers[i].parked(n, x.views.nodes[x.whole(n)].refs[w.m])
			}
		})
	case hold:
		x.append(s, i, fact{kind: Park, m: w.m, held: true}, out, func(n *state, ok bool) {
			if ok {
				n.workers[i].complete(n)
			}
		})
	}
}

// parked is what delivery's claim.record does after a PARK: it begins anew when another attempt was announced before.
func (w *worker) parked(s *state, r Ref) {
	m, before := w.m, s.committed
	w.complete(s)
	if !r.Asked && !r.Settled() {
		w.queue |= 1 << m
		s.committed = before
	}
}

// readsSlowly reports whether it matters when a record was read: when records vanish. Otherwise a worker reads right before it thinks.
func (x *model) readsSlowly() bool { return x.budget.compactions+x.budget.elections > 0 }

// literal reports whether every record is kept as it is: when records vanish, or when who has written one does not count. Otherwise a record that changes nothing
// for whoever reads it, such as an INTENT that is not the first, is left out, and the first one needs no name: nobody else has one of that attempt.
func (x *model) literal() bool { return x.readsSlowly() || x.anybody }

// nonce returns the name of the next INTENT.
func (x *model) nonce(s *state) uint8 {
	if x.literal() {
		return uint8(s.serial) + 1 //nolint:gosec // small
	}
	return 1
}

// changesNothing reports whether a record would be ignored by whoever reads the ledger up to it.
func (x *model) changesNothing(s *state, number uint16) bool {
	view := x.whole(s)
	return x.views.read(view, edge{s.end, number}) == view
}

// reach lets a worker read up to an offset.
func (x *model) reach(s *state, i int, to uint8) {
	w := &s.workers[i]
	for ; w.next < to; w.next++ {
		w.view = x.views.read(w.view, edge{w.next, s.log[w.next].fact})
	}
}

// think is what a worker does with its present view: look for work, or take the step that the ledger decides.
func (x *model) think(s *state, i int, out emit) {
	switch w := &s.workers[i]; w.stand {
	case idle:
		n := x.views.nodes[w.view]
		for m := range uint8(x.messages) {
			if w.queue&(1<<m) != 0 || n.runnable == int8(m) { //nolint:gosec // small
				c := *s
				x.take(&c, i, m, out)
			}
		}
	case confirm:
		w.stand = follow
		x.follow(s, i, true, out)
	case overtook:
		x.overtook(s, i, out)
	case classify:
		x.classify(s, i, out)
	default:
		x.follow(s, i, false, out)
	}
}

// take begins with a message as delivery's claim.record does: not again, not before an earlier one, not past one that waits.
func (x *model) take(s *state, i int, m uint8, out emit) {
	w := &s.workers[i]
	n := x.views.nodes[w.view]
	w.queue |= 1 << m
	w.m = m
	switch first := n.earlier[m]; {
	case n.refs[m].Settled() || x.noLedger && s.inRedis&(1<<m) != 0:
		w.complete(s)
		out(label{who: workerNames[i], what: string(StepFinish), m: m}, *s)
	case first >= 0 && !x.unordered:
		if w.queue&(1<<uint8(first)) == 0 {
			x.take(s, i, uint8(first), out)
		}
	case n.place[m] == waits:
		w.complete(s)
		out(label{who: workerNames[i], what: "leaves it waiting", m: m}, *s)
	case n.place[m] == behind && !x.unheld:
		w.stand = hold
		out(label{who: workerNames[i], what: "holds back", m: m}, *s)
	default:
		w.stand = follow
		out(label{who: workerNames[i], what: "begins with", m: m}, *s)
	}
}

// complete says that nothing more happens with the message without a person or another worker.
func (w *worker) complete(s *state) {
	w.queue &^= 1 << w.m
	s.committed |= 1 << w.m
	*w = worker{queue: w.queue, view: w.view, next: w.next, need: w.need}
}

// follow takes the step that the ledger decides, as delivery's claim.follow does; just says that it is the decision right after the own INTENT.
func (x *model) follow(s *state, i int, just bool, out emit) {
	w := &s.workers[i]
	n := x.views.nodes[w.view]
	r := x.of(s, n, w.m, modelNow)
	step, _ := x.decide(r, w.own.product(modelNow), x.mode, x.told, modelNow)
	l := label{who: workerNames[i], what: string(step), m: w.m}
	if x.noLedger {
		step = x.withoutLedger(s, w)
	}
	if just && step != StepSend {
		out(l, *s)
		return
	}
	switch step {
	case StepFinish, StepAsked:
		w.complete(s)
		out(l, *s)
	case StepPark:
		w.stand, w.attempt = park, uint8(r.Attempt) //nolint:gosec // small
		out(l, *s)
	case StepVoid:
		w.stand, w.attempt, w.nonce = void, w.own.attempt, w.own.nonce
		out(l, *s)
	case StepWait:
		if x.mode == adapters.ModeB || x.told.Asynchronous() {
			x.find(s, i, r, false, out)
		}
	case StepLookup:
		x.find(s, i, r, true, out)
	case StepSend:
		if just || x.noLedger {
			x.decided(s, i, out)
			return
		}
		w.stand, w.attempt, w.nonce = void, w.own.attempt, w.own.nonce // announced without knowing it, and not sent
		out(l, *s)
	case StepIntend:
		if x.looksFirst && s.entries[w.m] > 0 && s.shown[w.m] >= ticks(x.world.Lookup) {
			w.stand = finish
			out(label{who: workerNames[i], what: string(StepLookup), m: w.m}, *s)
			return
		}
		x.next(s, i, r, out)
	}
}

// next makes the next attempt, as delivery's claim.next does: unless an answer to the last one has come meanwhile.
func (x *model) next(s *state, i int, r Ref, out emit) {
	if x.answered(s, i, r) {
		x.find(s, i, r, false, out)
		return
	}
	x.claim(s, i, r, out)
}

// answered reports whether a worker looks, and sees that a system that answers later has said something about the attempt in doubt.
func (x *model) answered(s *state, i int, r Ref) bool {
	return x.told.Asynchronous() && !x.unasking && r.Attempt > 0 && !r.Void && !r.Ruled && x.said(s, s.workers[i].m)
}

// said reports whether a search would find something about a message now: an entry, or a refusal.
func (x *model) said(s *state, m uint8) bool { return s.refused&(1<<m) != 0 || x.seen(s, m) > 0 }

// seen is how many entries a search finds.
func (x *model) seen(s *state, m uint8) uint8 {
	if s.shown[m] < ticks(x.world.Lookup) {
		return 0
	}
	return s.entries[m]
}

// withoutLedger is what a gateway does that relies on Redis alone.
func (x *model) withoutLedger(s *state, w *worker) Step {
	if s.inRedis&(1<<w.m) != 0 {
		return StepFinish
	}
	return StepSend
}

// claim asks Redis and goes on to INTENT. A worker that is told no waits, which changes nothing here.
func (x *model) claim(s *state, i int, r Ref, out emit) {
	w := &s.workers[i]
	if !x.claimed(s, i) {
		return
	}
	attempt := uint8(r.Attempt) + 1 //nolint:gosec // small
	if int(attempt) > x.attempts {
		x.cut = true
		return
	}
	w.stand, w.own = intend, own{attempt: attempt}
	out(label{who: workerNames[i], what: string(StepIntend), m: w.m}, *s)
}

// claimed asks Redis; without one everybody is told yes.
func (x *model) claimed(s *state, i int) bool {
	if !x.redis {
		return true
	}
	c := &s.claims[s.workers[i].m]
	if c.owner != 0 && c.owner != uint8(i)+1 { //nolint:gosec // small
		return false
	}
	*c = lease{owner: uint8(i) + 1} //nolint:gosec // small
	return true
}

// decided is the moment between the decision to send and the request.
func (x *model) decided(s *state, i int, out emit) {
	if x.noLedger && !x.claimed(s, i) {
		return
	}
	if ticks(x.world.Margin) == 0 && !x.paused {
		x.send(s, i, out)
		return
	}
	w := &s.workers[i]
	w.stand, w.since = send, 0
	out(label{who: workerNames[i], what: "decides to send", m: w.m}, *s)
}

// send puts the one request of an attempt on its way.
func (x *model) send(s *state, i int, out emit) {
	w := &s.workers[i]
	for k := range s.requests {
		if s.requests[k].live {
			continue
		}
		q := request{live: true, m: w.m}
		w.own.sent, w.own.age, w.since = true, 0, 0
		if x.world.Asynchronous() {
			w.stand = follow // handed over: Apply returns Doubt
			s.refused &^= 1 << w.m
		} else {
			w.stand, q.owner = await, uint8(i)+1 //nolint:gosec // small
		}
		s.requests[k] = q
		out(label{who: workerNames[i], what: string(StepSend), m: w.m}, *s)
		return
	}
	x.cut = true
}

// doubt gives up waiting for an answer.
func (x *model) doubt(s *state, i int) {
	for k := range s.requests {
		if s.requests[k].owner == uint8(i)+1 { //nolint:gosec // small
			s.requests[k].owner = 0
		}
	}
	s.workers[i].stand, s.workers[i].since = follow, 0
}

// find searches by reference, as delivery's claim.waitOrFind and claim.lookup do: only a search that Decide asked for proves anything by finding nothing.
func (x *model) find(s *state, i int, r Ref, proves bool, out emit) {
	w := &s.workers[i]
	l := label{who: workerNames[i], what: string(StepLookup), m: w.m}
	seen := x.seen(s, w.m)
	switch {
	case s.refused&(1<<w.m) != 0:
		if !x.refusedLater(s, w, r) {
			return
		}
	case seen > 1:
		w.stand, w.attempt = park, uint8(r.Attempt) //nolint:gosec // small
	case seen == 1:
		w.stand = finish
	case !proves:
		return
	case AfterEmptyLookup(r, x.mode) == StepPark:
		w.stand, w.attempt = park, uint8(r.Attempt) //nolint:gosec // small
	default:
		w.stand, w.searched = void, true
		w.attempt, w.nonce = uint8(r.Attempt), x.nonceOf(w) //nolint:gosec // small
	}
	out(l, *s)
}

// overtook makes sure, before a refusal counts, that no earlier attempt is still being executed, as delivery's claim.overtook does.
func (x *model) overtook(s *state, i int, out emit) {
	w := &s.workers[i]
	l := label{who: workerNames[i], what: "has been overtaken by nothing", m: w.m}
	switch {
	case x.of(s, x.views.nodes[w.view], w.m, modelNow).Doubts == 0:
		w.stand = void
	case w.since < ticks(x.told.Settle()):
		return
	case x.seen(s, w.m) > 0:
		l.what = string(StepLookup)
		w.stand, w.refused, w.attempt, w.nonce = finish, false, 0, 0
	default:
		w.stand = void
	}
	w.since = 0
	out(l, *s)
}

// classify puts a refusal before a person, as delivery's claim.classify does: unless another attempt was announced since.
func (x *model) classify(s *state, i int, out emit) {
	w := &s.workers[i]
	l := label{who: workerNames[i], what: "has the last word", m: w.m}
	w.stand = park
	if x.views.nodes[w.view].refs[w.m].Attempt != int(w.attempt) && !x.anyAttempt {
		l.what = "goes on, there was another attempt"
		w.stand, w.refused, w.attempt = follow, false, 0
	}
	out(l, *s)
}

// refusedLater puts a later refusal before a person, as delivery's claim.refusedLater does, and reports whether it does: not while the last attempt may not have been handed over yet.
func (x *model) refusedLater(s *state, w *worker, r Ref) bool {
	if r.Attempt > 1 && modelNow.Sub(r.IntentAt) < x.told.Send+x.told.Request+x.told.Margin && !x.hurried {
		return false
	}
	w.stand, w.refused, w.attempt = park, true, uint8(r.Attempt) //nolint:gosec // small
	if x.voidsFirst {
		w.stand, w.searched, w.nonce = void, true, x.nonceOf(w)
	}
	return true
}

// nonceOf returns the nonce of the attempt that a worker's view knows.
func (x *model) nonceOf(w *worker) uint8 {
	return x.views.nodes[w.view].nonce[w.m]
}

// finish writes down that the entry stands in the native system.
func (x *model) finish(s *state, i int, out emit) {
	m := s.workers[i].m
	if x.noLedger {
		n := *s
		n.inRedis |= 1 << m
		n.workers[i].complete(&n)
		out(label{who: workerNames[i], what: "done in Redis", m: m}, n)
		return
	}
	x.append(s, i, fact{kind: Done, m: m}, out, func(n *state, ok bool) {
		if ok {
			n.workers[i].stand = follow
		}
	})
}

// append writes a record, and what it does when nobody knows whether it was written. then gets the state after it.
func (x *model) append(s *state, i int, f fact, out emit, then func(n *state, ok bool)) {
	if s.end == mostRecords {
		x.cut = true
		return
	}
	number := x.views.fact(f)
	ignored := !x.literal() && x.changesNothing(s, number)
	written := func(n *state) {
		if !ignored {
			n.log[n.end] = line{fact: number}
			n.end++
		}
	}
	n := *s
	written(&n)
	n.workers[i].need = n.end
	then(&n, true)
	out(label{who: workerNames[i], what: "appends", fact: number}, n)
	if s.left.broken == 0 {
		return
	}
	for _, kept := range []bool{true, false} {
		n := *s
		n.left.broken--
		what := "fails to append"
		if kept {
			written(&n)
			what = "appends, and does not know it,"
		}
		then(&n, false)
		if n != *s {
			out(label{who: workerNames[i], what: what, fact: number}, n)
		}
	}
}
