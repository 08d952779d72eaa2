package sim

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/contracts/personal"
)

// patience is how long a clerk waits for the other side before she gives a case up.
const patience = 10 * time.Minute

// dialogue is one case: two organisations, and what their clerks enter.
type dialogue struct {
	w                    *world
	n                    int
	assigning, receiving handover.OrganisationID
	said                 int
	opening              string // the last wording of the application
}

// words makes what a clerk says, with a remark.
type words func(remark string) handover.Payload

// play enters a case: application, decision, note, and then what both sides have to say, without waiting for each other.
func (d *dialogue) play() {
	c := d.w.dice.draw("case", strconv.Itoa(d.n))
	if !d.w.rest(c.between(time.Millisecond, 20*time.Second)) {
		return
	}
	if !d.apply(c) || !d.stands(d.opening, d.receiving) {
		return
	}
	if c.is(d.w.plan.wrongs) {
		d.wrong(c)
	}
	if !d.decide(c) {
		return
	}
	agreed, ok := d.say(c, d.receiving, meeting)
	if !ok || !d.stands(agreed, d.assigning) {
		return
	}
	for range c.n(d.w.plan.talk + 1) {
		d.w.rest(c.between(time.Microsecond, 4*time.Second))
		switch c.n(5) {
		case 0, 1:
			d.saysAndRevises(c, d.receiving, hint)
		case 2, 3:
			d.saysAndRevises(c, d.assigning, extra)
		default:
			d.approve(c)
		}
	}
}

// apply enters the application, and says it again until the rules let it go on. It reports whether there is anything to decide about.
func (d *dialogue) apply(c *chance) bool {
	all, sent := []string{}, false
	against := []bool{}
	for try := 0; !sent || c.is(d.w.plan.revisions/2); try++ {
		goal := personal.Text(goalFair)
		if c.is(d.w.plan.strict) && try < 3 {
			goal = goalDoubt
			if !sent && c.is(0.6) {
				goal = goalReject
			}
		}
		mark, ok := d.applies(c, goal, all, against)
		if !ok {
			return false
		}
		against = append(against, goal != goalFair)
		all, d.opening, sent = append(all, mark), mark, sent || goal != goalReject
		if !sent && !d.answered(mark) {
			return false
		}
		if c.is(d.w.plan.revisions / 6) {
			d.takesBack(c, all, sent)
			return false
		}
	}
	return true
}

// applies enters a wording of the application; all are those before it, of which it corrects any, and against says which of them the rules have something against. The first fair one after
// such a one is answered.
func (d *dialogue) applies(c *chance, goal personal.Text, all []string, against []bool) (mark string, ok bool) {
	i := item{sender: d.assigning, answer: map[string]handover.Code{goalDoubt: handover.Forward, goalReject: handover.Returned}[goal.Reveal()], nowhere: goal == goalReject}
	if goal == goalFair {
		i.clears = slices.Contains(against, true)
		if i.clears && against[len(against)-1] {
			i.answer = goalCleared
		}
	}
	p := func(m string) handover.Payload { return application(d.assigning, d.receiving, goal, m) }
	if len(all) == 0 {
		return d.enters(c, i, p)
	}
	i.revision = revision{handover.ActionCorrection, all[c.n(len(all))]}
	return d.revises(i, p)
}

// takesBack recalls the application by any of its wordings.
func (d *dialogue) takesBack(c *chance, all []string, sent bool) {
	i := item{sender: d.assigning, revision: revision{handover.ActionRecall, all[c.n(len(all))]}, nowhere: !sent}
	d.revises(i, func(m string) handover.Payload { return application(d.assigning, d.receiving, goalFair, m) })
}

// decide accepts the application; who has decided may say it again, or take it back and say it anew.
func (d *dialogue) decide(c *chance) bool {
	for {
		mark, ok := d.say(c, d.receiving, accepted)
		if !ok || !d.stands(mark, d.assigning) {
			return false
		}
		if !c.is(d.w.plan.revisions / 2) {
			return true
		}
		action := handover.ActionCorrection
		if c.is(0.5) {
			action = handover.ActionRecall
		}
		again, ok := d.revises(item{sender: d.receiving, revision: revision{action, mark}}, accepted)
		if !ok || !d.stands(again, d.assigning) {
			return false
		}
		if action == handover.ActionCorrection {
			return true
		}
	}
}

