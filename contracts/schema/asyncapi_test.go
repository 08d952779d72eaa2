package schema_test

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"text/template"
	"time"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/schema"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// attribute describes one header.
type attribute struct{ Name, Const, Pattern, Max, Enum, Text string }

func attributes() []attribute {
	return []attribute{
		{Name: "ce_specversion", Const: "1.0", Text: "CloudEvents 1.0."},
		{Name: "ce_id", Max: "36", Text: "The message. The same native record always gives the same id."},
		{Name: "ce_source", Pattern: "^urn:einmal:.{1,36}$", Text: "The native system that the message was entered in."},
		{Name: "ce_type", Pattern: `^ch\.optima\.handover\.[a-z-]+\.v1$`, Text: "The message's name and version."},
		{Name: "ce_subject", Max: "36", Text: "The case; equal to the key."},
		{Name: "ce_time", Pattern: `^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$`, Text: "When it was entered, UTC, to the millisecond."},
		{Name: "ce_sequence", Pattern: "^[1-9][0-9]{0,19}$", Text: "The position among what this source said of this case, from 1."},
		{Name: "ce_senderorganisation", Max: "64", Text: "The organisation that says it, by its directory id."},
		{Name: "ce_action", Enum: "new, recall, correction", Text: "eCH-0058 action 1, 3 or 4."},
		{Name: "ce_testdelivery", Enum: `"false", "true"`, Text: "eCH-0058 testDeliveryFlag: never to be written into a productive system."},
		{Name: "ce_referencemessageid", Max: "36", Text: "The message that this one answers, recalls or corrects."},
		{Name: "ce_assigningorganisation", Max: "64", Text: "Only on the message that opens a case."},
		{Name: "ce_receivingorganisation", Max: "64", Text: "Only on the message that opens a case, unless nobody serves the person."},
		{Name: "content-type", Const: handover.ContentType, Text: "The value is sealed."},
		{Name: "traceparent", Pattern: "^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$", Text: "W3C Trace Context; not part of the associated data."},
		{Name: "sourcerecord", Max: "1000", Text: "The native system's own number of what was entered; not part of the associated data."},
	}
}

// envelope returns an envelope of a message; full sets everything that is optional.
func envelope(n handover.Name, full bool) handover.Envelope {
	e := handover.Envelope{
		ID: "3f1c6c52-0d4e-4b1e-9a55-6a6a0c3d8f10", Source: "klib", Name: n, Case: "8c0f4a3e-2f6d-4a53-8f0e-0b9d6f1c7e21",
		Time: time.Date(2026, 3, 2, 8, 30, 0, 123e6, time.UTC), Sender: "sd-kriens", Sequence: 1, Action: handover.ActionNew,
	}
	if n == (handover.ApplicationChecked{}).Name() {
		e.Sender = handover.Gateway
	}
	if handover.Opens(n) {
		e.Parties.Assigning = "sd-kriens"
	}
	if full {
		e.Parties = handover.Parties{Assigning: "sd-kriens", Receiving: "rav-luzern"}
		e.References, e.Trace = "0d4e4b1e-9a55-4a6a-8c3d-8f103f1c6c52", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
		e.Record = "E-2026-000345"
	}
	return e
}

type header struct{ Name, Value string }

type message struct {
	Name, Type, Summary, File string
	Opens                     bool
	Headers                   []header
}

func renderAsyncAPI(t *testing.T) []byte {
	t.Helper()
	words := comments(t)
	data := struct {
		Version, ContentType string
		Messages             []message
		Attributes           []attribute
		Required             []string
	}{Version: strings.TrimPrefix(handover.Version, "v"), ContentType: handover.ContentType, Attributes: attributes()}
	for _, p := range handover.Catalogue() {
		n := p.Name()
		m := message{Name: string(n), Type: n.Type(), File: schema.FileName(n), Opens: handover.Opens(n), Summary: words(reflect.TypeOf(p), "")}
		e := envelope(n, false)
		if m.Opens {
			e.Parties.Receiving = "rav-luzern"
		}
		h := e.Headers()
		for _, name := range slices.Sorted(maps.Keys(h)) {
			m.Headers = append(m.Headers, header{name, h[name]})
		}
		data.Messages = append(data.Messages, m)
	}
	data.Required = slices.Sorted(maps.Keys(envelope("case-closed", false).Headers()))
	var b bytes.Buffer
	tmpl, err := template.ParseFiles(filepath.Join("testdata", "asyncapi.yaml.tmpl"))
	require.NoError(t, err)
	require.NoError(t, tmpl.Execute(&b, data))
	return b.Bytes()
}

func TestAsyncAPIIsThatOfTheCatalogue(t *testing.T) {
	golden(t, "asyncapi.yaml", renderAsyncAPI(t))
	if !*update {
		require.Equal(t, string(renderAsyncAPI(t)), string(schema.AsyncAPI()))
	}
}

// document returns asyncapi.yaml as a tree.
func document(t *testing.T) map[string]any {
	t.Helper()
	var d map[string]any
	require.NoError(t, yaml.Unmarshal(renderAsyncAPI(t), &d))
	return d
}

// at follows a JSON pointer without its leading #/.
func at(t *testing.T, d map[string]any, pointer string) map[string]any {
	t.Helper()
	for _, name := range strings.Split(pointer, "/") {
		next, ok := d[name].(map[string]any)
		require.True(t, ok, "%s: there is no %s", pointer, name)
		d = next
	}
	return d
}

