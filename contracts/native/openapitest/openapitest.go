// Package openapitest holds a native system and its adapter to the published contract: it looks at every request and answer that goes by and
// fails the test when the contract, an OpenAPI 3.1 document, describes something else.
//
// It stands between the two in tests only. A mock that judged itself could drift from its contract together with the adapter.
package openapitest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
	"github.com/stretchr/testify/require"
)

// T is what Watch needs of a [testing.T].
type T interface {
	Helper()
	Context() context.Context
	Errorf(format string, args ...any)
	FailNow()
}

// Watch returns a handler that passes everything to next and reports to t every request and answer on one of the contract's paths that the contract does
// not describe. Requests that are refused (answered with a status from 400 on) may be wrong; their answers may not. Paths outside of the
// contract go by unseen. The servers that the contract lists do not matter.
func Watch(t T, contract []byte, next http.Handler) http.Handler {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(contract)
	require.NoError(t, err)
	require.NoError(t, doc.Validate(t.Context()))
	doc.Servers = nil
	router, err := gorillamux.NewRouter(doc)
	require.NoError(t, err)
	var mu sync.Mutex // openapi3filter compiles schemas on first use
	// The validator compiles the schema anew for each body, and whoever polls is told the same again and again.
	right := map[[sha256.Size]byte]bool{}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		recorded := httptest.NewRecorder()
		next.ServeHTTP(recorded, r)
		answer := recorded.Result()
		mu.Lock()
		if key := fingerprint(r, body, answer, recorded.Body.Bytes()); !right[key] {
			if err := exchange(router, r, body, answer, recorded.Body.Bytes()); err != nil {
				t.Errorf("%s %s: %v", r.Method, r.URL.Path, err)
			} else {
				right[key] = true
			}
		}
		mu.Unlock()
		for name, values := range answer.Header {
			w.Header()[name] = values
		}
		w.WriteHeader(answer.StatusCode)
		_, _ = w.Write(recorded.Body.Bytes())
	})
}

// fingerprint is the same for two exchanges only if the contract says the same about both.
func fingerprint(r *http.Request, body []byte, answer *http.Response, answered []byte) [sha256.Size]byte {
	return sha256.Sum256(fmt.Appendf(nil, "%q %q %q %q %d %q %q", r.Method, r.URL, r.Header, body, answer.StatusCode, answer.Header, answered))
}

// exchange checks one request and its answer.
func exchange(router routers.Router, r *http.Request, body []byte, answer *http.Response, answered []byte) error {
	route, parameters, err := router.FindRoute(r)
	if err != nil {
		return nil //nolint:nilerr // not on a path of the contract
	}
	request := r.Clone(r.Context())
	request.Body = io.NopCloser(bytes.NewReader(body))
	input := &openapi3filter.RequestValidationInput{
		Request: request, PathParams: parameters, Route: route,
		Options: &openapi3filter.Options{AuthenticationFunc: authenticated, IncludeResponseStatus: true, MultiError: true},
	}
	var wrong error
	if answer.StatusCode < http.StatusBadRequest {
		wrong = openapi3filter.ValidateRequest(r.Context(), input)
	}
	return errors.Join(wrong, openapi3filter.ValidateResponse(r.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: input, Status: answer.StatusCode, Header: answer.Header, Body: io.NopCloser(bytes.NewReader(answered)), Options: input.Options,
	}))
}

// authenticated demands what the contract's security scheme does, without judging the credentials.
func authenticated(_ context.Context, in *openapi3filter.AuthenticationInput) error {
	if in.RequestValidationInput.Request.Header.Get("Authorization") == "" {
		return fmt.Errorf("the request has no credentials")
	}
	return nil
}
