package clerks

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/mocks/core"
)

// What the checker finds.
const (
	Double      = "double"      // an entry stands more than once in a system
	Lost        = "lost"        // an entry that a clerk made does not stand in a system that must have it
	Unexplained = "unexplained" // an entry that no clerk made and no plan expects
	Disorder    = "disorder"    // a case's entries stand in another order than they were made
	Misplaced   = "misplaced"   // an entry stands in a case or a dossier where it does not belong
	WrongKind   = "wrong-kind"  // a system calls the entry something else than the message is
	Altered     = "altered"     // an entry does not say what the clerk meant, in this system's own words
)

// Finding is one thing that is wrong. It names markers and native ids, never contents.
type Finding struct {
	What   string            `json:"what"`
	System handover.SystemID `json:"system"`
	Marker string            `json:"marker,omitzero"`
	Record native.RecordID   `json:"record,omitzero"`
	Text   string            `json:"text"`
}

// String returns the finding as one line.
func (f Finding) String() string {
	return fmt.Sprintf("%-11s %-8s %-10s %s %s", f.What, f.System, f.Marker, f.Text, f.Record)
}

// entry is a journal entry with its system and the one marker in it.
type entry struct {
	core.Entry
	system handover.SystemID
	marker string
}

// checker collects findings for one plan.
type checker struct {
	plan     Plan
	systems  map[handover.SystemID]System
	owners   map[string]*Handover
	steps    map[string]Step
	origins  map[string]entry                      // where a clerk made it, by marker
	stands   map[string]map[handover.SystemID]int  // how often, by marker and system
	cases    map[int]map[handover.SystemID][]entry // by handover, in the order of commit
	findings []Finding
	waits    []time.Duration
}

// Check compares journals with a plan. systems gives the forms of the native systems, so that kinds and contents are checked; nil leaves that
// out. It knows nothing but its arguments.
func Check(plan Plan, journals Journals, systems map[handover.SystemID]System) Proof {
	c := &checker{
		plan: plan, systems: systems, owners: plan.owners(), steps: map[string]Step{}, origins: map[string]entry{},
		stands: map[string]map[handover.SystemID]int{}, cases: map[int]map[handover.SystemID][]entry{},
	}
	for _, h := range plan.Handovers {
		c.cases[h.Number] = map[handover.SystemID][]entry{}
		for _, s := range h.Steps {
			c.steps[s.Marker], c.stands[s.Marker] = s, map[handover.SystemID]int{}
		}
	}
	all := c.sort(journals)
	for _, e := range all {
		c.explain(e)
	}
	for _, h := range plan.Handovers {
		c.complete(h)
		for _, id := range h.Systems {
			c.order(h, c.cases[h.Number][id])
		}
	}
	return c.proof(journals, all)
}

// sort takes the journals apart and finds out what the clerks made.
func (c *checker) sort(journals Journals) []entry {
	var all []entry
	for _, id := range slices.Sorted(maps.Keys(journals)) {
		for _, e := range journals[id] {
			in := entry{Entry: e, system: id}
			if m := markersIn(string(e.Body)); len(m) == 1 {
				in.marker = m[0]
			}
			all = append(all, in)
			if s, ok := c.steps[in.marker]; ok && e.By == core.ByClerk && s.System == id {
				if _, twice := c.origins[in.marker]; !twice {
					c.origins[in.marker] = in
				}
			}
		}
	}
	return all
}

func (c *checker) find(what string, e entry, text string) {
	c.findings = append(c.findings, Finding{What: what, System: e.system, Marker: e.marker, Record: e.ID, Text: text})
}

// explain asks of one entry why it stands there.
func (c *checker) explain(e entry) {
	s, planned := c.steps[e.marker]
	_, made := c.origins[e.marker]
	h := c.owners[e.marker]
	switch {
	case !planned:
		c.find(Unexplained, e, "no clerk was to make this entry")
		return
	case !made:
		c.find(Unexplained, e, "no clerk has made this entry")
		return
	case !slices.Contains(h.Systems, e.system):
		c.find(Unexplained, e, "this system has nothing to do with the case")
		return
	case e.By == core.ByClerk && s.System != e.system:
		c.find(Unexplained, e, "the clerk made this entry in another system")
		return
	}
	if c.stands[e.marker][e.system]++; c.stands[e.marker][e.system] > 1 {
		c.find(Double, e, fmt.Sprintf("stands here %d times", c.stands[e.marker][e.system]))
		return
	}
	if e.By == core.ByInterface {
		c.waits = append(c.waits, e.At.Sub(c.origins[e.marker].At))
	}
	if e.Dossier != h.Dossiers[e.system] {
		c.find(Misplaced, e, "stands in the dossier of another organisation")
	}
	c.read(e, s)
	c.cases[h.Number][e.system] = append(c.cases[h.Number][e.system], e)
}

// read compares the entry with what the system's own form makes of the same facts.
func (c *checker) read(e entry, s Step) {
	sys, ok := c.systems[e.system]
	if !ok {
		return
	}
	kind, body := sys.Compose(s.Name, s.Facts)
	if kind != e.Kind {
		c.find(WrongKind, e, "is not what this system calls "+string(s.Name))
		return
	}
	if sys.Compare == nil {
		return
	}
	if places := sys.Compare(body, e.Body); len(places) > 0 {
		c.find(Altered, e, "differs at "+strings.Join(places, ", "))
	}
}

// complete looks for what a clerk made and a system does not have.
func (c *checker) complete(h Handover) {
	for _, s := range h.Steps {
		made, ok := c.origins[s.Marker]
		if !ok {
			continue
		}
		for _, id := range h.Systems {
			if c.stands[s.Marker][id] == 0 {
				missing := made
				missing.system = id
				c.find(Lost, missing, fmt.Sprintf("%s was made in %s and does not stand here", s.Name, made.system))
			}
		}
	}
}

// order checks that one case's entries stand in one native case of their own, in the order of the plan.
func (c *checker) order(h Handover, entries []entry) {
	place := map[string]int{}
	for i, s := range h.Steps {
		place[s.Marker] = i
	}
	last := -1
	for i, e := range entries {
		if e.Case != entries[0].Case {
			c.find(Misplaced, e, "stands in another case than the handover's first entry")
		}
		if place[e.marker] < last {
			c.find(Disorder, e, "stands after a later entry of its case")
			continue
		}
		last = place[e.marker]
		if i == 0 && e.Sequence != 1 {
			c.find(Misplaced, e, "stands in a case that was opened by something else")
		}
	}
}
