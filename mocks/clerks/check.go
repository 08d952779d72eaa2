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
	Double         = "double"          // an entry stands more than once at a place
	Lost           = "lost"            // an entry that a clerk made, or the answer to it, does not stand where it must
	Leaked         = "leaked"          // an application that the rules do not admit stands elsewhere than where it was entered
	Unexplained    = "unexplained"     // an entry that no clerk made and no plan expects
	Disorder       = "disorder"        // a case's entries stand in another order than they were made
	Misplaced      = "misplaced"       // an entry stands in a case or a dossier where it does not belong
	WrongKind      = "wrong-kind"      // a system calls the entry something else than the message is
	WrongReference = "wrong-reference" // a recall or correction refers to another entry than the one that it is about
	WrongDocuments = "wrong-documents" // an entry stands without its documents, or with others
	WrongAnswer    = "wrong-answer"    // an application is answered otherwise than the rules say
	Altered        = "altered"         // an entry does not say what the clerk meant, in this system's own words
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
	return fmt.Sprintf("%-15s %-8s %-10s %s %s", f.What, f.System, f.Marker, f.Text, f.Record)
}

// entry is a journal entry with its place and the one marker in it.
type entry struct {
	core.Entry
	place  Place
	marker string
}

// checker collects findings for one plan.
type checker struct {
	plan     Plan
	systems  map[handover.SystemID]System
	owners   map[string]*Handover
	steps    map[string]Step
	origins  map[string]entry           // where a clerk made it, by marker
	stands   map[string]map[Place]entry // the first at each place, by marker
	answered map[string]entry           // the first answer to an application, by its marker
	cases    map[int]map[Place][]entry  // by handover, in the order of commit
	records  map[handover.Name]int      // entries that have their reason, by message
	findings []Finding
	waits    []time.Duration
}

// Check compares journals with a plan. systems gives the forms of the native systems, so that kinds and contents are checked; nil leaves that
// out. It knows nothing but its arguments.
func Check(plan Plan, journals Journals, systems map[handover.SystemID]System) Proof {
	c := &checker{
		plan: plan, systems: systems, owners: plan.owners(), steps: map[string]Step{}, origins: map[string]entry{},
		stands: map[string]map[Place]entry{}, answered: map[string]entry{}, cases: map[int]map[Place][]entry{}, records: map[handover.Name]int{},
	}
	for _, h := range plan.Handovers {
		c.cases[h.Number] = map[Place][]entry{}
		for _, s := range h.Steps {
			c.steps[s.Marker], c.stands[s.Marker] = s, map[Place]entry{}
		}
	}
	all := c.sort(journals)
	for _, e := range all {
		c.explain(e)
	}
	for _, h := range plan.Handovers {
		c.complete(h)
		for _, at := range h.Places {
			c.order(h, c.cases[h.Number][at])
		}
	}
	return c.proof(journals, all)
}

// sort takes the journals apart and finds out what the clerks made.
func (c *checker) sort(journals Journals) []entry {
	var all []entry
	for _, id := range slices.Sorted(maps.Keys(journals)) {
		for _, e := range journals[id] {
			in := entry{Entry: e, place: Place{System: id, Organisation: e.Dossier}}
			if m := markersIn(string(e.Body)); len(m) == 1 {
				in.marker = m[0]
			}
			all = append(all, in)
			if s, ok := c.steps[in.marker]; ok && e.By == core.ByClerk && s.Place.System == id {
				if _, twice := c.origins[in.marker]; !twice {
					c.origins[in.marker] = in
				}
			}
		}
	}
	return all
}

func (c *checker) find(what string, e entry, text string) {
	c.findings = append(c.findings, Finding{What: what, System: e.place.System, Marker: e.marker, Record: e.ID, Text: text})
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
	case e.By == core.ByInterface && answers(c.systems[e.place.System], e.Kind):
		c.answer(e, s)
		return
	case s.Returned() && e.place != s.Place:
		c.find(Leaked, e, "the application was returned, and nothing of it may stand here")
		return
	case !slices.Contains(h.Systems(), e.place.System):
		c.find(Unexplained, e, "this system has nothing to do with the case")
		return
	case e.By == core.ByClerk && s.Place.System != e.place.System:
		c.find(Unexplained, e, "the clerk made this entry in another system")
		return
	}
	if !slices.Contains(h.Places, e.place) {
		c.find(Misplaced, e, "stands in the dossier of another organisation")
		e.place = c.meant(e, *h)
	}
	if _, stands := c.stands[e.marker][e.place]; stands {
		c.find(Double, e, "stands here again")
		return
	}
	c.stands[e.marker][e.place] = e
	if e.By == core.ByInterface {
		c.waits = append(c.waits, e.At.Sub(c.origins[e.marker].At))
	}
	c.records[s.Name]++
	c.read(e, s, *h)
	c.cases[h.Number][e.place] = append(c.cases[h.Number][e.place], e)
}

// meant returns where an entry in a wrong dossier should stand: at the place of its system that lacks it.
func (c *checker) meant(e entry, h Handover) Place {
	var meant Place
	for _, at := range h.Places {
		if _, stands := c.stands[e.marker][at]; at.System == e.place.System && (meant == Place{} || !stands) {
			meant = at
		}
	}
	return meant
}

// complete looks for what a clerk made and a place does not have.
func (c *checker) complete(h Handover) {
	for _, s := range h.Steps {
		made, ok := c.origins[s.Marker]
		if !ok {
			continue
		}
		for _, at := range h.Where(s) {
			if _, stands := c.stands[s.Marker][at]; !stands {
				missing := made
				missing.place = at
				c.find(Lost, missing, fmt.Sprintf("%s was made in %s and does not stand here", s.Name, made.place.System))
			}
		}
		if _, answered := c.answered[s.Marker]; s.Answer != nil && !answered {
			c.find(Lost, made, "the application was not answered; the answer names "+strings.Join(s.Answer.Rules, ", "))
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
