package profile

import (
	"fmt"
	"slices"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/strict"
)

// sheet is one file as it is written.
type sheet struct {
	Name       string        `yaml:"profile"`
	Text       Text          `yaml:"text"`
	Languages  []string      `yaml:"languages"`
	Currency   string        `yaml:"currency"`
	Versions   []versionSpec `yaml:"versions"`
	Agencies   []Agency      `yaml:"agencies"`
	Processes  []Process     `yaml:"processes"`
	Groups     []Group       `yaml:"groups"`
	Settings   []Setting     `yaml:"settings"`
	Items      []Item        `yaml:"items"`
	Rules      []Rule        `yaml:"rules"`
	Gates      []Gate        `yaml:"gates"`
	Deadlines  []Deadline    `yaml:"deadlines"`
	Procedures []Procedure   `yaml:"procedures"`
	Financing  []Financing   `yaml:"financing"`
	Rates      []Rate        `yaml:"rates"`
	Lists      []List        `yaml:"lists"`
	States     []Label       `yaml:"states"`
	Messages   []Label       `yaml:"messages"`
	Phrases    []Label       `yaml:"phrases"`
}

type versionSpec struct {
	Name      string        `yaml:"version"`
	ValidFrom handover.Date `yaml:"validFrom"`
	ValidTo   handover.Date `yaml:"validTo"`
	Source    string        `yaml:"source"`
	Text      Text          `yaml:"text"`
}

// placed is an entry and where it stands.
type placed[T any] struct {
	entry T
	doc   *strict.Document
	path  string
}

func (p placed[T]) report(path, code, text, next string) { p.doc.Report(p.path+path, code, text, next) }

// draft is all files together, before anything is known to be right.
type draft struct {
	documents  []*strict.Document
	sheet      sheet // the values that stand once
	head       []placed[string]
	versions   []placed[versionSpec]
	agencies   []placed[Agency]
	processes  []placed[Process]
	groups     []placed[Group]
	settings   []placed[Setting]
	items      []placed[Item]
	rules      []placed[Rule]
	gates      []placed[Gate]
	deadlines  []placed[Deadline]
	procedures []placed[Procedure]
	financing  []placed[Financing]
	rates      []placed[Rate]
	lists      []placed[List]
	states     []placed[Label]
	messages   []placed[Label]
	phrases    []placed[Label]
}

func (d *draft) add(doc *strict.Document, s sheet) {
	if s.Name != "" || s.Text != nil || s.Languages != nil || s.Currency != "" {
		d.head = append(d.head, placed[string]{s.Name, doc, "profile"})
		d.sheet = s
	}
	place(&d.versions, doc, "versions", s.Versions)
	place(&d.agencies, doc, "agencies", s.Agencies)
	place(&d.processes, doc, "processes", s.Processes)
	place(&d.groups, doc, "groups", s.Groups)
	place(&d.settings, doc, "settings", s.Settings)
	place(&d.items, doc, "items", s.Items)
	place(&d.rules, doc, "rules", s.Rules)
	place(&d.gates, doc, "gates", s.Gates)
	place(&d.deadlines, doc, "deadlines", s.Deadlines)
	place(&d.procedures, doc, "procedures", s.Procedures)
	place(&d.financing, doc, "financing", s.Financing)
	place(&d.rates, doc, "rates", s.Rates)
	place(&d.lists, doc, "lists", s.Lists)
	place(&d.states, doc, "states", s.States)
	place(&d.messages, doc, "messages", s.Messages)
	place(&d.phrases, doc, "phrases", s.Phrases)
}

func place[T any](into *[]placed[T], doc *strict.Document, section string, list []T) {
	for i, e := range list {
		*into = append(*into, placed[T]{e, doc, index(section, i)})
	}
}

func index(path string, i int) string { return fmt.Sprintf("%s[%d]", path, i) }

// findings returns what is wrong in all files, each finding once: an entry is checked in every version that it holds in.
func (d *draft) findings() fault.Findings {
	var all fault.Findings
	for _, doc := range d.documents {
		for _, f := range doc.Findings() {
			if !slices.Contains(all, f) {
				all = append(all, f)
			}
		}
	}
	return all
}

// holder is an entry that may be limited to some versions.
type holder interface{ holds(version string) bool }

func (s Scope) holds(version string) bool { return len(s.In) == 0 || slices.Contains(s.In, version) }

// in returns the entries that hold in a version.
func in[T holder](list []placed[T], version string) []placed[T] {
	return slices.DeleteFunc(slices.Clone(list), func(p placed[T]) bool { return !p.entry.holds(version) })
}

// bare drops the places.
func bare[T any](list []placed[T]) []T {
	var out []T
	for _, p := range list {
		out = append(out, p.entry)
	}
	return out
}

// compile checks everything and builds the profile. Its result counts only if there are no findings.
func (d *draft) compile() *Profile {
	d.checkHead()
	d.checkVersions()
	d.checkTexts()
	d.checkScopes()
	d.checkOnce()
	p := &Profile{name: d.sheet.Name, languages: d.sheet.Languages, text: d.sheet.Text}
	for _, spec := range d.versions {
		e := d.edition(spec.entry)
		e.check()
		p.versions = append(p.versions, e.Version)
	}
	return p
}

// edition is one version with the places of its entries.
type edition struct {
	Version
	documents  []*strict.Document
	agencies   []placed[Agency]
	processes  []placed[Process]
	groups     []placed[Group]
	settings   []placed[Setting]
	items      []placed[Item]
	rules      []placed[Rule]
	gates      []placed[Gate]
	procedures []placed[Procedure]
	financing  []placed[Financing]
	rates      []placed[Rate]
	types      map[handover.Code]factType
}

func (d *draft) edition(s versionSpec) *edition {
	e := &edition{
		documents: d.documents,
		agencies:  in(d.agencies, s.Name), processes: in(d.processes, s.Name), groups: in(d.groups, s.Name), settings: in(d.settings, s.Name),
		items: in(d.items, s.Name), rules: in(d.rules, s.Name), gates: in(d.gates, s.Name),
		procedures: in(d.procedures, s.Name), financing: in(d.financing, s.Name), rates: d.rates,
	}
	for i, g := range e.groups {
		e.groups[i].entry.Directions = slices.DeleteFunc(slices.Clone(g.entry.Directions), func(x Direction) bool { return !x.holds(s.Name) })
	}
	e.Version = Version{
		ID: d.sheet.Name + "/" + s.Name, Name: s.Name, Currency: d.sheet.Currency, Languages: d.sheet.Languages, ValidFrom: s.ValidFrom, ValidTo: s.ValidTo,
		Source: s.Source, Text: s.Text, Agencies: bare(e.agencies), Processes: bare(e.processes), Groups: bare(e.groups), Settings: bare(e.settings),
		Items: bare(e.items), Rules: bare(e.rules), Gates: bare(e.gates), Deadlines: bare(in(d.deadlines, s.Name)),
		Procedures: bare(e.procedures), Financing: bare(e.financing), Rates: bare(d.rates),
		States: bare(d.states), Messages: bare(d.messages), phrases: bare(d.phrases),
	}
	for _, l := range d.lists {
		list := l.entry
		list.Codes = slices.DeleteFunc(slices.Clone(list.Codes), func(c Entry) bool { return !c.holds(s.Name) })
		e.Lists = append(e.Lists, list)
	}
	return e
}
