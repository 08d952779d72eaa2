package core

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

// Fault is the name of a fault, as scripts and the control interface use it.
type Fault string

// The faults.
const (
	FaultDuplicate    Fault = "duplicate"      // an event is delivered again
	FaultLostAnswer   Fault = "lost-answer"    // written, then the connection is cut
	FaultError        Fault = "error"          // rejected before any write
	FaultErrorInDoubt Fault = "error-in-doubt" // status 500, before or after the write
	FaultSlow         Fault = "slow"           // carried out after a wait
	FaultLate         Fault = "late"           // the connection is cut or hangs, carried out later
	FaultTorn         Fault = "torn"           // half of the answer to a reading, then the connection is cut
)

// What a fault can strike.
const (
	OpWrite = "write" // a request that writes
	OpRead  = "read"  // any other request: feed, search
	OpEvent = "event" // one delivered event
)

// Faults are probabilities from 0 to 1 per request (Duplicate: per event), drawn from a seeded source, and the times that go with them.
type Faults struct {
	Seed                                                   int64
	Duplicate, LostAnswer, Error, ErrorInDoubt, Slow, Late float64
	Torn                                                   float64 // of readings
	SlowBy, LateBy                                         time.Duration
	LookupLag                                              time.Duration // how far a search lags behind; always, not by chance
}

// check reports what cannot be right.
func (f Faults) check() error {
	for _, p := range []float64{f.Duplicate, f.LostAnswer, f.Error, f.ErrorInDoubt, f.Slow, f.Late, f.LostAnswer + f.Error + f.ErrorInDoubt + f.Late, f.Torn, f.Torn + f.Error} {
		if !(p >= 0 && p <= 1) {
			return fmt.Errorf("a probability lies from 0 to 1, and so does the sum of error, lostAnswer, errorInDoubt and late, and that of error and torn")
		}
	}
	if f.SlowBy < 0 || f.LateBy < 0 || f.LookupLag < 0 {
		return fmt.Errorf("a time is not negative")
	}
	return nil
}

// scripted is a fault that strikes the next requests of one kind.
type scripted struct {
	op    string
	fault Fault
	times int
}

// Dice decide which request meets which fault, and own the executions that come late. Safe for concurrent use.
type Dice struct {
	mu     sync.Mutex
	faults Faults
	rng    *rand.Rand
	script []scripted

	late    sync.WaitGroup
	closing chan struct{}
	closed  bool
}

// NewDice returns dice for the faults. Close must be called.
func NewDice(f Faults) *Dice {
	d := &Dice{closing: make(chan struct{})}
	d.Set(f)
	return d
}

// Set replaces the faults and starts the source of chance again from their seed. Scripted faults stay.
func (d *Dice) Set(f Faults) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.faults = f
	d.rng = rand.New(rand.NewPCG(uint64(f.Seed), 1)) //nolint:gosec // faults must be repeatable, not secret
}

// Faults returns what is set.
func (d *Dice) Faults() Faults {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.faults
}

// Script makes the next requests of the kind op (OpWrite, OpRead, OpEvent; empty: any) meet the fault, before any chance.
func (d *Dice) Script(op string, fault Fault, times int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.script = append(d.script, scripted{op: op, fault: fault, times: times})
}

// Duplicate reports whether an event that is delivered now is to be delivered once more.
func (d *Dice) Duplicate() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.next(OpEvent, FaultDuplicate) != "" || d.hit(d.faults.Duplicate)
}

// Strike decides which of the faults meets something that is no HTTP request, such as a file that is carried; empty: none. Scripted faults for op go
// before chance.
func (d *Dice) Strike(op string, faults ...Fault) Fault {
	d.mu.Lock()
	defer d.mu.Unlock()
	if f := d.next(op, faults...); f != "" {
		return f
	}
	likely := map[Fault]float64{
		FaultDuplicate: d.faults.Duplicate, FaultLostAnswer: d.faults.LostAnswer, FaultError: d.faults.Error, FaultErrorInDoubt: d.faults.ErrorInDoubt,
		FaultSlow: d.faults.Slow, FaultLate: d.faults.Late, FaultTorn: d.faults.Torn,
	}
	for _, f := range faults {
		if d.hit(likely[f]) {
			return f
		}
	}
	return ""
}

