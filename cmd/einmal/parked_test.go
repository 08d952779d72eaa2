package main_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/mocks/clerks"
	"github.com/einmal-hub/einmal/mocks/core"
	"github.com/einmal-hub/einmal/mocks/world"
)

// enters lets a clerk of rav-luzern enter a form at the desk of AVAM.
func (w *town) enters(name handover.Name, facts core.Facts) core.Stands {
	w.t.Helper()
	kind, body := world.Systems("")[world.AVAM].Compose(name, facts)
	b, err := json.Marshal(core.Typed{Kind: kind, Organisation: "rav-luzern", Body: string(body)})
	require.NoError(w.t, err)
	r, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, "http://"+w.mocksAt+"/avam/desk/entries", bytes.NewReader(b))
	require.NoError(w.t, err)
	resp, err := http.DefaultClient.Do(r)
	require.NoError(w.t, err)
	defer func() { _ = resp.Body.Close() }()
	var stands core.Stands
	require.NoError(w.t, json.UnmarshalRead(resp.Body, &stands))
	return stands
}

// A decision without an application waits; the operator sees what, where and why on the command line, and decides there.
func TestAnOperatorSeesWhatWaitsAndDecidesOnTheCommandLine(t *testing.T) {
	t.Parallel()
	w := newTown(t, false)
	w.open()
	w.run()
	w.ready()
	plan, err := clerks.NewPlan(46, 1, world.IDs()...)
	require.NoError(t, err)
	facts := plan.Handovers[0].Steps[0].Facts
	facts.Assigning, facts.Receiving = "sd-kriens", "rav-luzern"
	stands := w.enters("application-decided", facts)
	var id string
	require.Eventually(t, func() bool {
		code, out, errors := run(t, "parked", "list", "--admin", "http://"+w.adminAt)
		require.Zero(t, code, errors)
		id = ""
		for _, l := range strings.Split(out, "\n")[1:] {
			if strings.Contains(l, "not-in-this-state") {
				id, _, _ = strings.Cut(l, " ")
				require.Contains(t, l, "avam "+string(stands.Case)+" "+string(stands.ID), "where it was entered")
				require.Contains(t, l, "the case is not opened, where application-decided is not provided for; correct the entry in the native system, or withdraw this message")
			}
		}
		return id != ""
	}, patience, tick)
	rule := func(verdict, which string) (int, string) {
		code, _, errors := run(t, "parked", verdict, which, "--admin", "http://"+w.adminAt, "--why", "entered by mistake", "--person", "operator")
		return code, errors
	}
	code, errors := rule("retry", id)
	require.Zero(t, code, errors)
	require.Eventually(t, func() bool { code, errors = rule("withdraw", id); return code == 1 }, patience, tick, "the number of an earlier parking")
	require.Contains(t, errors, "no-such-item")
	var items []struct{ ID string }
	require.Eventually(t, func() bool {
		_, out, _ := run(t, "parked", "list", "--json", "--admin", "http://"+w.adminAt)
		items = nil
		require.NoError(t, json.Unmarshal([]byte(out), &items, json.MatchCaseInsensitiveNames(true)))
		return len(items) == 1 && items[0].ID != id
	}, patience, tick, "it is parked again, because nothing has changed")
	code, errors = rule("withdraw", items[0].ID)
	require.Zero(t, code, errors)
	code, out, _ := run(t, "parked", "list", "--admin", "http://"+w.adminAt)
	require.Zero(t, code)
	require.Equal(t, "nothing waits\n", out)
}
