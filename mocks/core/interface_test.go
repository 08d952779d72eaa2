package core_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/mocks/core"
)

// wired is a store behind a small native interface with faults.
type wired struct {
	store *core.Store
	dice  *core.Dice
	url   string
}

func wire(t *testing.T, f core.Faults) wired {
	t.Helper()
	s, d := open(t, core.Options{}), core.NewDice(f)
	next := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil && r.Method == http.MethodPost {
			_, _, err = s.Write(r.Context(), core.Write{By: core.ByInterface, Body: body})
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusTeapot)
			return
		}
		w.WriteHeader(http.StatusCreated)
	})
	reject := func(w http.ResponseWriter) { w.WriteHeader(http.StatusServiceUnavailable) }
	srv := httptest.NewServer(core.Interface(d, func(r *http.Request) bool { return r.Method == http.MethodPost }, reject, next))
	t.Cleanup(func() { srv.Close(); d.Close() })
	return wired{s, d, srv.URL}
}

func (w wired) post(t *testing.T) (status int, cut bool) {
	t.Helper()
	return done(http.Post(w.url, "text/plain", strings.NewReader("x")))
}

func done(r *http.Response, err error) (status int, cut bool) {
	http.DefaultClient.CloseIdleConnections()
	if err != nil {
		return 0, true
	}
	_, _ = io.Copy(io.Discard, r.Body)
	_ = r.Body.Close()
	return r.StatusCode, false
}

func TestInterface_RejectedWriteWritesNothing(t *testing.T) {
	w := wire(t, core.Faults{})
	w.dice.Script(core.OpWrite, core.FaultError, 1)
	status, _ := w.post(t)
	require.Equal(t, http.StatusServiceUnavailable, status)
	require.Zero(t, w.store.Len())
	status, _ = w.post(t)
	require.Equal(t, http.StatusCreated, status)
}

func TestInterface_LostAnswerIsLostAfterTheCommit(t *testing.T) {
	w := wire(t, core.Faults{})
	w.dice.Script(core.OpWrite, core.FaultLostAnswer, 1)
	_, cut := w.post(t)
	require.True(t, cut)
	require.Equal(t, 1, w.store.Len())
}

func TestInterface_ErrorInDoubtWritesAtTimes(t *testing.T) {
	w := wire(t, core.Faults{})
	w.dice.Script(core.OpWrite, core.FaultErrorInDoubt, 60)
	for range 60 {
		status, cut := w.post(t)
		require.False(t, cut)
		require.Equal(t, http.StatusInternalServerError, status)
	}
	require.Positive(t, w.store.Len())
	require.Less(t, w.store.Len(), 60)
}

func TestInterface_LateWriteHappensAfterTheConnectionWasCut(t *testing.T) {
	w := wire(t, core.Faults{LateBy: time.Millisecond})
	changed := w.store.Watch()
	w.dice.Script(core.OpWrite, core.FaultLate, 1)
	_, cut := w.post(t)
	require.True(t, cut)
	<-changed
	require.Equal(t, 1, w.store.Len())
}

func TestInterface_LateWritesAreCarriedOutBeforeCloseReturns(t *testing.T) {
	w := wire(t, core.Faults{LateBy: time.Hour})
	w.dice.Script(core.OpWrite, core.FaultLate, 4)
	client := &http.Client{Timeout: 50 * time.Millisecond}
	for range 4 {
		_, cut := done(client.Post(w.url, "text/plain", strings.NewReader("x")))
		require.True(t, cut)
	}
	client.CloseIdleConnections()
	require.Zero(t, w.store.Len())
	w.dice.Close()
	require.Equal(t, 4, w.store.Len())
}

func TestInterface_HalfAnAnswerIsToldFromAWholeOne(t *testing.T) {
	d := core.NewDice(core.Faults{})
	next := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "0123456789") })
	srv := httptest.NewServer(core.Interface(d, func(*http.Request) bool { return false }, nil, next))
	defer func() { srv.Close(); d.Close() }()
	for _, torn := range []bool{true, false} {
		if torn {
			d.Script(core.OpRead, core.FaultTorn, 1)
		}
		r, err := http.Get(srv.URL)
		require.NoError(t, err)
		b, err := io.ReadAll(r.Body)
		require.NoError(t, r.Body.Close())
		require.Equal(t, torn, err != nil)
		require.Equal(t, map[bool]string{true: "01234", false: "0123456789"}[torn], string(b))
	}
	http.DefaultClient.CloseIdleConnections()
}

func TestInterface_ReadsAreRejectedOrSlowAtMost(t *testing.T) {
	w := wire(t, core.Faults{LostAnswer: 1})
	for _, f := range []core.Fault{core.FaultLostAnswer, core.FaultErrorInDoubt, core.FaultLate} {
		w.dice.Script("", f, 1)
		status, cut := done(http.Get(w.url))
		require.False(t, cut)
		require.Equal(t, http.StatusCreated, status)
	}
	w.dice.Script(core.OpRead, core.FaultError, 1)
	status, _ := done(http.Get(w.url))
	require.Equal(t, http.StatusServiceUnavailable, status)
}

func TestInterface_SlowWriteIsCarriedOutAlthoughTheClientLeft(t *testing.T) {
	w := wire(t, core.Faults{SlowBy: 200 * time.Millisecond})
	w.dice.Script(core.OpWrite, core.FaultSlow, 1)
	changed := w.store.Watch()
	client := &http.Client{Timeout: 20 * time.Millisecond}
	_, cut := done(client.Post(w.url, "text/plain", strings.NewReader("x")))
	client.CloseIdleConnections()
	require.True(t, cut)
	<-changed
}

func TestDice_SameSeedMeansSameFaults(t *testing.T) {
	duplicates := func() (hits []bool) {
		d := core.NewDice(core.Faults{Seed: 3, Duplicate: 0.5})
		defer d.Close()
		for range 64 {
			hits = append(hits, d.Duplicate())
		}
		return hits
	}
	first, second := duplicates(), duplicates()
	require.Equal(t, first, second)
	require.Contains(t, duplicates(), true)
	require.Contains(t, duplicates(), false)
}

func TestDice_ShareOfFaultsFollowsTheProbabilities(t *testing.T) {
	w := wire(t, core.Faults{Seed: 1, Error: 0.2, LostAnswer: 0.2})
	var rejected, cut int
	for range 300 {
		switch status, lost := w.post(t); {
		case lost:
			cut++
		case status == http.StatusServiceUnavailable:
			rejected++
		}
	}
	require.InDelta(t, 60, rejected, 30)
	require.InDelta(t, 60, cut, 30)
	require.Equal(t, 300-rejected, w.store.Len())
}
