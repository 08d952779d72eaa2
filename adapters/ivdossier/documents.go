package ivdossier

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"io/fs"
	"strings"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	contract "github.com/einmal-hub/einmal/contracts/native/ivdossier"
)

const (
	opOpen = Type + ".open-document"
	opPut  = Type + ".put-document"
)

func isHash(s string) bool { return len(s) == 64 && strings.Trim(s, "0123456789abcdef") == "" }

// OpenDocument returns a content that was put here, or that staff released with a document; see [adapters.Documents].
func (e *exchange) OpenDocument(ctx context.Context, sum string) (io.ReadCloser, error) {
	if err := ended(ctx, opOpen); err != nil {
		return nil, err
	}
	missing := fault.New(fault.Park, opOpen, adapters.DocumentMissing, "the document does not lie in einmal's own folder").
		Hint("get that folder back from a backup, or ask the office to release the document again with a correction")
	if !isHash(sum) {
		return nil, missing
	}
	d, err := e.open(opOpen)
	if err != nil {
		return nil, err
	}
	defer d.close()
	f, size, err := d.openFile(kept + "/" + sum)
	switch {
	case err == nil && size > 0 && size <= contract.MaxDocument:
		return content{f}, nil
	case err == nil:
		return nil, errors.Join(missing, f.Close())
	case errors.Is(err, errIrregular):
		return nil, missing
	case errors.Is(err, fs.ErrNotExist):
		if _, folder := d.root.Lstat(kept); folder == nil {
			return nil, missing
		}
	}
	return nil, unusable(opOpen, err)
}

// content is a document that is being read. Its errors do not name the file.
type content struct{ fs.File }

// Read implements [io.Reader].
func (c content) Read(b []byte) (int, error) {
	n, err := c.File.Read(b)
	if err != nil && !errors.Is(err, io.EOF) {
		err = unusable(opOpen, err)
	}
	return n, err
}

// PutDocument keeps a content under its hash in einmal's own folder, whole or not at all; see [adapters.Documents]. It takes no part in the work on the entries, so that a slow source holds nothing up.
func (e *exchange) PutDocument(ctx context.Context, doc handover.Document, from io.Reader) error {
	if !isHash(doc.SHA256) || doc.Size < 1 || doc.Size > contract.MaxDocument {
		return fault.New(fault.Refuse, opPut, "document", "the document has no hash, or a size that the contract does not allow")
	}
	if err := ended(ctx, opPut); err != nil {
		return err
	}
	d, err := e.open(opPut)
	if err != nil {
		return err
	}
	defer d.close()
	for _, folder := range []string{contract.Machinery, drafts, kept} {
		if err := d.folder(folder); err != nil {
			return unusable(opPut, err)
		}
	}
	if info, err := d.root.Lstat(kept + "/" + doc.SHA256); err == nil && info.Mode().IsRegular() && info.Size() == doc.Size {
		return refusable(opPut, d.sync(kept))
	}
	in := &measured{from: from, left: doc.Size, sum: sha256.New(), ended: ctx.Err}
	draft, err := d.stream(in, 0o400)
	switch {
	case ctx.Err() != nil:
		_ = d.remove(draft)
		return ended(ctx, opPut)
	case in.err != nil:
		return fault.New(fault.Retry, opPut, "document-unread", "the document could not be read to its end; nothing was stored").Because(in.err)
	case err != nil:
		return unusable(opPut, err)
	case in.left != 0 || hex.EncodeToString(in.sum.Sum(nil)) != doc.SHA256:
		_ = d.remove(draft)
		return fault.New(fault.Refuse, opPut, "document-differs", "the document does not have the size or the hash that it is named by; nothing was stored")
	}
	return refusable(opPut, d.keep(draft, doc.SHA256))
}

// refusable is unusable for what may have gone well.
func refusable(op string, err error) error {
	if err == nil {
		return nil
	}
	return unusable(op, err)
}

// keep gives a draft its name among the contents. One that stands there already is the same.
func (d *disk) keep(draft, sum string) error {
	err := d.link(draft, kept+"/"+sum)
	if errors.Is(err, fs.ErrExist) {
		err = d.sync(kept) // whoever made it may not have come that far
	}
	_ = d.root.Remove(draft)
	return err
}

// openFile opens one regular file. Links are not followed.
func (d *disk) openFile(name string) (fs.File, int64, error) {
	if err := d.met("read", name); err != nil {
		return nil, 0, err
	}
	info, err := d.root.Lstat(name)
	if err != nil {
		return nil, 0, err
	}
	if !info.Mode().IsRegular() {
		return nil, 0, errIrregular
	}
	f, err := d.root.Open(name)
	return f, info.Size(), err
}

// measured is a content on its way in. It ends with the call, gives away one byte more than it should have at most, and remembers that it failed by itself.
type measured struct {
	from  io.Reader
	left  int64
	sum   hash.Hash
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
	m.left -= int64(n)
	_, _ = m.sum.Write(b[:n])
	if err != nil && !errors.Is(err, io.EOF) {
		m.err = err
	}
	return n, err
}
