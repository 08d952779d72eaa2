package bus_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
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

// consuming is a Consume that runs in the background.
type consuming struct {
	t      *testing.T
	cancel context.CancelFunc
	ended  chan error
}

func consume(t *testing.T, b *bus.Bus, h bus.Handler) *consuming {
	ctx, cancel := context.WithCancel(t.Context())
	c := &consuming{t: t, cancel: cancel, ended: make(chan error, 1)}
	go func() { c.ended <- b.Consume(ctx, group(b), b.Topics().Handover, h) }()
	return c
}

func (c *consuming) stop() {
	c.cancel()
	require.NoError(c.t, <-c.ended)
}

// keep is a handler that notes every record and declares it done.
func keep(got *bag[bus.Record]) bus.Handler {
	return func(_ context.Context, c bus.Claim) error {
		for r := range c.Records {
			got.add(r)
			c.Done(r.Offset)
		}
		return nil
	}
}

// spread writes n records over all partitions and returns their values.
func spread(t *testing.T, b *bus.Bus, from, n int) []string {
	var all []string
	for i := from; i < from+n; i++ {
		require.Eventually(t, func() bool {
			_, err := b.Publish(t.Context(), b.Topics().Handover, int32(i)%b.Partitions(), "case", nil, fmt.Append(nil, i))
			return err == nil
		}, patience, tick)
		all = append(all, fmt.Sprint(i))
	}
	return all
}

func valuesOf(rs []bus.Record) []string {
	out := make([]string, len(rs))
	for i, r := range rs {
		out[i] = string(r.Value)
	}
	return out
}

func TestANewGroupStartsAtTheBeginningAndGoesOnWhereItWasDone(t *testing.T) {
	br := anyBroker(t)
	b := open(t, br.config(), bus.Watch{})
	first := spread(t, b, 0, 30)
	var got bag[bus.Record]
	c := consume(t, b, keep(&got))
	require.ElementsMatch(t, first, valuesOf(got.await(t, 30)))
	c.stop()

	second := spread(t, b, 30, 30)
	var rest bag[bus.Record]
	c = consume(t, b, keep(&rest))
	require.ElementsMatch(t, second, valuesOf(rest.await(t, 30)))
	c.stop()
}

// Fault 38: what is not done comes again, whatever came after it.
func TestWhatIsNotDoneComesAgain(t *testing.T) {
	br := anyBroker(t)
	b := open(t, br.config(), bus.Watch{})
	for i := range 10 {
		publish(t, b, b.Topics().Handover, "case", fmt.Sprint(i))
	}
	var got bag[bus.Record]
	c := consume(t, b, func(_ context.Context, c bus.Claim) error {
		for r := range c.Records {
			got.add(r)
			if r.Offset == 3 {
				c.Done(r.Offset)
			}
		}
		return nil
	})
	got.await(t, 10)
	c.stop()

	var again bag[bus.Record]
	c = consume(t, b, keep(&again))
	require.Equal(t, []string{"4", "5", "6", "7", "8", "9"}, valuesOf(again.await(t, 6)))
	c.stop()
}

func TestDoneNeverGoesBackAndCountsNothingAfterTheHandlerReturned(t *testing.T) {
	br := anyBroker(t)
	b := open(t, br.config(), bus.Watch{})
	for i := range 6 {
		publish(t, b, b.Topics().Handover, "case", fmt.Sprint(i))
	}
	var late atomic.Pointer[func(int64)]
	var got bag[bus.Record]
	c := consume(t, b, func(_ context.Context, c bus.Claim) error {
		for r := range c.Records {
			got.add(r)
			if r.Offset == 2 {
				c.Done(2)
				c.Done(0)
				late.Store(&c.Done)
			}
		}
		return nil
	})
	got.await(t, 6)
	c.stop()
	(*late.Load())(5)

	var again bag[bus.Record]
	c = consume(t, b, keep(&again))
	require.Equal(t, []string{"3", "4", "5"}, valuesOf(again.await(t, 3)))
	c.stop()
}

func TestAHandlerThatGivesUpGetsItsRecordsAgain(t *testing.T) {
	br := anyBroker(t)
	var told bag[error]
	b := open(t, br.config(), bus.Watch{Trouble: told.add})
	publish(t, b, b.Topics().Handover, "case", "x")
	var times atomic.Int32
	var got bag[bus.Record]
	c := consume(t, b, func(ctx context.Context, c bus.Claim) error {
		if c.Partition == 0 && times.Add(1) < 3 {
			<-c.Records
			return errors.New("not now")
		}
		return keep(&got)(ctx, c)
	})
	got.await(t, 1)
	c.stop()
	require.ErrorContains(t, told.list()[0], "not now")
}

