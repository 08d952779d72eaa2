package delivery

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/text/unicode/norm"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/gateway/ledger"
	"github.com/einmal-hub/einmal/gateway/schedule"
)

// persons recognises the same person's case entered twice, by hand in two systems or to two agencies (I8). It knows the applicants of the cases that have not ended by keyed
// names of the person, which are in memory, sealed on this machine while the case is open, and for moments in Redis, only: an HMAC of an AHV number is a use of it (AHVG Art. 153b), so none lies in the ledger
// or on the bus. What it does not know, after a start or from another gateway, it reads from the bus again.
//
// Rejected: an index in Redis (lost with it, and then silently empty), and one in the ledger (cannot be forgotten).
type persons struct {
	mu    sync.Mutex
	known map[handover.CaseID]applicant
	// ended is told the cases of which nothing need be known any more.
	ended func(handover.CaseID)
	busy  map[string]chan struct{}
	// sole are, by case, the applications that had no rival when the ledger had their place. Whoever is admitted later sees them.
	sole map[handover.CaseID]handover.MessageID
	// reading is held by who reads applications.
	reading chan struct{}
}

// applicant is what an application says about who leads what, without saying it.
type applicant struct {
	place   ledger.Place
	number  string // keyed AHV number; empty: none was given
	name    string // keyed name and date of birth
	process handover.Code
	content string // keyed content, without the remark
	test    bool
}

// rivals are the cases that have not ended and concern the same person and topic as an application, and itself.
type rivals struct {
	self applicant
	all  map[handover.CaseID]applicant
}

func newPersons(ended func(handover.CaseID)) *persons {
	return &persons{ended: ended, known: map[handover.CaseID]applicant{}, busy: map[string]chan struct{}{}, sole: map[handover.CaseID]handover.MessageID{}, reading: make(chan struct{}, 1)}
}

// same reports whether two applications concern one person. Numbers decide where both have one: people of one name and birthday exist.
func (a applicant) same(b applicant) bool {
	if a.number != "" && b.number != "" {
		return a.number == b.number
	}
	return a.name != "" && a.name == b.name
}

// applicantOf derives the keyed names of an application.
func (d *Delivery) applicantOf(form handover.ApplicationSubmitted, test bool, place ledger.Place) applicant {
	p := form.Person
	a := applicant{
		place: place, process: form.Process, test: test,
		name: d.o.Keys.DeriveID("person-by-name", plainName(p.OfficialName.Reveal()), plainName(p.FirstName.Reveal()), p.DateOfBirth.Reveal()),
	}
	if number := p.AHV.Reveal(); number != "" {
		a.number = d.o.Keys.DeriveID("person", number)
	}
	form.Remark = ""
	if plain, err := handover.EncodePayload(form); err == nil {
		a.content = d.o.Keys.DeriveID("content", string(norm.NFC.Bytes(plain)))
	}
	return a
}

// plainName is a name without what people write differently: case, blanks, and how umlauts are composed.
func plainName(s string) string {
	return strings.ToLower(strings.Join(strings.Fields(norm.NFC.String(s)), " "))
}

// personLease is how long a gateway may take between looking for rivals and the ADMIT. It is advice: when Redis is away, or has forgotten, two gateways may admit two applications of one person in the
// same moment. At least one of them notices it before anything is sent; see [claim.alongside].
const personLease = 30 * time.Second

// meet finds the rivals of a message that gives a person an open case, and keeps others from admitting one of the same person until leave is called. It waits for bus and ledger; ok is false when ctx
// ends first.
func (c *claim) meet(ctx context.Context, m handover.Message) (r rivals, leave func(), ok bool) {
	nobody := func() {}
	self, opens, ok := c.applies(ctx, m)
	if !opens || !ok {
		return rivals{}, nobody, ok
	}
	r.self = self
	if _, ok = c.acquaint(ctx, m.Case, self); !ok { // after a start this takes long: not while others wait for the person
		return r, nobody, false
	}
	leave, ok = c.alone(ctx, self)
	if !ok {
		return r, nobody, false
	}
	if c.persist(ctx, "delivery.sync", func() error { return c.o.Ledger.SyncAll(ctx) }) != nil {
		leave()
		return r, nobody, false
	}
	if r.all, ok = c.acquaint(ctx, m.Case, self); !ok {
		leave()
		return r, nobody, false
	}
	return r, leave, true
}

