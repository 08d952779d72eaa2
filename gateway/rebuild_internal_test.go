package gateway

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/gateway/claims"
	"github.com/einmal-hub/einmal/gateway/config"
	"github.com/einmal-hub/einmal/gateway/ledger"
	"github.com/einmal-hub/einmal/gateway/shelf"
)

// paper is a ledger topic that is read as it is written and not kept: what is measured is the reading, and that what was read is put on the shelf.
type paper struct {
	gateway *Gateway
	view    *ledger.View
	end     int64
	read    time.Duration
	rested  int
}

func (p *paper) Append(ctx context.Context, _ int32, _ string, value []byte) (int64, error) {
	began := time.Now()
	p.view.Apply(0, p.end, began, value)
	if p.view.Fresh() >= mostAhead/2 {
		p.rested, _ = p.gateway.put(ctx, p.rested)
	}
	p.read += time.Since(began)
	p.end++
	return p.end - 1, nil
}

func (*paper) PartitionOf(handover.CaseID) int32 { return 0 }

func (p *paper) End(context.Context, int32) (int64, error) { return p.end, nil }

// handOver writes what one handover of ten messages leaves, each recorded at two places at the first attempt.
func handOver(b testing.TB, l *ledger.Ledger, number int) {
	b.Helper()
	ctx, c := b.Context(), handover.CaseID(fmt.Sprintf("5f0f7a52-9f4e-4a43-8f43-%012d", number))
	origin := ledger.Destination{System: "klib", Organisation: "sd-kriens"}
	to := []ledger.Destination{{System: "avam", Organisation: "rav-luzern"}, {System: "casenet"}}
	for n := range 10 {
		m := handover.MessageID(fmt.Sprintf("0b9b4d0e-6c4e-4c6f-%04d-%012d", n, number))
		_, _, err := l.Admit(ctx, c, m, ledger.Admission{
			Number: uint64(n) + 1, Place: ledger.Place{Topic: ledger.OnBus, Offset: int64(10*number + n)}, Print: string(m), State: handover.Active, To: to, Origin: origin,
			Sequence: uint64(n) + 1, Parties: handover.Parties{Assigning: "sd-kriens", Receiving: "rav-luzern"}, Name: "sanction-hint",
			Record: native.RecordID(fmt.Sprintf("K-%d-%d", number, n)), Entered: time.Unix(1_790_000_000, 0).UTC(),
			Said: &handover.Said{ID: m, Name: "sanction-hint", Sender: "sd-kriens", From: handover.Active, To: handover.Active},
		})
		require.NoError(b, err)
		for _, at := range to {
			e := ledger.Entry{Case: c, Message: m, To: at, Ref: native.Reference(fmt.Sprintf("%s-%.4s", m, at.System))}
			require.NoError(b, l.Intend(ctx, e, 1, ledger.Nonce()))
			require.NoError(b, l.Done(ctx, e, native.Receipt{Record: native.RecordID(e.Ref), Case: native.CaseKey(fmt.Sprint("A-", number))}))
		}
	}
}

// BenchmarkRebuild measures a start with an empty Redis: how long reading the ledger of EINMAL_HANDOVERS (2,000) handovers takes, before which nothing is decided, and how long filling Redis
// takes beside the work afterwards, if all of it was recorded within the time that views are kept. What is read is put on a shelf in TMPDIR, which is larger than 20 GB for a million. Redis is that of
// EINMAL_TEST_REDIS, or one in this process.
func BenchmarkRebuild(b *testing.B) {
	handovers := 2000
	if v := os.Getenv("EINMAL_HANDOVERS"); v != "" {
		n, err := strconv.Atoi(v)
		require.NoError(b, err)
		handovers = n
	}
	address := os.Getenv("EINMAL_TEST_REDIS")
	if address == "" {
		address = miniredis.RunT(b).Addr()
	}
	for b.Loop() {
		kept, err := shelf.Open(filepath.Join(b.TempDir(), "shelf.db"), shelf.Name{Build: "bench", Cluster: "c", Topic: "t"})
		require.NoError(b, err)
		log := &paper{view: ledger.NewView(1, nil)}
		require.NoError(b, log.view.Resume(kept, func(err error) { b.Error(err) }))
		log.gateway = &Gateway{view: log.view, shelf: kept}
		log.gateway.o.Log = slog.New(slog.DiscardHandler)
		l := ledger.New(log, log.view, time.Now)
		for n := range handovers {
			handOver(b, l, n)
		}
		var memory runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&memory)
		g := &Gateway{view: log.view, claims: claims.Open(claims.Options{Address: address, Keep: 24 * time.Hour}, ledger.Nonce())}
		g.o.Log, g.o.Config = slog.New(slog.DiscardHandler), config.Config{Redis: config.Redis{Keep: 24 * time.Hour}}
		g.claims.Use(ledger.Nonce(), 0)
		v := &views{g: g}
		began := time.Now()
		v.fill(b.Context())
		v.filling.Wait()
		filled := time.Since(began)
		whole, err := g.claims.Filled(b.Context())
		require.NoError(b, err)
		require.True(b, whole)
		require.EqualValues(b, 20*handovers+2*handovers, v.written.Load())
		require.NoError(b, g.claims.Close())
		require.NoError(b, kept.Close())
		b.ReportMetric(log.read.Seconds(), "s-reading")
		b.ReportMetric(filled.Seconds(), "s-filling")
		b.ReportMetric(float64(log.end), "ledger-records")
		b.ReportMetric(float64(memory.HeapAlloc)/(1<<30), "GiB")
	}
}
