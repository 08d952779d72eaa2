package sim

import (
	"context"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/einmal-hub/einmal/gateway/delivery"
	"github.com/einmal-hub/einmal/gateway/ledger"
)

// claimKey finds the number of the claim in the context of everything that is done for it: a process that owns a partition twice, for a while, does
// the same twice.
type claimKey struct{}

// noOffset is what a group without a committed offset starts from.
const noOffset = -2

// group is the consumer group of the bus: who owns which partition, and how far it is complete.
type group struct {
	w         *world
	mu        sync.Mutex
	members   []*process
	committed []int64
	claims    []*claim // by partition; nil: nobody
	turn      int
}

// claim is one partition in one process. Its ctx ends some time after another process owns the partition: both work on it meanwhile.
type claim struct {
	p         *process
	partition int32
	ctx       context.Context
	cancel    context.CancelFunc
	marked    int64
	flushing  bool
}

func newGroup(w *world) *group {
	g := &group{w: w, committed: make([]int64, w.plan.partitions), claims: make([]*claim, w.plan.partitions)}
	for i := range g.committed {
		g.committed[i] = noOffset
	}
	return g
}

// join takes a process in, unless it has died meanwhile, and gives the partitions out anew.
func (g *group) join(p *process) {
	g.mu.Lock()
	if !slices.Contains(g.members, p) && !p.isDead() {
		g.members = append(g.members, p)
	}
	g.mu.Unlock()
	g.rebalance()
}

// leave forgets a process that has died.
func (g *group) leave(p *process) {
	g.mu.Lock()
	for i, m := range g.members {
		if m == p {
			g.members = append(g.members[:i:i], g.members[i+1:]...)
			break
		}
	}
	g.mu.Unlock()
	g.rebalance()
}

// rebalance gives every partition to a member.
func (g *group) rebalance() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.turn++
	for k := range g.claims {
		if len(g.members) == 0 {
			g.drop(k)
			g.claims[k] = nil
			continue
		}
		to := g.members[g.w.dice.draw("rebalance", strconv.Itoa(k)).n(len(g.members))]
		if g.claims[k] != nil && g.claims[k].p == to {
			continue
		}
		g.drop(k)
		g.begin(to, k)
	}
}

// drop asks the present owner to stop; it takes a while until it hears it.
func (g *group) drop(k int) {
	if old := g.claims[k]; old != nil {
		wait := g.w.plan.overlap(g.w.dice.draw("overlap", strconv.Itoa(k)))
		g.w.background.Go(func() {
			elapse(wait)
			old.p.awake() // a process that is stopped hears nothing
			elapse(wait % time.Second)
			old.cancel()
		})
	}
}

// begin starts a claim. The caller holds the lock.
func (g *group) begin(p *process, k int) {
	ctx, cancel := context.WithCancel(context.WithValue(p.ctx, claimKey{}, strconv.Itoa(g.turn)))
	c := &claim{p: p, partition: int32(k), ctx: ctx, cancel: cancel, marked: -1} //nolint:gosec // a small number
	g.claims[k] = c
	from := g.committed[k]
	if g.w.hooks.newest && g.turn > 1 {
		from = g.w.bus[k].length()
	}
	g.w.book.moved.Store(time.Now().UnixNano())
	g.w.note(p.name, "owns", strconv.Itoa(k), "from", strconv.FormatInt(from, 10))
	p.running.Go(func() { g.consume(c, from) })
}

// consume works on a claim as package gateway does.
func (g *group) consume(c *claim, from int64) {
	defer c.cancel()
	wake, released := c.p.own(c.ctx, c.partition)
	defer released()
	if !c.p.persist(c.ctx, func() error { return c.p.ledger.SyncPartition(c.ctx, c.partition) }) {
		return
	}
	records := make(chan delivery.Record)
	var carrier sync.WaitGroup
	carrier.Go(func() { g.carry(c, max(from, 0), records) })
	_ = c.p.delivery.Run(c.ctx, c.partition, from, records, wake, func(offset int64) { g.done(c, offset) })
	c.cancel()
	carrier.Wait()
}

