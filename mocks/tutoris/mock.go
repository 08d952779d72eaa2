package tutoris

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	contract "github.com/einmal-hub/einmal/contracts/native/tutoris"
	"github.com/einmal-hub/einmal/contracts/strict"
	"github.com/einmal-hub/einmal/mocks/core"
	"github.com/einmal-hub/einmal/mocks/ech0058"
	"github.com/einmal-hub/einmal/mocks/xsd"
)

// Options say what a mock is.
type Options struct {
	System handover.SystemID
	// Dir holds the journal and the key of the SFTP server; empty: memory only, and a new key every time.
	Dir string
	// Folder is what the SFTP server serves as its root; the five folders of the contract are made in it.
	Folder string
	Faults core.Faults
	// Listen is the address of the SFTP server; empty: a free port of the loopback.
	Listen string
	// User, Password and AuthorizedKey (a line as in authorized_keys) are what the SFTP server demands; an empty password or key lets nobody in with one.
	User, Password, AuthorizedKey string
	// Cadence is the time between two nights in the background, each with its morning; 0: only Night and Morning make them. [Mock.SetCadence] changes it.
	Cadence time.Duration
	// Clock tells the time; nil: time.Now.
	Clock func() time.Time
}

// Mock is one mock Tutoris. It is safe for concurrent use.
type Mock struct {
	options Options
	store   *core.Store
	dice    *core.Dice
	schema  *xsd.Schema
	root    *os.Root
	server  *server
	wire    wire
	stop    context.CancelFunc
	cadence chan time.Duration
	ended   <-chan struct{} // nothing is done in the background any more
	running sync.WaitGroup

	mu       sync.Mutex // one night or morning at a time
	receipts []receipt  // for the next result
	later    []delivery // to be recorded in another night
	refusals int        // so many files are refused by a business rule
	run      uint64     // of the last result
	exported uint64     // number of the last entry of a clerk that was exported
	exports  uint64     // run of the last export
	entered  uint64     // number of the last entry that was looked at for an export
	waiting  []entry    // what clerks entered and no export holds yet
	held     []file     // exports that come after the next one
	halves   []file
	files    *core.Notes // the files that lie there whole, each with what it says
	closed   bool
	broken   error // a night in the background that failed
}

// New opens a mock, makes the folders and listens. Close must be called. What stands in the journal and in no result is in the next one.
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
	store, err := core.Open(core.Options{System: o.System, Dir: o.Dir, NewID: newID, Clock: o.Clock})
	if err != nil {
		_ = root.Close()
		return nil, err
	}
	m := &Mock{options: o, store: store, dice: core.NewDice(o.Faults), schema: s, root: root, cadence: make(chan time.Duration)}
	if err = m.restore(); err == nil {
		m.server, err = m.listen()
	}
	if err != nil {
		_, _, _ = root.Close(), store.Close(), m.files.Close()
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	m.stop, m.ended = stop, ctx.Done()
	m.running.Go(func() { m.nights(ctx) })
	m.SetCadence(o.Cadence)
	return m, nil
}

func folders(base string) (*os.Root, error) {
	for _, f := range []string{contract.Inbox, contract.Archive, contract.Results, contract.Outbox, contract.Documents} {
		if err := os.MkdirAll(base+"/"+f, 0o700); err != nil {
			return nil, fmt.Errorf("tutoris: make the folders: %w", err)
		}
	}
	root, err := os.OpenRoot(base)
	if err != nil {
		return nil, fmt.Errorf("tutoris: open the folders: %w", err)
	}
	return root, nil
}

// newID makes ids as Tutoris would.
func newID(kind string, n uint64) string {
	if kind == "case" {
		return fmt.Sprintf("D-%05d", n)
	}
	return fmt.Sprintf("T%07d", n)
}

// nights works in the background until ctx ends.
func (m *Mock) nights(ctx context.Context) {
	t := time.NewTicker(time.Hour)
	defer t.Stop()
	t.Stop() // it runs when somebody says how often
	for {
		select {
		case <-ctx.Done():
			return
		case every := <-m.cadence:
			if t.Stop(); every > 0 {
				t.Reset(every)
			}
			continue
		case <-t.C:
		}
		err := m.Night(ctx)
		if err == nil {
			err = m.Morning(ctx)
		}
		m.mu.Lock()
		if err != nil && ctx.Err() == nil {
			m.broken = err
		}
		m.mu.Unlock()
	}
}

