package klib

import (
	"context"
	"io"
	"net/http"
	"strconv"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/adapters/internal/httpx"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
)

// OpenDocument reads a document; see [adapters.Documents].
func (s *system) OpenDocument(ctx context.Context, sha256 string) (io.ReadCloser, error) {
	op := s.op("open-document")
	missing := fault.New(fault.Park, op, adapters.DocumentMissing, "the system does not have the document that its entry names").
		Hint("ask the social service to attach it again and to correct the entry, or hand it over by hand")
	if !isHash(sha256) {
		return nil, missing
	}
	r, content, err := s.client.Download(ctx, httpx.Request{
		Op: op, Method: http.MethodGet, Path: []string{"api", "v1", "dokumente", sha256}, Header: http.Header{"Accept": {"application/octet-stream, application/problem+json"}},
	}, handover.DocumentLimit)
	switch {
	case err != nil:
		return nil, err
	case content != nil:
		return content, nil
	case r.Status == http.StatusNotFound && r.ProblemCode() == "dokument-unbekannt":
		return nil, missing
	default:
		return nil, unavailable(op, r)
	}
}

// PutDocument stores a document; see [adapters.Documents]. The system holds the bytes against the hash.
func (s *system) PutDocument(ctx context.Context, d handover.Document, content io.Reader) error {
	op := s.op("put-document")
	if !isHash(d.SHA256) || d.Size < 1 || d.Size > handover.DocumentLimit {
		return fault.New(fault.Refuse, op, "document", "the document has no hash, or a size that the contract does not allow")
	}
	r, err := s.client.Upload(ctx, httpx.Request{
		Op: op, Method: http.MethodPut, Path: []string{"api", "v1", "dokumente", d.SHA256},
		Header: http.Header{"Accept": {"application/problem+json"}, "Content-Type": {"application/octet-stream"}},
	}, content, d.Size)
	code := r.ProblemCode()
	switch {
	case err != nil:
		return err
	case r.Status == http.StatusOK, r.Status == http.StatusCreated:
		return nil
	case r.Status == http.StatusUnprocessableEntity && code != "":
		return fault.New(fault.Refuse, op, code, "the system read the document and refuses it")
	default:
		return fault.New(fault.Retry, op, "status-"+strconv.Itoa(r.Status), "the answer does not say that the document stands (status "+strconv.Itoa(r.Status)+"); storing it again changes nothing")
	}
}
