package measure

import (
	"fmt"
	"time"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/native"
)

// search compares what searches show with what is known otherwise.
func (j journal) search() Finding {
	f := Finding{Experiment: "search by reference", Result: Holds, Did: fmt.Sprintf("searched %d times, at the end for every reference and for one that was never written", j.searches)}
	out := []adapters.Mode{adapters.ModeB}
	if j.system.Finder == nil {
		f.Result, f.RulesOut, f.Did, f.Saw = Noted, out, "asked the adapter", "it cannot search by reference"
		return f
	}
	hidden := j.count(func(_ *item, _ native.RecordID, s sight) bool { return !s.last })
	switch {
	case j.foreign > 0:
		return f.fails("a reference that was never written has records", every(), "correct the search of the adapter: einmal would take foreign records for its own")
	case j.failed == j.searches:
		return f.fails("no search succeeded", out, "ask the operator for the right to search")
	case hidden > 0:
		return f.fails(fmt.Sprintf("the last search did not show %d records that stand there", hidden), out, "ask the operator how long the index takes and what it leaves out; measure again with longer bounds.lookup")
	}
	f.Saw = "every record is shown, also when a reference has two"
	if j.failed > 0 {
		f.Result, f.Saw = Noted, f.Saw+fmt.Sprintf("; %d searches failed and said so", j.failed)
	}
	return f
}

// lag compares how soon entries are found with the bound.
func (j journal) lag() Finding {
	var timed, lost int
	for _, i := range j.samples {
		if i.timed {
			timed++
		}
		if i.lost {
			lost++
		}
	}
	if j.system.Finder == nil || j.bounds.Asynchronous() {
		return Finding{}
	}
	longest := time.Duration(j.measured().Lookup)
	f := Finding{
		Experiment: "search lag", Result: Holds, Did: fmt.Sprintf("wrote %d entries and searched for each until it was found", timed+lost),
		Saw: fmt.Sprintf("the slowest was found after %s; bounds.lookup is %s", rounded(longest), j.bounds.Lookup),
	}
	switch {
	case timed == 0 || lost > 0:
		return f.fails(fmt.Sprintf("%d entries were not found within %s", lost, max(j.watch, 2*j.bounds.Lookup)), []adapters.Mode{adapters.ModeB},
			"ask the operator how long the index takes, set bounds.lookup to at least that, and measure again")
	case longest > j.bounds.Lookup && j.inModeB():
		return j.tooShort(f, "bounds.lookup", longest)
	case longest > j.bounds.Lookup/2 && j.inModeB():
		f.Result, f.Next = Noted, "what was measured is the least: set bounds.lookup to "+rounded(2*longest).String()+" or more"
	}
	return f
}

// inModeB reports whether the bounds of the search are relied upon.
func (j journal) inModeB() bool { return j.system.Abilities.Mode == adapters.ModeB }

// tooShort is a bound that the system breaks.
func (journal) tooShort(f Finding, bound string, seen time.Duration) Finding {
	f.Result, f.Bound = Fails, bound
	f.Next = "set " + bound + " to more than " + rounded(seen).String() + ", better to twice as much, and measure again"
	return f
}

// rounded makes a time readable without making it shorter.
func rounded(d time.Duration) time.Duration {
	if r := d.Round(time.Millisecond); r >= d {
		return r
	}
	return d.Round(time.Millisecond) + time.Millisecond
}

// late compares how late requests were executed with the bounds.
func (j journal) late() Finding {
	unclear, late := 0, 0
	for _, i := range j.all() {
		for _, a := range i.attempts {
			if a.outcome == inDoubt {
				unclear++
			}
		}
	}
	var longest time.Duration
	for _, i := range j.all() {
		for _, s := range i.sights {
			if s.late > 0 {
				late++
			}
			longest = max(longest, s.late)
		}
	}
	f := Finding{
		Experiment: "late execution", Result: Holds,
		Did: fmt.Sprintf("cut %d requests at random moments, before they were sent until after the answer, and looked for %s", len(j.cuts), j.watch),
		Saw: fmt.Sprintf("%d requests ended in doubt; %d records came later than at once, the last after %s; bounds.processing is %s", unclear, late, rounded(longest), j.bounds.Processing),
	}
	if !j.inModeB() {
		return f
	}
	if m := time.Duration(j.measured().Processing); m > j.bounds.Processing {
		return j.tooShort(f, "bounds.processing", m)
	}
	if twice := j.count(func(i *item, _ native.RecordID, _ sight) bool { return i.cut && i.sure() == 1 && len(i.sights) > 1 }); twice > 0 {
		return f.fails("an entry that was not found within the bounds, and therefore was written again, stands there twice", []adapters.Mode{adapters.ModeB},
			"the system has no bound: use mode C, or ask the operator for one")
	}
	return f
}

// answers looks at what a system that answers later has said.
func (j journal) answers() Finding {
	if !j.bounds.Asynchronous() {
		return Finding{}
	}
	handed, silent := 0, 0
	for _, i := range j.all() {
		if i.sure() == 0 {
			continue
		}
		if handed++; len(i.sights) == 0 && len(i.answers) == 0 {
			silent++
		}
	}
	longest := time.Duration(j.measured().Answer)
	f := Finding{
		Experiment: "answers that come later", Result: Holds, Did: fmt.Sprintf("handed %d entries over and asked for what became of them", handed),
		Saw: fmt.Sprintf("the last answer came after %s; bounds.answer is %s", rounded(longest), j.bounds.Answer),
	}
	switch {
	case longest > j.bounds.Answer:
		return j.tooShort(f, "bounds.answer", longest)
	case silent > 0:
		return f.fails(fmt.Sprintf("%d entries that were handed over have no answer after %s", silent, j.watch), []adapters.Mode{adapters.ModeB},
			"ask the operator what became of them; a person is asked about every such entry")
	}
	return f
}
