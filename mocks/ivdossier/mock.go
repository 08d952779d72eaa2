package ivdossier

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	contract "github.com/einmal-hub/einmal/contracts/native/ivdossier"
	"github.com/einmal-hub/einmal/mocks/core"
)

// Options say what a mock is.
type Options struct {
	System handover.SystemID
	// Dir holds the journal; empty: memory only.
	Dir string
	// Folder is the dossier folder; it is made.
	Folder string
	// Organisation is the office; what comes into the folder stands in its dossiers.
	Organisation handover.OrganisationID
	Faults       core.Faults
	// Handmade: staff never use the blank forms.
	Handmade bool
	// Poll is the time between two looks in the background; 0: only Step looks.
	Poll time.Duration
	// Clock tells the time; nil: time.Now.
	Clock func() time.Time
}

// Mock is one mock office. It is safe for concurrent use.
type Mock struct {
	options Options
	store   *core.Store
	dice    *core.Dice
	forms   *contract.Forms
	stop    context.CancelFunc
	started time.Time
	running sync.WaitGroup

	mu      sync.Mutex                 // one look at a time
	folders map[native.CaseKey]string  // of the office's cases; those that einmal has not opened yet have none
	cases   map[string]native.CaseKey  // the other way round
	seen    map[string]bool            // documents that were read, by their place
	read    *core.Notes                // what was read, for the next mock
	still   map[string]time.Time       // case folders in which everything was read, with the time of their last change
	looked  uint64                     // number of the last entry that was looked at for the folder
	waiting []core.Entry               // those of clerks that do not lie there yet, without their contents
	numbers map[string]native.RecordID // what einmal wrote, by the number that stands in the document
	halves  []func() error             // what is finished with the next look
	broken  error                      // a look in the background that failed
}

// New opens a mock and makes the folder. Close must be called. What one that was killed had begun is put right.
func New(o Options) (*Mock, error) {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	forms, err := contract.Load()
	if err != nil {
		return nil, err
	}
	for _, f := range []string{contract.Cases, contract.NewCases} {
		if err := os.MkdirAll(filepath.Join(o.Folder, f), 0o700); err != nil {
			return nil, fmt.Errorf("ivdossier: make the folder: %w", err)
		}
	}
	store, err := core.Open(core.Options{System: o.System, Dir: o.Dir, NewID: newID, Clock: o.Clock})
	if err != nil {
		return nil, err
	}
	m := &Mock{
		options: o, started: o.Clock(), store: store, dice: core.NewDice(o.Faults), forms: forms,
		folders: map[native.CaseKey]string{}, cases: map[string]native.CaseKey{}, seen: map[string]bool{}, still: map[string]time.Time{}, numbers: map[string]native.RecordID{},
	}
	if err := errors.Join(m.restore(), m.remember()); err != nil {
		return nil, errors.Join(err, m.read.Close(), store.Close())
	}
	ctx, stop := context.WithCancel(context.Background())
	m.stop = stop
	if o.Poll > 0 {
		m.running.Go(func() { m.rounds(ctx) })
	}
	return m, nil
}

// newID makes ids as staff number their cases by hand.
func newID(kind string, n uint64) string {
	if kind == "case" {
		return fmt.Sprintf("Dossier-%04d", n)
	}
	return fmt.Sprintf("Dokument-%06d", n)
}

// rounds looks into the folder until ctx ends: at every poll, and at once when a clerk has entered something.
func (m *Mock) rounds(ctx context.Context) {
	t := time.NewTicker(m.options.Poll)
	defer t.Stop()
	for {
		changed := m.store.Watch()
		if err := m.Step(ctx); err != nil && ctx.Err() == nil {
			m.mu.Lock()
			m.broken = err
			m.mu.Unlock()
		}
		select {
		case <-ctx.Done():
			return
		case <-changed:
		case <-t.C:
		}
	}
}

// Store returns the entries.
func (m *Mock) Store() *core.Store { return m.store }

// Dice returns the faults.
func (m *Mock) Dice() *core.Dice { return m.dice }

// Folder returns the folder's name of a case of the office, "" while einmal has not opened it.
func (m *Mock) Folder(of native.CaseKey) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.folders[of]
}

// Close ends the looks and closes the journal. It returns what went wrong in the background. It may be called twice.
func (m *Mock) Close() error {
	m.stop()
	m.running.Wait()
	m.dice.Close()
	m.mu.Lock()
	defer m.mu.Unlock()
	_ = m.read.Close() // what it did not take is read once more
	m.read = nil
	if err := m.store.Close(); m.broken == nil {
		return err
	}
	return m.broken
}

// Handler serves the desk at /desk/ and the control interface at /control/. The native interface is the folder.
func (m *Mock) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/desk/", core.Desk(m.store, m.Validate))
	mux.Handle("/control/", core.Control(m.store, m.dice))
	return mux
}
