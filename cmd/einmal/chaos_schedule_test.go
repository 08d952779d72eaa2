package main_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/mocks/core"
	"github.com/einmal-hub/einmal/mocks/world"
)

// blow is one thing that goes wrong: what, whom it meets, when, and after how long it is put right. Times are in milliseconds from the beginning.
type blow struct {
	At   int64  `json:"at"`
	What string `json:"what"`
	Whom string `json:"whom"`
	For  int64  `json:"for"`
}

func (b blow) String() string {
	return fmt.Sprintf("%6d ms %-12s %-10s for %5d ms", b.At, b.What, b.Whom, b.For)
}

// card is a blow that may be drawn, as often as it stands in the deck, for a time within bounds.
type card struct {
	what, whom  string
	least, most time.Duration
}

// deck returns everything that may go wrong in a fleet. The bounds are those within which the native systems' bounds hold: a mock that is paused, or a line that is
// slow, for longer than a request may take breaks the promise of mode B by itself, and is the business of TestI2AGatewayThatSleepsLongerThanEveryLeaseRecordsNothingTwice.
func (f *fleet) deck() []card {
	var all []card
	add := func(times int, c card) {
		for range times {
			all = append(all, c)
		}
	}
	for _, m := range f.members {
		add(6, card{"kill", m.name, 0, time.Second})
		add(3, card{"pause", m.name, time.Second, 9 * time.Second})
		add(1, card{"terminate", m.name, 0, time.Second})
		if _, err := exec.LookPath("prlimit"); err == nil {
			add(1, card{"starve", m.name, 200 * time.Millisecond, 3 * time.Second})
		}
	}
	if f.kafka != nil {
		add(2, card{"kill", "broker", 0, time.Second})
		add(1, card{"pause", "broker", 200 * time.Millisecond, 3 * time.Second})
	}
	add(1, card{"kill", everything, 0, time.Second})
	add(1, card{"kill", "redis", 0, 2 * time.Second})
	add(1, card{"pause", "redis", 200 * time.Millisecond, 3 * time.Second})
	add(1, card{"wipe", "redis", 0, 0})
	add(1, card{"older", "redis", time.Second, 5 * time.Second})
	add(1, card{"kill", "mocks", 0, 500 * time.Millisecond})
	add(1, card{"pause", "mocks", 100 * time.Millisecond, time.Second})
	add(1, card{"worse", "mocks", time.Second, 5 * time.Second})
	for _, name := range f.lines() {
		add(1, card{"cut", name, 0, 0})
		add(1, card{"refuse", name, 200 * time.Millisecond, 2 * time.Second})
		add(1, card{"slow", name, 200 * time.Millisecond, 2 * time.Second})
		add(1, card{"deaf-asking", name, 200 * time.Millisecond, 2 * time.Second})
		add(1, card{"deaf-answering", name, 200 * time.Millisecond, 2 * time.Second})
	}
	if f.disk.mounted {
		add(1, card{"full", "disk", 200 * time.Millisecond, 2 * time.Second})
	}
	return all
}

