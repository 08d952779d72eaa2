package bus_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/gateway/bus"
)

// I7: a gateway with a name of its own goes on at once after a crash, although its former self's session lasts for minutes. A member with a name
// does not leave the group when it stops, so a stop is a crash to the broker.
func TestI7_AMemberWithANameTakesItsPartitionsBackAtOnce(t *testing.T) {
	br := anyBroker(t)
	c := br.config()
	c.Instance, c.Session = "gateway-1", 5*time.Minute
	var before, after bag[bus.Record]
	first := open(t, c, bus.Watch{})
	running := consume(t, first, keep(&before))
	spread(t, first, 0, 30)
	before.await(t, 30)
	running.stop()

	second := open(t, c, bus.Watch{})
	running = consume(t, second, keep(&after))
	spread(t, second, 30, 30)
	after.await(t, 30)
	running.stop()
}

// I7: a name that another member has once is no other gateway yet: a request to join that was on its way while this one slept makes a member that nobody is. Chaos, seed 78.
func TestI7_AMemberWhoseOwnGhostTookItsNameGoesOn(t *testing.T) {
	br := startBroker(t)
	c := br.config()
	c.Instance = "gateway-1"
	b := open(t, c, bus.Watch{})
	var got bag[bus.Record]
	running := consume(t, b, keep(&got))
	first := spread(t, b, 0, 9)
	got.await(t, 9)
	br.cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Heartbeat}, Group: group(b), TopLevel: true, Err: kerr.FencedInstanceID, Count: 1})
	<-time.After(c.Session)
	rest := spread(t, b, 9, 9)
	require.Eventually(t, func() bool { return subset(valuesOf(got.list()), append(first, rest...)) }, patience, tick)
	running.stop()
}

// Two gateways with one name would take each other's work away for ever: one of them stops and says why.
func TestTwoMembersWithOneNameAreAStop(t *testing.T) {
	br := anyBroker(t)
	c := br.config()
	c.Instance = "gateway-1"
	var got bag[bus.Record]
	one, two := open(t, c, bus.Watch{}), open(t, c, bus.Watch{})
	first := consume(t, one, keep(&got))
	spread(t, one, 0, 3)
	got.await(t, 3)
	second := consume(t, two, keep(&got))
	var err error
	select {
	case err = <-first.ended:
		defer second.stop()
	case err = <-second.ended:
		defer first.stop()
	}
	require.Equal(t, fault.Stop, fault.KindOf(err))
	require.Equal(t, "instance-taken", fault.CodeOf(err))
}

// A stop does not wait for the answer to a join, which comes only when all other members have joined.
func TestAStopDoesNotWaitForAJoin(t *testing.T) {
	br := startBroker(t)
	b := open(t, br.config(), bus.Watch{})
	joining, over := make(chan struct{}), make(chan struct{})
	defer close(over)
	br.cluster.ControlKey(int16(kmsg.JoinGroup), func(kmsg.Request) (kmsg.Response, error, bool) {
		br.cluster.SleepControl(func() {
			close(joining)
			<-over
		})
		return nil, nil, false
	})
	running := consume(t, b, keep(&bag[bus.Record]{}))
	<-joining
	running.stop()
}
