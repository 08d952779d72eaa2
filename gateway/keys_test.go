package gateway_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/gateway"
	"github.com/einmal-hub/einmal/gateway/seal"
	"github.com/einmal-hub/einmal/mocks/core"
)

// I2: a key file that was lost, and silently made anew by a gateway with its own engines, would give every native record another id.
func TestI2AGatewayWithAnotherKeyFileDoesNotStart(t *testing.T) {
	s := newStage(t, core.Faults{Seed: 1})
	s.gateway().stop()
	require.NoError(t, os.Remove(filepath.Join(s.dir, "einmal.key")))
	if s.kafka != "" { // a gateway on engines that others use makes no key file
		_, _, err := seal.LoadOrCreate(filepath.Join(s.dir, "einmal.key"))
		require.NoError(t, err)
	}
	g, err := gateway.New(s.options())
	require.NoError(t, err)
	err = g.Run(context.Background())
	require.Equal(t, "other-key-file", fault.CodeOf(err), "%v", err)
	require.Equal(t, fault.Stop, fault.KindOf(err))
}
