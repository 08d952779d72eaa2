package klib

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	klibcontract "github.com/einmal-hub/einmal/contracts/native/klib"
	"github.com/einmal-hub/einmal/contracts/native/openapitest"
	"github.com/einmal-hub/einmal/mocks/core"
	mock "github.com/einmal-hub/einmal/mocks/klib"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	token  = "geheimes-token"
	stelle = handover.OrganisationID("sd-kriens")
)

// connect returns a system at an address.
func connect(t *testing.T, url string, change ...func(*Config)) adapters.System {
	t.Helper()
	file := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(file, []byte(token), 0o600))
	c := Factory{}.DefaultConfig().(*Config)
	c.URL, c.TokenFile = url, file
	c.Bounds.Request = 5 * time.Second
	for _, f := range change {
		f(c)
	}
	s, err := Factory{}.New("klib", c)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// play starts a mock behind the watch that holds both sides to the contract.
func play(t *testing.T, o mock.Options) (*mock.Mock, string) {
	t.Helper()
	o.Token = token
	m, err := mock.New(o)
	require.NoError(t, err)
	server := httptest.NewServer(openapitest.Watch(t, klibcontract.OpenAPI(), m.Handler()))
	t.Cleanup(func() {
		server.Close()
		require.NoError(t, m.Close())
	})
	return m, server.URL
}

// facts are without documents, which would have to be put first.
func facts(seed uint64) core.Facts {
	f := core.Invent(rand.New(rand.NewPCG(seed, 2)))
	f.Documents = nil
	return f
}

func application(seed uint64) native.Entry {
	kind, body := mock.Compose("application-submitted", facts(seed))
	return native.Entry{
		Reference: native.Reference(fmt.Sprintf("00000000-0000-4000-8000-%012x", seed)), Kind: kind, Organisation: stelle, Body: body,
		CaseReference: handover.CaseID(fmt.Sprintf("case-%d", seed)),
	}
}

func follow(opened native.Receipt, ref native.Reference) native.Entry {
	return native.Entry{Reference: ref, Kind: "antwort", Case: opened.Case, Organisation: stelle, Body: []byte(`{"antwort":"Ja"}`)}
}

// readAll reads from a position until nothing is new, as the gateway does.
func readAll(t *testing.T, s adapters.Source, from native.Position, limit int) ([]native.Record, native.Position) {
	t.Helper()
	var records []native.Record
	for {
		b, err := s.Read(t.Context(), from, limit)
		require.NoError(t, err)
		require.Empty(t, b.Broken)
		records = append(records, b.Records...)
		if b.Next == from || len(b.Records) == 0 {
			return records, b.Next
		}
		from = b.Next
	}
}

func requireFault(t *testing.T, err error, kind fault.Kind, code string) {
	t.Helper()
	require.Error(t, err)
	require.Equal(t, kind, fault.KindOf(err), "kind of: %v", err)
	require.Equal(t, code, fault.CodeOf(err), "code of: %v", err)
	require.NotContains(t, err.Error(), token)
}

func TestApply_WhatWasWrittenIsReadBackByteForByte(t *testing.T) {
	_, url := play(t, mock.Options{})
	s := connect(t, url)
	e := application(1)
	opened, err := s.Sink.Apply(t.Context(), e)
	require.NoError(t, err)
	appended, err := s.Sink.Apply(t.Context(), follow(opened, "ab-1"))
	require.NoError(t, err)
	require.Equal(t, opened.Case, appended.Case)
	records, _ := readAll(t, s.Source, "", 10)
	require.Len(t, records, 2)
	first := records[0]
	require.Equal(t, opened.Record, first.ID)
	require.Equal(t, e.Reference, first.Reference)
	require.Equal(t, e.CaseReference, first.CaseReference)
	require.Equal(t, stelle, first.Organisation)
	require.Equal(t, e.Kind, first.Kind)
	require.EqualValues(t, 1, first.Sequence)
	require.Equal(t, string(e.Body), string(first.Body))
	require.WithinDuration(t, time.Now(), first.At, time.Minute)
	require.Equal(t, e.CaseReference, records[1].CaseReference, "every entry of the dossier carries the case's reference")
}

