package gateway_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/gateway/directory"
	"github.com/einmal-hub/einmal/mocks/core"
)

// P6: every agency works in its own system only, and what a clerk entered there is entered by nobody again: each message is typed once, in the system of the one who says it, and no
// organisation has a dossier in another one's system.
func TestP6_EveryAgencyWorksInItsOwnSystemOnly(t *testing.T) {
	t.Parallel()
	s := newStage(t, core.Faults{})
	g := s.gateway()
	p := plan(t, 6, 4)
	s.play(p)
	g.clean()
	s.once(p)
	d, err := directory.Load("testdata/directory.yaml", directory.Known{})
	require.NoError(t, err)
	journals, err := s.world.Journals()
	require.NoError(t, err)
	typed, dossiers := 0, 0
	for id, entries := range journals {
		for _, e := range entries {
			if e.Dossier != "" {
				dossiers++
				own, known := d.System(e.Dossier, handover.Code(""))
				require.True(t, known)
				require.Equal(t, own, id, "a dossier of %s", e.Dossier)
			}
			if e.By == core.ByClerk {
				typed++
			}
		}
	}
	require.Positive(t, dossiers)
	require.Equal(t, p.Steps(), typed, "nobody enters anything twice")
}
