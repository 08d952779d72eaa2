package ledger

import (
	"flag"
	"fmt"
	"hash/maphash"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/adapters"
)

var deep = flag.Bool("ledger.deep", false, "check the model of the protocol in larger bounds")

// model is one variant of the protocol in its world.
//
// The world is a ledger, two workers that both own the partition, two messages of one case, a native system, Redis and a person; time is counted in ticks. A
// state's successors are everything that can happen next, so that all interleavings within the budget are seen. What a worker does is taken from the product: its
// view is folded by [View], the next step is [Decide]'s, and the questions about order are [View.Earlier], [View.Waiting] and [View.Before]. What delivery does with a
// step is written down here again, in steps of the same names; gateway/sim runs delivery itself.
type model struct {
	variant
	views  *views
	oldest uint8 // from this age on nothing changes
	cut    bool  // something did not fit
}

// variant says what is different: the mode, the bounds, what goes wrong, and what is broken on purpose.
type variant struct {
	mode     adapters.Mode
	world    adapters.Bounds // how the native system is
	told     adapters.Bounds // how the configuration says that it is
	unique   bool            // the native system refuses a second record with the same reference
	redis    bool            // there is a Redis
	messages int
	attempts int // of one message, at most
	budget   purse
	doubts   int // how many attempts have ended in doubt before

	decide     decision
	key        func(Record) string
	anybody    bool // whoever has appended an INTENT may send
	noLedger   bool
	paused     bool // a worker may be stopped for any time between its decision and its request
	looksFirst bool // it searches before every attempt
	atOnce     bool // a refusal counts although an earlier attempt may still be executed, as that of a system that cannot be searched
	anyAttempt bool // nobody looks whether another attempt was announced since the one that is refused
	nameless   bool // a question to a person does not say which attempt it is about
	hurried    bool // a later refusal counts although the last attempt may not have been handed over yet
	unasking   bool // it sends again without asking what a system that answers later has said
	voidsFirst bool // a refusal that comes later is a VOID before a person is asked
	unordered  bool // it does not record first what was admitted earlier
	unheld     bool // it does not wait behind what is parked
}

// broken is a promise that a state breaks.
type broken string

const (
	double   broken = "recorded twice"
	disorder broken = "recorded out of order"
	untrue   broken = "called done, and is not"
	unasked  broken = "recorded although a person had dropped it"
	misled   broken = "put before a person as refused, and it stands or may still be executed"
	needless broken = "sent again although the system has said what became of it"
	loss     broken = "neither recorded nor put before a person"
	unknown  broken = "recorded or dropped, and the ledger does not say so"
	circle   broken = "goes round and round"
)

// checked is what a search of all states has found.
type checked struct {
	states, ends int
	cut          int // states whose successors did not all fit
	found        map[broken]string
}

// reached is every state that was seen, by its hash, with how it was reached, and which states lead to which.
type reached struct {
	seed   maphash.Seed
	number map[uint64]uint32
	hashes []uint64
	from   []uint32 // the state from which it was reached first
	edges  [][2]uint32
	rests  []uint32 // states in which something has come to rest, or was cut off
}

func (r *reached) add(s state, from uint32) (n uint32, known bool) {
	hash := maphash.Comparable(r.seed, s)
	if n, known := r.number[hash]; known {
		return n, true
	}
	n = uint32(len(r.hashes)) //nolint:gosec // fewer than there is memory for
	r.number[hash] = n
	r.hashes, r.from = append(r.hashes, hash), append(r.from, from)
	return n, false
}

// circling returns a state from which nothing ever comes to rest.
func (r *reached) circling() (uint32, bool) {
	into := make([][]uint32, len(r.hashes))
	for _, e := range r.edges {
		into[e[1]] = append(into[e[1]], e[0])
	}
	rests := make([]bool, len(r.hashes))
	for todo := slices.Clone(r.rests); len(todo) > 0; {
		n := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if rests[n] {
			continue
		}
		rests[n] = true
		todo = append(todo, into[n]...)
	}
	n := slices.Index(rests, false)
	return uint32(n), n >= 0 //nolint:gosec // an index
}

// check visits every state until it has found one of the promises asked for, or all states.
func (x *model) check(until ...broken) checked {
	x.views, x.oldest = newViews(), ticks(x.told.Settle())
	if x.mode != adapters.ModeB {
		x.oldest = ticks(open(x.told))
	}
	r := &reached{seed: maphash.MakeSeed(), number: map[uint64]uint32{}}
	c := checked{found: map[broken]string{}}
	frontier := []state{x.begin()}
	r.add(frontier[0], 0)
	for me := uint32(0); len(frontier) > 0; {
		var next []state
		for _, s := range frontier {
			c.states++
			next = append(next, x.visit(&c, r, s, me)...)
			if slices.ContainsFunc(until, func(b broken) bool { return c.found[b] != "" }) {
				return c
			}
			me++
		}
		frontier = next
	}
	if at, circles := r.circling(); circles && len(until) == 0 {
		c.add(circle, func() string { return x.history(r, at) })
	}
	return c
}

