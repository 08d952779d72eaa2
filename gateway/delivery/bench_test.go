package delivery_test

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/gateway/delivery"
	"github.com/einmal-hub/einmal/gateway/ledger"
	"github.com/einmal-hub/einmal/gateway/seal"
)

// quick is a log of one partition that answers at once.
type quick struct {
	mu   sync.Mutex
	view *ledger.View
	end  int64
	bus  []delivery.Record
}

func (q *quick) Append(_ context.Context, _ int32, _ string, value []byte) (int64, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.view.Apply(0, q.end, time.Now(), value)
	q.end++
	return q.end - 1, nil
}

func (*quick) PartitionOf(handover.CaseID) int32 { return 0 }

func (q *quick) End(context.Context, int32) (int64, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.end, nil
}

func (q *quick) ReadAt(_ context.Context, _ int32, offset int64) (delivery.Record, error) {
	return q.bus[offset], nil
}

// taker records everything at once.
type taker struct{}

func (taker) Apply(_ context.Context, e native.Entry) (native.Receipt, error) {
	return native.Receipt{Record: native.RecordID(e.Reference), Case: caseOf(e)}, nil
}

// BenchmarkThroughput measures what one gateway's own work costs: messages from the bus, opened, given their place, and recorded at two places, with a log
// and native systems that answer at once. Each case has two messages.
func BenchmarkThroughput(b *testing.B) {
	keys, _, err := seal.LoadOrCreate(filepath.Join(b.TempDir(), "key"))
	require.NoError(b, err)
	q := &quick{view: ledger.NewView(1, nil)}
	for n := range b.N {
		q.send(b, keys, fmt.Sprint("case-", n/2), n%2 == 0)
	}
	target := delivery.Target{Sink: taker{}, Mapper: plain{}, Abilities: adapters.Abilities{Mode: adapters.ModeA, Bounds: bounds}, Parallel: 64}
	l := ledger.New(q, q.view, time.Now)
	d := delivery.New(delivery.Options{
		Ledger: l, Bus: q, Keys: keys, Claims: nobody{}, Directory: everywhere{[]ledger.Destination{{System: "x"}, {System: "y"}}}, Rules: &rig{}, Again: nobody{},
		Targets:  map[handover.SystemID]delivery.Target{"x": target, "y": target},
		Observer: nobody{}, Tracer: noop.NewTracerProvider().Tracer(""), Log: slog.New(slog.DiscardHandler), Now: time.Now,
	})
	records := make(chan delivery.Record)
	b.ReportAllocs()
	b.ResetTimer()
	go func() {
		defer close(records)
		for _, r := range q.bus {
			records <- r
		}
	}()
	require.NoError(b, d.Run(b.Context(), 0, 0, records, nil, func(int64) {}))
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
	require.Equal(b, ledger.Stats{Cases: (b.N + 1) / 2, Messages: b.N}, l.Stats(), "everything is recorded at both places")
}

// send puts the first or the second message of a case on the bus.
func (q *quick) send(b *testing.B, keys *seal.Keys, c string, first bool) {
	e, p := envelope(c, 1, "application-submitted", "sd-kriens"), handover.Payload(application())
	if !first {
		e, p = envelope(c, 2, "application-decided", "rav-luzern"), handover.ApplicationDecided{Decision: handover.Accepted, DecidedOn: "2026-11-02"}
	}
	value, err := handover.EncodePayload(p)
	require.NoError(b, err)
	sealed, err := keys.Seal(value, e.AssociatedData())
	require.NoError(b, err)
	q.bus = append(q.bus, delivery.Record{Offset: int64(len(q.bus)), Headers: e.Headers(), Value: sealed})
}
