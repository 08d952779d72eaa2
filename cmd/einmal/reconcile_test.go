package main_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/gateway/reconcile"
	"github.com/einmal-hub/einmal/mocks/clerks"
	"github.com/einmal-hub/einmal/mocks/core"
	"github.com/einmal-hub/einmal/mocks/world"
)

// reconciles compares on the command line, with more arguments if there are any.
func (w *town) reconciles(more ...string) (code int, out, errors string) {
	w.t.Helper()
	return run(w.t, append([]string{"reconcile", "--config", w.config}, more...)...)
}

// handsOver lets a clerk of avam enter an application, and waits until einmal has written what follows from it: the rules send it on or back.
func (w *town) handsOver() {
	w.t.Helper()
	plan, err := clerks.NewPlan(900, 3)
	require.NoError(w.t, err)
	facts := plan.Handovers[2].Steps[0].Facts
	facts.Assigning, facts.Receiving, facts.Documents = "rav-luzern", "sd-kriens", nil
	w.enters("application-submitted", facts)
	require.Eventually(w.t, func() bool { f := w.status(); return f.Messages == 1 && f.Open == 0 }, patience, tick)
}

// loses takes what einmal has written last out of one system while the mocks are down, and returns the system.
func (w *town) loses() (system string) {
	w.t.Helper()
	w.mocks.kill()
	for _, id := range world.IDs() {
		file := filepath.Join(w.dir, "journals", core.JournalName(id))
		b, err := os.ReadFile(file)
		require.NoError(w.t, err)
		lines := bytes.SplitAfter(b, []byte("\n"))
		if system == "" && len(lines) > 1 && bytes.Contains(lines[len(lines)-2], []byte(`"by":"interface"`)) {
			require.NoError(w.t, os.WriteFile(file, bytes.Join(lines[:len(lines)-2], nil), 0o600))
			system = string(id)
		}
	}
	require.NotEmpty(w.t, system)
	w.mocks = start(w.t, "mocks", "--listen", w.mocksAt, "--sftp", w.sftpAt, "--journal", filepath.Join(w.dir, "journals"))
	w.mocks.says("klib")
	return system
}

// differs waits until a comparison says that something does, and returns what it prints.
func (w *town) differs(more ...string) (out, errors string) {
	w.t.Helper()
	code := 0
	require.Eventually(w.t, func() bool {
		code, out, errors = w.reconciles(more...)
		return code == 1
	}, patience, tick, "what has gone is old enough to be missed")
	return out, errors
}

func TestAnOperatorComparesOnTheCommandLineWithoutTheGateway(t *testing.T) {
	t.Parallel()
	w := newTown(t, true)
	w.open()
	w.run()
	w.ready()
	w.handsOver()
	code, out, errors := w.reconciles()
	require.Zero(t, code, out+errors)
	require.Contains(t, out, "compared")
	w.mocks.kill()
	code, out, errors = w.reconciles("--system", "klib")
	require.Equal(t, 3, code, out+errors)
	require.Contains(t, out, "unreadable")
	system := w.loses()

	out, _ = w.differs()
	require.Contains(t, out, "missing")
	require.Contains(t, out, "by the ledger the entry stands in the native system, and its list does not show it")
	out, _ = w.differs("--json")
	var r reconcile.Report
	require.NoError(t, json.Unmarshal([]byte(out), &r))
	require.Len(t, r.Findings, 1)
	require.Equal(t, system, string(r.Findings[0].System))
	for _, id := range []string{"avam", "casenet", "klib"} {
		code, out, errors = w.reconciles("--system", id)
		require.Equal(t, id == system, code == 1, out+errors)
	}
	code, _, errors = w.reconciles("--system", "clib")
	require.Equal(t, 2, code)
	require.Contains(t, errors, "clib")

	for _, asked := range []string{"1 new differences", "0 new differences"} {
		_, errors = w.differs("--park")
		require.Contains(t, errors, asked)
	}
	_, out, _ = run(t, "parked", "list", "--admin", "http://"+w.adminAt)
	require.Contains(t, out, "missing: by the ledger")
	require.Contains(t, out, "rulings on a difference of the kind missing")
	lines := strings.Split(out, "\n")
	id, _, _ := strings.Cut(lines[1], " ")
	code, out, errors = run(t, "parked", "accept", id, "--why", "known", "--person", "operator", "--admin", "http://"+w.adminAt)
	require.Zero(t, code, out+errors)
	code, out, errors = w.reconciles()
	require.Zero(t, code, out+errors, "what was accepted is no difference any more")
	require.Contains(t, out, "accepted")
	w.gateway.kill()
	code, out, errors = w.reconciles()
	require.Zero(t, code, out+errors, "no gateway is needed")
	w.engines.kill()
	code, _, errors = w.reconciles()
	require.Equal(t, 3, code, errors)
}

func TestAGatewayThatBringsItsOwnBrokerComparesItself(t *testing.T) {
	t.Parallel()
	w := newTown(t, false)
	w.open()
	w.run()
	w.ready()
	w.handsOver()
	code, out, errors := w.reconciles()
	require.Zero(t, code, out+errors)
	out, _ = w.differs("--park", "--system", w.loses())
	require.Contains(t, out, "missing")
	_, out, _ = run(t, "parked", "list", "--admin", "http://"+w.adminAt)
	require.Contains(t, out, "missing: by the ledger")
	code, _, errors = w.reconciles("--system", "clib")
	require.Equal(t, 2, code, errors)
	w.gateway.kill()
	code, _, errors = w.reconciles()
	require.Equal(t, 3, code)
	require.Contains(t, errors, "no gateway answers")
}
