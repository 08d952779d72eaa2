package telemetry_test

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.uber.org/goleak"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/gateway/telemetry"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func start(t *testing.T, c telemetry.Config) *telemetry.Telemetry {
	t.Helper()
	tel, err := telemetry.Start(t.Context(), c)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, tel.Shutdown(context.Background())) })
	return tel
}

// scrape returns the metrics as Prometheus reads them.
func scrape(tel *telemetry.Telemetry) string {
	w := httptest.NewRecorder()
	tel.MetricsHandler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", http.NoBody))
	return w.Body.String()
}

func telemetryConfig() telemetry.Config { return telemetry.Config{Instance: "one"} }

// touch uses every instrument once.
func touch(t *testing.T, tel *telemetry.Telemetry) {
	t.Helper()
	i, ctx := tel.Instruments(), t.Context()
	i.Read(ctx, "klib", "published")
	i.Published(ctx, "klib", "measure-ordered")
	i.Delivered(ctx, "klib/sd-kriens", 3*time.Second)
	i.Attempted(ctx, "casenet", "doubt")
	i.Parked(ctx, "gate", "out-of-order")
	i.Unread(ctx, "klib", "unauthorized")
	i.BusTroubled("bus.consume", "forbidden")
	i.RedisFailed("claim")
	i.Lag("einmal.delivery", 3, 17)
	i.Compared("klib", map[string]int{"missing": 8, "extra": 0}, time.Unix(1_800_000_000, 0))
	i.Asked("sd-kriens", time.Time{})
	i.Asked("rav-luzern", time.Unix(1_800_000_000, 0))
	require.NoError(t, tel.Observe(func() telemetry.Figures {
		return telemetry.Figures{Cases: 1, Messages: 2, Open: 3, Parked: 4, Held: 5, Skipped: 6, Lanes: 7, Differences: 9, NoReceipt: 10}
	}))
}

func TestEveryInstrumentIsServedToPrometheus(t *testing.T) {
	tel := start(t, telemetryConfig())
	touch(t, tel)
	text := scrape(tel)
	for _, line := range []string{
		`einmal_read_total{einmal_outcome="published",einmal_system="klib"} 1`,
		`einmal_published_total{einmal_message_name="measure-ordered",einmal_system="klib"} 1`,
		`einmal_delivery_duration_seconds_bucket{einmal_destination="klib/sd-kriens",le="2.5"} 0`,
		`einmal_delivery_duration_seconds_bucket{einmal_destination="klib/sd-kriens",le="5"} 1`,
		`einmal_delivery_duration_seconds_bucket{einmal_destination="klib/sd-kriens",le="3600"} 1`,
		`einmal_attempts_total{einmal_destination="casenet",einmal_outcome="doubt"} 1`,
		`einmal_parkings_total{einmal_destination="gate",einmal_reason="out-of-order"} 1`,
		`einmal_read_failures_total{einmal_reason="unauthorized",einmal_system="klib"} 1`,
		`einmal_bus_troubles_total{einmal_operation="bus.consume",einmal_reason="forbidden"} 1`,
		`einmal_redis_failures_total{einmal_operation="claim"} 1`,
		`einmal_lag{einmal_group="einmal.delivery",einmal_partition="3"} 17`,
		`einmal_reconcile_findings{einmal_differs="missing",einmal_system="klib"} 8`,
		`einmal_reconcile_findings{einmal_differs="extra",einmal_system="klib"} 0`, `einmal_reconcile_last{einmal_system="klib"} 1.8e+09`,
		`einmal_waiting{einmal_status="difference"} 9`,
		`einmal_cases 1`, `einmal_messages 2`, `einmal_open 3`, `einmal_waiting{einmal_status="parked"} 4`,
		`einmal_waiting{einmal_status="held"} 5`, `einmal_ledger_skipped 6`, `einmal_lanes 7`, `einmal_receipts_late 10`,
		`einmal_receipts_asked{einmal_sender="sd-kriens"} 0`, `einmal_receipts_asked{einmal_sender="rav-luzern"} 1.8e+09`,
		`service_instance_id="one"`, `service_name="einmal"`, `go_goroutines`,
	} {
		require.Contains(t, text, line)
	}
}

func TestADeliveryBeforeItsEntryCountsAsZeroSeconds(t *testing.T) {
	tel := start(t, telemetry.Config{})
	tel.Instruments().Delivered(t.Context(), "klib", -time.Hour)
	require.Contains(t, scrape(tel), `einmal_delivery_duration_seconds_sum{einmal_destination="klib"} 0`)
}

func TestTwoGatewaysInOneProcessDoNotShareMetrics(t *testing.T) {
	one, two := start(t, telemetry.Config{}), start(t, telemetry.Config{})
	one.Instruments().RedisFailed("claim")
	require.Contains(t, scrape(one), "einmal_redis_failures_total")
	require.NotContains(t, scrape(two), "einmal_redis_failures_total")
}

