package telemetry

import (
	"context"
	"slices"
	"sort"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// mostSpans is the most spans kept of one trace; a message that is tried for days must not fill the memory.
const mostSpans = 1000

// Recorder is a span processor that keeps the ended spans of the latest traces in memory, for the demo and for tests. It is safe for
// concurrent use.
type Recorder struct {
	most int

	mu     sync.Mutex
	order  []trace.TraceID // oldest first
	traces map[trace.TraceID][]span
}

// span is what is kept of an ended span.
type span struct {
	id, parent trace.SpanID
	name       string
	start, end time.Time
	attributes []attribute.KeyValue
}

// TraceInfo describes one trace.
type TraceInfo struct {
	ID    string // 32 hexadecimal digits
	Root  string // name of the earliest span
	Start time.Time
	Spans int
	Names map[string]int // number of spans by name
	// Attributes are the distinct values of each attribute of all spans, sorted.
	Attributes map[string][]string
}

// Has reports whether a span of the trace has an attribute with that value.
func (t TraceInfo) Has(key, value string) bool { return slices.Contains(t.Attributes[key], value) }

// NewRecorder returns a recorder of so many traces; 2000 if traces is not above zero.
func NewRecorder(traces int) *Recorder {
	if traces <= 0 {
		traces = 2000
	}
	return &Recorder{most: traces, traces: map[trace.TraceID][]span{}}
}

// OnStart does nothing: a span is kept when it ends.
func (*Recorder) OnStart(context.Context, sdktrace.ReadWriteSpan) {}

// OnEnd keeps a span, and forgets the oldest trace if there are too many.
func (r *Recorder) OnEnd(s sdktrace.ReadOnlySpan) {
	id := s.SpanContext().TraceID()
	r.mu.Lock()
	defer r.mu.Unlock()
	spans, known := r.traces[id]
	if !known {
		if len(r.order) == r.most {
			delete(r.traces, r.order[0])
			r.order = append(r.order[:0], r.order[1:]...)
		}
		r.order = append(r.order, id)
	}
	if len(spans) == mostSpans {
		return
	}
	r.traces[id] = append(spans, span{
		id: s.SpanContext().SpanID(), parent: s.Parent().SpanID(), name: s.Name(), start: s.StartTime(), end: s.EndTime(), attributes: s.Attributes(),
	})
}

// Shutdown does nothing: what was recorded stays readable.
func (*Recorder) Shutdown(context.Context) error { return nil }

// ForceFlush does nothing.
func (*Recorder) ForceFlush(context.Context) error { return nil }

// Traces returns all traces that are kept, those whose first span ended earliest first.
func (r *Recorder) Traces() []TraceInfo {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := make([]TraceInfo, 0, len(r.order))
	for _, id := range r.order {
		out = append(out, describe(id, r.traces[id]))
	}
	return out
}

func describe(id trace.TraceID, spans []span) TraceInfo {
	t := TraceInfo{ID: id.String(), Spans: len(spans), Names: map[string]int{}, Attributes: map[string][]string{}}
	for _, s := range spans {
		t.Names[s.name]++
		if t.Root == "" || s.start.Before(t.Start) {
			t.Root, t.Start = s.name, s.start
		}
		for _, a := range s.attributes {
			key := string(a.Key)
			if value := a.Value.String(); !t.Has(key, value) {
				t.Attributes[key] = append(t.Attributes[key], value)
			}
		}
	}
	for _, values := range t.Attributes {
		sort.Strings(values)
	}
	return t
}

// spansOf returns a copy of the spans of a trace.
func (r *Recorder) spansOf(id string) []span {
	wanted, err := trace.TraceIDFromHex(id)
	if err != nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.traces[wanted])
}
