package measure

import (
	"fmt"
	"slices"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
)

// nothingWritten looks for records of requests of which the adapter said that they wrote nothing, and for records that no request accounts for.
func (j journal) nothingWritten() Finding {
	f := Finding{Experiment: "nothing was written means nothing", Result: Holds, Did: "looked for the entries of every request that ended so, and counted records and requests"}
	ended, refusals, lies, more := 0, 0, 0, 0
	for _, i := range j.all() {
		number := map[outcome]int{}
		for _, a := range i.attempts {
			number[a.outcome]++
		}
		ended += number[nothing]
		denied := 0
		for _, s := range i.sights {
			if s.denied {
				denied++
			}
		}
		switch {
		case denied > 0 && number[refused] > 0:
			refusals++
		case denied > 0, len(i.sights) > i.sure() && number[inDoubt] == 0 && number[nothing] > 0:
			lies++
		case len(i.sights) > len(i.attempts):
			more++
		}
	}
	f.Saw = fmt.Sprintf("%d requests ended so, and none had an effect", ended)
	switch {
	case more > 0:
		return f.fails(fmt.Sprintf("%d references have more records than requests were made", more), every(), "ask the operator why one request is recorded twice")
	case refusals > 0:
		return f.fails(fmt.Sprintf("%d entries stand there although they were refused", refusals), every(), "correct the adapter: a refusal must mean that nothing was written")
	case lies > 0:
		return f.fails(fmt.Sprintf("%d entries stand there although the adapter said that nothing was written", lies), []adapters.Mode{adapters.ModeB, adapters.ModeC},
			"correct the adapter: what may have been sent is a doubt")
	}
	return f
}

// receipts looks for records that a receipt names and nothing shows.
func (j journal) receipts() Finding {
	f := Finding{Experiment: "a receipt means a record", Result: Holds, Did: "looked for every record that a receipt named"}
	searched, streamed := j.system.Finder != nil && j.failed < j.searches, j.echoes() && j.stream.last == nil && len(j.stream.frames) > 0
	if !searched && !streamed {
		f.Result, f.Saw, f.Next = Noted, "neither search nor stream could show them", "look for the references in the system by hand"
		return f
	}
	total := j.count(func(_ *item, _ native.RecordID, s sight) bool { return s.receipt })
	missing := j.count(func(_ *item, _ native.RecordID, s sight) bool { return s.receipt && !s.search && !s.echo })
	if missing > 0 && missing == total {
		return f.fails("none of them is shown, by search or in the stream", byRef(), "compare the references that the system shows with those that were sent")
	}
	if missing > 0 {
		return f.fails(fmt.Sprintf("%d of %d are nowhere", missing, total), every(), "ask the operator what became of them; a system that loses what it has confirmed cannot be used")
	}
	f.Saw = fmt.Sprintf("all %d stand there", total)
	return f
}

// whole looks for entries that stand there by halves.
func (j journal) whole() Finding {
	f := Finding{Experiment: "an entry stands there whole or not at all", Result: Holds, Did: "compared every record in the stream with what was written, also those of cut requests"}
	if !j.echoes() {
		return Finding{}
	}
	torn := j.count(func(_ *item, id native.RecordID, _ sight) bool {
		_, different := j.stream.torn[id]
		return different || slices.Contains(j.stream.broken, id)
	})
	compared := j.count(func(_ *item, _ native.RecordID, s sight) bool { return s.echo })
	if torn > 0 {
		return f.fails(fmt.Sprintf("%d of %d records say something else than was written, or only a part of it", torn, compared), every(),
			"compare one of them with its form; if only cut requests are torn, the system writes in several steps and must be written to in another way")
	}
	f.Saw = fmt.Sprintf("all %d are whole", compared)
	return f
}

