package klib

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	klibcontract "github.com/einmal-hub/einmal/contracts/native/klib"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"go.yaml.in/yaml/v3"
)

// contract holds the schemas of the published contract.
type contract struct {
	requests map[string]*jsonschema.Schema // by the schema's name
	contents map[string]*jsonschema.Schema // by art
}

// loadContract compiles what the mock checks with. Which schema belongs to which art is read from the schema Angaben.
func loadContract() (*contract, error) {
	var document any
	if err := yaml.Unmarshal(klibcontract.OpenAPI(), &document); err != nil {
		return nil, fmt.Errorf("read the contract: %w", err)
	}
	var angaben struct {
		Components struct {
			Schemas struct {
				Angaben struct {
					OneOf []struct {
						Properties struct {
							Art struct {
								Const string `yaml:"const"`
							} `yaml:"art"`
							Inhalt struct {
								Ref string `yaml:"$ref"`
							} `yaml:"inhalt"`
						} `yaml:"properties"`
					} `yaml:"oneOf"`
				} `yaml:"Angaben"`
			} `yaml:"schemas"`
		} `yaml:"components"`
	}
	if err := yaml.Unmarshal(klibcontract.OpenAPI(), &angaben); err != nil {
		return nil, fmt.Errorf("read the contract: %w", err)
	}
	compiler, err := newCompiler(document)
	if err != nil {
		return nil, err
	}
	c := &contract{requests: map[string]*jsonschema.Schema{}, contents: map[string]*jsonschema.Schema{}}
	for _, name := range []string{"Eroeffnung", "Nachtrag"} {
		if c.requests[name], err = compiler.Compile(contractURL + "#/components/schemas/" + name); err != nil {
			return nil, fmt.Errorf("compile %s: %w", name, err)
		}
	}
	for _, variant := range angaben.Components.Schemas.Angaben.OneOf {
		art := variant.Properties.Art.Const
		if c.contents[art], err = compiler.Compile(contractURL + variant.Properties.Inhalt.Ref); err != nil {
			return nil, fmt.Errorf("compile %s: %w", art, err)
		}
	}
	return c, nil
}

const contractURL = "klib:openapi"

func newCompiler(document any) (*jsonschema.Compiler, error) {
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	compiler.AssertFormat()
	for name, check := range map[string]func(string) bool{"datum": isDay, "zeitpunkt": isMoment, "ahv-nummer": isAHV} {
		compiler.RegisterFormat(&jsonschema.Format{Name: name, Validate: func(v any) error {
			if s, ok := v.(string); ok && !check(s) {
				return errors.New("not " + name)
			}
			return nil
		}})
	}
	if err := compiler.AddResource(contractURL, document); err != nil {
		return nil, fmt.Errorf("read the contract: %w", err)
	}
	return compiler, nil
}

// readable reports whether b is one JSON value: UTF-8, no repeated names, nothing behind it.
func readable(b []byte) bool { return jsontext.Value(b).IsValid() }

// content checks a content on its own, with paths that start at "inhalt".
func (c *contract) content(art string, body []byte) []fehler {
	schema, known := c.contents[art]
	if !known {
		return []fehler{{Feld: "art", Code: "unbekannter-code"}}
	}
	if !readable(body) {
		return []fehler{{Feld: "inhalt", Code: "format"}}
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		return []fehler{{Feld: "inhalt", Code: "format"}}
	}
	return append(findings("inhalt", schema.Validate(value)), unsaid("inhalt", value)...)
}

// unsaid finds what no schema can say: questions and documents that stand twice, a check whose outcome is not that of its findings.
func unsaid(prefix string, content any) []fehler {
	out := append(repeated(prefix, content, "erklaerungen", "frage"), repeated(prefix, content, "dokumente", "sha256")...)
	if list, ok := member(content, "befunde").([]any); ok {
		refused := slices.ContainsFunc(list, func(b any) bool { return member(b, "gewicht") == "ausschluss" })
		if refused != (member(content, "ergebnis") == "zurueckgewiesen") {
			out = append(out, fehler{Feld: prefix + ".befunde", Code: "bereich"})
		}
	}
	return out
}

