package measure

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/native"
)

// journal is what a run has left behind. Its methods only look.
type journal struct{ *run }

func (r *run) journal() journal { return journal{r} }

func (j journal) written() Written {
	var w Written
	for _, i := range j.all() {
		if len(i.attempts) == 0 {
			continue
		}
		w.References = append(w.References, i.ref)
		if i.opens {
			w.Cases = append(w.Cases, i.entry.CaseReference)
		}
	}
	return w
}

// judge says what follows.
func (j journal) judge() Report {
	r := Report{
		Configured: terms(j.system.Abilities), Measured: j.measured(), Memory: Span(j.memory()), Watched: Span(j.watch), Searches: j.searches, Written: j.written(),
	}
	for _, i := range j.all() {
		r.Requests += len(i.attempts)
	}
	for _, experiment := range []func() Finding{
		j.again, j.strangers, j.references, j.search, j.lag, j.late, j.nothingWritten, j.receipts, j.whole, j.cases, j.echo, j.position, j.documents, j.answers, j.times,
	} {
		if f := experiment(); f.Experiment != "" {
			r.Findings = append(r.Findings, f.against(r.Configured.Mode))
		}
	}
	r.Measured.Mode = best(r.Findings)
	return r
}

// against turns a failure into a note when it rules out only modes that promise more than the one in use.
func (f Finding) against(used adapters.Mode) Finding {
	if f.Result == Fails && f.Bound == "" && !slices.ContainsFunc(f.RulesOut, func(m adapters.Mode) bool { return !worse(used, m) }) {
		f.Result, f.Next = Noted, ""
	}
	return f
}

// all modes, and the two that rest on the reference.
func every() []adapters.Mode { return []adapters.Mode{adapters.ModeA, adapters.ModeB, adapters.ModeC} }
func byRef() []adapters.Mode { return []adapters.Mode{adapters.ModeA, adapters.ModeB} }

// fails turns a finding into a failure when something was seen.
func (f Finding) fails(saw string, out []adapters.Mode, next string) Finding {
	f.Result, f.Saw, f.RulesOut, f.Next = Fails, saw, out, next
	return f
}

// measured are the longest times that were seen.
func (j journal) measured() Terms {
	var m Terms
	var unclear []sight
	for _, i := range j.all() {
		m.Lookup = max(m.Lookup, Span(i.lag))
		for _, a := range i.attempts {
			if a.outcome == recorded || a.outcome == handedOver {
				m.Request = max(m.Request, Span(a.ended.Sub(a.began)))
			}
		}
		for _, s := range i.sights {
			unclear, m.Answer = append(unclear, s), max(m.Answer, Span(s.answer))
		}
	}
	for _, s := range unclear {
		if !s.streamed {
			s.late -= time.Duration(m.Lookup) // it was executed, and then the index had it
		}
		m.Processing = max(m.Processing, Span(s.late))
	}
	return m
}

// sure counts the requests of an item that the system has certainly carried out or joined.
func (i *item) sure() (n int) {
	for _, a := range i.attempts {
		if a.outcome == recorded || a.outcome == handedOver {
			n++
		}
	}
	return n
}

// repeated lists the items that were written more than once although nothing made it necessary, or after the first had its answer.
func (j journal) repeated() []*item {
	return slices.DeleteFunc(j.all(), func(i *item) bool { return i.sure() < 2 })
}

func (j journal) again() Finding {
	repeated := j.repeated()
	f := Finding{
		Experiment: "the same reference again", Result: Holds,
		Did: fmt.Sprintf("wrote %d references two to %d times: at once, one after the other, after a doubt, and up to %s after the first", len(repeated), atOnceWriters, j.oldest()),
	}
	var more, refusals int
	for _, i := range repeated {
		if len(i.sights) > 1 {
			more++
		}
		if slices.ContainsFunc(i.attempts, func(a attempt) bool { return a.outcome == refused }) {
			refusals++
		}
	}
	switch {
	case len(repeated) == 0:
		return f.fails("no reference could be written twice", []adapters.Mode{adapters.ModeA}, "look at the other findings")
	case more > 0:
		next := "use mode B if the search allows it, otherwise mode C"
		if j.memory() > 0 {
			next = "the system joined references at first: ask its operator how long it remembers them; " + next
		}
		return f.fails(fmt.Sprintf("%d of them led to more than one record", more), []adapters.Mode{adapters.ModeA}, next)
	case refusals > 0:
		return f.fails(fmt.Sprintf("%d of them were refused, without the number of the first record", refusals), []adapters.Mode{adapters.ModeA}, "let the adapter turn this answer into a joined receipt")
	}
	f.Saw = "each is one record"
	f.Next = "the system's memory was tried for " + j.memory().Round(time.Millisecond).String() + " only; try it longer with a longer memory time before a gateway may be away longer than that"
	return f
}

