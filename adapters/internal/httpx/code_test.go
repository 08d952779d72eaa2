package httpx_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/adapters/internal/httpx"
)

// I6: a problem's code stands in logs, metrics and the ledger, so a native system cannot put a person's number there.
func TestI6_AProblemCodeHoldsNoNumberOfAPerson(t *testing.T) {
	for code, taken := range map[string]bool{
		"person-unknown": true, "sha-256": true, "rule-1234": true,
		"7569217076985": false, "person-756-9217-0769-85-unknown": false, "19800517": false, "Muster": false, "": false,
	} {
		r := httpx.Response{Header: http.Header{"Content-Type": {"application/problem+json"}}, Body: []byte(`{"code":"` + code + `"}`)}
		want := ""
		if taken {
			want = code
		}
		require.Equal(t, want, r.ProblemCode())
	}
}
