package telemetry

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/einmal-hub/einmal/contracts/fault"
)

// Figures are what can be counted at a moment.
type Figures struct {
	Cases       int // cases in the ledger
	Messages    int // messages admitted to their cases
	Open        int // admitted and not yet recorded everywhere
	Parked      int // a person must decide
	Held        int // waiting behind another message of their case
	Differences int // between the ledger and a native system, before a person
	Skipped     int // ledger records that this version cannot read
	Lanes       int // lanes that have something to do
	Late        int // answers and meetings that have not come by their day
	NoReceipt   int // messages without a receipt after the bound, at each place
	Newer       int // lanes that wait for a gateway of a newer version
}

// Observe lets the gauges show what figures returns. It is called whenever metrics are read, concurrently with everything else, and must not
// block. Call Observe once. Errors are of kind Stop.
func (t *Telemetry) Observe(figures func() Figures) error {
	var failed error
	gauge := func(name, text string) metric.Int64ObservableGauge {
		g, err := t.meter.Int64ObservableGauge(name, metric.WithDescription(text))
		if err != nil {
			failed = err
		}
		return g
	}
	cases := gauge(MetricCases, "Cases in the ledger.")
	messages := gauge(MetricMessages, "Messages admitted to their cases.")
	open := gauge(MetricOpen, "Admitted messages that are not yet recorded everywhere.")
	waiting := gauge(MetricWaiting, "Messages that wait for a person, or behind one that does.")
	skipped := gauge(MetricSkipped, "Ledger records that this version cannot read.")
	lanes := gauge(MetricLanes, "Lanes that have something to do.")
	late := gauge(MetricLate, "Answers and meetings that have not come by their day.")
	noReceipt := gauge(MetricNoReceipt, "Messages of which nothing is known at a place after the bound.")
	newer := gauge(MetricNewer, "Lanes that wait for a gateway of a newer version.")
	if failed != nil {
		return fault.Wrap(fault.Stop, "telemetry.observe", failed)
	}
	_, err := t.meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		f := figures()
		o.ObserveInt64(cases, int64(f.Cases))
		o.ObserveInt64(messages, int64(f.Messages))
		o.ObserveInt64(open, int64(f.Open))
		o.ObserveInt64(waiting, int64(f.Parked), metric.WithAttributes(attribute.String(AttrStatus, "parked")))
		o.ObserveInt64(waiting, int64(f.Held), metric.WithAttributes(attribute.String(AttrStatus, "held")))
		o.ObserveInt64(waiting, int64(f.Differences), metric.WithAttributes(attribute.String(AttrStatus, "difference")))
		o.ObserveInt64(skipped, int64(f.Skipped))
		o.ObserveInt64(lanes, int64(f.Lanes))
		o.ObserveInt64(late, int64(f.Late))
		o.ObserveInt64(noReceipt, int64(f.NoReceipt))
		o.ObserveInt64(newer, int64(f.Newer))
		return nil
	}, cases, messages, open, waiting, skipped, lanes, late, noReceipt, newer)
	return fault.Wrap(fault.Stop, "telemetry.observe", err)
}