// carry hands the records of a partition to a claim.
func (g *group) carry(c *claim, next int64, out chan<- delivery.Record) {
	defer close(out)
	for {
		e, ok, more := g.w.bus[c.partition].after(next)
		if !ok {
			select {
			case <-more:
				continue
			case <-c.ctx.Done():
				return
			}
		}
		if c.p.step(c.ctx, "consume", strconv.Itoa(int(c.partition)), strconv.FormatInt(next, 10)) != nil {
			return
		}
		select {
		case out <- delivery.Record{Offset: e.offset, Headers: e.headers, Value: e.value}:
		case <-c.ctx.Done():
			return
		}
		if g.w.hooks.eager {
			g.done(c, e.offset)
		}
		next = e.offset + 1
	}
}

// done marks an offset; it is committed a little later, unless the process dies or another one owns the partition by then.
func (g *group) done(c *claim, offset int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	c.marked = max(c.marked, offset)
	if c.flushing {
		return
	}
	c.flushing = true
	wait := g.w.dice.draw("commit", c.p.name, strconv.Itoa(int(c.partition))).between(time.Millisecond, time.Second)
	g.w.background.Go(func() {
		alive := c.p.rest(context.Background(), wait) == nil
		g.mu.Lock()
		defer g.mu.Unlock()
		c.flushing = false
		if alive && g.claims[c.partition] == c && c.marked+1 > g.committed[c.partition] {
			g.committed[c.partition] = c.marked + 1
			g.w.note(c.p.name, "committed", strconv.Itoa(int(c.partition)), "to", strconv.FormatInt(c.marked+1, 10))
			g.w.committed(c.partition, c.marked+1)
		}
	})
}

// forget loses the committed offset of a partition, as a broker does after a pause of the whole group, and gives the partition out anew.
func (g *group) forget(k int) {
	g.mu.Lock()
	g.committed[k] = noOffset
	g.drop(k)
	g.claims[k] = nil
	g.mu.Unlock()
	g.rebalance()
}

// upTo returns the committed offset of a partition.
func (g *group) upTo(k int) int64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.committed[k]
}

// queue carries the lanes that can go on from the view to the owner of a partition, as gateway's waker does.
type queue struct {
	mu     sync.Mutex
	lanes  []ledger.Lane
	signal chan struct{}
}

// wake is called by the view and never waits.
func (p *process) wake(partition int32, l ledger.Lane) {
	p.mu.Lock()
	q := p.queues[partition]
	p.mu.Unlock()
	if q == nil {
		return
	}
	q.mu.Lock()
	q.lanes = append(q.lanes, l)
	q.mu.Unlock()
	select {
	case q.signal <- struct{}{}:
	default:
	}
}

// own begins to queue a partition's lanes.
func (p *process) own(ctx context.Context, partition int32) (<-chan ledger.Lane, func()) {
	q := &queue{signal: make(chan struct{}, 1)}
	p.mu.Lock()
	p.queues[partition] = q
	p.mu.Unlock()
	out := make(chan ledger.Lane)
	ctx, cancel := context.WithCancel(ctx)
	var carrier sync.WaitGroup
	carrier.Go(func() { q.carry(ctx, p, out) })
	return out, func() {
		cancel()
		carrier.Wait()
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.queues[partition] == q {
			delete(p.queues, partition)
		}
	}
}

func (q *queue) carry(ctx context.Context, p *process, out chan<- ledger.Lane) {
	for {
		q.mu.Lock()
		var l ledger.Lane
		some := len(q.lanes) > 0
		if some {
			l, q.lanes = q.lanes[0], q.lanes[1:]
		}
		q.mu.Unlock()
		if !some {
			select {
			case <-q.signal:
				continue
			case <-ctx.Done():
				return
			}
		}
		if p.step(ctx, "wake", l.String()) != nil {
			return
		}
		select {
		case out <- l:
		case <-ctx.Done():
			return
		}
	}
}
