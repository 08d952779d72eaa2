package profile

import (
	"slices"
	"strings"

	"github.com/einmal-hub/einmal/contracts/handover"
)

// check holds the entries of one version against each other.
func (e *edition) check() {
	unique(e.agencies, func(x Agency) string { return codeKey(x.Code) }, "agency type")
	unique(e.processes, func(x Process) string { return codeKey(x.Code) }, "process")
	unique(e.groups, func(x Group) string { return codeKey(x.Code) }, "target group")
	unique(e.settings, func(x Setting) string { return codeKey(x.Fact) }, "setting")
	unique(e.items, func(x Item) string { return codeKey(x.Code) }, "item")
	unique(e.rules, func(x Rule) string { return x.ID }, "rule")
	e.collectTypes()
	for _, p := range e.processes {
		need(p, ".receiver", e.Knows(listAgency, p.entry.Receiver), "unknown-code", "the receiver is no agency type")
		need(p, ".source", p.entry.Source != "", "missing", "the source is missing")
	}
	for _, g := range e.groups {
		e.group(g)
	}
	for _, r := range e.rules {
		e.rule(r)
	}
	for _, g := range e.gates {
		e.gate(g)
	}
	for _, r := range e.rates {
		need(r, ".rate", e.Knows(listAgency, r.entry.Agency), "unknown-code", "there is no such agency type")
		conditions(e, r, ".billable", r.entry.Billable)
	}
	e.checkDeadlines()
	e.checkProcedures()
	e.checkFinancing()
	e.checkAnswers()
	e.checkUse()
	e.checkLists()
}

// codeKey makes a malformed code look missing.
func codeKey(c handover.Code) string {
	if len(c) > 40 || strings.Trim(string(c), "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") != "" {
		return ""
	}
	return string(c)
}

// need reports a finding unless ok.
func need[T any](p placed[T], path string, ok bool, code, text string) {
	if !ok {
		p.report(path, code, text, "")
	}
}

// collectTypes lists every fact that conditions may look at.
func (e *edition) collectTypes() {
	e.types = builtin()
	for _, s := range e.settings {
		e.declare(s.entry.Fact, factType{kind: codeFact}, func() { s.report("", "repeated", "the fact exists already", "choose another name") })
		need(s, ".value", s.entry.Value != "" && s.entry.Source != "", "missing", "a setting has a value and a source")
	}
	for _, i := range e.items {
		t, forms := factType{kind: codeFact, codes: i.entry.Answers}, 0
		for _, there := range []bool{len(i.entry.Answers) > 0, i.entry.Number != nil, i.entry.Date} {
			if there {
				forms++
			}
		}
		need(i, "", forms == 1, "item-form", "an item has exactly one of answers, number and date")
		if n := i.entry.Number; n != nil {
			t = factType{kind: numberFact}
			units := []handover.Code{"PERCENT", "MONTHS", "DAYS", "COUNT"}
			need(i, ".number", slices.Contains(units, n.Unit) && n.Least >= 0 && n.Least < n.Most && n.Most < 1_000_000, "item-form",
				"a number is counted in PERCENT, MONTHS, DAYS or COUNT, and lies between 0 and 999999")
		}
		if i.entry.Date {
			t = factType{kind: dateFact}
		}
		for _, a := range i.entry.Answers {
			need(i, ".answers", e.Knows(listAnswer, a), "unknown-code", "the answer is not in the code list "+listAnswer)
		}
		e.declare(i.entry.Code, t, func() { i.report("", "repeated", "the fact exists already", "choose another name") })
	}
}

func (e *edition) declare(fact handover.Code, t factType, clash func()) {
	if _, there := builtin()[fact]; there {
		clash()
	} else if was, there := e.types[fact]; there && was.kind != t.kind {
		clash()
	}
	e.types[fact] = t
}

func (e *edition) group(g placed[Group]) {
	need(g, ".source", g.entry.Source != "", "missing", "the source is missing")
	need(g, ".directions", len(g.entry.Directions) > 0, "missing", "the target group allows no direction in the version "+e.Name)
	conditions(e, g, ".definition", g.entry.Definition)
	for _, d := range g.entry.Directions {
		i := slices.IndexFunc(e.Processes, func(p Process) bool { return p.Code == d.Process })
		need(g, ".directions", i >= 0 && e.Processes[i].Receiver == d.To && e.Knows(listAgency, d.From), "direction",
			"a direction names two agency types and the process of the one that receives")
		need(g, ".directions", e.Gate(d.From, d.To) != nil, "no-gate", "there is no legal gate for a direction")
	}
}

