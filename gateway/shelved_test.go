package gateway_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/mocks/world"
)

// kept returns what the gateways of a stage have found on their shelves, in the order of their starts: "0" is nothing.
func (s *stage) kept() (all []string) {
	for _, m := range regexp.MustCompile(`the ledger is read" .*kept=(\d+)`).FindAllStringSubmatch(s.log.String(), -1) {
		all = append(all, m[1])
	}
	return all
}

// A gateway goes on from what it has kept of the ledger on its disk; when that is damaged, it reads the ledger, and in either case records nothing twice, in order, and knows what it has recorded.
func TestI2AGatewayGoesOnFromItsShelfOrFromTheLedger(t *testing.T) {
	t.Parallel()
	s := newStage(t, world.BadDay(25))
	s.shared()
	p := plan(t, 25, 12)
	g := s.gateway()
	play := s.begin(p, 20)
	stops := 0
	for play.next() {
		g.stop()
		if stops++; stops == 2 {
			files, err := filepath.Glob(filepath.Join(s.dir, "engines", "ledger-shelf-*.db"))
			require.NoError(t, err)
			require.Len(t, files, 1)
			require.NoError(t, os.WriteFile(files[0], []byte("not a shelf any more"), 0o600))
		}
		g = s.gateway()
	}
	require.GreaterOrEqual(t, stops, 3)
	g.clean()
	require.Equal(t, p.Steps(), g.Stats().Messages)
	kept := s.kept()
	require.Equal(t, "0", kept[0], "the first one finds nothing")
	require.NotEqual(t, "0", kept[1])
	require.Equal(t, "0", kept[2], "nothing that can be used")
	require.NotEqual(t, "0", kept[3])
	s.once(p)
}
