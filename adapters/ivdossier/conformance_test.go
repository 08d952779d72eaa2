package ivdossier

import (
	"context"
	"io/fs"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/adapters/adaptertest"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/mocks/core"
	mock "github.com/einmal-hub/einmal/mocks/ivdossier"
)

func TestConformance(t *testing.T) { adaptertest.Run(t, driver(core.Faults{})) }

// Here documents are saved by halves, as drafts first, and twice.
func TestConformance_WithStaffWhoSaveInEveryWay(t *testing.T) {
	adaptertest.Run(t, driver(core.Faults{Seed: 3, Duplicate: 0.4, Slow: 0.3, Late: 0.3}))
}

// A folder has no requests that hang, no answers that are cut, and no index of its own; what the file system can do wrong is scripted.
func driver(f core.Faults) adaptertest.Driver {
	return adaptertest.Driver{
		Start:   func(t adaptertest.T) adaptertest.Native { return startStage(t, f) },
		Secrets: []string{canary, facts(1).Person.AHV}, ActionInContent: true,
		Lacks: []adaptertest.Fault{
			adaptertest.Late, adaptertest.Torn, adaptertest.Endless, adaptertest.Silent, adaptertest.Redirected, adaptertest.Lagging,
		},
	}
}

// stage is an office behind its folder.
type stage struct {
	mock   *mock.Mock
	folder string
	names  namer

	mu      sync.Mutex
	script  []scripted
	now     adaptertest.Fault // of the exchange that is under way
	reading bool
}

type scripted struct {
	fault adaptertest.Fault
	met   chan struct{}
}

func startStage(t adaptertest.T, f core.Faults) *stage {
	t.Helper()
	s := &stage{folder: t.TempDir()}
	m, err := mock.New(mock.Options{System: "ivdossier", Folder: s.folder, Faults: f})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, m.Close()) })
	s.mock = m
	e := s.exchange(t, s.folder)
	_, err = e.Read(t.Context(), "", 1)
	require.NoError(t, err)
	s.names = e.names
	return s
}

func (*stage) exchange(t adaptertest.T, folder string) *exchange {
	t.Helper()
	c := defaults()
	c.Folder, c.Organisation = folder, "iv-luzern"
	e, err := newExchange(c, time.Now)
	require.NoError(t, err)
	return e
}

// Connect implements [adaptertest.Native].
func (s *stage) Connect(t adaptertest.T, how adaptertest.Connection) adapters.System {
	t.Helper()
	folder := s.folder
	if how == adaptertest.Unreachable {
		folder += "/nowhere"
	}
	e := s.exchange(t, folder)
	e.meet = s.meet
	if how == adaptertest.WrongCredentials {
		e.meet = func(string, string) error { return fs.ErrPermission }
	}
	system := e.system()
	system.Source, system.Finder = reader{s, e}, reader{s, e}
	return system
}

// reader marks exchanges that only read.
type reader struct {
	stage *stage
	inner *exchange
}

func (r reader) Read(ctx context.Context, after native.Position, limit int) (adapters.Batch, error) {
	r.stage.readsNow(true)
	defer r.stage.readsNow(false)
	return r.inner.Read(ctx, after, limit)
}

func (r reader) Find(ctx context.Context, ref native.Reference) ([]native.Receipt, error) {
	r.stage.readsNow(true)
	defer r.stage.readsNow(false)
	return r.inner.Find(ctx, ref)
}

func (s *stage) readsNow(v bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reading = v
}

// meet lets the file system fail in the exchange that a fault was scripted for.
func (s *stage) meet(op, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if op == "open" {
		s.now = ""
		if len(s.script) > 0 {
			s.now = s.script[0].fault
			close(s.script[0].met)
			s.script = s.script[1:]
		}
	}
	switch {
	case s.now == adaptertest.Rejected && op == "draft", s.now == adaptertest.Failed && s.reading && op == "list":
		return syscall.EIO
	case s.now == adaptertest.Failed && op == "link" && strings.HasPrefix(name, entries):
		return syscall.EIO
	case s.now == adaptertest.LostAnswer && op == "link" && strings.HasPrefix(name, journal):
		return syscall.EIO
	}
	return nil
}

// Enter implements [adaptertest.Native].
func (s *stage) Enter(n int) (native.RecordID, error) {
	kind, body := mock.Compose("application-submitted", facts(uint64(n))) //nolint:gosec // a small number
	_, _, err := s.mock.Store().Write(context.Background(), core.Write{Kind: kind, Organisation: "iv-luzern", By: core.ByClerk, Body: body})
	if err == nil {
		err = s.mock.Settle(context.Background())
	}
	if err != nil {
		return "", err
	}
	values, err := flatten(body)
	return s.names.entered(kind, "", values), err
}

// Entry implements [adaptertest.Native].
func (*stage) Entry(n int, in native.CaseKey) native.Entry {
	if in == "" {
		return entry("application-submitted", n, in)
	}
	return entry("clarification-answered", n, in)
}

// Count implements [adaptertest.Native]: it counts the documents that staff see.
func (s *stage) Count(ref native.Reference) int {
	if err := s.mock.Settle(context.Background()); err != nil {
		panic(err)
	}
	return len(s.mock.Store().ByReference(ref, 0))
}

// Script implements [adaptertest.Native].
func (s *stage) Script(f adaptertest.Fault) <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	met := make(chan struct{})
	s.script = append(s.script, scripted{f, met})
	return met
}
