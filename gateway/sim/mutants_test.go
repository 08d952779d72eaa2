package sim

import (
	"bytes"
	"context"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/gateway/delivery"
	"github.com/einmal-hub/einmal/gateway/ledger"
)

// mutant is an error of the protocol, planted between the real code and its world.
type mutant struct {
	name   string
	what   string
	breaks promise
	mode   adapters.Mode // of every system; empty: drawn
	tune   func(*plan)   // makes days on which it matters
	plant  func(*world) hooks
}

// promise is what an error breaks, as the checker says it: an error that is noticed by something else only is not found.
type promise string

const (
	doubled    promise = `stands \d+ times at|has two dossiers|under two references`
	lost       promise = `is lost:|was committed although|has not been read|can go on|is committed up to`
	disordered promise = `stands before|after a person had dropped`
	untrue     promise = `the ledger says that`
	confused   promise = `as something else|beside what it corrects|about a record that`
	asked      promise = `is parked at .* without need`
)

// in returns the first finding of a run that shows that the promise is broken.
func (p promise) in(r Result) (string, bool) {
	i := slices.IndexFunc(r.Findings, regexp.MustCompile(string(p)).MatchString)
	if i < 0 {
		return "", false
	}
	return r.Findings[i], true
}

type decision = func(ledger.Ref, ledger.Own, adapters.Mode, adapters.Bounds, time.Time) (ledger.Step, time.Duration)

// deciding replaces the decision of every process.
func deciding(f func(w *world, p *process) decision) func(*world) hooks {
	return func(w *world) hooks {
		return hooks{rules: func(p *process, r delivery.Protocol) delivery.Protocol {
			r.Decide = f(w, p)
			return r
		}}
	}
}

// bounded decides with other bounds than the systems have.
func bounded(change func(*adapters.Bounds)) func(*world) hooks {
	return deciding(func(*world, *process) decision {
		return func(r ledger.Ref, own ledger.Own, m adapters.Mode, b adapters.Bounds, now time.Time) (ledger.Step, time.Duration) {
			change(&b)
			return ledger.Decide(r, own, m, b, now)
		}
	})
}

// sinking puts something between delivery and the native system.
func sinking(f func(p *process, apply applier) applier) func(*world) hooks {
	return func(*world) hooks {
		return hooks{sink: func(p *process, _ *system, s adapters.Sink) adapters.Sink { return f(p, s.Apply) }}
	}
}

type applier func(context.Context, native.Entry) (native.Receipt, error)

func (a applier) Apply(ctx context.Context, e native.Entry) (native.Receipt, error) { return a(ctx, e) }

type finder func(context.Context, native.Reference) ([]native.Receipt, error)

func (f finder) Find(ctx context.Context, r native.Reference) ([]native.Receipt, error) {
	return f(ctx, r)
}

type source func(context.Context, native.Position, int) (adapters.Batch, error)

func (s source) Read(ctx context.Context, p native.Position, n int) (adapters.Batch, error) {
	return s(ctx, p, n)
}

// keyed replaces the keys of ledger records.
func keyed(f func(parts []string) []string) func(*world) hooks {
	return func(*world) hooks {
		return hooks{key: func(k string) string { return strings.Join(f(strings.Split(k, "|")), "|") }}
	}
}

// derived changes what ids are made of.
func derived(label string, more func(w *world, p *process) string) func(*world) hooks {
	return func(w *world) hooks {
		return hooks{derive: func(p *process, l string, parts []string) []string {
			if l == label {
				return append(append([]string{}, parts...), more(w, p))
			}
			return parts
		}}
	}
}

// nothing is a ledger record that changes nothing.
var nothing = []byte(`{"v":1,"kind":"NOTHING"}`)

// folding changes what a view reads.
func folding(f func(w *world, p *process, e entry) []byte) func(*world) hooks {
	return func(w *world) hooks {
		return hooks{fold: func(p *process, _ int32, e entry) entry {
			e.value = f(w, p, e)
			return e
		}}
	}
}

func kindOf(e entry) ledger.Kind {
	kind, _, _ := strings.Cut(e.key, "|")
	return ledger.Kind(kind)
}

func held(e entry) bool {
	return kindOf(e) == ledger.Park && bytes.Contains(e.value, []byte(`"held":true`))
}

// refs remembers which reference an INTENT with a nonce is about.
type refs struct {
	mu sync.Mutex
	of map[string]string
}

func (r *refs) key(k string) string {
	if parts := strings.Split(k, "|"); parts[0] == string(ledger.Intent) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.of[parts[3]] = parts[1]
	}
	return k
}

func (r *refs) ref(nonce string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.of[nonce]
}

var (
	sequenceField = regexp.MustCompile(`"sequence":\d+`)
	caseField     = regexp.MustCompile(`"case":"([^"]+)"`)
)

// crowded makes days on which several gateways work on the same, each with an old view.
func crowded(p *plan) { p.crowd(killed, 0) }

// cleaned makes crowded days on which the ledger is compacted all the time.
func cleaned(p *plan) {
	p.crowd(compacted, 0.9)
	p.lagging, p.trouble, p.open, p.fetchesLate = 0.8, 300*time.Millisecond, 0, true
}

// halted makes crowded days on which gateways are stopped in the middle of what they do.
func halted(p *plan) {
	p.crowd(stopped, 0.8)
	p.trouble = 4 * time.Second
}

func mutants() []mutant {
	return append(append(mutantsOfDecide(), mutantsOfTheLog()...), mutantsOfTheEdges()...)
}

// most is the number of seeds in which every error must be found.
const most = 999

// hunt makes runs until one shows what a mutant breaks.
func (m mutant) hunt(ctx context.Context) (made int, caught *Result) {
	Sweep(ctx, m.options(1), most, func(r Result) bool {
		made++
		if _, broken := m.breaks.in(r); broken {
			caught = &r
		}
		return caught == nil
	})
	return made, caught
}

func (m mutant) options(seed uint64) Options {
	return Options{Seed: seed, Mode: m.mode, plant: m.plant, tune: m.tune}
}

// An error in the protocol does not survive the simulation: each is found in less than 1,000 seeds, by what it breaks, and the seed that found it finds it
// again; without the error the same day ends well.
// Faults 36 and 58.
func TestMutants_EachIsFound(t *testing.T) {
	for _, m := range mutants() {
		t.Run(m.name, func(t *testing.T) {
			made, caught := m.hunt(t.Context())
			require.NotNil(t, caught, "%s: not found in %d seeds", m.what, made)
			require.Equal(t, *caught, Run(m.options(caught.Seed)), "seed %d does not reproduce", caught.Seed)
			require.NotEmpty(t, caught.History)
			without := m.options(caught.Seed)
			without.plant = nil
			require.Empty(t, Run(without).Findings, "the day itself goes wrong, not the error")
			how, _ := m.breaks.in(*caught)
			t.Logf("%s: found after %d seeds: %s", m.what, made, how)
		})
	}
}

func TestMutants_AreTwentyAndMoreAndEachAnother(t *testing.T) {
	names := map[string]bool{}
	for _, m := range mutants() {
		require.NotContains(t, names, m.name)
		names[m.name] = true
	}
	require.GreaterOrEqual(t, len(names), 20)
}
