package klib

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"strconv"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/go-json-experiment/json"
)

// quiet is the last request whose answer was empty, with the ETag of that answer.
type quiet struct {
	after native.Position
	limit int
	etag  string
}

// Read returns the entries after a mark; see [adapters.Source].
func (s *system) Read(ctx context.Context, after native.Position, limit int) (adapters.Batch, error) {
	op := s.op("read")
	limit = max(1, min(limit, s.config.PageSize))
	query, header := url.Values{"limit": {strconv.Itoa(limit)}}, http.Header{}
	if after != "" {
		query.Set("nach", string(after))
	}
	asked := s.quiet.etag != "" && s.quiet.after == after && s.quiet.limit == limit
	if asked {
		header.Set("If-None-Match", s.quiet.etag)
	}
	r, err := s.get(ctx, op, query, header, "eintraege")
	switch {
	case err != nil:
		return adapters.Batch{}, err
	case r.Status == http.StatusNotModified && asked:
		return adapters.Batch{Next: after}, nil
	case r.Status == http.StatusGone && r.ProblemCode() == "marke-unbekannt":
		return adapters.Batch{}, fault.New(fault.Stop, op, adapters.PositionUnknown, "the system does not know the mark up to which einmal has read").
			Hint("ask its operator whether a backup was restored; what was entered since must be compared by hand before einmal reads on")
	case r.Status != http.StatusOK:
		return adapters.Batch{}, unavailable(op, r)
	}
	p, err := splitPage(r.Body)
	if err != nil || r.MediaType() != "application/json" {
		return adapters.Batch{}, fault.New(fault.Retry, op, "page-format", "the list of entries is not what the contract describes").
			Hint("look whether something else answers under this address, such as a proxy")
	}
	s.remember(after, limit, p, r.Header.Get("ETag"))
	return batch(after, p), nil
}

// remember keeps the ETag of an answer that said "nothing new", and forgets any other.
func (s *system) remember(after native.Position, limit int, p page, etag string) {
	s.quiet = quiet{}
	if len(p.entries) == 0 && !p.more {
		s.quiet = quiet{after: after, limit: limit, etag: etag}
	}
}

// batch reads each entry of a page. Where nothing is new the position stays, whatever mark the system gives.
func batch(after native.Position, p page) adapters.Batch {
	if len(p.entries) == 0 && !p.more {
		return adapters.Batch{Next: after}
	}
	b := adapters.Batch{Next: native.Position(p.mark), More: p.more && p.mark != string(after)}
	for _, raw := range p.entries {
		r, err := record(raw)
		if err != nil {
			b.Broken = append(b.Broken, adapters.Broken{ID: brokenID(raw), Raw: raw, Reason: err})
			continue
		}
		b.Records = append(b.Records, r)
	}
	return b
}

// brokenID returns the entry's own id if it can be read, and otherwise one that the same bytes give again.
func brokenID(raw []byte) native.RecordID {
	var e struct {
		ID string `json:"id"`
	}
	if json.Unmarshal(raw, &e) == nil && isID(e.ID) {
		return native.RecordID(e.ID)
	}
	sum := sha256.Sum256(raw)
	return native.RecordID("broken-" + hex.EncodeToString(sum[:12]))
}
