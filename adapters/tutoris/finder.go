package tutoris

import (
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

// results is what the result files say, as far as they are whole.
type results struct {
	seen  time.Time           // when the folder was looked at
	files map[string]resulted // by name
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
	o, err := e.look(ctx, l, ref)
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

// recent returns the outcome from what was seen a short time ago.
func (e *exchange) recent(ctx context.Context, ref native.Reference) (outcome, bool) {
	if !e.hold(ctx) {
		return outcome{}, false
	}
	defer e.release()
	if age := e.now().Sub(e.results.seen); e.results.seen.IsZero() || age < 0 || age >= e.config.Look {
		return outcome{}, false
	}
	return e.outcome(ref), true
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

// look reads the results and returns what they say about a reference.
func (e *exchange) look(ctx context.Context, l *link, ref native.Reference) (outcome, error) {
	if !e.hold(ctx) {
		return outcome{}, ctx.Err()
	}
	defer e.release()
	if err := e.refresh(l); err != nil {
		return outcome{}, err
	}
	return e.outcome(ref), nil
}

// refresh reads the result files that are new or have changed. What was read stays known when the time of the call ends before the last one: the next call goes on from there. The caller holds the
// results.
func (e *exchange) refresh(l *link) error {
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
	for name, stamp := range names {
		run, ok := contract.ParseResult(name)
		if !ok {
			continue
		}
		if known, read := e.results.files[name]; read && known.broken == nil && known.stamp == stamp {
			continue
		}
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
			e.results.files[name] = resulted{stamp: stamp, raw: b, broken: err}
		default:
			e.results.files[name] = resulted{stamp: stamp, receipts: receipts}
		}
	}
	e.results.seen = started
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
