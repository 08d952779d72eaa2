package bus_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/gateway/bus"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// values reads a partition from the beginning to its present end.
func values(t *testing.T, b *bus.Bus, topic string, partition int32) []string {
	end, err := b.End(t.Context(), topic, partition)
	require.NoError(t, err)
	var got []string
	if end == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	require.NoError(t, b.Tail(ctx, topic, partition, bus.Oldest, func(r bus.Record) error {
		got = append(got, string(r.Value))
		if r.Offset == end-1 {
			cancel()
		}
		return nil
	}))
	return got
}

func TestManyPublishersEachGetTheirOwnPlace(t *testing.T) {
	br := anyBroker(t)
	b := open(t, br.config(), bus.Watch{})
	const publishers, each = 32, 25
	var places sync.Map
	var wg sync.WaitGroup
	for p := range publishers {
		wg.Go(func() {
			for i := range each {
				value := fmt.Sprintf("%d-%d", p, i)
				at, err := b.Publish(t.Context(), b.Topics().Ledger, int32(p%3), "k"+value, nil, []byte(value))
				if err == nil {
					places.Store(at, value)
				}
			}
		})
	}
	wg.Wait()
	seen := map[string]bool{}
	for partition := range int32(3) {
		for offset, value := range values(t, b, b.Topics().Ledger, partition) {
			want, ok := places.Load(bus.Offset{Partition: partition, Offset: int64(offset)})
			require.True(t, ok)
			require.Equal(t, want, value)
			require.False(t, seen[value])
			seen[value] = true
		}
	}
	require.Len(t, seen, publishers*each)
}

// Fault 12: the broker appends and the answer is lost.
func TestALostAnswerDoesNotWriteTwice(t *testing.T) {
	br := startBroker(t)
	b := open(t, br.config(), bus.Watch{})
	br.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.RequestTimedOut, Count: 5})
	var want []string
	for i := range 10 {
		want = append(want, fmt.Sprint(i))
		publish(t, b, b.Topics().Handover, "case", want[i])
	}
	require.Equal(t, want, values(t, b, b.Topics().Handover, 0))
}

// Fault 14.
func TestTooFewReplicasAfterTheAppendDoNotWriteTwice(t *testing.T) {
	br := startBroker(t)
	b := open(t, br.config(), bus.Watch{})
	br.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.NotEnoughReplicasAfterAppend, Count: 3})
	publish(t, b, b.Topics().Handover, "case", "once")
	require.Equal(t, []string{"once"}, values(t, b, b.Topics().Handover, 0))
}

// Fault 18.
func TestAProducerThatCannotGoOnIsReplaced(t *testing.T) {
	for _, cause := range []*kerr.Error{kerr.ProducerFenced, kerr.InvalidProducerEpoch, kerr.OutOfOrderSequenceNumber, kerr.UnknownProducerID} {
		t.Run(cause.Message, func(t *testing.T) {
			br := startBroker(t)
			var told bag[error]
			b := open(t, br.config(), bus.Watch{Trouble: told.add})
			publish(t, b, b.Topics().Handover, "case", "before")
			br.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: cause, Count: 1})
			_, err := b.Publish(t.Context(), b.Topics().Handover, 0, "case", nil, []byte("again"))
			require.Equal(t, fault.Doubt, fault.KindOf(err))
			publish(t, b, b.Topics().Handover, "case", "again")
			require.Equal(t, []string{"before", "again"}, values(t, b, b.Topics().Handover, 0))
			require.Equal(t, "replaced", fault.CodeOf(told.await(t, 1)[0]))
		})
	}
}

// Fault 17.
func TestARecordThatIsTooLargeIsRefused(t *testing.T) {
	br := anyBroker(t)
	b := open(t, br.config(), bus.Watch{})
	_, err := b.Publish(t.Context(), b.Topics().Handover, 0, "case", nil, []byte(strings.Repeat("x", 2<<20)))
	require.Equal(t, fault.Refuse, fault.KindOf(err))
	require.Equal(t, "too-large", fault.CodeOf(err))
}