// applies finds out for whom a message opens a case, or opens it anew: an application does, and what takes back the end of a case may.
func (c *claim) applies(ctx context.Context, m handover.Message) (self applicant, opens, ok bool) {
	if form, is := m.Payload.(handover.ApplicationSubmitted); is {
		return c.applicantOf(form, m.Test, ledger.Place{}), m.Action != handover.ActionRecall, true
	}
	k := c.o.Ledger.Case(m.Case)
	if m.Action == handover.ActionNew || !handover.Ended(k.State) {
		return self, false, true
	}
	self, ok = c.applicantAt(ctx, m.Case, k.Application)
	return self, self.name != "", ok
}

// alone waits until nobody else here, and as far as Redis knows elsewhere, decides about the same person, by name or by number. When ok is false nothing is held.
func (c *claim) alone(ctx context.Context, a applicant) (leave func(), ok bool) {
	byName, ok := c.aloneWith(ctx, "person:"+a.name)
	if !ok || a.number == "" {
		return byName, ok
	}
	byNumber, ok := c.aloneWith(ctx, "person:"+a.number)
	if !ok {
		byName()
		return byNumber, false
	}
	return func() { byNumber(); byName() }, true
}

// aloneWith is alone for one keyed name. Names come before numbers, so that no two wait for each other.
func (c *claim) aloneWith(ctx context.Context, who string) (leave func(), ok bool) {
	done := make(chan struct{})
	for {
		wait, taken := c.persons.take(who, done)
		if !taken {
			break
		}
		select {
		case <-wait:
		case <-ctx.Done():
			return func() {}, false
		}
	}
	leave = sync.OnceFunc(func() {
		c.o.Claims.Release(context.WithoutCancel(ctx), who)
		c.persons.give(who)
		close(done)
	})
	for !c.o.Claims.Claim(ctx, who, personLease) {
		if schedule.Pause(ctx, 100*time.Millisecond) != nil {
			leave()
			return leave, false
		}
	}
	return leave, true
}

// take makes done the channel that others wait for, unless somebody has a channel there already.
func (p *persons) take(who string, done chan struct{}) (wait <-chan struct{}, taken bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c, busy := p.busy[who]; busy {
		return c, true
	}
	p.busy[who] = done
	return nil, false
}

func (p *persons) give(who string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.busy, who)
}

// acquaint returns the rivals of an application among the cases that are open now. It first reads the applications that are not known yet, one gateway's goroutine at a time: after a start these
// are all.
func (c *claim) acquaint(ctx context.Context, self handover.CaseID, a applicant) (map[handover.CaseID]applicant, bool) {
	select {
	case c.persons.reading <- struct{}{}:
		defer func() { <-c.persons.reading }()
	case <-ctx.Done():
		return nil, false
	}
	for {
		rivals, strangers := c.persons.rivals(c.o.Ledger.Unended, self, a)
		if len(strangers) == 0 {
			return rivals, true
		}
		for _, id := range slices.Sorted(maps.Keys(strangers)) {
			other, ok := c.applicantAt(ctx, id, strangers[id])
			if !ok {
				return nil, false
			}
			c.learn(id, other)
		}
	}
}

// applicantAt reads an application. One that cannot be read gives an applicant who is like nobody: that somebody's application has gone must not hold up everybody else's. ok is false when ctx ends
// first.
func (c *claim) applicantAt(ctx context.Context, id handover.CaseID, place ledger.Place) (a applicant, ok bool) {
	m, err := c.messageAt(ctx, id, place)
	if ctx.Err() != nil {
		return applicant{}, false
	}
	if form, is := m.Payload.(handover.ApplicationSubmitted); err == nil && is {
		return c.applicantOf(form, m.Test, place), true
	}
	c.o.Log.WarnContext(ctx, "an application cannot be read again: a second one of the same person will not be noticed", slog.String("case", string(id)), slog.Any("error", err))
	return applicant{place: place}, true
}

// unrivalled reports whether an application had no rival after it got its place.
func (p *persons) unrivalled(m handover.Message) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.sole[m.Case] == m.ID
}

// clear notes that.
func (p *persons) clear(m handover.Message) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sole[m.Case] = m.ID
}

func (p *persons) learn(id handover.CaseID, a applicant) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.known[id] = a
}

