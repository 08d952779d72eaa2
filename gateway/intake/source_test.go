package intake_test

import (
	"context"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/contracts/personal"
	"github.com/einmal-hub/einmal/mapping"
)

// source is a native system that is read: what was entered, in order. A position is the number of what stands before it.
type source struct {
	mu      sync.Mutex
	entered []any         // native.Record or adapters.Broken
	fails   int           // so many readings fail
	door    chan struct{} // if set, a reading that has seen what there is waits for a word before it answers
	asked   []time.Time
	after   []native.Position // that readings began after
}

func (s *source) enter(what ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.entered = append(s.entered, what...)
}

// fail lets the next readings fail.
func (s *source) fail(times int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fails = times
}

// readings returns when readings began, and after which positions.
func (s *source) readings() ([]time.Time, []native.Position) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.asked), slices.Clone(s.after)
}

func (s *source) Read(ctx context.Context, after native.Position, limit int) (adapters.Batch, error) {
	b, door, err := s.look(after, limit)
	if door != nil {
		select {
		case <-door:
		case <-ctx.Done():
			return adapters.Batch{}, ctx.Err()
		}
	}
	return b, err
}

func (s *source) look(after native.Position, limit int) (adapters.Batch, <-chan struct{}, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked, s.after = append(s.asked, time.Now()), append(s.after, after)
	if s.fails > 0 {
		s.fails--
		return adapters.Batch{}, s.door, fault.New(fault.Retry, "test.read", "away", "the system does not answer")
	}
	from, _ := strconv.Atoi(string(after))
	if from > len(s.entered) {
		return adapters.Batch{}, s.door, fault.New(fault.Stop, "test.read", adapters.PositionUnknown, "the system does not know the position")
	}
	to := min(from+limit, len(s.entered))
	b := adapters.Batch{Next: after, More: to < len(s.entered)}
	for _, e := range s.entered[from:to] {
		switch e := e.(type) {
		case native.Record:
			b.Records = append(b.Records, e)
		case adapters.Broken:
			b.Broken = append(b.Broken, e)
		}
		b.Next = native.Position(strconv.Itoa(to))
	}
	return b, s.door, nil
}

// words maps an application, and a hint whose text is the body; of other kinds it knows what learn has taught it.
type words struct {
	mu   sync.Mutex
	code string // of the refusal of what it does not know
	more bool
}

func (w *words) learn(more bool, code string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.more, w.code = more, code
}

func (w *words) ToHandover(r native.Record) (mapping.Draft, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	d := mapping.Draft{Sender: r.Organisation, Payload: handover.SanctionHint{ObservedOn: "2026-11-02", Hint: personal.Text(r.Body)}}
	switch r.Kind {
	case "application":
		d.Payload = application()
	case "impostor":
		d.Sender = handover.Gateway
	case "recall":
		d.Action, d.References = handover.ActionRecall, "c-1"
	case "correction":
		d.Action, d.References = handover.ActionCorrection, "c-1"
	case "puzzle":
		if !w.more {
			return mapping.Draft{}, fault.New(fault.Park, "test.map", w.code, "the field holds a code that is in no list").At("grund")
		}
	}
	return d, nil
}

func (*words) FromHandover(handover.Message, mapping.Placement) (native.Entry, error) {
	return native.Entry{}, fault.New(fault.Stop, "test.map", "one-way", "intake writes nothing")
}