// SetCadence changes the time between two nights in the background; 0: only Night and Morning make them. The next one comes after that time.
func (m *Mock) SetCadence(every time.Duration) {
	select {
	case m.cadence <- every:
	case <-m.ended:
	}
}

// Store returns the entries.
func (m *Mock) Store() *core.Store { return m.store }

// Dice returns the faults.
func (m *Mock) Dice() *core.Dice { return m.dice }

// Address returns where the SFTP server listens.
func (m *Mock) Address() string { return m.server.listener.Addr().String() }

// KnownHost returns the server's line for a known_hosts file.
func (m *Mock) KnownHost() string { return m.server.knownHost() }

// Close ends the nights and the server and closes the journal. It returns what went wrong in the background. It may be called twice.
func (m *Mock) Close() error {
	m.stop()
	m.running.Wait()
	m.dice.Close()
	m.server.close()
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.closed {
		m.closed = true
		if err := m.finish(); err != nil && m.broken == nil {
			m.broken = err
		}
		_ = m.root.Close()
		_ = m.files.Close() // what it did not take is found out once more
	}
	err := m.store.Close()
	if m.broken != nil {
		err = m.broken
	}
	return err
}

// finish does what was to come late, so that nothing is lost with the mock.
func (m *Mock) finish() error {
	for _, d := range m.later {
		if err := m.record(context.Background(), d, true); err != nil {
			return err
		}
	}
	m.later = nil
	if err := m.results(); err != nil {
		return err
	}
	for _, f := range append(m.halves, m.held...) {
		if err := m.put(f); err != nil {
			return err
		}
	}
	m.halves, m.held = nil, nil
	return nil
}

// Refuse makes a business rule refuse the next files that are read, so many.
func (m *Mock) Refuse(times int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.refusals += times
}

// Handler serves the desk at /desk/ and the control interface at /control/, with POST /control/night, POST /control/morning, PUT /control/cadence {"ms"} (the time between two nights in the background; 0: none), POST /control/refuse (the next file) and POST /control/wire {"fault","times"} beside that of
// mocks/core. The native interface is SFTP.
func (m *Mock) Handler() http.Handler {
	mux := http.NewServeMux()
	screen := ech0058.Screen{
		Store: m.store, Validate: m.typed, Clock: m.options.Clock, Namespace: contract.Namespace, Element: "kopf", HeaderNamespace: contract.HeaderNamespace,
		Documents: documents, Procedure: proceedings,
	}
	mux.Handle("/desk/", screen.Handler())
	mux.Handle("/control/", core.Control(m.store, m.dice))
	mux.HandleFunc("DELETE /control/documents/{hash}", m.loseByHTTP)
	mux.HandleFunc("PUT /control/cadence", m.cadenceByHTTP)
	mux.HandleFunc("POST /control/night", m.round(m.Night))
	mux.HandleFunc("POST /control/morning", m.round(m.Morning))
	mux.HandleFunc("POST /control/refuse", m.round(func(context.Context) error { m.Refuse(1); return nil }))
	mux.HandleFunc("POST /control/wire", m.breakByHTTP)
	return mux
}

func (m *Mock) cadenceByHTTP(w http.ResponseWriter, r *http.Request) {
	var in struct {
		MS int `json:"ms"`
	}
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, strict.MaxBytes))
	if err == nil {
		err = strict.JSON(b, &in)
	}
	if longest := int(24 * time.Hour / time.Millisecond); err != nil || in.MS < 0 || in.MS > longest {
		http.Error(w, "ms is from 0 to a day", http.StatusUnprocessableEntity)
		return
	}
	m.SetCadence(time.Duration(in.MS) * time.Millisecond)
	w.WriteHeader(http.StatusNoContent)
}

func (m *Mock) round(do func(context.Context) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := do(r.Context()); err != nil {
			http.Error(w, "the round failed", http.StatusInternalServerError)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}
}

// Validate checks a content by the contract, as Tutoris does before it takes it. The error names the element, never its value.
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

// Proceedings returns how the service leads its own proceedings in a case, as the case shows it: "voll", "reduziert", "sistiert", or "" when nobody has said so.
func (m *Mock) Proceedings(in native.CaseKey) string {
	entries, _ := m.store.Case(in)
	return frame().State(entries, proceedings)
}

// proceedings is the element that says so.
const proceedings = "verfahrensfuehrung"

// checkKind is the kind that only writers enter.
const checkKind native.Kind = "TU22"

// frame is where a content has its message frame.
func frame() ech0058.Frame {
	return ech0058.Frame{Namespace: contract.Namespace, Element: "kopf", HeaderNamespace: contract.HeaderNamespace}
}
