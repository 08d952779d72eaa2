package admin_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/gateway/admin"
	"github.com/einmal-hub/einmal/gateway/ledger"
	"github.com/einmal-hub/einmal/gateway/receipts"
)

// teller tells one receipt and remembers what it was asked.
type teller struct {
	asked receipts.Query
	err   error
}

func (b *teller) Page(_ context.Context, q receipts.Query) (receipts.Page, error) {
	b.asked = q
	return receipts.Page{Receipts: []receipts.Receipt{{Position: "0-1", Outcome: ledger.OutcomeRecorded}}, Next: "0.2"}, b.err
}

func (b *teller) Late(time.Time) []receipts.Receipt { return []receipts.Receipt{} }

func telling(b *teller) http.Handler {
	return admin.Handler(gateway{}, &desk{}, &comparer{}, b, http.NotFoundHandler())
}

func TestReceiptsAreToldAsTheyAreAskedFor(t *testing.T) {
	b := &teller{}
	h := telling(b)
	w := ask(h, "GET", "/receipts?case=c-1&number=E-9&organisation=sd-kriens&since=2026-03-02T08:30:00Z&outcome=PARKED&outcome=HELD&after=0.1&limit=10", "")
	require.Equal(t, http.StatusOK, w.Code, w.Body)
	require.Equal(t, receipts.Query{
		Case: "c-1", Sender: "sd-kriens", Number: "E-9", Since: time.Date(2026, 3, 2, 8, 30, 0, 0, time.UTC), Outcomes: []ledger.Outcome{ledger.OutcomeParked, ledger.OutcomeHeld}, After: "0.1", Limit: 10,
	}, b.asked)
	require.Contains(t, w.Body.String(), `"position":"0-1"`)
	require.Equal(t, "no-store", w.Header().Get("Cache-Control"))
	require.Equal(t, "[]\n", ask(h, "GET", "/receipts/late", "").Body.String())
}

// A filter that was left out because nobody understood it would tell what nobody asked for.
func TestAQuestionThatIsNotUnderstoodIsRefused(t *testing.T) {
	for query, path := range map[string]string{
		"organization=x": "organization", "case=": "case", "case=a&case=b": "case", "since=yesterday": "since", "outcome=LOST": "outcome", "limit=0": "limit", "limit=1001": "limit",
		"limit=ten": "limit", "outcome=PARKED&outcome=parked": "outcome", "%zz": "", "a;b": "",
	} {
		w := ask(telling(&teller{}), "GET", "/receipts?"+query, "")
		require.Equal(t, http.StatusBadRequest, w.Code, query)
		p := problem(t, w)
		require.Equal(t, "bad-parameter", p["code"], query)
		if path != "" {
			require.Equal(t, path, p["path"], query)
		}
	}
}

func TestAPositionThatMeansNothingIsToldApartFromAGatewayThatCannotAnswer(t *testing.T) {
	for code, status := range map[string]int{"malformed-position": http.StatusBadRequest, "outdated-position": http.StatusGone, "away": http.StatusServiceUnavailable} {
		w := ask(telling(&teller{err: fault.New(fault.Refuse, "test", code, "text")}), "GET", "/receipts?after=0.1", "")
		require.Equal(t, status, w.Code)
		require.Equal(t, code, problem(t, w)["code"])
	}
}
