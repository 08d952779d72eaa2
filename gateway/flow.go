package gateway

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/gateway/bus"
	"github.com/einmal-hub/einmal/gateway/delivery"
	"github.com/einmal-hub/einmal/gateway/intake"
	"github.com/einmal-hub/einmal/gateway/ledger"
	"github.com/einmal-hub/einmal/gateway/telemetry"
)

// startSystems lets every connected system be closed at the end, and says which was never measured.
func (g *Gateway) startSystems(ctx context.Context, s *stack) error {
	for _, c := range g.connected {
		if c.unmeasured() {
			g.o.Log.WarnContext(ctx, "nobody has measured whether this system keeps to its mode and bounds", slog.String("system", string(c.id)),
				slog.String("mode", string(c.system.Abilities.Mode)), slog.String("next", c.command()))
		}
		if c.system.Close != nil {
			s.push("system "+string(c.id), func(context.Context) error { return c.system.Close() })
		}
	}
	return nil
}

// startFlow starts what moves messages: first the consumer of the bus, then the readers, then the listener for notifications.
func (g *Gateway) startFlow(ctx context.Context, s *stack) error {
	readers := g.readers()
	d := delivery.New(delivery.Options{
		Ledger: g.ledger, Bus: port{g.bus}, Keys: g.keys, Claims: g.claims, Directory: newPlaces(g.connected), Rules: g.rules, Again: readers,
		Targets: g.targets(), Documents: g.documents(), Applicants: g.applicants(), Observer: observer{g.telemetry.Instruments()}, Tracer: g.telemetry.Tracer(), Log: g.o.Log, Now: now,
	})
	g.delivery.Store(d)
	s.run(ctx, "delivery", func(ctx context.Context) error {
		return g.bus.Consume(ctx, g.o.Config.Kafka.Prefix+".delivery", g.bus.Topics().Handover, func(ctx context.Context, c bus.Claim) error {
			return g.deliver(ctx, d, c)
		})
	})
	for id, r := range readers {
		s.run(ctx, "reader of "+string(id), r.Run)
	}
	return g.startWebhooks(ctx, s, readers)
}

// applicants is where what is known of applicants is kept, if anything can be.
func (g *Gateway) applicants() delivery.Applicants {
	if g.shelf == nil {
		return nil
	}
	return g.shelf
}

// deliver works on one partition of the bus.
func (g *Gateway) deliver(ctx context.Context, d *delivery.Delivery, c bus.Claim) error {
	wake, released := g.waker.own(ctx, c.Partition)
	defer released()
	// The former owner's last decisions must be known before the first own one.
	if err := g.ledger.SyncPartition(ctx, c.Partition); err != nil {
		return err
	}
	g.o.Log.DebugContext(ctx, "partition taken over", slog.Int("partition", int(c.Partition)), slog.Int64("from", c.From))
	records := make(chan delivery.Record)
	var carrier sync.WaitGroup
	ctx, cancel := context.WithCancel(ctx)
	defer carrier.Wait()
	defer cancel()
	carrier.Go(func() { carry(ctx, c.Records, records) })
	return d.Run(ctx, c.Partition, c.From, records, wake, c.Done)
}

// carry hands the bus's records on as delivery wants to see them.
func carry(ctx context.Context, in <-chan bus.Record, out chan<- delivery.Record) {
	defer close(out)
	for {
		select {
		case r, ok := <-in:
			if !ok {
				return
			}
			select {
			case out <- delivery.Record{Offset: r.Offset, Headers: r.Headers, Value: r.Value}:
			case <-ctx.Done():
				return
			}
		case <-ctx.Done():
			return
		}
	}
}

func (g *Gateway) readers() intake.Readers {
	o := intake.Options{
		Ledger: g.ledger, Bus: port{g.bus}, Keys: g.keys, Claims: g.claims, Observer: observer{g.telemetry.Instruments()},
		Tracer: g.telemetry.Tracer(), Log: g.o.Log, Now: now,
	}
	readers := intake.Readers{}
	var read []handover.SystemID
	for _, c := range g.connected {
		if c.config.Read && c.system.Source != nil {
			read = append(read, c.id)
		}
	}
	o.Order = intake.NewOrder(now, read...)
	for _, c := range g.connected {
		if slices.Contains(read, c.id) {
			o.Compare = nil
			if g.o.Config.Reconcile.Every > 0 && !c.system.Abilities.Bounds.Asynchronous() {
				o.Compare = func(id handover.SystemID, _ native.Reference) { g.early.ask(id) }
			}
			readers[c.id] = intake.New(o, intake.Origin{
				ID: c.id, Source: c.system.Source, Mapper: c.mapper, Shared: c.system.Abilities.Shared, Poll: c.config.Poll, Page: c.config.Page,
			})
		}
	}
	return readers
}

