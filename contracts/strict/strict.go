// Package strict reads what comes from outside: size, then encoding, then structure, before any meaning is
// looked for. Two readers that see different values in the same bytes are how a check is passed with one value
// and the work done with another, so there is one reader for JSON, one for XML and one for the YAML that people write, and all refuse what is ambiguous.
//
// JSON goes through go-json-experiment/json: encoding/json keeps the last of two equal names, folds case and repairs invalid
// UTF-8 in silence. XML goes through a token guard and then etree; see [XML]. YAML is checked node by node against the Go type it is decoded
// into, because the library stops at the first mistake and does not know paths; see [YAML].
package strict

import (
	"bytes"
	"errors"
	"strings"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// MaxBytes is the most that a document may hold. Larger ones are refused before they are parsed.
const MaxBytes = 1 << 20

// JSON decodes one JSON document into v. It refuses unknown, repeated and differently spelt names, invalid UTF-8, lone surrogates, a byte
// order mark, anything after the document, null for the document, documents over [MaxBytes] and documents nested deeper than [MaxDepth].
// Errors are of kind Park and name the place (a JSON pointer), never a value.
func JSON(b []byte, v any) error {
	if len(b) > MaxBytes {
		return refuse("too-large", "the document is larger than 1 MiB")
	}
	if jsontext.Value(b).Kind() == 'n' {
		return refuse("null-document", "the document is null")
	}
	if err := guardDepth(b); err != nil {
		return err
	}
	err := json.Unmarshal(b, v, json.RejectUnknownMembers(true))
	if err == nil {
		return nil
	}
	var known *fault.Error
	if errors.As(err, &known) {
		return known.At(pointerOf(err))
	}
	return refuse("malformed-json", "the document is not the JSON that its contract describes").At(pointerOf(err))
}

func refuse(code, text string) *fault.Error {
	return fault.New(fault.Park, "strict.json", code, text)
}

// guardDepth refuses deep nesting before anything is built from it. What is malformed is left to the decoder, which names the place.
func guardDepth(b []byte) error {
	tokens := jsontext.NewDecoder(bytes.NewReader(b))
	for {
		if _, err := tokens.ReadToken(); err != nil {
			return nil //nolint:nilerr // the decoder finds the same and says where
		}
		if tokens.StackDepth() > MaxDepth {
			return refuse("too-deep", "the document is nested deeper than 64 levels").At(clip(string(tokens.StackPointer())))
		}
	}
}

// pointerOf returns the place that a JSON error names. A pointer holds member names of the document; an unknown member's name is kept,
// because it is the finding.
func pointerOf(err error) string {
	var semantic *json.SemanticError
	if errors.As(err, &semantic) {
		return clip(string(semantic.JSONPointer))
	}
	var syntactic *jsontext.SyntacticError
	if errors.As(err, &syntactic) {
		return clip(string(syntactic.JSONPointer))
	}
	return ""
}

// clip bounds a place that is made of names from outside.
func clip(place string) string {
	const most = 200
	if len(place) <= most {
		return place
	}
	return strings.ToValidUTF8(place[:most], "") + "..."
}