func (f *fleet) lines() []string {
	var names []string
	for name := range f.links {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// evenly lets a run of one kind of blow meet everybody as often as anybody else, and seldom all at once. Where everything may happen the gateways are met most.
func evenly(deck []card) (all []card) {
	for _, c := range slices.Compact(deck) {
		times := 4
		if c.whom == everything {
			times = 1
		}
		all = append(all, slices.Repeat([]card{c}, times)...)
	}
	return all
}

// schedule draws what goes wrong while so much time passes, about once in every pause. In the last third no gateway is killed: one that lives on through everything
// else must not have grown at the end. What one blow meets is not met by another before it was put right. Unless only is empty, nothing else is drawn, everybody is met as often, and the gateways are spared for five minutes at most.
func (f *fleet) schedule(seed uint64, lasts, pause time.Duration, only string) []blow {
	chance := rand.New(rand.NewPCG(seed, 7)) //nolint:gosec // repeatable, not secret
	deck := slices.DeleteFunc(f.deck(), func(c card) bool { return only != "" && c.what != only })
	if only != "" {
		deck = evenly(deck)
	}
	require.NotEmpty(f.t, deck, "there is no blow of the kind %q", only)
	busy := map[string]int64{}
	spared := lasts / 3
	if only != "" {
		spared = min(spared, 5*time.Minute)
	}
	var all []blow
	for at := time.Duration(0); at < lasts; at += time.Duration(chance.ExpFloat64() * float64(pause)) {
		c := deck[chance.IntN(len(deck))]
		length := c.least + time.Duration(chance.Int64N(int64(c.most-c.least)+1))
		ends := c.whom == everything || strings.HasPrefix(c.whom, "gateway") && (c.what == "kill" || c.what == "terminate")
		if busy[c.whom] > at.Milliseconds() || ends && at > lasts-spared {
			continue
		}
		if c.whom == everything {
			for _, until := range busy { // when everybody is up, and nobody is met by another blow meanwhile
				at = max(at, time.Duration(until)*time.Millisecond)
			}
			for _, other := range deck {
				busy[other.whom] = (at + length).Milliseconds()
			}
		}
		busy[c.whom] = (at + length).Milliseconds()
		all = append(all, blow{at.Milliseconds(), c.what, c.whom, length.Milliseconds()})
	}
	return all
}

// kind is what a card is about, whichever gateway or line it meets.
func (f *fleet) kind(what, whom string) string {
	switch {
	case f.links[whom] != nil:
		whom = "a line"
	case strings.HasPrefix(whom, "gateway"):
		whom = "a gateway"
	}
	return what + " " + whom
}

// whole puts one blow of each kind that was not drawn before a schedule, one after the other: a run of some seconds draws only some of them, and each is to go wrong in every test.
func (f *fleet) whole(all []blow) []blow {
	drawn := map[string]bool{}
	for _, b := range all {
		drawn[f.kind(b.What, b.Whom)] = true
	}
	var first []blow
	at := int64(0)
	for _, c := range f.deck() {
		if kind := f.kind(c.what, c.whom); !drawn[kind] {
			drawn[kind] = true
			first = append(first, blow{at, c.what, c.whom, c.least.Milliseconds()})
			at += c.least.Milliseconds() + 300
		}
	}
	for _, b := range all {
		b.At += at
		first = append(first, b)
	}
	return first
}

// replayed reads a schedule that an earlier run has written.
func replayed(t testing.TB, file string) (all []blow) {
	t.Helper()
	b, err := os.ReadFile(file) //nolint:gosec // the developer's own
	require.NoError(t, err)
	for line := range bytes.Lines(b) {
		var one blow
		require.NoError(t, json.Unmarshal(line, &one))
		all = append(all, one)
	}
	return all
}

func written(t testing.TB, file string, all []blow) {
	t.Helper()
	var out bytes.Buffer
	for _, b := range all {
		line, err := json.Marshal(b)
		require.NoError(t, err)
		out.Write(append(line, '\n'))
	}
	require.NoError(t, os.WriteFile(file, out.Bytes(), 0o600))
}

// act is one half of a blow.
type act struct {
	at time.Duration
	do func()
}

// suffer lets everything go wrong and returns when all of it was put right. The moments are wishes: what comes late comes late.
func (f *fleet) suffer(all []blow) {
	f.t.Helper()
	var acts []act
	for _, b := range all {
		begin, end := f.strike(b)
		at := time.Duration(b.At) * time.Millisecond
		acts = append(acts, act{at, begin}, act{at + time.Duration(b.For)*time.Millisecond, end})
	}
	slices.SortStableFunc(acts, func(a, b act) int { return int(a.at - b.at) })
	began := time.Now()
	for _, a := range acts {
		<-time.After(a.at - time.Since(began))
		a.do()
	}
}

func nothing() {}

// everything is the name of all processes together.
const everything = "everything"

// strike returns what makes something go wrong and what puts it right again.
func (f *fleet) strike(b blow) (begin, end func()) {
	f.t.Helper()
	for _, m := range f.members {
		if m.name == b.Whom {
			return m.strike(b.What)
		}
	}
	if l := f.links[b.Whom]; l != nil {
		return l.strike(f.t, b.What)
	}
	switch b.What + " " + b.Whom {
	case "kill " + everything:
		return f.killEverything, f.startEverything
	case "kill broker":
		return func() { f.engines.kill() }, f.startBroker
	case "pause broker":
		return func() { f.engines.signal(syscall.SIGSTOP) }, func() { f.engines.signal(syscall.SIGCONT) }
	case "kill redis":
		return func() { f.store.process.kill() }, f.store.start
	case "pause redis":
		return func() { f.store.process.signal(syscall.SIGSTOP) }, func() { f.store.process.signal(syscall.SIGCONT) }
	case "wipe redis":
		return f.store.wipe, nothing
	case "older redis":
		return f.store.keep, f.store.restore
	case "kill mocks":
		return func() { f.mocks.kill() }, f.startMocks
	case "pause mocks":
		return func() { f.mocks.signal(syscall.SIGSTOP) }, func() { f.mocks.signal(syscall.SIGCONT) }
	case "worse mocks":
		return func() { f.misbehave(worst(f.seed)) }, func() { f.misbehave(f.ordinary()) }
	case "full disk":
		return func() { require.NoError(f.t, f.disk.fill()) }, func() { require.NoError(f.t, f.disk.empty()) }
	}
	require.Fail(f.t, "nobody knows how to "+b.String())
	return nothing, nothing
}

func (f *fleet) killEverything() {
	for _, m := range f.members {
		m.kill()
	}
	if f.engines != nil {
		f.engines.kill()
	}
	f.store.process.kill()
	f.mocks.kill()
}

func (f *fleet) startEverything() {
	for _, m := range f.members { // before what they need is there
		m.run()
	}
	f.startMocks()
	f.startBroker()
	f.store.start()
}

func (m *member) strike(what string) (begin, end func()) {
	switch what {
	case "kill":
		return m.kill, m.run
	case "terminate":
		return m.terminate, func() { m.kill(); m.run() }
	case "starve":
		return m.starve, func() { m.files(plenty) }
	case "pause":
		return func() { m.process.signal(syscall.SIGSTOP) }, func() { m.process.signal(syscall.SIGCONT) }
	}
	require.Fail(m.fleet.t, "nobody knows how to "+what+" a gateway")
	return nothing, nothing
}

// terminate asks a gateway to end, as an operator does.
func (m *member) terminate() {
	m.told = true
	_ = m.process.cmd.Process.Signal(syscall.SIGTERM) // one that has ended is noted when it is killed
}

// plenty is how many files a process may have open when nothing is wrong.
const plenty = "4096"

// starve lets a gateway that works open nothing more. One that is starting would rightly stop: it cannot see whether its ledger is whole.
func (m *member) starve() {
	if m.ask("/readyz", nil) == nil {
		m.files("0")
	}
}

// files sets how many files a gateway may have open; those that it has stay so. A gateway that is not there does not mind.
func (m *member) files(limit string) {
	_ = exec.Command("prlimit", "--pid", strconv.Itoa(m.process.cmd.Process.Pid), "--nofile="+limit+":").Run() //nolint:gosec // a process of this test
}

func (l *link) strike(t testing.TB, what string) (begin, end func()) {
	switch what {
	case "cut":
		return l.cut, nothing
	case "refuse":
		return l.refuse, l.heal
	case "slow":
		return func() { l.change(func() { l.lag = 300 * time.Millisecond }) }, l.heal
	case "deaf-asking":
		return func() { l.change(func() { l.deaf = toTarget }) }, l.heal
	case "deaf-answering":
		return func() { l.change(func() { l.deaf = fromTarget }) }, l.heal
	}
	require.Fail(t, "nobody knows how to "+what+" a line")
	return nothing, nothing
}

// ordinary are the faults that the native systems have anyway.
func (f *fleet) ordinary() core.Faults {
	if f.faults {
		return world.BadDay(f.seed)
	}
	return core.Faults{Seed: f.seed}
}

// worst is a day on which a third of what is asked of the native systems goes wrong.
func worst(seed int64) core.Faults {
	f := world.BadDay(seed)
	f.Duplicate, f.LostAnswer, f.Error, f.ErrorInDoubt, f.Slow, f.Late, f.Torn = 0.3, 0.12, 0.1, 0.05, 0.1, 0.05, 0.1
	return f
}

// misbehave sets the faults of every native system; one that does not answer keeps those that it has.
func (f *fleet) misbehave(how core.Faults) {
	for _, s := range world.Systems("http://" + f.mocksAt) {
		b, err := json.Marshal(how)
		require.NoError(f.t, err)
		_ = send("PUT", s.URL+"/control/faults", b)
	}
}

// In a long run everything happens that can; in every run a blow meets nobody who has not recovered from the one before, and the end of it belongs to those who live on.
func TestAScheduleHasEveryBlowAndNoneOnTopOfAnother(t *testing.T) {
	t.Parallel()
	f := &fleet{town: &town{t: t}, links: map[string]*link{"kafka": {}, "native-1": {}}, kafka: &link{}, disk: &disk{mounted: true}}
	f.members = []*member{{fleet: f, name: "gateway-1"}, {fleet: f, name: "gateway-2"}}
	lasts := time.Hour
	all := f.schedule(41, lasts, time.Second, "")
	require.Equal(t, all, f.schedule(41, lasts, time.Second, ""))
	require.NotEqual(t, all, f.schedule(42, lasts, time.Second, ""))
	drawn, free := map[string]bool{}, map[string]int64{}
	for _, b := range all {
		drawn[b.What+" "+b.Whom] = true
		require.GreaterOrEqual(t, b.At, free[b.Whom], b)
		if b.Whom == everything {
			for whom := range free {
				require.GreaterOrEqual(t, b.At, free[whom], b)
			}
			for _, c := range f.deck() {
				free[c.whom] = b.At + b.For
			}
		}
		free[b.Whom] = b.At + b.For
		if b.What == "kill" && (b.Whom == everything || strings.HasPrefix(b.Whom, "gateway")) {
			require.LessOrEqual(t, b.At, (lasts*2/3 + 10*time.Second).Milliseconds())
		}
		begin, end := f.strike(b)
		require.NotNil(t, begin)
		require.NotNil(t, end)
	}
	for _, c := range f.deck() {
		require.True(t, drawn[c.what+" "+c.whom], "%s %s", c.what, c.whom)
	}
	short := f.whole(f.schedule(41, 5*time.Second, 250*time.Millisecond, ""))
	drawn, free = map[string]bool{}, map[string]int64{}
	for _, b := range short {
		drawn[f.kind(b.What, b.Whom)] = true
		require.GreaterOrEqual(t, b.At, free[b.Whom], b)
		free[b.Whom] = b.At + b.For
	}
	for _, c := range f.deck() {
		require.True(t, drawn[f.kind(c.what, c.whom)], "%s %s", c.what, c.whom)
	}
	for _, b := range f.schedule(41, time.Minute, time.Second, "kill") {
		require.Equal(t, "kill", b.What)
	}
	file := filepath.Join(t.TempDir(), "schedule.jsonl")
	written(t, file, all)
	require.Equal(t, all, replayed(t, file))
}
