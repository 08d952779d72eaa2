package reconcile

import (
	"slices"
	"time"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
)

// slack is how long after all bounds somebody may still be about to act: pauses between tries, a rebalance, a restart.
const slack = 5 * time.Minute

// moment is when a list was read.
type moment struct {
	at     time.Time // before it was begun
	before []int64   // the ends of the ledger's partitions then
}

// comparison compares the book with the list of one system.
type comparison struct {
	book   *Book
	list   *list
	system handover.SystemID
	settle time.Duration
	moment moment

	result   Result
	findings []Finding
}

// compare finds every difference. It is pure.
func compare(b *Book, l *list, system handover.SystemID, settle time.Duration, m moment) (Result, []Finding) {
	c := &comparison{book: b, list: l, system: system, settle: settle, moment: m}
	c.result = Result{System: system, Status: Compared, Listed: l.count, Broken: len(l.broken)}
	if b.newest.After(c.moment.at) {
		c.moment.at = b.newest // clocks differ: what the broker has stamped is over
	}
	for ref, e := range b.refs {
		if e.to.System == system {
			c.announced(ref, e)
		}
	}
	for ref, stands := range l.byRef {
		if e := b.refs[ref]; e == nil || e.to.System != system {
			c.unknown(ref, e, stands)
		}
	}
	c.twice()
	c.sum()
	return c.result, c.findings
}

// sum counts and sorts what was found.
func (c *comparison) sum() {
	c.result.Findings = map[Kind]int{}
	for _, k := range Kinds() {
		c.result.Findings[k] = 0
	}
	for _, f := range c.findings {
		if f.State == Accepted {
			c.result.Accepted++
		} else {
			c.result.Findings[f.Kind]++
		}
	}
	slices.SortFunc(c.findings, order)
}

// announced judges one reference that the ledger knows.
func (c *comparison) announced(ref native.Reference, e *entry) {
	stands := c.list.byRef[ref]
	if e.done {
		c.result.Recorded++
	}
	switch {
	case len(stands) > 1:
		c.find(Double, ref, e, stands)
	case e.done && len(stands) == 0:
		c.absent(ref, e)
	case e.done:
		c.drifted(ref, e, stands[0])
	case e.asked && e.open():
		c.result.Asked++ // also when it stands: who is asked finds it under the reference
	case e.open():
		c.pending(ref, e, stands)
	case len(stands) == 1:
		c.voided(ref, e, stands)
	}
}

// voided judges an attempt that left nothing by the ledger, although its record stands. Mostly it was executed after all bounds, and somebody is about to try again: in mode A that finds the record, in
// the others it makes a second one, which the next comparison sees. Only where nobody does it is a finding by itself.
func (c *comparison) voided(ref native.Reference, e *entry, stands []listed) {
	if !e.asked && !e.withdrawn && c.young(e.since, c.settle+slack) {
		c.result.InFlight++
		return
	}
	c.find(Extra, ref, e, stands)
}

// absent judges an entry that is done and has no record with its reference. What a person has found by its number need not carry the reference.
func (c *comparison) absent(ref native.Reference, e *entry) {
	for _, id := range e.records {
		other, there := c.list.refs[id]
		switch {
		case c.list.broken[id]:
			c.find(Drifted, ref, e, nil, "unreadable")
			return
		case e.byPerson && there && other == "":
			return
		case e.byPerson && there:
			c.find(Drifted, ref, e, c.list.byRef[other], "record")
			return
		}
	}
	if e.offset >= c.moment.before[e.partition] || c.young(e.doneAt, c.settle) {
		c.result.InFlight++
		return
	}
	c.find(Missing, ref, e, nil)
}

// drifted compares what stands with what the ledger says about it.
func (c *comparison) drifted(ref native.Reference, e *entry, s listed) {
	var differs []string
	note := func(what string, same bool) {
		if !same {
			differs = append(differs, what)
		}
	}
	note("record", len(e.records) == 0 || e.given(s.id))
	note("case", e.nativeCase == "" || e.nativeCase == s.caseKey)
	note("kind", e.kind == "" || e.kind == s.kind)
	note("organisation", e.to.Organisation == "" || s.organisation == "" || e.to.Organisation == s.organisation)
	note("case-reference", s.caseReference == "" || s.caseReference == e.caseID)
	if len(differs) > 0 {
		c.find(Drifted, ref, e, []listed{s}, differs...)
	}
}

