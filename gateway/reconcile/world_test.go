package reconcile_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/gateway/ledger"
	"github.com/einmal-hub/einmal/gateway/reconcile"
)

// world is a ledger and native systems in memory. Writing goes on while they are read: every look at them lets some of what is to come happen first.
type world struct {
	rand    *rand.Rand
	clock   time.Time
	ledger  [][]reconcile.Record
	systems map[handover.SystemID][]native.Record
	// coming are the lives of entries that are not over: the steps of each happen in their order, those of different ones in any.
	coming [][]func()
	pace   int // the most steps that happen at one look
	reads  int
	broken map[int]error // what a reading says in place of an answer, by its number
	twice  bool          // pages repeat the record before them
	hidden map[native.RecordID]bool
	stays  int // so often a reading from one position tells its first record only, and does not go on
	stayed map[native.Position]int
}

func newWorld(r *rand.Rand, partitions int) *world {
	return &world{
		rand: r, clock: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC), ledger: make([][]reconcile.Record, partitions),
		systems: map[handover.SystemID][]native.Record{}, broken: map[int]error{}, hidden: map[native.RecordID]bool{}, stayed: map[native.Position]int{},
	}
}

func (w *world) now() time.Time { return w.clock }

// passes lets some of what is to come happen.
func (w *world) passes() {
	for range w.rand.IntN(w.pace + 1) {
		w.step()
	}
}

// step lets one step happen; it reports whether there was one.
func (w *world) step() bool {
	if len(w.coming) == 0 {
		return false
	}
	i := w.rand.IntN(len(w.coming))
	life := w.coming[i]
	w.clock = w.clock.Add(time.Millisecond)
	life[0]()
	if w.coming[i] = life[1:]; len(life) == 1 {
		w.coming[i] = w.coming[len(w.coming)-1]
		w.coming = w.coming[:len(w.coming)-1]
	}
	return true
}

// Ends implements [reconcile.Log].
func (w *world) Ends(context.Context) ([]int64, error) {
	w.passes()
	ends := make([]int64, len(w.ledger))
	for i := range w.ledger {
		ends[i] = int64(len(w.ledger[i]))
	}
	w.passes()
	return ends, nil
}

// Read implements [reconcile.Log].
func (w *world) Read(_ context.Context, partition int32, from, to int64, fn func(reconcile.Record) error) error {
	for _, r := range w.ledger[partition][from:to] {
		if err := fn(r); err != nil {
			return err
		}
	}
	w.passes()
	return nil
}

func (w *world) partition(c handover.CaseID) int32 {
	n := 0
	for _, b := range []byte(c) {
		n = (n*31 + int(b)) % len(w.ledger)
	}
	return int32(n)
}

// append writes a ledger record as the ledger does, and returns its offset.
func (w *world) append(r ledger.Record) int64 {
	r.V = 1
	b, err := json.Marshal(r)
	if err != nil {
		panic(err)
	}
	p := w.partition(r.Case)
	offset := int64(len(w.ledger[p]))
	w.ledger[p] = append(w.ledger[p], reconcile.Record{Partition: p, Offset: offset, At: w.clock, Value: b})
	return offset
}

// source reads one system of the world.
type source struct {
	w  *world
	id handover.SystemID
}

// Read implements [adapters.Source]: a position is the number of records before it.
func (s source) Read(_ context.Context, after native.Position, limit int) (adapters.Batch, error) {
	s.w.passes()
	s.w.reads++
	if err := s.w.broken[s.w.reads]; err != nil {
		return adapters.Batch{}, err
	}
	from, _ := strconv.Atoi(string(after))
	all := s.w.systems[s.id]
	to := min(len(all), from+limit)
	b := adapters.Batch{Next: native.Position(strconv.Itoa(to)), More: to < len(all)}
	if to == 0 {
		b.Next = ""
	}
	if s.w.stayed[after]++; s.w.stayed[after] <= s.w.stays && to > from {
		return adapters.Batch{Records: all[from : from+1], Next: after, More: true}, nil
	}
	if s.w.twice && from > 0 {
		from--
	}
	for _, r := range all[from:to] {
		if s.w.hidden[r.ID] {
			b.Broken = append(b.Broken, adapters.Broken{ID: r.ID})
		} else {
			b.Records = append(b.Records, r)
		}
	}
	return b, nil
}

// one is one entry on its way.
type one struct {
	w       *world
	entry   ledger.Entry
	attempt int
	nonce   string
	record  native.Record
	first   int // where its first record stands in its system
}

// entry begins the life of one entry.
func (w *world) entry(n int, to ledger.Destination) *one {
	o := &one{w: w}
	o.entry = ledger.Entry{
		Case: handover.CaseID(fmt.Sprintf("case-%d", n/3)), Message: handover.MessageID(fmt.Sprintf("m-%d", n)), To: to,
		Ref: native.Reference(fmt.Sprintf("ref-%d-%s", n, to.System)), Kind: "NOTE",
	}
	return o
}

