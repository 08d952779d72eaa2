package klib

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/mocks/core"
	"github.com/go-json-experiment/json"
)

// Options say what a mock is.
type Options struct {
	// System is the name of the instance; empty: "klib".
	System handover.SystemID
	// Dir holds the journal; empty: memory only.
	Dir    string
	Faults core.Faults
	// Token is the bearer token that is demanded; empty: none is.
	Token string
	// Stellen are the organisations with dossiers here; empty: every one.
	Stellen []handover.OrganisationID
	// Processing and Index are the bounds that the status announces; 0: as the faults make them.
	Processing, Index time.Duration
	// Clock tells the time; nil: time.Now.
	Clock func() time.Time
}

// Mock is one KLIB. It is safe for concurrent use.
type Mock struct {
	options  Options
	store    *core.Store
	dice     *core.Dice
	contract *contract
	zone     *time.Location
}

// New opens a mock; Close must be called.
func New(o Options) (*Mock, error) {
	if o.System == "" {
		o.System = "klib"
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	schemas, err := loadContract()
	if err != nil {
		return nil, fmt.Errorf("mocks/klib: %w", err)
	}
	zone, err := time.LoadLocation("Europe/Zurich")
	if err != nil {
		return nil, fmt.Errorf("mocks/klib: %w", err)
	}
	store, err := core.Open(core.Options{System: o.System, Dir: o.Dir, Clock: o.Clock, NewID: func(kind string, n uint64) string {
		return fmt.Sprintf("%s-%d-%06d", map[string]string{"case": "D", "entry": "E"}[kind], o.Clock().In(zone).Year(), n)
	}})
	if err != nil {
		return nil, fmt.Errorf("mocks/klib: %w", err)
	}
	return &Mock{options: o, store: store, dice: core.NewDice(o.Faults), contract: schemas, zone: zone}, nil
}

// Handler serves the native interface, the desk and the control interface.
func (m *Mock) Handler() http.Handler {
	api := http.NewServeMux()
	api.HandleFunc("GET /api/v1/status", m.status)
	api.HandleFunc("GET /api/v1/eintraege", m.list)
	api.HandleFunc("GET /api/v1/eintraege/suche", m.search)
	api.HandleFunc("POST /api/v1/dossiers", m.open)
	api.HandleFunc("POST /api/v1/dossiers/{dossier}/eintraege", m.append)
	api.HandleFunc("GET /api/v1/dokumente/{sha256}", m.document)
	api.HandleFunc("PUT /api/v1/dokumente/{sha256}", m.file)
	isWrite := func(r *http.Request) bool { return r.Method != http.MethodGet }
	mux := http.NewServeMux()
	mux.Handle("/api/v1/", core.Interface(m.dice, isWrite, notProcessed, m.authenticated(api)))
	mux.Handle("/desk/", core.Desk(m.store, m.typed))
	mux.HandleFunc("GET /desk/cases/{case}/state", m.state)
	mux.Handle("/control/", core.Control(m.store, m.dice))
	return mux
}

// Store returns what the mock keeps.
func (m *Mock) Store() *core.Store { return m.store }

// Dice returns the mock's dice, for tests that script faults.
func (m *Mock) Dice() *core.Dice { return m.dice }

// Validate reports whether a content is what the contract describes for its kind. The error names fields and codes, never values.
func (m *Mock) Validate(kind native.Kind, body []byte) error {
	if wrong := m.contract.content(string(kind), body); len(wrong) > 0 {
		return fmt.Errorf("%s: %s", wrong[0].Feld, wrong[0].Code)
	}
	return nil
}

// typed checks what a clerk enters: what einmal alone writes has no place on her screen, and what she names she has attached before.
func (m *Mock) typed(kind native.Kind, body []byte) error {
	if err := m.Validate(kind, body); err != nil {
		return err
	}
	if kind == "vorpruefung" || fuehrungIn(body) != "" {
		return fmt.Errorf("art: %s is written by einmal alone", kind)
	}
	for _, hash := range named(body) {
		if !m.store.HasDocument(hash) {
			return core.ErrNoDocument
		}
	}
	return nil
}

// state shows how the Stelle leads its own procedure in a dossier, in KLIB's words.
func (m *Mock) state(w http.ResponseWriter, r *http.Request) {
	entries, known := m.store.Case(native.CaseKey(r.PathValue("case")))
	if !known {
		refuse(w, http.StatusNotFound, "dossier-unbekannt", nil)
		return
	}
	led := "uneingeschraenkt"
	for _, e := range entries {
		if says := fuehrungIn(e.Body); says != "" {
			led = says
		}
	}
	answer(w, http.StatusOK, map[string]string{"procedure": led})
}

// fuehrungIn returns what a content says of the Stelle's own procedure, or "".
func fuehrungIn(body []byte) string {
	var c struct {
		Verfahrensfuehrung string `json:"verfahrensfuehrung"`
	}
	if json.Unmarshal(body, &c) != nil {
		return ""
	}
	return c.Verfahrensfuehrung
}

// Close carries out what is still to come late and closes the journal. It may be called twice.
func (m *Mock) Close() error {
	m.dice.Close()
	return m.store.Close()
}

// authenticated demands the token.
func (m *Mock) authenticated(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if m.options.Token != "" && r.Header.Get("Authorization") != "Bearer "+m.options.Token {
			refuse(w, http.StatusUnauthorized, "nicht-angemeldet", nil)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (m *Mock) status(w http.ResponseWriter, _ *http.Request) {
	faults := m.dice.Faults()
	processing, index := m.options.Processing, m.options.Index
	if processing == 0 {
		processing = faults.SlowBy + faults.LateBy + 250*time.Millisecond
	}
	if index == 0 {
		index = faults.LookupLag + 50*time.Millisecond
	}
	answer(w, http.StatusOK, status{Vertrag: "klib/1", Grenzen: grenzen{VerarbeitungMS: processing.Milliseconds(), IndexMS: index.Milliseconds()}})
}

// serves reports whether an organisation has dossiers here.
func (m *Mock) serves(stelle handover.OrganisationID) bool {
	for _, s := range m.options.Stellen {
		if s == stelle {
			return true
		}
	}
	return len(m.options.Stellen) == 0
}

// errNoDossier is what the store says of an unknown dossier.
func errNoDossier(err error) bool { return errors.Is(err, core.ErrNoCase) }
