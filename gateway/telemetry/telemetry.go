package telemetry

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/otel/attribute"
	otelprometheus "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/einmal-hub/einmal/contracts/fault"
)

// Config says who speaks and who listens.
type Config struct {
	Service  string // service.name; "einmal" if empty
	Instance string // random name of this process; left out if empty
	// OTLPEndpoint is the collector of spans: "https://host:4318" or "host:4318", with a path if it is not /v1/traces. Empty: spans are
	// not exported.
	OTLPEndpoint string
	OTLPInsecure bool // plain HTTP, whatever the endpoint says
	// Processors get every span besides the collector, such as a [Recorder].
	Processors []sdktrace.SpanProcessor
	// Log is told, at most once in ten minutes, that the collector takes no spans. nil: nobody is told.
	Log *slog.Logger
}

// Telemetry holds the providers of one process. It is safe for concurrent use.
type Telemetry struct {
	spans       *sdktrace.TracerProvider
	metrics     *sdkmetric.MeterProvider
	meter       metric.Meter
	registry    *prometheus.Registry
	instruments *Instruments
	export      *patientExporter // nil: no collector
}

// Start prepares spans and metrics; it connects to nothing. Errors are of kind Stop. Call [Telemetry.Shutdown] at the end.
func Start(ctx context.Context, c Config) (*Telemetry, error) {
	t := &Telemetry{registry: prometheus.NewRegistry()}
	about := c.resource()
	reader, err := otelprometheus.New(otelprometheus.WithRegisterer(t.registry), otelprometheus.WithoutScopeInfo())
	if err != nil {
		return nil, fault.Wrap(fault.Stop, "telemetry.start", err)
	}
	t.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	t.metrics = sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader), sdkmetric.WithResource(about))
	t.meter = t.metrics.Meter(scope)
	if t.instruments, err = newInstruments(t.meter); err != nil {
		return nil, err
	}
	options := []sdktrace.TracerProviderOption{sdktrace.WithResource(about)}
	for _, p := range c.Processors {
		options = append(options, sdktrace.WithSpanProcessor(p))
	}
	if c.OTLPEndpoint != "" {
		if t.export, err = newExporter(ctx, c, t.instruments.exportFailed); err != nil {
			return nil, err
		}
		options = append(options, sdktrace.WithBatcher(t.export))
	}
	t.spans = sdktrace.NewTracerProvider(options...)
	return t, nil
}

func (c Config) resource() *resource.Resource {
	service := c.Service
	if service == "" {
		service = "einmal"
	}
	about := []attribute.KeyValue{attribute.String(AttrService, service)}
	if c.Instance != "" {
		about = append(about, attribute.String(AttrInstance, c.Instance))
	}
	return resource.NewSchemaless(about...)
}

// Tracer makes the gateway's spans.
func (t *Telemetry) Tracer() trace.Tracer { return t.spans.Tracer(scope) }

// Instruments count and measure what the gateway does.
func (t *Telemetry) Instruments() *Instruments { return t.instruments }

// MetricsHandler serves all metrics for Prometheus.
func (t *Telemetry) MetricsHandler() http.Handler {
	return promhttp.HandlerFor(t.registry, promhttp.HandlerOpts{EnableOpenMetrics: true})
}

// Shutdown sends what is left to the collector and ends. It takes two seconds at most, or until ctx ends: spans that a collector does
// not take by then are lost.
func (t *Telemetry) Shutdown(ctx context.Context) error {
	hurry, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if t.export != nil {
		defer t.export.giveUp()
		defer context.AfterFunc(hurry, t.export.giveUp)()
	}
	// Beyond the moment of giving up, everything ends at once; waiting for that leaves no goroutine behind.
	end, cancelEnd := context.WithTimeout(context.WithoutCancel(ctx), patience+time.Second)
	defer cancelEnd()
	return fault.Wrap(fault.Stop, "telemetry.shutdown", errors.Join(t.spans.Shutdown(end), t.metrics.Shutdown(end)))
}