func (e *edition) rule(r placed[Rule]) {
	x := r.entry
	need(r, ".source", x.Source != "", "missing", "the source is missing")
	need(r, ".severity", x.Severity == Refuse || x.Severity == Warn, "unknown-value", "the severity is refuse or warn")
	need(r, ".reason", e.Knows(listRejection, x.Reason), "unknown-code", "the reason is not in the code list "+listRejection)
	conditions(e, r, ".applies", x.Applies)
	switch x.Kind {
	case Checkable:
		need(r, ".when", !x.When.zero() && x.Confirm == "", "rule-form", "a checkable rule has when, and no confirm")
		conditions(e, r, ".when", x.When)
	case Judgement:
		item, known := e.Item(x.Confirm)
		need(r, ".confirm", x.When.zero() && known && slices.Contains(item.Answers, Confirmed), "rule-form",
			"a judgement has no when, and confirm names an item that may be answered with CONFIRMED")
	default:
		need(r, ".kind", false, "unknown-value", "the kind is checkable or judgement")
	}
}

func (e *edition) gate(g placed[Gate]) {
	need(g, ".source", g.entry.Source != "", "missing", "the source is missing")
	ok := len(g.entry.Between) == 2
	for _, a := range g.entry.Between {
		ok = ok && e.Knows(listAgency, a)
	}
	need(g, ".between", ok, "unknown-code", "a gate stands between two agency types")
	for _, c := range g.entry.Ground {
		need(g, ".ground", e.Knows(listConsent, c), "unknown-code", "the ground is not in the code list "+listConsent)
	}
	need(g, ".ground", len(g.entry.Ground) > 0, "missing", "the gate has no ground")
	same := 0
	for _, h := range e.gates {
		if ok && h.entry.joins(g.entry.Between[0], g.entry.Between[1]) {
			same++
		}
	}
	need(g, "", same < 2, "repeated", "there is another gate between the same agency types")
}

func (e *edition) checkDeadlines() {
	seen := map[handover.Code]bool{}
	for _, d := range e.Deadlines {
		ok := codeKey(d.Code) != "" && !seen[d.Code] && d.Count >= 0 && d.Source != "" &&
			slices.Contains([]handover.Code{CalendarDays, WorkingDays, Months}, d.Unit) && slices.Contains([]handover.Code{BeyondRemind, BeyondReason}, d.Beyond)
		if !ok {
			e.anywhere("deadlines", "deadline", "a deadline has a code that stands once, count, unit, beyond and source")
		}
		seen[d.Code] = true
	}
}

// checkUse demands that everything that a person is asked for is needed (P9, P14).
func (e *edition) checkUse() {
	var read []handover.Code
	for _, r := range e.Rules {
		read = union(union(read, r.Applies.reads()), r.condition().reads())
	}
	for _, g := range e.Groups {
		read = union(read, g.Definition.reads())
	}
	for _, i := range e.items {
		need(i, "", slices.Contains(read, i.entry.Code), "unused", "no rule and no target group looks at the item in the version "+e.Name)
	}
}

// checkLists demands the lists that the program knows by name, and unique codes.
func (e *edition) checkLists() {
	for _, name := range []string{
		listAnswer, listConsent, listRejection, listCapability, listSex, listProcedure, listDecision, listWithdrawal, listCostRefusal, listClosure, listOutcome, listPart, listLanguage,
	} {
		if e.Codes(name) == nil {
			e.anywhere("lists", "missing", "the code list "+name+" is missing")
		}
	}
	if !e.Knows(listRejection, other) {
		e.anywhere("lists", "missing", "the code list "+listRejection+" has no code OTHER")
	}
	if !e.Knows(listDecision, handover.Accepted) || !e.Knows(listDecision, handover.Rejected) {
		e.anywhere("lists", "missing", "the code list "+listDecision+" has no ACCEPTED or no REJECTED")
	}
	for _, l := range e.Lists {
		seen := map[handover.Code]bool{}
		for _, c := range l.Codes {
			if seen[c.Code] || codeKey(c.Code) == "" {
				e.anywhere("lists", "repeated", "the code list "+l.Name+" has a malformed code, or one twice")
			}
			seen[c.Code] = true
		}
	}
}

// anywhere reports what has no entry of its own to stand at, in the file that has the section.
func (e *edition) anywhere(section, code, text string) {
	at := e.documents[0]
	for _, d := range e.documents {
		if d.Line(section) > 1 {
			at = d
		}
	}
	at.Report(section, code, text, "")
}
