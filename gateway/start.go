package gateway

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/gateway/admin"
	"github.com/einmal-hub/einmal/gateway/bus"
	"github.com/einmal-hub/einmal/gateway/claims"
	"github.com/einmal-hub/einmal/gateway/config"
	"github.com/einmal-hub/einmal/gateway/embedded"
	"github.com/einmal-hub/einmal/gateway/ledger"
	"github.com/einmal-hub/einmal/gateway/parked"
	"github.com/einmal-hub/einmal/gateway/schedule"
	"github.com/einmal-hub/einmal/gateway/seal"
	"github.com/einmal-hub/einmal/gateway/telemetry"
)

func (g *Gateway) startTelemetry(ctx context.Context, s *stack) error {
	c := g.o.Config.Telemetry
	t, err := telemetry.Start(ctx, telemetry.Config{
		Service: c.Service, OTLPEndpoint: c.OTLP.Endpoint, OTLPInsecure: c.OTLP.Insecure, Processors: g.o.Processors, Log: g.o.Log,
	})
	if err != nil {
		return err
	}
	g.telemetry = t
	s.push("telemetry", t.Shutdown)
	return nil
}

// startKeys reads the key file. A gateway that brings its own engines makes one when there is none; that it is the one that the ledger was written with is
// found when the ledger is read.
func (g *Gateway) startKeys(context.Context, *stack) (err error) {
	if Embedded(g.o.Config) {
		g.keys, _, err = seal.LoadOrCreate(g.o.Config.Keys)
		return placed(err, g.o.Config.Keys)
	}
	g.keys, err = seal.Load(g.o.Config.Keys)
	return placed(err, g.o.Config.Keys)
}

// placed names the file or folder that an error is about.
func placed(err error, path string) error {
	var f *fault.Error
	if errors.As(err, &f) {
		return f.At(path)
	}
	return err
}

// Embedded reports whether a configuration leaves both engines to the gateway.
func Embedded(c config.Config) bool { return len(c.Kafka.Brokers) == 0 && c.Redis.Address == "" }

// startEngines starts the embedded engines that the configuration does not replace, and puts their addresses into it.
func (g *Gateway) startEngines(ctx context.Context, s *stack) error {
	c := &g.o.Config
	if len(c.Kafka.Brokers) > 0 && c.Redis.Address != "" {
		return nil
	}
	e, err := embedded.Start(ctx, embedded.Options{Dir: c.Data, Trouble: func(err error) {
		g.o.Log.ErrorContext(ctx, "the embedded broker has trouble with its disk", slog.Any("error", err))
	}})
	if err != nil {
		return err
	}
	s.push("embedded engines", func(context.Context) error { return e.Close() })
	if len(c.Kafka.Brokers) == 0 {
		c.Kafka.Brokers, c.Kafka.Replication, c.Kafka.MinInSync = e.Brokers(), 1, 1
		if c.Instance == "" {
			c.Instance = "embedded" // nobody else can be on this broker
		}
	}
	if c.Redis.Address == "" {
		c.Redis.Address = e.RedisAddr()
	}
	g.o.Log.InfoContext(ctx, "embedded engines are running", slog.String("data", c.Data), slog.Any("kafka", c.Kafka.Brokers), slog.String("redis", c.Redis.Address))
	return nil
}

// startBus opens the bus, and waits for brokers that cannot be reached yet.
func (g *Gateway) startBus(ctx context.Context, s *stack) error {
	bc, err := busConfig(g.o.Config.Kafka, g.o.Config.Instance)
	if err != nil {
		return err
	}
	watch := bus.Watch{
		Lag:     g.telemetry.Instruments().Lag,
		Trouble: func(err error) { g.busTroubled(ctx, err) },
	}
	err = g.patiently(ctx, func() (err error) { g.bus, err = bus.Open(ctx, bc, watch); return err })
	if err == nil {
		s.push("bus", func(context.Context) error { return g.bus.Close() })
	}
	return err
}

// busTroubled says what the bus waits out: nothing moves meanwhile, so somebody must be able to set an alarm on it.
func (g *Gateway) busTroubled(ctx context.Context, err error) {
	op, e := "", new(fault.Error)
	if errors.As(err, &e) {
		op = e.Op
	}
	g.telemetry.Instruments().BusTroubled(op, fault.CodeOf(err))
	g.o.Log.WarnContext(ctx, "the bus has trouble", slog.Any("error", err))
}

// patiently repeats what the brokers do not answer yet: they may not be there, or have just made the topics and have no leader for them.
func (g *Gateway) patiently(ctx context.Context, f func() error) error {
	for pause := time.Second; ; pause = min(2*pause, 15*time.Second) {
		err := f()
		if err == nil || fault.KindOf(err) != fault.Retry {
			return err
		}
		g.o.Log.WarnContext(ctx, "waiting for the brokers", slog.Any("error", err))
		if schedule.Pause(ctx, pause) != nil {
			return ctx.Err()
		}
	}
}

// startClaims opens the connection to Redis. It is not waited for.
func (g *Gateway) startClaims(ctx context.Context, s *stack) error {
	o, err := redisOptions(g.o.Config.Redis)
	if err != nil {
		return err
	}
	o.Failed = g.telemetry.Instruments().RedisFailed
	g.claims = claims.Open(o, ledger.Nonce())
	s.push("claims", func(context.Context) error { return g.claims.Close() })
	if err := g.claims.Ping(ctx); err != nil {
		g.o.Log.WarnContext(ctx, "Redis does not answer; going on from the ledger alone", slog.Any("error", err))
	}
	return nil
}

