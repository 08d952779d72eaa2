package sim

import (
	"fmt"
	"strconv"
	"time"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
)

// patience is how long a clerk waits for the other side before she gives a case up.
const patience = 10 * time.Minute

// dialogue is one case: two organisations, and what their clerks enter.
type dialogue struct {
	w                    *world
	n                    int
	assigning, receiving handover.OrganisationID
	said                 int
}

// play enters a case: application, decision, note, and then what both sides have to say, without waiting for each other.
func (d *dialogue) play() {
	c := d.w.dice.draw("case", strconv.Itoa(d.n))
	if !d.w.rest(c.between(time.Millisecond, 20*time.Second)) {
		return
	}
	opening, ok := d.say(c, d.assigning, "", func(m string) handover.Payload { return application(d.assigning, d.receiving, m) })
	if !ok || !d.stands(opening, d.receiving) {
		return
	}
	if c.is(d.w.plan.wrongs) {
		d.wrong(c, opening)
	}
	decided, ok := d.say(c, d.receiving, opening, accepted)
	if !ok || !d.stands(decided, d.assigning) {
		return
	}
	agreed, ok := d.say(c, d.receiving, opening, meeting)
	if !ok || !d.stands(agreed, d.assigning) {
		return
	}
	for range c.n(d.w.plan.talk + 1) {
		d.w.rest(c.between(time.Microsecond, 4*time.Second))
		if c.is(0.5) {
			d.say(c, d.receiving, opening, hint)
		} else {
			d.say(c, d.assigning, opening, extra)
		}
	}
}

// wrong enters what may not be said now.
func (d *dialogue) wrong(c *chance, opening string) {
	if c.is(0.5) {
		d.say(c, d.receiving, opening, hint)
	} else {
		d.say(c, d.assigning, opening, accepted)
	}
	d.w.book.unusual(d.n)
}

// say enters a message in the organisation's own system or, if the case stands there, on the platform. An empty opening opens the case.
func (d *dialogue) say(c *chance, o handover.OrganisationID, opening string, p func(remark string) handover.Payload) (mark string, ok bool) {
	d.said++
	mark = fmt.Sprintf("c%d-%02d", d.n, d.said)
	b, err := body(o, p("[["+mark+"]]"))
	if err != nil {
		return "", false
	}
	at := d.w.system(home(o))
	if c.is(0.25) {
		at = d.w.system(casenet)
	}
	var key native.CaseKey
	if opening != "" {
		r, found := at.find(opening, o)
		if !found {
			at = d.w.system(home(o))
			r, found = at.find(opening, o)
		}
		if !found {
			return "", false
		}
		key = r.Case
	}
	name := p("").Name()
	d.w.book.entered(item{
		mark: mark, dialogue: d.n, order: d.said, from: at.id, sender: o, parties: handover.Parties{Assigning: d.assigning, Receiving: d.receiving}, name: name, body: b,
	})
	at.enter(key, o, name, mark, b)
	return mark, true
}

// stands waits until a message stands in an organisation's dossier.
func (d *dialogue) stands(mark string, o handover.OrganisationID) bool {
	until := time.Now().Add(patience)
	for time.Now().Before(until) {
		if _, found := d.w.system(home(o)).find(mark, o); found {
			return true
		}
		if !d.w.rest(d.w.dice.draw("look", mark, string(o)).between(time.Second, 2*time.Second)) {
			return false
		}
	}
	return false
}
