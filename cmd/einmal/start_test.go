package main_test

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/stretchr/testify/require"
)

// change writes the town's configuration anew with other texts in it.
func (w *town) change(pairs ...string) {
	w.t.Helper()
	text, err := os.ReadFile(w.config)
	require.NoError(w.t, err)
	for i := 0; i < len(pairs); i += 2 {
		require.Contains(w.t, string(text), pairs[i])
	}
	require.NoError(w.t, os.WriteFile(w.config, []byte(strings.NewReplacer(pairs...).Replace(string(text))), 0o600))
}

// A gateway that cannot start says why and what to do, and ends with the code of the environment.
func TestAGatewayThatCannotStartSaysWhy(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		own   bool
		spoil func(w *town)
		says  []string
	}{
		"the admin address is taken": {false, func(w *town) {
			l, err := net.Listen("tcp", w.adminAt)
			require.NoError(w.t, err)
			w.t.Cleanup(func() { _ = l.Close() })
		}, []string{"address-in-use", "choose another address"}},
		"the data folder is a file": {false, func(w *town) {
			require.NoError(w.t, os.WriteFile(filepath.Join(w.dir, "data"), nil, 0o600))
		}, []string{"einmal.key", "not a directory"}},
		"there is no key file beside brokers of their own": {true, func(*town) {}, []string{"einmal check"}},
		"the key file is none": {false, func(w *town) {
			require.NoError(w.t, os.MkdirAll(filepath.Join(w.dir, "data"), 0o700))
			require.NoError(w.t, os.WriteFile(filepath.Join(w.dir, "data", "einmal.key"), []byte("guessed"), 0o600))
		}, []string{"key"}},
		"the brokers refuse the session": {true, func(w *town) {
			w.startEngines()
			w.change("kafka: {", "kafka: {session: 40m, ")
		}, []string{"session"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newTown(t, c.own)
			c.spoil(w)
			w.run()
			require.Contains(t, []int{2, 3}, w.gateway.code(), w.gateway.errors.String())
			for _, says := range c.says {
				require.Contains(t, w.gateway.errors.tail(1), says)
			}
			require.NotContains(t, w.gateway.errors.String(), "guessed")
		})
	}
}

// Programs read the log: every line on standard error is one JSON object, whatever a library would like to print.
func TestEveryLineOnStandardErrorIsTheLog(t *testing.T) {
	t.Parallel()
	w := newTown(t, true)
	w.change("level: info, format: text", "level: debug, format: json", w.redisAt, free(t))
	w.faults = true
	w.mocks = start(t, "mocks", "--listen", w.mocksAt, "--sftp", w.sftpAt, "--journal", filepath.Join(w.dir, "journals"), "--webhook", "http://"+w.listenAt+"/webhooks/casenet", "--faults")
	w.mocks.says("klib")
	w.startEngines()
	code, _, _ := run(t, "check", "--config", w.config)
	require.Equal(t, 3, code, "Redis is away; the key is made all the same")
	w.run()
	s := w.play(47, 3)
	s.reaches(s.plan.Steps() / 2)
	w.engines.kill()
	w.startEngines()
	s.end()
	w.once(s)
	w.gateway.signal(syscall.SIGTERM)
	require.Zero(t, w.gateway.code())
	require.Empty(t, w.gateway.out.String())
	lines := strings.Split(strings.TrimSpace(w.gateway.errors.String()), "\n")
	require.Greater(t, len(lines), 5)
	for _, l := range lines {
		var event struct {
			Time  string `json:"time"`
			Level string `json:"level"`
			Msg   string `json:"msg"`
		}
		require.NoError(t, json.Unmarshal([]byte(l), &event), l)
		require.NotEmpty(t, event.Time+event.Level+event.Msg, l)
	}
}
