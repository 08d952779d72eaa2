package main_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/stretchr/testify/require"
)

// file writes a configuration and returns its name.
func file(t testing.TB, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "einmal.yaml")
	require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
	return name
}

// Everything that is wrong comes at once, each with file, line, path and what to do, and the exit code says that it is the configuration.
func TestCheckListsEveryFindingAtOnceWithFileAndLine(t *testing.T) {
	t.Parallel()
	name := file(t, `listen: nowhere
admin: 127.0.0.1:8481
grace: 5h
log: {level: loud}
profile: luzern
directory: directory.yaml
systems:
  avam:
    type: avam
    pol: 1s
  klib:
    type: kettle
`)
	for _, command := range []string{"check", "run"} {
		code, _, errors := run(t, command, "--config", name)
		require.Equal(t, 2, code, command)
		lines := strings.Split(strings.TrimSpace(errors), "\n")
		for _, want := range []string{
			":1: listen: ", ":3: grace: ", ":4: log.level: ", ":6: directory: ", ":10: systems.avam.pol: ", ":12: systems.klib.type: ",
		} {
			require.Condition(t, func() bool {
				for _, l := range lines {
					if strings.HasPrefix(l, name+want) && strings.Contains(l, "; ") {
						return true
					}
				}
				return false
			}, "%s: no line says %q with a next step:\n%s", command, want, errors)
		}
		require.Contains(t, errors, `did you mean "poll"?`)
	}
}

func TestCheckSaysWhatIsWrongWithAFileThatIsNone(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"listen: [": ":1: this is not YAML", "": "directory: ", "a: &x 1\nlisten: *y\n": "this is not YAML"} {
		name := file(t, text)
		code, _, errors := run(t, "check", "--config", name)
		require.Equal(t, 2, code, text)
		require.Contains(t, errors, name, text)
		require.Contains(t, errors, want, text)
	}
	code, _, errors := run(t, "check", "--config", filepath.Join(t.TempDir(), "none.yaml"))
	require.Equal(t, 2, code)
	require.Contains(t, errors, "name an existing file with --config")
}

// Nothing can be reached: every connection is tried all the same, and the exit code says that it is the environment.
func TestCheckTriesEveryConnection(t *testing.T) {
	t.Parallel()
	w := newTown(t, true)
	code, out, errors := run(t, "check", "--config", w.config)
	require.Equal(t, 3, code, errors)
	for _, want := range []string{"ok    config", "ok    keys", "FAIL  kafka", "FAIL  redis", "FAIL  system avam", "FAIL  system casenet", "FAIL  system klib"} {
		require.Contains(t, out, want)
	}
	require.Contains(t, out, w.mocksAt, "the address that cannot be reached")
	code, out, _ = run(t, "check", "--config", w.config, "--json")
	require.Equal(t, 3, code)
	var report struct {
		OK     bool `json:"ok"`
		Probes []struct {
			What string `json:"what"`
			OK   bool   `json:"ok"`
		} `json:"probes"`
	}
	require.NoError(t, json.Unmarshal([]byte(out), &report))
	require.False(t, report.OK)
	require.Len(t, report.Probes, 6)

	w.mocks = start(t, "mocks", "--listen", w.mocksAt, "--journal", filepath.Join(w.dir, "journals"))
	w.mocks.says("klib")
	w.startEngines()
	code, out, errors = run(t, "check", "--config", w.config)
	require.Zero(t, code, out+errors)
	require.NotContains(t, out, "FAIL")
}

// A wrong password is found before anything runs.
func TestCheckFindsCredentialsThatDoNotFit(t *testing.T) {
	t.Parallel()
	w := newTown(t, false)
	w.open()
	text, err := os.ReadFile(w.config)
	require.NoError(t, err)
	wrong := filepath.Join(w.dir, "wrong.token")
	require.NoError(t, os.WriteFile(wrong, []byte("guessed\n"), 0o600))
	examples, err := filepath.Abs("../../deploy/examples/mock-secrets")
	require.NoError(t, err)
	name := filepath.Join(w.dir, "wrong.yaml")
	require.NoError(t, os.WriteFile(name, []byte(strings.ReplaceAll(string(text), examples+"/klib.token", wrong)), 0o600))
	code, out, _ := run(t, "check", "--config", name)
	require.Equal(t, 3, code)
	require.Contains(t, out, "FAIL  system klib")
	require.Contains(t, out, "renew the token")
	require.Contains(t, out, "ok    system avam")
	require.NotContains(t, out, "guessed")
}

func TestExitCodesSayWhatKindOfMistakeItWas(t *testing.T) {
	t.Parallel()
	nobody := "http://" + free(t)
	for _, c := range []struct {
		args string
		code int
		says string
	}{
		{"teapot", 2, "unknown command"}, {"check extra", 2, "extra"}, {"demo --teapot", 2, "unknown flag"}, {"demo --handovers many", 2, "--handovers"},
		{"demo --handovers 0 --once", 2, "at least 1"}, {"mocks", 2, "--journal"}, {"parked retry 1-1", 2, "why"}, {"parked retry --why x", 2, "arg"},
		{"parked found 1-1 --why x", 2, "record"}, {"parked list --admin " + nobody, 3, "name it with --admin"},
		{"play --handovers 1 --quiet 1s --mocks " + nobody, 3, "name its address with --mocks"}, {"help", 0, ""}, {"parked --help", 0, ""},
	} {
		code, out, errors := run(t, strings.Fields(c.args)...)
		require.Equal(t, c.code, code, c.args+": "+errors)
		require.Contains(t, out+errors, c.says, c.args)
	}
}

// proofLine is the JSON object at the end of a demo.
type proofLine struct {
	Handovers *int           `json:"handovers"`
	Messages  *int           `json:"messages"`
	Records   map[string]int `json:"records"`
	Double    *int           `json:"double_entries"`
	Lost      *int           `json:"lost"`
	Parked    *int           `json:"parked"`
	P50       *float64       `json:"p50_ms"`
	P99       *float64       `json:"p99_ms"`
	Elapsed   *float64       `json:"elapsed_s"`
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
		"p50_ms": p.P50 != nil, "p99_ms": p.P99 != nil, "elapsed_s": p.Elapsed != nil,
	} {
		require.True(t, v, what+" is missing")
	}
	require.Zero(t, *p.Double+*p.Lost+*p.Parked)
	for _, system := range []string{"klib", "avam", "casenet"} {
		require.Equal(t, *p.Messages, p.Records[system], system)
	}
	require.Positive(t, *p.P50)
	require.GreaterOrEqual(t, *p.P99, *p.P50)
	require.Positive(t, *p.Elapsed)
	return p
}

func TestTheDemoEndsWithTheProofAsOneJSONObject(t *testing.T) {
	t.Parallel()
	bad := demo(t, "--handovers", "12", "--seed", "3")
	require.Equal(t, 12, *bad.Handovers)
	good := demo(t, "--handovers", "12", "--seed", "3", "--faults=false")
	require.Equal(t, *bad.Messages, *good.Messages, "the same seed plays the same plan")
	require.NotEqual(t, *good.Messages, *demo(t, "--handovers", "12", "--seed", "4", "--faults=false").Messages)
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
