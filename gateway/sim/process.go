package sim

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/trace/noop"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/gateway/delivery"
	"github.com/einmal-hub/einmal/gateway/intake"
	"github.com/einmal-hub/einmal/gateway/ledger"
	"github.com/einmal-hub/einmal/gateway/parked"
)

var errDead = errors.New("the process is dead")

// process is one life of one gateway.
type process struct {
	w    *world
	name string
	skew time.Duration // its clock is wrong by so much

	ctx    context.Context
	cancel context.CancelFunc
	dead   chan struct{}

	mu     sync.Mutex
	thaw   chan struct{} // not nil while it is stopped (SIGSTOP)
	queues map[int32]*queue

	disk     *disk
	view     *ledger.View
	ledger   *ledger.Ledger
	desk     *parked.Desk
	delivery *delivery.Delivery
	readers  intake.Readers
	ready    atomic.Bool
	running  sync.WaitGroup
}

// newProcess makes the parts of a gateway as package gateway wires them.
func newProcess(w *world, name string, d *disk) *process {
	p := &process{w: w, name: name, disk: d, dead: make(chan struct{}), queues: map[int32]*queue{}}
	p.skew = w.dice.draw("skew", name).between(0, bounds().Margin/2) - bounds().Margin/4
	p.ctx, p.cancel = context.WithCancel(context.Background())
	p.view = ledger.NewView(w.plan.partitions, p.wake)
	p.resume()
	p.ledger = ledger.New(port{p}, p.view, p.now)
	p.desk = parked.New(p.ledger)
	tracer, log := noop.NewTracerProvider().Tracer(""), slog.New(slog.DiscardHandler)
	p.readers = intake.Readers{}
	targets := map[handover.SystemID]delivery.Target{}
	for _, s := range w.systems {
		source, sink, finder := w.hooks.connect(p, s)
		p.readers[s.id] = intake.New(intake.Options{
			Ledger: p.ledger, Bus: port{p}, Keys: keys{w, p}, Claims: claims{p}, Observer: nobody{}, Tracer: tracer, Log: log, Now: p.now,
			Compare: func(id handover.SystemID, ref native.Reference) { w.suspected(p.name, id, ref) },
		}, intake.Origin{ID: s.id, Source: source, Mapper: mapper{w, s.id}, Shared: s.shared, Poll: 20 * time.Second, Page: w.plan.page})
		targets[s.id] = delivery.Target{
			Sink: sink, Finder: finder, Mapper: mapper{w, s.id}, Parallel: 3,
			Abilities: adapters.Abilities{Mode: s.mode, Bounds: s.bounds(), Shared: s.shared},
		}
	}
	p.delivery = delivery.New(delivery.Options{
		Ledger: p.ledger, Bus: port{p}, Keys: keys{w, p}, Claims: claims{p}, Directory: w, Rules: w, Again: p.readers, Targets: targets,
		Observer: nobody{}, Tracer: tracer, Log: log, Window: w.plan.window, Now: p.now, Protocol: w.hooks.protocol(p),
	})
	return p
}

func (p *process) now() time.Time { return time.Now().Add(p.skew) }

// step lets a call of an interface take its time. It returns an error when ctx ends or the process dies first: then the call has no effect.
func (p *process) step(ctx context.Context, what ...string) error {
	return p.stepFor(ctx, time.Hour, what...)
}

// stepFor is step, held up by a stopped process for a limited time only.
func (p *process) stepFor(ctx context.Context, most time.Duration, what ...string) error {
	number, _ := ctx.Value(claimKey{}).(string)
	c := p.w.dice.draw(append(what, p.name, number)...)
	if err := p.rest(ctx, p.w.plan.latency(c)); err != nil {
		return err
	}
	p.mu.Lock()
	thaw := p.thaw
	p.mu.Unlock()
	if thaw == nil {
		return nil
	}
	select {
	case <-thaw:
	case <-time.After(most):
	case <-p.dead:
		return errDead
	}
	return p.rest(ctx, c.between(time.Microsecond, time.Millisecond)) // all calls that wait go on at the same moment otherwise
}