func TestNothingIsSetGlobally(t *testing.T) {
	spans, meters := otel.GetTracerProvider(), otel.GetMeterProvider()
	start(t, telemetry.Config{OTLPEndpoint: "127.0.0.1:1"})
	require.Equal(t, spans, otel.GetTracerProvider())
	require.Equal(t, meters, otel.GetMeterProvider())
}

// collector answers every batch and counts them.
func collector(t *testing.T, status int) (*httptest.Server, *atomic.Int64) {
	t.Helper()
	var batches atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/traces" {
			batches.Add(1)
		}
		w.WriteHeader(status)
	}))
	t.Cleanup(s.Close)
	return s, &batches
}

func span(ctx context.Context, tel *telemetry.Telemetry) {
	_, s := tel.Tracer().Start(ctx, telemetry.SpanIntake)
	s.End()
}

func TestSpansReachTheCollectorBeforeTheProcessEnds(t *testing.T) {
	server, batches := collector(t, http.StatusOK)
	for _, c := range []telemetry.Config{
		{OTLPEndpoint: server.URL},
		{OTLPEndpoint: server.URL + "/"},
		{OTLPEndpoint: server.Listener.Addr().String(), OTLPInsecure: true},
	} {
		before := batches.Load()
		tel, err := telemetry.Start(t.Context(), c)
		require.NoError(t, err)
		span(t.Context(), tel)
		require.NoError(t, tel.Shutdown(t.Context()))
		require.Greater(t, batches.Load(), before)
	}
}

func TestACollectorThatRefusesIsCountedAndReportedOnce(t *testing.T) {
	server, batches := collector(t, http.StatusServiceUnavailable)
	var log bytes.Buffer
	tel, err := telemetry.Start(t.Context(), telemetry.Config{OTLPEndpoint: server.URL, Log: telemetry.NewLogger(&log, "info", "text")})
	require.NoError(t, err)
	for range 2000 { // more than three batches
		span(t.Context(), tel)
	}
	require.NoError(t, tel.Shutdown(t.Context()))
	require.Greater(t, batches.Load(), int64(1))
	require.Equal(t, 1, strings.Count(log.String(), "the collector takes no spans"))
}

func TestACollectorThatIsDownIsCountedAndFailsNothing(t *testing.T) {
	tel, err := telemetry.Start(t.Context(), telemetry.Config{OTLPEndpoint: "http://127.0.0.1:1"})
	require.NoError(t, err)
	span(t.Context(), tel)
	metrics := tel.MetricsHandler()
	require.NoError(t, tel.Shutdown(t.Context()))
	require.NotNil(t, metrics)
}

func TestACollectorThatNeverAnswersDoesNotHoldUpTheEnd(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, listener.Close()) }() // connections are taken and never answered
	tel, err := telemetry.Start(t.Context(), telemetry.Config{OTLPEndpoint: "http://" + listener.Addr().String()})
	require.NoError(t, err)
	span(t.Context(), tel)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	require.NoError(t, tel.Shutdown(ended))
}

func TestAMalformedEndpointStopsTheStart(t *testing.T) {
	for _, endpoint := range []string{"ftp://host:21", "https://", "://", "http://[::1", "host:port:port"} {
		_, err := telemetry.Start(t.Context(), telemetry.Config{OTLPEndpoint: endpoint})
		require.Equal(t, fault.Stop, fault.KindOf(err), endpoint)
		require.Equal(t, "malformed-endpoint", fault.CodeOf(err), endpoint)
	}
}

func TestAProcessorSeesEverySpan(t *testing.T) {
	r := telemetry.NewRecorder(0)
	tel := start(t, telemetry.Config{Processors: []sdktrace.SpanProcessor{r}})
	span(t.Context(), tel)
	require.Len(t, r.Traces(), 1)
}

func TestALogLineCarriesTheIDsOfItsSpan(t *testing.T) {
	tel := start(t, telemetry.Config{})
	ctx, s := tel.Tracer().Start(t.Context(), telemetry.SpanIntake)
	defer s.End()
	for _, format := range []string{"json", "text"} {
		var out bytes.Buffer
		telemetry.NewLogger(&out, "info", format).With("system", "klib").InfoContext(ctx, "read")
		require.Contains(t, out.String(), s.SpanContext().TraceID().String(), format)
		require.Contains(t, out.String(), s.SpanContext().SpanID().String(), format)
	}
	var out bytes.Buffer
	telemetry.NewLogger(&out, "info", "json").InfoContext(t.Context(), "read")
	require.NotContains(t, out.String(), telemetry.LogTrace)
}

func TestALevelHidesWhatIsBelowIt(t *testing.T) {
	for level, want := range map[string]int{"debug": 4, "info": 3, "warn": 2, "error": 1, "": 3, "loud": 3} {
		var out bytes.Buffer
		l := telemetry.NewLogger(&out, level, "json")
		for _, at := range []slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError} {
			l.Log(t.Context(), at, "event")
		}
		require.Equal(t, want, strings.Count(out.String(), "\n"), level)
	}
}
