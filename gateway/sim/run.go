package sim

import (
	"fmt"
	"hash/fnv"
	"runtime/debug"
	"testing"
	"testing/synctest"
	"time"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/go-json-experiment/json"
)

// Options say which run is made.
type Options struct {
	// Seed decides everything.
	Seed uint64
	// Mode is that of every native system; empty draws one for each.
	Mode adapters.Mode
	// Crowded makes days on which three gateways work on the same few cases, each with an old view, and something goes wrong every second.
	Crowded bool

	plant func(*world) hooks
	tune  func(*plan)
}

// Result is what a run has shown.
type Result struct {
	Seed uint64
	// Findings say what was lost, doubled, out of order or unexplained; empty means that every promise held.
	Findings []string
	// History lists what happened, in virtual time.
	History []string
	// Messages entered by clerks, requests that reached native systems, rulings, and lives of gateways.
	Messages, Requests, Rulings, Lives int
	// Virtual is how long the run took in its own time.
	Virtual time.Duration
}

// Fingerprint is the same for two runs in which the same happened at the same times.
func (r Result) Fingerprint() uint64 {
	h := fnv.New64a()
	for _, l := range r.History {
		_, _ = h.Write([]byte(l))
		_, _ = h.Write([]byte{'\n'})
	}
	return h.Sum64()
}

// Run makes one run in virtual time. Runs may be made side by side.
func Run(o Options) (r Result) {
	// synctest wants a test. This one is never started, reports to nobody and cannot fail, so that the same runs are made by `einmal sim`.
	var t testing.T
	synctest.Test(&t, func(*testing.T) { r = play(o) })
	return r
}

// play is a run: the day, then quiet, then the check.
func play(o Options) Result {
	w := newWorld(o)
	for range w.plan.gateways {
		w.launch(newDisk())
	}
	for n := range w.plan.cases {
		c := w.dice.draw("parties", fmt.Sprint(n))
		d := &dialogue{w: w, n: n + 1, assigning: "service-a", receiving: "office"}
		if c.is(0.3) {
			d.assigning, d.receiving = "office", "service-a"
		}
		if c.is(0.2) {
			d.assigning, d.receiving = "service-a", "service-b" // both work in the same system
		}
		w.talking.Add(1)
		w.people.Go(func() {
			defer w.talking.Add(-1)
			d.play()
		})
	}
	w.people.Go(func() { w.operator("vera") })
	w.people.Go(func() { w.operator("reto") })
	w.people.Go(w.auditor)
	w.chaos()
	w.calm.Store(true)
	w.redis.setAway(false)
	w.note("world", "is calm")
	quiet := w.quiet()
	close(w.closing)
	w.people.Wait()
	w.audit("in the evening")
	r := w.check(quiet)
	for _, p := range w.living() {
		p.cancel()
	}
	for _, p := range w.all {
		p.running.Wait()
	}
	w.background.Wait()
	return r
}

// evening is how long a calm world may take until nothing is open.
const evening = time.Hour

// quiet waits until nothing is open any more, and returns what still is after a whole evening.
func (w *world) quiet() string {
	end, calm, open := time.Now().Add(evening), 0, ""
	for time.Now().Before(end) && calm < 3 && !w.runsAway() {
		elapse(31*time.Second + 13*time.Nanosecond) // three times: longer than a dead gateway's claim to read
		if open = w.open(); open == "" {
			calm++
		} else {
			calm = 0
		}
	}
	return open
}

// safely turns a panic of the simulator's own check into a finding.
func safely(f func()) (trouble string) {
	defer func() {
		if p := recover(); p != nil {
			trouble = fmt.Sprint(p, "\n", string(debug.Stack()))
		}
	}()
	f()
	return ""
}

// keptBody returns the native record inside of one that could not be translated.
func keptBody(sealed []byte) []byte {
	var k struct {
		Record native.Record `json:"record"`
	}
	if len(sealed) < sealSize || json.Unmarshal(sealed[sealSize:], &k) != nil {
		return nil
	}
	return k.Record.Body
}
