package klib

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"time"

	"github.com/einmal-hub/einmal/adapters/internal/httpx"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/contracts/strict"
	"github.com/go-json-experiment/json/jsontext"
)

type wireStatus struct {
	Vertrag string `json:"vertrag"`
	Grenzen struct {
		VerarbeitungMS *int64 `json:"verarbeitungMs"`
		IndexMS        *int64 `json:"indexMs"`
	} `json:"grenzen"`
}

type wireEintrag struct {
	ID              native.RecordID         `json:"id"`
	Dossier         native.CaseKey          `json:"dossier"`
	Stelle          handover.OrganisationID `json:"stelle"`
	Laufnummer      uint64                  `json:"laufnummer"`
	ErfasstAm       string                  `json:"erfasstAm"`
	Fallreferenz    handover.CaseID         `json:"fallreferenz,omitzero"`
	ExterneReferenz native.Reference        `json:"externeReferenz,omitzero"`
	Bezug           *wireBezug              `json:"bezug,omitzero"`
	Art             native.Kind             `json:"art"`
	Inhalt          jsontext.Value          `json:"inhalt"`
}

// wireBezug says that an entry cancels or corrects an earlier one.
type wireBezug struct {
	Aktion  string          `json:"aktion"`
	Eintrag native.RecordID `json:"eintrag"`
}

// actions are KLIB's words for a recall and a correction.
func actions() map[string]handover.Action {
	return map[string]handover.Action{"storno": handover.ActionRecall, "korrektur": handover.ActionCorrection}
}

// refers returns what an entry does to which earlier one; nothing for a new one.
func (b *wireBezug) refers() (handover.Action, native.RecordID) {
	if b == nil {
		return "", ""
	}
	return actions()[b.Aktion], b.Eintrag
}

// bezugOf is the inverse of refers. It is nil for a new entry; ok is false when it cannot be said.
func bezugOf(e native.Entry) (b *wireBezug, ok bool) {
	if e.Action == "" && e.Refers == "" {
		return nil, true
	}
	for word, action := range actions() {
		if action == e.Action {
			return &wireBezug{Aktion: word, Eintrag: e.Refers}, isID(string(e.Refers)) && e.Case != ""
		}
	}
	return nil, false
}

type wireQuittung struct {
	ID              native.RecordID  `json:"id"`
	Dossier         native.CaseKey   `json:"dossier"`
	Laufnummer      uint64           `json:"laufnummer"`
	ExterneReferenz native.Reference `json:"externeReferenz"`
}

type wireSuche struct {
	Treffer      []wireQuittung `json:"treffer"`
	Vollstaendig bool           `json:"vollstaendig"`
}

type wireNachtrag struct {
	Stelle          handover.OrganisationID `json:"stelle,omitzero"`
	ExterneReferenz native.Reference        `json:"externeReferenz"`
	Bezug           *wireBezug              `json:"bezug,omitzero"`
	Art             native.Kind             `json:"art"`
	Inhalt          jsontext.Value          `json:"inhalt"`
}

type wireEroeffnung struct {
	Stelle        handover.OrganisationID `json:"stelle"`
	Fallreferenz  handover.CaseID         `json:"fallreferenz"`
	ErsterEintrag wireNachtrag            `json:"ersterEintrag"`
}

type wireProblem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Code   string `json:"code"`
	Fehler []struct {
		Feld string `json:"feld"`
		Code string `json:"code"`
	} `json:"fehler"`
}

var errNotOurs = errors.New("the answer is not what the contract describes")

// decode reads an answer strictly. Its error names no value.
func decode(r httpx.Response, v any) error {
	if r.MediaType() != "application/json" && r.MediaType() != "application/problem+json" {
		return errNotOurs
	}
	return strict.JSON(r.Body, v)
}

// page is an answer of the list, its entries still as they came.
type page struct {
	entries []jsontext.Value
	mark    string
	more    bool
}

