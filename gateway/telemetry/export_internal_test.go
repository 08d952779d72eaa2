package telemetry

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

func TestEveryBatchThatTheCollectorRefusesIsCounted(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }))
	defer server.Close()
	var log bytes.Buffer
	failures := 0
	p, err := newExporter(t.Context(), Config{OTLPEndpoint: server.URL, Log: NewLogger(&log, "info", "json")}, func() { failures++ })
	require.NoError(t, err)
	defer p.giveUp()
	for range 3 {
		require.NoError(t, p.ExportSpans(t.Context(), tracetest.SpanStubs{{Name: SpanIntake}}.Snapshots()))
	}
	require.Equal(t, 3, failures)
	require.Equal(t, 1, bytes.Count(log.Bytes(), []byte("\n")))
	require.NoError(t, p.Shutdown(t.Context()))
}

func TestNothingIsSentAfterGivingUp(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a request after giving up") }))
	defer server.Close()
	failures := 0
	p, err := newExporter(t.Context(), Config{OTLPEndpoint: server.URL}, func() { failures++ })
	require.NoError(t, err)
	p.giveUp()
	require.NoError(t, p.ExportSpans(t.Context(), tracetest.SpanStubs{{Name: SpanIntake}}.Snapshots()))
	require.Equal(t, 1, failures)
	require.NoError(t, p.Shutdown(t.Context()))
}

func TestTheLogHearsOfALostCollectorOnceInTenMinutes(t *testing.T) {
	p := &patientExporter{}
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	require.True(t, p.mayComplain(now))
	require.False(t, p.mayComplain(now.Add(complaint-1)))
	require.True(t, p.mayComplain(now.Add(complaint)))
}
