package tutoris

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"slices"
	"time"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/native"
	contract "github.com/einmal-hub/einmal/contracts/native/tutoris"
)

const opFind = Type + ".find"

// results is what is known of the folder of results. Of months of them only those are read at once that can name what somebody asks for: a result is written after the file that it is about was handed over,
// and both times are those of the server. Older ones are read little by little: one of them may be broken.
type results struct {
	seen   time.Time                      // when the folder was looked at
	listed map[string]stamp               // what lay there then
	files  map[string]resulted            // what was read of it
	handed map[native.Reference]time.Time // when the first file of a reference that is not recorded yet was written
}

// resulted is one result file. No content, no person.
type resulted struct {
	stamp    stamp
	receipts []receipt
	raw      []byte // of a file that is not whole
	broken   error
}

// outcome is everything that the results say about a reference.
type outcome struct {
	recorded []native.Receipt
	refused  receipt // the one of the last attempt that was refused
	partial  bool    // a file that was touched a short time ago is not whole: there may be more to say
}

// Find returns the records that Tutoris has reported for a reference; see [adapters.Finder]. No receipts and no error: no result names it, which proves
// nothing. An error of kind Refuse: Tutoris has refused the last file that was handed over, and nothing was recorded. Retry with the code half-written: a result that
// does not have to be about it is being written.
func (e *exchange) Find(ctx context.Context, ref native.Reference) ([]native.Receipt, error) {
	if o, fresh := e.recent(ctx, ref); fresh && o.refused.attempt == 0 && !o.partial {
		return o.recorded, nil
	}
	l, err := e.dial(ctx, opFind)
	if err != nil {
		return nil, err
	}
	defer l.close()
	o, err := e.lookSince(ctx, l, ref, step)
	switch {
	case err != nil:
		return nil, l.unusable(err)
	case len(o.recorded) > 0:
		return o.recorded, nil
	case o.partial:
		return nil, fault.New(fault.Retry, opFind, "half-written", "a result file is not whole yet")
	case o.refused.attempt == 0:
		return nil, nil
	}
	_, last, err := e.delivered(l, ref, o.refused.attempt)
	switch {
	case err != nil:
		return nil, l.unusable(err)
	case last > o.refused.attempt:
		return nil, nil // a later file is on its way
	}
	return nil, refused(o.refused)
}

// recent returns the outcome from what was seen a short time ago, if that is enough.
func (e *exchange) recent(ctx context.Context, ref native.Reference) (outcome, bool) {
	if !e.hold(ctx) {
		return outcome{}, false
	}
	defer e.release()
	if !e.fresh() {
		return outcome{}, false
	}
	since, handed := e.results.handed[ref]
	o := e.known(ref)
	return o, len(o.recorded) > 0 || handed && e.covers(since)
}

// fresh reports whether the folder of results was looked at a short time ago. The caller holds the results.
func (e *exchange) fresh() bool {
	age := e.now().Sub(e.results.seen)
	return !e.results.seen.IsZero() && age >= 0 && age < e.config.Look
}

// covers reports whether all results were read that can be about a file of that time, as far as they lay there. The caller holds the results.
func (e *exchange) covers(since time.Time) bool {
	for name, stamp := range e.results.listed {
		if !e.read(name, stamp) && e.about(stamp, since) {
			return false
		}
	}
	return true
}

// about reports whether a result that was changed then can be about a file that was written at the other time. Settle is what the two times may be wrong by. About a file that lies nowhere there is none.
func (e *exchange) about(s stamp, written time.Time) bool {
	return !written.IsZero() && !s.changed.Before(written.Add(-e.config.Settle))
}

