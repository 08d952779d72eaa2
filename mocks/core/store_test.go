package core_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/mocks/core"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t *testing.T, o core.Options) *core.Store {
	t.Helper()
	if o.System == "" {
		o.System = "klib"
	}
	s, err := core.Open(o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func write(t *testing.T, s *core.Store, w core.Write) core.Entry {
	t.Helper()
	e, _, err := s.Write(t.Context(), w)
	require.NoError(t, err)
	return e
}

func TestStore_OpeningWriteGivesTheCaseItsDossierAndReference(t *testing.T) {
	s := open(t, core.Options{})
	first := write(t, s, core.Write{Kind: "anmeldung", Organisation: "sd-kriens", CaseReference: "c-1", Reference: "r-1", By: core.ByInterface, Body: []byte("ä")})
	second := write(t, s, core.Write{Case: first.Case, Kind: "notiz", Organisation: "sd-emmen", By: core.ByClerk})
	require.Equal(t, native.CaseKey("case-1"), first.Case)
	require.EqualValues(t, 1, first.Sequence)
	require.EqualValues(t, 2, second.Sequence)
	require.EqualValues(t, "sd-kriens", second.Dossier)
	require.EqualValues(t, "c-1", second.CaseReference)
	require.Empty(t, second.Reference)
	got, ok := s.Case(first.Case)
	require.True(t, ok)
	require.Equal(t, []core.Entry{first, second}, got)
}

func TestStore_SharedPlatformHasNoDossier(t *testing.T) {
	s := open(t, core.Options{Shared: true})
	require.Empty(t, write(t, s, core.Write{Organisation: "sd-kriens"}).Dossier)
}

func TestStore_UnknownCaseIsRefusedAndLeavesNoTrace(t *testing.T) {
	s := open(t, core.Options{Dir: t.TempDir()})
	_, _, err := s.Write(t.Context(), core.Write{Case: "case-9"})
	require.ErrorIs(t, err, core.ErrNoCase)
	require.Zero(t, s.Len())
	require.EqualValues(t, 1, write(t, s, core.Write{}).Number)
}

func TestStore_TextThatIsNotUTF8IsRefused(t *testing.T) {
	s := open(t, core.Options{})
	for _, w := range []core.Write{{Body: []byte("\xff")}, {Kind: "\xff"}, {Reference: "\xff"}, {Organisation: "\xff"}} {
		_, _, err := s.Write(t.Context(), w)
		require.ErrorIs(t, err, core.ErrNotText)
	}
	require.EqualValues(t, 1, write(t, s, core.Write{}).Number)
}

func TestStore_UniqueReferenceJoins(t *testing.T) {
	s := open(t, core.Options{Unique: true})
	var joined sync.WaitGroup
	for range 50 {
		joined.Go(func() { _, _, _ = s.Write(context.Background(), core.Write{Reference: "r-1"}) })
	}
	joined.Wait()
	e, existed, err := s.Write(t.Context(), core.Write{Reference: "r-1"})
	require.NoError(t, err)
	require.True(t, existed)
	require.EqualValues(t, 1, e.Number)
	require.Equal(t, 1, s.Len())
	write(t, s, core.Write{})
	write(t, s, core.Write{})
	require.Equal(t, 3, s.Len(), "no reference joins nothing")
}

func TestStore_ModeBRecordsTheSameReferenceTwice(t *testing.T) {
	s := open(t, core.Options{})
	write(t, s, core.Write{Reference: "r-1"})
	write(t, s, core.Write{Reference: "r-1"})
	require.Len(t, s.ByReference("r-1", 0), 2)
}

func TestStore_SearchLagsBehind(t *testing.T) {
	now := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	s := open(t, core.Options{Clock: func() time.Time { return now }})
	write(t, s, core.Write{Reference: "r-1"})
	require.Empty(t, s.ByReference("r-1", time.Second))
	now = now.Add(time.Second)
	require.Len(t, s.ByReference("r-1", time.Second), 1)
}

func TestStore_JournalHoldsEveryAnsweredWriteInOrder(t *testing.T) {
	dir := t.TempDir()
	s := open(t, core.Options{Dir: dir, Unique: true})
	var writers sync.WaitGroup
	for range 40 {
		writers.Go(func() {
			first, _, err := s.Write(context.Background(), core.Write{Body: []byte("a\nb")})
			if err != nil {
				return
			}
			for range 5 {
				_, _, _ = s.Write(context.Background(), core.Write{Case: first.Case, By: core.ByClerk})
			}
		})
	}
	writers.Wait()
	want := s.After(0, 0)
	require.Len(t, want, 240)
	require.NoError(t, s.Close())

	again := open(t, core.Options{Dir: dir})
	require.Equal(t, want, again.After(0, 0))
	e := write(t, again, core.Write{})
	require.EqualValues(t, 241, e.Number)
	require.EqualValues(t, "case-41", e.Case)
}

func TestStore_TornLastLineIsCutOff(t *testing.T) {
	dir := t.TempDir()
	s := open(t, core.Options{Dir: dir})
	kept := write(t, s, core.Write{Body: []byte("whole")})
	require.NoError(t, s.Close())
	file := filepath.Join(dir, core.JournalName("klib"))
	b, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, append(b, b[:20]...), 0o600))

	again := open(t, core.Options{Dir: dir})
	require.Equal(t, []core.Entry{kept}, again.After(0, 0))
	require.EqualValues(t, 2, write(t, again, core.Write{}).Number)
	require.NoError(t, again.Close())
	b, err = os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, 2, strings.Count(string(b), "\n"))
}

func TestStore_DamagedJournalIsNotOpened(t *testing.T) {
	dir := t.TempDir()
	s := open(t, core.Options{Dir: dir})
	write(t, s, core.Write{})
	require.NoError(t, s.Close())
	file := filepath.Join(dir, core.JournalName("klib"))
	b, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, append(b, b...), 0o600))
	_, err = core.Open(core.Options{System: "klib", Dir: dir})
	require.ErrorContains(t, err, "entry 1 stands where 2 belongs")
}

func TestStore_AfterCloseNothingIsWritten(t *testing.T) {
	s := open(t, core.Options{})
	require.NoError(t, s.Close())
	_, _, err := s.Write(t.Context(), core.Write{})
	require.ErrorIs(t, err, core.ErrClosed)
}

func TestStore_WatchTellsOfTheNextCommit(t *testing.T) {
	s := open(t, core.Options{})
	changed := s.Watch()
	select {
	case <-changed:
		t.Fatal("nothing was written")
	default:
	}
	write(t, s, core.Write{})
	<-changed
}

func TestStore_AfterPages(t *testing.T) {
	s := open(t, core.Options{})
	for range 5 {
		write(t, s, core.Write{})
	}
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(1, 6).Draw(t, "limit")
		var after uint64
		for page := s.After(after, limit); len(page) > 0; page = s.After(after, limit) {
			for _, e := range page {
				require.Equal(t, after+1, e.Number)
				after = e.Number
			}
		}
		require.EqualValues(t, 5, after)
	})
}

func FuzzReadJournal(f *testing.F) {
	f.Add([]byte(`{"number":1,"id":"a","case":"b","sequence":1,"kind":"k","organisation":"o","dossier":"d","caseReference":"","reference":"","by":"clerk","at":"2026-01-01T00:00:00Z","body":"x"}` + "\n"))
	f.Add([]byte("{\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		entries, whole, err := core.ReadJournal(strings.NewReader(string(b)))
		if err == nil {
			require.LessOrEqual(t, whole, int64(len(b)))
			require.LessOrEqual(t, len(entries), len(b))
		}
	})
}