// visit looks at a state and returns those that it leads to and that were not seen before.
func (x *model) visit(c *checked, r *reached, s state, me uint32) (next []state) {
	moves := 0
	x.cut = false
	x.steps(&s, func(_ label, n state) {
		n = n.normal()
		to, known := r.add(n, me)
		moves++
		r.edges = append(r.edges, [2]uint32{me, to})
		if known {
			return
		}
		if b := x.breaks(&s, &n); b != "" {
			c.add(b, func() string { return x.history(r, to) })
			r.rests = append(r.rests, to)
		}
		next = append(next, n)
	})
	switch {
	case x.cut:
		c.cut++
		r.rests = append(r.rests, me)
	case moves == 0:
		c.ends++
		r.rests = append(r.rests, me)
		if b := x.atTheEnd(&s); b != "" {
			c.add(b, func() string { return x.history(r, me) })
		}
	}
	return next
}

func (c *checked) add(b broken, history func() string) {
	if c.found[b] == "" {
		c.found[b] = history()
	}
}

// begin is the first state: two messages are admitted, and both workers have them on the bus.
func (x *model) begin() state {
	s := state{left: x.budget}
	for i := range s.workers {
		s.workers[i].queue = 1<<x.messages - 1
	}
	return s
}

// steps emits everything that can happen next.
func (x *model) steps(s *state, out emit) {
	for i := range s.workers {
		x.work(s, i, out)
	}
	for k := range s.requests {
		x.network(s, k, out)
	}
	x.person(s, out)
	x.trouble(s, out)
	x.tick(s, out)
}

// breaks returns the promise that the step from one state to another breaks.
func (x *model) breaks(s, n *state) broken {
	for m := range n.entries {
		if n.entries[m] <= s.entries[m] {
			continue
		}
		switch {
		case n.entries[m] > 1:
			return double
		case n.dropped&(1<<m) != 0:
			return unasked
		case m == 1 && n.entries[0] == 0 && n.dropped&1 == 0:
			return disorder
		}
	}
	if n.end > s.end {
		if f := x.views.facts[n.log[s.end].fact]; f.kind == Done && n.entries[f.m] == 0 {
			return untrue
		}
	}
	switch {
	case x.budget.rejected > 0 && (n.end > s.end || n.entries != s.entries) && x.misleads(n):
		return misled
	case x.sendsNeedlessly(s, n):
		return needless
	}
	return ""
}

// misleads reports whether a person is told that the native system has said no to what stands there or may still be executed.
func (x *model) misleads(s *state) bool {
	for _, a := range x.views.nodes[x.whole(s)].parked {
		if a.refused && (s.entries[a.m] > 0 || s.underWay(a.m)) {
			return true
		}
	}
	return false
}

// underWay reports whether a request with the reference of a message may still be executed.
func (s *state) underWay(m uint8) bool {
	return slices.ContainsFunc(s.requests[:], func(q request) bool { return q.live && q.m == m })
}

// sendsNeedlessly reports whether a worker has decided on another attempt although a system that answers later had said what became of the one that it knew.
func (x *model) sendsNeedlessly(s, n *state) bool {
	if !x.told.Asynchronous() {
		return false
	}
	for _, w := range n.workers {
		if w.stand != intend || w.own.age > 0 || slices.Contains(s.workers[:], w) {
			continue
		}
		if r := x.views.nodes[w.view].refs[w.m]; r.Attempt > 0 && !r.Void && !r.Ruled && x.said(s, w.m) {
			return true
		}
	}
	return false
}

// atTheEnd returns the promise that a state breaks in which nothing can happen any more. What waits for a person may stand: she searches. What she is told is looked at when it is written.
func (x *model) atTheEnd(s *state) broken {
	if x.noLedger {
		return ""
	}
	view := x.views.nodes[x.whole(s)]
	for m := range x.messages {
		switch {
		case view.waiting[m] && !view.refs[m].Settled():
		case view.waiting[m] || view.refs[m].Withdrawn && s.dropped&(1<<m) == 0:
			return unknown
		case view.refs[m].Withdrawn:
		case s.entries[m] == 0:
			return loss
		case !view.refs[m].Done:
			return unknown
		}
	}
	return ""
}

// history returns the steps that lead to a state.
func (x *model) history(r *reached, to uint32) string {
	var way []uint32
	for at := to; at != 0; at = r.from[at] {
		way = append(way, at)
	}
	slices.Reverse(way)
	var lines []string
	s := x.begin()
	for _, at := range way {
		found, here := false, s
		x.steps(&here, func(l label, n state) {
			if n = n.normal(); !found && maphash.Comparable(r.seed, n) == r.hashes[at] {
				found, s = true, n
				lines = append(lines, x.name(l))
			}
		})
	}
	return strings.Join(lines, "\n")
}

// ask runs a variant and reports what it has found.
func (v variant) ask(t *testing.T, until ...broken) checked {
	t.Helper()
	x := &model{variant: v}
	c := x.check(until...)
	require.Less(t, len(x.views.nodes), 1<<16, "they are numbered in 16 bits")
	t.Logf("%d states, %d ends, %d cut off, %d views", c.states, c.ends, c.cut, len(x.views.nodes))
	return c
}

func (c checked) String() string {
	var b strings.Builder
	for what, how := range c.found {
		fmt.Fprintf(&b, "%s:\n%s\n\n", what, how)
	}
	return b.String()
}
