package sim

import (
	"errors"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
)

// row is one record in a native system's journal: the truth of a run.
type row struct {
	native.Record
	org     handover.OrganisationID // whose dossier; empty on a shared platform
	mark    string
	clerk   bool      // a person entered it
	visible time.Time // from when a search finds it
}

// system is one native system. It is safe for concurrent use.
type system struct {
	w      *world
	id     handover.SystemID
	mode   adapters.Mode
	shared bool
	later  time.Duration // how long it may take to answer; 0: it answers at once

	mu       sync.Mutex
	journal  []row
	cases    map[native.CaseKey]int     // number of records
	refusals map[string]int             // how often a message is still refused
	said     map[native.Reference]error // what a system that answers later has against the last entry with a reference
	sent     []request
	grown    chan struct{}
}

// request is one request to write that arrived.
type request struct {
	at   time.Time
	ref  native.Reference
	mark string
	org  handover.OrganisationID
	fate string
}

// doubtful reports whether one of the requests to record something did not get the answer that tells what became of it.
func (s *system) doubtful(mark string, org handover.OrganisationID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(s.sent, func(r request) bool {
		return r.mark == mark && r.org == s.dossier(org) && !slices.Contains([]string{"served", "rejected", "stopped"}, r.fate)
	})
}

// bounds are those of the system.
func (s *system) bounds() adapters.Bounds {
	b := bounds()
	b.Answer = s.later
	return b
}

// bounds are the same for every system of a world that answers at once: virtual time costs nothing.
func bounds() adapters.Bounds {
	return adapters.Bounds{Send: 2 * time.Second, Request: 2 * time.Second, Processing: 6 * time.Second, Lookup: 3 * time.Second, Margin: 2 * time.Second}
}

func newSystem(w *world, id handover.SystemID, mode adapters.Mode, shared bool) *system {
	return &system{w: w, id: id, mode: mode, shared: shared, cases: map[native.CaseKey]int{}, refusals: map[string]int{}, said: map[native.Reference]error{}, grown: make(chan struct{})}
}

// answer is what the native system sends back; nothing is sent for a request that vanishes.
type answer struct {
	receipt native.Receipt
	err     error
}

// Fates of a request. Each is one that a real system has shown.
type fate struct {
	name   string
	writes bool
	silent bool // no answer at all: the caller waits until its time is over
	err    error
	delay  time.Duration // until it is executed
}

func (s *system) fate(e native.Entry) fate {
	c := s.w.dice.draw("fate", string(s.id), string(e.Reference))
	f := fate{name: "served", writes: true, delay: c.between(5*time.Millisecond, 300*time.Millisecond)}
	if s.w.calm.Load() || !c.is(s.w.plan.nativeFaults) {
		return f
	}
	b := bounds()
	switch c.n(9) {
	case 0, 1:
		f.name, f.err = "answer lost", fault.New(fault.Doubt, "sim", "lost", "the answer was lost")
	case 2:
		f.name, f.writes, f.err = "vanished", false, fault.New(fault.Doubt, "sim", "vanished", "the connection broke")
	case 3:
		f.name, f.writes, f.silent = "vanished", false, true
	case 4, 5:
		f.name = "late" // on the way as long as the caller waits, and then as long as the system works
		f.delay = c.extreme(0, b.Request) + c.extreme(b.Request/2, b.Processing-time.Millisecond)
	case 6:
		f.name, f.writes, f.err = "rejected", false, fault.New(fault.Retry, "sim", "busy", "busy")
	case 7:
		f.name, f.writes, f.err = "broken", c.is(0.5), errors.New("an answer that nobody understands")
	case 8:
		f.name, f.writes, f.err = "stopped", false, fault.New(fault.Stop, "sim", "credentials", "the password has expired")
	}
	return f
}

// request takes a request to write, as the network does: from here on nobody can take it back.
func (s *system) request(by string, e native.Entry) <-chan answer {
	mark := markIn(e.Body)
	f := s.fate(e)
	s.mu.Lock()
	s.sent = append(s.sent, request{at: time.Now(), ref: e.Reference, mark: mark, org: s.dossier(e.Organisation), fate: f.name})
	s.mu.Unlock()
	s.w.note(string(s.id), "request", mark, f.name, "from", by)
	out := make(chan answer, 1)
	if k := fault.KindOf(f.err); s.later > 0 && k != fault.Retry && k != fault.Stop {
		s.handOver(e, mark, f, out)
		return out
	}
	s.w.background.Go(func() {
		elapse(f.delay)
		a := answer{err: f.err}
		if f.writes {
			r, err := s.write(e, mark)
			if f.err == nil {
				a = answer{r, err}
			}
		}
		elapse(s.w.dice.draw("answer", string(s.id), string(e.Reference)).between(time.Millisecond, 50*time.Millisecond))
		if !f.silent {
			out <- a
		}
	})
	return out
}

// handOver gives a request to the carrier of a system that answers later. Whether it is recorded is found out by searching.
func (s *system) handOver(e native.Entry, mark string, f fate, out chan<- answer) {
	s.mu.Lock()
	delete(s.said, e.Reference)
	s.mu.Unlock()
	c := s.w.dice.draw("carrier", string(s.id), string(e.Reference))
	fast, slow := c.between(time.Millisecond, 50*time.Millisecond), c.extreme(0, s.later-time.Millisecond)
	s.w.background.Go(func() {
		elapse(fast)
		s.w.note(string(s.id), "handed over", mark)
		if !f.silent {
			out <- answer{err: fault.New(fault.Doubt, "sim", "handed-over", "handed over")}
		}
		if !f.writes {
			return
		}
		elapse(slow)
		if _, err := s.write(e, mark); err != nil {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.said[e.Reference] = err
		}
	})
}

