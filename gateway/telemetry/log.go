package telemetry

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"go.opentelemetry.io/otel/trace"
)

// NewLogger returns a logger that writes one line an event, with the ids of the context's span. level is "debug", "info", "warn" or "error"
// (anything else is info), format "json" or "text" (anything else is JSON). Characters that change how a line looks or where it ends are written as
// \u escapes, wherever they come from: a value from outside cannot forge a line or turn text round.
// The ids of the span stand inside a group if the logger has one.
func NewLogger(w io.Writer, level, format string) *slog.Logger {
	var l slog.Level
	if l.UnmarshalText([]byte(level)) != nil {
		l = slog.LevelInfo
	}
	w, o := escaper{w}, &slog.HandlerOptions{Level: l}
	if format == "text" {
		return slog.New(traced{slog.NewTextHandler(w, o)})
	}
	return slog.New(traced{slog.NewJSONHandler(w, o)})
}

// traced adds the ids of the context's span.
type traced struct{ slog.Handler }

// Handle adds the ids and writes the event.
func (h traced) Handle(ctx context.Context, r slog.Record) error {
	if s := trace.SpanContextFromContext(ctx); s.IsValid() {
		r = r.Clone()
		r.AddAttrs(slog.String(LogTrace, s.TraceID().String()), slog.String(LogSpan, s.SpanID().String()))
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs returns a handler that adds attributes.
func (h traced) WithAttrs(attrs []slog.Attr) slog.Handler { return traced{h.Handler.WithAttrs(attrs)} }

// WithGroup returns a handler that puts attributes into a group.
func (h traced) WithGroup(name string) slog.Handler { return traced{h.Handler.WithGroup(name)} }

// escaper writes what a terminal or a reader could take for something else as \u escapes. slog's handlers write each event in one call and
// let such characters through only inside JSON strings, where this escape means the same character. Working on the written line
// leaves no way round it, whether a character stands in a message, a key, a group or a value.
type escaper struct{ w io.Writer }

// Write escapes one event.
func (e escaper) Write(line []byte) (int, error) {
	if plain(line) {
		return e.w.Write(line)
	}
	if _, err := e.w.Write(escape(line)); err != nil {
		return 0, err
	}
	return len(line), nil
}

// plain reports whether a line holds printable ASCII only, apart from its end.
func plain(line []byte) bool {
	for i, b := range line {
		if b >= utf8.RuneSelf || b == 0x7f || (b < ' ' && (b != '\n' || i != len(line)-1)) {
			return false
		}
	}
	return true
}

func escape(line []byte) []byte {
	out := make([]byte, 0, len(line)+16)
	for i := 0; i < len(line); {
		r, n := utf8.DecodeRune(line[i:])
		switch end := r == '\n' && i == len(line)-1; {
		case end || !deceptive(r):
			out = append(out, line[i:i+n]...)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			out = fmt.Appendf(out, `\u%04x\u%04x`, high, low)
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
		i += n
	}
	return out
}

// deceptive reports control characters, format characters (which turn text round or are not seen), and line and paragraph separators.
func deceptive(r rune) bool {
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) || (r == utf8.RuneError)
}
