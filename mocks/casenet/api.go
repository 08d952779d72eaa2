package casenet

import (
	"crypto/subtle"
	"errors"
	"io"
	"mime"
	"net/http"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/mocks/core"
)

// Limits of the contract.
const (
	maxBody     = 256 << 10
	maxPage     = 200
	defaultPage = 100
	maxPageSize = 4 << 20
)

// api serves the native interface.
func (m *Mock) api() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/platform", func(w http.ResponseWriter, _ *http.Request) {
		send(w, http.StatusOK, "application/json", map[string]string{"platform": "CASEnet (mock)", "contract": "casenet/1"})
	})
	mux.HandleFunc("GET /api/records", m.feed)
	mux.HandleFunc("POST /api/cases", func(w http.ResponseWriter, r *http.Request) { m.write(w, r, m.contract.opening, "") })
	mux.HandleFunc("POST /api/cases/{caseId}/records", func(w http.ResponseWriter, r *http.Request) {
		m.write(w, r, m.contract.appending, native.CaseKey(r.PathValue("caseId")))
	})
	mux.HandleFunc("GET /api/documents/{sha256}", m.document)
	mux.HandleFunc("PUT /api/documents/{sha256}", m.file)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		want := "Bearer " + m.options.Token
		if m.options.Token != "" && subtle.ConstantTimeCompare([]byte(r.Header.Get("Authorization")), []byte(want)) != 1 {
			refuse(w, problem{Status: http.StatusUnauthorized, Code: "unauthenticated", Title: "The token is missing or unknown"})
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// entry is the part of a write that does not need a schema to be read.
type entry struct {
	ExternalReference string         `json:"externalReference"`
	CaseReference     string         `json:"caseReference"`
	EnteredFor        string         `json:"enteredFor"`
	Kind              string         `json:"kind"`
	Amends            *amends        `json:"amends,omitzero"`
	Content           jsontext.Value `json:"content"`
}

// amends says that a record recalls or corrects an earlier one.
type amends struct {
	Action   handover.Action `json:"action"`
	RecordID native.RecordID `json:"recordId"`
}

// write does the checks in the order of the contract: the reference before anything else in the body, the body before the case.
func (m *Mock) write(w http.ResponseWriter, r *http.Request, s *jsonschema.Schema, key native.CaseKey) {
	body, ok := receive(w, r)
	if !ok {
		return
	}
	doc, err := parse(body)
	if err != nil {
		refuse(w, problem{Status: http.StatusBadRequest, Code: "malformed", Title: "The body is not one JSON object"})
		return
	}
	if ref, _ := doc["externalReference"].(string); ref != "" && m.conflict(w, native.Reference(ref)) {
		return
	}
	var in entry
	fs, err := check(s, doc)
	if err == nil && len(fs) == 0 {
		err = json.Unmarshal(body, &in)
	}
	switch {
	case err != nil:
		notProcessed(w)
	case len(fs) > 0:
		refuse(w, problem{Status: http.StatusUnprocessableEntity, Code: "content-invalid", Title: "The request is not what the contract describes", Findings: fs})
	case m.isLocked(key):
		refuse(w, problem{Status: http.StatusConflict, Code: "case-locked", Title: "The case takes no more records"})
	default:
		m.commit(w, r, key, in)
	}
}

// receive takes the body, or answers why not.
func receive(w http.ResponseWriter, r *http.Request) ([]byte, bool) {
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/json" {
		refuse(w, problem{Status: http.StatusUnsupportedMediaType, Code: "media-type", Title: "The body is not application/json"})
		return nil, false
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil {
		notProcessed(w)
		return nil, false
	}
	if len(body) > maxBody {
		refuse(w, problem{Status: http.StatusRequestEntityTooLarge, Code: "too-large", Title: "The body is larger than 256 KiB"})
		return nil, false
	}
	return body, true
}

// conflict answers when a record has the reference already.
func (m *Mock) conflict(w http.ResponseWriter, ref native.Reference) bool {
	found := m.store.ByReference(ref, 0)
	if len(found) == 0 {
		return false
	}
	exists(w, found[0])
	return true
}

func exists(w http.ResponseWriter, e core.Entry) {
	refuse(w, problem{
		Status: http.StatusConflict, Code: "external-reference-exists", Title: "A record with this external reference exists",
		Existing: &receipt{CaseID: string(e.Case), RecordID: string(e.ID)},
	})
}

func (m *Mock) commit(w http.ResponseWriter, r *http.Request, key native.CaseKey, in entry) {
	out := core.Write{
		Case: key, Kind: native.Kind(in.Kind), Organisation: handover.OrganisationID(in.EnteredFor), CaseReference: handover.CaseID(in.CaseReference),
		Reference: native.Reference(in.ExternalReference), Documents: named(in.Content), By: core.ByInterface, Body: in.Content,
	}
	if in.Amends != nil {
		out.Action, out.Refers = in.Amends.Action, in.Amends.RecordID
	}
	e, existed, err := m.store.Write(r.Context(), out)
	switch {
	case errors.Is(err, core.ErrNoCase):
		refuse(w, problem{Status: http.StatusNotFound, Code: "case-unknown", Title: "No case has this id"})
	case errors.Is(err, core.ErrNoRecord):
		refuse(w, problem{Status: http.StatusUnprocessableEntity, Code: "amended-record-unknown", Title: "No record of this kind with this id stands in the case"})
	case errors.Is(err, core.ErrNoDocument):
		refuse(w, problem{Status: http.StatusUnprocessableEntity, Code: "document-unknown", Title: "A document that the content names does not stand here"})
	case errors.Is(err, core.ErrClosed):
		notProcessed(w)
	case err != nil:
		http.Error(w, "internal error", http.StatusInternalServerError)
	case existed:
		exists(w, e)
	default:
		send(w, http.StatusCreated, "application/json", receipt{CaseID: string(e.Case), RecordID: string(e.ID)})
	}
}

// receipt names a record.
type receipt struct {
	CaseID   string `json:"caseId"`
	RecordID string `json:"recordId"`
}

// record is one record of the feed.
type record struct {
	Sequence          uint64         `json:"sequence"`
	RecordID          string         `json:"recordId"`
	CaseID            string         `json:"caseId"`
	CaseSequence      uint64         `json:"caseSequence"`
	CaseReference     string         `json:"caseReference,omitzero"`
	ExternalReference string         `json:"externalReference,omitzero"`
	EnteredFor        string         `json:"enteredFor"`
	EnteredAt         time.Time      `json:"enteredAt"`
	Kind              string         `json:"kind"`
	Amends            *amends        `json:"amends,omitzero"`
	Content           jsontext.Value `json:"content"`
}

// feed serves the records after a position.
func (m *Mock) feed(w http.ResponseWriter, r *http.Request) {
	after, err1 := number(r, "after", 0, 0, 1<<53-1)
	limit, err2 := number(r, "limit", defaultPage, 1, maxPage)
	if errors.Join(err1, err2) != nil {
		refuse(w, problem{Status: http.StatusBadRequest, Code: "malformed", Title: "after or limit is not a number in its range"})
		return
	}
	if after > uint64(m.store.Len()) {
		refuse(w, problem{Status: http.StatusGone, Code: "position-unknown", Title: "The platform never gave this sequence"})
		return
	}
	page := struct {
		Records []record `json:"records"`
		Next    uint64   `json:"next"`
		More    bool     `json:"more"`
	}{Records: []record{}, Next: after}
	size := 0
	entries := m.store.After(after, int(limit)+1)
	for i, e := range entries {
		if size += len(e.Body) + 1024; uint64(i) == limit || (i > 0 && size > maxPageSize) {
			page.More = true
			break
		}
		page.Records, page.Next = append(page.Records, shown(e)), e.Number
	}
	send(w, http.StatusOK, "application/json", page)
}

func shown(e core.Entry) record {
	r := record{
		Sequence: e.Number, RecordID: string(e.ID), CaseID: string(e.Case), CaseSequence: e.Sequence, CaseReference: string(e.CaseReference),
		ExternalReference: string(e.Reference), EnteredFor: string(e.Organisation), EnteredAt: e.At, Kind: string(e.Kind), Content: e.Body,
	}
	if e.Action != "" {
		r.Amends = &amends{Action: e.Action, RecordID: e.Refers}
	}
	return r
}

// number reads a parameter that is absent, or a number in a range.
func number(r *http.Request, name string, otherwise, least, most uint64) (uint64, error) {
	v, ok := r.URL.Query()[name]
	if !ok {
		return otherwise, nil
	}
	n, err := strconv.ParseUint(v[0], 10, 64)
	if err != nil || len(v) > 1 || n < least || n > most {
		return 0, errMalformed
	}
	return n, nil
}

// problem is an RFC 9457 document as the contract wants it.
type problem struct {
	Type     string   `json:"type"`
	Title    string   `json:"title"`
	Status   int      `json:"status"`
	Code     string   `json:"code"`
	Findings findings `json:"findings,omitempty"`
	Existing *receipt `json:"existing,omitzero"`
}

func refuse(w http.ResponseWriter, p problem) {
	p.Type = "urn:casenet:problem:" + p.Code
	send(w, p.Status, "application/problem+json", p)
}

// notProcessed answers "rejected before any write".
func notProcessed(w http.ResponseWriter) {
	w.Header().Set("Retry-After", "1")
	refuse(w, problem{Status: http.StatusServiceUnavailable, Code: "not-processed", Title: "The platform is busy; nothing was written"})
}

func send(w http.ResponseWriter, status int, media string, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", media)
	w.WriteHeader(status)
	_, _ = w.Write(b) // a client that has gone needs no answer
}