func (o *one) line(k ledger.Kind) ledger.Record {
	return ledger.Record{Kind: k, Case: o.entry.Case, Message: o.entry.Message, To: o.entry.To, Ref: o.entry.Ref}
}

func (o *one) intend() { o.intendAs(fmt.Sprint("n", o.attempt+1)) }

func (o *one) intendAs(nonce string) {
	o.attempt++
	o.nonce = nonce
	r := o.line(ledger.Intent)
	r.Attempt, r.Nonce = o.attempt, o.nonce
	o.w.append(r)
}

// loses is the INTENT of somebody who comes second.
func (o *one) loses() {
	r := o.line(ledger.Intent)
	r.Attempt, r.Nonce = o.attempt, "other"
	o.w.append(r)
}

func (o *one) void() {
	r := o.line(ledger.Void)
	r.Attempt, r.Nonce = o.attempt, o.nonce
	o.w.append(r)
}

// commits makes the record in the native system.
func (o *one) commits() {
	all := o.w.systems[o.entry.To.System]
	if o.record.ID == "" {
		o.first = len(all)
	}
	o.record = native.Record{
		ID: native.RecordID(fmt.Sprintf("%s-%d", o.entry.To.System, len(all)+1)), Kind: o.entry.Kind, Case: native.CaseKey("D-" + string(o.entry.Case)),
		Organisation: o.entry.To.Organisation, CaseReference: o.entry.Case, Reference: o.entry.Ref, Sequence: uint64(len(all) + 1), At: o.w.clock,
		Body: []byte("Hans Muster"),
	}
	o.w.systems[o.entry.To.System] = append(all, o.record)
}

func (o *one) done() {
	r := o.line(ledger.Done)
	r.Native, r.NativeCase, r.As = o.record.ID, o.record.Case, o.record.Kind
	o.w.append(r)
}

// parks puts the last attempt before a person and returns the place of the question.
func (o *one) parks() int64 {
	r := o.line(ledger.Park)
	r.Nonce = fmt.Sprint("p", o.attempt)
	r.Parking = &ledger.Parking{Attempt: o.attempt, At: o.w.clock}
	return o.w.append(r)
}

func (o *one) rules(parking int64, v ledger.Verdict) {
	r := o.line(ledger.Ruling)
	r.Nonce = fmt.Sprint("r", parking)
	r.Decision = &ledger.Decision{Parking: parking, Verdict: v, Person: "operator", Why: "seen"}
	if v == ledger.Found {
		r.Native, r.NativeCase = o.record.ID, o.record.Case
	}
	o.w.append(r)
}

// lives returns the steps of an entry's life, without anything wrong in it: straight, or by detours.
func (o *one) lives() []func() {
	var parking int64
	switch o.w.rand.IntN(7) {
	case 0: // another gateway comes second, an attempt leaves nothing
		return []func(){o.intend, o.loses, o.void, o.intend, o.commits, o.done}
	case 1: // a person is asked, and has it sent once more
		return []func(){o.intend, func() { parking = o.parks() }, o.loses, func() { o.rules(parking, ledger.Retry) }, o.intend, o.commits, o.done}
	case 2: // a person finds it
		return []func(){o.intend, o.commits, func() { parking = o.parks() }, func() { o.rules(parking, ledger.Found) }}
	case 3: // it is said twice that it is done, and somebody rules too late
		return []func(){o.intend, o.commits, func() { parking = o.parks() }, o.done, o.done, func() { o.rules(parking, ledger.Withdraw) }}
	case 4: // a person drops it
		return []func(){o.intend, o.void, func() { parking = o.parks() }, func() { o.rules(parking, ledger.Withdraw) }}
	case 5: // a person writes it by hand, without the reference, and says which record it is
		return []func(){o.intend, func() { parking = o.parks() }, func() {
			o.commits()
			all := o.w.systems[o.entry.To.System]
			all[len(all)-1].Reference = ""
		}, func() { o.rules(parking, ledger.Found) }}
	default:
		return []func(){o.intend, o.commits, o.done}
	}
}

// clerk is an entry that a person makes.
func (w *world) clerk(id handover.SystemID) func() {
	return func() {
		n := len(w.systems[id]) + 1
		w.systems[id] = append(w.systems[id], native.Record{
			ID: native.RecordID(fmt.Sprintf("%s-%d", id, n)), Kind: "NOTE", Case: "D-x", Sequence: uint64(n), At: w.clock, Body: []byte("Hans Muster"),
		})
	}
}

// finish lets everything that is to come happen.
func (w *world) finish() {
	for w.step() {
	}
}

// failing is a system that cannot be read.
type failing struct{ err error }

func (f failing) Read(context.Context, native.Position, int) (adapters.Batch, error) {
	return adapters.Batch{}, f.err
}

// ctx returns the context of a test, or of a rapid check.
func ctx(t any) context.Context {
	if c, ok := t.(interface{ Context() context.Context }); ok {
		return c.Context()
	}
	return context.Background()
}