func (p *process) rest(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-p.dead:
		return errDead
	}
}

// start runs the process in the order in which package gateway starts its parts.
func (p *process) start() {
	for k := range p.w.plan.partitions {
		p.running.Go(func() { p.feed(k) })
	}
	p.running.Go(p.shelve)
	p.running.Go(func() {
		for k := range p.w.plan.partitions {
			if !p.persist(p.ctx, func() error { return p.ledger.SyncPartition(p.ctx, k) }) {
				return
			}
		}
		if !p.persist(p.ctx, func() error { _, err := p.ledger.Install(p.ctx); return err }) {
			return
		}
		p.ready.Store(true)
		for _, s := range p.w.systems {
			p.running.Go(func() { _ = p.readers[s.id].Run(p.ctx) })
		}
		p.w.note(p.name, "ready")
		p.w.group.join(p)
	})
}

// persist repeats until success; false when the process ends first.
func (p *process) persist(ctx context.Context, f func() error) bool {
	for n := 0; f() != nil; n++ {
		if p.rest(ctx, p.w.dice.draw("persist", p.name).between(100*time.Millisecond, 2*time.Second)) != nil {
			return false
		}
	}
	return true
}

// feed gives the view one partition of the ledger, late.
func (p *process) feed(partition int32) {
	log := p.w.ledgers[partition]
	for next := p.view.Next(partition); ; {
		e, ok, more := log.after(next)
		if !ok {
			select {
			case <-more:
			case <-p.ctx.Done():
				return
			case <-p.dead:
				return
			}
			continue
		}
		lag := p.w.dice.draw("fold", p.name, strconv.Itoa(int(partition)), strconv.FormatInt(e.offset, 10))
		if p.rest(context.Background(), p.w.lag(lag)) != nil || p.step(context.Background(), "fold", strconv.FormatInt(e.offset, 10)) != nil {
			return
		}
		if p.w.plan.fetchesLate {
			if e, ok, _ = log.after(next); !ok {
				continue
			}
		}
		if p.w.hooks.fold != nil {
			e = p.w.hooks.fold(p, partition, e)
		}
		p.view.Apply(partition, e.offset, e.at, e.value)
		next = e.offset + 1
	}
}

// kill ends the process at once: nothing that it does afterwards has an effect.
func (p *process) kill() {
	p.w.note(p.name, "killed")
	close(p.dead)
	p.cancel()
}

func (p *process) isDead() bool {
	select {
	case <-p.dead:
		return true
	default:
		return false
	}
}

// freeze stops the process for a while, as SIGSTOP does.
func (p *process) freeze(d time.Duration) {
	p.w.note(p.name, "stopped for", d.String())
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.thaw != nil {
		return
	}
	thaw := make(chan struct{})
	p.thaw = thaw
	p.w.background.Go(func() {
		elapse(min(d, session))
		if d > session {
			p.w.group.leave(p) // it has sent no heartbeat
			elapse(d - session)
		}
		p.mu.Lock()
		p.thaw = nil
		p.mu.Unlock()
		close(thaw)
		p.w.note(p.name, "goes on")
		if d > session && p.rest(context.Background(), 100*time.Millisecond) == nil {
			p.w.group.join(p)
		}
	})
}

// session is how long the group waits for a heartbeat.
const session = 6 * time.Second

// awake waits until the process is not stopped.
func (p *process) awake() {
	p.mu.Lock()
	thaw := p.thaw
	p.mu.Unlock()
	if thaw != nil {
		<-thaw
	}
}

// nobody counts nothing.
type nobody struct{}

func (nobody) Delivered(context.Context, ledger.Destination, time.Duration) {}
func (nobody) Attempted(context.Context, ledger.Destination, string)        {}
func (nobody) Parked(context.Context, ledger.Destination, string)           {}
func (nobody) Read(context.Context, handover.SystemID, string)              {}
func (nobody) Unread(context.Context, handover.SystemID, string)            {}
func (nobody) Published(context.Context, handover.SystemID, handover.Name)  {}
