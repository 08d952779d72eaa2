package main_test

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/mocks/clerks"
	"github.com/einmal-hub/einmal/mocks/world"
)

// proofLine is the JSON object at the end of a demo.
type proofLine struct {
	Handovers    *int                      `json:"handovers"`
	Returned     int                       `json:"returned"`
	Groups       map[string]clerks.Group   `json:"groups"`
	MessageTypes map[handover.Name]int     `json:"message_types"`
	Messages     *int                      `json:"messages"`
	Records      map[handover.SystemID]int `json:"records"`
	Expected     map[handover.SystemID]int `json:"expected"`
	Double       *int                      `json:"double_entries"`
	Lost         *int                      `json:"lost"`
	Leaked       *int                      `json:"leaked"`
	Parked       *int                      `json:"parked"`
	P50          *float64                  `json:"p50_ms"`
	P99          *float64                  `json:"p99_ms"`
	Elapsed      *float64                  `json:"elapsed_s"`
	Report       clerks.Table              `json:"report"`
}

func demo(t testing.TB, args ...string) proofLine {
	t.Helper()
	code, out, errors := run(t, append([]string{"demo", "--once", "--json"}, args...)...)
	require.Zero(t, code, errors+out)
	require.Empty(t, errors)
	require.Contains(t, out, "The way of one message")
	require.Contains(t, out, "intake.record")
	lines := strings.Split(strings.TrimSpace(out), "\n")
	var p proofLine
	require.NoError(t, json.Unmarshal([]byte(lines[len(lines)-1]), &p), "the last line is one JSON object")
	for what, v := range map[string]bool{
		"handovers": p.Handovers != nil, "messages": p.Messages != nil, "double_entries": p.Double != nil, "lost": p.Lost != nil, "parked": p.Parked != nil,
		"leaked": p.Leaked != nil, "p50_ms": p.P50 != nil, "p99_ms": p.P99 != nil, "elapsed_s": p.Elapsed != nil,
	} {
		require.True(t, v, what+" is missing")
	}
	require.Zero(t, *p.Double+*p.Lost+*p.Leaked+*p.Parked)
	require.Equal(t, p.Expected, p.Records)
	require.Positive(t, *p.P50)
	require.GreaterOrEqual(t, *p.P99, *p.P50)
	require.Positive(t, *p.Elapsed)
	return p
}

func TestTheDemoEndsWithTheProofAsOneJSONObject(t *testing.T) {
	t.Parallel()
	steps := func(seed int64) int {
		plan, err := clerks.NewPlan(seed, 5, world.IDs()...)
		require.NoError(t, err)
		return plan.Steps()
	}
	require.NotEqual(t, steps(3), steps(4), "the seed makes a difference")
	bad := demo(t, "--handovers", "5", "--seed", "3")
	require.Equal(t, 5, *bad.Handovers)
	require.Equal(t, steps(3), *bad.Messages, "the seed gives the plan")
	good := demo(t, "--handovers", "5", "--seed", "3", "--faults=false")
	require.Equal(t, *bad.Messages, *good.Messages, "the same seed plays the same plan, whatever breaks meanwhile")
}

// The 52 applications of the pilot's standard report end as that report, counted from the journals of all six systems.
func TestTheDemoOfTheReportEndsAsItsTable(t *testing.T) {
	t.Parallel()
	p := demo(t, "--plan", "report-2022", "--faults=false")
	want, err := clerks.ReportTable()
	require.NoError(t, err)
	require.Empty(t, p.Report.Against(want))
	require.Equal(t, 52, *p.Handovers)
	require.Zero(t, p.Returned)
}

// Acceptance of the issue: every target group in every direction that the world's systems allow, every message, and what the rules do not admit.
func TestTheDemoPlaysEveryTargetGroupAndEveryMessage(t *testing.T) {
	t.Parallel()
	const handovers, seed = 40, 8
	p := demo(t, "--handovers", fmt.Sprint(handovers), "--seed", fmt.Sprint(seed))
	plan, err := clerks.NewPlan(seed, handovers, world.IDs()...)
	require.NoError(t, err)
	want, returned := map[string]clerks.Group{}, 0
	for _, h := range plan.Handovers {
		if h.Steps[0].Returned() {
			returned++
		}
		if h.Returned() {
			continue
		}
		g := want[h.Group]
		if g.Directions == nil {
			g.Directions = map[string]int{}
		}
		g.Handovers++
		g.Directions[h.From+">"+h.To]++
		want[h.Group] = g
	}
	require.Equal(t, want, p.Groups)
	require.Equal(t, returned, p.Returned)
	require.Positive(t, returned)
	for _, m := range handover.Catalogue() {
		require.Positive(t, p.MessageTypes[m.Name()], m.Name())
	}
}

// A demo that was not given a folder takes its own away with it.
func TestTheDemoLeavesNothingBehindInItsTemporaryFolder(t *testing.T) {
	t.Parallel()
	tmp := t.TempDir()
	p := startIn(t, []string{"TMPDIR=" + tmp}, "demo", "--once", "--handovers", "2", "--faults=false")
	require.Zero(t, p.code(), p.errors.String())
	left, err := os.ReadDir(tmp)
	require.NoError(t, err)
	require.Empty(t, left, fmt.Sprint(left))
}

func TestADemoThatIsInterruptedSaysSoAndLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	tmp := t.TempDir()
	p := startIn(t, []string{"TMPDIR=" + tmp}, "demo", "--handovers", "500")
	p.says("messages entered")
	p.signal(syscall.SIGINT)
	require.Equal(t, 1, p.code())
	require.Equal(t, "einmal: stopped before the end\n", p.errors.String())
	left, err := os.ReadDir(tmp)
	require.NoError(t, err)
	require.Empty(t, left)
}