// rivals returns the open cases of the same person and topic, without one, and those whose present application is not known; it forgets cases that have ended. The open cases are asked for under the
// lock: an older list would make it forget what somebody has just learnt.
func (p *persons) rivals(open func() map[handover.CaseID]ledger.Place, self handover.CaseID, a applicant) (rivals map[handover.CaseID]applicant, strangers map[handover.CaseID]ledger.Place) {
	p.mu.Lock()
	defer p.mu.Unlock()
	strangers = open()
	maps.DeleteFunc(p.sole, func(id handover.CaseID, _ handover.MessageID) bool { _, there := strangers[id]; return !there })
	rivals = map[handover.CaseID]applicant{}
	for id, b := range p.known {
		place, there := strangers[id]
		if !there {
			delete(p.known, id)
			p.ended(id)
			continue
		}
		if b.place != place {
			continue
		}
		delete(strangers, id)
		if id != self && a.process == b.process && a.test == b.test && a.same(b) {
			rivals[id] = b
		}
	}
	return rivals, strangers
}

// secondClaim is the code with which an application waits whose person has a case already.
const secondClaim = "second-claim"

// claims lets an application stand beside no other one of the same person and topic. The same content is the same case, and who has entered it again is told where it stands; other content is
// a conflict, about which a person decides: letting it go on says that both are meant. A case that was sent on is never answered as if it had not been.
func (c *claim) claims(o *ledger.Opening, k ledger.Case, m handover.Message, r rivals) error {
	if c.meant(ledger.Gate, m) {
		o.Beside = slices.Sorted(maps.Keys(r.all))
		return nil
	}
	for _, id := range slices.Sorted(maps.Keys(r.all)) {
		if r.all[id].content != r.self.content || k.Number > 0 && !k.Opening.Returned() {
			continue
		}
		other := c.o.Ledger.Case(id)
		at := ledger.Destination{System: other.Opening.Works[other.Parties.Assigning], Organisation: other.Parties.Assigning}
		number, _ := c.o.Ledger.NativeCase(id, at)
		o.Check = &ledger.Check{Outcome: handover.Returned, Findings: []ledger.Finding{c.o.Rules.Same(o.Profile, at.System, number)}}
		return nil
	}
	return c.rivalled(m, r)
}

// rivalled lets a message wait that would give a person a second case, unless a person has said that both are meant.
func (c *claim) rivalled(m handover.Message, r rivals) error {
	if len(r.all) == 0 || c.meant(ledger.Gate, m) {
		return nil
	}
	return r.claim()
}

// claim is why an application waits.
func (r rivals) claim() error {
	ids := make([]string, 0, len(r.all))
	for _, id := range slices.Sorted(maps.Keys(r.all)) {
		ids = append(ids, string(id))
	}
	return fault.New(fault.Park, "delivery.persons", secondClaim, "the same person has another case of the same process that has not ended: "+strings.Join(ids, ", ")).
		Hint("find out which of the two holds; withdraw this one, or let it go on if both are meant")
}

// meant reports whether a person has let the application go on at a place although it is a second claim.
func (c *claim) meant(at ledger.Destination, m handover.Message) bool {
	position, _, first := c.o.Ledger.Waiting(ledger.Lane{Case: m.Case, To: at}, m.ID)
	return position == 0 && first.Status == ledger.StatusDue && first.Reason.Code == secondClaim
}

// alongside looks for rivals once more before an application is sent for the first time, now that the ledger has its place: of two gateways that admitted two applications of one person without
// knowing of each other, the one that looks later sees both, and its application waits for a person before it is sent to anybody. A case of which a person has said that it is meant beside the other
// one is no rival.
func (c *claim) alongside(ctx context.Context, j *job) error {
	form, is := j.m.Payload.(handover.ApplicationSubmitted)
	admission, _ := c.o.Ledger.Admission(j.m.ID)
	if !is || j.m.Action == handover.ActionRecall || j.To == admission.Origin || c.known(j).Attempt > 0 || c.persons.unrivalled(j.m) || c.meant(j.To, j.m) {
		return nil
	}
	if err := c.persist(ctx, "delivery.sync", func() error { return c.o.Ledger.SyncAll(ctx) }); err != nil {
		return err
	}
	self := c.applicantOf(form, j.m.Test, ledger.Place{})
	found, ok := c.acquaint(ctx, j.m.Case, self)
	if !ok {
		return ctx.Err()
	}
	beside := c.o.Ledger.Case(j.m.Case).Opening.Beside
	maps.DeleteFunc(found, func(id handover.CaseID, _ applicant) bool {
		other := c.o.Ledger.Case(id).Opening
		return other.Returned() || slices.Contains(beside, id) || slices.Contains(other.Beside, j.m.Case)
	})
	if len(found) > 0 {
		return rivals{self, found}.claim()
	}
	c.persons.clear(j.m)
	return nil
}
