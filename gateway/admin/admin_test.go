package admin_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/gateway/admin"
	"github.com/einmal-hub/einmal/gateway/ledger"
	"github.com/einmal-hub/einmal/gateway/parked"
)

// desk takes rulings and answers as it is told.
type desk struct {
	items  []parked.Item
	id     string
	ruling parked.Ruling
	calls  int
	err    error
}

func (d *desk) List() []parked.Item { return d.items }

func (d *desk) Rule(_ context.Context, id string, r parked.Ruling) error {
	d.id, d.ruling = id, r
	d.calls++
	return d.err
}

// gateway is ready or says why not.
type gateway struct {
	ready  error
	status any
}

func (g gateway) Ready() error { return g.ready }
func (g gateway) Status() any  { return g.status }
func (g gateway) Late() any    { return []int{} }

func handler(g gateway, d *desk) http.Handler {
	metrics := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, "einmal_cases 1\n") })
	return admin.Handler(g, d, &comparer{}, &teller{}, metrics)
}

// ask sends one request; headers are pairs of name and value.
func ask(h http.Handler, method, path, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// problem checks that an answer is problem details and returns them.
func problem(t *testing.T, w *httptest.ResponseRecorder) map[string]any {
	t.Helper()
	require.Equal(t, "application/problem+json", w.Header().Get("Content-Type"), w.Body)
	var p map[string]any
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &p))
	require.InDelta(t, w.Code, p["status"], 0)
	require.Equal(t, http.StatusText(w.Code), p["title"])
	return p
}

const ruling = `{"verdict":"RETRY","person":"m.muster","why":"the system is up again"}`

func TestAliveIsNotTheSameAsReady(t *testing.T) {
	h := handler(gateway{ready: errors.New("the ledger is being read")}, &desk{})
	require.Equal(t, http.StatusOK, ask(h, "GET", "/healthz", "").Code)
	w := ask(h, "GET", "/readyz", "")
	require.Equal(t, http.StatusServiceUnavailable, w.Code)
	require.Contains(t, w.Body.String(), "the ledger is being read")
	require.Equal(t, http.StatusOK, ask(handler(gateway{}, &desk{}), "GET", "/readyz", "").Code)
}

func TestMetricsAreServed(t *testing.T) {
	require.Contains(t, ask(handler(gateway{}, &desk{}), "GET", "/metrics", "").Body.String(), "einmal_cases 1")
}

func TestFiguresAndWhatWaitsAreJSON(t *testing.T) {
	d := &desk{items: []parked.Item{{ID: "3-1042", Item: ledger.Item{Case: "c-1", Status: ledger.StatusParked}, Destination: "gate"}}}
	h := handler(gateway{status: map[string]int{"cases": 7}}, d)
	w := ask(h, "GET", "/status", "")
	require.Equal(t, "application/json", w.Header().Get("Content-Type"))
	require.JSONEq(t, `{"cases":7}`, w.Body.String())
	w = ask(h, "GET", "/parked", "")
	require.Equal(t, "application/json", w.Header().Get("Content-Type"))
	var items []map[string]any
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &items))
	require.Equal(t, "3-1042", items[0]["id"])
	require.Equal(t, "gate", items[0]["destination"])
}

func TestFiguresThatCannotBeWrittenAreAnErrorOfTheServer(t *testing.T) {
	w := ask(handler(gateway{status: func() {}}, &desk{}), "GET", "/status", "")
	require.Equal(t, http.StatusInternalServerError, w.Code)
}

func TestARulingReachesTheDesk(t *testing.T) {
	d := &desk{}
	w := ask(handler(gateway{}, d), "POST", "/parked/3-1042/rulings", `{"verdict":"FOUND","person":"m.muster","why":"seen","record":"4711","case":"D-1"}`)
	require.Equal(t, http.StatusNoContent, w.Code)
	require.Empty(t, w.Body.String())
	require.Equal(t, "3-1042", d.id)
	require.Equal(t, parked.Ruling{Verdict: ledger.Found, Person: "m.muster", Why: "seen", Record: "4711", Case: "D-1"}, d.ruling)
}

func TestEveryRefusalIsProblemDetailsWithItsCode(t *testing.T) {
	for code, status := range map[string]int{
		"no-such-item": http.StatusNotFound, "not-parked": http.StatusConflict, "already-ruled": http.StatusConflict,
		"incomplete-ruling": http.StatusUnprocessableEntity, "impossible-ruling": http.StatusUnprocessableEntity, "bus-away": http.StatusServiceUnavailable,
	} {
		d := &desk{err: fault.New(fault.Refuse, "parked.rule", code, "it is so").Hint("do this")}
		w := ask(handler(gateway{}, d), "POST", "/parked/3-1042/rulings", ruling)
		require.Equal(t, status, w.Code, code)
		p := problem(t, w)
		require.Equal(t, code, p["code"])
		require.Equal(t, "it is so", p["detail"])
		require.Equal(t, "do this", p["next"])
	}
}

