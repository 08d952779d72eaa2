package gateway

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/gateway/bus"
	"github.com/einmal-hub/einmal/gateway/ledger"
	"github.com/einmal-hub/einmal/gateway/reconcile"
	"github.com/einmal-hub/einmal/gateway/schedule"
)

// Compare compares the ledger with what stands in the native systems, from outside: with connections of its own, by the configuration that it is given, and without any running gateway. It
// writes nothing, except that missing topics are made. Call it on a gateway that does not run; a running one is asked at its admin address. It needs brokers in the configuration (kind Stop, code embedded): embedded ones
// belong to the gateway that runs them.
func (g *Gateway) Compare(ctx context.Context, only []handover.SystemID, progress func(reconcile.Progress)) (report reconcile.Report, err error) {
	if len(g.o.Config.Kafka.Brokers) == 0 {
		return report, fault.New(fault.Stop, "gateway.compare", "embedded", "the broker is embedded in the gateway").Hint("let the running gateway compare, at its admin address")
	}
	c, err := busConfig(g.o.Config.Kafka, "")
	if err != nil {
		return report, err
	}
	b, err := bus.Open(ctx, c, bus.Watch{})
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	return g.compare(ctx, b, only, progress)
}

// compare reads the lists over connections of their own: a source is not read by two at a time, and the readers of this gateway go on.
func (g *Gateway) compare(ctx context.Context, b *bus.Bus, only []handover.SystemID, progress func(reconcile.Progress)) (report reconcile.Report, err error) {
	connected, err := connect(g.o.Config, g.o.Factories, g.o.Mappers)
	if err != nil {
		return report, err
	}
	o := reconcile.Options{Log: rawLedger{b}, Only: only, Now: now, Progress: progress}
	for _, k := range connected {
		s := reconcile.System{ID: k.id, Bounds: k.system.Abilities.Bounds}
		if k.config.Read {
			s.Source = k.system.Source
		}
		o.Systems = append(o.Systems, s)
		if k.system.Close != nil {
			defer func() { err = errors.Join(err, k.system.Close()) }()
		}
	}
	return reconcile.Run(ctx, o)
}

// rawLedger shows the ledger topic as it lies there.
type rawLedger struct{ bus *bus.Bus }

// Ends implements [reconcile.Log].
func (l rawLedger) Ends(ctx context.Context) ([]int64, error) {
	ends := make([]int64, l.bus.Partitions())
	for p := range ends {
		var err error
		if ends[p], err = l.bus.End(ctx, l.bus.Topics().Ledger, int32(p)); err != nil { //nolint:gosec // a number of partitions
			return nil, err
		}
	}
	return ends, nil
}

// errEnd ends a reading at the place where it is to end.
var errEnd = errors.New("gateway.raw-ledger: the end")

// Read implements [reconcile.Log]. Compaction may have removed records at either end, so it ends with the first record that is not before to, too.
func (l rawLedger) Read(ctx context.Context, partition int32, from, to int64, fn func(reconcile.Record) error) error {
	if from == 0 {
		from = bus.Oldest
	}
	err := l.bus.Tail(ctx, l.bus.Topics().Ledger, partition, from, func(r bus.Record) error {
		if r.Offset < to {
			if err := fn(reconcile.Record{Partition: partition, Offset: r.Offset, At: r.Time, Value: r.Value}); err != nil {
				return err
			}
		}
		if r.Offset >= to-1 {
			return errEnd
		}
		return nil
	})
	switch {
	case errors.Is(err, errEnd):
		return nil
	case err == nil:
		return fault.Wrap(fault.Retry, "gateway.raw-ledger", ctx.Err())
	}
	return err
}

// Reconcile compares now, on the connections of this gateway's configuration, tells the metrics, and puts what nobody was asked about before a person if park is set. Two comparisons of one
// gateway follow each other. It may be called once messages flow.
func (g *Gateway) Reconcile(ctx context.Context, only []handover.SystemID, park bool) (reconcile.Report, error) {
	g.comparing.Lock()
	defer g.comparing.Unlock()
	report, err := g.compare(ctx, g.bus, only, nil)
	if err != nil {
		return report, err
	}
	for _, s := range report.Systems {
		g.tell(ctx, s, report.Ended)
	}
	if park {
		_, err = g.Ask(ctx, report.Findings)
	}
	return report, err
}

