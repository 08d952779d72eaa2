package sim

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/gateway/ledger"
)

// world is one run.
type world struct {
	o     Options
	hooks hooks
	dice  *dice
	plan  plan
	began time.Time

	systems []*system
	ledgers []*topic
	bus     []*topic
	kept    []*topic
	redis   *redis
	group   *group

	calm       atomic.Bool    // nothing goes wrong any more
	background sync.WaitGroup // the network, the brokers, and everything else that no process can stop
	people     sync.WaitGroup // clerks and operators
	talking    atomic.Int32   // clerks who have not said everything
	closing    chan struct{}  // the people go home

	mu        sync.Mutex
	processes []*process
	all       []*process
	lives     int
	held      map[string]entry // messages that the bus puts behind a later one, by case
	learnt    map[string]bool  // codes that the tables know by now
	journal   []string
	book      book
}

// The systems of every world: two with dossiers of their own organisations, and a platform that all share.
const (
	klib    handover.SystemID = "klib"
	avam    handover.SystemID = "avam"
	casenet handover.SystemID = "casenet"
)

// home returns the system in which an organisation works.
func home(o handover.OrganisationID) handover.SystemID {
	if strings.HasPrefix(string(o), "service-") {
		return klib
	}
	return avam
}

func newWorld(o Options) *world {
	d := newDice(o.Seed)
	w := &world{
		o: o, dice: d, plan: newPlan(d, o.Mode), began: time.Now(), redis: newRedis(), closing: make(chan struct{}),
		held: map[string]entry{}, learnt: map[string]bool{}, book: newBook(),
	}
	if o.Crowded {
		c := d.draw("crowd")
		w.plan.crowd(trouble(c.n(troubles)), 0.6*float64(c.n(1000))/1000)
	}
	if o.tune != nil {
		o.tune(&w.plan)
	}
	w.systems = []*system{newSystem(w, klib, w.plan.modes[0], false), newSystem(w, avam, w.plan.modes[1], false), newSystem(w, casenet, w.plan.modes[2], true)}
	w.system(avam).later = w.plan.later
	for range w.plan.partitions {
		w.ledgers, w.bus, w.kept = append(w.ledgers, newTopic(w.listen)), append(w.bus, newTopic(nil)), append(w.kept, newTopic(nil))
	}
	w.group = newGroup(w)
	if o.plant != nil {
		w.hooks = o.plant(w)
	}
	return w
}

func (w *world) system(id handover.SystemID) *system {
	for _, s := range w.systems {
		if s.id == id {
			return s
		}
	}
	return nil
}

// partitionOf spreads cases by their last letters, which are random.
func (w *world) partitionOf(c handover.CaseID) int32 {
	sum := int32(0)
	for _, b := range []byte(c) {
		sum = (sum*31 + int32(b)) & 0xffff
	}
	return sum % w.plan.partitions
}

// Destinations is the directory: both dossiers and the platform, without the place of entry.
func (w *world) Destinations(e handover.Envelope, p handover.Parties, _ map[handover.OrganisationID]handover.SystemID) ([]ledger.Destination, error) {
	if p.Assigning == "" || p.Receiving == "" {
		return nil, fault.New(fault.Park, "sim.destinations", "unknown-organisation", "an organisation is not in the directory")
	}
	var out []ledger.Destination
	for _, to := range []ledger.Destination{
		{System: home(p.Assigning), Organisation: p.Assigning}, {System: home(p.Receiving), Organisation: p.Receiving}, {System: casenet},
	} {
		if to.System != e.Source || (to.Organisation != "" && to.Organisation != e.Sender) {
			out = append(out, to)
		}
	}
	return out, nil
}

// Origin is the dossier that a message was entered in.
func (w *world) Origin(e handover.Envelope) ledger.Destination {
	if e.Source == casenet {
		return ledger.Destination{System: casenet}
	}
	return ledger.Destination{System: e.Source, Organisation: e.Sender}
}

// unknown reports whether a table does not know a code of a message yet.
func (w *world) unknown(where, mark string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	key := where + "|" + mark
	known, drawn := w.learnt[key]
	if !drawn {
		known = !w.dice.draw("unknown", key).is(w.plan.unknowns / 3)
		w.learnt[key] = known
	}
	return !known
}

// learn adds the codes of a message to the tables.
func (w *world) learn(mark string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for key := range w.learnt {
		if strings.HasSuffix(key, "|"+mark) {
			w.learnt[key] = true
		}
	}
}

// hold keeps a message back until a later one of its case is on the bus, and reports whether it did. The bus has confirmed it.
func (w *world) hold(partition int32, e entry, mark string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if old, waits := w.held[e.key]; waits {
		delete(w.held, e.key)
		w.background.Go(func() {
			elapse(50 * time.Millisecond)
			w.bus[partition].append(old)
		})
		return false
	}
	if w.calm.Load() || !w.dice.draw("reorder", mark).is(w.plan.reorders) {
		return false
	}
	w.held[e.key] = e
	w.background.Go(func() {
		elapse(20 * time.Second)
		w.mu.Lock()
		defer w.mu.Unlock()
		if old, waits := w.held[e.key]; waits && markIn(old.value) == mark {
			delete(w.held, e.key)
			w.bus[partition].append(old)
		}
	})
	return true
}

// notify tells every gateway that something was entered; one in three such notifications is lost.
func (w *world) notify(id handover.SystemID, mark string) {
	for _, p := range w.living() {
		if !p.ready.Load() || w.dice.draw("notification", p.name, mark).is(0.3) {
			continue
		}
		p.running.Go(func() {
			if p.step(p.ctx, "notification", string(id), mark) == nil {
				_ = p.readers[id].Wake(p.ctx)
			}
		})
	}
}

// living returns the processes that are not dead.
func (w *world) living() []*process {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]*process(nil), w.processes...)
}

// note writes a line of history.
func (w *world) note(who, what string, more ...string) {
	at := time.Since(w.began)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.journal = append(w.journal, fmt.Sprintf("%12.6f %-9s %s %s", at.Seconds(), who, what, strings.Join(more, " ")))
}

// launch starts a life of a gateway, with what the one before has left on the disk.
func (w *world) launch(d *disk) *process {
	w.mu.Lock()
	w.lives++
	name := fmt.Sprint("gateway-", w.lives)
	w.mu.Unlock()
	p := newProcess(w, name, d)
	w.mu.Lock()
	w.processes, w.all = append(w.processes, p), append(w.all, p)
	w.mu.Unlock()
	p.start()
	return p
}

// bury takes a process out of the living.
func (w *world) bury(p *process) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, x := range w.processes {
		if x == p {
			w.processes = append(w.processes[:i:i], w.processes[i+1:]...)
		}
	}
}

// rest waits, unless the people go home before.
func (w *world) rest(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-w.closing:
		return false
	}
}
