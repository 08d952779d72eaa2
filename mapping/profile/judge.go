package profile

import (
	"maps"
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
		if t, applies, missing := r.judged(f); applies {
			out = append(out, v.ruling(r, t, missing))
		}
	}
	return out
}

// judged returns what is known of a rule, whether it has a say, and the facts that would settle it. Whether a rule has a say need not be known when it holds anyway.
func (r Rule) judged(f facts) (t truth, applies bool, missing []handover.Code) {
	says, unclear := r.Applies.eval(f)
	if says == no {
		return yes, false, nil
	}
	t, missing = r.condition().eval(f)
	if t != yes && says == unknown {
		t, missing = unknown, union(unclear, missing)
	}
	return t, true, missing
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

// Questions returns the items whose answer matters for this application, in the order of the profile: what a form has to ask, and nothing more (P14). An item that has been answered
// is among them as long as it would be asked for without its answer; answers to others may rule it out.
func (v Version) Questions(a Application) []Item {
	f := v.facts(a)
	rules := v.rules(a.Form.TargetGroup)
	return slices.DeleteFunc(slices.Clone(v.Items), func(i Item) bool {
		without := maps.Clone(f)
		delete(without, i.Code)
		return !slices.ContainsFunc(rules, func(r Rule) bool {
			_, _, missing := r.judged(without)
			return slices.Contains(missing, i.Code)
		})
	})
}

// Check finds codes of an application that the version does not know: process, target group, kind of consent, language, items and answers. The error is of
// kind Park with all findings; it names paths of the message, never values.
func (v Version) Check(m handover.ApplicationSubmitted) error {
	var fs fault.Findings
	for _, c := range []codeAt{
		{"process", listProcess, m.Process}, {"targetGroup", listGroup, m.TargetGroup}, {"consent.kind", listConsent, m.Consent.Kind}, {"person.language", listLanguage, m.Person.Language},
	} {
		if !v.Knows(c.list, c.code) && (c.code != "" || c.list != listLanguage) { // the language may be left out
			fs.Add(c.path, "unknown-code", "the code is not in the profile's list "+c.list, correctCode)
		}
	}
	for i, d := range m.Declarations {
		item, known := v.Item(d.Item)
		switch path := index("declarations", i); {
		case !known:
			fs.Add(path+".item", "unknown-code", "the profile does not ask for this item", correctCode)
		case !item.answeredBy(d):
			fs.Add(path, "unknown-answer", "this is not an answer that the profile knows for the item", correctCode)
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

// The phrases with which the gateway answers an application for a reason that is no rule of the profile.
const (
	PhraseNotServed    = "not-served"     // nobody serves the person's residence
	PhraseNotListed    = "not-listed"     // the receiving organisation is not known
	PhraseLeaveOut     = "leave-out"      // what to do then
	PhraseOneself      = "oneself"        // who applies is responsible itself
	PhraseOneselfHint  = "oneself-hint"   // what to do then
	PhraseAsk          = "ask"            // before whom to ask
	PhraseSameCase     = "same-case"      // the application stands already
	PhraseSameCaseHint = "same-case-hint" // before its case and system
	PhraseCleared      = "cleared"        // what was said about an earlier wording of the application no longer holds
	PhraseRepeated     = "repeated"       // before the remark of an entry that a person had sent once more and that may stand already
)

// phrases lists those that every profile has.
func phrases() []string {
	return []string{
		phraseFillIn, phraseGroup, PhraseNotServed, PhraseNotListed, PhraseLeaveOut, PhraseOneself, PhraseOneselfHint, PhraseAsk, PhraseSameCase, PhraseSameCaseHint,
		PhraseCleared, PhraseRepeated,
	}
}

// Phrase returns a phrase in the profile's first language.
func (v Version) Phrase(name string) string { return v.phrase(name).In(v.Languages...) }
