package profile

import (
	"slices"
	"strings"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
)

// Status is what came out of a rule.
type Status string

const (
	// Satisfied: the rule holds, or its judgement was confirmed.
	Satisfied Status = "satisfied"
	// Refused: it does not hold, and the application must not go out.
	Refused Status = "refused"
	// Warned: it does not hold, which both sides should know.
	Warned Status = "warned"
	// NotAnswered: the form lacks an answer that the rule needs.
	NotAnswered Status = "not-answered"
)

// Ruling is what one rule says about an application. It holds no personal data.
type Ruling struct {
	Rule     string          `json:"rule"`
	Status   Status          `json:"status"`
	Severity handover.Code   `json:"severity"`
	Kind     handover.Code   `json:"kind"`
	Source   string          `json:"source"`
	Reason   handover.Code   `json:"reason,omitzero"` // for a rejection
	Text     Text            `json:"text"`
	Hint     Text            `json:"hint,omitzero"`    // what to do; not of a satisfied rule
	Missing  []handover.Code `json:"missing,omitzero"` // items to answer
}

// Blocks reports whether the application must not go out because of this ruling.
func (r Ruling) Blocks() bool {
	return r.Severity == Refuse && (r.Status == Refused || r.Status == NotAnswered)
}

// Admissible reports whether nothing blocks. The receiving agency may still say no.
func Admissible(rulings []Ruling) bool { return !slices.ContainsFunc(rulings, Ruling.Blocks) }

// Judge returns the ruling of every rule that has a say, in the order of the profile, and last that of the target group's definition. It is pure and
// works for incomplete applications too. Codes that the version does not know are never satisfied; [Version.Check] names them.
func (v Version) Judge(a Application) []Ruling {
	f := v.facts(a)
	var out []Ruling
	for _, r := range v.rules(a.Form.TargetGroup) {
		applies, unclear := r.Applies.eval(f)
		if applies == no {
			continue
		}
		t, missing := r.condition().eval(f)
		if t != yes && applies == unknown {
			t, missing = unknown, union(unclear, missing)
		}
		out = append(out, v.ruling(r, t, missing))
	}
	return out
}

// rules returns the version's rules, and the definition of one target group as one more.
func (v Version) rules(group handover.Code) []Rule {
	rules := slices.Clone(v.Rules)
	for _, g := range v.Groups {
		if g.Code == group {
			rules = append(rules, v.definition(g))
		}
	}
	return rules
}

// definition is a target group's definition as a rule.
func (v Version) definition(g Group) Rule {
	return Rule{
		ID: "GROUP-" + string(g.Code), Source: g.Source, Kind: Checkable, Severity: Refuse, Reason: other, When: g.Definition, Text: g.Text, Hint: v.phrase(phraseGroup),
	}
}

// condition is what must hold.
func (r Rule) condition() Condition {
	if r.Confirm != "" {
		return Condition{Fact: r.Confirm, Is: Confirmed}
	}
	return r.When
}

func (v Version) ruling(r Rule, t truth, missing []handover.Code) Ruling {
	out := Ruling{Rule: r.ID, Status: Satisfied, Severity: r.Severity, Kind: r.Kind, Source: r.Source, Text: r.Text}
	switch {
	case t == yes:
		return out
	case t == unknown:
		out.Status, out.Missing, out.Hint = NotAnswered, missing, v.ask(missing)
	case r.Severity == Warn:
		out.Status, out.Hint = Warned, r.Hint
	default:
		out.Status, out.Hint = Refused, r.Hint
	}
	out.Reason = r.Reason
	return out
}

// ask tells in every language which answers are missing.
func (v Version) ask(missing []handover.Code) Text {
	hint := Text{}
	for _, language := range v.Languages {
		var asked []string
		for _, c := range missing {
			if item, known := v.Item(c); known {
				asked = append(asked, item.Text.In(language)+" ("+string(c)+")")
			} else {
				asked = append(asked, string(c)) // a field of the form itself, which no valid application lacks
			}
		}
		hint[language] = v.phrase(phraseFillIn).In(language) + " " + strings.Join(asked, "; ")
	}
	return hint
}

// Questions returns the items that the rules and the target group look at for this application, in the order of the profile: what a form has to
// ask, and nothing more (P14). Answers already given may rule out further questions.
func (v Version) Questions(a Application) []Item {
	f := v.facts(a)
	var read []handover.Code
	for _, r := range v.rules(a.Form.TargetGroup) {
		applies, _ := r.Applies.eval(f)
		if applies == no {
			continue
		}
		if applies == unknown {
			read = union(read, r.Applies.reads())
		}
		read = union(read, r.condition().reads())
	}
	return slices.DeleteFunc(slices.Clone(v.Items), func(i Item) bool { return !slices.Contains(read, i.Code) })
}

// Check finds codes of an application that the version does not know: process, target group, kind of consent, items and answers. The error is of
// kind Park with all findings; it names paths of the message, never values.
func (v Version) Check(m handover.ApplicationSubmitted) error {
	var fs fault.Findings
	next := "correct it where it was entered, or add it to the profile"
	for _, c := range []struct {
		path, list string
		code       handover.Code
	}{{"process", listProcess, m.Process}, {"targetGroup", listGroup, m.TargetGroup}, {"consent.kind", listConsent, m.Consent.Kind}} {
		if !v.Knows(c.list, c.code) {
			fs.Add(c.path, "unknown-code", "the code is not in the profile's list "+c.list, next)
		}
	}
	for i, d := range m.Declarations {
		item, known := v.Item(d.Item)
		switch path := index("declarations", i); {
		case !known:
			fs.Add(path+".item", "unknown-code", "the profile does not ask for this item", next)
		case !item.answeredBy(d):
			fs.Add(path, "unknown-answer", "this is not an answer that the profile knows for the item", next)
		}
	}
	if len(fs) == 0 {
		return nil
	}
	return fault.New(fault.Park, "profile.check", "unknown-code", "the application holds codes that "+v.ID+" does not know").Because(fs)
}

func (v Version) phrase(name string) Text { return label(v.phrases, name) }

// The phrases that the program puts together hints from, and the reason that every list of rejections has.
const (
	phraseFillIn               = "fill-in"
	phraseGroup                = "check-group"
	other        handover.Code = "OTHER"
)
