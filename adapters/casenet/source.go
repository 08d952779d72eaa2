package casenet

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/adapters/internal/httpx"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/contracts/strict"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// maxPage is the most records that the contract lets one ask for.
const maxPage = 200

// Read reads one page of the feed; see [adapters.Source]. A position is the sequence of the last record read.
func (p *platform) Read(ctx context.Context, after native.Position, limit int) (adapters.Batch, error) {
	op := p.op("read")
	from, err := parsePosition(op, after)
	if err != nil {
		return adapters.Batch{}, err
	}
	limit = min(max(limit, 1), maxPage)
	r, err := p.client.Do(ctx, httpx.Request{
		Op: op, Method: http.MethodGet, Path: []string{"api", "records"}, Header: accept(),
		Query: url.Values{"after": {strconv.FormatUint(from, 10)}, "limit": {strconv.Itoa(limit)}},
	})
	switch {
	case err != nil:
		return adapters.Batch{}, err
	case r.Status == http.StatusGone && r.ProblemCode() == "position-unknown":
		return adapters.Batch{}, fault.New(fault.Stop, op, adapters.PositionUnknown, "the platform never gave the position that einmal has read up to").
			Hint("find out whether the address leads to another platform, or whether the platform lost records in a restore, before anything is read again")
	case r.Status != http.StatusOK:
		return adapters.Batch{}, unavailable(op, r)
	case r.MediaType() != jsonType:
		return adapters.Batch{}, malformed(op, "the answer is not JSON")
	}
	page, err := parsePage(op, r.Body)
	if err != nil {
		return adapters.Batch{}, err
	}
	return page.batch(op, from, limit)
}

func parsePosition(op string, p native.Position) (uint64, error) {
	if p == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(string(p), 10, 63)
	if err != nil {
		return 0, fault.New(fault.Stop, op, "position", "the stored position is not one of this adapter").
			Hint("find out which system the position belongs to")
	}
	return n, nil
}

// malformed is a page that breaks the contract. It is asked for again, because reading on would skip records.
func malformed(op, text string) error {
	return fault.New(fault.Retry, op, "malformed-page", text).Hint("show the answer to the platform's operator; nothing is read until it is right")
}

// page is one answer of the feed, its records not yet taken apart: one that cannot be read must not hold back the others.
type page struct {
	records []jsontext.Value
	next    uint64
	more    bool
}

// parsePage splits a page. Repeated members of the page are refused here; those within a record are found when the record is read.
func parsePage(op string, b []byte) (page, error) {
	lenient := []json.Options{jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)}
	d := jsontext.NewDecoder(bytes.NewReader(b), lenient...)
	var p page
	targets := map[string]any{"records": &p.records, "next": &p.next, "more": &p.more}
	if t, err := d.ReadToken(); err != nil || t.Kind() != '{' {
		return page{}, malformed(op, "the page is not a JSON object")
	}
	for d.PeekKind() == '"' {
		name, err := d.ReadToken()
		if err != nil {
			return page{}, malformed(op, "the page is not JSON")
		}
		target := targets[name.String()]
		if target == nil {
			return page{}, malformed(op, "the page has a member that is unknown or repeated")
		}
		targets[name.String()] = nil
		if err := json.UnmarshalDecode(d, target, lenient...); err != nil {
			return page{}, malformed(op, "a member of the page has another type than the contract says")
		}
	}
	if t, err := d.ReadToken(); err != nil || t.Kind() != '}' || targets["records"] != nil || targets["next"] != nil || targets["more"] != nil {
		return page{}, malformed(op, "the page is cut or misses a member")
	}
	return p, nil
}

