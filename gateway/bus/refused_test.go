package bus_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/gateway/bus"
)

// A group that no waiting lets in: without an end the gateway would call itself ready while nothing flows.
func TestASessionThatTheBrokersRefuseStopsTheConsumer(t *testing.T) {
	br := startBroker(t, kfake.GroupMinSessionTimeout(time.Minute))
	b := open(t, br.config(), bus.Watch{})
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	err := b.Consume(ctx, group(b), b.Topics().Handover, func(context.Context, bus.Claim) error { return nil })
	require.Equal(t, fault.Stop, fault.KindOf(err))
	require.Equal(t, "session", fault.CodeOf(err))
	require.ErrorContains(t, err, "group.min.session.timeout.ms")
}