// pending judges an attempt whose outcome is unknown and that nobody was asked about.
func (c *comparison) pending(ref native.Reference, e *entry, stands []listed) {
	if c.young(e.since, c.settle+slack) {
		c.result.InFlight++
		return
	}
	c.find(Unasked, ref, e, stands)
}

// unknown judges records with a reference that the ledger does not know, or knows as that of another system.
func (c *comparison) unknown(ref native.Reference, e *entry, stands []listed) {
	if e == nil {
		e = &entry{caseID: stands[0].caseReference}
	}
	c.find(Extra, ref, e, stands)
}

// twice looks for one message that stands at one destination under several references. However many there are, it is one finding: the same at every comparison.
func (c *comparison) twice() {
	all := map[waiting][]native.Reference{}
	for ref, e := range c.book.refs {
		if e.to.System == c.system && e.message != "" && len(c.list.byRef[ref]) > 0 {
			key := waiting{e.caseID, e.to, e.message}
			all[key] = append(all[key], ref)
		}
	}
	for _, refs := range all {
		if len(refs) < 2 {
			continue
		}
		slices.Sort(refs)
		var stands []listed
		for _, ref := range refs {
			stands = append(stands, c.list.byRef[ref]...)
		}
		c.find(Double, refs[0], c.book.refs[refs[0]], stands)
	}
}

// young reports whether something is younger than a time.
func (c *comparison) young(at time.Time, than time.Duration) bool { return c.moment.at.Sub(at) < than }

func (c *comparison) find(k Kind, ref native.Reference, e *entry, stands []listed, differs ...string) {
	f := Finding{
		Kind: k, System: c.system, Organisation: e.to.Organisation, Case: e.caseID, Message: e.message, Name: c.book.names[e.message], Reference: ref,
		Attempt: e.attempts, Differs: differs, Since: e.since, Announced: e.to.System == c.system && !e.withdrawn && (e.attempts > 0 || e.done),
	}
	if e.done {
		f.Since = e.doneAt
	}
	for _, id := range e.records {
		f.Ledger = append(f.Ledger, Stands{Record: id, Case: e.nativeCase})
	}
	for _, s := range stands {
		f.Native = append(f.Native, Stands{Record: s.id, Case: s.caseKey})
	}
	f.words(e, c.system)
	f.name()
	f.State = c.state(f)
	c.findings = append(c.findings, f)
}

// state says whether a person was asked about exactly this, now or when the record came in.
func (c *comparison) state(f Finding) State {
	if s, known := c.book.known[f.ID]; known {
		return s
	}
	if f.Kind != Extra || len(f.Native) != 1 {
		return New
	}
	if s, known := c.book.refused[record{c.system, f.Native[0].Record}]; known {
		return s
	}
	return New
}

// words says the finding in one sentence, and what to do.
func (f *Finding) words(e *entry, system handover.SystemID) {
	switch f.Kind {
	case Missing:
		f.Text = "by the ledger the entry stands in the native system, and its list does not show it"
		f.Next = "look for the record in the native system, and ask its operator whether a backup was restored or something was removed"
	case Double:
		f.Text = "the native system holds more than one record for one entry"
		f.Next = "keep one of them in the native system and remove or cancel the others there"
	case Drifted:
		f.Text = "the entry stands in the native system otherwise than the ledger says"
		f.Next = "see in the native system whether it was moved, merged or changed"
	case Unasked:
		f.Text = "nobody knows whether the last attempt was recorded, and nobody was asked"
		f.Next = "see whether a gateway runs and reaches the native system; it goes on by itself then"
		if len(f.Native) > 0 {
			f.Text = "the last attempt was recorded, and the ledger does not say so"
		}
	case Extra:
		f.Text, f.Next = extra(e, system)
	}
}

func extra(e *entry, system handover.SystemID) (text, next string) {
	switch {
	case e.to.System != "" && e.to.System != system:
		return "the record carries a reference that einmal gave for another system", "find out who copied it; remove it in the native system if nobody needs it"
	case e.withdrawn:
		return "the entry was withdrawn, and it stands in the native system", "remove or cancel it in the native system, or leave it and say why"
	case e.attempts > 0:
		return "by the ledger nothing was recorded, and the entry stands in the native system", "see whether it is right; einmal would record it a second time"
	default:
		return "the record carries a reference that this installation never gave", "find out who wrote it: another installation, or a copy of an older entry"
	}
}