func (g *Gateway) targets() map[handover.SystemID]delivery.Target {
	targets := map[handover.SystemID]delivery.Target{}
	for _, c := range g.connected {
		if c.config.Write && c.system.Sink != nil {
			targets[c.id] = delivery.Target{
				Sink: c.system.Sink, Finder: c.system.Finder, Mapper: c.mapper, Abilities: c.system.Abilities, Parallel: c.config.Parallel,
			}
		}
	}
	return targets
}

func (g *Gateway) documents() map[handover.SystemID]adapters.Documents {
	all := map[handover.SystemID]adapters.Documents{}
	for _, c := range g.connected {
		if c.system.Documents != nil {
			all[c.id] = c.system.Documents
		}
	}
	return all
}

func (g *Gateway) startWebhooks(ctx context.Context, s *stack, readers intake.Readers) (err error) {
	if g.o.Config.Listen == "" {
		return nil
	}
	listeners := map[handover.SystemID]listener{}
	for _, c := range g.connected {
		if r := readers[c.id]; r != nil && c.system.Webhook != nil {
			listeners[c.id] = listener{webhook: c.system.Webhook, wake: r.Wake}
		}
	}
	waiting, giveUp := context.WithCancel(context.WithoutCancel(ctx))
	g.addresses.Listen, err = serve(ctx, s, "notification listener", g.o.Config.Listen, g.outside(webhooks(waiting, g.o.Log, listeners)))
	// A notification that waits for a reading must not hold up the stop: it is answered 503 and comes again.
	s.push("waiting notifications", func(context.Context) error { giveUp(); return nil })
	return err
}

// Ready returns nil while messages flow.
func (g *Gateway) Ready() error {
	if g.ready.Load() {
		return nil
	}
	text := "the gateway is starting or stopping"
	if r := g.reading.Load(); r != nil {
		text = fmt.Sprintf("the ledger is being read: %d %%", r.percent())
	}
	return fault.New(fault.Retry, "gateway.ready", "not-ready", text)
}

// Stats returns the figures of the ledger's view. It may be called once messages flow.
func (g *Gateway) Stats() ledger.Stats { return g.view.Stats() }

// Status is how a running gateway is.
type Status struct {
	ledger.Stats
	// Newer is how many lanes wait for a gateway of a newer version.
	Newer int `json:"newer"`
	// Era is how many losses of the ledger a person has accepted.
	Era   int   `json:"era"`
	Redis Views `json:"redis"`
}

// Status returns the same figures, and more, for the admin address.
func (g *Gateway) Status() any {
	return Status{Stats: g.Stats(), Newer: g.newer(), Era: g.view.Era(), Redis: g.memory.redis.say()}
}

func (g *Gateway) newer() int {
	if d := g.delivery.Load(); d != nil {
		return d.Newer()
	}
	return 0
}

// Late returns what has not come by its day, as of today in UTC, for the admin address. It may be called once messages flow.
func (g *Gateway) Late() any {
	if late := g.view.Late(today()); late != nil {
		return late
	}
	return []ledger.Late{}
}

func today() handover.Date { return handover.Date(now().UTC().Format(time.DateOnly)) }

// observer gives telemetry what intake and delivery count.
type observer struct{ t *telemetry.Instruments }

func (o observer) Delivered(ctx context.Context, to ledger.Destination, since time.Duration) {
	o.t.Delivered(ctx, to.String(), since)
}

func (o observer) Attempted(ctx context.Context, to ledger.Destination, outcome string) {
	o.t.Attempted(ctx, to.String(), outcome)
}

func (o observer) Parked(ctx context.Context, to ledger.Destination, code string) {
	o.t.Parked(ctx, to.String(), code)
}

func (o observer) Read(ctx context.Context, from handover.SystemID, outcome string) {
	o.t.Read(ctx, string(from), outcome)
}

func (o observer) Unread(ctx context.Context, from handover.SystemID, code string) {
	o.t.Unread(ctx, string(from), code)
}

func (o observer) Published(ctx context.Context, from handover.SystemID, name handover.Name) {
	o.t.Published(ctx, string(from), string(name))
}
