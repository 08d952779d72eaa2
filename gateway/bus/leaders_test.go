package bus_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/einmal-hub/einmal/gateway/bus"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
)

// Fault 13 and 16: leaders move while records are written and read. A publish whose outcome is unknown is repeated, as intake and ledger do it; what was
// acknowledged is there, and the records of one publisher are in its order.
func TestMovingLeadersNeitherLoseNorReorder(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(3), kfake.GroupMinSessionTimeout(0))
	require.NoError(t, err)
	t.Cleanup(cluster.Close)
	b := open(t, bus.Config{Brokers: cluster.ListenAddrs(), Partitions: 3}, bus.Watch{})

	var got bag[bus.Record]
	group := consume(t, b, keep(&got))
	const publishers, each = 6, 60
	var written atomic.Int32
	var wg sync.WaitGroup
	for p := range publishers {
		wg.Go(func() {
			for i := range each {
				publishUntilKnown(t.Context(), b, int32(p)%3, fmt.Sprintf("%d-%d", p, i))
				written.Add(1)
			}
		})
	}
	wg.Go(func() {
		for next := int32(20); next < publishers*each; next += 20 {
			for written.Load() < next && t.Context().Err() == nil {
				pauseShortly(t.Context())
			}
			cluster.ShufflePartitionLeaders()
		}
	})
	wg.Wait()

	var want []string
	for p := range publishers {
		for i := range each {
			want = append(want, fmt.Sprintf("%d-%d", p, i))
		}
	}
	require.Eventually(t, func() bool { return subset(valuesOf(got.list()), want) }, patience, tick)
	group.stop()
	last := map[int]int{}
	for partition := range int32(3) {
		for _, v := range values(t, b, b.Topics().Handover, partition) {
			var p, i int
			_, err := fmt.Sscanf(v, "%d-%d", &p, &i)
			require.NoError(t, err)
			require.GreaterOrEqual(t, i, last[p], "only a repeated record may come after itself, never after a later one")
			last[p] = i
		}
	}
}

func publishUntilKnown(ctx context.Context, b *bus.Bus, partition int32, value string) {
	for ctx.Err() == nil {
		if _, err := b.Publish(ctx, b.Topics().Handover, partition, "case", nil, []byte(value)); err == nil {
			return
		}
	}
}