func TestApply_ACancellationAndACorrectionComeBackWithWhatTheyAreAbout(t *testing.T) {
	_, url := play(t, mock.Options{})
	s := connect(t, url)
	opened, err := s.Sink.Apply(t.Context(), application(1))
	require.NoError(t, err)
	for i, action := range []handover.Action{handover.ActionCorrection, handover.ActionRecall} {
		e := application(1)
		e.Reference, e.Case, e.Action, e.Refers = native.Reference(fmt.Sprintf("ab-%d", i)), opened.Case, action, opened.Record
		got, err := s.Sink.Apply(t.Context(), e)
		require.NoError(t, err)
		require.Equal(t, opened.Case, got.Case)
		records, _ := readAll(t, s.Source, "", 10)
		require.Equal(t, action, records[i+1].Action)
		require.Equal(t, opened.Record, records[i+1].Refers)
		require.Equal(t, string(e.Body), string(records[i+1].Body))
	}
	wrong := application(1)
	wrong.Case, wrong.Action, wrong.Refers = opened.Case, handover.ActionRecall, "E-0"
	_, err = s.Sink.Apply(t.Context(), wrong)
	requireFault(t, err, fault.Refuse, "bezug-unbekannt")
}

func TestRead_PagesResumesAndRepeats(t *testing.T) {
	m, url := play(t, mock.Options{})
	s := connect(t, url)
	for seed := range uint64(7) {
		_, err := s.Sink.Apply(t.Context(), application(seed))
		require.NoError(t, err)
	}
	all, end := readAll(t, s.Source, "", 3)
	require.Len(t, all, 7)
	first, err := s.Source.Read(t.Context(), "", 3)
	require.NoError(t, err)
	require.True(t, first.More)
	rest, _ := readAll(t, connect(t, url).Source, first.Next, 3)
	require.Equal(t, all, append(first.Records, rest...), "a new process goes on from the position alone")
	_, _, err = m.Store().Write(t.Context(), core.Write{Kind: "antwort", Organisation: stelle, By: core.ByClerk, Body: []byte(`{"antwort":"x"}`)})
	require.NoError(t, err)
	news, _ := readAll(t, s.Source, end, 3)
	require.Len(t, news, 1)
	require.Empty(t, news[0].Reference, "a person entered it")
	require.Empty(t, news[0].CaseReference)
}

func TestRead_DuplicatesAreHandedOnAndNothingIsSkipped(t *testing.T) {
	_, url := play(t, mock.Options{Faults: core.Faults{Seed: 7, Duplicate: 0.5}})
	s := connect(t, url)
	for seed := range uint64(9) {
		_, err := s.Sink.Apply(t.Context(), application(seed))
		require.NoError(t, err)
	}
	records, _ := readAll(t, s.Source, "", 4)
	seen := map[native.RecordID]bool{}
	for _, r := range records {
		seen[r.ID] = true
	}
	require.Len(t, seen, 9)
	require.Greater(t, len(records), 9)
}

// statuses counts answers by status.
type statuses struct {
	sync.Mutex
	by map[int]int
}

func (c *statuses) around(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		recorded := httptest.NewRecorder()
		next.ServeHTTP(recorded, r)
		c.Lock()
		if c.by == nil {
			c.by = map[int]int{}
		}
		c.by[recorded.Code]++
		c.Unlock()
		for name, values := range recorded.Header() {
			w.Header()[name] = values
		}
		w.WriteHeader(recorded.Code)
		_, _ = w.Write(recorded.Body.Bytes())
	})
}