func (e *exchange) hold(ctx context.Context) bool {
	select {
	case e.looking <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

func (e *exchange) release() { <-e.looking }

// read reports whether a result is known as it lies there. The caller holds the results.
func (e *exchange) read(name string, s stamp) bool {
	known, read := e.results.files[name]
	return read && known.stamp == s
}

// lookSince reads the results that can be about a file of the last 60 days with a reference, and so many more, and returns what is known about it then. Such a file lies in the inbox or in the archive; when
// it does not, none of these results names it.
func (e *exchange) lookSince(ctx context.Context, l *link, ref native.Reference, more int) (outcome, error) {
	if !e.hold(ctx) {
		return outcome{}, ctx.Err()
	}
	defer e.release()
	since, handed := e.results.handed[ref]
	if !handed {
		var err error
		if since, err = e.written(l, ref); err != nil {
			return outcome{}, err
		}
	}
	if since.IsZero() && more == 0 {
		return e.known(ref), nil
	}
	if err := e.refresh(l, func(s stamp) bool { return e.about(s, since) }, more); err != nil {
		return outcome{}, err
	}
	e.note(ref, since)
	return e.known(ref), nil
}

// known is the outcome of a reference; one that is recorded is not asked about for long. The caller holds the results.
func (e *exchange) known(ref native.Reference) outcome {
	o := e.outcome(ref)
	if len(o.recorded) > 0 {
		delete(e.results.handed, ref)
	}
	return o
}

// written returns when the first file with a reference was written, by the clock of the server; the zero time if none lies there.
func (e *exchange) written(l *link, ref native.Reference) (time.Time, error) {
	for _, folder := range []string{contract.Archive, contract.Inbox, contract.Archive} { // it may be moved meanwhile
		info, err := l.files.Stat(e.at(folder, contract.Delivery{Reference: ref, Attempt: 1}.File()))
		if err == nil {
			return info.ModTime(), nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return time.Time{}, err
		}
	}
	return time.Time{}, nil
}

// note notes when the first file of a reference was written. That none lies there is not noted: one may be on its way to its name. The caller holds the results.
func (e *exchange) note(ref native.Reference, written time.Time) {
	if written.IsZero() {
		return
	}
	if e.results.handed == nil {
		e.results.handed = map[native.Reference]time.Time{}
	}
	e.results.handed[ref] = written
}

// look reads all results and returns what they say about a reference.
func (e *exchange) look(ctx context.Context, l *link, ref native.Reference) (outcome, error) {
	if !e.hold(ctx) {
		return outcome{}, ctx.Err()
	}
	defer e.release()
	if err := e.refresh(l, func(stamp) bool { return true }, 0); err != nil {
		return outcome{}, err
	}
	return e.known(ref), nil
}

// step is how many results are read, by the way, that nobody has asked for.
const step = 32

// refresh lists the results and reads those that are needed and so many more, the newest first, unless they are known and have not changed. What was read stays known when the time of the call ends
// before the last one: the next call goes on from there. The caller holds the results.
func (e *exchange) refresh(l *link, needed func(stamp) bool, more int) error {
	started := e.now()
	names, err := l.names(e.at(contract.Results))
	if err != nil {
		return err
	}
	if e.results.files == nil {
		e.results.files = map[string]resulted{}
	}
	for name := range e.results.files {
		if _, there := names[name]; !there {
			delete(e.results.files, name)
		}
	}
	unread := e.unread(names)
	for _, name := range unread {
		if !needed(names[name]) {
			if more--; more < 0 {
				break
			}
		}
		if err := e.readResult(l, name, names[name]); err != nil {
			return err
		}
	}
	e.results.seen, e.results.listed = started, names
	return nil
}

// unread returns the names of the results that are new, have changed or were not whole, the newest first. The caller holds the results.
func (e *exchange) unread(names map[string]stamp) []string {
	var all []string
	for name, stamp := range names {
		if _, ok := contract.ParseResult(name); !ok {
			delete(names, name)
			continue
		}
		if !e.read(name, stamp) || e.results.files[name].broken != nil {
			all = append(all, name)
		}
	}
	slices.SortFunc(all, func(a, b string) int {
		return cmp.Or(names[b].changed.Compare(names[a].changed), cmp.Compare(b, a))
	})
	return all
}

// readResult reads one result. One that is not whole is kept as such, and one that is gone is forgotten. The caller holds the results.
func (e *exchange) readResult(l *link, name string, s stamp) error {
	run, _ := contract.ParseResult(name)
	b, err := l.read(e.at(contract.Results, name))
	var receipts []receipt
	if err == nil {
		receipts, err = readResult(run, b)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		delete(e.results.files, name)
	case err != nil && fault.KindOf(err) != fault.Park:
		return err
	case err != nil:
		e.results.files[name] = resulted{stamp: s, raw: b, broken: err}
	default:
		e.results.files[name] = resulted{stamp: s, receipts: receipts}
	}
	return nil
}

// outcome gathers what the results say about a reference. A file that has been broken for long says nothing any more, and is put before a person by Read. The caller
// holds the results.
func (e *exchange) outcome(ref native.Reference) outcome {
	var o outcome
	for _, f := range e.results.files {
		o.partial = o.partial || f.broken != nil && !e.stale(f.stamp.changed)
		for _, q := range f.receipts {
			switch {
			case q.reference != ref:
			case q.refusal == "" && !slices.Contains(o.recorded, q.record):
				o.recorded = append(o.recorded, q.record)
			case q.refusal != "" && q.attempt > o.refused.attempt:
				o.refused = q
			}
		}
	}
	return o
}

// refused is the error for an entry that Tutoris has refused.
func refused(q receipt) error {
	return fault.New(fault.Refuse, opFind, q.refusal, "Tutoris refused the entry").Hint("see the reason; put it right, then let the message be sent again")
}
