package shelf_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/gateway/ledger"
	"github.com/einmal-hub/einmal/gateway/shelf"
)

// some is a batch of one case and of what belongs to none.
func some(next int64) ledger.Batch {
	b := ledger.Batch{
		Totals: ledger.Totals{Next: []int64{next, 0}, Cases: 1, Messages: 1}, Awake: map[handover.CaseID]bool{"c1": true},
		Running: map[handover.CaseID]ledger.Running{"c1": {Application: ledger.Place{Topic: ledger.OnBus, Offset: 3}, By: "2026-12-01"}},
	}
	for offset := range next {
		r := ledger.Shelved{Stored: ledger.Stored{Offset: offset, At: begin, Value: []byte(`{"v":1,"kind":"BIND","case":"c1","native":"a value that is found in the file"}`)}, Case: "c1", Ties: []string{"mm1"}}
		if offset == 0 {
			r = ledger.Shelved{Stored: ledger.Stored{At: begin, Value: []byte(`{"v":1,"kind":"INSTALL","nonce":"n"}`)}, Base: "INSTALL|n"}
		}
		b.Records = append(b.Records, r)
	}
	return b
}

func opened(t *testing.T, path string, n shelf.Name) *shelf.Shelf {
	t.Helper()
	s, err := shelf.Open(path, n)
	require.NoError(t, err)
	return s
}

func offsets(t *testing.T, s *shelf.Shelf, id handover.CaseID) (all []int64) {
	t.Helper()
	records, _, err := s.Case(id)
	require.NoError(t, err)
	for _, r := range records {
		all = append(all, r.Offset)
	}
	return all
}

func TestAShelfIsThereAgainWhenItIsOpenedAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "shelf")
	s := opened(t, path, name)
	require.NoError(t, s.Put(some(3)))
	require.NoError(t, s.Close())
	s = opened(t, path, name)
	start, err := s.Start()
	require.NoError(t, err)
	require.Equal(t, some(3).Totals, start.Totals)
	require.Equal(t, some(3).Running, start.Running)
	require.Equal(t, []handover.CaseID{"c1"}, start.Awake)
	require.Len(t, start.Base, 1)
	require.EqualValues(t, 2, start.Last[0].Offset)
	require.Equal(t, []int64{1, 2}, offsets(t, s, "c1"))
	owners, err := s.Owners([]string{"mm1", "mm2"})
	require.NoError(t, err)
	require.Equal(t, []handover.CaseID{"c1"}, owners)
	require.NoError(t, s.Empty())
	start, err = s.Start()
	require.NoError(t, err)
	require.Zero(t, start)
	require.NoError(t, s.Close())
}

// An error may come after everything was written: it is given once more then.
func TestI2_WhatIsOnTheShelfIsNotPutThereTwice(t *testing.T) {
	s := opened(t, filepath.Join(t.TempDir(), "shelf"), name)
	require.NoError(t, s.Put(some(3)))
	require.NoError(t, s.Put(some(5)))
	require.Equal(t, []int64{1, 2, 3, 4}, offsets(t, s, "c1"))
	require.NoError(t, s.Close())
}

// What is on a shelf is of one ledger, and was sorted by one program: everybody else finds it empty.
func TestAShelfOfAnotherLedgerOrProgramIsEmpty(t *testing.T) {
	for what, other := range map[string]shelf.Name{
		"cluster": {Build: "b", Cluster: "l", Topic: "t"}, "topic": {Build: "b", Cluster: "k", Topic: "u"}, "program": {Build: "c", Cluster: "k", Topic: "t"},
	} {
		t.Run(what, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "shelf")
			s := opened(t, path, name)
			require.NoError(t, s.Put(some(3)))
			require.NoError(t, s.Close())
			s = opened(t, path, other)
			start, err := s.Start()
			require.NoError(t, err)
			require.Zero(t, start)
			require.Empty(t, offsets(t, s, "c1"))
			require.NoError(t, s.Close())
		})
	}
	require.NotEmpty(t, shelf.Build())
}