func repeated(prefix string, content any, of, key string) []fehler {
	var out []fehler
	seen := map[any]bool{}
	list, _ := member(content, of).([]any)
	for i, e := range list {
		v, _ := member(e, key).(string)
		if seen[v] {
			out = append(out, fehler{Feld: fmt.Sprintf("%s.%s[%d].%s", prefix, of, i, key), Code: "bereich"})
		}
		seen[v] = true
	}
	return out
}

// named returns the hashes of the documents that a content names.
func named(content []byte) []string {
	var c struct {
		Dokumente []struct {
			Sha256 string `json:"sha256"`
		} `json:"dokumente"`
	}
	if json.Unmarshal(content, &c) != nil {
		return nil
	}
	var hashes []string
	for _, d := range c.Dokumente {
		hashes = append(hashes, d.Sha256)
	}
	return hashes
}

// request checks a whole request: first its content, for findings that name the field, then everything with the request's schema.
func (c *contract) request(name string, body []byte) []fehler {
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		return []fehler{{Code: "format"}}
	}
	entry, prefix := value, "inhalt"
	if name == "Eroeffnung" {
		entry, prefix = member(value, "ersterEintrag"), "ersterEintrag.inhalt"
	}
	if art, isText := member(entry, "art").(string); isText {
		schema, known := c.contents[art]
		if !known {
			return []fehler{{Feld: strings.TrimSuffix(prefix, "inhalt") + "art", Code: "unbekannter-code"}}
		}
		inhalt := member(entry, "inhalt")
		if wrong := append(findings(prefix, schema.Validate(inhalt)), unsaid(prefix, inhalt)...); len(wrong) > 0 {
			return wrong
		}
	}
	return findings("", c.requests[name].Validate(value))
}

func member(v any, name string) any {
	m, _ := v.(map[string]any)
	return m[name]
}

// findings turns the leaves of a validation error into fields and codes.
func findings(prefix string, err error) []fehler {
	var invalid *jsonschema.ValidationError
	if !errors.As(err, &invalid) {
		return nil
	}
	var out []fehler
	var walk func(e *jsonschema.ValidationError)
	walk = func(e *jsonschema.ValidationError) {
		if _, choice := e.ErrorKind.(*kind.OneOf); choice || len(e.Causes) == 0 {
			out = append(out, finding(prefix, e)...)
			return
		}
		for _, cause := range e.Causes {
			walk(cause)
		}
	}
	walk(invalid)
	return out[:min(len(out), 100)]
}

func finding(prefix string, e *jsonschema.ValidationError) []fehler {
	at := path(prefix, e.InstanceLocation)
	one := func(code string) []fehler { return []fehler{{Feld: at, Code: code}} }
	switch k := e.ErrorKind.(type) {
	case *kind.Required:
		return each(at, k.Missing, "fehlt")
	case *kind.AdditionalProperties:
		return each(at, k.Properties, "unbekanntes-feld")
	case *kind.FalseSchema:
		return one("unbekanntes-feld")
	case *kind.Enum, *kind.Const, *kind.OneOf:
		return one("unbekannter-code")
	case *kind.MaxLength:
		return one("zu-lang")
	case *kind.Format:
		if k.Want == "ahv-nummer" {
			return one("pruefziffer")
		}
		return one("format")
	case *kind.Type:
		return one("typ")
	case *kind.Minimum, *kind.Maximum, *kind.MinItems, *kind.MaxItems, *kind.Not:
		return one("bereich")
	default:
		return one("format")
	}
}

func each(at string, names []string, code string) []fehler {
	out := make([]fehler, len(names))
	for i, name := range names {
		out[i] = fehler{Feld: join(at, plain(name)), Code: code}
	}
	return out
}

// path writes a place as inhalt.teilnehmende[0].rolle.
func path(prefix string, location []string) string {
	at := prefix
	for _, part := range location {
		if _, err := strconv.Atoi(part); err == nil {
			at += "[" + part + "]"
			continue
		}
		at = join(at, plain(part))
	}
	return at[:min(len(at), 200)]
}

func join(at, name string) string {
	if at == "" {
		return name
	}
	return at + "." + name
}

// plain keeps of a member's name what the contract allows in a path: the name may come from the sender.
func plain(name string) string {
	return strings.Map(func(r rune) rune {
		if r == '_' || r == '-' || (r >= '0' && r <= '9') || (r >= 'a' && r <= 'z') || (r >= 'A' && r <= 'Z') {
			return r
		}
		return -1
	}, name[:min(len(name), 60)])
}
