package sim

import (
	"time"

	"github.com/einmal-hub/einmal/adapters"
)

// plan is how bad the day is. Everything is drawn from the seed; many days are mild in most ways, so that each kind of trouble is also seen alone.
type plan struct {
	modes      [3]adapters.Mode // of klib, avam, casenet
	later      time.Duration    // how long avam may take to answer; 0: it answers at once
	partitions int32
	gateways   int
	cases      int
	talk       int // messages after the note is agreed, at most
	page       int
	window     int

	nativeFaults float64 // share of requests and searches
	logFaults    float64 // share of appends and readings
	refusals     float64 // share of messages that a system refuses at first
	unknowns     float64 // share of messages with a code that a table does not know
	wrongs       float64 // share of cases in which a clerk enters what may not be said
	reorders     float64 // share of messages that the bus puts behind a later one
	abandons     float64 // share of parked messages that nobody decides on
	revisions    float64 // share of messages that their clerk recalls or corrects
	strict       float64 // share of applications that the rules have something against
	often        trouble // a kind of trouble that comes more often than the others
	share        float64 // how much more often: its share, beside what the dice give it
	open         int     // newest records of the ledger that a compaction leaves alone, at most
	shelves      bool    // gateways keep what they have read of the ledger on their disks
	fetchesLate  bool    // what a view sees late it also fetches late, and so never sees what was compacted meanwhile

	trouble time.Duration // mean time between two of: kill, stop, rebalance, Redis, compaction; 0: none
	chaos   time.Duration // how long it goes on
	slow    float64       // share of calls that take long
	lagging float64       // share of ledger records that a view sees late
	zombies time.Duration // how long a former owner goes on, at most
}

func newPlan(d *dice, forced adapters.Mode) plan {
	c := d.draw("plan")
	rate := func(most float64) float64 {
		if c.is(0.3) {
			return 0
		}
		return most * float64(c.n(1000)) / 1000
	}
	p := plan{
		partitions: int32(1 + c.n(2)), gateways: 1 + c.n(3), cases: 1 + c.n(3), talk: c.n(5), page: 1 + c.n(4), window: 1 + c.n(20), //nolint:gosec // small
		nativeFaults: rate(0.7), logFaults: rate(0.25), refusals: rate(0.3), unknowns: rate(0.2), wrongs: rate(0.5), abandons: rate(0.1), open: 4,
		revisions: rate(0.6), strict: rate(0.7), slow: rate(0.1), lagging: rate(0.3), chaos: c.between(30*time.Second, 5*time.Minute), zombies: c.between(time.Millisecond, 40*time.Second),
	}
	if c.is(0.1) {
		p.reorders = 0.1
	}
	if c.is(0.8) {
		p.trouble = c.between(500*time.Millisecond, 20*time.Second)
	}
	p.shelves = d.draw("shelves").is(0.7)
	if l := d.draw("later"); l.is(0.25) {
		p.later = l.between(2*time.Second, 2*time.Minute)
	}
	for i := range p.modes {
		p.modes[i] = []adapters.Mode{adapters.ModeA, adapters.ModeB, adapters.ModeC}[c.n(3)]
		if forced != "" {
			p.modes[i] = forced
		}
	}
	return p
}

// crowd makes a day on which several gateways work on the same, each with an old view, and one kind of trouble comes often.
func (p *plan) crowd(often trouble, share float64) {
	p.gateways, p.partitions, p.lagging, p.trouble, p.zombies = 3, 1, 0.5, time.Second, 40*time.Second
	p.often, p.share = often, share
}

// latency is how long a call of an interface takes.
func (p plan) latency(c *chance) time.Duration {
	if c.is(p.slow) {
		return c.between(time.Millisecond, 1500*time.Millisecond)
	}
	return c.between(10*time.Microsecond, 4*time.Millisecond)
}

// lag is how late a view sees a record. In the evening no view is so late that its gateway may not send any more.
func (w *world) lag(c *chance) time.Duration {
	if c.is(w.plan.lagging) && !w.calm.Load() {
		return c.between(time.Millisecond, 5*time.Second)
	}
	return c.between(time.Microsecond, time.Millisecond)
}

// overlap is how long a former owner goes on.
func (p plan) overlap(c *chance) time.Duration {
	if c.is(0.5) {
		return c.between(time.Microsecond, time.Millisecond)
	}
	return c.between(time.Microsecond, p.zombies)
}