func TestAFileThatIsNoShelfBecomesOne(t *testing.T) {
	for what, content := range map[string][]byte{"empty": {}, "text": []byte("not a shelf"), "zeros": make([]byte, 100_000)} {
		t.Run(what, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "shelf")
			require.NoError(t, os.WriteFile(path, content, 0o600))
			s := opened(t, path, name)
			require.NoError(t, s.Put(some(3)))
			require.NoError(t, s.Close())
		})
	}
}

func TestWhereNoShelfCanBeTheErrorSaysSo(t *testing.T) {
	_, err := shelf.Open("/dev/null/shelf", name)
	require.Equal(t, fault.Park, fault.KindOf(err))
	require.Equal(t, "shelf-unusable", fault.CodeOf(err))
	path := filepath.Join(t.TempDir(), "shelf")
	s := opened(t, path, name)
	_, err = shelf.Open(path, name)
	require.Equal(t, "shelf-in-use", fault.CodeOf(err))
	require.NoError(t, s.Put(some(3)), "and its owner goes on")
	require.NoError(t, s.Close())
}

// damage changes a byte of every record with that value.
func damage(t *testing.T, path string) {
	t.Helper()
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Contains(t, string(b), "a value that is found")
	require.NoError(t, os.WriteFile(path, bytes.ReplaceAll(b, []byte("a value that is found"), []byte("a value that is fuond")), 0o600))
}

func TestADamagedRecordIsNeverFolded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "shelf")
	s := opened(t, path, name)
	require.NoError(t, s.Put(some(3)))
	require.NoError(t, s.Close())
	damage(t, path)
	s = opened(t, path, name)
	_, _, err := s.Case("c1")
	require.Equal(t, "shelf-damaged", fault.CodeOf(err))
	require.Equal(t, fault.Stop, fault.KindOf(err))
	require.Error(t, ledger.NewView(2, nil).Resume(s, nil), "what is open is needed at once")
	require.NoError(t, s.Forget())
	require.NoFileExists(t, path)
	require.NoError(t, s.Close())
}

// A file that was cut, wherever, costs a long start: reading behind its end must not end the process, at this start and every other one.
func TestAFileThatWasCutIsNoShelfOrAWholeOne(t *testing.T) {
	path := filepath.Join(t.TempDir(), "shelf")
	s := opened(t, path, name)
	require.NoError(t, s.Put(some(3000)))
	require.NoError(t, s.Close())
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	for n := range 64 {
		require.NoError(t, os.WriteFile(path, whole[:len(whole)*n/64], 0o600))
		s := opened(t, path, name)
		start, err := s.Start()
		if err == nil && len(start.Next) > 0 {
			if records, _, err := s.Case("c1"); err == nil {
				require.Len(t, records, 2999)
			}
		}
		require.NoError(t, s.Close())
	}
}

// failing is a shelf that breaks down when a case is asked for.
type failing struct{ ledger.Shelf }

func (failing) Case(handover.CaseID) ([]ledger.Stored, []handover.CaseID, error) {
	return nil, nil, errors.New("gone")
}

// I2: whoever asked a view whose shelf is gone and were told "nobody knows this reference" would send a second time.
func TestI2_AViewWhoseShelfBreaksDownAnswersNobody(t *testing.T) {
	s := opened(t, filepath.Join(t.TempDir(), "shelf"), name)
	b := some(3)
	b.Awake["c1"] = false
	require.NoError(t, s.Put(b))
	view, broken := ledger.NewView(2, nil), make(chan error, 2)
	require.NoError(t, view.Resume(failing{s}, func(err error) { broken <- err }))
	answered := make(chan struct{}, 2)
	go askForEver(view, answered)
	require.Equal(t, fault.Stop, fault.KindOf(<-broken))
	go askForEver(view, answered)
	require.Never(t, func() bool { return len(answered) > 0 }, 50*time.Millisecond, time.Millisecond)
	require.NoError(t, s.Close())
}

// askForEver asks a view that does not answer; its goroutine goes with the process.
func askForEver(view *ledger.View, answered chan<- struct{}) {
	view.Case("c1")
	answered <- struct{}{}
}