// tell writes one system's result to metrics and log.
func (g *Gateway) tell(ctx context.Context, r reconcile.Result, at time.Time) {
	level, found := slog.LevelInfo, 0
	kinds := map[string]int{}
	for k, n := range r.Findings {
		kinds[string(k)], found = n, found+n
	}
	if r.Status == reconcile.Compared {
		g.telemetry.Instruments().Compared(string(r.System), kinds, at)
	}
	if found > 0 || r.Status == reconcile.Unreadable {
		level = slog.LevelWarn
	}
	g.o.Log.Log(ctx, level, "compared with the ledger", slog.String("system", string(r.System)), slog.String("status", string(r.Status)), slog.String("why", r.Why),
		slog.Int("recorded", r.Recorded), slog.Int("listed", r.Listed), slog.Int("inFlight", r.InFlight), slog.Int("accepted", r.Accepted), slog.Any("findings", kinds))
}

// Ask puts findings before a person, each once: it returns how many of them nobody was asked about before.
func (g *Gateway) Ask(ctx context.Context, findings []reconcile.Finding) (int, error) {
	asked := 0
	for _, f := range findings {
		if f.State != reconcile.New {
			continue
		}
		e, d := difference(f, now().UTC())
		fresh, err := g.ledger.Differ(ctx, e, d)
		if err != nil {
			return asked, err
		}
		if fresh {
			asked++
		}
	}
	return asked, nil
}

// difference says a finding in the words of the ledger.
func difference(f reconcile.Finding, at time.Time) (ledger.Entry, ledger.Difference) {
	e := ledger.Entry{
		Case: f.Case, Message: f.Message, To: ledger.Destination{System: f.System, Organisation: f.Organisation}, Ref: f.Reference,
	}
	return e, ledger.Difference{
		ID: f.ID, Kind: ledger.DifferenceKind(f.Kind), System: f.System, Ledger: standing(f.System, f.Ledger), Native: standing(f.System, f.Native), Differs: f.Differs,
		Announced: f.Announced, Attempt: f.Attempt, Recorded: f.Since, Found: at, Name: f.Name,
		Reason: ledger.Reason{Code: string(f.Kind), Text: f.Text, Next: f.Next},
	}
}

func standing(system handover.SystemID, all []reconcile.Stands) []ledger.Entered {
	var out []ledger.Entered
	for _, s := range all {
		out = append(out, ledger.Entered{System: system, Case: s.Case, Record: s.Record})
	}
	return out
}

// firstComparison is how long after a start the first comparison is made at the latest: a gateway that is restarted every day must not be one that never compares.
const firstComparison = 5 * time.Minute

// startReconciliation compares now and then, until the gateway stops. Which gateway does it is settled by a claim for the time between two comparisons; without Redis
// each does it, which costs time and nothing else.
func (g *Gateway) startReconciliation(ctx context.Context, s *stack) error {
	c := g.o.Config.Reconcile
	if c.Every <= 0 {
		return nil
	}
	s.run(ctx, "reconciliation", func(ctx context.Context) error {
		again := max(c.Every/10, time.Millisecond)
		for wait := min(c.Every, firstComparison); schedule.Pause(ctx, wait) == nil; {
			wait = again
			if !g.claims.Claim(ctx, "reconciliation", c.Every-again) {
				continue
			}
			if _, err := g.Reconcile(ctx, nil, c.Park); err == nil {
				wait = c.Every
			} else if ctx.Err() == nil {
				g.o.Log.WarnContext(ctx, "the comparison with the native systems is tried again", slog.Any("error", err))
				g.claims.Release(ctx, "reconciliation")
			}
		}
		return nil
	})
	return nil
}
