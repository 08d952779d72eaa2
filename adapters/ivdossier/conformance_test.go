package ivdossier

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/adapters/adaptertest"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	contract "github.com/einmal-hub/einmal/contracts/native/ivdossier"
	"github.com/einmal-hub/einmal/mocks/core"
	mock "github.com/einmal-hub/einmal/mocks/ivdossier"
)

// Staff save here in every way: whole, by halves, as drafts first, and twice.
// Fault 9 among others: something is written between one page and the next.
func TestConformance(t *testing.T) {
	adaptertest.Run(t, driver(core.Faults{Seed: 3, Duplicate: 0.3, Slow: 0.2, Late: 0.2}))
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
	papers  bool // the exchange is about documents
}

type scripted struct {
	fault adaptertest.Fault
	met   chan struct{}
}

func startStage(t adaptertest.T, f core.Faults) *stage {
	t.Helper()
	s := &stage{folder: t.TempDir()}
	layOut(t, s.folder)
	m, err := mock.New(mock.Options{System: "ivdossier", Folder: s.folder, Faults: f, Handmade: true})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, m.Close()) })
	s.mock = m
	e := s.exchange(t, s.folder)
	d, err := e.enter(t.Context(), "test")
	require.NoError(t, err)
	d.close()
	put(t, e)
	s.names = e.names
	return s
}

func (*stage) exchange(t adaptertest.T, folder string) *exchange {
	t.Helper()
	c := defaults()
	c.Folder, c.Organisation = folder, "iv-luzern"
	e, err := newExchange(c, soon)
	require.NoError(t, err)
	e.flush = func(*os.File) error { return nil } // power is another test
	e.zip = quick
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
	system.Source, system.Finder, system.Documents = reader{s, e}, reader{s, e}, papers{s, e}
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

// papers marks exchanges about documents. They may be side by side.
type papers struct {
	stage *stage
	inner *exchange
}

func (p papers) OpenDocument(ctx context.Context, sum string) (io.ReadCloser, error) {
	p.stage.papersNow(true)
	defer p.stage.papersNow(false)
	return p.inner.OpenDocument(ctx, sum)
}

func (p papers) PutDocument(ctx context.Context, d handover.Document, content io.Reader) error {
	p.stage.papersNow(true)
	defer p.stage.papersNow(false)
	return p.inner.PutDocument(ctx, d, content)
}

func (s *stage) papersNow(v bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.papers = v
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
	case s.now == adaptertest.Failed && (op == "link" && strings.HasPrefix(name, entries) || s.papers && strings.HasPrefix(name, kept+"/")):
		return syscall.EIO
	case s.now == adaptertest.LostAnswer && (op == "link" && strings.HasPrefix(name, journal) || s.papers && op == "sync" && name == kept):
		return syscall.EIO
	}
	return nil
}

// Enter implements [adaptertest.Native].
func (s *stage) Enter(n int) (native.RecordID, error) {
	f := facts(uint64(n)) //nolint:gosec // a small number
	f.Documents = nil
	e, err := typed(s.mock, "application-submitted", f, core.Write{})
	if err == nil {
		err = s.mock.Settle(context.Background())
	}
	if err != nil {
		return "", err
	}
	values, err := flatten(e.Body)
	return s.names.entered(e.Kind, "", values), err
}

// Without this the rule about files would hold nothing.
var _ adaptertest.Files = (*stage)(nil)

// EnterByHalves implements [adaptertest.Files]. A file share may show a file with the time at which its author saved it before all of it is there.
func (s *stage) EnterByHalves() (ids []native.RecordID, complete func() error, err error) {
	opened := s.mock.Store().After(0, 1)[0]
	values, err := flatten(opened.Body)
	if err != nil {
		return nil, nil, err
	}
	in := s.names.opened(s.names.entered(opened.Kind, "", values))
	if err := s.mock.Settle(context.Background()); err != nil { // she sees the folder of the case
		return nil, nil, err
	}
	s.mock.Dice().Set(core.Faults{})
	var first string
	for n := range 2 {
		f := facts(uint64(n + 2)) //nolint:gosec // a small number
		f.Documents = nil
		e, err := typed(s.mock, "clarification-answered", f, core.Write{Case: opened.Case})
		if err == nil {
			err = s.mock.Settle(context.Background())
		}
		if err == nil {
			values, err = flatten(e.Body)
		}
		if err != nil {
			return nil, nil, err
		}
		ids = append(ids, s.names.entered(e.Kind, in, values))
		if n == 0 {
			first = filepath.Join(s.folder, contract.Cases, string(in), fmt.Sprintf("%s %06d.xlsx", e.Kind, e.Number))
		}
	}
	b, err := os.ReadFile(first)
	if err != nil {
		return nil, nil, err
	}
	info, err := os.Stat(first)
	if err != nil {
		return nil, nil, err
	}
	write := func(b []byte) error {
		return errors.Join(os.WriteFile(first, b, 0o600), os.Chtimes(first, info.ModTime(), info.ModTime()))
	}
	return ids, func() error { return write(b) }, write(b[:len(b)/2])
}

// Attach implements [adaptertest.Archive].
func (s *stage) Attach(content []byte) error {
	f := facts(1)
	f.Documents = []core.Document{{Name: "Beilage.pdf", MediaType: "application/pdf", Content: content}}
	_, err := typed(s.mock, "application-submitted", f, core.Write{})
	if err == nil {
		err = s.mock.Settle(context.Background())
	}
	return err
}

// Naming implements [adaptertest.Archive].
func (*stage) Naming(n int, in native.CaseKey, d handover.Document) native.Entry {
	f := facts(7)
	f.Documents = []core.Document{{Name: d.Name.Reveal(), MediaType: d.MediaType, Content: make([]byte, d.Size)}}
	name := handover.Name("clarification-answered")
	if in == "" {
		name = "application-submitted"
	}
	kind, body := mock.Compose(name, f)
	e := entry(name, n, in)
	e.Kind, e.Body, e.Documents = kind, bytes.ReplaceAll(body, []byte(f.Documents[0].SHA256()), []byte(d.SHA256)), []handover.Document{d}
	return e
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
