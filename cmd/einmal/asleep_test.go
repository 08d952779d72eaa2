package main_test

import (
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/mocks/clerks"
	"github.com/einmal-hub/einmal/mocks/core"
	"github.com/einmal-hub/einmal/mocks/world"
)

// trap stops requests of one gateway in the middle, each in another way, one request for each way.
type trap struct {
	mu   sync.Mutex
	ways []way
	held []*way
}

// way is what becomes of one request that its gateway sleeps through.
type way struct {
	name   string
	begins string // the first bytes of the request
	how    caught
	call   *call
}

// look is a link's watch.
func (tr *trap) look(c *call, head []byte) caught {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	for i := range tr.ways {
		if w := &tr.ways[i]; w.call == nil && strings.HasPrefix(string(head), w.begins) && len(tr.held) == i {
			w.call = c
			tr.held = append(tr.held, w)
			return w.how
		}
	}
	return pass
}

// sprung reports whether every way has its request, and those whose answer is held have been carried out.
func (tr *trap) sprung() bool {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	for _, w := range tr.held {
		if w.how == holdAnswer && !w.call.answered.Load() {
			return false
		}
	}
	return len(tr.held) == len(tr.ways)
}

// let lets a held request go on, or be lost, and waits until the exchange is over.
func (w *way) let(t testing.TB, how func(*call)) {
	t.Helper()
	how(w.call)
	select {
	case <-w.call.ended:
	case <-time.After(patience):
		require.Fail(t, w.name+": the exchange does not end")
	}
}

// applications are what a clerk of rav-luzern hands over to services that work in klib, each of another person.
func applications(t testing.TB) (all []core.Facts) {
	t.Helper()
	plan, err := clerks.NewPlan(900, 1500, world.IDs()...)
	require.NoError(t, err)
	for _, h := range plan.Handovers {
		first := h.Steps[0]
		if h.Parties.Assigning == "rav-luzern" && h.Home(h.Parties.Receiving).System == world.KLIB && first.Place.System == world.AVAM && first.Answer == nil {
			first.Facts.Documents = nil
			all = append(all, first.Facts)
		}
	}
	require.Greater(t, len(all), 20)
	return all
}

// standing returns how often each reference stands in a system.
func (f *fleet) standing(id handover.SystemID) map[string]int {
	f.t.Helper()
	journals, err := clerks.FetchJournals(f.t.Context(), http.DefaultClient, map[handover.SystemID]string{id: "http://" + f.mocksAt + "/" + string(id)})
	require.NoError(f.t, err)
	n := map[string]int{}
	for _, e := range journals[id] {
		if e.By == core.ByInterface {
			n[string(e.Reference)]++
		}
	}
	return n
}

// Faults 34, 36 and 57: of two gateways one is stopped in the middle of requests, for longer than its session, its claims and every bound of the native systems; the other one takes over
// and records; the first one wakes, and what it had sent arrives, or its answers do. In mode A and, within the bounds, in mode B nothing stands twice. A request that the network delivers after all
// bounds breaks mode B, which nothing on this side can prevent: it stands twice, and as soon as that is read, a comparison says so and puts it before a person.
func TestI2AGatewayThatSleepsLongerThanEveryLeaseRecordsNothingTwice(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 2)
	f.faults = false
	f.open()
	sleeper, other := f.members[0], f.members[1]
	tr := &trap{ways: []way{
		{name: "mode A, the request arrives late", begins: "POST /casenet/", how: holdAsked},
		{name: "mode A, the answer arrives late", begins: "POST /casenet/", how: holdAnswer},
		{name: "mode B, the answer arrives late", begins: "POST /klib/", how: holdAnswer},
		{name: "mode B, the request is lost", begins: "POST /klib/", how: holdAsked},
		{name: "mode B, the request arrives after every bound", begins: "POST /klib/", how: holdAsked},
	}}
	sleeper.native.watch = tr.look
	for _, m := range f.members {
		m.run()
	}
	for _, m := range f.members {
		m.ready()
	}
	todo := applications(t)
	require.Eventually(t, func() bool {
		if len(todo) > 0 && !tr.sprung() {
			f.enters("application-submitted", todo[0])
			todo = todo[1:]
		}
		return tr.sprung()
	}, patience, 300*time.Millisecond, "the gateway that is to sleep does not write enough")
	sleeper.process.signal(syscall.SIGSTOP)

	var st figures
	require.Eventually(t, func() bool { return other.ask("/status", &st) == nil && st.Open == 0 && st.Messages > 0 }, patience, tick, "the other gateway does not take over")
	require.Zero(t, st.Parked)
	recorded := map[handover.SystemID]map[string]int{world.CASEnet: f.standing(world.CASEnet), world.KLIB: f.standing(world.KLIB)}
	for id, refs := range recorded {
		require.Len(t, refs, st.Messages, id)
		for ref, n := range refs {
			require.Equal(t, 1, n, "%s in %s before the first one wakes", ref, id)
		}
	}
	sleeper.process.signal(syscall.SIGCONT)
	for _, w := range tr.held[:3] {
		w.let(t, (*call).release)
	}
	tr.held[3].let(t, (*call).end)
	sleeper.ready()
	for who, n := range f.quiet() {
		require.Zero(t, n, who)
	}
	require.Equal(t, recorded[world.CASEnet], f.standing(world.CASEnet))
	require.Equal(t, recorded[world.KLIB], f.standing(world.KLIB))
	code, out, errors := f.reconciles()
	require.Zero(t, code, out+errors)

	// The bound of mode B is broken: only now the network delivers what was sent so long ago.
	tr.held[4].let(t, (*call).release)
	doubles := 0
	for ref, n := range f.standing(world.KLIB) {
		doubles += n - 1
		require.LessOrEqual(t, recorded[world.KLIB][ref], n)
	}
	require.Equal(t, 1, doubles)
	require.Eventually(t, func() bool {
		_, out, _ := run(t, "parked", "list", "--admin", "http://"+other.adminAt)
		return strings.Contains(out, "double")
	}, patience, tick, "nobody is asked about what stands twice")
	out, errors = f.differs("--park", "--admin", "http://"+other.adminAt)
	require.Contains(t, out, "double")
	require.Contains(t, errors, "0 new differences", "it is before a person already")
	f.end()
}
