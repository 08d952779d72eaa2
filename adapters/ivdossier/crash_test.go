package ivdossier

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/mocks/core"
)

// every is between two steps at which a process is let end. Under the race detector, which sees nothing in these tests, a step takes ten times as long; so a plain run tries some, beginning with the
// first, and -ivdossier.every 1 all of them.
var every = flag.Int("ivdossier.every", 3, "let processes end at every so many steps")

// errKilled is what a process meets that ends: from then on it does nothing.
var errKilled = errors.New("the process has ended")

// killed lets a process end before its n-th step that changes something in the folder, counted from 0: ending while it only looks is the same. ended tells whether it got that far.
func killed(n int) (meet func(op, name string) error, ended func() bool) {
	met := 0
	return func(op, _ string) error {
		if op != "open" && op != "list" && op != "read" {
			met++
		}
		if met > n {
			return errKilled
		}
		return nil
	}, func() bool { return met > n }
}

// I2, I7: wherever a process ends while it writes, nothing is half there, and writing again leaves one document.
func TestI7_AProcessMayEndAtEveryStepOfWriting(t *testing.T) {
	o := open(t)
	opened := o.apply(t, entry("application-submitted", 1, ""))
	crashed := true
	for n := 0; crashed; n += *every {
		crashed = false
		for _, e := range []native.Entry{entry("application-submitted", 1000+n, ""), entry("clarification-answered", 2000+n, opened.Case)} {
			dying := o.again(t)
			_, err := dying.Find(t.Context(), "0")
			require.NoError(t, err)
			meet, ended := killed(n)
			dying.meet = meet
			first, err := dying.Apply(t.Context(), e)
			if crashed = crashed || ended(); !ended() {
				require.NoError(t, err)
			} else {
				require.Contains(t, []fault.Kind{fault.Retry, fault.Doubt}, fault.KindOf(err), "step %d: %v", n, err)
			}
			found, lookErr := o.again(t).Find(t.Context(), e.Reference)
			require.NoError(t, lookErr)
			if fault.KindOf(err) == fault.Retry {
				require.Empty(t, found, "step %d: it was said that nothing was written", n)
			}
			receipt, err := o.again(t).Apply(t.Context(), e)
			require.NoError(t, err)
			require.Equal(t, len(found) > 0, receipt.Joined, "step %d", n)
			if len(found) > 0 {
				require.Equal(t, found[0].Record, receipt.Record)
			}
			if !ended() {
				require.Equal(t, first.Record, receipt.Record)
			}
			require.NoError(t, o.mock.Settle(t.Context()))
			require.Len(t, o.mock.Store().ByReference(e.Reference, 0), 1, "step %d: staff see one document", n)
		}
		require.Less(t, n, 200)
	}
	batch := o.read(t, "")
	require.Empty(t, batch.Broken)
	seen := map[native.Reference]bool{}
	for _, r := range batch.Records {
		require.False(t, seen[r.Reference])
		seen[r.Reference] = true
	}
	require.Len(t, batch.Records, o.mock.Store().Len())
}

