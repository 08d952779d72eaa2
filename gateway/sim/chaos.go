package sim

import (
	"strconv"
	"time"
)

// chaos lets things go wrong until the day is over.
func (w *world) chaos() {
	end := w.began.Add(w.plan.chaos)
	if w.plan.trouble == 0 {
		w.rest(time.Until(end))
		return
	}
	for time.Now().Before(end) {
		c := w.dice.draw("chaos")
		if !w.rest(c.between(w.plan.trouble/4, 2*w.plan.trouble)) {
			return
		}
		w.strike(c)
	}
}

// strike does one thing that goes wrong.
func (w *world) strike(c *chance) {
	switch c.n(12) {
	case 0, 1, 2:
		if p := w.pick(c); p != nil {
			w.kill(p, c)
		}
	case 3, 4:
		if p := w.pick(c); p != nil {
			p.freeze(c.between(10*time.Millisecond, 60*time.Second))
		}
	case 5, 6:
		w.note("group", "rebalances")
		w.group.rebalance()
	case 7:
		w.note("redis", "wiped")
		w.redis.wipe()
	case 8:
		w.note("redis", "is set back")
		w.redis.restore()
	case 9:
		w.redis.snapshot()
		w.note("redis", "is away")
		w.redis.setAway(true)
		w.background.Go(func() {
			elapse(c.between(time.Second, 30*time.Second))
			w.redis.setAway(false)
		})
	case 10:
		k := c.n(len(w.ledgers))
		w.note("ledger", "compacted", strconv.Itoa(k), "by", strconv.Itoa(w.ledgers[k].compact(c.n(8))))
	case 11:
		if c.is(0.2) {
			w.note("group", "offsets lost")
			w.group.forget(c.n(len(w.bus)))
		}
		if w.hooks.unclean {
			w.unclean(c)
		}
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
		w.launch()
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
