package tutoris

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/pkg/sftp"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	contract "github.com/einmal-hub/einmal/contracts/native/tutoris"
)

const (
	opOpen = Type + ".open-document"
	opPut  = Type + ".put-document"
)

// readAhead is how much of a document is asked for at once: the library asks for its parts side by side.
const readAhead = 256 << 10

// OpenDocument returns a document from the folder of documents; see [adapters.Documents]. It has a connection of its own, which ends when it is closed.
func (e *exchange) OpenDocument(ctx context.Context, hash string) (io.ReadCloser, error) {
	missing := fault.New(fault.Park, opOpen, adapters.DocumentMissing, "the document does not lie in the folder of documents").
		Hint("ask the operator of Tutoris to put it there again, or the social service to attach it again and to correct the entry")
	if !isHash(hash) {
		return nil, missing
	}
	l, err := e.dial(ctx, opOpen)
	if err != nil {
		return nil, err
	}
	content, err := e.openDocument(l, hash)
	if err == nil {
		return content, nil
	}
	if errors.Is(err, fs.ErrNotExist) {
		if _, folder := l.files.Stat(e.at(contract.Documents)); folder == nil {
			err = missing
		}
	}
	err = l.unusable(err)
	l.close()
	return nil, err
}

// openDocument opens what lies under a hash. What is no file, or has another size than a document can have, is none.
func (e *exchange) openDocument(l *link, hash string) (*document, error) {
	f, err := l.files.Open(e.at(contract.Documents, hash))
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && (!info.Mode().IsRegular() || info.Size() < 1 || info.Size() > contract.MaxDocument) {
		err = fs.ErrNotExist
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return &document{link: l, file: f, left: info.Size(), from: bufio.NewReaderSize(f, readAhead)}, nil
}

// document is a content that is being read, with its connection.
type document struct {
	link *link
	file *sftp.File
	left int64
	from io.Reader
}

// Read implements [io.Reader]. An end before the size that the file had is none: the content would be taken for another one.
func (d *document) Read(b []byte) (int, error) {
	n, err := d.from.Read(b)
	d.left -= int64(n)
	switch {
	case err == nil:
		return n, nil
	case !errors.Is(err, io.EOF):
		return n, d.link.unusable(err)
	case d.left > 0:
		return n, fault.New(fault.Retry, opOpen, "short", "the document ended before its end")
	}
	return n, io.EOF
}

// Close ends the connection.
func (d *document) Close() error {
	d.link.close() // first: closing the file would wait for a server that does not answer
	return nil
}

// PutDocument puts a document into the folder of documents, whole under another name and then renamed; see [adapters.Documents]. What lies there already is replaced by the same bytes,
// so that it is whole and new whatever has become of it, and so that a connection which breaks is no doubt: putting it again changes nothing.
func (e *exchange) PutDocument(ctx context.Context, d handover.Document, content io.Reader) error {
	if !isHash(d.SHA256) || d.Size < 1 || d.Size > contract.MaxDocument {
		return fault.New(fault.Refuse, opPut, "document", "the document has no hash, or a size that the contract does not allow")
	}
	l, err := e.dial(ctx, opPut)
	if err != nil {
		return err
	}
	defer l.close()
	from := &measured{from: content, left: d.Size, ended: ctx.Err}
	draft := e.at(contract.Documents, "."+d.SHA256+"."+rand.Text()+".tmp")
	err = e.upload(l, draft, d, from)
	if err == nil {
		if err = ctx.Err(); err == nil {
			return e.place(l, draft, d)
		}
	}
	_ = l.files.Remove(draft)
	switch {
	case from.err != nil && ctx.Err() == nil:
		return fault.New(fault.Retry, opPut, "document-unread", "the document could not be read to its end; nothing was stored").Because(from.err)
	case errors.Is(err, errDiffers):
		return fault.New(fault.Refuse, opPut, "document-differs", "the document does not have the size or the hash that it is named by; nothing was stored")
	}
	return l.unusable(err)
}

// errDiffers: a content does not have the size or the hash of its document.
var errDiffers = errors.New("the content is not that of the document")

// upload writes a content under a name that nobody reads, and holds it against size and hash.
func (e *exchange) upload(l *link, draft string, d handover.Document, from *measured) error {
	f, err := l.files.OpenFile(draft, os.O_WRONLY|os.O_CREATE|os.O_EXCL)
	if err != nil {
		return err
	}
	sum := sha256.New()
	_, err = f.ReadFrom(io.TeeReader(from, sum))
	if err == nil && (from.left != 0 || hex.EncodeToString(sum.Sum(nil)) != d.SHA256) {
		err = errDiffers
	}
	if err != nil {
		_ = f.Close()
		return err
	}
	_, err = l.finish(f, draft, d.Size)
	return err
}

// place gives a document its name. A server that only knows the plain renaming refuses it when the name is taken: then what lies there is read, and removed if it is
// not the document.
func (e *exchange) place(l *link, draft string, d handover.Document) error {
	name := e.at(contract.Documents, d.SHA256)
	err := l.rename(draft, name)
	if err == nil {
		return nil
	}
	defer func() { _ = l.files.Remove(draft) }()
	cause := l.unusable(err)
	whole, err := e.stands(l, d)
	switch {
	case err != nil:
		return cause
	case whole:
		return nil
	}
	_ = l.files.Remove(name)
	if err := l.rename(draft, name); err != nil {
		return l.unusable(err)
	}
	return nil
}

// stands reads what lies under the hash of a document and holds it against the hash.
func (e *exchange) stands(l *link, d handover.Document) (bool, error) {
	there, err := e.openDocument(l, d.SHA256)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	sum := sha256.New()
	_, err = io.Copy(sum, there)
	return err == nil && hex.EncodeToString(sum.Sum(nil)) == d.SHA256, errors.Join(err, there.file.Close())
}

// measured is a content on its way out. It ends with the call, gives away one byte more than it should have at most, and remembers that it failed by itself.
type measured struct {
	from  io.Reader
	left  int64
	ended func() error
	err   error
}

// Read implements [io.Reader].
func (m *measured) Read(b []byte) (int, error) {
	if m.left < 0 {
		return 0, io.EOF
	}
	n, err := 0, m.ended()
	if err == nil {
		n, err = m.from.Read(b[:min(int64(len(b)), m.left+1)])
	}
	if m.left -= int64(n); err != nil && !errors.Is(err, io.EOF) {
		m.err = err
	}
	return n, err
}

func isHash(s string) bool { return len(s) == 64 && strings.Trim(s, "0123456789abcdef") == "" }