func TestAHandlersStopEndsTheConsuming(t *testing.T) {
	br := anyBroker(t)
	b := open(t, br.config(), bus.Watch{})
	stop := fault.New(fault.Stop, "test", "wrong", "wrong")
	err := b.Consume(t.Context(), group(b), b.Topics().Handover, func(ctx context.Context, c bus.Claim) error {
		if c.Partition == 1 {
			return stop
		}
		<-ctx.Done()
		return nil
	})
	require.ErrorIs(t, err, stop)
}

func TestTwoMembersShareThePartitionsAndOneTakesOverFromTheOther(t *testing.T) {
	br := anyBroker(t)
	b := open(t, br.config(), bus.Watch{})
	var one, two bag[bus.Record]
	var claimed bag[int32]
	first := consume(t, b, keep(&one))
	second := consume(t, b, func(ctx context.Context, c bus.Claim) error {
		claimed.add(c.Partition)
		return keep(&two)(ctx, c)
	})
	claimed.await(t, 1) // the second has a part of the work
	total := spread(t, b, 0, 60)
	require.Eventually(t, func() bool { return len(one.list())+len(two.list()) >= 60 }, patience, tick)
	first.stop()
	total = append(total, spread(t, b, 60, 30)...)
	require.Eventually(t, func() bool { return len(one.list())+len(two.list()) >= 90 }, patience, tick)
	second.stop()
	require.Subset(t, append(valuesOf(one.list()), valuesOf(two.list())...), total)
}

// Fault 22, and the duty to let go: the claim's context ends while the broker is away.
func TestAGroupSurvivesARestartOfTheBroker(t *testing.T) {
	br := startBroker(t)
	var told bag[error]
	b := open(t, br.config(), bus.Watch{Trouble: told.add})
	total := spread(t, b, 0, 30)
	var got bag[bus.Record]
	c := consume(t, b, keep(&got))
	got.await(t, 30)
	br.stop()
	told.await(t, 1)
	br.start()
	total = append(total, spread(t, b, 30, 30)...)
	require.Eventually(t, func() bool { return subset(valuesOf(got.list()), total) }, patience, tick)
	c.stop()
}

func subset(have, want []string) bool {
	seen := map[string]bool{}
	for _, v := range have {
		seen[v] = true
	}
	for _, v := range want {
		if !seen[v] {
			return false
		}
	}
	return true
}

// Fault 34: the coordinator says that this member is none.
func TestAMemberThatIsThrownOutComesBack(t *testing.T) {
	br := startBroker(t)
	b := open(t, br.config(), bus.Watch{})
	var got bag[bus.Record]
	var revoked atomic.Int32
	c := consume(t, b, func(ctx context.Context, c bus.Claim) error {
		defer revoked.Add(1)
		return keep(&got)(ctx, c)
	})
	first := spread(t, b, 0, 9)
	got.await(t, 9)
	br.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Heartbeat}, Group: group(b), TopLevel: true, Err: kerr.UnknownMemberID, Count: 1})
	require.Eventually(t, func() bool { return revoked.Load() >= 3 }, patience, tick)
	rest := spread(t, b, 9, 9)
	require.Eventually(t, func() bool { return subset(valuesOf(got.list()), append(first, rest...)) }, patience, tick)
	c.stop()
}

// Fault 37: a handler that takes longer than the session neither loses its partition again and again nor holds up what comes after it.
func TestAHandlerThatIsSlowerThanTheSessionComesToItsEnd(t *testing.T) {
	br := anyBroker(t)
	c := br.config()
	b := open(t, c, bus.Watch{})
	all := spread(t, b, 0, 9)
	var got bag[bus.Record]
	g := consume(t, b, func(_ context.Context, claim bus.Claim) error {
		for r := range claim.Records {
			if r.Partition == 0 {
				<-time.After(c.Session * 5 / 4) // three times, for the three records of this partition
			}
			got.add(r)
			claim.Done(r.Offset)
		}
		return nil
	})
	require.Eventually(t, func() bool { return subset(valuesOf(got.list()), all) }, patience, tick)
	g.stop()
	var again bag[bus.Record]
	g = consume(t, b, keep(&again))
	last := spread(t, b, 9, 1)
	require.Eventually(t, func() bool { return subset(valuesOf(again.list()), last) }, patience, tick)
	require.Equal(t, last, valuesOf(again.list()), "everything before it is done")
	g.stop()
}

// Fault 29: somebody has begun a transaction on the bus and never ends it.
func TestATransactionThatHangsStopsNobody(t *testing.T) {
	br := anyBroker(t)
	b := open(t, br.config(), bus.Watch{})
	s := sarama.NewConfig()
	s.Version, s.Producer.Idempotent, s.Producer.RequiredAcks, s.Net.MaxOpenRequests, s.Producer.Return.Successes = sarama.V2_8_0_0, true, sarama.WaitForAll, 1, true
	s.Producer.Transaction.ID, s.Producer.Partitioner = "stranger", sarama.NewManualPartitioner
	p, err := sarama.NewSyncProducer(br.config().Brokers, s)
	require.NoError(t, err)
	require.NoError(t, p.BeginTxn())
	_, _, err = p.SendMessage(&sarama.ProducerMessage{Topic: b.Topics().Handover, Partition: 0, Value: sarama.StringEncoder("half")})
	require.NoError(t, err)
	at := publish(t, b, b.Topics().Handover, "case", "ours")
	require.EqualValues(t, 1, at.Offset, "it stands behind what hangs")
	var got bag[bus.Record]
	c := consume(t, b, keep(&got))
	require.Eventually(t, func() bool { return subset(valuesOf(got.list()), []string{"ours"}) }, patience, tick)
	c.stop()
	require.NoError(t, p.AbortTxn())
	require.NoError(t, p.Close())
}

