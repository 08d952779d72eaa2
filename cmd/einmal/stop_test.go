package main_test

import (
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// The broker is killed in the middle, twice, and comes back on its folder; Redis loses everything each time.
// Fault 22.
func TestI7KillingTheBrokerChangesNoOutcome(t *testing.T) {
	t.Parallel()
	w := newTown(t, true)
	w.faults, w.seed = true, 42
	w.open()
	w.run()
	s := w.play(42, 12)
	for kill := range 2 {
		s.reaches(s.plan.Steps() * (kill + 1) / 3)
		w.engines.kill()
		w.startEngines()
	}
	s.end()
	w.once(s)
}

// Mocks and gateway alone, as the README says: the gateway brings its own engines. SIGTERM ends it within its grace and with exit code 0, and it goes on where it was.
// Fault 42.
func TestI7SIGTERMDrainsAndARestartGoesOn(t *testing.T) {
	t.Parallel()
	w := newTown(t, false)
	w.faults, w.seed = true, 43
	w.change("answer: 15s", "answer: 1m") // on a machine that is busy a result must not count as late: a person would be asked, and none is there
	w.open()
	w.run()
	s := w.play(43, 12)
	for stop := range 3 {
		s.reaches(s.plan.Steps() * (stop + 1) / 4)
		w.ready()
		w.gateway.signal(syscall.SIGTERM)
		require.Zero(t, w.gateway.code())
		require.Contains(t, w.gateway.errors.tail(1), "einmal has stopped")
		w.run()
	}
	s.end()
	w.once(s)
	code, out, errors := run(t, "parked", "list", "--admin", "http://"+w.adminAt)
	require.Zero(t, code, errors)
	require.Equal(t, "nothing waits\n", out)
}

// Whoever cannot wait for the grace sends a second SIGTERM.
func TestI7ASecondSIGTERMEndsAtOnce(t *testing.T) {
	t.Parallel()
	w := newTown(t, false)
	w.open()
	w.run()
	w.ready()
	s := w.playIn(44, 3, certain()...) // the second SIGTERM is a kill
	s.reaches(10)
	// A request that does not end keeps the drain waiting for its grace.
	open, err := net.Dial("tcp", w.adminAt)
	require.NoError(t, err)
	defer func() { _ = open.Close() }()
	_, err = io.WriteString(open, "POST /parked/1-1/rulings HTTP/1.1\r\nHost: einmal\r\nContent-Length: 100\r\n\r\n{")
	require.NoError(t, err)
	w.gateway.signal(syscall.SIGTERM)
	require.Eventually(t, func() bool { return !flows(w.adminAt) }, patience, tick, "the drain does not begin")
	w.gateway.signal(syscall.SIGTERM)
	require.Equal(t, -1, w.gateway.code())
	require.Equal(t, syscall.SIGTERM, w.gateway.cmd.ProcessState.Sys().(syscall.WaitStatus).Signal())
	w.run()
	s.end()
	w.once(s)
}

// flows reports whether a gateway says that messages flow.
func flows(admin string) bool {
	resp, err := http.Get("http://" + admin + "/readyz")
	if err != nil {
		return false
	}
	_ = resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

// A gateway that cannot even start ends on SIGTERM too.
func TestSIGTERMEndsAGatewayThatWaitsForItsBrokers(t *testing.T) {
	t.Parallel()
	w := newTown(t, true)
	require.NoError(t, os.MkdirAll(filepath.Join(w.dir, "data"), 0o700))
	code, out, _ := run(t, "check", "--config", w.config) // makes the key
	require.Equal(t, 3, code)
	require.Contains(t, out, "FAIL  kafka")
	w.run()
	w.gateway.says("waiting for the brokers")
	w.gateway.signal(syscall.SIGTERM)
	require.Zero(t, w.gateway.code())
}

// Two gateways may not share one folder of engines: the second one says so and leaves the first alone.
func TestASecondGatewayOnTheSameFolderIsRefused(t *testing.T) {
	t.Parallel()
	w := newTown(t, false)
	w.open()
	w.run()
	w.ready()
	text, err := os.ReadFile(w.config)
	require.NoError(t, err)
	other := filepath.Join(w.dir, "other.yaml")
	require.NoError(t, os.WriteFile(other, []byte(strings.NewReplacer(w.listenAt, free(t), w.adminAt, free(t)).Replace(string(text))), 0o600))
	code, _, errors := run(t, "run", "--config", other)
	require.Equal(t, 3, code)
	require.Contains(t, errors, "data-in-use")
	s := w.play(45, 2)
	s.end()
	w.once(s)
}
