package osiv

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	contract "github.com/einmal-hub/einmal/contracts/native/osiv"
	"github.com/einmal-hub/einmal/mocks/core"
	"github.com/einmal-hub/einmal/mocks/ech0058"
	"github.com/einmal-hub/einmal/mocks/xsd"
)

// Options say what a mock is.
type Options struct {
	System handover.SystemID
	// Dir holds the journal; empty: memory only.
	Dir string
	// Folder is the base of the sedex interface; its four folders are made.
	Folder string
	Faults core.Faults
	// Einmal and OSIV are the sedex participants on the two sides.
	Einmal, OSIV string
	// MessageType is the sedex message type of the exchange.
	MessageType int
	// Poll is the time between two rounds in the background; 0: only Step makes rounds.
	Poll time.Duration
	// Clock tells the time; nil: time.Now.
	Clock func() time.Time
}

// Mock is one mock OSIV with its carrier. It is safe for concurrent use.
type Mock struct {
	options Options
	store   *core.Store
	dice    *core.Dice
	schema  *xsd.Schema
	root    *os.Root
	stop    context.CancelFunc
	running sync.WaitGroup

	mu     sync.Mutex      // one round at a time
	taken  map[string]bool // message ids that the carrier took over since it was started; the journal has the others
	told   *told
	sent   uint64    // number of the last entry that was looked at for the inbox
	last   time.Time // messageDate of the last envelope
	due    []event
	halves []pair
	broken error // a round in the background that failed
}

// event is something that the carrier or the system does at a time.
type event struct {
	at time.Time
	do func(context.Context) error
}

// New opens a mock and makes the folders. Close must be called. What a mock that was killed had begun to put into the inbox is completed, and what it had not told yet is told.
func New(o Options) (*Mock, error) {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	s, err := xsd.Load(contract.Schemas())
	if err != nil {
		return nil, err
	}
	root, err := folders(o.Folder)
	if err != nil {
		return nil, err
	}
	store, err := core.Open(core.Options{System: o.System, Dir: o.Dir, Unique: true, NewID: newID, Clock: o.Clock})
	if err != nil {
		_ = root.Close()
		return nil, err
	}
	m := &Mock{options: o, store: store, dice: core.NewDice(o.Faults), schema: s, root: root, taken: map[string]bool{}}
	if err = m.resume(); err == nil {
		m.told, err = openTold(o.Dir, string(o.System))
	}
	if err != nil {
		return nil, errors.Join(err, store.Close(), root.Close())
	}
	m.sent = m.told.entry
	for e := range store.Heads(0) {
		if e.By == core.ByInterface && !m.told.reports[string(e.Reference)] {
			m.at(0, m.reporting(report{reference: string(e.Reference), record: e.ID, of: e.Case}))
		}
	}
	ctx, stop := context.WithCancel(context.Background())
	m.stop = stop
	if o.Poll > 0 {
		m.running.Go(func() { m.rounds(ctx) })
	}
	return m, nil
}

func folders(base string) (*os.Root, error) {
	for _, f := range []string{contract.Outbox, contract.Inbox, contract.Receipts, contract.Processed} {
		if err := os.MkdirAll(base+"/"+f, 0o700); err != nil {
			return nil, fmt.Errorf("osiv: make the folders of the interface: %w", err)
		}
	}
	root, err := os.OpenRoot(base)
	if err != nil {
		return nil, fmt.Errorf("osiv: open the folders of the interface: %w", err)
	}
	return root, nil
}

// newID makes ids as OSIV would: the year, and a running number.
func newID(kind string, n uint64) string {
	if kind == "case" {
		return fmt.Sprintf("IV.%06d", n)
	}
	return fmt.Sprintf("IVE.%08d", n)
}

// rounds works in the background until ctx ends: at every poll, and at once when a clerk has entered something.
func (m *Mock) rounds(ctx context.Context) {
	t := time.NewTicker(m.options.Poll)
	defer t.Stop()
	for {
		changed := m.store.Watch()
		err := m.Step(ctx)
		m.mu.Lock()
		if err != nil && ctx.Err() == nil {
			m.broken = err
		}
		m.mu.Unlock()
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

// Close ends the rounds, does at once what was to come late, and closes the journal. It returns what went wrong in the background. It may be called twice.
func (m *Mock) Close() error {
	m.stop()
	m.running.Wait()
	m.dice.Close()
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.root != nil {
		if err := m.settle(context.Background(), m.options.Clock().AddDate(100, 0, 0)); err != nil && m.broken == nil {
			m.broken = err
		}
		_ = m.root.Close()
		m.root = nil
		if err := m.told.close(); err != nil && m.broken == nil {
			m.broken = err
		}
	}
	err := m.store.Close()
	if m.broken != nil {
		err = m.broken
	}
	return err
}

// Handler serves the desk at /desk/ and the control interface at /control/. The native interface is the folders.
func (m *Mock) Handler() http.Handler {
	mux := http.NewServeMux()
	screen := ech0058.Screen{
		Store: m.store, Validate: m.typed, Clock: m.options.Clock, Namespace: contract.Namespace, Element: "meldungsrahmen", HeaderNamespace: contract.HeaderNamespace,
		Documents: documents, Procedure: proceedings,
	}
	mux.Handle("/desk/", screen.Handler())
	mux.Handle("/control/", core.Control(m.store, m.dice))
	return mux
}

// Validate checks a content by the contract, as OSIV does before it takes it. The error names the element, never its value.
func (m *Mock) Validate(kind native.Kind, body []byte) error {
	_, err := m.judge(kind, body)
	return err
}

// typed is Validate for what a clerk enters.
func (m *Mock) typed(kind native.Kind, body []byte) error {
	if kind == checkKind {
		return errors.New("the check of an application is not a clerk's")
	}
	return m.Validate(kind, body)
}

// Proceedings returns how the office leads its own proceedings in a case, as the case shows it: "VOLL", "RED", "SIS", or "" when nobody has said so.
func (m *Mock) Proceedings(in native.CaseKey) string {
	entries, _ := m.store.Case(in)
	return frame().State(entries, proceedings)
}

// proceedings is the element that says so.
const proceedings = "verfahrensfuehrung"

// checkKind is the kind that only writers enter.
const checkKind native.Kind = "000122"

// frame is where a content has its message frame.
func frame() ech0058.Frame {
	return ech0058.Frame{Namespace: contract.Namespace, Element: "meldungsrahmen", HeaderNamespace: contract.HeaderNamespace}
}