// refused returns what a system that answers later has against the last entry with a reference.
func (s *system) refused(ref native.Reference) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.said[ref]
}

// write executes a request.
func (s *system) write(e native.Entry, mark string) (native.Receipt, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mode == adapters.ModeA {
		if i := slices.IndexFunc(s.journal, func(r row) bool { return r.Reference == e.Reference }); i >= 0 {
			return native.Receipt{Record: s.journal[i].ID, Case: s.journal[i].Case, Joined: true}, nil
		}
	}
	if s.refuses(mark, e.Organisation) {
		s.w.note(string(s.id), "refused", mark)
		return native.Receipt{}, fault.New(fault.Refuse, "sim", "person-unknown", "the system does not accept the entry")
	}
	if e.Case != "" && s.cases[e.Case] == 0 {
		return native.Receipt{}, fault.New(fault.Refuse, "sim", "case-unknown", "there is no such case")
	}
	if e.Refers != "" && !slices.ContainsFunc(s.journal, func(r row) bool { return r.ID == e.Refers && r.Case == e.Case && r.Kind == e.Kind }) {
		return native.Receipt{}, fault.New(fault.Refuse, "sim", "entry-unknown", "what is recalled or corrected does not stand in this case")
	}
	r := s.add(row{org: s.dossier(e.Organisation), mark: mark, Record: native.Record{
		Kind: e.Kind, Case: e.Case, CaseReference: e.CaseReference, Reference: e.Reference, Body: e.Body, Action: e.Action, Refers: e.Refers,
	}})
	what := "recorded"
	if e.Kind == answerKind {
		what = "recorded answer to"
	}
	s.w.note(string(s.id), what, mark, "as", string(r.ID))
	return native.Receipt{Record: r.ID, Case: r.Case}, nil
}

// refuses draws once for each message whether, and how often, the system says no to it.
func (s *system) refuses(mark string, org handover.OrganisationID) bool {
	key := mark + "|" + string(s.dossier(org))
	if _, drawn := s.refusals[key]; !drawn {
		c := s.w.dice.draw("refusal", string(s.id), key)
		s.refusals[key] = 0
		if c.is(s.w.plan.refusals) {
			s.refusals[key] = 1 + c.n(2)
		}
	}
	if s.refusals[key] == 0 {
		return false
	}
	s.refusals[key]--
	return true
}

// add puts a record at the end of the journal. The caller holds the lock.
func (s *system) add(r row) row {
	n := strconv.Itoa(len(s.journal) + 1)
	r.ID, r.At = native.RecordID(string(s.id)+"-"+n), time.Now().UTC()
	if r.Case == "" {
		r.Case = native.CaseKey(string(s.id) + "-case-" + n)
	} else {
		r.CaseReference = s.caseReference(r.Case)
	}
	s.cases[r.Case]++
	r.Sequence = uint64(s.cases[r.Case])
	r.visible = r.At.Add(s.w.dice.draw("index", string(s.id), r.mark).extreme(0, bounds().Lookup-time.Millisecond))
	s.journal = append(s.journal, r)
	close(s.grown)
	s.grown = make(chan struct{})
	return r
}

func (s *system) caseReference(key native.CaseKey) handover.CaseID {
	for _, r := range s.journal {
		if r.Case == key {
			return r.CaseReference
		}
	}
	return ""
}

// dossier returns the organisation of a dossier; a shared platform has one for all.
func (s *system) dossier(o handover.OrganisationID) handover.OrganisationID {
	if s.shared {
		return ""
	}
	return o
}

// rows returns the journal as it is now, and a channel that is closed when it grows.
func (s *system) rows() ([]row, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.journal), s.grown
}

// requests returns every request that arrived.
func (s *system) requests() []request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.sent)
}

// byReference returns the records with a reference that a search at a time finds; the zero time finds all.
func (s *system) byReference(ref native.Reference, at time.Time) []native.Receipt {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []native.Receipt
	for _, r := range s.journal {
		if r.Reference == ref && (at.IsZero() || !r.visible.After(at)) {
			out = append(out, native.Receipt{Record: r.ID, Case: r.Case})
		}
	}
	return out
}

// find returns the record of a message in a dossier.
func (s *system) find(mark string, o handover.OrganisationID) (row, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.journal {
		if r.mark == mark && r.org == s.dossier(o) {
			return r, true
		}
	}
	return row{}, false
}

// entered returns the record that a clerk entered.
func (s *system) entered(mark string) (row, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.journal, func(r row) bool { return r.mark == mark && r.clerk })
	if i < 0 {
		return row{}, false
	}
	return s.journal[i], true
}

// answered reports whether the rules' answer to an application stands.
func (s *system) answered(mark string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(s.journal, func(r row) bool { return r.mark == mark && r.Kind == answerKind })
}

// answerKind is the kind of the rules' answer.
const answerKind native.Kind = "application-checked"

// enter lets a clerk enter a record. An empty case opens one; refers is the record that is recalled or corrected.
func (s *system) enter(key native.CaseKey, i item, refers native.RecordID) row {
	o, name, mark, body := i.sender, i.name, i.mark, i.body
	s.mu.Lock()
	r := s.add(row{org: s.dossier(o), mark: mark, clerk: true, Record: native.Record{
		Kind: native.Kind(name), Case: key, Body: body, Action: i.action, Refers: refers,
	}})
	s.mu.Unlock()
	s.w.note(string(s.id), "entered", mark, string(name), string(i.action), i.revises)
	s.w.notify(s.id, mark)
	return r
}
