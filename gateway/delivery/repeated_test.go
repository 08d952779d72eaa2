package delivery_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/gateway/ledger"
)

// again lets a person have everything that waits sent once more.
func (g *gateway) again(t *testing.T) {
	t.Helper()
	for _, it := range g.ledger.Parked() {
		require.NoError(t, g.ledger.Rule(t.Context(), it, ledger.Decision{Verdict: ledger.Retry, Person: "op", Why: "looked"}, native.Receipt{}))
	}
}

// An unknown outcome that a person has sent once more may be a duplicate, and its reader is told so; what was provably not recorded is not.
func TestWhatIsSentOnceMoreSaysThatItMayBeADuplicate(t *testing.T) {
	keys := newKeys(t)
	for _, c := range []struct {
		fault  string
		marked []bool
	}{{"lost", []bool{false, true}}, {"vanish", []bool{true}}, {"refuse", []bool{false}}} {
		t.Run(c.fault, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, keys, map[handover.SystemID]adapters.Mode{"x": adapters.ModeC})
				x := r.systems["x"]
				x.faults = []string{c.fault}
				g := r.start(0)
				r.publish(envelope("c1", 1, "application-submitted", "sd-kriens"), application())
				elapse(10 * time.Minute)
				require.Len(t, g.ledger.Parked(), 1)
				g.again(t)
				elapse(10 * time.Minute)
				require.Empty(t, g.ledger.Parked())
				require.Equal(t, c.marked, x.marked())
				g.stop()
			})
		})
	}
}

// marked says of each entry in the journal whether it says that it may be a duplicate.
func (s *system) marked() (all []bool) {
	for _, e := range s.journal {
		all = append(all, strings.Contains(string(e.Body), `"remark":"PERHAPS TWICE`))
	}
	return all
}

// What a comparison has missed and a person has sent once more goes by the rules of the mode: never twice where it can be known.
func TestI2_WhatIsMissedAndSentOnceMoreIsRecordedOnce(t *testing.T) {
	keys := newKeys(t)
	for _, c := range []struct {
		name   string
		mode   adapters.Mode
		gone   bool
		calls  int // requests that the ruling leads to
		marked []bool
	}{
		{"A/it has gone", adapters.ModeA, true, 1, []bool{false}},
		{"A/it is there after all", adapters.ModeA, false, 1, []bool{false}},
		{"B/it has gone", adapters.ModeB, true, 1, []bool{true}},
		{"B/it is there after all", adapters.ModeB, false, 0, []bool{false}},
		{"C/a person is asked once more before anything is sent", adapters.ModeC, true, 0, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, keys, map[handover.SystemID]adapters.Mode{"x": c.mode})
				x := r.systems["x"]
				g := r.start(0)
				r.publish(envelope("c1", 1, "application-submitted", "sd-kriens"), application())
				elapse(time.Minute)
				require.Len(t, x.journal, 1)
				ref, before := x.journal[0].Reference, x.calls
				if c.gone {
					x.journal = nil
				}
				e := ledger.Entry{Case: "c1", Message: "c1-1", To: r.to[0], Ref: ref}
				d := ledger.Difference{ID: "d-1", Kind: ledger.DifferenceMissing, Announced: true, System: "x", Found: time.Now()}
				fresh, err := g.ledger.Differ(t.Context(), e, d)
				require.NoError(t, err)
				require.True(t, fresh)
				g.again(t)
				elapse(10 * time.Minute)
				require.Equal(t, c.calls, x.calls-before)
				require.Equal(t, c.marked, x.marked())
				if c.mode == adapters.ModeC {
					require.Equal(t, "outcome-unknown", g.ledger.Parked()[0].Reason.Code)
					g.again(t)
					elapse(10 * time.Minute)
					require.Equal(t, []bool{true}, x.marked())
				}
				require.Empty(t, g.ledger.Parked())
				done, _ := g.ledger.Ref(ref)
				require.True(t, done.Done)
				g.stop()
				again := r.start(1)
				elapse(time.Minute)
				require.Len(t, x.journal, 1, "nor does the next owner send it")
				again.stop()
			})
		})
	}
}
