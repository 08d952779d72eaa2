package osiv

import (
	"bytes"
	"context"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/adapters/adaptertest"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/mocks/core"
	mock "github.com/einmal-hub/einmal/mocks/osiv"
)

// Fault 9 among others: something is written between one page and the next.
func TestConformance(t *testing.T) { adaptertest.Run(t, driver(core.Faults{})) }

// Here every pair may come twice, be written by halves, or have a receipt or a report that comes late.
func TestConformance_WithACarrierThatMisbehaves(t *testing.T) {
	adaptertest.Run(t, driver(core.Faults{Seed: 3, Duplicate: 0.4, Slow: 0.3, LostAnswer: 0.3, Late: 0.2, SlowBy: time.Minute, LateBy: time.Hour}))
}

func driver(f core.Faults) adaptertest.Driver {
	return adaptertest.Driver{
		Start:   func(t adaptertest.T) adaptertest.Native { return startStage(t, f) },
		Secrets: []string{canary, facts(1).Person.AHV},
		Lacks: []adaptertest.Fault{
			adaptertest.Rejected, adaptertest.Failed, adaptertest.LostAnswer, adaptertest.Late, adaptertest.Torn, adaptertest.Endless, adaptertest.Silent,
			adaptertest.Redirected, adaptertest.Lagging, adaptertest.Forbidden, adaptertest.Doubled,
		},
	}
}

// stage is a mock behind folders.
type stage struct {
	mock   *mock.Mock
	folder string
}

func startStage(t adaptertest.T, f core.Faults) *stage {
	t.Helper()
	s := &stage{folder: t.TempDir()}
	m, err := mock.New(mock.Options{
		System: "osiv", Folder: s.folder, Einmal: "T3-CH-1", OSIV: "T6-100001-1", MessageType: 2000100, Faults: f,
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, m.Close()) })
	s.mock = m
	return s
}

// Connect implements [adaptertest.Native].
func (s *stage) Connect(_ adaptertest.T, how adaptertest.Connection) adapters.System {
	c := defaults()
	c.Folder, c.Sender, c.Recipient, c.MessageType = s.folder, "T3-CH-1", "T6-100001-1", 2000100
	if how == adaptertest.Unreachable {
		c.Folder += "/nowhere"
	}
	system := connect(c, time.Now)
	for _, d := range facts(7).Documents {
		_ = system.Documents.PutDocument(context.Background(), documentOf(d), bytes.NewReader(d.Content)) // what cannot be reached has none
	}
	return system
}

// Enter implements [adaptertest.Native]; what is written by halves is whole after another round.
func (s *stage) Enter(n int) (native.RecordID, error) {
	e, err := s.clerk("application-submitted", n, "")
	if err == nil {
		err = s.Carry()
	}
	return e.ID, err
}

// clerk enters what is sent with the next round.
func (s *stage) clerk(name handover.Name, n int, in native.CaseKey) (core.Entry, error) {
	f := facts(uint64(n)) //nolint:gosec // a small number
	kind, body := mock.Compose(name, f)
	for _, d := range f.Documents {
		if err := s.mock.Store().PutDocument(d.SHA256(), bytes.NewReader(d.Content)); err != nil {
			return core.Entry{}, err
		}
	}
	e, _, err := s.mock.Store().Write(context.Background(), core.Write{
		Kind: kind, Case: in, Organisation: "iv-luzern", Documents: core.Hashes(f.Documents), By: core.ByClerk, Body: body,
	})
	return e, err
}

// Without this the rule about files would hold nothing.
var _ adaptertest.Files = (*stage)(nil)

// EnterByHalves implements [adaptertest.Files]. One round sends both, and the carrier is slow with the first.
func (s *stage) EnterByHalves() (ids []native.RecordID, complete func() error, err error) {
	in := s.mock.Store().After(0, 1)[0].Case
	for n := range 2 {
		e, err := s.clerk("clarification-answered", n+2, in)
		if err != nil {
			return nil, nil, err
		}
		ids = append(ids, e.ID)
	}
	s.mock.Dice().Script(core.OpEvent, core.FaultSlow, 1)
	return ids, s.Carry, s.mock.Step(context.Background())
}

// Entry implements [adaptertest.Native].
func (*stage) Entry(n int, in native.CaseKey) native.Entry {
	if in == "" {
		return entry("application-submitted", n, in)
	}
	return entry("clarification-answered", n, in)
}

// Attach implements [adaptertest.Archive].
func (s *stage) Attach(content []byte) error {
	f := facts(1)
	f.Documents = []core.Document{{Name: "Beilage", MediaType: "application/pdf", Content: content}}
	kind, body := mock.Compose("application-submitted", f)
	if err := s.mock.Store().PutDocument(f.Documents[0].SHA256(), bytes.NewReader(content)); err != nil {
		return err
	}
	_, _, err := s.mock.Store().Write(context.Background(), core.Write{
		Kind: kind, Organisation: "iv-luzern", Documents: core.Hashes(f.Documents), By: core.ByClerk, Body: body,
	})
	if err == nil {
		err = s.Carry()
	}
	return err
}

// Naming implements [adaptertest.Archive]. What the document holds is the business of the test.
func (s *stage) Naming(n int, in native.CaseKey, d handover.Document) native.Entry {
	e := s.Entry(n, in)
	for _, old := range e.Documents {
		e.Body = bytes.ReplaceAll(e.Body, []byte(old.SHA256), []byte(d.SHA256))
		e.Body = bytes.ReplaceAll(e.Body, []byte(">"+strconv.FormatInt(old.Size, 10)+"<"), []byte(">"+strconv.FormatInt(d.Size, 10)+"<"))
	}
	e.Documents = []handover.Document{d}
	return e
}

// Count implements [adaptertest.Native].
func (s *stage) Count(ref native.Reference) int { return len(s.mock.Store().ByReference(ref, 0)) }

// Script implements [adaptertest.Native]; the wire has no exchanges that could go wrong.
func (s *stage) Script(f adaptertest.Fault) <-chan struct{} {
	if f == adaptertest.Forgotten {
		s.mock.Dice().Script(core.OpWrite, core.FaultErrorInDoubt, 1)
	}
	return nil
}

// Carry implements [adaptertest.Carrier].
func (s *stage) Carry() error { return s.mock.Settle(context.Background()) }
