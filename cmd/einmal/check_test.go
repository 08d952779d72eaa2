package main_test

import (
	"os"
	"path/filepath"
	"strings"
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
	require.Len(t, report.Probes, 9)

	w.mocks = start(t, "mocks", "--listen", w.mocksAt, "--sftp", w.sftpAt, "--journal", filepath.Join(w.dir, "journals"))
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