// readLedger brings the view to the end of the ledger, from what is on the shelf or from its beginning, and goes on reading it.
func (g *Gateway) readLedger(ctx context.Context, s *stack) error {
	cluster := ""
	if err := g.patiently(ctx, func() (err error) { cluster, err = g.bus.Cluster(ctx); return err }); err != nil {
		return err
	}
	g.memory = newMemory(g, cluster)
	var ends []int64
	if err := g.patiently(ctx, func() (err error) { ends, err = g.memory.ends(ctx, g.bus.Topics().Ledger); return err }); err != nil {
		return err
	}
	began := now()
	if err := g.newView(ctx, s, ends); err != nil {
		return err
	}
	g.ledger = ledger.New(port{g.bus}, g.view, now)
	if err := g.telemetry.Observe(g.figures); err != nil {
		return err
	}
	kept := int64(0) // offsets that need not be read
	for partition := range g.bus.Partitions() {
		kept += g.view.Next(partition)
	}
	s.run(ctx, "shelving of the ledger", g.shelve)
	for partition := range g.bus.Partitions() {
		s.run(ctx, "ledger reader", func(ctx context.Context) error {
			from := g.view.Next(partition)
			if from == 0 { // compaction may have removed the first records, and a broker may then say that there is nothing before the first one left
				from = bus.Oldest
			}
			return g.bus.Tail(ctx, g.bus.Topics().Ledger, partition, from, func(r bus.Record) error {
				g.memory.saw(r.Partition, r.Offset, r.Value)
				g.view.Apply(partition, r.Offset, r.Time, r.Value)
				g.keepsUp(ctx)
				return nil
			})
		})
	}
	all, allCtx := errgroup.WithContext(ctx)
	for partition := range g.bus.Partitions() {
		all.Go(func() error {
			return g.patiently(allCtx, func() error { return g.ledger.SyncPartition(allCtx, partition) })
		})
	}
	if err := g.await(ctx, s, ends, all.Wait); err != nil {
		return err
	}
	st := g.view.Stats()
	g.o.Log.InfoContext(ctx, "the ledger is read", slog.Int("cases", st.Cases), slog.Int("messages", st.Messages), slog.Int("open", st.Open),
		slog.Int("parked", st.Parked), slog.Int64("kept", kept), slog.Duration("took", now().Sub(began)))
	return nil
}

// startLedger makes sure that the ledger is the one that is remembered, and that this gateway belongs to it, before anything is decided or written.
func (g *Gateway) startLedger(ctx context.Context, s *stack) error {
	if err := g.readLedger(ctx, s); err != nil {
		return err
	}
	installation := ""
	for _, step := range []func() error{
		func() error { return g.memory.recognise(ctx) },
		func() (err error) { installation, err = g.ledger.Install(ctx); return err },
		func() error { return g.ledger.Belong(ctx, g.keys.DeriveID("keyring")) },
		func() error { return g.ledger.Spread(ctx) },
	} {
		if err := g.patiently(ctx, step); err != nil {
			return err
		}
	}
	g.claims.Use(installation, g.view.Era())
	// Once before anything flows: a folder that cannot be written into is found now.
	if err := g.memory.file.Save(g.memory.mark(), false); err != nil {
		return err
	}
	s.run(ctx, "memory of the ledger", g.memory.run)
	return nil
}

// figures are what the ledger's view holds at present.
func (g *Gateway) figures() telemetry.Figures {
	st := g.view.Stats()
	return telemetry.Figures{
		Cases: st.Cases, Messages: st.Messages, Open: st.Open, Parked: st.Parked, Held: st.Held, Differences: st.Differences, Skipped: st.Skipped, Late: len(g.view.Late(today())),
		NoReceipt: g.unanswered(), Newer: g.newer(),
	}
}

// progressEvery is how often it is said how far something that takes long has come.
const progressEvery = 5 * time.Second

// await runs f while the ledger is read up to ends, says how far that has come, and gives up when a stage that was started has ended by itself.
func (g *Gateway) await(ctx context.Context, s *stack, ends []int64, f func() error) error {
	done := make(chan error, 1)
	go func() { done <- f() }()
	tick := time.NewTicker(progressEvery)
	defer tick.Stop()
	for {
		g.reading.Store(&reading{view: g.view, ends: ends})
		select {
		case err := <-done:
			g.reading.Store(nil)
			return err
		case err := <-s.fatal:
			return err
		case <-tick.C:
			st := g.view.Stats()
			g.o.Log.InfoContext(ctx, "reading the ledger", slog.Int("percent", g.reading.Load().percent()), slog.Int("cases", st.Cases), slog.Int("messages", st.Messages))
		}
	}
}

// reading is how far the ledger is read at the start.
type reading struct {
	view *ledger.View
	ends []int64
}

// percent counts offsets: records that compaction has removed count as read when the next one is.
func (r *reading) percent() int {
	var all, read int64
	for p, end := range r.ends {
		all += end
		read += min(end, r.view.Next(int32(p))) //nolint:gosec // a number of partitions
	}
	return int(100 * read / max(all, 1))
}

// startAdmin listens for operators first of all: a gateway that reads a long ledger is alive and says how far it has come. What needs the ledger is answered 503 until messages flow.
func (g *Gateway) startAdmin(ctx context.Context, s *stack) (err error) {
	g.admin = newGate(admin.Early(g, g.telemetry.MetricsHandler()))
	g.addresses.Admin, err = serve(ctx, s, "admin listener", g.o.Config.Admin, g.admin)
	return err
}

// openAdmin lets operators in; when the gateway stops, what they have begun is finished before anything that it needs is stopped.
func (g *Gateway) openAdmin(_ context.Context, s *stack) error {
	g.admin.open(admin.Handler(g, parked.New(g.ledger), g, g.receipts(), g.telemetry.MetricsHandler()))
	s.push("requests of operators", g.admin.shut)
	return nil
}
