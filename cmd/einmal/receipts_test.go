package main_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/gateway/receipts"
)

// desk is an admin address that tells two pages of receipts and remembers what it was asked.
func desk(t *testing.T) (address string, asked func() []string) {
	var mu sync.Mutex
	var all []string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		all = append(all, r.URL.RequestURI())
		mu.Unlock()
		const one = `{"position":"3-7","case":"c-1","message":"m-1","name":"measure-ordered","action":"correction","sender":"sd-kriens","entered":{"system":"klib","case":"D-1","record":"E-9"},
			"at":"avam/rav-luzern","outcome":"RECORDED","since":"2026-03-02T09:00:00Z","record":"AV-2","recordCase":"AV-1"}`
		const two = `{"position":"3-9","case":"c-2","message":"m-2","entered":{"system":"klib"},"entry":4,"at":"gate","outcome":"WITHDRAWN","since":"2026-03-02T09:01:00Z",
			"by":{"person":"m.muster","verdict":"WITHDRAW","why":"entered twice","at":"2026-03-02T09:01:00Z"}}`
		const late = `{"position":"3-8","case":"c-3","message":"m-3","entered":{},"at":"casenet","outcome":"PENDING","since":"2026-03-02T09:00:00Z"}`
		body := `[]`
		switch {
		case r.URL.Path == "/receipts/late":
			body = `[` + late + `]`
		case r.URL.Path == "/receipts" && r.URL.Query().Get("after") == "":
			body = `{"receipts":[` + one + `],"next":"0.8","more":true}`
		case r.URL.Path == "/receipts":
			body = `{"receipts":[` + two + `],"next":"0.10","more":false}`
		}
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(s.Close)
	return s.URL, func() []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(all)
	}
}

func TestAnOperatorSeesWhatBecameOfMessages(t *testing.T) {
	address, asked := desk(t)
	code, out, errors := run(t, "receipts", "--admin", address, "--case", "c-1", "--organisation", "sd-kriens", "--since", "2026-03-02T10:00:00+01:00", "--outcome", "parked,recorded", "--number", "E-9")
	require.Zero(t, code, errors)
	require.Equal(t, []string{
		"/receipts?case=c-1&number=E-9&organisation=sd-kriens&outcome=PARKED&outcome=RECORDED&since=2026-03-02T09%3A00%3A00Z",
		"/receipts?after=0.8&case=c-1&number=E-9&organisation=sd-kriens&outcome=PARKED&outcome=RECORDED&since=2026-03-02T09%3A00%3A00Z",
	}, asked())
	require.Regexp(t, `2026-03-02 09:00:00 +sd-kriens +klib D-1 E-9 +measure-ordered \(correction\) +avam/rav-luzern +RECORDED +AV-1 AV-2 +c-1`, out)
	require.Regexp(t, `klib entry 4 +gate +WITHDRAWN +c-2 +withdraw by m\.muster: entered twice`, out)
	_, out, _ = run(t, "receipts", "--admin", address, "--json")
	var all []receipts.Receipt
	require.NoError(t, json.Unmarshal([]byte(out), &all))
	require.Len(t, all, 2)
	code, _, errors = run(t, "receipts", "--admin", address, "--since", "yesterday")
	require.Equal(t, 2, code)
	require.Contains(t, errors, `--since "yesterday" is neither a time`)
}

func TestWhatHasNoReceiptIsLate(t *testing.T) {
	address, _ := desk(t)
	code, out, errors := run(t, "late", "--admin", address)
	require.Zero(t, code, errors)
	require.Contains(t, out, "nothing is late")
	require.Regexp(t, `without a receipt:\n(?s).*casenet +PENDING +c-3`, out)
	_, out, _ = run(t, "late", "--admin", address, "--json")
	require.Contains(t, out, `"deadlines": []`)
	require.Contains(t, out, `"message": "m-3"`)
}
