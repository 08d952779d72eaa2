package casenet

import (
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/mocks/core"
)

// Options say how a mock CASEnet is set up.
type Options struct {
	// System is the instance's name; it names the journal.
	System handover.SystemID
	// Dir holds the journal; empty: memory only.
	Dir    string
	Faults core.Faults
	// Token is what clients must show; empty: any client is let in.
	Token string
	// Webhook says where and how notifications go.
	Webhook Webhook
	// Clock tells the time; nil: time.Now.
	Clock func() time.Time
}

// Mock is a running CASEnet. It is safe for concurrent use.
type Mock struct {
	options  Options
	store    *core.Store
	dice     *core.Dice
	contract *contract
	notifier *notifier

	mu     sync.Mutex
	locked map[native.CaseKey]bool
}

// New opens the journal and starts the sender of webhooks. Close must be called.
func New(o Options) (*Mock, error) {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	c, err := compile()
	if err != nil {
		return nil, fmt.Errorf("open the mock CASEnet: %w", err)
	}
	n, err := newNotifier(o)
	if err != nil {
		return nil, fmt.Errorf("open the mock CASEnet: %w", err)
	}
	store, err := core.Open(core.Options{System: o.System, Dir: o.Dir, Unique: true, Shared: true, NewID: newID(o.Clock), Clock: o.Clock})
	if err != nil {
		return nil, fmt.Errorf("open the mock CASEnet: %w", err)
	}
	m := &Mock{options: o, store: store, dice: core.NewDice(o.Faults), contract: c, notifier: n, locked: map[native.CaseKey]bool{}}
	n.start(store, m.dice)
	return m, nil
}

// newID makes ids in the platform's style: C-2026-000005, R-2026-000017.
func newID(clock func() time.Time) func(kind string, n uint64) string {
	return func(kind string, n uint64) string {
		letter := "R"
		if kind == "case" {
			letter = "C"
		}
		return fmt.Sprintf("%s-%d-%06d", letter, clock().UTC().Year(), n)
	}
}

// Store returns the mock's records.
func (m *Mock) Store() *core.Store { return m.store }

// Dice returns the mock's faults.
func (m *Mock) Dice() *core.Dice { return m.dice }

// SetWebhookURL changes where notifications go from now on; empty: nowhere.
func (m *Mock) SetWebhookURL(url string) { m.notifier.url.Store(&url) }

// Lock makes the platform refuse records for a case: 409 with the code case-locked.
func (m *Mock) Lock(key native.CaseKey) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.locked[key] = true
}

func (m *Mock) isLocked(key native.CaseKey) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.locked[key]
}

// Handler serves the native interface under /api/, the control interface under /control/ and the clerks' desk under /desk/.
func (m *Mock) Handler() http.Handler {
	api := core.Interface(m.dice, func(r *http.Request) bool { return r.Method != http.MethodGet }, notProcessed, m.api())
	mux := http.NewServeMux()
	mux.Handle("/api/", api)
	mux.Handle("/control/", core.Control(m.store, m.dice))
	mux.Handle("/desk/", core.Desk(m.store, m.typed))
	mux.HandleFunc("GET /desk/cases/{case}/state", m.state)
	return mux
}

// Validate checks what a clerk enters as the contract says; the error names places and codes, never values.
func (m *Mock) Validate(kind native.Kind, body []byte) error {
	fs, err := m.contract.content(kind, body)
	if err != nil {
		return err
	}
	if len(fs) > 0 {
		return fs
	}
	return nil
}

// Close stops the sender, carries out what is still under way and closes the journal. It may be called twice.
func (m *Mock) Close() error {
	m.notifier.close()
	m.dice.Close()
	return m.store.Close()
}