// I1, I2, I7: wherever a process ends while it takes what staff released, everything is taken once and in order.
func TestI7_AProcessMayEndAtEveryStepOfReading(t *testing.T) {
	base := open(t)
	opened := base.apply(t, entry("application-submitted", 1, ""))
	base.read(t, "")
	require.NoError(t, base.mock.Settle(t.Context()))
	f := facts(8)
	f.Documents = f.Documents[:0]
	own := base.mock.Store().After(0, 0)[0].Case
	_, err := typed(base.mock, "clarification-requested", f, core.Write{Case: own})
	require.NoError(t, err)
	f.Documents = []core.Document{{Name: "Lebenslauf.pdf", MediaType: "application/pdf", Content: []byte("%PDF")}}
	_, err = typed(base.mock, "application-submitted", f, core.Write{})
	require.NoError(t, err)
	require.NoError(t, base.mock.Settle(t.Context()))
	crashed := true
	for n := 0; crashed; n += *every {
		o := copyOf(t, base)
		meet, ended := killed(n)
		o.ex.meet = meet
		_, err := o.ex.Read(t.Context(), "", 100)
		if crashed = ended(); crashed && err != nil {
			require.Equal(t, fault.Retry, fault.KindOf(err), "step %d: %v", n, err)
		}
		o.ex = o.again(t)
		batch := o.read(t, "")
		require.Empty(t, batch.Broken)
		var kinds []native.Kind
		for _, r := range batch.Records {
			kinds = append(kinds, r.Kind)
		}
		require.Equal(t, []native.Kind{"antrag", "rueckfrage", "antrag"}, kinds, "step %d", n)
		require.Equal(t, opened.Case, batch.Records[1].Case)
		mine := batch.Records[2]
		require.Len(t, o.lies(t, mine.Case, "*_antrag_"+string(mine.ID)+".xlsx"), 1, "step %d: staff see which case they opened", n)
		require.Len(t, o.lies(t, mine.Case, "beilage_*"), 1, "step %d", n)
		require.Len(t, registerOf(t, o).lines, 2, "step %d: the register shows both cases", n)
		require.Less(t, n, 2000)
	}
}

// Two gateways, one of which was thought dead: both write and both read.
func TestI2_WritersSideBySideLeaveOneDocumentForEachReference(t *testing.T) {
	o := open(t)
	opened := o.apply(t, entry("application-submitted", 1, ""))
	var all sync.WaitGroup
	const gateways, notes = 4, 12
	errs := make([]error, gateways)
	records := make([]map[int]native.RecordID, gateways)
	for g := range gateways {
		e := o.again(t)
		records[g] = map[int]native.RecordID{}
		all.Go(func() {
			for i := range notes {
				r, err := e.Apply(context.Background(), entry("clarification-answered", 100+(i*(g+1))%notes, opened.Case))
				if err == nil {
					_, err = e.Read(context.Background(), "", 100)
				}
				errs[g] = errors.Join(errs[g], err)
				records[g][(i*(g+1))%notes] = r.Record
			}
		})
	}
	all.Wait()
	require.NoError(t, errors.Join(errs...))
	require.NoError(t, o.mock.Settle(t.Context()))
	for i := range notes {
		require.Len(t, o.mock.Store().ByReference(reference(100+i), 0), 1)
		for g := range gateways {
			if id, wrote := records[g][i]; wrote {
				require.Equal(t, records[0][i], id)
			}
		}
	}
	batch := o.read(t, "")
	sequences := map[uint64]bool{}
	for _, r := range batch.Records {
		require.False(t, sequences[r.Sequence], "every record has a place of its own in its case")
		sequences[r.Sequence] = true
	}
	require.Len(t, batch.Records, notes+1)
	for _, g := range []*exchange{o.again(t), o.again(t)} {
		same, err := g.Read(t.Context(), "", 100)
		require.NoError(t, err)
		require.Equal(t, batch.Records, same.Records, "every process sees the same order")
	}
}

// Staff whose documents come by halves, as drafts and as copies, while einmal reads all the time.
func TestI1_NothingIsLostAndNothingComesTwiceWhileStaffSave(t *testing.T) {
	o := open(t)
	*o.clock = time.Now()
	o.mock.Dice().Set(core.Faults{Seed: 5, Slow: 0.3, Late: 0.3, Duplicate: 0.3})
	var staff sync.WaitGroup
	var failed error
	const cases = 12
	staff.Go(func() {
		for i := range cases {
			_, err := typed(o.mock, "application-submitted", facts(uint64(i)), core.Write{}) //nolint:gosec // a small number
			failed = errors.Join(failed, err, o.mock.Step(context.Background()))
		}
		failed = errors.Join(failed, o.mock.Settle(context.Background()))
	})
	done := make(chan struct{})
	go func() { staff.Wait(); close(done) }()
	for working := true; working; {
		select {
		case <-done:
			working = false
		default:
		}
		require.Empty(t, o.read(t, "").Broken, "a half-written file is never read")
	}
	require.NoError(t, failed)
	batch := o.read(t, "")
	require.Len(t, batch.Records, cases, fmt.Sprint(len(batch.Records)))
}
