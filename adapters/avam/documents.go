package avam

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"strings"

	"github.com/beevik/etree"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/adapters/internal/httpx"
	"github.com/einmal-hub/einmal/adapters/internal/xmlframe"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	contract "github.com/einmal-hub/einmal/contracts/native/avam"
)

const (
	opOpen = Type + ".open-document"
	opPut  = Type + ".put-document"
)

// isHash reports whether a name is a SHA-256 as the contract writes it.
func isHash(name string) bool { return len(name) == 64 && strings.Trim(name, "0123456789abcdef") == "" }

// OpenDocument fetches a document; see [adapters.Documents]. It is decoded while it comes.
func (s *service) OpenDocument(ctx context.Context, hash string) (io.ReadCloser, error) {
	if !isHash(hash) {
		return nil, missing()
	}
	c := call{op: opOpen, operation: contract.FetchDocument, fill: func(request *etree.Element) { set(request, "sha256", hash) }}
	request, err := c.request()
	if err != nil {
		return nil, err
	}
	answer, body, err := s.client.Download(ctx, request, longest)
	switch {
	case err != nil:
		return nil, err
	case body == nil:
		return nil, c.failed(answer)
	case answer.MediaType() != "text/xml":
		return nil, errors.Join(unreadable(c.op, false, fault.New(fault.Park, c.op, "media-type", "the answer is not text/xml")), body.Close())
	}
	text, err := c.openText(body)
	if err != nil {
		_ = body.Close()
		return nil, err
	}
	return document{text, body}, nil
}

// longest is how long an answer with a document may be: base64 takes a third more, and is broken into lines by some.
const longest = contract.MaxMessage + 2*contract.MaxDocument

// document is a content that is decoded while it is read.
type document struct {
	io.Reader
	io.Closer
}

// failed is the error of an answer that holds no document.
func (c call) failed(answer httpx.Response) error {
	if _, err := c.judge(answer); err != nil {
		return err
	}
	return unreadable(c.op, false, fault.New(fault.Park, c.op, "soap", "status and body of the answer do not belong together"))
}

func missing() error {
	return fault.New(fault.Park, opOpen, adapters.DocumentMissing, "AVAM does not have the document").
		Hint("ask AVAM's operator for the document; when it stands there again, let the message go on")
}

// PutDocument stores a document; see [adapters.Documents]. It is encoded while it is sent. AVAM checks the hash.
func (s *service) PutDocument(ctx context.Context, d handover.Document, content io.Reader) error {
	if !isHash(d.SHA256) || d.Size < 1 || d.Size > contract.MaxDocument {
		return fault.New(fault.Refuse, opPut, "document", "the document has no hash, or a size that AVAM's contract does not allow")
	}
	c := call{op: opPut, operation: contract.StoreDocument, fill: func(request *etree.Element) {
		set(request, "sha256", d.SHA256)
		set(request, "content", hole)
	}}
	request, err := c.request()
	if err != nil {
		return err
	}
	before, after, ok := bytes.Cut(request.Body, []byte(">"+hole+"<"))
	if !ok {
		return fault.New(fault.Refuse, opPut, "document", "the request cannot be written")
	}
	text := &encoder{from: content, left: d.Size}
	before, after = append(before, '>'), append([]byte{'<'}, after...)
	size := int64(len(before)) + int64(base64.StdEncoding.EncodedLen(int(d.Size))) + int64(len(after))
	answer, err := s.client.Upload(ctx, request, io.MultiReader(bytes.NewReader(before), text, bytes.NewReader(after)), size)
	switch {
	case errors.Is(err, errDiffers):
		return fault.New(fault.Refuse, opPut, "document-differs", "the document does not have the size that it is named with; nothing was stored")
	case errors.Is(err, errUnread):
		return fault.New(fault.Retry, opPut, "document-unread", "the document could not be read to its end; nothing was stored")
	case err != nil:
		return err
	}
	return c.stored(answer, d)
}

// hole stands where the text of a document belongs.
const hole = "="

// stored demands that AVAM says what it stored.
func (c call) stored(answer httpx.Response, d handover.Document) error {
	el, err := c.judge(answer)
	if err != nil {
		return err
	}
	f := xmlframe.Read(el, contract.Namespace)
	hash, size := f.Text("sha256"), f.Number("size")
	if err := f.Done(); err != nil || hash != d.SHA256 || size != uint64(d.Size) { //nolint:gosec // from 1 to 20 MiB
		return unreadable(c.op, false, err)
	}
	return nil
}

// Why a content was not sent to its end.
var (
	errDiffers = errors.New("the content has another length than the document")
	errUnread  = errors.New("the content could not be read to its end")
)

// encoder writes a content in base64 while it is read. Its end is read before its last bytes are given on, so that what turns out to be another content is never sent as a whole.
type encoder struct {
	from io.Reader
	left int64
	text []byte
	err  error
}

// chunk is how many bytes are encoded at once; a multiple of three.
const chunk = 12 << 10

// Read implements [io.Reader].
func (e *encoder) Read(p []byte) (int, error) {
	if len(e.text) == 0 && e.err == nil && e.left > 0 {
		e.next()
	}
	switch {
	case len(e.text) > 0:
		n := copy(p, e.text)
		e.text = e.text[n:]
		return n, nil
	case e.err != nil:
		return 0, e.err
	default:
		return 0, io.EOF
	}
}

func (e *encoder) next() {
	raw := make([]byte, min(e.left, chunk))
	_, err := io.ReadFull(e.from, raw)
	if err == nil && e.left <= chunk {
		err = e.end()
	}
	switch {
	case ends(err), errors.Is(err, errDiffers):
		e.err = errDiffers
	case err != nil:
		e.err = errUnread
	default:
		e.left -= int64(len(raw))
		e.text = base64.StdEncoding.AppendEncode(nil, raw)
	}
}

// ends reports the end of the content itself.
func ends(err error) bool {
	return err == io.EOF || err == io.ErrUnexpectedEOF //nolint:errorlint // an error that holds one of them is a source that broke off
}

// end demands that nothing follows.
func (e *encoder) end() error {
	var one [1]byte
	switch n, err := io.ReadFull(e.from, one[:]); {
	case n > 0:
		return errDiffers
	case ends(err):
		return nil
	default:
		return err
	}
}
