// Package personal holds the types of values that say something about a person. Each masks itself
// wherever Go turns values into text: fmt verbs, slog, encoding/json, encoding.TextMarshaler. The
// real value leaves only through Reveal, or through JSON written with the option [Revealed], which
// is used in exactly one place: the payload that is sealed before it reaches the bus.
//
// fmt cannot call a formatter on an unexported struct field: it prints what it finds there. [AHV] and [Date] therefore keep
// their value behind a handle, which prints as an address. [Text] is a string, so that messages can be written as literals: it is
// kept in exported fields only, never as the key of a map, which encoding/json writes as it is, and a struct with texts that stands behind
// a pointer has a Format of its own, because fmt drops all formatters once it finds a verb that does not fit. Tests of the packages
// contracts and handover hold the module to that.
//
// A convention ("do not log persons") was rejected: one struct printed with %+v in one error breaks it.
package personal

import (
	"fmt"
	"log/slog"
	"unique"

	"github.com/go-json-experiment/json"
)

// mask is what every formatter shows of a personal value.
const mask = "***"

// hidden is a string that reflection, and so fmt, sees as an address. Equal strings are equal handles; the zero
// value is the empty string.
type hidden struct{ handle unique.Handle[string] }

func hide(s string) hidden { return hidden{handle: unique.Make(s)} }

func (h hidden) isZero() bool { return h == hidden{} }

func (h hidden) reveal() string {
	if h.isZero() {
		return ""
	}
	return h.handle.Value()
}

// WriteMask writes the mask; types that hold personal values implement [fmt.Formatter] with it.
func WriteMask(s fmt.State) { _, _ = s.Write([]byte(mask)) }

// Text is a name, an address line, a phone number or free text about a person.
type Text string

// Reveal returns the value itself.
func (t Text) Reveal() string { return string(t) }

// String returns the mask.
func (Text) String() string { return mask }

// GoString returns the mask.
func (Text) GoString() string { return mask }

// Format writes the mask for every verb.
func (Text) Format(s fmt.State, _ rune) { WriteMask(s) }

// LogValue returns the mask.
func (Text) LogValue() slog.Value { return slog.StringValue(mask) }

// MarshalText returns the mask; see [Revealed] for the real value.
func (Text) MarshalText() ([]byte, error) { return []byte(mask), nil }

// UnmarshalText accepts any text; length and content are the message's business.
func (t *Text) UnmarshalText(b []byte) error { *t = Text(b); return nil }

// Revealed makes JSON carry the real values of this package's types. The bytes that it produces
// hold personal data: seal them or keep them in memory.
func Revealed() json.Options {
	return json.WithMarshalers(json.JoinMarshalers(
		json.MarshalFunc(func(v Text) ([]byte, error) { return json.Marshal(string(v)) }),
		json.MarshalFunc(func(v AHV) ([]byte, error) { return json.Marshal(v.Reveal()) }),
		json.MarshalFunc(func(v Date) ([]byte, error) { return json.Marshal(v.Reveal()) }),
	))
}
