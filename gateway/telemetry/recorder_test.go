package telemetry_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/einmal-hub/einmal/gateway/telemetry"
)

var update = flag.Bool("update", false, "write the golden files anew")

// numbered gives the ids 1, 2, 3 so that a trace can be compared with a golden file.
type numbered struct{ traces, spans *byte }

func (n numbered) NewIDs(ctx context.Context) (trace.TraceID, trace.SpanID) {
	*n.traces++
	return trace.TraceID{15: *n.traces}, n.NewSpanID(ctx, trace.TraceID{})
}

func (n numbered) NewSpanID(context.Context, trace.TraceID) trace.SpanID {
	*n.spans++
	return trace.SpanID{7: *n.spans}
}

// recording returns a recorder and a tracer that feeds it.
func recording(t *testing.T, most int) (*telemetry.Recorder, trace.Tracer) {
	t.Helper()
	r := telemetry.NewRecorder(most)
	p := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(r), sdktrace.WithIDGenerator(numbered{new(byte), new(byte)}))
	t.Cleanup(func() { require.NoError(t, p.Shutdown(context.Background())) })
	return r, p.Tracer("test")
}

// draw makes a span that runs for so many milliseconds of a made-up minute, around what inside does.
func draw(ctx context.Context, tr trace.Tracer, name string, from, to int, inside func(context.Context), attrs ...attribute.KeyValue) {
	zero := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	ctx, s := tr.Start(ctx, name, trace.WithTimestamp(zero.Add(time.Duration(from)*time.Millisecond)), trace.WithAttributes(attrs...))
	if inside != nil {
		inside(ctx)
	}
	s.End(trace.WithTimestamp(zero.Add(time.Duration(to) * time.Millisecond)))
}

// handover draws one message from klib that goes to two places.
func handover(ctx context.Context, tr trace.Tracer) {
	system, outcome := attribute.Key(telemetry.AttrSystem), attribute.Key(telemetry.AttrOutcome)
	to, message := attribute.Key(telemetry.AttrDestination), attribute.Key(telemetry.AttrMessage)
	var intake context.Context
	draw(ctx, tr, telemetry.SpanIntake, 0, 12, func(ctx context.Context) {
		intake = ctx
		draw(ctx, tr, telemetry.SpanPublish, 3, 11, nil, message.String("m-1"))
	}, system.String("klib"), outcome.String("published"))
	draw(intake, tr, telemetry.SpanDeliver, 14, 100, func(ctx context.Context) {
		draw(ctx, tr, telemetry.SpanApply, 20, 60, nil, system.String("avam"), outcome.String("doubt"))
		draw(ctx, tr, telemetry.SpanLookup, 80, 95, nil, system.String("avam"))
	}, to.String("avam/rav-luzern"), message.String("m-1"), outcome.String("recorded"))
	draw(intake, tr, telemetry.SpanDeliver, 14, 15, nil, to.String("casenet"), message.String("m-1"), outcome.String("parked"),
		attribute.Key(telemetry.AttrReason).String("unknown-code"))
}

func TestAWaterfallShowsWhereATraceSpentItsTime(t *testing.T) {
	r, tr := recording(t, 0)
	handover(t.Context(), tr)
	got := r.Waterfall(r.Traces()[0].ID)
	const golden = "testdata/waterfall.txt"
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(golden, []byte(got), 0o644))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(want), got)
}

func TestATraceIsFoundByWhatItsSpansSay(t *testing.T) {
	r, tr := recording(t, 0)
	draw(t.Context(), tr, telemetry.SpanIntake, 0, 1, nil, attribute.String(telemetry.AttrMessage, "m-0"))
	handover(t.Context(), tr)
	all := r.Traces()
	require.Len(t, all, 2)
	require.False(t, all[0].Has(telemetry.AttrMessage, "m-1"))
	require.True(t, all[1].Has(telemetry.AttrMessage, "m-1"))
	require.Equal(t, []string{"doubt", "parked", "published", "recorded"}, all[1].Attributes[telemetry.AttrOutcome])
	require.Equal(t, 2, all[1].Names[telemetry.SpanDeliver])
	require.Equal(t, 6, all[1].Spans)
	require.Equal(t, telemetry.SpanIntake, all[1].Root, "the earliest span, although others end before it")
}

func TestOnlyTheLatestTracesAreKept(t *testing.T) {
	r, tr := recording(t, 3)
	for i := range 10 {
		draw(t.Context(), tr, fmt.Sprint("span ", i), i, i+1, nil)
	}
	var roots []string
	for _, info := range r.Traces() {
		roots = append(roots, info.Root)
	}
	require.Equal(t, []string{"span 7", "span 8", "span 9"}, roots)
}

func TestATraceThatNeverEndsDoesNotFillTheMemory(t *testing.T) {
	r, tr := recording(t, 3)
	draw(t.Context(), tr, "root", 0, 1, func(ctx context.Context) {
		for range 1500 {
			draw(ctx, tr, "attempt", 0, 1, nil)
		}
	})
	require.Equal(t, 1000, r.Traces()[0].Spans)
}

func TestAWaterfallShowsSpansWhoseParentIsElsewhere(t *testing.T) {
	r, tr := recording(t, 0)
	remote := trace.ContextWithRemoteSpanContext(t.Context(), trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: trace.TraceID{1}, SpanID: trace.SpanID{200}, TraceFlags: trace.FlagsSampled, Remote: true,
	}))
	draw(remote, tr, telemetry.SpanDeliver, 0, 0, nil)
	got := r.Waterfall(trace.TraceID{1}.String())
	require.Contains(t, got, "| "+telemetry.SpanDeliver)
	require.Contains(t, got, "|=", "a span without duration has a bar too")
}

func TestAnUnknownTraceHasNoWaterfall(t *testing.T) {
	r, _ := recording(t, 0)
	require.Empty(t, r.Waterfall("nonsense"))
	require.Empty(t, r.Waterfall(strings.Repeat("a", 32)))
}
