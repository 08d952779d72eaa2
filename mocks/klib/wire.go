package klib

import (
	"net/http"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

type status struct {
	Vertrag string  `json:"vertrag"`
	Grenzen grenzen `json:"grenzen"`
}

type grenzen struct {
	VerarbeitungMS int64 `json:"verarbeitungMs"`
	IndexMS        int64 `json:"indexMs"`
}

type eintrag struct {
	ID              native.RecordID         `json:"id"`
	Dossier         native.CaseKey          `json:"dossier"`
	Stelle          handover.OrganisationID `json:"stelle"`
	Laufnummer      uint64                  `json:"laufnummer"`
	ErfasstAm       string                  `json:"erfasstAm"`
	Fallreferenz    handover.CaseID         `json:"fallreferenz,omitzero"`
	ExterneReferenz native.Reference        `json:"externeReferenz,omitzero"`
	Bezug           *bezug                  `json:"bezug,omitzero"`
	Art             native.Kind             `json:"art"`
	Inhalt          jsontext.Value          `json:"inhalt"`
}

// bezug says that an entry cancels or corrects an earlier one.
type bezug struct {
	Aktion  string          `json:"aktion"`
	Eintrag native.RecordID `json:"eintrag"`
}

type seite struct {
	Eintraege []eintrag `json:"eintraege"`
	Marke     string    `json:"marke"`
	Weitere   bool      `json:"weitere"`
}

type quittung struct {
	ID              native.RecordID  `json:"id"`
	Dossier         native.CaseKey   `json:"dossier"`
	Laufnummer      uint64           `json:"laufnummer"`
	ExterneReferenz native.Reference `json:"externeReferenz"`
}

type suchergebnis struct {
	Treffer      []quittung `json:"treffer"`
	Vollstaendig bool       `json:"vollstaendig"`
}

type nachtrag struct {
	Stelle          handover.OrganisationID `json:"stelle,omitzero"`
	ExterneReferenz native.Reference        `json:"externeReferenz"`
	Bezug           *bezug                  `json:"bezug,omitzero"`
	Art             native.Kind             `json:"art"`
	Inhalt          jsontext.Value          `json:"inhalt"`
}

type eroeffnung struct {
	Stelle        handover.OrganisationID `json:"stelle"`
	Fallreferenz  handover.CaseID         `json:"fallreferenz"`
	ErsterEintrag nachtrag                `json:"ersterEintrag"`
}

type problem struct {
	Type   string   `json:"type"`
	Title  string   `json:"title"`
	Status int      `json:"status"`
	Code   string   `json:"code"`
	Fehler []fehler `json:"fehler,omitzero"`
}

// fehler is one thing wrong with a request, without any value from it.
type fehler struct {
	Feld string `json:"feld"`
	Code string `json:"code"`
}

func answer(w http.ResponseWriter, code int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	if w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", "application/json")
	}
	w.WriteHeader(code)
	_, _ = w.Write(b)
}

func refuse(w http.ResponseWriter, status int, code string, wrong []fehler) {
	w.Header().Set("Content-Type", "application/problem+json")
	answer(w, status, problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Code: code, Fehler: wrong})
}

// notProcessed answers "rejected before any write".
func notProcessed(w http.ResponseWriter) {
	w.Header().Set("Retry-After", "1")
	refuse(w, http.StatusServiceUnavailable, "nicht-verarbeitet", nil)
}
