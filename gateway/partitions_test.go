package gateway_test

import (
	"context"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/IBM/sarama"
	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/gateway"
	"github.com/einmal-hub/einmal/mocks/core"
	"github.com/einmal-hub/einmal/mocks/world"
)

// Fault 20: partitions are added while a gateway runs. It stops and says why; so does every start, also with a configuration that was made to fit; with the new ones left empty the work goes on.
func TestI3AddedPartitionsStopTheGatewayUntilTheyAreLeftEmpty(t *testing.T) {
	t.Parallel()
	s := newStage(t, core.Faults{})
	s.shared()
	g := s.gateway()
	a := s.affair(1)
	markers := []string{a.enters(world.KLIB, "sd-kriens", "application-submitted")}
	a.appears(markers[0], everywhere()...)
	admin, err := sarama.NewClusterAdmin([]string{s.kafka}, sarama.NewConfig())
	require.NoError(t, err)
	for _, topic := range []string{"handover", "ledger", "parked"} {
		require.NoError(t, admin.CreatePartitions(s.prefix+"."+topic, 6, nil, false))
	}
	require.NoError(t, admin.Close())
	<-g.ended
	require.Equal(t, fault.Stop, fault.KindOf(g.err))
	require.ErrorContains(t, g.err, "partitions-changed")
	g.err = nil // seen

	require.ErrorContains(t, s.refused("topic-unfit"), "unusedPartitions")
	s.rewrite = func(yaml string) string { return strings.Replace(yaml, "partitions: 4", "partitions: 6", 1) }
	require.ErrorContains(t, s.refused("partitions-changed"), "set partitions to 4 again")
	s.rewrite = func(yaml string) string {
		return strings.Replace(yaml, "partitions: 4", "partitions: 4, unusedPartitions: 2", 1)
	}
	g = s.gateway()
	markers = append(markers, a.enters(world.AVAM, "rav-luzern", "clarification-requested"))
	a.inOrder(markers...)
	g.settled()
	g.waits(0)
}

// Fault 40, in the whole gateway: what a newer version has put on the bus waits for it with its case, is counted, and is put before nobody; everything else goes on, also after a restart.
func TestI1WhatANewerGatewayHasWrittenIsLeftAloneAndCounted(t *testing.T) {
	t.Parallel()
	s := newStage(t, core.Faults{})
	s.shared()
	gateways := []*running{s.gateway(), s.gateway()}
	header := func(k, v string) sarama.RecordHeader { return sarama.RecordHeader{Key: []byte(k), Value: []byte(v)} }
	for partition := range int32(4) {
		s.writes("handover", partition, &sarama.ProducerMessage{
			Key: sarama.StringEncoder("from-tomorrow"), Value: sarama.StringEncoder("sealed in another way"),
			Headers: []sarama.RecordHeader{header("ce_type", "ch.optima.handover.application-submitted.v2"), header("ce_id", "m"), header("ce_subject", "from-tomorrow")},
		})
		s.writes("ledger", partition,
			&sarama.ProducerMessage{Key: sarama.StringEncoder("x"), Value: sarama.StringEncoder(`{"v":2,"kind":"INTENT","case":"from-tomorrow"}`)},
			&sarama.ProducerMessage{Key: sarama.StringEncoder("y"), Value: sarama.StringEncoder(`{"v":1,"kind":"WHIM"}`)},
		)
	}
	newer := func() (n int) {
		for _, g := range gateways {
			n += g.Status().(gateway.Status).Newer
		}
		return n
	}
	var all []*affair
	for i := range 8 { // cases of every partition
		a := s.affair(i)
		a.appears(a.enters(world.KLIB, "sd-kriens", "application-submitted"), everywhere()...)
		all = append(all, a)
	}
	require.Eventually(t, func() bool {
		return newer() == 4 && gateways[0].Stats().Skipped == 8 && gateways[1].Stats().Skipped == 8
	}, patience, tick)
	for i := range gateways {
		require.Empty(t, gateways[i].parked())
		gateways[i].stop()
		gateways[i] = s.gateway()
	}
	for _, a := range all {
		a.appears(a.enters(world.AVAM, "rav-luzern", "clarification-requested"), everywhere()...)
	}
	require.Eventually(t, func() bool { return newer() == 4 }, patience, tick, "nothing was committed")
	gateways[0].settled()
}

// A gateway that waits for its brokers, or reads a long ledger, is alive and not ready, and says so.
func TestOperatorsAreAnsweredBeforeMessagesFlow(t *testing.T) {
	t.Parallel()
	s := newStage(t, core.Faults{})
	e := s.engines()
	nobody, err := net.Listen("tcp", "127.0.0.1:0") // while the engines have their addresses
	require.NoError(t, err)
	admin := nobody.Addr().String()
	require.NoError(t, nobody.Close())
	require.NoError(t, e.Close())
	o := s.options()
	o.Config.Admin = admin
	g, err := gateway.New(o)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- g.Run(ctx) }()
	status := func(path string) int {
		resp, err := http.Get("http://" + admin + path)
		if err != nil {
			return 0
		}
		defer func() { _ = resp.Body.Close() }()
		return resp.StatusCode
	}
	require.Eventually(t, func() bool { return status("/healthz") == http.StatusOK }, patience, tick)
	for _, path := range []string{"/readyz", "/status", "/parked", "/late"} {
		require.Equal(t, http.StatusServiceUnavailable, status(path), path)
	}
	require.Equal(t, http.StatusOK, status("/metrics"))
	s.enginesAgain()
	require.Eventually(t, func() bool { return status("/readyz") == http.StatusOK }, patience, tick)
	require.Equal(t, http.StatusOK, status("/status"))
	cancel()
	require.NoError(t, <-ended)
	require.Zero(t, status("/healthz"))
}