// approve asks for a cost approval once, gets it, and orders the measure.
func (d *dialogue) approve(c *chance) {
	for _, step := range []struct {
		by, to handover.OrganisationID
		p      words
	}{{d.receiving, d.assigning, requested}, {d.assigning, d.receiving, signed}, {d.receiving, d.assigning, ordered}} {
		name := step.p("").Name()
		if d.w.book.has(d.n, name) {
			return
		}
		mark, ok := d.say(c, step.by, step.p)
		if !ok || !d.stands(mark, step.to) {
			return
		}
	}
}

// saysAndRevises says something, corrects it some times, naming any of its wordings, and may take it back.
func (d *dialogue) saysAndRevises(c *chance, o handover.OrganisationID, p words) {
	mark, ok := d.say(c, o, p)
	all := []string{mark}
	for ok && len(all) < 4 && c.is(d.w.plan.revisions) {
		d.w.rest(c.between(time.Microsecond, 4*time.Second))
		i := item{sender: o, revision: revision{handover.ActionCorrection, all[c.n(len(all))]}}
		if c.is(0.4) {
			i.action = handover.ActionRecall
		}
		if mark, ok = d.revises(i, p); i.action == handover.ActionRecall {
			return
		}
		all = append(all, mark)
	}
}

// wrong enters what may not be said now.
func (d *dialogue) wrong(c *chance) {
	if c.is(0.5) {
		d.say(c, d.receiving, hint)
	} else {
		d.say(c, d.assigning, accepted)
	}
	d.w.book.unusual(d.n)
}

func (d *dialogue) say(c *chance, o handover.OrganisationID, p words) (mark string, ok bool) {
	return d.enters(c, item{sender: o}, p)
}

// enters lets a clerk enter a message in the organisation's own system or, if the case stands there, on the platform. Before there is an opening it opens the case.
func (d *dialogue) enters(c *chance, i item, p words) (mark string, ok bool) {
	at := d.w.system(home(i.sender))
	if c.is(0.25) {
		at = d.w.system(casenet)
	}
	var key native.CaseKey
	if d.opening != "" {
		r, found := at.find(d.opening, i.sender)
		if !found {
			at = d.w.system(home(i.sender))
			r, found = at.find(d.opening, i.sender)
		}
		if !found {
			return "", false
		}
		key = r.Case
	}
	return d.write(i, at, key, "", p)
}

// revises lets a clerk recall or correct what she entered, where she entered it.
func (d *dialogue) revises(i item, p words) (mark string, ok bool) {
	earlier, _ := d.w.book.item(i.revision.revises)
	at := d.w.system(earlier.from)
	if at == nil {
		return "", false
	}
	r, found := at.entered(i.revision.revises)
	if !found {
		return "", false
	}
	return d.write(i, at, r.Case, r.ID, p)
}

func (d *dialogue) write(i item, at *system, key native.CaseKey, refers native.RecordID, p words) (mark string, ok bool) {
	d.said++
	i.mark = fmt.Sprintf("c%d-%02d", d.n, d.said)
	var err error
	if i.body, err = body(i.sender, p("[["+i.mark+"]]")); err != nil {
		return "", false
	}
	i.dialogue, i.order, i.from, i.name = d.n, d.said, at.id, p("").Name()
	i.parties = handover.Parties{Assigning: d.assigning, Receiving: d.receiving}
	d.w.book.entered(i)
	at.enter(key, i, refers)
	return i.mark, true
}

// stands waits until a message stands in an organisation's dossier.
func (d *dialogue) stands(mark string, o handover.OrganisationID) bool {
	return d.waits(mark, string(o), func() bool {
		_, found := d.w.system(home(o)).find(mark, o)
		return found
	})
}

// answered waits until the rules have answered an application where it was entered.
func (d *dialogue) answered(mark string) bool {
	i, _ := d.w.book.item(mark)
	return d.waits(mark, "answer", func() bool { return d.w.system(i.from).answered(mark) })
}

func (d *dialogue) waits(mark, what string, there func() bool) bool {
	until := time.Now().Add(patience)
	for time.Now().Before(until) {
		if there() {
			return true
		}
		if !d.w.rest(d.w.dice.draw("look", mark, what).between(time.Second, 2*time.Second)) {
			return false
		}
	}
	return false
}
