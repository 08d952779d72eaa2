package casenet

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"go.yaml.in/yaml/v3"

	"github.com/einmal-hub/einmal/contracts/native"
	contractdoc "github.com/einmal-hub/einmal/contracts/native/casenet"
)

// finding is one place that is not as the contract says.
type finding struct {
	Path string `json:"path"`
	Code string `json:"code"`
}

// findings is an error that names every place.
type findings []finding

func (fs findings) Error() string {
	parts := make([]string, len(fs))
	for i, f := range fs {
		parts[i] = f.Path + ": " + f.Code
	}
	return strings.Join(parts, "; ")
}

// errMalformed: not one JSON object in UTF-8 without repeated names.
var errMalformed = errors.New("the content is not JSON")

// contract holds the compiled schemas of the published contract.
type contract struct {
	opening, appending, typed *jsonschema.Schema
}

// compile reads the published contract.
func compile() (*contract, error) {
	var doc any
	if err := yaml.Unmarshal(contractdoc.OpenAPI(), &doc); err != nil {
		return nil, fmt.Errorf("read the contract: %w", err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("openapi.yaml", doc); err != nil {
		return nil, fmt.Errorf("read the contract: %w", err)
	}
	// What a clerk types is a record without its frame.
	typed := map[string]any{
		"required": []any{"kind", "content"}, "allOf": []any{map[string]any{"$ref": "openapi.yaml#/components/schemas/ContentOfKind"}},
		"properties": map[string]any{"kind": map[string]any{"$ref": "openapi.yaml#/components/schemas/Kind"}, "content": map[string]any{"type": "object"}},
	}
	if err := c.AddResource("typed.json", typed); err != nil {
		return nil, fmt.Errorf("read the contract: %w", err)
	}
	var out contract
	for name, target := range map[string]**jsonschema.Schema{
		"openapi.yaml#/components/schemas/Opening": &out.opening, "openapi.yaml#/components/schemas/Appending": &out.appending, "typed.json": &out.typed,
	} {
		s, err := c.Compile(name)
		if err != nil {
			return nil, fmt.Errorf("compile the contract's %s: %w", name, err)
		}
		*target = s
	}
	return &out, nil
}

// parse reads one JSON object: valid UTF-8, no repeated names, nothing after it.
func parse(b []byte) (map[string]any, error) {
	if !jsontext.Value(b).IsValid() {
		return nil, errMalformed
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		return nil, errMalformed
	}
	object, ok := v.(map[string]any)
	if !ok {
		return nil, errMalformed
	}
	return object, nil
}

// content checks the content of one kind.
func (c *contract) content(k native.Kind, body []byte) (findings, error) {
	object, err := parse(body)
	if err != nil {
		return nil, err
	}
	return check(c.typed, map[string]any{"kind": string(k), "content": object})
}

// check holds a document against a schema and then against the rules that no schema says.
func check(s *jsonschema.Schema, doc map[string]any) (findings, error) {
	err := s.Validate(doc)
	var invalid *jsonschema.ValidationError
	switch {
	case errors.As(err, &invalid):
		return leaves(invalid, nil), nil
	case err != nil:
		return nil, fmt.Errorf("hold a document against the contract: %w", err)
	}
	return rules(doc), nil
}

// leaves lists the places where the schema fails, each once.
func leaves(e *jsonschema.ValidationError, fs findings) findings {
	for _, cause := range e.Causes {
		fs = leaves(cause, fs)
	}
	if len(e.Causes) > 0 {
		return fs
	}
	at := pathOf(e.InstanceLocation)
	for _, f := range explain(at, e.ErrorKind) {
		if !contains(fs, f) {
			fs = append(fs, f)
		}
	}
	return fs
}

func contains(fs findings, f finding) bool {
	for _, g := range fs {
		if g == f {
			return true
		}
	}
	return false
}

// explain translates a failure of a schema into the contract's codes.
func explain(at string, e jsonschema.ErrorKind) findings {
	switch k := e.(type) {
	case *kind.Required:
		return each(at, k.Missing, "missing")
	case *kind.AdditionalProperties:
		return each(at, k.Properties, "unknown-field")
	case *kind.Type:
		return findings{{at, "wrong-type"}}
	case *kind.Enum, *kind.Const, *kind.Not:
		return findings{{at, "unknown-code"}}
	case *kind.MaxLength:
		return findings{{at, "too-long"}}
	case *kind.MinLength:
		return findings{{at, "missing"}}
	case *kind.Pattern, *kind.Format:
		return findings{{at, "format"}}
	default:
		return findings{{at, "out-of-range"}}
	}
}

func each(at string, names []string, code string) findings {
	var fs findings
	for _, n := range names {
		fs = append(fs, finding{join(at, n), code})
	}
	return fs
}

func pathOf(location []string) string {
	at := ""
	for _, part := range location {
		at = join(at, part)
	}
	return at
}

func join(at, part string) string {
	if _, err := strconv.Atoi(part); err == nil {
		return at + "[" + part + "]"
	}
	if at == "" {
		return part
	}
	return at + "." + part
}
