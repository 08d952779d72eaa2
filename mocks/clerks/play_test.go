package clerks_test

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/mocks/clerks"
	"github.com/einmal-hub/einmal/mocks/core"
)

func TestPlay_EveryStepStandsOnceEverywhere(t *testing.T) {
	v, p := newVillage(t), plan(t, 1, 40)
	v.courier(t, p)
	var last clerks.Progress
	out := v.play(t, clerks.PlayOptions{Plan: p, Progress: func(now clerks.Progress) { last = now }})
	require.Equal(t, clerks.Outcome{Begun: 40, Entered: p.Steps()}, out)
	require.Equal(t, 40, last.HandoversDone)
	require.Equal(t, p.Records(), last.Records)

	proof := clerks.Check(p, v.journals(t), v.systems)
	require.True(t, proof.Once(), proof.Findings)
	require.Equal(t, p.Steps(), proof.Messages)
	require.Equal(t, proof.Expected, proof.Records)
	require.GreaterOrEqual(t, proof.P99, proof.P50)

	urls := map[handover.SystemID]string{}
	for id, s := range v.systems {
		urls[id] = s.URL
	}
	fetched, err := clerks.FetchJournals(t.Context(), http.DefaultClient, urls)
	require.NoError(t, err)
	http.DefaultClient.CloseIdleConnections()
	require.Equal(t, v.journals(t), fetched)
}

// What was begun before there was enough is played to its end, and nothing else: the first handovers of the plan.
func TestPlay_BeginsNothingMoreWhenThereIsEnough(t *testing.T) {
	v, p := newVillage(t), plan(t, 5, 40)
	v.courier(t, p)
	enough := make(chan struct{})
	var once sync.Once
	out := v.play(t, clerks.PlayOptions{Plan: p, Concurrency: 3, Enough: enough, Progress: func(now clerks.Progress) {
		if now.HandoversDone >= 4 {
			once.Do(func() { close(enough) })
		}
	}})
	require.GreaterOrEqual(t, out.Begun, 4)
	require.Less(t, out.Begun, 40)
	p.Handovers = p.Handovers[:out.Begun]
	require.Equal(t, p.Steps(), out.Entered)
	require.True(t, clerks.Check(p, v.journals(t), v.systems).Once())
}

func TestPlay_GoesOnWhereItWasInterrupted(t *testing.T) {
	v, p := newVillage(t), plan(t, 3, 12)
	v.courier(t, p)
	v.play(t, clerks.PlayOptions{Plan: plan(t, 3, 6)})
	require.Equal(t, p.Steps(), v.play(t, clerks.PlayOptions{Plan: p}).Entered)
	require.True(t, clerks.Check(p, v.journals(t), v.systems).Once())
}

func TestPlay_EntersOnceThroughDesksThatFail(t *testing.T) {
	v, p := newVillage(t), plan(t, 4, 8)
	var n atomic.Int64
	v.gate = func(_ handover.SystemID, _ *http.Request) bool { return n.Add(1)%5 != 0 }
	v.courier(t, p)
	v.play(t, clerks.PlayOptions{Plan: p})
	require.True(t, clerks.Check(p, v.journals(t), v.systems).Once())
}

// A clerk who does not know whether her entry stands looks first.
func TestPlay_EntersOnceThroughDesksWhoseAnswersAreLost(t *testing.T) {
	v, p := newVillage(t), plan(t, 4, 8)
	var n, lost atomic.Int64
	v.forgets = func(r *http.Request) bool {
		forgets := r.Method == http.MethodPost && n.Add(1)%3 == 0
		if forgets {
			lost.Add(1)
		}
		return forgets
	}
	v.courier(t, p)
	v.play(t, clerks.PlayOptions{Plan: p})
	require.Positive(t, lost.Load())
	require.True(t, clerks.Check(p, v.journals(t), v.systems).Once())
}

func TestPlay_StopsWhenNothingMovesAndTheCheckSaysWhatIsLost(t *testing.T) {
	v, p := newVillage(t), plan(t, 1, 6)
	v.courier(t, p, "[M0002-01]avam", "[M0002-01]klib", "[M0002-01]casenet", "[M0002-01]tutoris")
	out := v.play(t, clerks.PlayOptions{Plan: p, Quiet: 300 * time.Millisecond})
	require.True(t, out.Stalled)
	proof := clerks.Check(p, v.journals(t), v.systems)
	require.False(t, proof.Once())
	require.Equal(t, 2, proof.Lost)
	require.Equal(t, len(p.Handovers[1].Steps)-1, proof.Unplayed)
	require.Equal(t, p.Steps()-out.Entered, proof.Unplayed)
}

func TestPlay_ClerkActsOnlyOnADossierOfHerOwn(t *testing.T) {
	v, p := newVillage(t), plan(t, 1, 1)
	p.Handovers[0].Steps = p.Handovers[0].Steps[:2]
	wrong := p
	wrong.Handovers = append([]clerks.Handover(nil), p.Handovers...)
	wrong.Handovers[0].Places = []clerks.Place{{System: "klib", Organisation: "sd-elsewhere"}, {System: "avam", Organisation: "rav-elsewhere"}}
	v.courier(t, wrong)
	out := v.play(t, clerks.PlayOptions{Plan: p, Quiet: 300 * time.Millisecond})
	require.True(t, out.Stalled)
	require.Positive(t, clerks.Check(p, v.journals(t), v.systems).Misplaced)
}

func TestPlay_RefusalEndsItsHandoverAndIsReported(t *testing.T) {
	v, p := newVillage(t), plan(t, 1, 2)
	v.courier(t, p)
	systems := maps.Clone(v.systems)
	systems["avam"] = clerks.System{URL: v.systems["avam"].URL, Compose: func(handover.Name, core.Facts) (native.Kind, []byte) { return "x", []byte("\xff") }}
	out, err := clerks.Play(t.Context(), clerks.PlayOptions{Plan: p, Systems: systems, Poll: 5 * time.Millisecond})
	require.ErrorContains(t, err, "[M0001-")
	require.ErrorContains(t, err, "[M0002-")
	require.False(t, out.Stalled)
	require.Less(t, out.Entered, p.Steps())
}

func TestPlay_EndsWithItsContext(t *testing.T) {
	v, p := newVillage(t), plan(t, 1, 3)
	ctx, cancel := context.WithCancel(t.Context())
	_, err := clerks.Play(ctx, clerks.PlayOptions{Plan: p, Systems: v.systems, Poll: time.Millisecond, Progress: func(now clerks.Progress) {
		if now.Entered > 0 {
			cancel()
		}
	}})
	require.ErrorIs(t, err, context.Canceled)
}

func TestPlay_NeedsEverySystemOfThePlan(t *testing.T) {
	_, err := clerks.Play(t.Context(), clerks.PlayOptions{Plan: plan(t, 1, 1)})
	require.ErrorContains(t, err, "needs the system")
}

func TestProof_TableSaysWhatIsWrong(t *testing.T) {
	v, p := newVillage(t), plan(t, 1, 3)
	v.courier(t, p)
	v.play(t, clerks.PlayOptions{Plan: p})
	_, _, err := v.stores["avam"].Write(t.Context(), core.Write{Body: []byte("foreign"), By: core.ByInterface})
	require.NoError(t, err)
	var out bytes.Buffer
	require.NoError(t, clerks.Check(p, v.journals(t), v.systems).Print(&out))
	require.Contains(t, out.String(), "no clerk was to make this entry")
	require.Contains(t, out.String(), "records in avam")
	require.Error(t, clerks.Proof{}.Print(broken{}))
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("no paper") }
