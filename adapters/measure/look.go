package measure

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/native"
)

// look asks once, in every way that the system has, whether an entry stands there.
func (r *run) look(ctx context.Context, i *item) error {
	if _, err := r.search(ctx, i); err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	return r.readOn(ctx)
}

// search searches for an entry and returns how many records were found. A failed search is counted and proves nothing.
func (r *run) search(ctx context.Context, i *item) (int, error) {
	if r.system.Finder == nil {
		return 0, nil
	}
	request, cancel := context.WithTimeout(ctx, r.bounds.Request)
	defer cancel()
	began := r.Now()
	found, err := r.system.Finder.Find(request, i.ref)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.searches++
	switch {
	case fault.KindOf(err) == fault.Refuse:
		i.answers = append(i.answers, fault.CodeOf(err))
		return 0, nil
	case err != nil:
		r.failed++
		return 0, err
	}
	for id, s := range i.sights {
		s.last = false
		i.sights[id] = s
	}
	for _, receipt := range found {
		s := i.shown(receipt.Record, receipt.Case, began, false)
		s.search, s.last = true, true
		i.sights[receipt.Record] = s
	}
	i.looks++
	return len(found), nil
}

// await looks for items until nothing is open or the time of watching is over, counted from the last request.
func (r *run) await(ctx context.Context, items []*item) error {
	interval, most := 5*time.Millisecond, min(max(r.watch/100, 50*time.Millisecond), 30*time.Second)
	for {
		open, until := r.open(items)
		if len(open) == 0 {
			return nil
		}
		late := r.Now().After(until)
		if err := r.each(open, func(i *item) error { return r.look(ctx, i) }); err != nil || late {
			return err
		}
		if err := r.Pause(ctx, interval); err != nil {
			return err
		}
		interval = min(interval*3/2, most)
	}
}

// open lists what may still come, and until when it is looked for.
func (r *run) open(items []*item) (open []*item, until time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, i := range items {
		if len(i.sights) > 0 || len(i.answers) > 0 || !slices.ContainsFunc(i.attempts, r.mayCome) {
			continue
		}
		open = append(open, i)
		if end := i.attempts[len(i.attempts)-1].ended.Add(r.watch); end.After(until) {
			until = end
		}
	}
	return open, until
}

// mayCome reports whether a request may still lead to a record. A system that answers later says so for everything that it was handed; its other doubts matter in mode B only.
func (r *run) mayCome(a attempt) bool {
	if r.bounds.Asynchronous() && r.system.Abilities.Mode != adapters.ModeB {
		return a.outcome == handedOver
	}
	return a.outcome != recorded && a.outcome != refused
}

// stream is what the system has told since the measurement began.
type stream struct {
	mu       sync.Mutex // a source is not read concurrently
	begun    bool
	start    native.Position
	position native.Position
	frames   []native.Record // in the order of the stream, without their bodies
	broken   []native.RecordID
	failures int
	last     error
	torn     map[native.RecordID]string // what did not come back
	order    string                     // what was wrong when it was read again
}

// echoes reports whether the stream shows what was written. A system that answers later reports that instead.
func (r *run) echoes() bool { return r.system.Source != nil && !r.bounds.Asynchronous() }

// page is how many records are read at once.
const page = 200

// readAll reads what stood there before the measurement.
func (r *run) readAll(ctx context.Context) error {
	return r.stubbornly(ctx, func() error { return r.readOn(ctx) })
}

// readOn reads what is new in the stream. What stood there before the measurement is not kept. A failed reading is counted and tried again the next time.
func (r *run) readOn(ctx context.Context) error {
	if r.system.Source == nil || r.bounds.Asynchronous() && r.stream.begun {
		return nil
	}
	r.stream.mu.Lock()
	defer r.stream.mu.Unlock()
	began, way := r.Now(), reading{at: r.stream.position}
	for {
		batch, err := r.system.Source.Read(ctx, way.at, page)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil && (!r.stream.begun || fault.KindOf(err) == fault.Stop):
			return err
		case err != nil:
			r.stream.failures++
			r.stream.last = err
			return nil
		}
		if r.stream.last = nil; r.stream.begun {
			r.take(batch, began)
		}
		if r.stream.position = batch.Next; !way.on(batch) {
			break
		}
	}
	if !r.stream.begun {
		r.stream.begun, r.stream.start = true, r.stream.position
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, i := range r.all() {
		i.looks++
	}
	return nil
}

// reading is how far a stream is read. One that says that there is more and stays where it was tells something again, and has not come to its end; one that does so again and again has.
type reading struct {
	at    native.Position
	stays int
}

