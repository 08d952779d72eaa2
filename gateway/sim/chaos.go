package sim

import (
	"strconv"
	"time"
)

// chaos lets things go wrong until the day is over.
func (w *world) chaos() {
	end := w.began.Add(w.plan.chaos)
	for time.Now().Before(end) && !w.runsAway() {
		c := w.dice.draw("chaos")
		if w.plan.trouble == 0 {
			elapse(5 * time.Second)
			continue
		}
		elapse(c.between(w.plan.trouble/4, 2*w.plan.trouble))
		w.strike(c)
	}
}

// runsAway reports whether there are far more messages on the bus than anybody has entered.
func (w *world) runsAway() bool {
	n := int64(0)
	for _, t := range w.bus {
		n += t.length()
	}
	return n > 100
}

// trouble is a kind of thing that goes wrong. Some stand several times among the dice.
type trouble int

const (
	killed     trouble = 0
	stopped    trouble = 3
	rebalanced trouble = 5
	wiped      trouble = 7
	setBack    trouble = 8
	gone       trouble = 9
	compacted  trouble = 10
	forgotten  trouble = 11
	troubles           = 12
)

// strike does one thing that goes wrong.
func (w *world) strike(c *chance) {
	kind := trouble(c.n(troubles))
	if c.is(w.plan.share) {
		kind = w.plan.often
	}
	switch {
	case kind < stopped:
		if p := w.pick(c); p != nil {
			w.kill(p, c)
		}
	case kind < rebalanced:
		if p := w.pick(c); p != nil {
			p.freeze(c.between(10*time.Millisecond, 60*time.Second))
		}
	case kind < wiped:
		w.note("group", "rebalances")
		w.group.rebalance()
	case kind < compacted:
		w.strikeRedis(kind, c)
	case kind < forgotten:
		k := c.n(len(w.ledgers))
		w.note("ledger", "compacted", strconv.Itoa(k), "by", strconv.Itoa(w.ledgers[k].compact(c.n(w.plan.open+1))))
	default:
		if c.is(0.2) {
			w.note("group", "offsets lost")
			w.group.forget(c.n(len(w.bus)))
		}
		if w.hooks.unclean {
			w.unclean(c)
		}
	}
}

func (w *world) strikeRedis(kind trouble, c *chance) {
	switch kind {
	case wiped:
		w.note("redis", "wiped")
		w.redis.wipe()
	case setBack:
		w.note("redis", "is set back")
		w.redis.restore()
	case gone:
		w.redis.snapshot()
		w.note("redis", "is away")
		w.redis.setAway(true)
		w.background.Go(func() {
			elapse(c.between(time.Second, 30*time.Second))
			w.redis.setAway(false)
		})
	}
}

func (w *world) pick(c *chance) *process {
	living := w.living()
	if len(living) == 0 {
		return nil
	}
	return living[c.n(len(living))]
}

// kill ends a process and starts another one a little later. The group notices that it is gone after a while, or at once.
func (w *world) kill(p *process, c *chance) {
	w.bury(p)
	p.kill()
	noticed, again := c.between(time.Millisecond, 10*time.Second), c.between(time.Millisecond, 15*time.Second)
	w.background.Go(func() {
		elapse(noticed)
		w.group.leave(p)
	})
	w.background.Go(func() {
		elapse(again)
		w.launch(p.disk)
	})
}

// unclean lets a broker without the last records take over, and everybody starts anew.
func (w *world) unclean(c *chance) {
	k := c.n(len(w.ledgers))
	w.note("ledger", "loses its last record", strconv.Itoa(k))
	w.ledgers[k].lose()
	for _, p := range w.living() {
		w.kill(p, c)
	}
}
