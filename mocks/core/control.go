package core

import (
	"io"
	"net/http"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/contracts/strict"
)

// wireFaults are Faults as the control interface shows them: times in milliseconds.
type wireFaults struct {
	Seed         int64   `json:"seed"`
	Duplicate    float64 `json:"duplicate"`
	LostAnswer   float64 `json:"lostAnswer"`
	Error        float64 `json:"error"`
	ErrorInDoubt float64 `json:"errorInDoubt"`
	Slow         float64 `json:"slow"`
	Late         float64 `json:"late"`
	Torn         float64 `json:"torn"`
	SlowByMS     int64   `json:"slowByMs"`
	LateByMS     int64   `json:"lateByMs"`
	LookupLagMS  int64   `json:"lookupLagMs"`
}

// MarshalJSON writes times in milliseconds.
func (f Faults) MarshalJSON() ([]byte, error) {
	return json.Marshal(wireFaults{
		Seed: f.Seed, Duplicate: f.Duplicate, LostAnswer: f.LostAnswer, Error: f.Error, ErrorInDoubt: f.ErrorInDoubt, Slow: f.Slow, Late: f.Late, Torn: f.Torn,
		SlowByMS: f.SlowBy.Milliseconds(), LateByMS: f.LateBy.Milliseconds(), LookupLagMS: f.LookupLag.Milliseconds(),
	})
}

// UnmarshalJSON reads what MarshalJSON writes; absent members are zero, unknown ones are refused.
func (f *Faults) UnmarshalJSON(b []byte) error {
	var w wireFaults
	if err := strict.JSON(b, &w); err != nil {
		return err
	}
	*f = Faults{
		Seed: w.Seed, Duplicate: w.Duplicate, LostAnswer: w.LostAnswer, Error: w.Error, ErrorInDoubt: w.ErrorInDoubt, Slow: w.Slow, Late: w.Late, Torn: w.Torn,
		SlowBy: ms(w.SlowByMS), LateBy: ms(w.LateByMS), LookupLag: ms(w.LookupLagMS),
	}
	return f.check()
}

func ms(n int64) time.Duration { return time.Duration(n) * time.Millisecond }

// Control serves what tests use: GET and PUT /control/faults, POST /control/script {"op","fault","times"}, GET /control/journal (JSON lines; ?reference= only the entries with one), GET
// /control/entries?contains=TEXT, and DELETE /control/documents/HASH (a document is lost, as it may be in any archive). Paths are complete: mount it at /control/ as it is.
func Control(s *Store, d *Dice) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /control/faults", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, d.Faults()) })
	mux.HandleFunc("PUT /control/faults", func(w http.ResponseWriter, r *http.Request) {
		var f Faults
		if !accept(w, r, &f) {
			return
		}
		d.Set(f)
		answer(w, http.StatusOK, f)
	})
	mux.HandleFunc("POST /control/script", func(w http.ResponseWriter, r *http.Request) { script(d, w, r) })
	mux.HandleFunc("GET /control/journal", func(w http.ResponseWriter, r *http.Request) {
		if ref := native.Reference(r.URL.Query().Get("reference")); ref != "" {
			lines(w, s.ByReference(ref, 0))
			return
		}
		lines(w, s.After(0, 0))
	})
	mux.HandleFunc("GET /control/entries", func(w http.ResponseWriter, r *http.Request) { lines(w, s.Containing(r.URL.Query().Get("contains"))) })
	mux.HandleFunc("DELETE /control/documents/{hash}", func(w http.ResponseWriter, r *http.Request) {
		if err := s.LoseDocument(r.PathValue("hash")); err != nil {
			refuse(w, http.StatusNotFound, err.Error())
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	return mux
}

func script(d *Dice, w http.ResponseWriter, r *http.Request) {
	var in struct {
		Op    string `json:"op"`
		Fault Fault  `json:"fault"`
		Times int    `json:"times"`
	}
	if !accept(w, r, &in) {
		return
	}
	known := among(in.Fault, []Fault{FaultDuplicate, FaultLostAnswer, FaultError, FaultErrorInDoubt, FaultSlow, FaultLate, FaultTorn})
	switch in.Op {
	case "", OpWrite, OpRead, OpEvent:
	default:
		known = false
	}
	if !known || in.Times < 1 {
		refuse(w, http.StatusUnprocessableEntity, "op is write, read, event or empty; fault is one of the known ones; times is at least 1")
		return
	}
	d.Script(in.Op, in.Fault, in.Times)
	w.WriteHeader(http.StatusNoContent)
}

// lines answers with journal lines.
func lines(w http.ResponseWriter, entries []Entry) {
	w.Header().Set("Content-Type", "application/jsonl")
	var b []byte
	for _, e := range entries {
		var err error
		if b, err = appendLine(b[:0], e); err != nil {
			return
		}
		if _, err = w.Write(b); err != nil {
			return
		}
	}
}

// accept reads a JSON request; when it cannot, it has answered.
func accept(w http.ResponseWriter, r *http.Request, v any) bool {
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, strict.MaxBytes))
	if err == nil {
		err = strict.JSON(b, v)
	}
	if err != nil {
		refuse(w, http.StatusBadRequest, err.Error())
		return false
	}
	return true
}

func refuse(w http.ResponseWriter, status int, text string) {
	answer(w, status, map[string]string{"error": text})
}

func answer(w http.ResponseWriter, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		http.Error(w, "the answer cannot be written", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(b) // a client that has gone needs no answer
}
