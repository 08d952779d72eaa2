package profile

import (
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/strict"
)

func (d *draft) checkHead() {
	if len(d.head) != 1 {
		doc := d.documents[0]
		if len(d.head) > 1 {
			doc = d.head[1].doc
		}
		doc.Report("", "head", "profile, text, languages and currency stand in exactly one file", "")
		return
	}
	h := d.head[0]
	if !regexp.MustCompile(`^[a-z][a-z0-9-]{0,35}$`).MatchString(d.sheet.Name) {
		h.report("", "missing", "the profile has no name in lower-case letters", "name it as its folder")
	}
	if len(d.sheet.Languages) == 0 || !slices.Contains(d.sheet.Languages, "en") {
		h.doc.Report("languages", "missing", "the languages of all texts are missing, or English is not among them", "write languages: [de, en]")
	}
	if !regexp.MustCompile(`^[A-Z]{3}$`).MatchString(d.sheet.Currency) {
		h.doc.Report("currency", "missing", "the currency is missing or no ISO 4217 code", "write currency: CHF")
	}
	d.texts(h.doc, "", reflect.ValueOf(struct{ Text Text }{d.sheet.Text}))
}

// checkVersions demands that versions follow each other without gap and overlap, so that every day since the first has its rules.
func (d *draft) checkVersions() {
	if len(d.versions) == 0 {
		d.documents[0].Report("versions", "missing", "the profile has no version", "")
	}
	for i, v := range d.versions {
		switch {
		case !regexp.MustCompile(`^[a-z][a-z0-9-]{0,35}$`).MatchString(v.entry.Name):
			v.report("", "missing", "the version has no name in lower-case letters", "")
		case v.entry.ValidFrom == "", v.entry.ValidTo != "" && v.entry.ValidTo < v.entry.ValidFrom:
			v.report("", "dates", "the version has no first day, or ends before it begins", "")
		case v.entry.ValidTo == "" && i < len(d.versions)-1:
			v.report("", "dates", "only the last version may be open", "add validTo")
		case i > 0 && v.entry.ValidFrom != nextDay(d.versions[i-1].entry.ValidTo):
			v.report("", "dates", "the version does not begin on the day after the one before it", "correct validFrom here or validTo there")
		}
	}
}

func nextDay(day handover.Date) handover.Date {
	due, err := Deadline{Count: 1, Unit: CalendarDays}.Due(day)
	if err != nil {
		return ""
	}
	return due
}

// checkTexts demands every text in every language.
func (d *draft) checkTexts() {
	all(d, d.versions)
	all(d, d.agencies)
	all(d, d.processes)
	all(d, d.groups)
	all(d, d.settings)
	all(d, d.items)
	all(d, d.rules)
	all(d, d.gates)
	all(d, d.deadlines)
	all(d, d.procedures)
	all(d, d.financing)
	all(d, d.rates)
	all(d, d.lists)
	all(d, d.states)
	all(d, d.messages)
	all(d, d.phrases)
}

func all[T any](d *draft, list []placed[T]) {
	for _, p := range list {
		d.texts(p.doc, p.path, reflect.ValueOf(p.entry))
	}
}

// texts looks for texts in a value, at any depth.
func (d *draft) texts(doc *strict.Document, path string, v reflect.Value) {
	switch {
	case v.Type() == reflect.TypeFor[Condition]():
	case v.Type() == reflect.TypeFor[Text]():
		d.text(doc, path, v.Interface().(Text))
	case v.Kind() == reflect.Slice:
		for i := range v.Len() {
			d.texts(doc, index(path, i), v.Index(i))
		}
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("yaml"), ",")
			d.texts(doc, strings.Trim(path+"."+name, "."), v.Field(i))
		}
	}
}

func (d *draft) text(doc *strict.Document, path string, t Text) {
	for _, language := range d.sheet.Languages {
		if strings.TrimSpace(t[language]) == "" {
			doc.Report(path, "text", "the text is missing in the language "+language, "every text stands in every language of the profile")
		}
	}
	for language := range t {
		if !slices.Contains(d.sheet.Languages, language) {
			doc.Report(path, "text", "the text stands in a language that is not among the profile's", "")
		}
	}
}

