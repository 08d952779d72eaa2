package osiv

import (
	"archive/zip"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"os"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	contract "github.com/einmal-hub/einmal/contracts/native/osiv"
)

const (
	opOpen = Type + ".open-document"
	opPut  = Type + ".put-document"
)

// OpenDocument returns a document that came in with an entry, or that was put here; see [adapters.Documents].
func (e *exchange) OpenDocument(ctx context.Context, hash string) (io.ReadCloser, error) {
	missing := fault.New(fault.Park, opOpen, adapters.DocumentMissing, "the document does not stand among those that came in from OSIV").
		Hint("get it back from a backup of the folder " + contract.Documents + ", or ask the IV office to send the entry again")
	if !isHash(hash) {
		return nil, missing
	}
	if err := ended(ctx, opOpen); err != nil {
		return nil, err
	}
	root, err := e.open(opOpen)
	if err != nil {
		return nil, err
	}
	defer func() { _ = root.Close() }()
	content, err := attachment{hash: hash}.open(root)
	switch {
	case errors.Is(err, errDiffers):
		return nil, missing
	case err != nil:
		return nil, unusable(opOpen, err)
	}
	return content, nil
}

// PutDocument stages a document for the entries that name it; see [adapters.Documents]. [exchange.Apply] packs it from here.
func (e *exchange) PutDocument(ctx context.Context, d handover.Document, content io.Reader) error {
	a := attachment{hash: d.SHA256, size: d.Size}
	if !isHash(a.hash) || a.size < 1 || a.size > contract.MaxAttachment {
		return fault.New(fault.Refuse, opPut, "document", "the document has no hash, or a size that OSIV's contract does not allow")
	}
	if err := ended(ctx, opPut); err != nil {
		return err
	}
	root, err := e.open(opPut)
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }()
	from := &source{from: content, ended: ctx.Err}
	err = e.keep(root, a, from)
	switch {
	case err == nil:
		return nil
	case from.err != nil:
		return fault.New(fault.Retry, opPut, "document-unread", "the document could not be read to its end; nothing was stored").Because(ctx.Err())
	case errors.Is(err, errDiffers):
		return fault.New(fault.Refuse, opPut, "document-differs", "the document does not have the size or the hash that it is named by; nothing was stored")
	}
	return unusable(opPut, err)
}

// source is a content on its way in. It ends with the call, and remembers that it failed by itself.
type source struct {
	from  io.Reader
	ended func() error
	err   error
}

// Read implements [io.Reader].
func (s *source) Read(b []byte) (int, error) {
	n, err := 0, s.ended()
	if err == nil {
		n, err = s.from.Read(b)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		s.err = err
	}
	return n, err
}

// keep stores a content under its hash: whole, checked and durable, or not at all. What stands there and is whole stays, with a new time of change; what does not have its hash any more is
// replaced. Errors are errDiffers, that of the content, or one of the file system.
func (e *exchange) keep(root *os.Root, a attachment, content io.Reader) error {
	if err := root.MkdirAll(contract.Documents, 0o700); err != nil {
		return err
	}
	name := contract.Documents + "/" + a.hash
	if err := a.verify(root); err == nil {
		return root.Chtimes(name, e.now(), e.now())
	}
	draft, err := draftOf(root, contract.Documents, func(w io.Writer) error { return a.copy(w, content) })
	if err != nil {
		return err
	}
	if err := root.Rename(draft, name); err != nil {
		return errors.Join(err, root.Remove(draft))
	}
	return syncFolder(root, contract.Documents)
}

// verify reads the content that stands under a hash and holds it against the hash.
func (a attachment) verify(root *os.Root) error {
	f, err := a.open(root)
	if err != nil {
		return err
	}
	return errors.Join(a.copy(io.Discard, f), f.Close())
}

// open opens the content that stands under a hash; errDiffers when there is none.
func (a attachment) open(root *os.Root) (io.ReadCloser, error) {
	f, _, err := regular(root, contract.Documents+"/"+a.hash, contract.MaxAttachment)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, errIrregular):
		return nil, errDiffers
	case err != nil:
		return nil, err
	}
	return f, nil
}

// unfold stores the enclosed documents of an entry, before the entry is reported on. An error of kind Park is about a document.
func (e *exchange) unfold(root *os.Root, p parts, named []attachment) error {
	for _, a := range named {
		if err := e.unfoldOne(root, a, p.enclosed[a.hash]); err != nil {
			return err
		}
	}
	return nil
}

func (e *exchange) unfoldOne(root *os.Root, a attachment, f *zip.File) error {
	differs := lacking("attachment-differs", "a document in the payload does not have the bytes that its hash names")
	in, err := f.Open()
	if err != nil {
		return differs
	}
	from := &source{from: in, ended: func() error { return nil }}
	err = errors.Join(e.keep(root, a, from), in.Close())
	if from.err != nil || errors.Is(err, errDiffers) {
		return differs
	}
	return err
}

// regular opens one regular file and returns its size. Links are not followed.
func regular(root *os.Root, name string, limit int64) (*os.File, int64, error) {
	info, err := root.Lstat(name)
	if err != nil {
		return nil, 0, err
	}
	if !info.Mode().IsRegular() || info.Size() > limit {
		return nil, 0, errIrregular
	}
	f, err := root.Open(name)
	return f, info.Size(), err
}

// draftOf writes a file under a name that nobody knows, and makes it durable. With an error nothing is left.
func draftOf(root *os.Root, folder string, write func(io.Writer) error) (string, error) {
	name := folder + "/.einmal-" + rand.Text() + ".part"
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", err
	}
	err = write(f)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return "", errors.Join(err, root.Remove(name))
	}
	return name, nil
}
