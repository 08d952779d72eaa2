package admin_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/gateway/admin"
	"github.com/einmal-hub/einmal/gateway/reconcile"
)

// comparer answers as it is told and remembers what it was asked.
type comparer struct {
	only  []handover.SystemID
	park  bool
	asked []reconcile.Finding
	err   error
}

func (c *comparer) Reconcile(_ context.Context, only []handover.SystemID, park bool) (reconcile.Report, error) {
	c.only, c.park = only, park
	return reconcile.Report{Findings: []reconcile.Finding{{ID: "d-1", Kind: reconcile.Missing}}}, c.err
}

func (c *comparer) Ask(_ context.Context, findings []reconcile.Finding) (int, error) {
	c.asked = findings
	return len(findings), c.err
}

func comparing(c *comparer) http.Handler {
	return admin.Handler(gateway{}, &desk{}, c, &teller{}, http.NotFoundHandler())
}

func TestAComparisonIsAskedForAndItsReportReturned(t *testing.T) {
	c := &comparer{}
	w := ask(comparing(c), "POST", "/reconciliations", `{"systems":["klib"],"park":true}`)
	require.Equal(t, http.StatusOK, w.Code, w.Body)
	require.Equal(t, []handover.SystemID{"klib"}, c.only)
	require.True(t, c.park)
	var r reconcile.Report
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &r))
	require.Equal(t, reconcile.Missing, r.Findings[0].Kind)
}

func TestFindingsArePutBeforeAPerson(t *testing.T) {
	c := &comparer{}
	w := ask(comparing(c), "POST", "/differences", `[{"id":"d-1","kind":"extra","state":"new","system":"klib","reference":"r-1","text":"t","next":"n"}]`)
	require.Equal(t, http.StatusOK, w.Code, w.Body)
	require.JSONEq(t, `{"new":1}`, w.Body.String())
	require.Equal(t, "d-1", c.asked[0].ID)
}

func TestAComparisonThatFailsIsAProblemWithItsReason(t *testing.T) {
	for _, c := range []struct {
		path, body string
		err        error
		status     int
		code       string
	}{
		{"/reconciliations", `{"system":"klib"}`, nil, http.StatusBadRequest, "malformed-json"},
		{"/differences", `{`, nil, http.StatusBadRequest, "malformed-json"},
		{"/reconciliations", `{"systems":["` + strings.Repeat("x", 70000) + `"]}`, nil, http.StatusRequestEntityTooLarge, "too-large"},
		{"/reconciliations", `{}`, fault.New(fault.Stop, "x", "unknown-system", "no such system"), http.StatusNotFound, "unknown-system"},
		{"/reconciliations", `{}`, fault.New(fault.Stop, "x", "ledger-version", "another version"), http.StatusServiceUnavailable, "ledger-version"},
		{"/differences", `[]`, fault.New(fault.Retry, "x", "no-brokers", "no broker answers"), http.StatusServiceUnavailable, "no-brokers"},
	} {
		w := ask(comparing(&comparer{err: c.err}), "POST", c.path, c.body)
		require.Equal(t, c.status, w.Code, c.path+c.body)
		require.Equal(t, c.code, problem(t, w)["code"])
	}
}

func TestAPageOfAnotherOriginCannotStartAComparison(t *testing.T) {
	c := &comparer{}
	w := ask(comparing(c), "POST", "/reconciliations", `{"park":true}`, "Sec-Fetch-Site", "cross-site")
	require.Equal(t, http.StatusForbidden, w.Code)
	require.False(t, c.park)
}
