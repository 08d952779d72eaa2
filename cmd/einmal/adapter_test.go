package main_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/adapters/measure"
)

// verifies measures a system on the command line, with few entries.
func (w *town) verifies(more ...string) (code int, out, errors string) {
	w.t.Helper()
	return run(w.t, append([]string{"adapter", "verify", "--config", w.config, "--samples", "5", "--cuts", "4", "--by", "tester"}, more...)...)
}

// lags makes the search of a system lag behind, in milliseconds.
func (w *town) lags(system string, ms int) {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), http.MethodPut, "http://"+w.mocksAt+"/"+system+"/control/faults", strings.NewReader(fmt.Sprintf(`{"seed":1,"lookupLagMs":%d}`, ms)))
	require.NoError(w.t, err)
	answer, err := http.DefaultClient.Do(r)
	require.NoError(w.t, err)
	require.NoError(w.t, answer.Body.Close())
	require.Less(w.t, answer.StatusCode, 300)
}

// An integrator measures a system, keeps the record, and the gateway rests on it; a system that does less is refused, with what to change.
func TestAnIntegratorMeasuresASystemOnTheCommandLine(t *testing.T) {
	t.Parallel()
	w := newTown(t, false)
	record := filepath.Join(w.dir, "avam.json")

	code, out, errors := w.verifies("--system", "avam")
	require.Equal(t, 2, code, out)
	require.Contains(t, errors, "--yes-write-into-productive")
	require.Contains(t, errors, w.mocksAt, "where it would write")
	code, out, _ = w.verifies("--system", "avam", "--dry-run")
	require.Zero(t, code)
	require.Contains(t, out, "NOT a test instance")
	code, _, errors = w.verifies("--system", "avam", "--yes-write-into-productive", "--out", record)
	require.Equal(t, 3, code, "nothing runs yet")
	require.Contains(t, errors, "unreachable")
	require.NoFileExists(t, record)

	w.open()
	w.change("type: avam", "type: avam\n    test: true")
	code, out, errors = w.verifies("--system", "avam", "--out", record, "--json")
	require.Zero(t, code, out+errors)
	require.Contains(t, errors, "Each is marked as a test delivery.")
	var r measure.Record
	require.NoError(t, json.Unmarshal([]byte(out), &r))
	require.EqualValues(t, "B", r.Report.Measured.Mode)
	require.Equal(t, "tester", r.By)
	require.True(t, r.Test)
	kept, err := measure.LoadRecord(record)
	require.NoError(t, err)
	require.Equal(t, r, kept)
	b, err := os.ReadFile(record)
	require.NoError(t, err)
	require.NotContains(t, string(b), "mock-avam-password")

	w.lags("avam", 600)
	code, out, _ = w.verifies("--system", "avam")
	require.Equal(t, 1, code, out)
	require.Contains(t, out, "THE SYSTEM MAY NOT BE USED AS IT IS CONFIGURED")
	require.Contains(t, out, "set bounds.lookup to more than")
	w.lags("avam", 0)

	w.change("type: avam", "type: avam\n    verified: avam.json")
	code, out, errors = run(t, "check", "--config", w.config)
	require.Zero(t, code, errors)
	require.Contains(t, out, "measured on avam on "+r.At.Format("2006-01-02")+" by tester")
	require.Contains(t, out, "einmal adapter verify --system klib", "what was not measured is said")
	w.change("mode: B", "mode: A")
	code, _, errors = run(t, "check", "--config", w.config)
	require.Equal(t, 2, code)
	require.Contains(t, errors, "systems.avam.mode")
}

func TestMeasuringSaysWhatIsWrongWithTheCommandLine(t *testing.T) {
	t.Parallel()
	w := newTown(t, false)
	for _, c := range []struct {
		args []string
		says string
	}{
		{nil, "--system"}, {[]string{"--system", "kettle"}, "no system of this name"}, {[]string{"--system", "klib", "--samples", "0"}, "samples"},
		{[]string{"--system", "klib", "--form", "none.json"}, "none.json"}, {[]string{"--system", "klib", "--organisation", "nobody"}, "directory"},
	} {
		code, _, errors := w.verifies(c.args...)
		require.Equal(t, 2, code, errors)
		require.Contains(t, errors, c.says)
	}
}