func TestRead_ETagIsUsedOnlyAfterAnEmptyAnswer(t *testing.T) {
	m, err := mock.New(mock.Options{Token: token})
	require.NoError(t, err)
	var count statuses
	server := httptest.NewServer(count.around(m.Handler()))
	t.Cleanup(func() { server.Close(); require.NoError(t, m.Close()) })
	s := connect(t, server.URL)
	opened, err := s.Sink.Apply(t.Context(), application(1))
	require.NoError(t, err)
	for range 3 {
		b, err := s.Source.Read(t.Context(), "", 10)
		require.NoError(t, err)
		require.Len(t, b.Records, 1, "what was not kept is handed over again, every time")
	}
	require.Zero(t, count.by[http.StatusNotModified])
	_, end := readAll(t, s.Source, "", 10)
	for range 2 {
		b, err := s.Source.Read(t.Context(), end, 10)
		require.NoError(t, err)
		require.Equal(t, adapters.Batch{Next: end}, b)
	}
	require.Equal(t, 2, count.by[http.StatusNotModified])
	_, err = s.Sink.Apply(t.Context(), follow(opened, "ab-1"))
	require.NoError(t, err)
	b, err := s.Source.Read(t.Context(), end, 10)
	require.NoError(t, err)
	require.Len(t, b.Records, 1)
}

func TestRead_UnknownMarkStops(t *testing.T) {
	_, url := play(t, mock.Options{})
	_, err := connect(t, url).Source.Read(t.Context(), "m99", 10)
	requireFault(t, err, fault.Stop, "position-unknown")
}

func TestApply_LostAnswerIsDoubtAndFindTells(t *testing.T) {
	m, url := play(t, mock.Options{})
	s := connect(t, url)
	e := application(1)
	m.Dice().Script(core.OpWrite, core.FaultLostAnswer, 1)
	_, err := s.Sink.Apply(t.Context(), e)
	requireFault(t, err, fault.Doubt, "connection-cut")
	found, err := s.Finder.Find(t.Context(), e.Reference)
	require.NoError(t, err)
	require.Len(t, found, 1)
	entry, known := m.Store().Entry(found[0].Record)
	require.True(t, known)
	require.Equal(t, found[0].Case, entry.Case)
}

// Fault 70.
func TestApply_RejectedBeforeAnyWriteIsRetry(t *testing.T) {
	m, url := play(t, mock.Options{})
	s := connect(t, url)
	m.Dice().Script(core.OpWrite, core.FaultError, 1)
	_, err := s.Sink.Apply(t.Context(), application(1))
	requireFault(t, err, fault.Retry, "not-processed")
	found, err := s.Finder.Find(t.Context(), application(1).Reference)
	require.NoError(t, err)
	require.Empty(t, found)
	require.Zero(t, m.Store().Len())
}

func TestApply_ServerErrorIsDoubt(t *testing.T) {
	m, err := mock.New(mock.Options{Token: token})
	require.NoError(t, err)
	server := httptest.NewServer(m.Handler()) // the contract lists no 500; nobody can promise that there is none
	t.Cleanup(func() { server.Close(); require.NoError(t, m.Close()) })
	m.Dice().Script(core.OpWrite, core.FaultErrorInDoubt, 1)
	_, err = connect(t, server.URL).Sink.Apply(t.Context(), application(1))
	requireFault(t, err, fault.Doubt, "status-500")
}

func TestApply_BusinessRefusalNamesFieldsAndNoValues(t *testing.T) {
	_, url := play(t, mock.Options{})
	s := connect(t, url)
	opened, err := s.Sink.Apply(t.Context(), application(1))
	require.NoError(t, err)
	wrong := follow(opened, "ab-1")
	wrong.Body = []byte(`{"antwort":"","neuesFeld":"Hans Muster"}`)
	_, err = s.Sink.Apply(t.Context(), wrong)
	requireFault(t, err, fault.Refuse, "inhalt-ungueltig")
	require.Contains(t, err.Error(), "inhalt.neuesFeld unbekanntes-feld")
	require.NotContains(t, err.Error(), "Muster")
	foreign := follow(opened, "ab-2")
	foreign.Organisation = "sd-emmen"
	_, err = s.Sink.Apply(t.Context(), foreign)
	requireFault(t, err, fault.Refuse, "dossier-fremd")
	unknown := follow(opened, "ab-3")
	unknown.Case = "D-0"
	_, err = s.Sink.Apply(t.Context(), unknown)
	requireFault(t, err, fault.Refuse, "dossier-unbekannt")
}

