package gateway_test

import (
	"testing"

	"github.com/IBM/sarama"
	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/mocks/core"
	"github.com/einmal-hub/einmal/mocks/world"
)

// writes puts records onto a topic behind the gateway's back.
func (s *stage) writes(topic string, partition int32, records ...*sarama.ProducerMessage) {
	s.t.Helper()
	c := sarama.NewConfig()
	c.Producer.Return.Successes, c.Producer.RequiredAcks, c.Producer.Partitioner = true, sarama.WaitForAll, sarama.NewManualPartitioner
	p, err := sarama.NewSyncProducer([]string{s.kafka}, c)
	require.NoError(s.t, err)
	for _, r := range records {
		r.Topic, r.Partition = s.prefix+"."+topic, partition
		_, _, err := p.SendMessage(r)
		require.NoError(s.t, err)
	}
	require.NoError(s.t, p.Close())
}

// Records that no gateway has written: they are put before a person or left alone, and nothing stops.
// Faults 30, 31 and 40.
func TestI1StrangeRecordsOnTheBusStopNothing(t *testing.T) {
	t.Parallel()
	s := newStage(t, core.Faults{})
	s.shared()
	g := s.gateway()
	a := s.affair(1)
	markers := []string{a.enters(world.KLIB, "sd-kriens", "application-submitted")}
	a.appears(markers[0], everywhere()...)
	header := func(k, v string) sarama.RecordHeader { return sarama.RecordHeader{Key: []byte(k), Value: []byte(v)} }
	for partition := range int32(4) {
		s.writes("handover", partition,
			&sarama.ProducerMessage{},
			&sarama.ProducerMessage{Key: sarama.StringEncoder("x"), Value: sarama.StringEncoder("not a message")},
			&sarama.ProducerMessage{Key: sarama.StringEncoder("x"), Value: sarama.StringEncoder("{}"), Headers: []sarama.RecordHeader{header("ce_id", "forged"), header("ce_subject", "nowhere")}},
		)
		s.writes("ledger", partition,
			&sarama.ProducerMessage{Key: sarama.StringEncoder("x"), Value: sarama.StringEncoder("not a record")},
			&sarama.ProducerMessage{Key: sarama.StringEncoder("y"), Value: sarama.StringEncoder(`{"v":2,"kind":"ADMIT"}`)},
			&sarama.ProducerMessage{Key: sarama.StringEncoder("z"), Value: sarama.StringEncoder(`{"v":1,"kind":"ADMIT"}`)},
			&sarama.ProducerMessage{Key: sarama.StringEncoder("z"), Value: sarama.StringEncoder(`{"v":1,"kind":"RULING","message":"m"}`)},
			&sarama.ProducerMessage{Key: sarama.StringEncoder("z"), Value: sarama.StringEncoder(`{"v":1,"kind":"PARK","message":"m"}`)},
			&sarama.ProducerMessage{Key: sarama.StringEncoder("z"), Value: sarama.StringEncoder(`{"v":1,"kind":"WHIM"}`)},
			&sarama.ProducerMessage{Key: sarama.StringEncoder("z")},
		)
		s.writes("parked", partition, &sarama.ProducerMessage{Key: sarama.StringEncoder("x"), Value: sarama.StringEncoder("nothing kept")})
	}
	require.Eventually(t, func() bool { return g.Stats().Skipped >= 8 }, patience, tick)
	require.Eventually(t, func() bool { return len(g.parked()) >= 9 }, patience, tick)
	markers = append(markers, a.enters(world.AVAM, "rav-luzern", "clarification-requested"))
	a.inOrder(markers...)
	for len(g.parked()) > 0 {
		it := g.parked()[0]
		require.Equal(t, "gate", it.Destination)
		require.Equal(t, "envelope", it.Reason.Code)
		g.rule(it.ID, "WITHDRAW")
	}
	g.stop()
	g = s.gateway()
	markers = append(markers, a.enters(world.KLIB, "sd-kriens", "clarification-answered"))
	a.inOrder(markers...)
	require.Empty(t, g.parked())
}

