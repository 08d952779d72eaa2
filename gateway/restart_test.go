package gateway_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/IBM/sarama"
	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/mocks/clerks"
	"github.com/einmal-hub/einmal/mocks/core"
	"github.com/einmal-hub/einmal/mocks/world"
)

// troupe plays a plan beside the test and tells when so many steps more have been entered.
type troupe struct {
	t      testing.TB
	played chan struct{}
	more   chan struct{}
	err    error // read after played
}

// begin starts a play; every so many steps there is a signal.
func (s *stage) begin(p clerks.Plan, steps int) *troupe {
	tr := &troupe{t: s.t, played: make(chan struct{}), more: make(chan struct{}, 1000)}
	go func() {
		defer close(tr.played)
		tr.err = s.perform(p, whenever(steps, func(int) { tr.more <- struct{}{} }))
	}()
	return tr
}

// next waits until more was entered, and reports whether the play goes on.
func (tr *troupe) next() bool {
	select {
	case <-tr.more:
		return true
	case <-tr.played:
		require.NoError(tr.t, tr.err)
		return false
	}
}

// end waits until everything was played.
func (tr *troupe) end() {
	<-tr.played
	require.NoError(tr.t, tr.err)
}

// The gateway with its embedded engines is stopped in the middle and started again on the same folder.
func TestI7AGatewayThatIsStoppedAgainAndAgainGoesOnWhereItWas(t *testing.T) {
	t.Parallel()
	s := newStage(t, world.BadDay(21))
	p := plan(t, 21, 14)
	g := s.gateway()
	play := s.begin(p, 18)
	stops := 0
	for play.next() {
		g.stop()
		stops++
		g = s.gateway()
	}
	require.GreaterOrEqual(t, stops, 4)
	g.clean()
	require.Equal(t, p.Steps(), g.Stats().Messages)
	s.once(p)
}

// The brokers forget how far the group was while no gateway runs: everything is read again from the beginning, and the ledger knows what is done.
// Fault 27.
func TestI2AGatewayWhoseOffsetsAreForgottenRecordsNothingTwice(t *testing.T) {
	t.Parallel()
	s := newStage(t, core.Faults{})
	s.shared()
	g := s.gateway()
	a := s.affair(1)
	markers := []string{a.enters(world.KLIB, "sd-kriens", "application-submitted")}
	a.appears(markers[0], everywhere()...)
	markers = append(markers, a.enters(world.AVAM, "rav-luzern", "clarification-requested"))
	a.inOrder(markers...)
	g.stop()
	admin, err := sarama.NewClusterAdmin([]string{s.kafka}, sarama.NewConfig())
	require.NoError(t, err)
	defer func() { require.NoError(t, admin.Close()) }()
	group, topic := s.prefix+".delivery", s.prefix+".handover"
	require.NoError(t, admin.DeleteConsumerGroup(group))

	g = s.gateway()
	markers = append(markers, a.enters(world.KLIB, "sd-kriens", "clarification-answered"))
	a.inOrder(markers...)
	ends := map[int32]int64{}
	for _, r := range readTopic(t, s.kafka, topic) {
		ends[r.Partition] = r.Offset + 1
	}
	require.Eventually(t, func() bool { // everything was read again
		offsets, err := admin.ListConsumerGroupOffsets(group, map[string][]int32{topic: slices.Collect(maps.Keys(ends))})
		for partition, end := range ends {
			if err != nil || offsets.GetBlock(topic, partition).Offset < end {
				return false
			}
		}
		return true
	}, patience, tick)
	a.inOrder(markers...)
	g.clean()
}

// Two gateways on the same engines; each is stopped once in the middle and comes back.
// Fault 34.
func TestI7TwoGatewaysShareTheWorkAndTakeOverFromEachOther(t *testing.T) {
	t.Parallel()
	s := newStage(t, world.BadDay(22))
	s.shared()
	p := plan(t, 22, 14)
	both := []*running{s.gateway(), s.gateway()}
	play := s.begin(p, 25)
	changes := 0
	for play.next() {
		i := changes % 2
		both[i].stop()
		both[i] = s.gateway()
		changes++
	}
	require.GreaterOrEqual(t, changes, 3)
	both[0].clean()
	both[1].clean()
	s.once(p)
}

// Gateways join and leave under load: two, three, two others, one.
func TestI7GatewaysJoinAndLeaveUnderLoad(t *testing.T) {
	t.Parallel()
	s := newStage(t, world.BadDay(24))
	s.shared()
	p := plan(t, 24, 14)
	all := []*running{s.gateway(), s.gateway()}
	play := s.begin(p, 20)
	changes := 0
	for play.next() {
		if changes%2 == 0 {
			all = append(all, s.gateway())
		} else {
			all[0].stop()
			all = all[1:]
		}
		changes++
	}
	require.GreaterOrEqual(t, changes, 4)
	for _, g := range all[1:] {
		g.stop()
	}
	all[0].clean()
	s.once(p)
}

// The engines of the stage are stopped and started again on their folder, while gateway and clerks go on.
func TestI7TheBrokerGoesAndComesBack(t *testing.T) {
	t.Parallel()
	s := newStage(t, world.BadDay(23))
	e := s.engines()
	p := plan(t, 23, 10)
	g := s.gateway()
	play := s.begin(p, 20)
	breaks := 0
	for play.next() {
		require.NoError(t, e.Close())
		e = s.enginesAgain()
		breaks++
	}
	require.GreaterOrEqual(t, breaks, 2)
	g.clean()
	s.once(p)
}