// checkScopes demands that entries are limited to versions that exist.
func (d *draft) checkScopes() {
	scopes(d, d.agencies, func(e Agency) Scope { return e.Scope })
	scopes(d, d.processes, func(e Process) Scope { return e.Scope })
	scopes(d, d.groups, func(e Group) Scope { return e.Scope })
	scopes(d, d.settings, func(e Setting) Scope { return e.Scope })
	scopes(d, d.items, func(e Item) Scope { return e.Scope })
	scopes(d, d.rules, func(e Rule) Scope { return e.Scope })
	scopes(d, d.gates, func(e Gate) Scope { return e.Scope })
	scopes(d, d.deadlines, func(e Deadline) Scope { return e.Scope })
	scopes(d, d.procedures, func(e Procedure) Scope { return e.Scope })
	scopes(d, d.financing, func(e Financing) Scope { return e.Scope })
	for _, g := range d.groups {
		for i, direction := range g.entry.Directions {
			d.scope(g.doc, g.path+"."+index("directions", i), direction.Scope)
		}
	}
	for _, l := range d.lists {
		for i, c := range l.entry.Codes {
			d.scope(l.doc, l.path+"."+index("codes", i), c.Scope)
		}
	}
}

func scopes[T any](d *draft, list []placed[T], of func(T) Scope) {
	for _, p := range list {
		d.scope(p.doc, p.path, of(p.entry))
	}
}

func (d *draft) scope(doc *strict.Document, path string, s Scope) {
	for _, name := range s.In {
		if !slices.ContainsFunc(d.versions, func(v placed[versionSpec]) bool { return v.entry.Name == name }) {
			doc.Report(path, "unknown-version", "the profile has no such version", "")
		}
	}
}

// checkOnce checks what holds in all versions alike: the words for states, messages and phrases, and the dates of rates.
func (d *draft) checkOnce() {
	var states, messages []string
	for _, t := range handover.Transitions() {
		for _, s := range []handover.State{t.From, t.To} {
			if s == handover.NoCase {
				s = noCase
			}
			states = append(states, string(s))
		}
	}
	for _, p := range handover.Catalogue() {
		messages = append(messages, string(p.Name()))
	}
	d.labels("states", d.states, states)
	d.labels("messages", d.messages, messages)
	d.labels("phrases", d.phrases, phrases())
	unique(d.lists, func(l List) string { return l.Name }, "list")
	for i, r := range d.rates {
		if r.entry.ValidFrom == "" || r.entry.AmountCents <= 0 || r.entry.ValidTo != "" && r.entry.ValidTo < r.entry.ValidFrom {
			r.report("", "rate", "the rate has no first day, no amount, or ends before it begins", "")
		}
		for _, s := range d.rates[:i] {
			if s.entry.Agency == r.entry.Agency && overlap(r.entry, s.entry) {
				r.report("", "rate", "another rate for the same agency type holds at the same time", "end one on the day before the other begins")
			}
		}
	}
}

func overlap(a, b Rate) bool {
	return (b.ValidTo == "" || a.ValidFrom <= b.ValidTo) && (a.ValidTo == "" || b.ValidFrom <= a.ValidTo)
}

// labels demands words for exactly the names that the program knows.
func (d *draft) labels(section string, list []placed[Label], names []string) {
	unique(list, func(l Label) string { return l.Name }, "name")
	for _, l := range list {
		if !slices.Contains(names, l.entry.Name) {
			l.report("", "unknown-name", "the program knows no such name", "")
		}
	}
	for _, n := range names {
		if !slices.ContainsFunc(list, func(l placed[Label]) bool { return l.entry.Name == n }) {
			d.documents[0].Report(section, "missing", "the words for "+n+" are missing", "add them")
		}
	}
}

// unique demands that keys are there and stand once.
func unique[T any](list []placed[T], key func(T) string, what string) {
	seen := map[string]bool{}
	for _, p := range list {
		k := key(p.entry)
		switch {
		case k == "":
			p.report("", "missing", "the "+what+" is missing", "")
		case seen[k]:
			p.report("", "repeated", "the same "+what+" stands twice in one version", "limit the entries to different versions, or remove one")
		}
		seen[k] = true
	}
}