// Fault 33: the log is shorter than what the group had done.
func TestACommittedOffsetOutsideTheLogStopsTheGroup(t *testing.T) {
	br := anyBroker(t)
	b := open(t, br.config(), bus.Watch{})
	a := admin(t, br)
	_, err := a.AlterConsumerGroupOffsets(group(b), map[string]map[int32]sarama.OffsetAndMetadata{b.Topics().Handover: {0: {Offset: 77}}}, nil)
	require.NoError(t, err)
	var got bag[bus.Record]
	err = b.Consume(t.Context(), group(b), b.Topics().Handover, keep(&got))
	require.Equal(t, fault.Stop, fault.KindOf(err))
	require.Equal(t, "offset-out-of-range", fault.CodeOf(err))
	require.Empty(t, got.list())
}

// Fault 27: the brokers have forgotten how far the group was. It skips nothing: everything comes again, what it had done and what came while it was away.
func TestAGroupWhoseOffsetsAreForgottenBeginsAtTheBeginning(t *testing.T) {
	br := anyBroker(t)
	b := open(t, br.config(), bus.Watch{})
	all := spread(t, b, 0, 30)
	var got bag[bus.Record]
	c := consume(t, b, keep(&got))
	got.await(t, 30)
	c.stop()
	all = append(all, spread(t, b, 30, 6)...)
	require.NoError(t, admin(t, br).DeleteConsumerGroup(group(b)))
	var again bag[bus.Record]
	c = consume(t, b, keep(&again))
	require.ElementsMatch(t, all, valuesOf(again.await(t, len(all))))
	c.stop()
}

// Fault 26: the record where the group has to go on was deleted. Nobody knows what was in it, so the group does not jump over it.
func TestAGroupWhosePlaceWasDeletedStops(t *testing.T) {
	br := anyBroker(t)
	b := open(t, br.config(), bus.Watch{})
	for i := range 4 {
		publish(t, b, b.Topics().Handover, "case", fmt.Sprint(i))
	}
	a := admin(t, br)
	_, err := a.AlterConsumerGroupOffsets(group(b), map[string]map[int32]sarama.OffsetAndMetadata{b.Topics().Handover: {0: {Offset: 1}}}, nil)
	require.NoError(t, err)
	require.NoError(t, a.DeleteRecords(b.Topics().Handover, map[int32]int64{0: 3}))
	var got bag[bus.Record]
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	err = b.Consume(ctx, group(b), b.Topics().Handover, keep(&got))
	require.Equal(t, fault.Stop, fault.KindOf(err))
	require.Equal(t, "offset-out-of-range", fault.CodeOf(err))
	require.Empty(t, got.list())
}

func TestTheLagIsToldAndGivenUpAtTheEnd(t *testing.T) {
	br := anyBroker(t)
	lags := [3]atomic.Int64{}
	b := open(t, br.config(), bus.Watch{Lag: func(name string, partition int32, records int64) {
		require.True(t, strings.HasSuffix(name, "-group"), name)
		lags[partition].Store(records)
	}})
	spread(t, b, 0, 15)
	c := consume(t, b, func(_ context.Context, c bus.Claim) error {
		for r := range c.Records {
			if r.Offset < 2 {
				c.Done(r.Offset)
			}
		}
		return nil
	})
	require.Eventually(t, func() bool { return lags[0].Load() == 3 && lags[1].Load() == 3 && lags[2].Load() == 3 }, patience, tick)
	c.stop()
	require.EqualValues(t, -1, lags[0].Load())
}

func TestDoneOffsetsAreCommittedWhileTheClaimGoesOn(t *testing.T) {
	br := anyBroker(t)
	b := open(t, br.config(), bus.Watch{})
	publish(t, b, b.Topics().Handover, "case", "x")
	var got bag[bus.Record]
	c := consume(t, b, keep(&got))
	a := admin(t, br)
	require.EventuallyWithT(t, func(t *assert) {
		offsets, err := a.ListConsumerGroupOffsets(group(b), map[string][]int32{b.Topics().Handover: {0}})
		require.NoError(t, err)
		require.EqualValues(t, 1, offsets.GetBlock(b.Topics().Handover, 0).Offset)
	}, patience, tick)
	c.stop()
}
