package telemetry

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/einmal-hub/einmal/contracts/fault"
)

// Instruments count and measure. Its methods take systems and destinations as text ("klib", "klib/sd-kriens"), are safe for concurrent use, and are
// given nothing that says something about a person.
type Instruments struct {
	read, unread, published, attempts, parkings, bus, redis, export metric.Int64Counter
	delivered                                                       metric.Float64Histogram
	lag, findings, compared, asked                                  metric.Int64Gauge
}

// buckets are the bounds of the histogram of deliveries, in seconds: from systems that answer at once to those that are down for an hour.
func buckets() []float64 {
	return []float64{0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600}
}

func newInstruments(m metric.Meter) (*Instruments, error) {
	var i Instruments
	var errs []error
	for _, c := range []struct {
		into       *metric.Int64Counter
		name, text string
	}{
		{&i.read, MetricRead, "Records read from native systems."},
		{&i.unread, MetricUnread, "Readings of native systems that failed and are tried again."},
		{&i.published, MetricPublished, "Messages put on the bus."},
		{&i.attempts, MetricAttempts, "Requests to native systems."},
		{&i.parkings, MetricParkings, "Messages that began to wait for a person."},
		{&i.bus, MetricBus, "What the bus waits out. Nothing is lost by it, and nothing moves."},
		{&i.redis, MetricRedis, "Failed commands to Redis. Nothing is lost by them."},
		{&i.export, MetricExport, "Batches of spans that the collector did not take."},
	} {
		counter, err := m.Int64Counter(c.name, metric.WithDescription(c.text))
		*c.into = counter
		errs = append(errs, err)
	}
	var err error
	i.delivered, err = m.Float64Histogram(MetricDelivered, metric.WithUnit("s"), metric.WithExplicitBucketBoundaries(buckets()...),
		metric.WithDescription("Time from the entry in one native system to the entry in another."))
	errs = append(errs, err)
	i.export.Add(nowhere(), 0) // a figure that is missing cannot be told from zero
	for _, g := range []struct {
		into       *metric.Int64Gauge
		name, text string
	}{
		{&i.lag, MetricLag, "Messages on the bus that are not complete."},
		{&i.findings, MetricFindings, "Differences between the ledger and a native system that no person has accepted."},
		{&i.asked, MetricAsked, "When an organisation read its receipts last, in seconds since 1970."},
		{&i.compared, MetricCompared, "When a native system was compared with the ledger last, in seconds since 1970."},
	} {
		gauge, err := m.Int64Gauge(g.name, metric.WithDescription(g.text))
		*g.into = gauge
		errs = append(errs, err)
	}
	return &i, fault.Wrap(fault.Stop, "telemetry.instruments", errors.Join(append(errs, err)...))
}

// Read counts a record read from a native system by what became of it.
func (i *Instruments) Read(ctx context.Context, from, outcome string) {
	i.read.Add(ctx, 1, metric.WithAttributes(attribute.String(AttrSystem, from), attribute.String(AttrOutcome, outcome)))
}

// Unread counts a reading of a native system that failed; code is the stable code of the reason.
func (i *Instruments) Unread(ctx context.Context, from, code string) {
	i.unread.Add(ctx, 1, metric.WithAttributes(attribute.String(AttrSystem, from), attribute.String(AttrReason, code)))
}

// Published counts a message put on the bus by the system that it came from and its name in the catalogue.
func (i *Instruments) Published(ctx context.Context, from, name string) {
	i.published.Add(ctx, 1, metric.WithAttributes(attribute.String(AttrSystem, from), attribute.String(AttrMessageName, name)))
}

// Delivered measures an entry at a destination; since is the time from its entry in the native system that it came from. A time below zero
// (clocks differ) counts as zero.
func (i *Instruments) Delivered(ctx context.Context, to string, since time.Duration) {
	i.delivered.Record(ctx, max(since, 0).Seconds(), metric.WithAttributes(attribute.String(AttrDestination, to)))
}

// Attempted counts one request to a native system by what came of it.
func (i *Instruments) Attempted(ctx context.Context, to, outcome string) {
	i.attempts.Add(ctx, 1, metric.WithAttributes(attribute.String(AttrDestination, to), attribute.String(AttrOutcome, outcome)))
}

// Parked counts a message that begins to wait for a person; code is the stable code of the reason.
func (i *Instruments) Parked(ctx context.Context, to, code string) {
	i.parkings.Add(ctx, 1, metric.WithAttributes(attribute.String(AttrDestination, to), attribute.String(AttrReason, code)))
}

// Compared says what a comparison of the ledger with a native system has found, by kind, and when.
func (i *Instruments) Compared(system string, findings map[string]int, at time.Time) {
	for kind, n := range findings {
		i.findings.Record(nowhere(), int64(n), metric.WithAttributes(attribute.String(AttrSystem, system), attribute.String(AttrDiffers, kind)))
	}
	i.compared.Record(nowhere(), at.Unix(), metric.WithAttributes(attribute.String(AttrSystem, system)))
}

// Asked says when an organisation read its receipts; the zero time: never yet.
func (i *Instruments) Asked(sender string, at time.Time) {
	seconds := int64(0)
	if !at.IsZero() {
		seconds = at.Unix()
	}
	i.asked.Record(nowhere(), seconds, metric.WithAttributes(attribute.String(AttrSender, sender)))
}

// RedisFailed counts a failed command to Redis.
func (i *Instruments) RedisFailed(op string) {
	i.redis.Add(nowhere(), 1, metric.WithAttributes(attribute.String(AttrOperation, op)))
}

// BusTroubled counts what the bus waits out, by what it was doing and the stable code of the reason.
func (i *Instruments) BusTroubled(op, code string) {
	i.bus.Add(nowhere(), 1, metric.WithAttributes(attribute.String(AttrOperation, op), attribute.String(AttrReason, code)))
}

// Lag says how many records of a partition a group has not completed at present.
func (i *Instruments) Lag(group string, partition int32, records int64) {
	i.lag.Record(nowhere(), records, metric.WithAttributes(attribute.String(AttrGroup, group), attribute.Int(AttrPartition, int(partition))))
}

func (i *Instruments) exportFailed() { i.export.Add(nowhere(), 1) }

// nowhere is the context of what is counted outside any message: a context serves instruments only to tie a figure to a trace.
func nowhere() context.Context { return context.Background() }