// on goes on after a batch. It returns false at the end of the stream.
func (r *reading) on(b adapters.Batch) bool {
	if b.Next != r.at {
		r.at, r.stays = b.Next, 0
		return true
	}
	r.stays++
	return b.More && r.stays <= tries
}

// take keeps what a batch says of the entries of the measurement.
func (r *run) take(b adapters.Batch, began time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, broken := range b.Broken {
		r.stream.broken = append(r.stream.broken, broken.ID)
	}
	for _, rec := range b.Records {
		if i := r.byReference(rec.Reference); i != nil {
			s := i.shown(rec.ID, rec.Case, began, true)
			s.echo = true
			i.sights[rec.ID] = s
			if err := r.forms.Whole(i.entry, rec); err != nil {
				r.stream.torn[rec.ID] = fault.CodeOf(err)
			}
		}
		rec.Body = nil
		r.stream.frames = append(r.stream.frames, rec)
	}
}

func (r *run) byReference(ref native.Reference) *item {
	if !strings.HasPrefix(string(ref), native.MeasuredPrefix) {
		return nil
	}
	all := r.all()
	if k := slices.IndexFunc(all, func(i *item) bool { return i.ref == ref }); k >= 0 {
		return all[k]
	}
	return nil
}

// compare looks at everything once more: by search, in the stream, and in the stream read again from where the measurement began.
func (r *run) compare(ctx context.Context) error {
	wait := max(r.bounds.Lookup, time.Duration(r.journal().measured().Lookup)*5/4, time.Millisecond)
	if old := r.Memory - r.Now().Sub(r.began); old > wait {
		r.Tell("waiting until the first entries are " + r.Memory.String() + " old")
		wait = old
	}
	if err := r.Pause(ctx, wait); err != nil {
		return err
	}
	if err := r.each(r.all(), func(i *item) error { return r.searchWell(ctx, i) }); err != nil {
		return err
	}
	stranger := &item{ref: reference(r.chance.Uint64(), r.chance.Uint64()), sights: map[native.RecordID]sight{}}
	if err := r.searchWell(ctx, stranger); err != nil {
		return err
	}
	r.foreign = len(stranger.sights)
	if !r.echoes() {
		return nil
	}
	if err := r.awaitEchoes(ctx); err != nil {
		return err
	}
	return r.readAgain(ctx)
}

// searchWell searches until a search succeeds, a few times.
func (r *run) searchWell(ctx context.Context, i *item) error {
	wait := 50 * time.Millisecond
	for range tries {
		_, err := r.search(ctx, i)
		if err == nil || ctx.Err() != nil {
			return ctx.Err()
		}
		if err := r.Pause(ctx, wait); err != nil {
			return err
		}
		wait *= 2
	}
	return nil
}

// awaitEchoes reads the stream until it has shown every record that is known, for a while.
func (r *run) awaitEchoes(ctx context.Context) error {
	wait := 20 * time.Millisecond
	for range 9 { // 10 seconds
		if err := r.readOn(ctx); err != nil {
			return err
		}
		if r.stream.last == nil && r.echoed() {
			return nil
		}
		if err := r.Pause(ctx, wait); err != nil {
			return err
		}
		wait *= 2
	}
	return nil
}

func (r *run) echoed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, i := range r.all() {
		for _, s := range i.sights {
			if !s.echo {
				return false
			}
		}
	}
	return true
}

// readAgain reads the stream again from where the measurement began: it must tell the same, in the same order.
func (r *run) readAgain(ctx context.Context) error {
	var again []native.RecordID
	for way, failures := (reading{at: r.stream.start}), 0; ; {
		batch, err := r.system.Source.Read(ctx, way.at, page)
		if err != nil {
			if failures++; ctx.Err() != nil || failures > tries {
				r.stream.order = "it cannot be read again from an earlier position: " + fault.CodeOf(err)
				return ctx.Err()
			}
			continue
		}
		for _, rec := range batch.Records {
			again = append(again, rec.ID)
		}
		if !way.on(batch) {
			break
		}
	}
	var once []native.RecordID
	for _, f := range r.stream.frames {
		once = append(once, f.ID)
	}
	once, again = firsts(once), firsts(again)
	if len(again) < len(once) || !slices.Equal(once, again[:len(once)]) {
		r.stream.order = "read again from an earlier position, it tells something else, or in another order"
	}
	return nil
}

// firsts keeps the first of equal ids: a stream may tell a record twice.
func firsts(ids []native.RecordID) []native.RecordID {
	known := map[native.RecordID]bool{}
	return slices.DeleteFunc(ids, func(id native.RecordID) bool {
		again := known[id]
		known[id] = true
		return again
	})
}
