package klib

import (
	"errors"
	"io"
	"mime"
	"net/http"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/mocks/core"
	"github.com/go-json-experiment/json"
)

// maxBody is the largest request that the contract allows.
const maxBody = 256 << 10

// open opens a dossier with its first entry.
func (m *Mock) open(w http.ResponseWriter, r *http.Request) {
	body, ok := m.accepted(w, r, "Eroeffnung")
	if !ok {
		return
	}
	var in eroeffnung
	if err := json.Unmarshal(body, &in); err != nil {
		refuse(w, http.StatusUnprocessableEntity, "unlesbar", nil)
		return
	}
	if !m.serves(in.Stelle) {
		refuse(w, http.StatusUnprocessableEntity, "stelle-unbekannt", nil)
		return
	}
	m.enter(w, r, core.Write{
		Kind: in.ErsterEintrag.Art, Organisation: in.Stelle, Dossier: in.Stelle, CaseReference: in.Fallreferenz,
		Reference: in.ErsterEintrag.ExterneReferenz, Documents: named(in.ErsterEintrag.Inhalt), By: core.ByInterface, Body: in.ErsterEintrag.Inhalt,
	})
}

// append appends one entry to a dossier.
func (m *Mock) append(w http.ResponseWriter, r *http.Request) {
	body, ok := m.accepted(w, r, "Nachtrag")
	if !ok {
		return
	}
	var in nachtrag
	if err := json.Unmarshal(body, &in); err != nil {
		refuse(w, http.StatusUnprocessableEntity, "unlesbar", nil)
		return
	}
	dossier := native.CaseKey(r.PathValue("dossier"))
	entries, known := m.store.Case(dossier)
	switch {
	case !known:
		refuse(w, http.StatusUnprocessableEntity, "dossier-unbekannt", nil)
		return
	case entries[0].Dossier != in.Stelle:
		refuse(w, http.StatusUnprocessableEntity, "dossier-fremd", nil)
		return
	}
	write := core.Write{
		Case: dossier, Kind: in.Art, Organisation: in.Stelle, Reference: in.ExterneReferenz, Documents: named(in.Inhalt), By: core.ByInterface, Body: in.Inhalt,
	}
	if in.Bezug != nil {
		write.Action, write.Refers = actions()[in.Bezug.Aktion], in.Bezug.Eintrag
	}
	m.enter(w, r, write)
}

// actions are KLIB's words for what an entry does to an earlier one.
func actions() map[string]handover.Action {
	return map[string]handover.Action{"storno": handover.ActionRecall, "korrektur": handover.ActionCorrection}
}

// accepted returns a body that the schema describes; otherwise it has answered.
func (m *Mock) accepted(w http.ResponseWriter, r *http.Request, schema string) ([]byte, bool) {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	body, readErr := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil || readErr != nil || media != "application/json" || len(body) > maxBody || !readable(body) {
		refuse(w, http.StatusUnprocessableEntity, "unlesbar", nil)
		return nil, false
	}
	if wrong := m.contract.request(schema, body); len(wrong) > 0 {
		refuse(w, http.StatusUnprocessableEntity, "inhalt-ungueltig", wrong)
		return nil, false
	}
	return body, true
}

// enter commits and answers with the receipt.
func (m *Mock) enter(w http.ResponseWriter, r *http.Request, write core.Write) {
	e, _, err := m.store.Write(r.Context(), write)
	switch {
	case errNoDossier(err):
		refuse(w, http.StatusUnprocessableEntity, "dossier-unbekannt", nil)
	case errors.Is(err, core.ErrNoRecord):
		refuse(w, http.StatusUnprocessableEntity, "bezug-unbekannt", nil)
	case errors.Is(err, core.ErrNoDocument):
		refuse(w, http.StatusUnprocessableEntity, "dokument-unbekannt", nil)
	case err != nil:
		http.Error(w, "internal error", http.StatusInternalServerError)
	default:
		answer(w, http.StatusCreated, receipt(e))
	}
}
