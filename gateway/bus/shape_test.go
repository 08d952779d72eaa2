package bus_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/gateway/bus"
)

// grow adds partitions to all topics.
func grow(t *testing.T, br *broker, to int32) {
	a := admin(t, br)
	for _, topic := range []string{br.prefix + ".handover", br.prefix + ".ledger", br.prefix + ".parked"} {
		require.EventuallyWithT(t, func(c *assert) { require.NoError(c, a.CreatePartitions(topic, to, nil, false)) }, patience, tick, "Apache Kafka knows a topic a moment after it has made it, kfake at once")
	}
}

// Fault 20: with another number of partitions the same case lies elsewhere.
func TestAddedPartitionsAreNoticedAtTheStartAndWhileItRuns(t *testing.T) {
	br := anyBroker(t)
	b := open(t, br.config(), bus.Watch{})
	require.NoError(t, b.Shape(t.Context()))
	grow(t, br, 5)
	err := b.Shape(t.Context())
	require.Equal(t, fault.Stop, fault.KindOf(err))
	require.ErrorContains(t, err, "set unusedPartitions to 2")
	_, err = bus.Open(t.Context(), br.config(), bus.Watch{})
	require.Equal(t, fault.Stop, fault.KindOf(err))

	// Whoever hears of them from the group works on none of them.
	err = b.Consume(t.Context(), group(b), b.Topics().Handover, func(ctx context.Context, c bus.Claim) error {
		if c.Partition >= 3 {
			t.Error("a partition without cases was given out")
		}
		<-ctx.Done()
		return nil
	})
	require.Equal(t, "partitions-changed", fault.CodeOf(err))
}

// Whoever has added partitions cannot take them away; einmal goes on with those that it has.
func TestPartitionsThatWereAddedCanStayEmpty(t *testing.T) {
	br := anyBroker(t)
	b := open(t, br.config(), bus.Watch{})
	publish(t, b, b.Topics().Handover, "k", "v")
	grow(t, br, 5)
	c := br.config()
	c.Unused = 2
	b = open(t, c, bus.Watch{})
	require.NoError(t, b.Shape(t.Context()))
	require.EqualValues(t, 3, b.Partitions())
	got := &bag[bus.Record]{}
	k := consume(t, b, keep(got))
	got.await(t, 1)
	k.stop()
	for _, wrong := range []int32{1, 3, -1} {
		c.Unused = wrong
		_, err := bus.Open(t.Context(), c, bus.Watch{})
		require.Equal(t, fault.Stop, fault.KindOf(err), "%d", wrong)
	}
}

func TestAClusterHasAName(t *testing.T) {
	br := anyBroker(t)
	b := open(t, br.config(), bus.Watch{})
	name, err := b.Cluster(t.Context())
	require.NoError(t, err)
	require.NotEmpty(t, name)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = b.Cluster(ctx)
	require.Equal(t, fault.Retry, fault.KindOf(err))
	require.Equal(t, fault.Retry, fault.KindOf(b.Shape(ctx)))
	require.Equal(t, fault.Retry, fault.KindOf(b.Forget(ctx, "g")))
}

func TestAGroupIsForgottenOnlyWhenNobodyWorksInIt(t *testing.T) {
	br := anyBroker(t)
	b := open(t, br.config(), bus.Watch{})
	require.NoError(t, b.Forget(t.Context(), "einmal-test"), "there is none")
	publish(t, b, b.Topics().Handover, "k", "v")
	for range 2 {
		got := &bag[bus.Record]{}
		k := consume(t, b, keep(got))
		got.await(t, 1)
		require.Equal(t, "group-in-use", fault.CodeOf(b.Forget(t.Context(), group(b))))
		k.stop()
		require.NoError(t, b.Forget(t.Context(), group(b)))
	}
}
