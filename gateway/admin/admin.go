// Package admin serves what operators and their tools ask a running gateway: health, readiness, metrics, and the parked messages. It listens on an
// address of its own, apart from the one that native systems reach, and has no login: the address is for operators only.
//
// Answers are JSON; errors are problem details (RFC 9457) with a stable code. Rejected: one listener for everything (a firewall rule could not tell an
// operator from a native system).
package admin

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/strict"
	"github.com/einmal-hub/einmal/gateway/parked"
	"github.com/einmal-hub/einmal/gateway/reconcile"
)

// maxBody is the most that a request may hold.
const maxBody = 64 << 10

// Desk lists what waits for a person and takes rulings.
type Desk interface {
	List() []parked.Item
	Rule(ctx context.Context, id string, r parked.Ruling) error
}

// Gateway says how it is.
type Gateway interface {
	// Ready returns nil when messages flow, and otherwise what is missing.
	Ready() error
	// Status returns figures for the operator, as a value that can be written as JSON.
	Status() any
	// Late returns what has not come by its day, as a value that can be written as JSON.
	Late() any
}

// Comparer compares the ledger with what stands in the native systems.
type Comparer interface {
	// Reconcile compares now; only names the systems, empty: all. With park, what is found is put before a person. It takes as long as the lists are long.
	Reconcile(ctx context.Context, only []handover.SystemID, park bool) (reconcile.Report, error)
	// Ask puts findings of a comparison before a person, and returns how many of them nobody was asked about before.
	Ask(ctx context.Context, findings []reconcile.Finding) (int, error)
}

// Handler serves GET /healthz, /readyz, /metrics, /status, /late, /parked, /receipts, /receipts/late and POST /parked/{id}/rulings, /reconciliations, /differences.
func Handler(g Gateway, desk Desk, c Comparer, book Receipts, metrics http.Handler) http.Handler {
	mux := health(g, metrics)
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, _ *http.Request) { answer(w, g.Status()) })
	mux.HandleFunc("GET /late", func(w http.ResponseWriter, _ *http.Request) { answer(w, g.Late()) })
	mux.HandleFunc("GET /receipts", func(w http.ResponseWriter, r *http.Request) { tell(w, r, book) })
	mux.HandleFunc("GET /receipts/late", func(w http.ResponseWriter, _ *http.Request) { answer(w, book.Late(time.Now())) })
	mux.HandleFunc("GET /parked", func(w http.ResponseWriter, _ *http.Request) { answer(w, desk.List()) })
	mux.HandleFunc("POST /parked/{id}/rulings", func(w http.ResponseWriter, r *http.Request) { rule(w, r, desk) })
	mux.HandleFunc("POST /reconciliations", func(w http.ResponseWriter, r *http.Request) { compare(w, r, c) })
	mux.HandleFunc("POST /differences", func(w http.ResponseWriter, r *http.Request) { ask(w, r, c) })
	// A page of another origin must not make an operator's browser rule.
	guard := http.NewCrossOriginProtection()
	guard.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		Problem(w, http.StatusForbidden, fault.New(fault.Refuse, "admin.rule", "cross-origin", "the request comes from a page of another origin").
			Hint("send it with a tool, or from a page that this address serves"))
	}))
	return guard.Handler(mux)
}

// Health says whether messages flow.
type Health interface {
	// Ready returns nil when messages flow, and otherwise what is missing.
	Ready() error
}

// Early serves GET /healthz, /readyz and /metrics, and answers everything else with 503: it stands in for [Handler] while a gateway starts or stops.
func Early(g Health, metrics http.Handler) http.Handler {
	mux := health(g, metrics)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		err := g.Ready()
		if err == nil {
			err = fault.New(fault.Retry, "admin.early", "not-ready", "the gateway is starting")
		}
		Problem(w, http.StatusServiceUnavailable, err)
	})
	return mux
}

func health(g Health, metrics http.Handler) *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok\n") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if err := g.Ready(); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		_, _ = io.WriteString(w, "ready\n")
	})
	mux.Handle("GET /metrics", metrics)
	return mux
}

func rule(w http.ResponseWriter, r *http.Request, desk Desk) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		Problem(w, http.StatusRequestEntityTooLarge, fault.New(fault.Refuse, "admin.rule", "too-large", "the ruling is larger than 64 KiB"))
		return
	}
	var ruling parked.Ruling
	if err := strict.JSON(body, &ruling); err != nil {
		Problem(w, http.StatusBadRequest, err)
		return
	}
	if err := desk.Rule(r.Context(), r.PathValue("id"), ruling); err != nil {
		Problem(w, statusOf(err), err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func statusOf(err error) int {
	switch fault.CodeOf(err) {
	case "no-such-item":
		return http.StatusNotFound
	case "not-parked", "already-ruled":
		return http.StatusConflict
	case "incomplete-ruling", "impossible-ruling":
		return http.StatusUnprocessableEntity
	default:
		return http.StatusServiceUnavailable
	}
}

// problem is RFC 9457.
type problem struct {
	Title  string `json:"title"`
	Status int    `json:"status"`
	Code   string `json:"code"`
	Detail string `json:"detail,omitzero"`
	Path   string `json:"path,omitzero"` // JSON pointer into the request
	Next   string `json:"next,omitzero"`
}

// Problem answers with problem details. The error's text holds no personal data.
func Problem(w http.ResponseWriter, status int, err error) {
	p := problem{Title: http.StatusText(status), Status: status, Code: fault.CodeOf(err), Detail: err.Error()}
	var f *fault.Error
	if errors.As(err, &f) && f.Text != "" {
		p.Detail, p.Path, p.Next = f.Text, f.Path, f.Next
	}
	w.Header().Set("Content-Type", "application/problem+json")
	write(w, status, p)
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	write(w, http.StatusOK, v)
}

func write(w http.ResponseWriter, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		http.Error(w, "the answer cannot be written", http.StatusInternalServerError)
		return
	}
	w.WriteHeader(status)
	_, _ = w.Write(append(b, '\n')) // a client that has gone needs no answer
}
