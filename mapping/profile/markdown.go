package profile

import (
	"fmt"
	"slices"
	"strings"

	"github.com/einmal-hub/einmal/contracts/handover"
)

// Markdown returns a page for people in the language, with what holds in each version: directions, legal gates, rules, deadlines, rates and what the form asks. It
// is made from the data alone.
func (p *Profile) Markdown(language string) string {
	var b page
	b.line("# %s", p.text.In(language))
	b.line("")
	b.line("Made from the files in this folder; do not edit. A rule that differs between versions stands in each of them.")
	for _, v := range p.versions {
		b.version(v, language)
	}
	return b.String()
}

type page struct{ strings.Builder }

func (b *page) line(format string, args ...any) { fmt.Fprintf(b, format+"\n", args...) }

// table starts a table.
func (b *page) table(title string, columns ...string) {
	b.line("\n### %s\n", title)
	b.row(columns...)
	b.line("|%s", strings.Repeat("---|", len(columns)))
}

func (b *page) row(cells ...string) {
	for i, c := range cells {
		cells[i] = strings.ReplaceAll(strings.ReplaceAll(c, "|", "\\|"), "\n", " ")
	}
	b.line("| %s |", strings.Join(cells, " | "))
}

func (b *page) version(v Version, language string) {
	until := "open"
	if v.ValidTo != "" {
		until = string(v.ValidTo)
	}
	b.line("\n## %s: %s\n\n%s to %s, source: %s", v.ID, v.Text.In(language), v.ValidFrom, until, v.Source)
	b.table("Target groups", "Group", "Who", "Directions", "Holds when", "Source")
	for _, g := range v.Groups {
		var directions []string
		for _, d := range g.Directions {
			directions = append(directions, fmt.Sprintf("%s to %s (%s; %s)", d.From, d.To, d.Process, d.Precondition))
		}
		b.row(string(g.Code), g.Text.In(language), strings.Join(directions, "<br>"), g.Definition.String(), g.Source)
	}
	b.table("Legal gates", "Between", "Ground", "In words", "Source")
	for _, g := range v.Gates {
		b.row(join(g.Between, " and "), join(g.Ground, " or "), g.Text.In(language), g.Source)
	}
	b.settings(v, language)
	b.procedures(v, language)
	b.financing(v, language)
	b.rules(v, language)
	b.times(v, language)
	b.table("What the form asks", "Item", "Question", "Answer")
	for _, i := range v.Items {
		b.row(string(i.Code), i.Text.In(language), i.form())
	}
}

func (b *page) settings(v Version, language string) {
	if len(v.Settings) == 0 {
		return
	}
	b.table("Settings", "Setting", "Value", "In words", "Source")
	for _, s := range v.Settings {
		b.row(string(s.Fact), string(s.Value), s.Text.In(language), s.Source)
	}
}

func (b *page) procedures(v Version, language string) {
	b.table("Procedure of the assigning agency", "Assigning", "Process", "Meanwhile", "Keeps", "Stops", "Afterwards", "Source")
	texts := func(list []Text) string {
		var words []string
		for _, t := range list {
			words = append(words, t.In(language))
		}
		return strings.Join(words, "<br>")
	}
	for _, p := range v.Procedures {
		b.row(string(p.Assigning), string(p.Process), string(p.Meanwhile), texts(p.Keeps), texts(p.Stops), string(p.Afterwards)+": "+p.Then.In(language), p.Source)
	}
}

func (b *page) financing(v Version, language string) {
	b.table("Who pays for a measure (the first that holds)", "Financer", "When", "In words", "Source")
	for _, x := range v.Financing {
		when := "otherwise"
		if !x.When.zero() {
			when = x.When.String()
		}
		b.row(string(x.Agency), when, x.Text.In(language), x.Source)
	}
}

func (b *page) rules(v Version, language string) {
	b.table("Rules of admission", "Rule", "Demands", "Applies when", "Holds when", "Otherwise", "Reason", "Hint", "Source")
	for _, r := range v.Rules {
		holds := r.When.String()
		if r.Kind == Judgement {
			holds = "a person confirms " + string(r.Confirm)
		}
		b.row(r.ID, r.Text.In(language), r.Applies.String(), holds, string(r.Severity), string(r.Reason), r.Hint.In(language), r.Source)
	}
}

func (b *page) times(v Version, language string) {
	b.table("Deadlines", "Deadline", "What", "Time", "Counted from", "Beyond", "Source")
	for _, d := range v.Deadlines {
		b.row(string(d.Code), d.Text.In(language), fmt.Sprintf("%d %s", d.Count, d.Unit), d.Start.In(language), string(d.Beyond), d.Source)
	}
	if len(v.Rates) == 0 {
		return
	}
	b.table("Flat rates for a month of case leadership", "Led by", "Amount", "From", "To", "Only when", "Source")
	for _, r := range v.Rates {
		if (v.ValidTo == "" || r.ValidFrom <= v.ValidTo) && (r.ValidTo == "" || r.ValidTo >= v.ValidFrom) {
			b.row(string(r.Agency), fmt.Sprintf("%d.%02d %s", r.AmountCents/100, r.AmountCents%100, v.Currency), string(r.ValidFrom), string(r.ValidTo), r.Billable.String(), r.Source)
		}
	}
}

// form says how an item is answered.
func (i Item) form() string {
	switch {
	case i.Date:
		return "a day"
	case i.Number != nil:
		return fmt.Sprintf("%d to %d %s", i.Number.Least, i.Number.Most, i.Number.Unit)
	default:
		return join(i.Answers, ", ")
	}
}

// String returns the condition in words; "always" for none.
func (c Condition) String() string {
	switch {
	case c.zero():
		return "always"
	case c.All != nil:
		return list(c.All, " and ")
	case c.Any != nil:
		return list(c.Any, " or ")
	case c.Not != nil:
		return "not " + c.Not.bracketed()
	case c.Is != "":
		return fmt.Sprintf("%s is %s", c.Fact, c.Is)
	case c.In != nil:
		return fmt.Sprintf("%s is one of %s", c.Fact, join(c.In, ", "))
	case c.Has != "":
		return fmt.Sprintf("%s has %s", c.Fact, c.Has)
	case c.AtLeast != nil:
		return fmt.Sprintf("%s is at least %d", c.Fact, *c.AtLeast)
	case c.AtMost != nil:
		return fmt.Sprintf("%s is at most %d", c.Fact, *c.AtMost)
	case c.Before != nil:
		return fmt.Sprintf("%s is before %s", c.Fact, c.Before)
	default:
		return fmt.Sprintf("%s is after %s", c.Fact, c.After)
	}
}

// String returns the day in words.
func (d *Day) String() string {
	at := string(d.Date) + string(d.Fact)
	switch {
	case d.Months < 0:
		return fmt.Sprintf("%s less %d months", at, -d.Months)
	case d.Months > 0:
		return fmt.Sprintf("%s and %d months", at, d.Months)
	}
	return at
}

func list(parts []Condition, word string) string {
	var words []string
	for _, p := range parts {
		words = append(words, p.bracketed())
	}
	return strings.Join(words, word)
}

// bracketed puts brackets around what has parts of its own.
func (c Condition) bracketed() string {
	if len(c.All)+len(c.Any) > 1 {
		return "(" + c.String() + ")"
	}
	return c.String()
}

func join(codes []handover.Code, by string) string {
	var words []string
	for _, c := range slices.Clone(codes) {
		words = append(words, string(c))
	}
	return strings.Join(words, by)
}
