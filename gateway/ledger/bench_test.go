package ledger

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
)

// written is a log that only keeps what is appended, and shows it to a view so that the ledger goes on.
type written struct {
	view   *View
	values [][]byte
}

func (w *written) Append(_ context.Context, _ int32, _ string, value []byte) (int64, error) {
	offset := int64(len(w.values))
	w.values = append(w.values, value)
	w.view.Apply(0, offset, begin, value)
	return offset, nil
}

func (*written) PartitionOf(handover.CaseID) int32 { return 0 }

func (w *written) End(context.Context, int32) (int64, error) { return int64(len(w.values)), nil }

// handOver writes what one handover leaves in the ledger: ten messages, each recorded at two places at the first attempt.
func (w *written) handOver(b *testing.B, l *Ledger, number int) {
	c := handover.CaseID(fmt.Sprintf("5f0f7a52-9f4e-4a43-8f43-%012d", number))
	to := []Destination{other, platform}
	require.NoError(b, l.Bind(b.Context(), c, dossier, native.CaseKey(fmt.Sprint("K-", number))))
	for n := range uint64(10) {
		m := handover.MessageID(fmt.Sprintf("0b9b4d0e-6c4e-4c6f-%04d-%012d", n, number))
		_, ok, err := l.Admit(b.Context(), c, m, Admission{
			Number: n + 1, Place: Place{OnBus, int64(len(w.values))}, Print: string(m), State: handover.Active, To: to, Origin: dossier, Sequence: n + 1,
			Parties: handover.Parties{Assigning: "sd-kriens", Receiving: "rav-luzern"}, Name: "sanction-hint",
		})
		require.NoError(b, err)
		require.True(b, ok)
		for _, at := range to {
			e := Entry{Case: c, Message: m, To: at, Ref: native.Reference(fmt.Sprintf("%s-%.4s", m, at.System))}
			require.NoError(b, l.Intend(b.Context(), e, 1, Nonce()))
			receipt := native.Receipt{Record: native.RecordID(e.Ref), Case: native.CaseKey(fmt.Sprint("A-", number))}
			require.NoError(b, l.Done(b.Context(), e, receipt))
		}
	}
	require.NoError(b, l.Advance(b.Context(), "klib", native.Position(fmt.Sprint(number))))
}

// BenchmarkFold measures how a gateway that starts reads 100,000 records, and what a handover of ten messages to two places weighs: in the log, and in
// the view for as long as the process runs.
func BenchmarkFold(b *testing.B) {
	log, handovers, bytes := year(b)
	var v *View
	before := heap()
	for b.Loop() {
		v = NewView(1, nil)
		for i, value := range log {
			v.Apply(0, int64(i), begin, value)
		}
	}
	b.ReportMetric(float64(b.N*len(log))/b.Elapsed().Seconds(), "records/s")
	b.ReportMetric(float64(bytes)/float64(handovers), "log-B/handover")
	b.ReportMetric(float64(heap()-before)/float64(handovers), "heap-B/handover")
	require.Equal(b, Stats{Cases: handovers, Messages: 10 * handovers}, v.Stats())
	runtime.KeepAlive(log) // it weighs the same before and after
}

// BenchmarkFates measures a sender who asks what has changed, and gets nothing: she pays for every message of the view. A first answer of 1000 is the same and the sorting.
func BenchmarkFates(b *testing.B) {
	log, handovers, _ := year(b)
	v := NewView(1, nil)
	for i, value := range log {
		v.Apply(0, int64(i), begin, value)
	}
	for name, q := range map[string]Query{"nothing new": {Sender: "sd-kriens", After: []int64{int64(len(log))}}, "first page": {Sender: "sd-kriens", Limit: 1000}} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				_, _, _ = v.Fates(q)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(10*handovers), "ns/message")
		})
	}
}

// year returns 100,000 records, how many handovers they are about, and their size.
func year(b *testing.B) (log [][]byte, handovers, bytes int) {
	w := &written{view: NewView(1, nil)}
	l := New(w, w.view, time.Now)
	for ; len(w.values) < 100_000; handovers++ {
		w.handOver(b, l, handovers)
	}
	for _, v := range w.values {
		bytes += len(v)
	}
	return w.values, handovers, bytes
}

// heap returns the bytes in use after a collection.
func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc) //nolint:gosec // far below 2^63
}
