package clerks_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/mocks/clerks"
	"github.com/einmal-hub/einmal/mocks/core"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// village is a small world without wire formats: three stores with desks, and a courier who carries entries as a gateway should.
type village struct {
	dir     string
	stores  map[handover.SystemID]*core.Store
	systems map[handover.SystemID]clerks.System
	// gate stands before a desk; nil: open.
	gate func(system handover.SystemID, r *http.Request) bool
}

func newVillage(t *testing.T) *village {
	t.Helper()
	v := &village{dir: t.TempDir(), stores: map[handover.SystemID]*core.Store{}, systems: map[handover.SystemID]clerks.System{}}
	for _, id := range []handover.SystemID{"klib", "avam", "casenet"} {
		s, err := core.Open(core.Options{System: id, Dir: v.dir, Shared: id == "casenet"})
		require.NoError(t, err)
		d := core.NewDice(core.Faults{})
		mux := http.NewServeMux()
		mux.Handle("/desk/", core.Desk(s, func(native.Kind, []byte) error { return nil }))
		mux.Handle("/control/", core.Control(s, d))
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if v.gate != nil && !v.gate(id, r) {
				panic(http.ErrAbortHandler)
			}
			mux.ServeHTTP(w, r)
		}))
		t.Cleanup(func() { srv.Close(); d.Close(); require.NoError(t, s.Close()) })
		v.stores[id] = s
		v.systems[id] = clerks.System{URL: srv.URL, Compose: func(n handover.Name, f core.Facts) (native.Kind, []byte) {
			return native.Kind(string(id) + ":" + string(n)), []byte(f.Remark)
		}}
	}
	return v
}

// courier carries every clerk's entry once to the other systems of its case, until the test ends. except makes it forget.
func (v *village) courier(t *testing.T, p clerks.Plan, except ...string) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() {
		c := courier{village: v, plan: p, except: except, after: map[handover.SystemID]uint64{}, cases: map[handover.SystemID]map[int]native.CaseKey{}}
		for id := range v.stores {
			c.cases[id] = map[int]native.CaseKey{}
		}
		for ctx.Err() == nil {
			klib, avam, casenet := v.stores["klib"].Watch(), v.stores["avam"].Watch(), v.stores["casenet"].Watch()
			if c.round() > 0 {
				continue
			}
			select {
			case <-klib:
			case <-avam:
			case <-casenet:
			case <-ctx.Done():
			}
		}
	})
	t.Cleanup(func() { stop(); done.Wait() })
}

type courier struct {
	*village
	plan   clerks.Plan
	except []string
	after  map[handover.SystemID]uint64
	cases  map[handover.SystemID]map[int]native.CaseKey
}

// round carries what is new and returns how many entries it looked at.
func (c courier) round() int {
	n := 0
	for _, id := range []handover.SystemID{"klib", "avam", "casenet"} {
		for _, e := range c.stores[id].After(c.after[id], 0) {
			c.after[id], n = e.Number, n+1
			if e.By == core.ByClerk {
				c.carry(id, e)
			}
		}
	}
	return n
}

func (c courier) carry(from handover.SystemID, e core.Entry) {
	for _, h := range c.plan.Handovers {
		for i, s := range h.Steps {
			if !strings.HasPrefix(string(e.Body), s.Marker) {
				continue
			}
			if i == 0 {
				c.cases[from][h.Number] = e.Case
			}
			for _, to := range h.Systems {
				if to != from && !c.forgets(s.Marker, to) {
					c.write(h, s, to, e)
				}
			}
		}
	}
}

func (c courier) forgets(marker string, to handover.SystemID) bool {
	for _, x := range c.except {
		if x == marker+string(to) {
			return true
		}
	}
	return false
}

func (c courier) write(h clerks.Handover, s clerks.Step, to handover.SystemID, e core.Entry) {
	kind, body := c.systems[to].Compose(s.Name, s.Facts)
	stood, _, err := c.stores[to].Write(context.Background(), core.Write{
		Case: c.cases[to][h.Number], Kind: kind, Organisation: e.Organisation, Dossier: h.Dossiers[to], By: core.ByInterface,
		Reference: native.Reference(s.Marker), Body: body,
	})
	if err == nil {
		c.cases[to][h.Number] = stood.Case
	}
}

func (v *village) play(t *testing.T, o clerks.PlayOptions) clerks.Outcome {
	t.Helper()
	o.Systems = v.systems
	if o.Poll == 0 {
		o.Poll = 5 * time.Millisecond
	}
	if o.Quiet == 0 {
		o.Quiet = time.Minute
	}
	out, err := clerks.Play(t.Context(), o)
	require.NoError(t, err)
	return out
}

func (v *village) journals(t *testing.T) clerks.Journals {
	t.Helper()
	j, err := clerks.ReadJournals(v.dir)
	require.NoError(t, err)
	return j
}
