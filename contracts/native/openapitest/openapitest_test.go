package openapitest

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const document = `
openapi: 3.1.0
info: {title: t, version: "1"}
servers: [{url: https://elsewhere.example}]
security: [{token: []}]
components: {securitySchemes: {token: {type: http, scheme: bearer}}}
paths:
  /things:
    post:
      requestBody: {required: true, content: {application/json: {schema: &thing {type: object, required: [a], additionalProperties: false, properties: {a: {const: x}}}}}}
      responses:
        "201": {description: ok, headers: {ETag: {required: true, schema: {type: string}}}, content: {application/json: {schema: *thing}}}
        "422": {description: no, content: {application/problem+json: {schema: {type: object, required: [code]}}}}
`

// said collects what Watch reports.
type said struct {
	*testing.T
	errors []any
}

func (s *said) Errorf(_ string, args ...any) { s.errors = append(s.errors, args...) }

func TestWatch_ReportsWhatTheContractDoesNotDescribe(t *testing.T) {
	for name, c := range map[string]struct {
		path, request, token string
		status               int
		media, answer, etag  string
		ok                   bool
	}{
		"as described":            {"/things", `{"a":"x"}`, "t", 201, "application/json", `{"a":"x"}`, "1", true},
		"refused":                 {"/things", `{"b":1}`, "t", 422, "application/problem+json", `{"code":"c"}`, "", true},
		"not of the contract":     {"/desk", `{"b":1}`, "", 200, "text/plain", `x`, "", true},
		"request of another form": {"/things", `{"a":"y"}`, "t", 201, "application/json", `{"a":"x"}`, "1", false},
		"answer of another form":  {"/things", `{"a":"x"}`, "t", 201, "application/json", `{"a":"x","b":1}`, "1", false},
		"header missing":          {"/things", `{"a":"x"}`, "t", 201, "application/json", `{"a":"x"}`, "", false},
		"status not listed":       {"/things", `{"a":"x"}`, "t", 500, "application/json", `{"a":"x"}`, "1", false},
		"media type not listed":   {"/things", `{"a":"x"}`, "t", 422, "text/html", `no`, "", false},
		"no credentials":          {"/things", `{"a":"x"}`, "", 201, "application/json", `{"a":"x"}`, "1", false},
	} {
		t.Run(name, func(t *testing.T) {
			reports := &said{T: t}
			watched := Watch(reports, []byte(document), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				b, err := io.ReadAll(r.Body)
				require.NoError(t, err)
				require.Equal(t, c.request, string(b), "the handler sees the request as it was sent")
				w.Header().Set("Content-Type", c.media)
				if c.etag != "" {
					w.Header().Set("ETag", c.etag)
				}
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.answer)
			}))
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://127.0.0.1:1"+c.path, strings.NewReader(c.request))
			r.Header.Set("Content-Type", "application/json")
			if c.token != "" {
				r.Header.Set("Authorization", "Bearer "+c.token)
			}
			w := httptest.NewRecorder()
			watched.ServeHTTP(w, r)
			require.Equal(t, c.status, w.Code)
			require.Equal(t, c.answer, w.Body.String())
			require.Equal(t, c.ok, len(reports.errors) == 0, "%v", reports.errors)
		})
	}
}