// Scripted is Strike for faults that only a script makes, because no chance may: it returns the first scripted one for op; empty: none.
func (d *Dice) Scripted(op string, faults ...Fault) Fault {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.next(op, faults...)
}

// LookupLag returns how far a search lags behind the entries.
func (d *Dice) LookupLag() time.Duration { return d.Faults().LookupLag }

// Close carries out at once what is still to come late, waits for it, and makes slow answers quick. Call it before the store's Close. It may be called twice.
func (d *Dice) Close() {
	d.mu.Lock()
	if !d.closed {
		d.closed = true
		close(d.closing)
	}
	d.mu.Unlock()
	d.late.Wait()
}

// next takes the first scripted fault for op out of the script; only limits it to the given faults.
func (d *Dice) next(op string, only ...Fault) Fault {
	for i := range d.script {
		s := &d.script[i]
		if s.times <= 0 || (s.op != "" && s.op != op) || !among(s.fault, only) {
			continue
		}
		s.times--
		return s.fault
	}
	return ""
}

func among(f Fault, only []Fault) bool {
	for _, o := range only {
		if f == o {
			return true
		}
	}
	return false
}

func (d *Dice) hit(p float64) bool { return p > 0 && d.rng.Float64() < p }

// fate is what happens to one request.
type fate struct {
	fault  Fault         // empty: none
	slow   time.Duration // wait before anything else
	lateBy time.Duration
	heads  bool // a coin: after rather than before the write; hang rather than cut
}

// draw decides on one request.
func (d *Dice) draw(write bool) fate {
	d.mu.Lock()
	defer d.mu.Unlock()
	op, faults := OpRead, []Fault{FaultError, FaultSlow, FaultTorn}
	if write {
		op, faults = OpWrite, []Fault{FaultError, FaultSlow, FaultLostAnswer, FaultErrorInDoubt, FaultLate}
	}
	t := fate{lateBy: d.faults.LateBy, heads: d.rng.IntN(2) == 0}
	switch s := d.next(op, faults...); {
	case s == FaultSlow:
		t.slow = d.faults.SlowBy
		return t
	case s != "":
		t.fault = s
		return t
	}
	if d.hit(d.faults.Slow) {
		t.slow = d.faults.SlowBy
	}
	t.fault = d.chance(write)
	return t
}

// chance draws at most one of the faults that exclude each other.
func (d *Dice) chance(write bool) Fault {
	u := d.rng.Float64()
	for _, f := range []struct {
		fault  Fault
		p      float64
		struck []bool // writes, readings
	}{
		{FaultError, d.faults.Error, []bool{true, false}},
		{FaultLostAnswer, d.faults.LostAnswer, []bool{true}},
		{FaultErrorInDoubt, d.faults.ErrorInDoubt, []bool{true}},
		{FaultLate, d.faults.Late, []bool{true}},
		{FaultTorn, d.faults.Torn, []bool{false}},
	} {
		if !slices.Contains(f.struck, write) {
			continue
		}
		if u < f.p {
			return f.fault
		}
		u -= f.p
	}
	return ""
}

// later carries f out after a time, or at once when the dice are closed, and owns it until then.
func (d *Dice) later(by time.Duration, f func()) {
	d.mu.Lock()
	if d.closed {
		d.mu.Unlock()
		f()
		return
	}
	d.late.Add(1)
	d.mu.Unlock()
	go func() {
		defer d.late.Done()
		d.wait(by, nil)
		f()
	}()
}

// wait waits for a time, or until stop or the dice are closed.
func (d *Dice) wait(by time.Duration, stop <-chan struct{}) {
	t := time.NewTimer(by)
	defer t.Stop()
	select {
	case <-t.C:
	case <-stop:
	case <-d.closing:
	}
}
