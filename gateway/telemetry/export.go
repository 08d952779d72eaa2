package telemetry

import (
	"context"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/einmal-hub/einmal/contracts/fault"
)

const (
	patience  = 2 * time.Second  // for a collector at the end of the process
	request   = 10 * time.Second // for one batch
	complaint = 10 * time.Minute // between two lines in the log
)

// patientExporter hands spans to a collector. A collector that does not take them is counted and reported rarely; the gateway never waits
// for it. Without it the SDK would report every failure to a global handler.
type patientExporter struct {
	sdktrace.SpanExporter
	life   context.Context //nolint:containedctx // ends all requests at shutdown: the SDK drains its queue without a context
	giveUp context.CancelFunc
	failed func()
	log    *slog.Logger

	mu   sync.Mutex
	next time.Time // of a line in the log
}

func newExporter(ctx context.Context, c Config, failed func()) (*patientExporter, error) {
	to, err := c.collector()
	if err != nil {
		return nil, err
	}
	options := []otlptracehttp.Option{
		otlptracehttp.WithEndpoint(to.Host), otlptracehttp.WithURLPath(to.Path), otlptracehttp.WithTimeout(request),
		// The next batch comes in seconds; a queue behind one that cannot be sent would only fill up.
		otlptracehttp.WithRetry(otlptracehttp.RetryConfig{Enabled: false}),
	}
	if to.Scheme == "http" {
		options = append(options, otlptracehttp.WithInsecure())
	}
	exporter, err := otlptracehttp.New(ctx, options...)
	if err != nil {
		return nil, fault.Wrap(fault.Stop, "telemetry.start", err)
	}
	p := &patientExporter{SpanExporter: exporter, failed: failed, log: c.Log}
	if p.log == nil {
		p.log = slog.New(slog.DiscardHandler)
	}
	p.life, p.giveUp = context.WithCancel(context.WithoutCancel(ctx))
	return p, nil
}

// collector takes the endpoint apart.
func (c Config) collector() (*url.URL, error) {
	text := c.OTLPEndpoint
	if !strings.Contains(text, "://") {
		text = "https://" + text
	}
	to, err := url.Parse(text)
	if err != nil || to.Host == "" || (to.Scheme != "http" && to.Scheme != "https") {
		return nil, fault.New(fault.Stop, "telemetry.start", "malformed-endpoint", "the address of the collector is not an HTTP address").
			At("telemetry.otlp.endpoint").Hint("write https://host:4318")
	}
	if c.OTLPInsecure {
		to.Scheme = "http"
	}
	if to.Path == "" || to.Path == "/" {
		to.Path = "/v1/traces"
	}
	return to, nil
}

// ExportSpans sends a batch once. It never fails: what could be done about it is done here.
func (p *patientExporter) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(p.life, cancel)()
	if err := p.SpanExporter.ExportSpans(ctx, spans); err != nil {
		p.failed()
		if p.mayComplain(time.Now()) {
			p.log.WarnContext(ctx, "the collector takes no spans; they are lost", slog.Any("error", err))
		}
	}
	return nil
}

// mayComplain reports whether the last line in the log is long enough ago.
func (p *patientExporter) mayComplain(now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now.Before(p.next) {
		return false
	}
	p.next = now.Add(complaint)
	return true
}
