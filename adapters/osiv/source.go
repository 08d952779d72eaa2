package osiv

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"strconv"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/native"
	contract "github.com/einmal-hub/einmal/contracts/native/osiv"
	"github.com/einmal-hub/einmal/contracts/strict"

	"github.com/einmal-hub/einmal/adapters/internal/xmlframe"
)

const opRead = Type + ".read"

// Read returns what clerks of OSIV entered; see [adapters.Source]. A position is a number in the folder of processed files. Business reports lie in the same stream
// and are passed over. Files that never become whole are Broken with every reading until somebody deals with them.
func (e *exchange) Read(ctx context.Context, after native.Position, limit int) (adapters.Batch, error) {
	from, err := parsePosition(after)
	if err != nil {
		return adapters.Batch{}, err
	}
	if err := ended(ctx, opRead); err != nil {
		return adapters.Batch{}, err
	}
	root, err := e.open(opRead)
	if err != nil {
		return adapters.Batch{}, err
	}
	defer func() { _ = root.Close() }()
	e.mu.Lock()
	defer e.mu.Unlock()
	stuck, err := e.take(root)
	if err != nil {
		return adapters.Batch{}, unusable(opRead, err)
	}
	if from > e.shelf.top() {
		return adapters.Batch{}, fault.New(fault.Stop, opRead, adapters.PositionUnknown, "the file with the highest number was taken away from the processed ones, or they were set back to an older state").
			Hint("bring the processed folder back as it was")
	}
	batch := adapters.Batch{Next: after, Broken: stuck}
	for _, n := range e.shelf.after(from) {
		if len(batch.Records)+len(batch.Broken)-len(stuck) >= max(limit, 1) {
			batch.More = true
			return batch, nil
		}
		if err := e.add(root, n, &batch); err != nil {
			return adapters.Batch{}, unusable(opRead, err)
		}
		batch.Next = native.Position(strconv.FormatUint(n, 10))
	}
	return batch, nil
}

func parsePosition(p native.Position) (uint64, error) {
	if p == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(string(p), 10, 63)
	if err != nil {
		return 0, fault.New(fault.Stop, opRead, "position", "the stored position was not made by this adapter").
			Hint("see whether the system's type was changed in the configuration")
	}
	return n, nil
}

// add adds what lies under a number to a batch.
func (e *exchange) add(root *os.Root, n uint64, batch *adapters.Batch) error {
	if a, known := e.shelf.items[n]; known && a.report {
		return nil
	}
	record, a, raw, err := e.load(root, n, true)
	var broken *fault.Error
	switch {
	case errors.As(err, &broken):
		batch.Broken = append(batch.Broken, adapters.Broken{ID: native.RecordID("pair-" + strconv.FormatUint(n, 10)), Raw: raw, Reason: err})
	case err != nil:
		return err
	case !a.report:
		batch.Records = append(batch.Records, record)
	}
	return nil
}

// load reads a pair that was taken. An error of kind Park is about what stands in it; another one is about the files. With keeping, the documents of an entry stand under their
// hashes when it returns.
func (e *exchange) load(root *os.Root, n uint64, keeping bool) (native.Record, answer, []byte, error) {
	cover, err := read(root, number(n))
	if err != nil {
		return native.Record{}, answer{}, nil, missing(err)
	}
	v, err := readEnvelope(cover)
	if err != nil {
		return native.Record{}, answer{}, cover, err
	}
	payload, size, err := regular(root, payloadOf(key(cover)), contract.MaxPayload)
	if err != nil {
		return native.Record{}, answer{}, cover, missing(err)
	}
	defer func() { _ = payload.Close() }()
	if v.sender != e.config.Recipient || v.recipient != e.config.Sender {
		return native.Record{}, answer{}, shown(payload, size, cover), xmlframe.Broken("foreign-participant", "the message is not from the IV office to this participant")
	}
	p, err := unpack(payload, size)
	if err != nil {
		return native.Record{}, answer{}, shown(payload, size, cover), err
	}
	record, a, err := readMessage(v, p.message)
	if err == nil {
		err = e.settleDocuments(root, p, record, keeping)
	}
	if err == nil {
		e.shelf.items[n] = a
	}
	return record, a, p.message, err
}

// settleDocuments holds the documents of a payload against its message, which for a report is none, and stores them.
func (e *exchange) settleDocuments(root *os.Root, p parts, record native.Record, keeping bool) error {
	if record.Body == nil {
		return p.match(nil)
	}
	content, err := strict.XML(record.Body)
	if err != nil {
		return err
	}
	named, err := attachments(content)
	if err == nil {
		err = p.match(named)
	}
	if err != nil || !keeping {
		return err
	}
	return e.unfold(root, p, named)
}

// shown is what a person gets to see of a payload that cannot be taken apart: all of it, or of a large one the envelope, beside which it lies.
func shown(payload io.ReaderAt, size int64, cover []byte) []byte {
	if size > contract.MaxMessage {
		return cover
	}
	b := make([]byte, size)
	if _, err := payload.ReadAt(b, 0); err != nil && !errors.Is(err, io.EOF) {
		return cover
	}
	return b
}

// missing tells a file that somebody took away, which nobody can wait for, from a failure of the file system.
func missing(err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, errIrregular) {
		return xmlframe.Broken("file-missing", "a file of a message that was taken is no longer there").Hint("get it back from a backup of the processed folder")
	}
	return err
}