// cases looks for writes of several steps that were torn between the case and its first entry.
func (j journal) cases() Finding {
	f := Finding{Experiment: "a case and its first entry stand together", Result: Holds, Did: "compared the cases that entries were found in with those that were opened"}
	opened, strays := 0, 0
	keys := map[native.CaseKey]handover.CaseID{}
	for _, i := range j.all() {
		if !i.opens {
			continue
		}
		distinct := map[native.CaseKey]bool{}
		for _, s := range i.sights {
			distinct[s.in] = true
			if other, taken := keys[s.in]; taken && other != i.entry.CaseReference {
				strays++
			}
			keys[s.in] = i.entry.CaseReference
		}
		if opened++; len(distinct) > len(i.sights) {
			strays++
		}
	}
	strays += j.count(func(i *item, _ native.RecordID, s sight) bool { return !i.opens && s.in != j.base })
	strays += j.orphans(keys)
	if strays > 0 {
		return f.fails(fmt.Sprintf("%d entries stand in another case than they were written to, or cases were opened twice for one entry", strays), every(),
			"the system opens cases and writes entries in steps of their own: write each with a reference of its own")
	}
	f.Saw = fmt.Sprintf("%d openings, each with a case of its own", opened)
	f.Next = "look by hand for cases without an entry under the case references of this report: an adapter cannot see them"
	return f
}

// orphans counts records in the stream that carry a case reference of the measurement and stand in a case that no entry of it was found in.
func (j journal) orphans(keys map[native.CaseKey]handover.CaseID) (n int) {
	ours := map[handover.CaseID]bool{}
	for _, c := range j.written().Cases {
		ours[c] = c != ""
	}
	for _, frame := range j.stream.frames {
		if _, known := keys[frame.Case]; ours[frame.CaseReference] && !known {
			n++
		}
	}
	return n
}

// echo compares the frames in the stream with what was written.
func (j journal) echo() Finding {
	if j.system.Source == nil {
		return Finding{Experiment: "the stream", Result: Noted, Did: "asked the adapter", Saw: "nothing is read from this system, so that reconciliation cannot compare it"}
	}
	if !j.echoes() {
		return Finding{}
	}
	f := Finding{Experiment: "what einmal wrote comes back in the stream", Result: Holds, Did: "read the stream until it had shown everything, for at least 10 seconds"}
	frames := map[native.RecordID]native.Record{}
	for _, frame := range j.stream.frames {
		frames[frame.ID] = frame
	}
	wrong := j.count(func(i *item, id native.RecordID, s sight) bool {
		frame, there := frames[id]
		return there && (frame.Case != s.in || frame.Kind != i.entry.Kind || i.opens && frame.CaseReference != i.entry.CaseReference)
	})
	missing := j.count(func(_ *item, id native.RecordID, _ sight) bool { _, there := frames[id]; return !there })
	switch {
	case wrong > 0:
		return f.fails(fmt.Sprintf("%d records come back with another kind, case or case reference", wrong), j.ifRead(nil), "correct the adapter, or find fields that keep them")
	case missing > 0:
		f.Result, f.Saw = Noted, fmt.Sprintf("%d records do not come back", missing)
		f.Next = "reconciliation will report them as missing: correct the adapter's reading, or tell the operator of the system"
	default:
		f.Saw = fmt.Sprintf("all %d records came back", j.count(func(_ *item, _ native.RecordID, s sight) bool { return s.echo }))
	}
	return f
}

func (j journal) position() Finding {
	if !j.echoes() {
		return Finding{}
	}
	f := Finding{Experiment: "the stream can be read again from an earlier position", Result: Holds, Did: "read again from where the measurement began", Saw: "it told the same in the same order"}
	if j.stream.order != "" {
		return f.fails(j.stream.order, j.ifRead(nil), "correct the adapter, or ask the operator for a stream that can be repeated; otherwise set read: false")
	}
	if j.stream.failures > 0 {
		f.Result, f.Saw = Noted, f.Saw+fmt.Sprintf("; %d readings failed and were tried again", j.stream.failures)
	}
	return f
}

func (j journal) documents() Finding {
	f := Finding{Experiment: "documents", Result: Holds, Did: "stored documents of 1 kB and 300 kB twice, opened them, and wrote an entry that names one", Saw: "they came back byte for byte"}
	switch {
	case j.system.Documents == nil:
		f.Result, f.Did, f.Saw = Noted, "asked the adapter", "this system keeps no documents: messages with documents wait for a person"
	case len(j.papers) > 0:
		return f.fails(j.papers[0], every(), "see why the system does not keep documents: a message with a document could not be delivered")
	}
	return f
}
