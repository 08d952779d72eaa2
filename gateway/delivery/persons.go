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
// names of the person, which are in memory, and for moments in Redis, only: an HMAC of an AHV number is a use of it (AHVG Art. 153b), so none lies in the ledger or on the bus. What it
// does not know, after a start or from another gateway, it reads from the bus again.
//
// Rejected: an index in Redis (lost with it, and then silently empty), and one in the ledger (cannot be forgotten).
type persons struct {
	mu    sync.Mutex
	known map[handover.CaseID]applicant
	busy  map[string]chan struct{}
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

func newPersons() *persons {
	return &persons{known: map[handover.CaseID]applicant{}, busy: map[string]chan struct{}{}}
}

// same reports whether two applications concern one person. Numbers decide where both have one: people of one name and birthday exist.
func (a applicant) same(b applicant) bool {
	if a.number != "" && b.number != "" {
		return a.number == b.number
	}
	return a.name == b.name
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

// personLease is how long a gateway may take between looking for rivals and the ADMIT. It is advice: when Redis is away, two gateways may admit two applications of one person
// in the same moment; reconciliation finds them.
const personLease = 30 * time.Second

// meet finds the rivals of a new application and keeps others from admitting one of the same person until leave is called. It waits for bus and ledger; ok is false when ctx ends
// first.
func (c *claim) meet(ctx context.Context, m handover.Message) (r rivals, leave func(), ok bool) {
	form, is := m.Payload.(handover.ApplicationSubmitted)
	if !is || m.Action == handover.ActionRecall {
		return rivals{}, func() {}, true
	}
	r.self = c.applicantOf(form, m.Test, ledger.Place{})
	leave, ok = c.alone(ctx, r.self)
	if !ok {
		return r, leave, false
	}
	if c.persist(ctx, "delivery.sync", func() error { return c.o.Ledger.SyncAll(ctx) }) != nil || !c.acquaint(ctx) {
		leave()
		return r, leave, false
	}
	r.all = c.persons.rivals(m.Case, r.self)
	return r, leave, true
}

// alone waits until nobody else here, and as far as Redis knows elsewhere, decides about the same person, by name or by number.
func (c *claim) alone(ctx context.Context, a applicant) (leave func(), ok bool) {
	leave, ok = c.aloneWith(ctx, "person:"+a.name)
	if !ok || a.number == "" {
		return leave, ok
	}
	byName := leave
	byNumber, ok := c.aloneWith(ctx, "person:"+a.number)
	return func() { byNumber(); byName() }, ok
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

// acquaint reads the applications of cases that are not known yet, and forgets those of cases that have ended.
func (c *claim) acquaint(ctx context.Context) bool {
	strangers := c.persons.strangers(c.o.Ledger.Unended())
	for _, id := range slices.Sorted(maps.Keys(strangers)) {
		place := strangers[id]
		var r Record
		err := c.persist(ctx, "delivery.read-application", func() (err error) {
			if r, err = c.o.Bus.ReadAt(ctx, c.o.Bus.PartitionOf(id), place.Offset); fault.KindOf(err) == fault.Park {
				return nil // the bus has lost it
			}
			return err
		})
		if err != nil {
			return false
		}
		who := applicant{place: place}
		m, _, err := c.open(r)
		if form, is := m.Payload.(handover.ApplicationSubmitted); err == nil && is && m.Case == id {
			who = c.applicantOf(form, m.Test, place)
		} else {
			c.o.Log.WarnContext(ctx, "the application of a case cannot be read any more: whether the person has another case is not known", slog.String("case", string(id)))
		}
		c.persons.learn(id, who)
	}
	return true
}

// strangers returns the cases whose present application is not known.
func (p *persons) strangers(unended map[handover.CaseID]ledger.Place) map[handover.CaseID]ledger.Place {
	p.mu.Lock()
	defer p.mu.Unlock()
	for id := range p.known {
		if _, there := unended[id]; !there {
			delete(p.known, id)
		}
	}
	for id, place := range unended {
		if p.known[id].place == place {
			delete(unended, id)
		}
	}
	return unended
}

func (p *persons) learn(id handover.CaseID, a applicant) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.known[id] = a
}

// rivals returns the other cases of the same person and topic.
func (p *persons) rivals(self handover.CaseID, a applicant) map[handover.CaseID]applicant {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := map[handover.CaseID]applicant{}
	for id, b := range p.known {
		if id != self && a.process == b.process && a.test == b.test && a.same(b) {
			all[id] = b
		}
	}
	return all
}

// secondClaim is the code with which an application waits whose person has a case already.
const secondClaim = "second-claim"

// claims lets an application stand beside no other one of the same person and topic. The same content is the same case, and who has entered it again is told where it stands; other content is
// a conflict, about which a person decides: letting it go on says that both are meant.
func (c *claim) claims(o *ledger.Opening, m handover.Message, r rivals) error {
	if len(r.all) == 0 || c.meant(m) {
		return nil
	}
	ids := make([]string, 0, len(r.all))
	for id, other := range r.all {
		if other.content == r.self.content {
			k := c.o.Ledger.Case(id)
			at := ledger.Destination{System: k.Opening.Works[k.Parties.Assigning], Organisation: k.Parties.Assigning}
			number, _ := c.o.Ledger.NativeCase(id, at)
			o.Check = &ledger.Check{Outcome: handover.Returned, Findings: []ledger.Finding{c.o.Rules.Same(o.Profile, at.System, number)}}
			return nil
		}
		ids = append(ids, string(id))
	}
	slices.Sort(ids)
	return fault.New(fault.Park, "delivery.gate", secondClaim, "the same person has another case of the same process that has not ended: "+strings.Join(ids, ", ")).
		Hint("find out which of the two holds; withdraw this one, or let it go on if both are meant")
}

// meant reports whether a person has let the application go on although it is a second claim.
func (c *claim) meant(m handover.Message) bool {
	position, _, first := c.o.Ledger.Waiting(ledger.Lane{Case: m.Case, To: ledger.Gate}, m.ID)
	return position == 0 && first.Status == ledger.StatusDue && first.Reason.Code == secondClaim
}