// A ruling counts wherever it is given: the gateway that works on the case need not be the one that is asked.
func TestI7ARulingMayBeGivenAtAnyGateway(t *testing.T) {
	t.Parallel()
	s := newStage(t, core.Faults{})
	s.shared()
	gateways := []*running{s.gateway(), s.gateway()}
	var affairs []*affair
	var bad []string
	for i := range 8 { // cases of every partition, so some of each gateway's
		a := s.affair(i)
		a.appears(a.enters(world.KLIB, "sd-kriens", "application-submitted"), everywhere()...)
		a.enters(world.AVAM, "rav-luzern", "case-closed")
		affairs = append(affairs, a)
	}
	for i := range affairs {
		require.Eventually(t, func() bool { return len(gateways[i%2].parked()) >= len(affairs)-i }, patience, tick)
		it := gateways[i%2].parked()[0]
		gateways[i%2].rule(it.ID, "WITHDRAW")
		bad = append(bad, it.ID)
		require.Eventually(t, func() bool { return len(gateways[(i+1)%2].parked()) == len(affairs)-i-1 }, patience, tick)
	}
	require.Len(t, bad, len(affairs))
	for _, a := range affairs {
		a.appears(a.enters(world.AVAM, "rav-luzern", "clarification-requested"), everywhere()...)
	}
	gateways[0].clean()
	gateways[1].settled()
}

// A test delivery goes to test instances only and changes nothing in a productive case.
func TestI1ATestDeliveryWithoutATestInstanceIsPutBeforeAPerson(t *testing.T) {
	t.Parallel()
	s := newStage(t, core.Faults{})
	g := s.gateway()
	a := s.affair(1).between("rav-luzern", "sd-kriens")
	markers := []string{a.enters(world.AVAM, "rav-luzern", "application-submitted")}
	a.appears(markers[0], everywhere()...)
	asTest := a.replace("testDeliveryFlag>false", "testDeliveryFlag>true")
	a.slips(world.AVAM, "rav-luzern", "application-withdrawn", asTest)
	it := g.waits(1)[0]
	require.Equal(t, "test-mixed-with-real", it.Reason.Code)
	g.rule(it.ID, "WITHDRAW")
	s.affair(2).between("rav-luzern", "sd-kriens").slips(world.AVAM, "rav-luzern", "application-submitted", asTest)
	require.Eventually(t, func() bool { items := g.parked(); return len(items) == 1 && items[0].ID != it.ID }, patience, tick)
	require.Equal(t, "no-test-instance", g.parked()[0].Reason.Code)
	g.rule(g.parked()[0].ID, "WITHDRAW")
	g.waits(0)
	a.appears(a.enters(world.KLIB, "sd-kriens", "clarification-requested"), everywhere()...)
	g.clean()
}

// Compaction removes the first records of a ledger, and some brokers then say that the partition begins later.
func TestI7AGatewayStartsOnALedgerWhoseBeginningIsGone(t *testing.T) {
	t.Parallel()
	s := newStage(t, core.Faults{})
	s.shared()
	s.gateway().stop()
	before := map[int32]int64{}
	for partition := range int32(4) {
		old := sarama.StringEncoder(`{"v":2,"kind":"OLD"}`)
		s.writes("ledger", partition, &sarama.ProducerMessage{Key: sarama.StringEncoder("x"), Value: old}, &sarama.ProducerMessage{Key: sarama.StringEncoder("x"), Value: old})
	}
	for _, r := range readTopic(t, s.kafka, s.prefix+".ledger") {
		if r.Offset == 0 && string(r.Key) == "x" {
			before[r.Partition] = 1
		}
	}
	require.NotEmpty(t, before)
	g := s.gateway()
	a := s.affair(1)
	markers := []string{a.enters(world.KLIB, "sd-kriens", "application-submitted")}
	a.appears(markers[0], everywhere()...)
	g.stop()
	admin, err := sarama.NewClusterAdmin([]string{s.kafka}, sarama.NewConfig())
	require.NoError(t, err)
	// Apache Kafka deletes on request only where the policy allows deleting; the gateway would refuse such a ledger.
	policy := func(p string) {
		require.NoError(t, admin.IncrementalAlterConfig(sarama.TopicResource, s.prefix+".ledger", map[string]sarama.IncrementalAlterConfigsEntry{
			"cleanup.policy": {Operation: sarama.IncrementalAlterConfigsOperationSet, Value: &p},
		}, false))
	}
	policy("compact,delete")
	require.Eventually(t, func() bool { return admin.DeleteRecords(s.prefix+".ledger", before) == nil }, patience, tick)
	policy("compact")
	require.NoError(t, admin.Close())
	g = s.gateway()
	markers = append(markers, a.enters(world.AVAM, "rav-luzern", "clarification-requested"))
	a.inOrder(markers...)
	g.settled()
	g.waits(0)
}
