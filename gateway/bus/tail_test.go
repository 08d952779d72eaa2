package bus_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/gateway/bus"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func TestATailComesInOrderAndGoesOnAfterARestart(t *testing.T) {
	br := startBroker(t)
	b := open(t, br.config(), bus.Watch{})
	for i := range 50 {
		publish(t, b, b.Topics().Ledger, fmt.Sprint(i), fmt.Sprint(i))
	}
	ctx, cancel := context.WithCancel(t.Context())
	var got bag[int64]
	ended := make(chan error)
	go func() {
		ended <- b.Tail(ctx, b.Topics().Ledger, 0, 10, func(r bus.Record) error { got.add(r.Offset); return nil })
	}()
	got.await(t, 40)
	br.stop()
	br.start()
	require.Eventually(t, func() bool {
		_, err := b.Publish(ctx, b.Topics().Ledger, 0, "later", nil, []byte("later"))
		return err == nil
	}, patience, tick)
	all := got.await(t, 41)
	cancel()
	require.NoError(t, <-ended)
	for i, offset := range all {
		require.EqualValues(t, 10+i, offset)
	}
}

func TestATailEndsWithItsReadersError(t *testing.T) {
	br := anyBroker(t)
	b := open(t, br.config(), bus.Watch{})
	publish(t, b, b.Topics().Ledger, "k", "v")
	enough := errors.New("enough")
	require.ErrorIs(t, b.Tail(t.Context(), b.Topics().Ledger, 0, bus.Oldest, func(bus.Record) error { return enough }), enough)
}

// Faults 25 and 33: the ledger is shorter than what was seen.
func TestATailBeyondTheEndStops(t *testing.T) {
	br := anyBroker(t)
	b := open(t, br.config(), bus.Watch{})
	publish(t, b, b.Topics().Ledger, "k", "v")
	err := b.Tail(t.Context(), b.Topics().Ledger, 0, 2, func(bus.Record) error { return nil })
	require.Equal(t, fault.Stop, fault.KindOf(err))
	require.Equal(t, "offset-out-of-range", fault.CodeOf(err))
}

// Fault 26: what was not read yet is deleted.
func TestATailWhosePlaceWasDeletedStops(t *testing.T) {
	br := anyBroker(t)
	b := open(t, br.config(), bus.Watch{})
	for range 3 {
		publish(t, b, b.Topics().Handover, "k", "v")
	}
	require.NoError(t, admin(t, br).DeleteRecords(b.Topics().Handover, map[int32]int64{0: 2}))
	err := b.Tail(t.Context(), b.Topics().Handover, 0, 1, func(bus.Record) error { return nil })
	require.Equal(t, fault.Stop, fault.KindOf(err))
}

func TestATailAtTheEndWaitsForTheNextRecord(t *testing.T) {
	br := anyBroker(t)
	b := open(t, br.config(), bus.Watch{})
	end, err := b.End(t.Context(), b.Topics().Ledger, 2)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	got := make(chan bus.Record, 1)
	ended := make(chan error)
	go func() {
		ended <- b.Tail(ctx, b.Topics().Ledger, 2, end, func(r bus.Record) error { got <- r; return nil })
	}()
	_, err = b.Publish(ctx, b.Topics().Ledger, 2, "k", nil, nil)
	require.NoError(t, err)
	r := <-got
	require.Nil(t, r.Value, "a tombstone stays one")
	cancel()
	require.NoError(t, <-ended)
}

// Two readers of one partition are the rule: the ledger's view and the audit log.
func TestTwoTailsOfOnePartitionDoNotDisturbEachOther(t *testing.T) {
	br := anyBroker(t)
	b := open(t, br.config(), bus.Watch{})
	ctx, cancel := context.WithCancel(t.Context())
	var one, two bag[string]
	ended := make(chan error, 2)
	for _, to := range []*bag[string]{&one, &two} {
		go func() {
			ended <- b.Tail(ctx, b.Topics().Ledger, 0, bus.Oldest, func(r bus.Record) error { to.add(r.Key); return nil })
		}()
	}
	publish(t, b, b.Topics().Ledger, "a", "")
	publish(t, b, b.Topics().Ledger, "b", "")
	require.Equal(t, []string{"a", "b"}, one.await(t, 2))
	require.Equal(t, []string{"a", "b"}, two.await(t, 2))
	cancel()
	require.NoError(t, <-ended)
	require.NoError(t, <-ended)
}

// Fault 28: compaction leaves gaps and takes nothing that has a key of its own.
func TestATailReadsOverTheGapsOfCompaction(t *testing.T) {
	br := startBroker(t)
	b := open(t, br.config(), bus.Watch{})
	require.NoError(t, admin(t, br).AlterConfig(sarama.TopicResource, b.Topics().Ledger, map[string]*string{
		"cleanup.policy": ptr("compact"), "min.insync.replicas": ptr("1"), "segment.bytes": ptr("200"),
	}, false))
	for i := range 20 {
		publish(t, b, b.Topics().Ledger, fmt.Sprint("own-", i), "kept")
		publish(t, b, b.Topics().Ledger, "shared", "replaced")
	}
	br.cluster.Compact()
	keys := map[string]int{}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	require.NoError(t, b.Tail(ctx, b.Topics().Ledger, 0, bus.Oldest, func(r bus.Record) error {
		keys[r.Key]++
		if r.Offset == 39 {
			cancel()
		}
		return nil
	}))
	for i := range 20 {
		require.Equal(t, 1, keys[fmt.Sprint("own-", i)])
	}
	require.Less(t, keys["shared"], 20)
}

// The oldest record may be cleaned away between the question which one it is and the fetch.
func TestATailFromTheOldestAsksAgainWhenThatIsGone(t *testing.T) {
	br := startBroker(t)
	b := open(t, br.config(), bus.Watch{})
	publish(t, b, b.Topics().Ledger, "k", "v")
	br.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Fetch}, Topic: b.Topics().Ledger, Err: kerr.OffsetOutOfRange, Count: 1})
	enough := errors.New("enough")
	require.ErrorIs(t, b.Tail(t.Context(), b.Topics().Ledger, 0, bus.Oldest, func(bus.Record) error { return enough }), enough)
}

func ptr(s string) *string { return &s }

// BenchmarkAppendAndReadBack measures what an INTENT costs: publish, and see it in one's own tail.
func BenchmarkAppendAndReadBack(b *testing.B) {
	bs, stop := benchBus(b)
	defer stop()
	ctx, cancel := context.WithCancel(b.Context())
	seen := make(chan int64, 1024)
	ended := make(chan error)
	go func() {
		ended <- bs.Tail(ctx, bs.Topics().Ledger, 0, bus.Oldest, func(r bus.Record) error { seen <- r.Offset; return nil })
	}()
	value := make([]byte, 300)
	var worst time.Duration
	for b.Loop() {
		start := time.Now()
		at, err := bs.Publish(ctx, bs.Topics().Ledger, 0, "k", nil, value)
		require.NoError(b, err)
		for <-seen != at.Offset {
		}
		worst = max(worst, time.Since(start))
	}
	b.ReportMetric(float64(worst.Microseconds())/1000, "worst-ms")
	cancel()
	require.NoError(b, <-ended)
}