// splitPage takes a page apart. Inside of entries it lets pass what each entry is refused for by itself: repeated names, invalid UTF-8.
func splitPage(body []byte) (page, error) {
	tokens := jsontext.NewDecoder(bytes.NewReader(body), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	if t, err := tokens.ReadToken(); err != nil || t.Kind() != '{' {
		return page{}, errNotOurs
	}
	var p page
	seen := map[string]bool{}
	for tokens.PeekKind() == '"' {
		name, err := tokens.ReadToken()
		if err != nil || seen[name.String()] {
			return page{}, errNotOurs
		}
		member := name.String()
		seen[member] = true
		if err := p.take(member, tokens); err != nil {
			return page{}, err
		}
	}
	if _, err := tokens.ReadToken(); err != nil || len(seen) != 3 || !isMark(p.mark) {
		return page{}, errNotOurs
	}
	if _, err := tokens.ReadToken(); !errors.Is(err, io.EOF) {
		return page{}, errNotOurs
	}
	return p, nil
}

// take reads one member of a page.
func (p *page) take(member string, tokens *jsontext.Decoder) error {
	if member == "eintraege" {
		return p.takeEntries(tokens)
	}
	t, err := tokens.ReadToken()
	switch {
	case err != nil:
		return errNotOurs
	case member == "marke" && t.Kind() == '"':
		p.mark = t.String()
	case member == "weitere" && (t.Kind() == 't' || t.Kind() == 'f'):
		p.more = t.Bool()
	default:
		return errNotOurs
	}
	return nil
}

func (p *page) takeEntries(tokens *jsontext.Decoder) error {
	if t, err := tokens.ReadToken(); err != nil || t.Kind() != '[' {
		return errNotOurs
	}
	for tokens.PeekKind() != ']' {
		v, err := tokens.ReadValue()
		if err != nil {
			return errNotOurs
		}
		p.entries = append(p.entries, v.Clone())
	}
	if _, err := tokens.ReadToken(); err != nil {
		return errNotOurs
	}
	return nil
}

// record reads one entry strictly.
func record(raw []byte) (native.Record, error) {
	var e wireEintrag
	if err := strict.JSON(raw, &e); err != nil {
		return native.Record{}, err
	}
	at, err := time.Parse(time.RFC3339, e.ErfasstAm)
	action, refers := e.Bezug.refers()
	for _, c := range []struct {
		ok    bool
		field string
	}{
		{isID(string(e.ID)), "id"}, {isID(string(e.Dossier)), "dossier"}, {isStelle(string(e.Stelle)), "stelle"}, {e.Laufnummer > 0, "laufnummer"},
		{err == nil, "erfasstAm"}, {e.Fallreferenz == "" || isCase(string(e.Fallreferenz)), "fallreferenz"},
		{e.ExterneReferenz == "" || isReference(string(e.ExterneReferenz)), "externeReferenz"}, {isKind(string(e.Art)), "art"},
		{e.Bezug == nil || action != "" && isID(string(refers)), "bezug"}, {e.Inhalt.Kind() == '{', "inhalt"},
	} {
		if !c.ok {
			return native.Record{}, fault.New(fault.Park, "klib.read", "entry-format", "the entry's frame is not what the contract describes").At(c.field)
		}
	}
	return native.Record{
		ID: e.ID, Kind: e.Art, Case: e.Dossier, Organisation: e.Stelle, CaseReference: e.Fallreferenz, Reference: e.ExterneReferenz,
		Sequence: e.Laufnummer, At: at, Action: action, Refers: refers, Body: e.Inhalt,
	}, nil
}

const (
	digits  = "0123456789"
	lower   = "abcdefghijklmnopqrstuvwxyz"
	upper   = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	letters = lower + upper
)

// made reports whether s has 1 to most characters, all of them from a set.
func made(s, set string, most int) bool {
	return s != "" && len(s) <= most && strings.Trim(s, set) == ""
}

func isID(s string) bool {
	return made(s, letters+digits+"._-", 64) && strings.ContainsAny(s[:1], letters+digits)
}
func isStelle(s string) bool    { return made(s, lower+digits+"-", 64) && s[0] != '-' }
func isCase(s string) bool      { return made(s, letters+digits+"-", 36) }
func isReference(s string) bool { return made(s, "0123456789abcdef-", 36) }
func isMark(s string) bool      { return made(s, letters+digits+"._~-", 200) }
func isHash(s string) bool      { return len(s) == 64 && made(s, "0123456789abcdef", 64) }
func isKind(s string) bool      { return made(s, lower+digits+"-", 40) }
