package tutoris

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/native"
	contract "github.com/einmal-hub/einmal/contracts/native/tutoris"
)

const opRead = Type + ".read"

// place is a position: the export number of the entry that was read last, and a check over that entry.
type place struct {
	number uint64
	check  string // empty for an entry of which no more than its place is certain
}

func (p place) position() native.Position {
	return native.Position(strconv.FormatUint(p.number, 10) + "-" + p.check)
}

func parsePosition(p native.Position) (place, error) {
	if p == "" {
		return place{}, nil
	}
	digits, check, ok := strings.Cut(string(p), "-")
	n, err := strconv.ParseUint(digits, 10, 63)
	if !ok || err != nil {
		return place{}, fault.New(fault.Stop, opRead, "position", "the stored position was not made by this adapter").
			Hint("see whether the system's type was changed in the configuration")
	}
	return place{number: n, check: check}, nil
}

// shelf is the exports that lie in the outbox.
type shelf struct {
	files  []contract.Export
	stamps map[contract.Export]stamp
	last   uint64 // the highest number
}

// Read returns what the staff of Tutoris entered; see [adapters.Source]. A missing or half-written export ends the reading before it, and so do all later ones, until it
// is there; when it has been missing for too long it is Broken with every reading until somebody deals with it. So are result files that cannot be read.
func (e *exchange) Read(ctx context.Context, after native.Position, limit int) (adapters.Batch, error) {
	from, err := parsePosition(after)
	if err != nil {
		return adapters.Batch{}, err
	}
	l, err := e.dial(ctx, opRead)
	if err != nil {
		return adapters.Batch{}, err
	}
	defer l.close()
	batch, err := e.readFrom(l, from, after, max(limit, 1))
	if err != nil {
		return adapters.Batch{}, l.unusable(err)
	}
	stuck, err := e.stuckResults(ctx, l)
	if err != nil {
		return adapters.Batch{}, l.unusable(err)
	}
	batch.Broken = append(batch.Broken, stuck...)
	return batch, nil
}

func (e *exchange) readFrom(l *link, from place, after native.Position, limit int) (adapters.Batch, error) {
	s, err := e.shelf(l)
	if err != nil {
		return adapters.Batch{}, err
	}
	batch := adapters.Batch{Next: after}
	if err := e.remembered(l, s, from); err != nil {
		return batch, err
	}
	next := max(from.number+1, e.config.Begin)
	for next <= s.last {
		entries, raw, cause, err := e.export(l, s, next)
		switch {
		case err != nil:
			return batch, err
		case entries == nil:
			if e.overdue(s, next) {
				batch.Broken = append(batch.Broken, missing(s, next, raw, cause))
			}
			return batch, nil
		}
		for _, x := range entries {
			if x.number < next {
				continue
			}
			if len(batch.Records)+len(batch.Broken) >= limit {
				batch.More = true
				return batch, nil
			}
			add(&batch, x)
			next = x.number + 1
		}
	}
	return batch, nil
}

// add adds an entry to a batch.
func add(batch *adapters.Batch, x exported) {
	at := place{number: x.number, check: x.check}
	if x.broken == nil {
		batch.Records = append(batch.Records, x.record)
	} else {
		at.check = "" // a corrected one would look like another entry
		batch.Broken = append(batch.Broken, adapters.Broken{ID: native.RecordID(fmt.Sprintf("eintrag-%d", x.number)), Raw: x.raw, Reason: x.broken})
	}
	batch.Next = at.position()
}

// shelf lists the exports.
func (e *exchange) shelf(l *link) (shelf, error) {
	names, err := l.names(e.at(contract.Outbox))
	s := shelf{stamps: map[contract.Export]stamp{}}
	for name, stamp := range names {
		if x, ok := contract.ParseExport(name); ok {
			s.files, s.stamps[x], s.last = append(s.files, x), stamp, max(s.last, x.To)
		}
	}
	slices.SortFunc(s.files, func(a, b contract.Export) int { return cmp.Compare(b.Run, a.Run) })
	return s, err
}

// holding returns the exports that hold a number, the last written first.
func (s shelf) holding(n uint64) []contract.Export {
	var all []contract.Export
	for _, x := range s.files {
		if x.From <= n && n <= x.To {
			all = append(all, x)
		}
	}
	return all
}