func TestAsyncAPIHasWhatTheSpecificationDemands(t *testing.T) {
	d := document(t)
	require.Equal(t, "3.0.0", d["asyncapi"])
	require.NotEmpty(t, at(t, d, "info")["title"])
	require.Equal(t, "1.0.0", at(t, d, "info")["version"])
	for name := range d {
		require.Contains(t, []string{"asyncapi", "id", "info", "servers", "defaultContentType", "channels", "operations", "components"}, name)
	}
	for name, o := range at(t, d, "operations") {
		require.Contains(t, []any{"send", "receive"}, object(o)["action"], name)
		channel := object(object(o)["channel"])["$ref"].(string)
		require.True(t, strings.HasPrefix(channel, "#/channels/"), name)
	}
	for name, m := range at(t, d, "components/messages") {
		for _, k := range []string{"name", "title", "contentType", "payload", "bindings"} {
			require.Contains(t, m, k, name)
		}
	}
}

func TestAsyncAPIReferencesLeadSomewhere(t *testing.T) {
	d := document(t)
	count := 0
	for _, p := range places(d, "") {
		ref, ok := p.was.(string)
		if !ok || path.Ext(p.path) != ".$ref" {
			continue
		}
		count++
		if local, ok := strings.CutPrefix(ref, "#/"); ok {
			at(t, d, local)
		} else {
			require.FileExists(t, ref)
		}
	}
	require.Greater(t, count, 100)
}

func TestAsyncAPIChannelsAreTheTopics(t *testing.T) {
	d := document(t)
	addresses := map[string]string{}
	for name, c := range at(t, d, "channels") {
		addresses[name] = object(c)["address"].(string)
	}
	require.Equal(t, map[string]string{"handover": "einmal.handover", "ledger": "einmal.ledger", "parked": "einmal.parked"}, addresses)
	said := map[string][]string{}
	for _, o := range at(t, d, "operations") {
		channel := path.Base(object(object(o)["channel"])["$ref"].(string))
		said[channel] = append(said[channel], object(o)["action"].(string))
	}
	for channel := range addresses {
		require.ElementsMatch(t, []string{"send", "receive"}, said[channel], channel)
	}
}

func TestAsyncAPIListsTheCatalogue(t *testing.T) {
	d := document(t)
	var want []string
	for _, p := range handover.Catalogue() {
		want = append(want, string(p.Name()))
		m := at(t, d, "components/messages/"+string(p.Name()))
		require.Equal(t, p.Name().Type(), m["name"])
		ct := object(object(object(object(m["payload"])["allOf"].([]any)[1])["properties"])["ct"])
		require.Equal(t, "./"+schema.FileName(p.Name()), object(ct["contentSchema"])["$ref"])
	}
	require.ElementsMatch(t, want, slices.Collect(maps.Keys(at(t, d, "channels/handover/messages"))))
}

// headersOf compiles the schema of a message's headers.
func headersOf(t *testing.T, d map[string]any, n handover.Name) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	require.NoError(t, c.AddResource("asyncapi.json", d))
	s, err := c.Compile("asyncapi.json#/components/messages/" + string(n) + "/headers")
	require.NoError(t, err)
	return s
}

func anyMap(h map[string]string) map[string]any {
	m := map[string]any{}
	for k, v := range h {
		m[k] = v
	}
	return m
}

func TestAsyncAPIHeadersAreThoseOfTheEnvelope(t *testing.T) {
	d := document(t)
	described := at(t, d, "components/schemas/headers/properties")
	require.ElementsMatch(t, slices.Collect(maps.Keys(envelope("case-closed", true).Headers())), slices.Collect(maps.Keys(described)))
	for _, p := range handover.Catalogue() {
		s := headersOf(t, d, p.Name())
		for _, full := range []bool{true, false} {
			require.NoError(t, s.Validate(anyMap(envelope(p.Name(), full).Headers())))
		}
		for name := range envelope(p.Name(), false).Headers() {
			h := anyMap(envelope(p.Name(), false).Headers())
			delete(h, name)
			require.Error(t, s.Validate(h), name)
			h[name] = ""
			require.Error(t, s.Validate(h), name)
		}
	}
	other := anyMap(envelope("case-closed", false).Headers())
	require.Error(t, headersOf(t, d, "measure-ordered").Validate(other), "the headers of another message")
}

// TestAsyncAPIKnowsTheLedgersKinds reads the words from the source, because contracts import nothing of the gateway.
func TestAsyncAPIKnowsTheLedgersKinds(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "../../gateway/ledger/record.go", nil, 0)
	require.NoError(t, err)
	var kinds []any
	ast.Inspect(file, func(n ast.Node) bool {
		v, ok := n.(*ast.ValueSpec)
		if typ, named := typeOf(v, ok); named && typ == "Kind" {
			kinds = append(kinds, strings.Trim(v.Values[0].(*ast.BasicLit).Value, `"`))
		}
		return true
	})
	require.ElementsMatch(t, kinds, at(t, document(t), "components/schemas/ledgerRecord/properties/kind")["enum"])
}

func typeOf(v *ast.ValueSpec, ok bool) (string, bool) {
	if !ok || v.Type == nil {
		return "", false
	}
	id, ok := v.Type.(*ast.Ident)
	if !ok {
		return "", false
	}
	return id.Name, true
}
