package measure

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
)

// paper invents a document.
func paper(seed uint64, size int) (handover.Document, []byte) {
	content := bytes.Repeat(fmt.Appendf(nil, "%%PDF-1.4 TEST einmal %x\n", seed), size/20+1)[:size]
	sum := sha256.Sum256(content)
	return handover.Document{Name: "TEST einmal.pdf", MediaType: "application/pdf", Size: int64(size), SHA256: hex.EncodeToString(sum[:])}, content
}

// storeDocuments stores documents, twice, and opens them, and writes an entry that names one.
func (r *run) storeDocuments(ctx context.Context) error {
	named := r.named[0]
	if r.system.Documents == nil {
		return r.write(ctx, named, r.base, 0)
	}
	var first handover.Document
	for k, size := range []int{1000, 300_000} {
		d, content := paper(r.Seed, size)
		if k == 0 {
			first = d
		}
		for range 2 {
			if err := r.put(ctx, d, content); err != nil {
				return err
			}
		}
		if err := r.reopen(ctx, d, content); err != nil {
			return err
		}
	}
	if len(r.papers) > 0 {
		return r.write(ctx, named, r.base, 0)
	}
	entry, err := r.forms.Entry(named.n, named.ref, r.base, first)
	if err != nil {
		return err
	}
	return r.send(ctx, named, entry, 0)
}

func (r *run) put(ctx context.Context, d handover.Document, content []byte) error {
	err := r.patiently(ctx, func(ctx context.Context) error {
		return r.system.Documents.PutDocument(ctx, d, bytes.NewReader(content))
	})
	return r.paperwork(ctx, err, fmt.Sprintf("a document of %d bytes is not stored", d.Size))
}

func (r *run) reopen(ctx context.Context, d handover.Document, content []byte) error {
	var got []byte
	err := r.patiently(ctx, func(ctx context.Context) error {
		opened, err := r.system.Documents.OpenDocument(ctx, d.SHA256)
		if err != nil {
			return err
		}
		got, err = io.ReadAll(opened)
		return fault.Wrap(fault.Retry, "measure.open", errors.Join(err, opened.Close()))
	})
	if err == nil && !bytes.Equal(got, content) {
		r.papers = append(r.papers, fmt.Sprintf("a document of %d bytes comes back as another one", d.Size))
	}
	return r.paperwork(ctx, err, fmt.Sprintf("a document of %d bytes that was stored cannot be opened", d.Size))
}

// paperwork keeps what is wrong; only wrong credentials and the end of ctx end the measurement.
func (r *run) paperwork(ctx context.Context, err error, what string) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case fault.KindOf(err) == fault.Stop:
		return err
	case err != nil:
		r.papers = append(r.papers, what+": "+fault.CodeOf(err))
	}
	return nil
}

// patiently repeats what may be repeated.
func (r *run) patiently(ctx context.Context, f func(context.Context) error) error {
	wait := r.bounds.Request / 100
	for n := 1; ; n++ {
		request, cancel := context.WithTimeout(ctx, r.bounds.Request)
		err := f(request)
		cancel()
		if err == nil || fault.KindOf(err) != fault.Retry || n == tries {
			return err
		}
		if err := r.Pause(ctx, wait); err != nil {
			return err
		}
		wait *= 2
	}
}
