package ivdossier

import (
	"context"
	"errors"
	"io/fs"
	"strconv"
	"time"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/native"
	contract "github.com/einmal-hub/einmal/contracts/native/ivdossier"
)

const opRead = Type + ".read"

// Read returns what staff released and what einmal wrote; see [adapters.Source]. A position is a number in the journal. With every reading new documents are taken, the register is brought up to
// date, and blank forms that are missing are laid out. Files that cannot be taken are Broken with every reading until somebody deals with them.
func (e *exchange) Read(ctx context.Context, after native.Position, limit int) (adapters.Batch, error) {
	from, err := parsePosition(after)
	if err != nil {
		return adapters.Batch{}, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	d, err := e.enter(ctx, opRead)
	if err != nil {
		return adapters.Batch{}, err
	}
	defer d.close()
	if from > e.index.last {
		return adapters.Batch{}, fault.New(fault.Stop, opRead, adapters.PositionUnknown, "the folder was set back to an older state")
	}
	batch := adapters.Batch{Next: after}
	if err := e.tend(d, &batch); err != nil {
		return adapters.Batch{}, unusable(opRead, err)
	}
	for _, i := range e.index.items {
		if i.number <= from {
			continue
		}
		if len(batch.Records) >= max(limit, 1) {
			batch.More = true
			return batch, nil
		}
		s, err := e.recall(d, numbered(i.number))
		if err != nil {
			return adapters.Batch{}, unusable(opRead, err)
		}
		batch.Records = append(batch.Records, native.Record{
			ID: s.ID, Kind: s.Kind, Case: s.Case, Organisation: s.Organisation, CaseReference: e.index.cases[s.Case].reference, Reference: s.Reference,
			Sequence: i.sequence, At: s.At, Body: []byte(s.Content),
		})
		batch.Next = native.Position(strconv.FormatUint(i.number, 10))
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

// tend does everything that is to be done in the folder.
func (e *exchange) tend(d *disk, batch *adapters.Batch) error {
	stuck, err := e.take(d)
	if err != nil {
		return err
	}
	if err := e.layOut(d); err != nil {
		return err
	}
	if err := e.refresh(d); err != nil {
		return err
	}
	kept, err := e.shelf(d)
	if err != nil {
		return err
	}
	batch.Broken = append(stuck, kept...)
	return e.sweep(d)
}

// layOut lays out the blank forms that are missing. One that staff changed is theirs.
func (e *exchange) layOut(d *disk) error {
	have := map[string]bool{}
	files, err := d.list(contract.Blank)
	if err != nil {
		return err
	}
	for _, f := range files {
		have[f.Name()] = true
	}
	for _, form := range e.forms.Kinds() {
		name := string(form.Code) + ".xlsx"
		if have[name] || form.Einmal {
			continue
		}
		b, err := e.blankForm(form)
		if err != nil {
			return err
		}
		if err := d.put(contract.Blank+"/"+name, b, 0o660); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return nil
}

// sweep removes drafts of processes that ended.
func (e *exchange) sweep(d *disk) error {
	files, err := d.list(drafts)
	if err != nil {
		return err
	}
	for _, f := range files {
		if info, err := f.Info(); err == nil && e.now().Sub(info.ModTime()) > 24*time.Hour {
			if err := d.remove(drafts + "/" + f.Name()); err != nil {
				return err
			}
		}
	}
	return nil
}
