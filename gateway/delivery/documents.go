package delivery

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/gateway/schedule"
)

// documentPatience is how long one document may take from system to system: 20 MiB take 3 minutes over a line of 1 Mbit/s.
const documentPatience = 6 * time.Minute

// store puts the documents of an entry into the native system before the entry is announced, so that the entry never stands without them. It needs no INTENT: a document
// is named by its content, and storing it twice changes nothing. ready means that the entry can be sent; an error is a reason to park. A recall does not wait for documents: what it takes back stands
// with them.
func (c *claim) store(ctx context.Context, j *job, pause time.Duration) (ready bool, err error) {
	if j.stored || len(j.entry.Documents) == 0 {
		return true, nil
	}
	from, to := c.o.Documents[j.m.Source], c.o.Documents[j.To.System]
	if from == nil || to == nil {
		return false, fault.New(fault.Park, "delivery.documents", "documents-not-supported", "the message has documents, and one of the two systems cannot hand them over or keep them").
			Hint("hand them over by hand and withdraw this message, or let both systems' adapters keep documents")
	}
	release, ok := j.sink.enter(ctx)
	if !ok {
		_ = schedule.Pause(ctx, pause)
		return false, nil
	}
	number, ours, err := carryAll(ctx, j, from, to)
	if ours {
		release(nil) // the target has done nothing wrong
	} else {
		release(err)
	}
	switch kind := fault.KindOf(err); {
	case err == nil:
		j.stored = true
		return true, nil
	case kind == fault.Park || kind == fault.Refuse:
		return false, fault.Wrap(fault.Park, "delivery.documents", err)
	default:
		level := slog.LevelInfo
		if kind == fault.Stop {
			level = slog.LevelError
		}
		c.o.Log.Log(ctx, level, "a document is handed over again", slog.String("destination", j.To.String()), slog.String("reference", string(j.Ref)),
			slog.Int("document", number), slog.Any("error", err))
		_ = schedule.Pause(ctx, pause)
		return false, nil
	}
}

// carryAll hands the documents of an entry over, up to the first one that fails: its number, and whether the fault is on the side where it comes from.
func carryAll(ctx context.Context, j *job, from, to adapters.Documents) (number int, ours bool, err error) {
	for i, d := range j.entry.Documents {
		ours, err := carry(ctx, from, to, d)
		kind := fault.KindOf(err)
		if err != nil && (j.m.Action != handover.ActionRecall || kind != fault.Park && kind != fault.Refuse) {
			return i + 1, ours, err
		}
	}
	return 0, false, nil
}

// carry streams one document from system to system and checks it on the way. ours says that an error comes from where the document is read.
func carry(ctx context.Context, from, to adapters.Documents, d handover.Document) (ours bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, documentPatience)
	defer cancel()
	content, err := from.OpenDocument(ctx, d.SHA256)
	if err != nil {
		return true, err
	}
	defer content.Close()
	checked := &checkedReader{content: content, left: d.Size, want: d.SHA256, sum: sha256.New()}
	err = to.PutDocument(ctx, d, checked)
	if wrong := checked.wrong.Load(); wrong != nil {
		return true, *wrong // whatever the target made of it
	}
	return checked.broken.Load(), err
}

// checkedReader gives a content on, and an error in the place of its last bytes when it is not the document that the message names: a target must not take it then. The target may still be reading when
// it has answered.
type checkedReader struct {
	content io.Reader
	left    int64
	want    string
	sum     interface {
		io.Writer
		Sum([]byte) []byte
	}
	wrong  atomic.Pointer[error]
	broken atomic.Bool // it could not be read to its end
}

// Read implements [io.Reader].
func (r *checkedReader) Read(b []byte) (int, error) {
	if wrong := r.wrong.Load(); wrong != nil {
		return 0, *wrong
	}
	if int64(len(b)) > r.left+1 {
		b = b[:r.left+1]
	}
	n, err := r.content.Read(b)
	if err != nil && !errors.Is(err, io.EOF) {
		r.broken.Store(true)
	}
	_, _ = r.sum.Write(b[:n]) // a hash never fails
	r.left -= int64(n)
	ended := r.left == 0 && n > 0 || errors.Is(err, io.EOF)
	if r.left < 0 || ended && (r.left > 0 || hex.EncodeToString(r.sum.Sum(nil)) != r.want) {
		var wrong error = fault.New(fault.Park, "delivery.documents", "document-changed", "the document is not the one that the message names: its size or its hash differs").
			Hint("find out who changed it in the native system; enter the message again with the present document")
		r.wrong.Store(&wrong)
		return 0, wrong
	}
	return n, err
}
