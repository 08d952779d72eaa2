package avam

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	contract "github.com/einmal-hub/einmal/contracts/native/avam"
	"github.com/einmal-hub/einmal/mocks/core"
	"github.com/einmal-hub/einmal/mocks/ech0058"
	"github.com/einmal-hub/einmal/mocks/xsd"
)

// Path is where the SOAP service answers.
const Path = "/soap"

// Options say what a mock is.
type Options struct {
	System handover.SystemID
	// Dir holds the journal; empty: memory only.
	Dir    string
	Faults core.Faults
	// Username and Password are the credentials of the interface; both empty: everybody is let in.
	Username, Password string
	// Clock tells the time; nil: time.Now.
	Clock func() time.Time
}

// Mock is one mock AVAM. It is safe for concurrent use.
type Mock struct {
	options Options
	store   *core.Store
	dice    *core.Dice
	schema  *xsd.Schema
	// repeated holds the numbers of the entries that came twice already: a duplicate is one too many, not a stream that stands still.
	repeated sync.Map
}

// New opens a mock. Close must be called.
func New(o Options) (*Mock, error) {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	s, err := xsd.Load(contract.Schemas())
	if err != nil {
		return nil, err
	}
	store, err := core.Open(core.Options{System: o.System, Dir: o.Dir, NewID: newID, Clock: o.Clock})
	if err != nil {
		return nil, err
	}
	return &Mock{options: o, store: store, dice: core.NewDice(o.Faults), schema: s}, nil
}

// newID makes ids as AVAM would: a letter for what it is, and a running number.
func newID(kind string, n uint64) string {
	if kind == "case" {
		return fmt.Sprintf("D%08d", n)
	}
	return fmt.Sprintf("E%010d", n)
}

// Store returns the entries.
func (m *Mock) Store() *core.Store { return m.store }

// Dice returns the faults.
func (m *Mock) Dice() *core.Dice { return m.dice }

// Close carries out what is still to come late and closes the journal. It may be called twice.
func (m *Mock) Close() error {
	m.dice.Close()
	return m.store.Close()
}

// Handler serves the SOAP service at [Path], its WSDL and schemas below it, the desk at /desk/ and the control interface at /control/.
func (m *Mock) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("POST "+Path, core.Interface(m.dice, writes, m.reject, http.HandlerFunc(m.soap)))
	mux.Handle("GET "+Path+"/", http.StripPrefix(Path+"/", http.FileServerFS(contract.Schemas())))
	screen := ech0058.Screen{
		Store: m.store, Validate: m.typed, Clock: m.options.Clock, Namespace: contract.Namespace, Element: "deliveryHeader", HeaderNamespace: contract.HeaderNamespace,
		Documents: documents, Procedure: proceedings,
	}
	mux.Handle("/desk/", screen.Handler())
	mux.Handle("/control/", core.Control(m.store, m.dice))
	return mux
}

// writes tells the operations that have an effect.
func writes(r *http.Request) bool {
	action := strings.Trim(r.Header.Get("SOAPAction"), `"`)
	return action == contract.Action(contract.OpenCase) || action == contract.Action(contract.AddEntry) || action == contract.Action(contract.StoreDocument)
}

// Validate checks a content by the contract, as AVAM does before it takes it. The error names the element, never its value.
func (m *Mock) Validate(kind native.Kind, body []byte) error {
	if len(body) > contract.MaxContent {
		return errors.New("the content is larger than 256 KiB")
	}
	return m.content(kind, body)
}

// typed is Validate for what a clerk enters.
func (m *Mock) typed(kind native.Kind, body []byte) error {
	if kind == checkKind {
		return errors.New("the check of an application is not a clerk's")
	}
	return m.Validate(kind, body)
}

// Proceedings returns how the office leads its own proceedings in a case, as the case shows it: "1" in full, "2" reduced, "3" suspended, "" when nobody has said so.
func (m *Mock) Proceedings(in native.CaseKey) string {
	entries, _ := m.store.Case(in)
	return frame().State(entries, proceedings)
}

// proceedings is the element that says so.
const proceedings = "ownProceedings"

// checkKind is the kind that only writers enter.
const checkKind native.Kind = "OPT22"

// frame is where a content has its message frame.
func frame() ech0058.Frame {
	return ech0058.Frame{Namespace: contract.Namespace, Element: "deliveryHeader", HeaderNamespace: contract.HeaderNamespace}
}
