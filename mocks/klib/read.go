package klib

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/mocks/core"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

const defaultLimit, maxLimit = 100, 500

// pageBytes keeps an answer below the 4 MiB of the contract.
const pageBytes = 3 << 20

// list answers a page of entries, or 304.
func (m *Mock) list(w http.ResponseWriter, r *http.Request) {
	after, limit, code := m.place(r)
	switch code {
	case "":
	case "marke-unbekannt":
		refuse(w, http.StatusGone, code, nil)
		return
	default:
		refuse(w, http.StatusBadRequest, code, nil)
		return
	}
	page := m.page(after, limit)
	b, err := json.Marshal(page)
	if err != nil {
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	sum := sha256.Sum256(b)
	etag := `"` + hex.EncodeToString(sum[:16]) + `"`
	w.Header().Set("ETag", etag)
	if strings.TrimPrefix(r.Header.Get("If-None-Match"), "W/") == etag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(b)
}

// place reads mark and limit; code says what is wrong with them.
func (m *Mock) place(r *http.Request) (after uint64, limit int, code string) {
	q, ok := parameters(r, "nach", "limit")
	if !ok {
		return 0, 0, "unlesbar"
	}
	limit = defaultLimit
	if v, given := q["limit"]; given {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 || n > maxLimit || strconv.Itoa(n) != v {
			return 0, 0, "unlesbar"
		}
		limit = n
	}
	mark, given := q["nach"]
	if !given {
		return 0, limit, ""
	}
	digits, ok := strings.CutPrefix(mark, "m")
	after, err := strconv.ParseUint(digits, 10, 64)
	if !ok || err != nil || after > uint64(m.store.Len()) || markOf(after) != mark {
		return 0, 0, "marke-unbekannt"
	}
	return after, limit, ""
}

func markOf(number uint64) string { return "m" + strconv.FormatUint(number, 10) }

// page collects at most limit entries after a number; entries that the dice repeat come again at its end.
func (m *Mock) page(after uint64, limit int) seite {
	p := seite{Eintraege: []eintrag{}, Marke: markOf(after)}
	var again []eintrag
	last, size := after, 0
	for _, e := range m.store.After(after, limit) {
		size += len(e.Body)
		if len(p.Eintraege)+len(again) >= limit || (size > pageBytes && last > after) {
			break
		}
		shown := m.shown(e)
		p.Eintraege = append(p.Eintraege, shown)
		last = e.Number
		if len(p.Eintraege)+len(again) < limit && m.dice.Duplicate() {
			size += len(e.Body)
			again = append(again, shown)
		}
	}
	p.Eintraege = append(p.Eintraege, again...)
	p.Marke, p.Weitere = markOf(last), uint64(m.store.Len()) > last
	return p
}

func (m *Mock) shown(e core.Entry) eintrag {
	shown := eintrag{
		ID: e.ID, Dossier: e.Case, Stelle: e.Dossier, Laufnummer: e.Sequence, ErfasstAm: e.At.In(m.zone).Format("2006-01-02T15:04:05.000Z07:00"),
		Fallreferenz: e.CaseReference, ExterneReferenz: e.Reference, Art: e.Kind, Inhalt: jsontext.Value(e.Body),
	}
	for word, action := range actions() {
		if action == e.Action {
			shown.Bezug = &bezug{Aktion: word, Eintrag: e.Refers}
		}
	}
	return shown
}

// search answers what an index that lags behind would find.
func (m *Mock) search(w http.ResponseWriter, r *http.Request) {
	q, ok := parameters(r, "externeReferenz")
	if !ok || !isReference(q["externeReferenz"]) {
		refuse(w, http.StatusBadRequest, "unlesbar", nil)
		return
	}
	result := suchergebnis{Treffer: []quittung{}, Vollstaendig: true}
	for _, e := range m.store.ByReference(native.Reference(q["externeReferenz"]), m.dice.LookupLag()) {
		result.Treffer = append(result.Treffer, receipt(e))
	}
	answer(w, http.StatusOK, result)
}

func receipt(e core.Entry) quittung {
	return quittung{ID: e.ID, Dossier: e.Case, Laufnummer: e.Sequence, ExterneReferenz: e.Reference}
}

// parameters returns the query's values; ok is false for unknown, repeated or unreadable ones.
func parameters(r *http.Request, known ...string) (map[string]string, bool) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, false
	}
	found := map[string]string{}
	for _, name := range known {
		if values, given := query[name]; given {
			if len(values) != 1 {
				return nil, false
			}
			found[name] = values[0]
		}
	}
	return found, len(found) == len(query)
}

// isReference reports whether s is 1 to 36 characters of 0-9a-f and hyphen.
func isReference(s string) bool {
	return s != "" && len(s) <= 36 && strings.Trim(s, "0123456789abcdef-") == ""
}