// Faults 58 and 59.
func TestFind_LagsBehindAndListsDoubles(t *testing.T) {
	var mu sync.Mutex
	now := time.Now()
	m, url := play(t, mock.Options{Faults: core.Faults{LookupLag: time.Second}, Clock: func() time.Time { mu.Lock(); defer mu.Unlock(); return now }})
	s := connect(t, url)
	e := application(1)
	for range 2 {
		_, err := s.Sink.Apply(t.Context(), e)
		require.NoError(t, err)
	}
	found, err := s.Finder.Find(t.Context(), e.Reference)
	require.NoError(t, err)
	require.Empty(t, found, "not in the index now")
	mu.Lock()
	now = now.Add(time.Second)
	mu.Unlock()
	found, err = s.Finder.Find(t.Context(), e.Reference)
	require.NoError(t, err)
	require.Len(t, found, 2, "mode B: the system does not keep references unique")
	require.Equal(t, 2, m.Store().Len())
}

// Fault 60.
func TestFind_FailedSearchIsAnErrorNeverNothing(t *testing.T) {
	m, url := play(t, mock.Options{})
	s := connect(t, url)
	m.Dice().Script(core.OpRead, core.FaultError, 1)
	_, err := s.Finder.Find(t.Context(), "ab-1")
	requireFault(t, err, fault.Retry, "nicht-verarbeitet")
}

func TestPing(t *testing.T) {
	_, url := play(t, mock.Options{Processing: 20 * time.Second, Index: 5 * time.Second})
	require.NoError(t, connect(t, url).Ping(t.Context()))
	err := connect(t, url, func(c *Config) { c.Bounds.Processing = 19 * time.Second }).Ping(t.Context())
	requireFault(t, err, fault.Stop, "bounds")
	require.Contains(t, err.Error(), "set bounds.processing to at least 20s")
	err = connect(t, url, func(c *Config) { c.Bounds.Lookup = time.Second }).Ping(t.Context())
	requireFault(t, err, fault.Stop, "bounds")
	other := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(other, []byte("falsch"), 0o600))
	err = connect(t, url, func(c *Config) { c.TokenFile = other }).Ping(t.Context())
	requireFault(t, err, fault.Stop, "unauthorized")
}

func TestApply_GivesUpWithItsContext(t *testing.T) {
	_, url := play(t, mock.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := connect(t, url).Sink.Apply(ctx, application(1))
	requireFault(t, err, fault.Retry, "cancelled")
}

func TestApply_ManyAtOnceWithFaultsLoseAndDoubleNothingThatIsKnown(t *testing.T) {
	m, err := mock.New(mock.Options{Token: token, Faults: core.Faults{Seed: 5, LostAnswer: 0.2, Error: 0.2, ErrorInDoubt: 0.2}})
	require.NoError(t, err)
	server := httptest.NewServer(m.Handler())
	t.Cleanup(func() { server.Close(); require.NoError(t, m.Close()) })
	s := connect(t, server.URL)
	var wg sync.WaitGroup
	results := make([]error, 60)
	for i := range results {
		wg.Go(func() { _, results[i] = s.Sink.Apply(t.Context(), application(uint64(i))) })
	}
	wg.Wait()
	kinds := map[fault.Kind]int{}
	for i, err := range results {
		stands := len(m.Store().ByReference(application(uint64(i)).Reference, 0))
		require.LessOrEqual(t, stands, 1, "one call is one entry at most")
		switch kind := fault.KindOf(err); {
		case err == nil:
			require.Equal(t, 1, stands, "a receipt is a proof")
		case kind == fault.Retry:
			require.Zero(t, stands, "retry means that nothing was written")
		default:
			require.Equal(t, fault.Doubt, kind, "%v", err)
		}
		kinds[fault.KindOf(err)]++
	}
	require.NotZero(t, kinds[fault.Unclassified])
	require.NotZero(t, kinds[fault.Retry])
	require.NotZero(t, kinds[fault.Doubt])
}
