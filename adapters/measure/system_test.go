package measure_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
)

// traits are what a native system of these tests is like. The zero value searches at once, records a reference twice, and does nothing wrong.
type traits struct {
	joins       bool
	forgets     time.Duration // a mode A whose memory ends
	refuses     bool          // a second record is refused, without the number of the first
	noSearch    bool
	lag         time.Duration // of the search
	hidesSecond bool          // the search shows one record of two
	forgetsOld  time.Duration // the search does not show what is older
	searchFails bool
	findsAll    bool
	keep        int  // characters of the reference that are kept; 0: all
	upper       bool // the reference comes back in capitals
	late        time.Duration
	latency     time.Duration
	tornCut     bool // a cut request leaves half of its content
	tornCase    bool // a cut opening leaves a case whose entry goes into another one
	denies      bool // says "nothing was written" for a cut request that is carried out
	loses       int  // every n-th entry that was confirmed is lost
	doubles     int  // every n-th request is recorded twice
	blind       bool // the stream does not show what einmal wrote
	unordered   bool // read again, the stream tells another order
	repeats     bool // reading on from another position first tells one record only, and then again
	nameless    bool // the stream does not carry the reference
	garbles     bool // documents come back as others
	down        bool
	badForm     bool
	answer      time.Duration // a system that answers later
	mute        int           // every n-th entry has no answer
}

// system is a native system in memory with its adapter.
type system struct {
	traits
	mu       sync.Mutex
	records  []stored
	papers   map[string][]byte
	requests int
	reads    int
	read     native.Position // of the last reading that told one record only
	running  sync.WaitGroup
}

type stored struct {
	native.Record
	at time.Time
}

func (s *system) connect(mode adapters.Mode, b adapters.Bounds) adapters.System {
	out := adapters.System{Source: s, Sink: s, Finder: s, Documents: s, Abilities: adapters.Abilities{Mode: mode, Bounds: b}}
	if s.noSearch {
		out.Finder = nil
	}
	return out
}

var errGone = errors.New("gone")

func (s *system) kept(ref native.Reference) native.Reference {
	if s.keep > 0 {
		ref = ref[:s.keep]
	}
	return ref
}

func (s *system) Apply(ctx context.Context, e native.Entry) (native.Receipt, error) {
	switch {
	case s.down:
		return native.Receipt{}, fault.Wrap(fault.Retry, "system.apply", errGone)
	case s.badForm:
		return native.Receipt{}, fault.New(fault.Refuse, "system.apply", "unknown-code", "the form is refused").At("grund")
	case ctx.Err() != nil:
		return native.Receipt{}, fault.Wrap(fault.Retry, "system.apply", ctx.Err())
	}
	if s.answer > 0 {
		return s.handOver(e)
	}
	if !wait(ctx, s.latency/2) {
		return s.cut(e)
	}
	receipt, err := s.record(e, false)
	if !wait(ctx, s.latency/2) {
		return native.Receipt{}, fault.Wrap(fault.Doubt, "system.apply", ctx.Err())
	}
	return receipt, err
}

// cut is a request whose client has gone before it was carried out.
func (s *system) cut(e native.Entry) (native.Receipt, error) {
	kind := fault.Doubt
	if s.denies {
		kind = fault.Retry
	}
	s.later(s.late, func() { _, _ = s.record(e, true) })
	return native.Receipt{}, fault.Wrap(kind, "system.apply", context.Canceled)
}

func (s *system) later(after time.Duration, f func()) {
	s.running.Go(func() {
		wait(context.Background(), after)
		f()
	})
}

func (s *system) handOver(e native.Entry) (native.Receipt, error) {
	s.mu.Lock()
	s.requests++
	mute := s.mute > 0 && s.requests%s.mute == 0
	s.mu.Unlock()
	if !mute {
		s.later(s.answer, func() { _, _ = s.record(e, false) })
	}
	return native.Receipt{}, fault.New(fault.Doubt, "system.apply", adapters.HandedOver, "handed over")
}

func wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func (s *system) record(e native.Entry, cut bool) (native.Receipt, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests++
	ref := s.kept(e.Reference)
	for _, r := range s.records {
		if r.Reference != ref || !s.joins && !s.refuses || s.forgets > 0 && time.Since(r.at) > s.forgets {
			continue
		}
		if s.refuses {
			return native.Receipt{}, fault.New(fault.Refuse, "system.apply", "duplicate", "the reference is known")
		}
		return native.Receipt{Record: r.ID, Case: r.Case, Joined: true}, nil
	}
	for _, d := range e.Documents {
		if s.papers[d.SHA256] == nil {
			return native.Receipt{}, fault.New(fault.Refuse, "system.apply", "document", "the document is not there")
		}
	}
	receipt := s.store(e, ref, cut)
	if s.doubles > 0 && s.requests%s.doubles == 0 {
		s.store(e, ref, cut)
	}
	if s.loses > 0 && s.requests%s.loses == 0 {
		s.records = s.records[:len(s.records)-1]
	}
	return receipt, nil
}

func (s *system) store(e native.Entry, ref native.Reference, cut bool) native.Receipt {
	n := s.requests*10 + len(s.records)
	in := e.Case
	if in == "" || s.tornCase && cut {
		in = native.CaseKey(fmt.Sprintf("C-%d", n))
	}
	body := e.Body
	if s.tornCut && cut {
		body = body[:len(body)/2]
	}
	r := stored{at: time.Now(), Record: native.Record{
		ID: native.RecordID(fmt.Sprintf("R-%d-%d", n, len(s.records))), Kind: e.Kind, Case: in, CaseReference: e.CaseReference, Reference: ref, Sequence: 1, At: time.Now(), Body: body,
	}}
	s.records = append(s.records, r)
	return native.Receipt{Record: r.ID, Case: r.Case}
}

func (s *system) Find(ctx context.Context, ref native.Reference) ([]native.Receipt, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.searchFails {
		return nil, fault.New(fault.Retry, "system.find", "forbidden", "the search is refused")
	}
	var found []native.Receipt
	for _, r := range s.records {
		old := s.forgetsOld > 0 && time.Since(r.at) > s.forgetsOld
		if (r.Reference == ref || s.findsAll) && time.Since(r.at) >= s.lag && !old && !(s.hidesSecond && len(found) == 1) {
			found = append(found, native.Receipt{Record: r.ID, Case: r.Case})
		}
	}
	return found, ctx.Err()
}

func (s *system) Read(_ context.Context, after native.Position, limit int) (adapters.Batch, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var from int
	_, _ = fmt.Sscanf(string(after), "%d", &from)
	b := adapters.Batch{Next: after}
	for n := from; n < len(s.records) && len(b.Records) < limit && !s.blind; n++ {
		r := s.records[n].Record
		if s.upper {
			r.Reference = native.Reference(strings.ToUpper(string(r.Reference)))
		}
		if s.nameless {
			r.Reference = ""
		}
		b.Records = append(b.Records, r)
		b.Next = native.Position(fmt.Sprint(n + 1))
	}
	if s.reads++; s.unordered && len(b.Records) > 2 {
		k := s.reads % 2
		b.Records[0], b.Records[k] = b.Records[k], b.Records[0]
	}
	if s.repeats && len(b.Records) > 0 && after != s.read {
		s.read = after
		return adapters.Batch{Records: b.Records[:1], Next: after, More: true}, nil
	}
	return b, nil
}

// forms are texts with the number of the entry.
type forms struct{}

func (forms) Entry(n int, ref native.Reference, in native.CaseKey, documents ...handover.Document) (native.Entry, error) {
	e := native.Entry{Reference: ref, Kind: "note", Case: in, Documents: documents, Body: fmt.Appendf(nil, "form number %d, to its very end", n)}
	if in == "" {
		e.CaseReference = handover.CaseID(fmt.Sprintf("case-%d", n))
	}
	return e, nil
}

func (forms) Whole(e native.Entry, r native.Record) error {
	if string(e.Body) != string(r.Body) {
		return fault.New(fault.Park, "forms.whole", "different", "the record is not the form")
	}
	return nil
}
