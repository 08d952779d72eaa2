package shelf_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/gateway/ledger"
	"github.com/einmal-hub/einmal/gateway/shelf"
)

// handOver writes what one handover of ten messages leaves in the ledger, each recorded at two places at the first attempt.
func handOver(b testing.TB, number int) (all [][]byte) {
	b.Helper()
	add := func(r ledger.Record) {
		r.V, r.Nonce = 1, ledger.Nonce()
		all = append(all, valueOf(b, r))
	}
	c := handover.CaseID(fmt.Sprintf("5f0f7a52-9f4e-4a43-8f43-%012d", number))
	for n := range 10 {
		m := handover.MessageID(fmt.Sprintf("0b9b4d0e-6c4e-4c6f-%04d-%012d", n, number))
		a := ledger.Admission{
			Number: uint64(n) + 1, Place: ledger.Place{Topic: ledger.OnBus, Offset: int64(10*number + n)}, Print: string(m), State: handover.Active, To: places[1:], Origin: places[1], Sequence: uint64(n) + 1,
			Parties: handover.Parties{Assigning: "sd-kriens", Receiving: "rav-luzern"}, Name: "sanction-hint", Said: &handover.Said{ID: m, Name: "sanction-hint", Sender: "sd-kriens", From: handover.Active, To: handover.Active},
		}
		if n == 9 {
			a.State = handover.Closed
		}
		add(ledger.Record{Kind: ledger.Admit, Case: c, Message: m, Admission: &a})
		for _, at := range places[1:] {
			ref := native.Reference(fmt.Sprintf("%s-%.4s", m, at.System))
			add(ledger.Record{Kind: ledger.Intent, Case: c, Message: m, To: at, Ref: ref, Attempt: 1})
			add(ledger.Record{Kind: ledger.Done, Case: c, Message: m, To: at, Ref: ref, Native: native.RecordID(ref), NativeCase: native.CaseKey(fmt.Sprint("A-", number))})
		}
	}
	return all
}

// valueOf is a record as it stands in the ledger.
func valueOf(b testing.TB, r ledger.Record) []byte {
	b.Helper()
	value, err := json.Marshal(r)
	require.NoError(b, err)
	return value
}

// BenchmarkStart measures what a gateway does before it decides anything, without the brokers: it folds the ledger of EINMAL_HANDOVERS (2,000) handovers, or takes from its shelf what is open; and what
// putting a record on the shelf costs, and weighs there.
func BenchmarkStart(b *testing.B) {
	handovers, err := strconv.Atoi(os.Getenv("EINMAL_HANDOVERS"))
	if err != nil {
		handovers = 2_000
	}
	path := filepath.Join(b.TempDir(), "shelf")
	s, err := shelf.Open(path, name)
	require.NoError(b, err)
	view := ledger.NewView(1, nil)
	require.NoError(b, view.Resume(s, nil))
	var log [][]byte
	for n := range handovers {
		for _, value := range handOver(b, n) {
			view.Apply(0, int64(len(log)), begin, value)
			log = append(log, value)
		}
		if n%500 == 499 {
			require.NoError(b, view.Shelve())
		}
	}
	require.NoError(b, view.Shelve())
	info, err := os.Stat(path)
	require.NoError(b, err)
	want := view.Stats()
	start := func(b *testing.B, f func(*ledger.View)) {
		for b.Loop() {
			v := ledger.NewView(1, nil)
			f(v)
			require.Equal(b, want, v.Stats())
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(handovers), "ns/handover")
	}
	b.Run("whole", func(b *testing.B) {
		start(b, func(v *ledger.View) {
			for i, value := range log {
				v.Apply(0, int64(i), begin, value)
			}
		})
	})
	b.Run("shelf", func(b *testing.B) {
		start(b, func(v *ledger.View) { require.NoError(b, v.Resume(s, nil)) })
	})
	b.Run("put", func(b *testing.B) {
		for n := 0; b.Loop(); n++ {
			other, err := shelf.Open(filepath.Join(b.TempDir(), strconv.Itoa(n)), name)
			require.NoError(b, err)
			v := ledger.NewView(1, nil)
			require.NoError(b, v.Resume(other, nil))
			for i, value := range log {
				v.Apply(0, int64(i), begin, value)
				if i%10_000 == 9_999 {
					require.NoError(b, v.Shelve())
				}
			}
			require.NoError(b, v.Shelve())
			require.NoError(b, other.Close())
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(log)), "ns/record")
		b.ReportMetric(float64(info.Size())/float64(handovers), "disk-B/handover")
	})
	require.NoError(b, s.Close())
}
