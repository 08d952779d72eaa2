package casenet

import (
	"context"
	"io"
	"net/http"
	"strings"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/adapters/internal/httpx"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
)

// Codes of the contract that say where a document stands.
const (
	codeDocumentExists  = "document-exists"
	codeDocumentUnknown = "document-unknown"
)

const bytesType = "application/octet-stream"

// OpenDocument reads a document; see [adapters.Documents].
func (p *platform) OpenDocument(ctx context.Context, sha256 string) (io.ReadCloser, error) {
	op := p.op("open-document")
	missing := fault.New(fault.Park, op, adapters.DocumentMissing, "the platform does not have the document that its record names").
		Hint("ask the agency to attach it again and to correct the record, or hand it over by hand")
	if !isHash(sha256) {
		return nil, missing
	}
	r, content, err := p.client.Download(ctx, httpx.Request{
		Op: op, Method: http.MethodGet, Path: []string{"api", "documents", sha256}, Header: http.Header{"Accept": {bytesType + ", " + problemType}},
	}, handover.DocumentLimit)
	switch {
	case err != nil:
		return nil, err
	case content != nil:
		return content, nil
	case r.Status == http.StatusNotFound && r.ProblemCode() == codeDocumentUnknown:
		return nil, missing
	default:
		return nil, unavailable(op, r)
	}
}

// PutDocument stores a document; see [adapters.Documents]. The platform holds the bytes against the hash.
func (p *platform) PutDocument(ctx context.Context, d handover.Document, content io.Reader) error {
	op := p.op("put-document")
	if !isHash(d.SHA256) || d.Size < 1 || d.Size > handover.DocumentLimit {
		return fault.New(fault.Refuse, op, "document", "the document has no hash, or a size that the contract does not allow")
	}
	r, err := p.client.Upload(ctx, httpx.Request{
		Op: op, Method: http.MethodPut, Path: []string{"api", "documents", d.SHA256}, Header: http.Header{"Accept": {problemType}, "Content-Type": {bytesType}},
	}, content, d.Size)
	code := r.ProblemCode()
	switch {
	case err != nil:
		return err
	case r.Status == http.StatusCreated, r.Status == http.StatusConflict && code == codeDocumentExists:
		return nil
	case refusesDocument(r.Status) && code != "":
		return fault.New(fault.Refuse, op, code, "the platform refused the document with status "+statusText(r.Status)+"; nothing was stored")
	default:
		return fault.New(fault.Retry, op, "unlisted-answer", "the answer (status "+statusText(r.Status)+") does not say that the document stands; storing it again changes nothing")
	}
}

// refusesDocument lists the statuses that, with a problem code, mean that the document will never be taken.
func refusesDocument(status int) bool {
	return status == http.StatusRequestEntityTooLarge || status == http.StatusUnsupportedMediaType || status == http.StatusUnprocessableEntity
}

func isHash(s string) bool { return len(s) == 64 && strings.Trim(s, "0123456789abcdef") == "" }
