package klib

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/einmal-hub/einmal/adapters/internal/httpx"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Apply writes one entry; see [adapters.Sink].
func (s *system) Apply(ctx context.Context, e native.Entry) (native.Receipt, error) {
	op := s.op("apply")
	bezug, ok := bezugOf(e)
	path, body, err := write(e, bezug)
	if err != nil || !ok || !isReference(string(e.Reference)) {
		return native.Receipt{}, fault.New(fault.Park, op, "entry-format", "the entry cannot be written as the contract describes").
			Hint("the mapping of this system made it; report the message's name")
	}
	header := http.Header{"Accept": {"application/json, application/problem+json"}, "Content-Type": {"application/json"}}
	r, err := s.client.Do(ctx, httpx.Request{Op: op, Method: http.MethodPost, Path: path, Header: header, Body: body, Write: true})
	if err != nil {
		return native.Receipt{}, err
	}
	if r.Status == http.StatusCreated {
		return receipt(op, e, r)
	}
	return native.Receipt{}, refusal(op, r)
}

// write returns path and body of the request: an opening when there is no dossier yet.
func write(e native.Entry, bezug *wireBezug) (path []string, body []byte, err error) {
	path = []string{"api", "v1", "dossiers"}
	entry := wireNachtrag{ExterneReferenz: e.Reference, Bezug: bezug, Art: e.Kind, Inhalt: jsontext.Value(e.Body)}
	if e.Case == "" {
		body, err = json.Marshal(wireEroeffnung{Stelle: e.Organisation, Fallreferenz: e.CaseReference, ErsterEintrag: entry})
		return path, body, err
	}
	entry.Stelle = e.Organisation
	body, err = json.Marshal(entry)
	return append(path, string(e.Case), "eintraege"), body, err
}

// receipt reads the proof of entry; what is not exactly that proves nothing.
func receipt(op string, e native.Entry, r httpx.Response) (native.Receipt, error) {
	var q wireQuittung
	if decode(r, &q) != nil || !isID(string(q.ID)) || !isID(string(q.Dossier)) {
		return native.Receipt{}, fault.New(fault.Doubt, op, "receipt-format", "the system answered 201 without a receipt that can be read")
	}
	if q.ExterneReferenz != e.Reference || (e.Case != "" && q.Dossier != e.Case) {
		return native.Receipt{}, fault.New(fault.Doubt, op, "receipt-mismatch", "the receipt names another reference or another dossier")
	}
	return native.Receipt{Record: q.ID, Case: q.Dossier}, nil
}

// refusal judges an answer without entry, by the table in the contract's README.
func refusal(op string, r httpx.Response) error {
	code, status := r.ProblemCode(), strconv.Itoa(r.Status)
	switch {
	case r.Status == http.StatusUnprocessableEntity && code != "":
		return refused(op, code, r)
	case r.Status == http.StatusTooManyRequests:
		return fault.New(fault.Retry, op, "too-many", "the system takes no more requests now (429); nothing was written")
	case r.Status == http.StatusServiceUnavailable && code == "nicht-verarbeitet":
		return fault.New(fault.Retry, op, "not-processed", "the system did not work on the request (503); nothing was written")
	default:
		return fault.New(fault.Doubt, op, "status-"+status, "the answer does not say whether the entry was written (status "+status+")")
	}
}

// refused tells which fields the system found wrong, without any value.
func refused(op, code string, r httpx.Response) error {
	e := fault.New(fault.Refuse, op, code, "the system read the entry and refuses it")
	var p wireProblem
	if decode(r, &p) != nil {
		return e
	}
	var places []string
	for _, f := range p.Fehler {
		if made(f.Feld, letters+digits+".[]_-", 200) && isKind(f.Code) {
			places = append(places, f.Feld+" "+f.Code)
		}
	}
	if len(places) == 0 {
		return e
	}
	e.Text += ": " + strings.Join(places[:min(len(places), 5)], ", ")
	field, _, _ := strings.Cut(places[0], " ")
	return e.At(field).Hint("compare the field with the contract and with the table of this system's mapping")
}

// Find searches by reference; see [adapters.Finder].
func (s *system) Find(ctx context.Context, ref native.Reference) ([]native.Receipt, error) {
	op := s.op("find")
	r, err := s.get(ctx, op, url.Values{"externeReferenz": {string(ref)}}, nil, "eintraege", "suche")
	if err != nil {
		return nil, err
	}
	if r.Status != http.StatusOK {
		return nil, unavailable(op, r)
	}
	var found wireSuche
	if decode(r, &found) != nil || found.Treffer == nil {
		return nil, fault.New(fault.Retry, op, "search-format", "the search's answer is not what the contract describes")
	}
	if !found.Vollstaendig {
		return nil, fault.New(fault.Retry, op, "search-incomplete", "the search could not look everywhere")
	}
	return hits(op, ref, found.Treffer)
}

// hits returns each entry found once.
func hits(op string, ref native.Reference, found []wireQuittung) ([]native.Receipt, error) {
	var receipts []native.Receipt
	seen := map[native.RecordID]bool{}
	for _, q := range found {
		if q.ExterneReferenz != ref || !isID(string(q.ID)) || !isID(string(q.Dossier)) {
			return nil, fault.New(fault.Retry, op, "search-format", "the search found something else than it was asked for")
		}
		if !seen[q.ID] {
			seen[q.ID] = true
			receipts = append(receipts, native.Receipt{Record: q.ID, Case: q.Dossier})
		}
	}
	return receipts, nil
}