// oldest is the longest time between the first and the last request under one reference.
func (j journal) oldest() time.Duration {
	var longest time.Duration
	for _, i := range j.repeated() {
		longest = max(longest, i.attempts[len(i.attempts)-1].began.Sub(i.attempts[0].ended))
	}
	return longest.Round(time.Millisecond)
}

// memory is the longest time after which a reference was joined.
func (j journal) memory() time.Duration {
	var longest time.Duration
	for _, i := range j.all() {
		for k, a := range i.attempts {
			if k > 0 && a.outcome == recorded && a.joined {
				longest = max(longest, a.began.Sub(i.attempts[0].ended))
			}
		}
	}
	return longest
}

// strangers looks for records that stand under two references.
func (j journal) strangers() Finding {
	f := Finding{Experiment: "references that look alike", Result: Holds, Did: fmt.Sprintf("wrote %d references, some differing in one character only", len(j.all())), Saw: "each has records of its own"}
	owner := map[native.RecordID]native.Reference{}
	shared := 0
	for _, i := range j.all() {
		for id := range i.sights {
			if first, taken := owner[id]; taken && first != i.ref {
				shared++
			}
			owner[id] = i.ref
		}
	}
	if shared > 0 {
		return f.fails(fmt.Sprintf("%d records stand under two references: the system, or the adapter, takes one for another, and entries get lost", shared), every(),
			"find a field that keeps 36 characters unchanged")
	}
	return f
}

// references compares the references that come back with those that were sent.
func (j journal) references() Finding {
	f := Finding{Experiment: "the reference comes back unchanged", Result: Holds, Did: "compared the references in the stream with those that were sent", Saw: "all are the same"}
	if !j.echoes() {
		return Finding{}
	}
	owner := map[native.RecordID]native.Reference{}
	for _, i := range j.all() {
		for id := range i.sights {
			owner[id] = i.ref
		}
	}
	altered, lost := 0, 0
	for _, frame := range j.stream.frames {
		switch ref, ours := owner[frame.ID]; {
		case !ours || frame.Reference == ref:
		case frame.Reference == "":
			lost++
		default:
			altered++
		}
	}
	if altered+lost == 0 {
		return f
	}
	return f.fails(fmt.Sprintf("%d references come back changed and %d not at all: einmal would take its own entries for those of a clerk", altered, lost), j.ifRead(byRef()),
		"find a field that keeps 36 characters unchanged; until then set read: false")
}

// ifRead rules out everything for a system that the gateway reads, and otherwise the given modes.
func (j journal) ifRead(otherwise []adapters.Mode) []adapters.Mode {
	if j.Unread {
		return otherwise
	}
	return every()
}

// count counts the records that something is true of.
func (j journal) count(what func(*item, native.RecordID, sight) bool) (n int) {
	for _, i := range j.all() {
		for _, id := range slices.Sorted(maps.Keys(i.sights)) {
			if what(i, id, i.sights[id]) {
				n++
			}
		}
	}
	return n
}

func (j journal) times() Finding {
	m := j.measured()
	unanswered := 0
	for _, i := range j.all() {
		for _, a := range i.attempts {
			if a.outcome == inDoubt && !a.cut {
				unanswered++
			}
		}
	}
	f := Finding{
		Experiment: "time of a request", Result: Holds, Did: "timed every request", Saw: fmt.Sprintf("the longest took %s", time.Duration(m.Request).Round(time.Millisecond)),
	}
	if unanswered > 0 {
		f.Result = Noted
		f.Saw += fmt.Sprintf("; %d that nobody cut ended in doubt", unanswered)
		f.Next = "if they ran out of time, lengthen bounds.request"
	}
	if time.Duration(m.Request) > j.bounds.Request*3/4 {
		f.Result, f.Next = Noted, "lengthen bounds.request: "+strings.TrimSpace(j.bounds.Request.String()+" is hardly more")
	}
	return f
}
