package schema_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/personal"
	"github.com/einmal-hub/einmal/contracts/schema"
	"github.com/invopop/jsonschema"
	"github.com/stretchr/testify/require"
)

// generate writes the schema of one payload from its Go type.
func generate(t *testing.T, p handover.Payload) []byte {
	t.Helper()
	r := jsonschema.Reflector{Anonymous: true, ExpandedStruct: true, Mapper: leaf, LookupComment: comments(t)}
	s := r.ReflectFromType(reflect.TypeOf(p))
	s.ID = jsonschema.ID("https://github.com/einmal-hub/einmal/contracts/schema/" + schema.FileName(p.Name()))
	s.Title = p.Name().Type()
	limit(t, reflect.TypeOf(p).Name(), s)
	for name, d := range s.Definitions {
		limit(t, name, d)
	}
	if c, ok := conditions()[p.Name()]; ok {
		s.If, s.Then, s.Else = c.when, c.then, c.otherwise
	}
	compact, err := json.Marshal(s)
	require.NoError(t, err)
	var b bytes.Buffer
	require.NoError(t, json.Indent(&b, compact, "", "  "))
	return append(visible(b.Bytes()), '\n')
}

// visible writes the characters that no editor shows as escapes.
func visible(b []byte) []byte {
	var out bytes.Buffer
	for _, r := range string(b) {
		if r >= 0x7f && r <= 0x9f || r >= 0xfffd && r <= 0xffff {
			fmt.Fprintf(&out, `\u%04x`, r)
		} else {
			out.WriteRune(r)
		}
	}
	return out.Bytes()
}

// leaf gives the types that write themselves as text their schema; nil leaves a type to its structure.
func leaf(t reflect.Type) *jsonschema.Schema {
	const day = `-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])`
	s := &jsonschema.Schema{Type: "string"}
	switch t {
	case reflect.TypeFor[personal.Text]():
	case reflect.TypeFor[personal.AHV]():
		s.Pattern = `^756[0-9]{10}$`
	case reflect.TypeFor[personal.Date]():
		s.Format, s.Pattern = "date", `^(19[0-9]{2}|[2-8][0-9]{3}|9[0-8][0-9]{2}|99[0-8][0-9]|999[0-8])`+day+`$`
	case reflect.TypeFor[handover.Date]():
		s.Format, s.Pattern = "date", `^(199[0-9]|20[0-9]{2}|2100)`+day+`$`
	case reflect.TypeFor[handover.Instant]():
		s.Format = "date-time"
		s.Pattern = `^(199[0-9]|20[0-9]{2}|2100)` + day + `T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$`
	case reflect.TypeFor[handover.Code]():
		s.Pattern = `^[A-Z0-9_]{1,40}$`
	case reflect.TypeFor[handover.OrganisationID]():
		line(1, 64)(s)
	default:
		return nil
	}
	if t.PkgPath() == reflect.TypeFor[personal.AHV]().PkgPath() {
		s.Extras = map[string]any{"x-personal": true}
	}
	return s
}

// comments returns what the Go source says about a type or a field of package handover.
func comments(t *testing.T) func(reflect.Type, string) string {
	t.Helper()
	found := map[string]string{}
	sources, err := filepath.Glob("../handover/*.go")
	require.NoError(t, err)
	for _, source := range sources {
		file, err := parser.ParseFile(token.NewFileSet(), source, nil, parser.ParseComments)
		require.NoError(t, err)
		for _, d := range file.Decls {
			if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.TYPE {
				structComments(found, g)
			}
		}
	}
	return func(typ reflect.Type, field string) string {
		return found[strings.TrimSuffix(typ.Name()+"."+field, ".")]
	}
}

func structComments(found map[string]string, g *ast.GenDecl) {
	for _, spec := range g.Specs {
		typ := spec.(*ast.TypeSpec)
		s, ok := typ.Type.(*ast.StructType)
		if !ok {
			continue
		}
		found[typ.Name.Name] = oneLine(g.Doc)
		for _, f := range s.Fields.List {
			for _, name := range f.Names {
				found[typ.Name.Name+"."+name.Name] = oneLine(f.Doc) + oneLine(f.Comment)
			}
		}
	}
}

func oneLine(g *ast.CommentGroup) string { return strings.Join(strings.Fields(g.Text()), " ") }

func TestSchemasAreThoseOfTheTypes(t *testing.T) {
	for _, p := range handover.Catalogue() {
		golden(t, schema.FileName(p.Name()), generate(t, p))
		if !*update {
			require.Equal(t, string(generate(t, p)), string(schema.Message(p.Name())), "the embedded schema is the one in the folder")
		}
	}
	require.Nil(t, schema.Message("unknown"))
}
