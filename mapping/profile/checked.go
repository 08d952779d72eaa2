package profile

import (
	"errors"
	"slices"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/personal"
)

// Checked turns rulings on an application into the answer that goes back to who applied: what refuses it, what it leaves open, and what it is warned of, in one
// of the profile's languages; another language, or none, stands for the first. It reports false when every rule holds, because then there is nothing to say. Whatever it returns
// for rulings of this version is within the limits of the message: that was checked when the profile was loaded.
func (v Version) Checked(a Application, rulings []Ruling, language string) (handover.ApplicationChecked, bool) {
	if !slices.Contains(v.Languages, language) && len(v.Languages) > 0 {
		language = v.Languages[0]
	}
	m := handover.ApplicationChecked{Outcome: handover.Forward, Profile: v.ID, Remark: a.Form.Remark}
	for _, r := range rulings {
		if r.Status == Satisfied {
			continue
		}
		f := handover.RuleFinding{
			Rule: r.Rule, Severity: handover.SeverityWarn, Reason: r.Reason, Source: r.Source, Text: personal.Text(r.Text.In(language)), Hint: personal.Text(r.Hint.In(language)),
		}
		if r.Blocks() {
			f.Severity, m.Outcome = handover.SeverityRefuse, handover.Returned
		}
		m.Findings = append(m.Findings, f)
	}
	return m, len(m.Findings) > 0
}

// checkAnswers demands that everything that the rules can say fits into the answer to an application: each ruling when it does not hold, and when it asks for every
// item that it looks at, in every language; and all of them together.
func (e *edition) checkAnswers() {
	for _, language := range e.Languages {
		for _, r := range e.rules {
			if text := e.tooMuch(r.entry, language); text != "" {
				r.report("", "answer", "what the rule says in the language "+language+" does not fit into the answer to an application: "+text, "make it shorter")
			}
		}
		for _, g := range e.groups {
			if text := e.tooMuch(e.definition(g.entry), language); text != "" {
				g.report("", "answer", "what the target group says in the language "+language+" does not fit into the answer to an application: "+text, "make it shorter")
			}
		}
	}
	const most = 60 // findings of handover.ApplicationChecked
	if len(e.Rules)+1 > most {
		e.anywhere("rules", "answer", "there are more rules in the version "+e.Name+" than the answer to an application holds")
	}
}

// tooMuch returns why what a rule may say is not within the limits of the message, or "".
func (e *edition) tooMuch(r Rule, language string) string {
	asked := union(r.Applies.reads(), r.condition().reads())
	for _, ruling := range []Ruling{e.ruling(r, no, nil), e.ruling(r, unknown, asked)} {
		answer, _ := e.Checked(Application{}, []Ruling{ruling}, language)
		var found fault.Findings
		if errors.As(answer.Validate(), &found) {
			return found[0].Path + ": " + found[0].Text
		}
	}
	return ""
}
