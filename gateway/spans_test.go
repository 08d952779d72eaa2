package gateway_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/einmal-hub/einmal/gateway"
	"github.com/einmal-hub/einmal/gateway/telemetry"
	"github.com/einmal-hub/einmal/mocks/clerks"
	"github.com/einmal-hub/einmal/mocks/core"
)

// spans keeps every span that ends.
type spans struct {
	mu  sync.Mutex
	all []sdktrace.ReadOnlySpan
}

func (*spans) OnStart(context.Context, sdktrace.ReadWriteSpan) {}
func (*spans) Shutdown(context.Context) error                  { return nil }
func (*spans) ForceFlush(context.Context) error                { return nil }

func (s *spans) OnEnd(span sdktrace.ReadOnlySpan) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, span)
}

// kept lets a gateway's spans come here too.
func (s *spans) kept(o *gateway.Options) { o.Processors = append(o.Processors, s) }

// ended returns the spans that have ended.
func (s *spans) ended() []sdktrace.ReadOnlySpan {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.all)
}

// has reports whether a span has an attribute with that value.
func has(s sdktrace.ReadOnlySpan, key, value string) bool {
	for _, a := range s.Attributes() {
		if string(a.Key) == key && a.Value.String() == value {
			return true
		}
	}
	return false
}

// family is one trace, taken apart.
type family struct {
	t      *testing.T
	parent map[trace.SpanID]sdktrace.ReadOnlySpan // every span by its id
	named  map[string][]sdktrace.ReadOnlySpan
}

func families(t *testing.T, all []sdktrace.ReadOnlySpan) map[trace.TraceID]*family {
	out := map[trace.TraceID]*family{}
	for _, s := range all {
		f := out[s.SpanContext().TraceID()]
		if f == nil {
			f = &family{t: t, parent: map[trace.SpanID]sdktrace.ReadOnlySpan{}, named: map[string][]sdktrace.ReadOnlySpan{}}
			out[s.SpanContext().TraceID()] = f
		}
		f.parent[s.SpanContext().SpanID()] = s
		f.named[s.Name()] = append(f.named[s.Name()], s)
	}
	return out
}

// below demands that all spans of a name have a parent of another name.
func (f *family) below(name, parent string) {
	f.t.Helper()
	for _, s := range f.named[name] {
		of := f.parent[s.Parent().SpanID()]
		require.NotNil(f.t, of, "%s has no parent in its trace", name)
		require.Equal(f.t, parent, of.Name(), name)
	}
}

// Each message is one trace, from the native record that was read to every record that it caused, across the headers of the bus.
func TestOneTraceFromTheNativeRecordToAllTheRecordsThatItCaused(t *testing.T) {
	t.Parallel()
	s := newStage(t, core.Faults{})
	s.shared()
	seen := &spans{}
	g := s.gateway(seen.kept)
	p := plan(t, 61, 24)
	p.Handovers = slices.DeleteFunc(p.Handovers, func(h clerks.Handover) bool { return h.Steps[0].Answer != nil })[:6] // each entered in one system, each written into two
	s.play(p)
	g.clean()
	require.Eventually(t, func() bool {
		recorded := 0
		for _, span := range seen.ended() {
			if span.Name() == telemetry.SpanDeliver && has(span, telemetry.AttrOutcome, "recorded") {
				recorded++
			}
		}
		return recorded == 2*p.Steps()
	}, patience, tick, "a span ends a moment after what it tells of")
	g.stop()
	messages := 0
	for _, f := range families(t, seen.ended()) {
		if len(f.named[telemetry.SpanPublish]) == 0 {
			continue // what einmal wrote itself and read again
		}
		messages++
		require.Len(t, f.named[telemetry.SpanIntake], 1)
		require.False(t, f.named[telemetry.SpanIntake][0].Parent().IsValid(), "the reading is the root")
		require.Len(t, f.named[telemetry.SpanPublish], 1)
		require.Len(t, f.named[telemetry.SpanDeliver], 2, "one for each other system")
		require.Len(t, f.named[telemetry.SpanApply], 2)
		f.below(telemetry.SpanPublish, telemetry.SpanIntake)
		f.below(telemetry.SpanDeliver, telemetry.SpanPublish)
		f.below(telemetry.SpanApply, telemetry.SpanDeliver)
	}
	require.Equal(t, p.Steps(), messages)
	published := map[string]bool{}
	for _, span := range seen.ended() {
		if span.Name() == telemetry.SpanPublish {
			published[span.SpanContext().TraceID().String()+"-"+span.SpanContext().SpanID().String()] = true
		}
	}
	headers := 0
	for _, r := range readTopic(t, s.kafka, s.prefix+".handover") {
		for _, h := range r.Headers {
			if string(h.Key) == "traceparent" {
				parts := strings.Split(string(h.Value), "-")
				require.Len(t, parts, 4)
				require.True(t, published[parts[1]+"-"+parts[2]], "the header names the span that published the message")
				headers++
			}
		}
	}
	require.Equal(t, p.Steps(), headers)
}

// Echoes: what einmal wrote into a system does not come back as news, and what a clerk types on the platform reaches both systems.
func TestWhatEinmalWroteDoesNotComeBackAsNews(t *testing.T) {
	t.Parallel()
	s := newStage(t, core.Faults{Seed: 62, Duplicate: 0.2})
	s.shared()
	g := s.gateway()
	p := plan(t, 62, 9)
	typed := 0
	for _, h := range p.Handovers {
		for _, step := range h.Steps {
			if step.Place.System == "casenet" {
				typed++
			}
		}
	}
	require.Positive(t, typed, "nothing is typed on the platform")
	s.play(p)
	g.clean()
	require.Equal(t, p.Steps(), g.Stats().Messages)
	g.stop()
	ids := map[string]bool{}
	for _, r := range readTopic(t, s.kafka, s.prefix+".handover") {
		for _, h := range r.Headers {
			if string(h.Key) == "ce_id" {
				ids[string(h.Value)] = true
			}
		}
	}
	require.Len(t, ids, p.Steps(), "messages on the bus are the entries that clerks made")
	s.once(p)
}