// batch takes the records apart and holds the page to the order that the contract promises.
func (p page) batch(op string, after uint64, limit int) (adapters.Batch, error) {
	if len(p.records) > limit || (len(p.records) == 0) != (p.next == after) || p.next < after || (p.more && len(p.records) == 0) {
		return adapters.Batch{}, malformed(op, "the page's records and its next position do not belong together")
	}
	out := adapters.Batch{Next: position(p.next), More: p.more}
	last := after
	for i, raw := range p.records {
		r, err := parseRecord(raw)
		if err != nil {
			out.Broken = append(out.Broken, adapters.Broken{ID: brokenID(raw), Raw: raw, Reason: fault.Wrap(fault.Park, op, err)})
			continue
		}
		if r.Sequence <= last || r.Sequence > p.next || (i == len(p.records)-1 && r.Sequence != p.next) {
			return adapters.Batch{}, malformed(op, "the page's records are not in the order of their sequences")
		}
		last = r.Sequence
		out.Records = append(out.Records, r.native())
	}
	return out, nil
}

// position writes a sequence; the beginning is the empty position.
func position(n uint64) native.Position {
	if n == 0 {
		return ""
	}
	return native.Position(strconv.FormatUint(n, 10))
}

// record is the frame of one record.
type record struct {
	Sequence          uint64         `json:"sequence"`
	RecordID          string         `json:"recordId"`
	CaseID            string         `json:"caseId"`
	CaseSequence      uint64         `json:"caseSequence"`
	CaseReference     string         `json:"caseReference"`
	ExternalReference string         `json:"externalReference"`
	EnteredFor        string         `json:"enteredFor"`
	EnteredAt         time.Time      `json:"enteredAt"`
	Kind              string         `json:"kind"`
	Amends            *amends        `json:"amends"`
	Content           jsontext.Value `json:"content"`
}

func parseRecord(raw []byte) (record, error) {
	var r record
	if err := strict.JSON(raw, &r); err != nil {
		return record{}, err
	}
	var fs fault.Findings
	need := func(ok bool, path string) {
		if !ok {
			fs.Add(path, "frame", "the member is missing or not what the contract says", "")
		}
	}
	need(r.Sequence > 0, "sequence")
	need(isID(r.RecordID), "recordId")
	need(isID(r.CaseID), "caseId")
	need(r.CaseSequence > 0, "caseSequence")
	need(r.CaseReference == "" || (isID(r.CaseReference) && len(r.CaseReference) <= 36), "caseReference")
	need(len(r.ExternalReference) <= 36, "externalReference")
	need(isID(r.EnteredFor), "enteredFor")
	need(!r.EnteredAt.IsZero(), "enteredAt")
	need(isID(r.Kind), "kind")
	need(r.Amends == nil || r.Amends.readable(), "amends")
	need(r.Content.Kind() == '{', "content")
	return r, fs.Err()
}

func (r record) native() native.Record {
	out := native.Record{
		ID: native.RecordID(r.RecordID), Kind: native.Kind(r.Kind), Case: native.CaseKey(r.CaseID),
		Organisation: handover.OrganisationID(r.EnteredFor), CaseReference: handover.CaseID(r.CaseReference),
		Reference: native.Reference(r.ExternalReference), Sequence: r.CaseSequence, At: r.EnteredAt.UTC(), Body: r.Content,
	}
	if r.Amends != nil {
		out.Action, out.Refers = handover.Action(r.Amends.Action), native.RecordID(r.Amends.RecordID)
	}
	return out
}

// brokenID returns the record's own id if it can be made out, otherwise a name derived from its bytes.
func brokenID(raw []byte) native.RecordID {
	var r struct {
		RecordID string `json:"recordId"`
	}
	if json.Unmarshal(raw, &r) == nil && isID(r.RecordID) {
		return native.RecordID(r.RecordID)
	}
	sum := sha256.Sum256(raw)
	return native.RecordID("broken-" + hex.EncodeToString(sum[:12]))
}

// isID reports whether s is an id as the contract defines it: 1 to 64 letters, digits, "_" and "-".
func isID(s string) bool {
	for _, b := range []byte(s) {
		if (b < 'a' || b > 'z') && (b < 'A' || b > 'Z') && (b < '0' || b > '9') && b != '_' && b != '-' {
			return false
		}
	}
	return len(s) >= 1 && len(s) <= 64
}
