package sim

import (
	"flag"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/einmal-hub/einmal/adapters"
)

var seeds = flag.Int("sim.seeds", 10, "number of simulated runs of each kind")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// sweep makes n runs until one has findings, and returns how many it made and the bad one.
func sweep(t *testing.T, o Options, n int) (made int, bad *Result) {
	Sweep(t.Context(), o, n, func(r Result) bool {
		made++
		if len(r.Findings) > 0 {
			bad = &r
		}
		return bad == nil
	})
	return made, bad
}

// I1, I2, I3, I7: whatever goes wrong, nothing is lost, recorded twice or out of order, and whoever is asked is asked for a reason.
func TestI1I2I3I7_NothingIsLostDoubledOrOutOfOrder(t *testing.T) {
	for _, mode := range []adapters.Mode{"", adapters.ModeA, adapters.ModeB, adapters.ModeC} {
		t.Run("mode "+string(mode), func(t *testing.T) {
			made, bad := sweep(t, Options{Seed: 1, Mode: mode}, *seeds)
			if bad != nil {
				t.Fatalf("seed %d: %s\n%s", bad.Seed, strings.Join(bad.Findings, "\n"), strings.Join(bad.History, "\n"))
			}
			require.Equal(t, *seeds, made)
		})
	}
}

// Seeds that found an error once: see Bugs in doc.go.
func TestSeedsThatFoundAnErrorOnce(t *testing.T) {
	for _, seed := range []uint64{24, 32, 1226, 1523, 2170, 15923, 20355} {
		require.Empty(t, Run(Options{Seed: seed}).Findings, "seed %d", seed)
	}
}

// A seed makes the same run again. What the scheduler of Go may still decide shows in less than one run of fifty.
func TestASeedReproduces(t *testing.T) {
	const runs = 50
	same := 0
	for seed := range uint64(runs) {
		first, second := Run(Options{Seed: seed}), Run(Options{Seed: seed})
		require.Equal(t, first.Findings, second.Findings)
		require.Equal(t, first.Messages, second.Messages)
		if first.Fingerprint() == second.Fingerprint() {
			same++
		}
	}
	t.Logf("%d of %d runs are the same to the nanosecond", same, runs)
	require.Greater(t, same, runs*8/10)
}

// The world is not harmless: in a few runs everything that can go wrong has gone wrong, and people were asked.
func TestTheWorldGoesWrong(t *testing.T) {
	seen, total := map[string]bool{}, Result{}
	for seed := range uint64(150) {
		r := Run(Options{Seed: seed})
		total.Rulings += r.Rulings
		total.Lives += r.Lives
		for _, line := range r.History {
			for _, what := range whatGoesWrong {
				seen[what] = seen[what] || strings.Contains(line, what)
			}
		}
	}
	for _, what := range whatGoesWrong {
		require.True(t, seen[what], what)
	}
	require.Positive(t, total.Rulings)
	require.Greater(t, total.Lives, 300)
}

var whatGoesWrong = []string{
	"answer lost", "vanished", "late", "rejected", "broken", "stopped", "refused", "written late", "written, answer lost", "killed", "stopped for", "rebalances",
	"wiped", "is set back", "is away", "compacted", "offsets lost", "rules RETRY", "rules FOUND", "rules WITHDRAW", "already-ruled",
}
