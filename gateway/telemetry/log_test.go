package telemetry_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/gateway/telemetry"
)

// hostile are texts that look like something else on a terminal or in a viewer.
func hostile() map[string]string {
	return map[string]string{
		"right to left override": "invoice\u202efdp.exe",
		"isolate":                "a\u2066b\u2069c",
		"end of line":            "ok\n{\"level\":\"ERROR\",\"msg\":\"forged\"}",
		"carriage return":        "ok\rforged",
		"terminal escape":        "\x1b[2Jcleared",
		"C1 control":             "a\u0085b\u009bc",
		"delete":                 "a\x7fb",
		"line separator":         "a\u2028b\u2029c",
		"zero width":             "a\u200bb\ufeffc",
		"tag beyond the plane":   "a\U000E0041b",
		"not UTF-8":              "a\xff\xfeb",
	}
}

func TestNoLogLineHoldsACharacterThatDeceivesItsReader(t *testing.T) {
	for _, format := range []string{"json", "text"} {
		for name, text := range hostile() {
			t.Run(format+" "+name, func(t *testing.T) {
				var out bytes.Buffer
				l := telemetry.NewLogger(&out, "info", format)
				l.With("with "+text, text).WithGroup("group "+text).ErrorContext(t.Context(), "message "+text,
					"key "+text, text, "error", errors.New(text), "any", []string{text}, "value", struct{ Field string }{text})
				requireHarmless(t, out.Bytes())
			})
		}
	}
}

// requireHarmless wants one line without anything but printable characters.
func requireHarmless(t *testing.T, line []byte) {
	t.Helper()
	require.Equal(t, 1, bytes.Count(line, []byte("\n")), "one event is one line")
	require.True(t, bytes.HasSuffix(line, []byte("\n")))
	require.True(t, utf8.Valid(line))
	for _, r := range strings.TrimSuffix(string(line), "\n") {
		require.False(t, unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp), "%U in %s", r, line)
	}
}

func TestWhatIsEscapedInJSONMeansTheSame(t *testing.T) {
	for name, text := range hostile() {
		if !utf8.ValidString(text) {
			continue
		}
		var out bytes.Buffer
		telemetry.NewLogger(&out, "info", "json").InfoContext(t.Context(), text)
		var got struct{ Msg string }
		require.NoError(t, json.Unmarshal(out.Bytes(), &got), name)
		require.Equal(t, text, got.Msg, name)
	}
}

func TestOrdinaryTextStaysReadable(t *testing.T) {
	for _, format := range []string{"json", "text"} {
		var out bytes.Buffer
		telemetry.NewLogger(&out, "info", format).InfoContext(t.Context(), "Zürich, Genève – 日本 🙂")
		require.Contains(t, out.String(), "Zürich, Genève – 日本 🙂", format)
	}
}

func FuzzLogLines(f *testing.F) {
	for _, text := range hostile() {
		f.Add(text, text)
	}
	f.Fuzz(func(t *testing.T, message, value string) {
		for _, format := range []string{"json", "text"} {
			var out bytes.Buffer
			telemetry.NewLogger(&out, "info", format).LogAttrs(context.Background(), slog.LevelInfo, message, slog.String("k", value), slog.String(value, message))
			requireHarmless(t, out.Bytes())
			if format == "json" {
				require.True(t, json.Valid(out.Bytes()), out.String())
			}
		}
	})
}