func TestARecordWithoutKeyOrForNoPartitionIsRefused(t *testing.T) {
	br := anyBroker(t)
	b := open(t, br.config(), bus.Watch{})
	_, err := b.Publish(t.Context(), b.Topics().Ledger, 0, "", nil, nil)
	require.Equal(t, fault.Refuse, fault.KindOf(err))
	_, err = b.Publish(t.Context(), b.Topics().Ledger, 3, "k", nil, nil)
	require.Equal(t, fault.Refuse, fault.KindOf(err))
}

// Fault 15 and 22: the broker is away and comes back with its log.
func TestPublishingGoesOnWhenTheBrokerIsBack(t *testing.T) {
	br := startBroker(t)
	b := open(t, br.config(), bus.Watch{})
	publish(t, b, b.Topics().Handover, "case", "before")
	br.stop()
	short, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err := b.Publish(short, b.Topics().Handover, 0, "case", nil, []byte("lost?"))
	require.Contains(t, []fault.Kind{fault.Doubt, fault.Retry}, fault.KindOf(err))
	br.start()
	require.Eventually(t, func() bool {
		_, err := b.Publish(t.Context(), b.Topics().Handover, 0, "case", nil, []byte("after"))
		return err == nil
	}, patience, tick)
	got := values(t, b, b.Topics().Handover, 0)
	require.Equal(t, "before", got[0])
	require.Contains(t, got, "after")
}

func TestABrokerThatIsAwayForLongDoesNotLeaveTheProducerStuck(t *testing.T) {
	br := startBroker(t)
	b := open(t, br.config(), bus.Watch{})
	publish(t, b, b.Topics().Handover, "case", "before")
	br.stop()
	failed := 0
	for failed < 5 { // sarama's circuit breaker opens after three
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		_, err := b.Publish(ctx, b.Topics().Handover, 0, "case", nil, []byte("x"))
		cancel()
		require.Error(t, err)
		failed++
	}
	br.start()
	require.Eventually(t, func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := b.Publish(ctx, b.Topics().Handover, 0, "case", nil, []byte("after"))
		return err == nil
	}, patience, tick)
}

func TestAPublishWhoseTimeIsOverBeforeItStartsWritesNothing(t *testing.T) {
	br := anyBroker(t)
	b := open(t, br.config(), bus.Watch{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 20 {
		_, err := b.Publish(ctx, b.Topics().Handover, 0, "case", nil, []byte("x"))
		require.Equal(t, fault.Retry, fault.KindOf(err))
	}
	require.Empty(t, values(t, b, b.Topics().Handover, 0))
}

func TestAClosedBusPublishesNothing(t *testing.T) {
	br := anyBroker(t)
	b := open(t, br.config(), bus.Watch{})
	publish(t, b, b.Topics().Handover, "case", "x")
	require.NoError(t, b.Close())
	_, err := b.Publish(t.Context(), b.Topics().Handover, 0, "case", nil, []byte("y"))
	require.Equal(t, fault.Retry, fault.KindOf(err))
}

func BenchmarkPublishOne(b *testing.B) { benchmark(b, 1) }

func BenchmarkPublishMany(b *testing.B) { benchmark(b, 64) }

// benchmark measures records a second from so many goroutines.
func benchmark(b *testing.B, goroutines int) {
	bs, stop := benchBus(b)
	defer stop()
	value := make([]byte, 1024)
	b.SetParallelism(goroutines)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := bs.Publish(b.Context(), bs.Topics().Handover, 1, "k", nil, value); err != nil {
				b.Error(err)
			}
		}
	})
}

func benchBus(b *testing.B) (*bus.Bus, func()) {
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.DataDir(b.TempDir()))
	require.NoError(b, err)
	bs, err := bus.Open(b.Context(), bus.Config{Brokers: c.ListenAddrs(), Partitions: 12, Replication: 1, MinInSync: 1}, bus.Watch{})
	require.NoError(b, err)
	return bs, func() {
		require.NoError(b, bs.Close())
		c.Close()
	}
}
