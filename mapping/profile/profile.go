package profile

import (
	"slices"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
)

// Profile is the checked data of one jurisdiction. It never changes and may be used concurrently.
type Profile struct {
	name      string
	languages []string
	text      Text
	versions  []Version
}

// Version is what holds in a jurisdiction during a time. Its fields are for reading.
type Version struct {
	ID        string        // "lucerne/regular-2025"; decisions store it
	Name      string        // "regular-2025"
	Currency  string        // ISO 4217
	Languages []string      // of every text
	ValidFrom handover.Date // first day
	ValidTo   handover.Date // last day; empty: open
	Source    string
	Text      Text

	Agencies   []Agency
	Processes  []Process
	Groups     []Group
	Settings   []Setting
	Items      []Item
	Rules      []Rule
	Gates      []Gate
	Deadlines  []Deadline
	Procedures []Procedure // of assigning agencies
	Financing  []Financing // in the order of the profile; see Version.Financer
	Rates      []Rate
	Lists      []List
	States     []Label // by handover.State; the name of "no case" is NO_CASE
	Messages   []Label // by handover.Name
	phrases    []Label
}

// Name returns the profile's name, which is that of its folder.
func (p *Profile) Name() string { return p.name }

// Text returns the name of the jurisdiction for people.
func (p *Profile) Text() Text { return p.text }

// Languages returns the languages that every text has.
func (p *Profile) Languages() []string { return slices.Clone(p.languages) }

// Versions returns all versions in the order of time.
func (p *Profile) Versions() []Version { return slices.Clone(p.versions) }

// On returns the version that holds on a day. The error is of kind Park: no version holds then.
func (p *Profile) On(day handover.Date) (Version, error) {
	for _, v := range p.versions {
		if v.ValidFrom <= day && (v.ValidTo == "" || day <= v.ValidTo) {
			return v, nil
		}
	}
	return Version{}, fault.New(fault.Park, "profile.on", "no-version", "the profile "+p.name+" has no version that holds on that day").
		Hint("correct the date, or add a version to the profile")
}

// Version returns a version by its name.
func (p *Profile) Version(name string) (Version, bool) {
	i := slices.IndexFunc(p.versions, func(v Version) bool { return v.Name == name })
	if i < 0 {
		return Version{}, false
	}
	return p.versions[i], true
}

// Codes returns a code list, or nil. The lists "agency", "process" and "targetGroup" are made from what the version defines.
func (v Version) Codes(list string) []Entry {
	var entries []Entry
	switch list {
	case listAgency:
		for _, a := range v.Agencies {
			entries = append(entries, Entry{Code: a.Code, Text: a.Text})
		}
		return entries
	case listProcess:
		for _, p := range v.Processes {
			entries = append(entries, Entry{Code: p.Code, Text: p.Text})
		}
		return entries
	case listGroup:
		for _, g := range v.Groups {
			entries = append(entries, Entry{Code: g.Code, Text: g.Text})
		}
		return entries
	}
	for _, l := range v.Lists {
		if l.Name == list {
			return slices.Clone(l.Codes)
		}
	}
	return nil
}

// Knows reports whether a code stands in a list.
func (v Version) Knows(list string, code handover.Code) bool {
	return slices.ContainsFunc(v.Codes(list), func(e Entry) bool { return e.Code == code })
}

// Word returns the words for a code of a list, or nil.
func (v Version) Word(list string, code handover.Code) Text {
	for _, e := range v.Codes(list) {
		if e.Code == code {
			return e.Text
		}
	}
	return nil
}

// State returns the words for a state of a case, or nil.
func (v Version) State(s handover.State) Text {
	if s == handover.NoCase {
		s = noCase
	}
	return label(v.States, string(s))
}

// Message returns the words for a message, or nil.
func (v Version) Message(n handover.Name) Text { return label(v.Messages, string(n)) }

// Gate returns the consent kinds of which any suffices to let data go between two agency types; none means that nothing may go.
func (v Version) Gate(a, b handover.Code) []handover.Code {
	for _, g := range v.Gates {
		if g.joins(a, b) {
			return slices.Clone(g.Ground)
		}
	}
	return nil
}

// Item returns what the form asks under a code.
func (v Version) Item(code handover.Code) (Item, bool) {
	i := slices.IndexFunc(v.Items, func(i Item) bool { return i.Code == code })
	if i < 0 {
		return Item{}, false
	}
	return v.Items[i], true
}

// Rate returns what an agency type may invoice for a month of case leadership on a day.
func (v Version) Rate(agency handover.Code, day handover.Date) (Rate, bool) {
	for _, r := range v.Rates {
		if r.Agency == agency && r.ValidFrom <= day && (r.ValidTo == "" || day <= r.ValidTo) {
			return r, true
		}
	}
	return Rate{}, false
}

// Billable reports whether a rate may be invoiced for a case with this application. What was not declared counts as not billable.
func (v Version) Billable(r Rate, a Application) bool {
	t, _ := r.Billable.eval(v.facts(a))
	return t == yes
}

func (g Gate) joins(a, b handover.Code) bool {
	return len(g.Between) == 2 && (g.Between[0] == a && g.Between[1] == b || g.Between[0] == b && g.Between[1] == a)
}

func label(labels []Label, name string) Text {
	for _, l := range labels {
		if l.Name == name {
			return l.Text
		}
	}
	return nil
}

// noCase stands for [handover.NoCase], which is empty, in the data.
const noCase = "NO_CASE"
