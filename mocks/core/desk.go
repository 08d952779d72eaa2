package core

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
)

// Seen is an entry as a clerk sees it on her screen: without anything that only interfaces know.
type Seen struct {
	Number       uint64                  `json:"number"`
	ID           native.RecordID         `json:"id"`
	Case         native.CaseKey          `json:"case"`
	Kind         native.Kind             `json:"kind"`
	Organisation handover.OrganisationID `json:"organisation"`
	Dossier      handover.OrganisationID `json:"dossier"`
	Action       handover.Action         `json:"action,omitzero"`
	Refers       native.RecordID         `json:"refers,omitzero"`
	Documents    []string                `json:"documents,omitzero"` // hashes
	By           string                  `json:"by"`
	At           time.Time               `json:"at"`
	Body         string                  `json:"body"`
}

// SeenCase is a case as a clerk sees it.
type SeenCase struct {
	Case    native.CaseKey          `json:"case"`
	Dossier handover.OrganisationID `json:"dossier"`
	Entries []Seen                  `json:"entries"`
}

// Typed is what a clerk enters: the content in the system's own form, as text. An empty case opens one. A recall or correction names the earlier entry, and what
// the content names as documents was put onto the desk before.
type Typed struct {
	Case         native.CaseKey          `json:"case"`
	Kind         native.Kind             `json:"kind"`
	Organisation handover.OrganisationID `json:"organisation"`
	Action       handover.Action         `json:"action,omitzero"`
	Refers       native.RecordID         `json:"refers,omitzero"`
	Documents    []string                `json:"documents,omitzero"` // hashes
	Body         string                  `json:"body"`
}

// Stands says where an entry stands that a clerk made.
type Stands struct {
	Number uint64          `json:"number"`
	ID     native.RecordID `json:"id"`
	Case   native.CaseKey  `json:"case"`
}

// longestWait bounds a long poll of the desk.
const longestWait = 30 * time.Second

// Desk serves what a clerk sees and does in this system: GET /desk/cases?contains=TEXT (cases with an entry that holds the text), GET
// /desk/entries?after=N&limit=L&wait=MS (the news since a number; waits for some if there is none), POST /desk/entries (a [Typed]; 201 with
// a [Stands], 404 for an unknown case, 422 when validate refuses or what it names does not stand here), PUT /desk/documents/HASH (a document, under the SHA-256 of its
// bytes; 204, 422 when it is another) and GET the same. Faults never strike here. Paths are complete: mount it at /desk/ as it is.
func Desk(s *Store, validate func(kind native.Kind, body []byte) error) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /desk/cases", func(w http.ResponseWriter, r *http.Request) {
		answer(w, http.StatusOK, casesWith(s, r.URL.Query().Get("contains")))
	})
	mux.HandleFunc("GET /desk/entries", func(w http.ResponseWriter, r *http.Request) { news(s, w, r) })
	mux.HandleFunc("POST /desk/entries", func(w http.ResponseWriter, r *http.Request) {
		var in Typed
		if !accept(w, r, &in) {
			return
		}
		if err := validate(in.Kind, []byte(in.Body)); err != nil {
			refuse(w, http.StatusUnprocessableEntity, err.Error())
			return
		}
		enter(s, w, r, in)
	})
	mux.HandleFunc("PUT /desk/documents/{hash}", func(w http.ResponseWriter, r *http.Request) {
		switch err := s.PutDocument(r.PathValue("hash"), http.MaxBytesReader(w, r.Body, handover.DocumentLimit)); {
		case errors.Is(err, ErrDocument):
			refuse(w, http.StatusUnprocessableEntity, err.Error())
		case err != nil:
			refuse(w, http.StatusInternalServerError, err.Error())
		default:
			w.WriteHeader(http.StatusNoContent)
		}
	})
	mux.HandleFunc("GET /desk/documents/{hash}", func(w http.ResponseWriter, r *http.Request) { open(s, w, r) })
	return mux
}

// open shows a document.
func open(s *Store, w http.ResponseWriter, r *http.Request) {
	content, err := s.OpenDocument(r.PathValue("hash"))
	if err != nil {
		refuse(w, http.StatusNotFound, err.Error())
		return
	}
	defer func() { _ = content.Close() }()
	w.Header().Set("Content-Type", "application/octet-stream")
	_, _ = io.Copy(w, content) // a client that has gone needs no answer
}

func enter(s *Store, w http.ResponseWriter, r *http.Request, in Typed) {
	e, _, err := s.Write(r.Context(), Write{
		Case: in.Case, Kind: in.Kind, Organisation: in.Organisation, Action: in.Action, Refers: in.Refers, Documents: in.Documents, By: ByClerk,
		Body: []byte(in.Body),
	})
	switch {
	case errors.Is(err, ErrNoCase):
		refuse(w, http.StatusNotFound, err.Error())
	case errors.Is(err, ErrNoRecord), errors.Is(err, ErrNoDocument):
		refuse(w, http.StatusUnprocessableEntity, err.Error())
	case err != nil:
		refuse(w, http.StatusInternalServerError, err.Error())
	default:
		answer(w, http.StatusCreated, Stands{Number: e.Number, ID: e.ID, Case: e.Case})
	}
}

func casesWith(s *Store, text string) []SeenCase {
	cases := []SeenCase{}
	shown := map[native.CaseKey]bool{}
	for _, e := range s.Containing(text) {
		if shown[e.Case] {
			continue
		}
		shown[e.Case] = true
		entries, _ := s.Case(e.Case)
		cases = append(cases, SeenCase{Case: e.Case, Dossier: e.Dossier, Entries: seen(entries)})
	}
	return cases
}

func news(s *Store, w http.ResponseWriter, r *http.Request) {
	after, err1 := number(r, "after")
	limit, err2 := number(r, "limit")
	wait, err3 := number(r, "wait")
	if err := errors.Join(err1, err2, err3); err != nil {
		refuse(w, http.StatusBadRequest, "after, limit and wait are numbers from 0")
		return
	}
	deadline := time.NewTimer(min(time.Duration(min(wait, 1e9))*time.Millisecond, longestWait)) //nolint:gosec // bounded above
	defer deadline.Stop()
	for {
		changed := s.Watch()
		entries := s.After(after, int(min(limit, 1e6))) //nolint:gosec // bounded above
		if len(entries) > 0 || wait == 0 {
			answer(w, http.StatusOK, seen(entries))
			return
		}
		select {
		case <-changed:
		case <-deadline.C:
			wait = 0
		case <-r.Context().Done():
			return
		}
	}
}

func number(r *http.Request, name string) (uint64, error) {
	v := r.URL.Query().Get(name)
	if v == "" {
		return 0, nil
	}
	return strconv.ParseUint(v, 10, 64)
}

func seen(entries []Entry) []Seen {
	out := make([]Seen, len(entries))
	for i, e := range entries {
		out[i] = Seen{
			Number: e.Number, ID: e.ID, Case: e.Case, Kind: e.Kind, Organisation: e.Organisation, Dossier: e.Dossier,
			Action: e.Action, Refers: e.Refers, Documents: e.Documents, By: e.By, At: e.At, Body: string(e.Body),
		}
	}
	return out
}
