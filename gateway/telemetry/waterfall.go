package telemetry

import (
	"fmt"
	"sort"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
)

// barWidth is the width of the time axis in characters.
const barWidth = 32

// Waterfall shows one trace as text: a line for each span, children below their parents, with offset and duration in milliseconds, a bar on the time
// axis of the whole trace, and where it went and what came of it. It returns "" for a trace that is not kept.
func (r *Recorder) Waterfall(traceID string) string {
	spans := r.spansOf(traceID)
	if len(spans) == 0 {
		return ""
	}
	w := newWaterfall(spans)
	var b strings.Builder
	fmt.Fprintf(&b, "trace %s  %d spans  %s ms\n", traceID, len(spans), milliseconds(w.last.Sub(w.first)))
	fmt.Fprintf(&b, "%10s %10s  %s\n", "offset", "duration", "ms")
	for _, l := range w.lines {
		fmt.Fprintf(&b, "%10s %10s  |%s| %s\n", milliseconds(l.start.Sub(w.first)), milliseconds(l.end.Sub(l.start)), w.bar(l.span), l.label())
	}
	return b.String()
}

// waterfall is a trace in the order in which it is shown.
type waterfall struct {
	first, last time.Time
	children    map[trace.SpanID][]span
	lines       []line
}

type line struct {
	span
	depth int
}

func newWaterfall(spans []span) *waterfall {
	w := &waterfall{first: spans[0].start, last: spans[0].end, children: map[trace.SpanID][]span{}}
	sort.SliceStable(spans, func(i, j int) bool { return spans[i].start.Before(spans[j].start) })
	known := map[trace.SpanID]bool{}
	for _, s := range spans {
		known[s.id] = true
		if s.start.Before(w.first) {
			w.first = s.start
		}
		if s.end.After(w.last) {
			w.last = s.end
		}
	}
	for _, s := range spans {
		parent := s.parent
		if !known[parent] || parent == s.id {
			parent = trace.SpanID{} // its parent is elsewhere or not ended: it is shown as a root
		}
		w.children[parent] = append(w.children[parent], s)
	}
	w.add(trace.SpanID{}, 0)
	return w
}

// add puts the children of a span below it. Every span has one parent, so each is added once.
func (w *waterfall) add(parent trace.SpanID, depth int) {
	for _, s := range w.children[parent] {
		w.lines = append(w.lines, line{span: s, depth: depth})
		w.add(s.id, depth+1)
	}
}

// bar shows when a span ran on the time axis of the trace; it is never empty.
func (w *waterfall) bar(s span) string {
	total := max(w.last.Sub(w.first), 1)
	from := min(int(int64(barWidth)*int64(s.start.Sub(w.first))/int64(total)), barWidth-1)
	to := min(max(int(int64(barWidth)*int64(s.end.Sub(w.first))/int64(total)), from+1), barWidth)
	return strings.Repeat(" ", from) + strings.Repeat("=", to-from) + strings.Repeat(" ", barWidth-to)
}

// label is the name with the attributes that tell where a span went and what came of it.
func (l line) label() string {
	parts := []string{strings.Repeat("  ", l.depth) + l.name}
	for _, key := range []attribute.Key{AttrSystem, AttrMessageName, AttrDestination, AttrOutcome, AttrReason} {
		for _, a := range l.attributes {
			if a.Key == key {
				parts = append(parts, a.Value.String())
			}
		}
	}
	return strings.Join(parts, " ")
}

func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.1f", float64(d)/float64(time.Millisecond))
}