// remembered holds a position against what lies there: Tutoris may have been set back to an older state, in which its numbers are given again. What is not there any
// more cannot be compared.
func (e *exchange) remembered(l *link, s shelf, from place) error {
	if from.number == 0 || len(s.files) == 0 || s.last == from.number {
		return nil
	}
	unknown := fault.New(fault.Stop, opRead, adapters.PositionUnknown, "Tutoris does not know the position that was reached: it was set back to an older state").
		Hint("ask the operator of Tutoris what was lost")
	if s.last < from.number {
		return unknown
	}
	if from.check == "" {
		return nil
	}
	entries, _, _, err := e.export(l, s, from.number)
	if err != nil || entries == nil {
		return err
	}
	if i := slices.IndexFunc(entries, func(x exported) bool { return x.number == from.number }); i >= 0 && entries[i].broken == nil && entries[i].check != from.check {
		return unknown
	}
	return nil
}

// export returns the entries of a whole file that holds a number; none, with the bytes and the cause of the last one that could not be read, if there is no such file.
func (e *exchange) export(l *link, s shelf, n uint64) (entries []exported, raw []byte, cause, err error) {
	for _, x := range s.holding(n) {
		b, err := l.read(e.at(contract.Outbox, x.File()))
		if err == nil {
			entries, err = readExport(x, b)
		}
		switch {
		case err == nil:
			return entries, nil, nil, nil
		case errors.Is(err, fs.ErrNotExist):
		case fault.KindOf(err) != fault.Park:
			return nil, nil, nil, err
		case cause == nil:
			raw, cause = b, err
		}
	}
	return nil, raw, cause, nil
}

// overdue reports whether a number has been missing for longer than a file may take to be written: since its own file was last touched, or since a later one is there.
func (e *exchange) overdue(s shelf, n uint64) bool {
	var since time.Time
	if own := s.holding(n); len(own) > 0 {
		for _, x := range own {
			if t := s.stamps[x].changed; t.After(since) {
				since = t
			}
		}
		return e.stale(since)
	}
	for _, x := range s.files {
		if t := s.stamps[x].changed; x.From > n && (since.IsZero() || t.Before(since)) {
			since = t
		}
	}
	return e.stale(since)
}

// stale reports whether a time lies longer ago than a file may take to be written. One that lies as far ahead, as the clock of the server may say, tells nothing and would let einmal wait without an end.
func (e *exchange) stale(since time.Time) bool {
	return !since.IsZero() && e.now().Sub(since).Abs() > e.config.Settle
}

// missing puts what is missing before a person.
func missing(s shelf, n uint64, raw []byte, cause error) adapters.Broken {
	b := adapters.Broken{ID: native.RecordID(fmt.Sprintf("export-%d", n)), Raw: raw}
	if cause != nil {
		b.Reason = fault.New(fault.Park, opRead, "broken-export", fmt.Sprintf("the export with number %d is not whole, or not what the contract describes; nothing behind it is read", n)).
			Hint("ask the operator of Tutoris to export these numbers again; when they are read, withdraw this copy").Because(cause)
		return b
	}
	next := s.last
	for _, x := range s.files {
		if x.From > n {
			next = min(next, x.From-1)
		}
	}
	b.Reason = fault.New(fault.Park, opRead, "missing-export", fmt.Sprintf("the exports with the numbers %d to %d are missing; nothing behind them is read", n, next)).
		Hint("ask the operator of Tutoris to export them again; if they are none of einmal's business, set begin to the number after them")
	return b
}

// stuckResults returns the result files that are missing or have been broken for too long: the entries in them would have to be asked about one by one.
func (e *exchange) stuckResults(ctx context.Context, l *link) ([]adapters.Broken, error) {
	if !e.hold(ctx) {
		return nil, ctx.Err()
	}
	defer e.release()
	if !e.fresh() {
		if err := e.refresh(l, func(stamp) bool { return false }, step); err != nil {
			return nil, err
		}
	}
	var runs []uint64
	for name := range e.results.listed {
		if run, ok := contract.ParseResult(name); ok {
			runs = append(runs, run)
		}
	}
	slices.Sort(runs)
	var stuck []adapters.Broken
	for i, run := range runs {
		name := contract.ResultFile(run)
		changed, f := e.results.listed[name].changed, e.results.files[name]
		if f.broken != nil && e.stale(changed) {
			stuck = append(stuck, brokenResult(run, f.raw, "the result file cannot be read", f.broken))
		}
		if i > 0 && runs[i-1]+1 < run && e.stale(changed) {
			stuck = append(stuck, brokenResult(run-1, nil, "the result file of a run is missing", nil))
		}
	}
	return stuck, nil
}

func brokenResult(run uint64, raw []byte, text string, cause error) adapters.Broken {
	reason := fault.New(fault.Park, opRead, "broken-result", fmt.Sprintf("%s (run %d)", text, run)).
		Hint("ask the operator of Tutoris to write it again; until then nobody learns what became of the entries in it")
	if cause != nil {
		reason = reason.Because(cause)
	}
	return adapters.Broken{ID: native.RecordID(fmt.Sprintf("ergebnis-%d", run)), Raw: raw, Reason: reason}
}