func TestAnErrorWithoutASentenceIsShownAsItIs(t *testing.T) {
	d := &desk{err: fault.Wrap(fault.Retry, "ledger.append", errors.New("no leader"))}
	w := ask(handler(gateway{}, d), "POST", "/parked/3-1042/rulings", ruling)
	require.Equal(t, http.StatusServiceUnavailable, w.Code)
	require.Equal(t, "ledger.append: no leader", problem(t, w)["detail"])
}

func TestARulingThatIsNotReadToTheLetterIsRefused(t *testing.T) {
	for name, body := range map[string]string{
		"unknown member":     `{"verdict":"RETRY","person":"m","why":"w","force":true}`,
		"member of the list": `{"verdict":"RETRY","person":"m","why":"w","id":"3-1042"}`,
		"other case":         `{"Verdict":"RETRY","person":"m","why":"w"}`,
		"member twice":       `{"verdict":"RETRY","verdict":"WITHDRAW","person":"m","why":"w"}`,
		"two documents":      ruling + ruling,
		"null":               `null`,
		"list":               `[]`,
		"nothing":            ``,
		"form":               `verdict=RETRY&person=m&why=w`,
		"wrong type":         `{"verdict":1,"person":"m","why":"w"}`,
		"not UTF-8":          "{\"verdict\":\"RETRY\",\"person\":\"\xff\",\"why\":\"w\"}",
	} {
		d := &desk{}
		w := ask(handler(gateway{}, d), "POST", "/parked/3-1042/rulings", body)
		require.Equal(t, http.StatusBadRequest, w.Code, name)
		require.NotEmpty(t, problem(t, w)["code"], name)
		require.Zero(t, d.calls, name)
	}
	w := ask(handler(gateway{}, &desk{}), "POST", "/parked/1-1/rulings", `{"verdict":"RETRY","person":"m","why":"w","force":true}`)
	require.Equal(t, "/force", problem(t, w)["path"], "the member that is not known is named")
}

func TestARulingThatIsTooLargeIsNotRead(t *testing.T) {
	d := &desk{}
	w := ask(handler(gateway{}, d), "POST", "/parked/3-1042/rulings", `{"why":"`+strings.Repeat("x", 64<<10)+`"}`)
	require.Equal(t, http.StatusRequestEntityTooLarge, w.Code)
	require.Equal(t, "too-large", problem(t, w)["code"])
	require.Zero(t, d.calls)
}

func TestAPageOfAnotherOriginCannotRule(t *testing.T) {
	for name, headers := range map[string][]string{
		"as browsers say it":     {"Sec-Fetch-Site", "cross-site"},
		"another port":           {"Sec-Fetch-Site", "same-site"},
		"as old browsers say it": {"Origin", "https://elsewhere.example"},
		"opaque origin":          {"Origin", "null"},
	} {
		d := &desk{}
		w := ask(handler(gateway{}, d), "POST", "/parked/3-1042/rulings", ruling, headers...)
		require.Equal(t, http.StatusForbidden, w.Code, name)
		require.Equal(t, "cross-origin", problem(t, w)["code"], name)
		require.Zero(t, d.calls, name)
	}
	for name, headers := range map[string][]string{
		"a tool":           nil,
		"the own page":     {"Sec-Fetch-Site", "same-origin"},
		"the own old page": {"Origin", "http://example.com"}, // the host of httptest
	} {
		d := &desk{}
		require.Equal(t, http.StatusNoContent, ask(handler(gateway{}, d), "POST", "/parked/3-1042/rulings", ruling, headers...).Code, name)
		require.Equal(t, 1, d.calls, name)
	}
}

func TestReadingNeverRules(t *testing.T) {
	d := &desk{}
	h := handler(gateway{}, d)
	for _, method := range []string{"GET", "HEAD", "PUT", "DELETE", "PATCH"} {
		require.Equal(t, http.StatusMethodNotAllowed, ask(h, method, "/parked/3-1042/rulings", ruling).Code, method)
	}
	for _, path := range []string{"/", "/parked/3-1042", "/parked/3-1042/rulings/1", "/parked//rulings"} {
		require.NotEqual(t, http.StatusNoContent, ask(h, "POST", path, ruling).Code, path)
	}
	require.Zero(t, d.calls)
}
