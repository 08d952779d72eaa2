package gateway_test

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/mocks/clerks"
	"github.com/einmal-hub/einmal/mocks/core"
	"github.com/einmal-hub/einmal/mocks/world"
)

// The whole world on a bad day: events twice, answers lost after the commit, errors, slow and late executions, a search that lags behind.
// EINMAL_HANDOVERS sets how many; the small figure is for make test.
// Fault 1.
func TestI1I2I3EveryHandoverStandsOnceInEachSystemInOrder(t *testing.T) {
	t.Parallel()
	handovers := 12
	if v := os.Getenv("EINMAL_HANDOVERS"); v != "" {
		n, err := strconv.Atoi(v)
		require.NoError(t, err, "EINMAL_HANDOVERS")
		handovers = n
	}
	for seed := range int64(2) {
		t.Run(fmt.Sprint("seed ", seed+1), func(t *testing.T) {
			t.Parallel()
			s := newStage(t, world.BadDay(seed+1))
			g := s.gateway()
			p := planWithScans(t, seed+1, handovers)
			require.True(t, slices.ContainsFunc(p.Handovers, func(h clerks.Handover) bool {
				return slices.ContainsFunc(h.Steps, func(s clerks.Step) bool {
					return slices.ContainsFunc(s.Facts.Documents, func(d core.Document) bool { return d.Size() > 1<<20 })
				})
			}), "a document is larger than a message may be")
			s.play(p)
			g.clean()
			require.Equal(t, p.Steps(), g.Stats().Messages)
			proof := s.once(p)
			require.Equal(t, handovers, proof.Handovers)
		})
	}
}
