package delivery

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"time"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/gateway/schedule"
)

// documentPatience is how long one document may take from system to system: 20 MiB over a slow line.
const documentPatience = 2 * time.Minute

// store puts the documents of an entry into the native system before the entry is announced, so that the entry never stands without them. It needs no INTENT: a document
// is named by its content, and storing it twice changes nothing. ready means that the entry can be sent; an error is a reason to park.
func (c *claim) store(ctx context.Context, j *job, pause time.Duration) (ready bool, err error) {
	if j.stored || len(j.entry.Documents) == 0 {
		return true, nil
	}
	from, to := c.o.Documents[j.m.Source], c.o.Documents[j.To.System]
	if from == nil || to == nil {
		return false, fault.New(fault.Park, "delivery.documents", "documents-not-supported", "the message has documents, and one of the two systems cannot hand them over or keep them").
			Hint("hand them over by hand and withdraw this message, or let both systems' adapters keep documents")
	}
	for i, d := range j.entry.Documents {
		err := carry(ctx, from, to, d)
		switch kind := fault.KindOf(err); {
		case err == nil:
		case kind == fault.Park || kind == fault.Refuse:
			return false, fault.Wrap(fault.Park, "delivery.documents", err)
		default:
			c.o.Log.InfoContext(ctx, "a document is handed over again", slog.String("destination", j.To.String()), slog.String("reference", string(j.Ref)),
				slog.Int("document", i+1), slog.Any("error", err))
			_ = schedule.Pause(ctx, pause)
			return false, nil
		}
	}
	j.stored = true
	return true, nil
}

// carry streams one document from system to system and checks it on the way.
func carry(ctx context.Context, from, to adapters.Documents, d handover.Document) error {
	ctx, cancel := context.WithTimeout(ctx, documentPatience)
	defer cancel()
	content, err := from.OpenDocument(ctx, d.SHA256)
	if err != nil {
		return err
	}
	defer content.Close()
	checked := &checkedReader{content: content, left: d.Size, want: d.SHA256, sum: sha256.New()}
	err = to.PutDocument(ctx, d, checked)
	if checked.wrong != nil {
		return checked.wrong // whatever the target made of it
	}
	return err
}

// checkedReader gives a content on, and an error in the place of its end when it is not the document that the message names: a target must not take it then.
type checkedReader struct {
	content io.Reader
	left    int64
	want    string
	sum     interface {
		io.Writer
		Sum([]byte) []byte
	}
	wrong error
}

// Read implements [io.Reader].
func (r *checkedReader) Read(b []byte) (int, error) {
	if r.wrong != nil {
		return 0, r.wrong
	}
	if int64(len(b)) > r.left+1 {
		b = b[:r.left+1]
	}
	n, err := r.content.Read(b)
	_, _ = r.sum.Write(b[:n]) // a hash never fails
	r.left -= int64(n)
	if r.left < 0 || errors.Is(err, io.EOF) && (r.left > 0 || hex.EncodeToString(r.sum.Sum(nil)) != r.want) {
		r.wrong = fault.New(fault.Park, "delivery.documents", "document-changed", "the document is not the one that the message names: its size or its hash differs").
			Hint("find out who changed it in the native system; enter the message again with the present document")
		return 0, r.wrong
	}
	return n, err
}
