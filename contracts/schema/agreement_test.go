package schema_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/schema"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// compiled returns the schema of a message, ready to validate, and its source as a tree. Compiling checks it against the meta-schema.
func compiled(t require.TestingT, n handover.Name) (*jsonschema.Schema, map[string]any) {
	tree, err := jsonschema.UnmarshalJSON(bytes.NewReader(schema.Message(n)))
	require.NoError(t, err)
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	require.NoError(t, c.AddResource("message.json", tree))
	s, err := c.Compile("message.json")
	require.NoError(t, err)
	return s, tree.(map[string]any)
}

// exampleTree returns the published example of a message.
func exampleTree(t require.TestingT, n handover.Name) map[string]any {
	b, err := os.ReadFile(filepath.Join("testdata", "examples", string(n)+".json"))
	require.NoError(t, err)
	tree, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	require.NoError(t, err)
	return tree.(map[string]any)
}

// verdict is what Go says about a document: an error of the decoder, or the findings of Validate that a schema could have as well.
func verdict(t require.TestingT, n handover.Name, document any) (decoded bool, findings []string) {
	b, err := json.Marshal(document)
	require.NoError(t, err)
	p, err := handover.DecodePayload(n, b)
	if err != nil {
		require.Equal(t, fault.Park, fault.KindOf(err))
		return false, nil
	}
	var fs fault.Findings
	errors.As(p.Validate(), &fs)
	for _, f := range fs {
		if f.Code != "dates-reversed" && f.Code != "consent-after-application" && f.Code != "repeated-item" && f.Code != "repeated-document" {
			findings = append(findings, f.String())
		}
	}
	return true, findings
}

func TestSchemasConformToTheirMetaSchema(t *testing.T) {
	for _, p := range handover.Catalogue() {
		_, tree := compiled(t, p.Name())
		require.Equal(t, jsonschema.Draft2020.String(), tree["$schema"].(string))
		require.Equal(t, p.Name().Type(), tree["title"])
		require.Contains(t, tree["$id"], "/"+schema.FileName(p.Name()))
	}
}

func TestEveryObjectOfASchemaIsClosed(t *testing.T) {
	for _, p := range handover.Catalogue() {
		_, tree := compiled(t, p.Name())
		objects := []any{tree}
		if defs, ok := tree["$defs"].(map[string]any); ok {
			for _, d := range defs {
				objects = append(objects, d)
			}
		}
		for _, o := range objects {
			require.Equal(t, false, o.(map[string]any)["additionalProperties"])
		}
	}
}

func TestSchemaMarksPersonalMembers(t *testing.T) {
	_, tree := compiled(t, "application-submitted")
	person := tree["$defs"].(map[string]any)["Person"].(map[string]any)["properties"].(map[string]any)
	for member, personal := range map[string]bool{"ahv": true, "officialName": true, "dateOfBirth": true, "sex": false, "language": false} {
		_, marked := person[member].(map[string]any)["x-personal"]
		require.Equal(t, personal, marked, member)
	}
}

func TestExamplesAreAcceptedByBoth(t *testing.T) {
	for _, p := range handover.Catalogue() {
		s, _ := compiled(t, p.Name())
		require.NoError(t, s.Validate(exampleTree(t, p.Name())))
		decoded, findings := verdict(t, p.Name(), exampleTree(t, p.Name()))
		require.True(t, decoded)
		require.Empty(t, findings)
	}
	files, err := filepath.Glob("testdata/examples/*.json")
	require.NoError(t, err)
	require.Len(t, files, len(handover.Catalogue()), "an example for each message and no other")
}

// TestWhatTheSchemaAcceptsIsDecoded draws documents from the schema alone.
func TestWhatTheSchemaAcceptsIsDecoded(t *testing.T) {
	for _, p := range handover.Catalogue() {
		s, tree := compiled(t, p.Name())
		rapid.Check(t, func(t *rapid.T) {
			document := draw(t, tree, tree, "")
			if s.Validate(document) != nil { // a day that does not exist, a condition that is not met
				return
			}
			decoded, findings := verdict(t, p.Name(), document)
			require.True(t, decoded, "%s: %v", p.Name(), document)
			require.Empty(t, findings, "%s: %v", p.Name(), document)
		})
	}
}

// draw returns a document that fits a schema, apart from its conditions.
func draw(t *rapid.T, root, s map[string]any, path string) any {
	if ref, ok := s["$ref"].(string); ok {
		s = root["$defs"].(map[string]any)[strings.TrimPrefix(ref, "#/$defs/")].(map[string]any)
	}
	if enum, ok := s["enum"].([]any); ok {
		return rapid.SampledFrom(enum).Draw(t, path)
	}
	switch s["type"] {
	case "object":
		document := map[string]any{}
		one, others := alternative(t, s, path)
		for _, name := range names(s) {
			if name == one || slices.Contains(others, name) {
				continue
			}
			if slices.Contains(required(s), name) || rapid.Bool().Draw(t, path+name+"?") {
				document[name] = draw(t, root, s["properties"].(map[string]any)[name].(map[string]any), path+name+".")
			}
		}
		if one != "" {
			document[one] = draw(t, root, s["properties"].(map[string]any)[one].(map[string]any), path+one+".")
		}
		return document
	case "array":
		list := make([]any, rapid.IntRange(integer(s["minItems"]), integer(s["maxItems"])).Draw(t, path+"[]"))
		for i := range list {
			list[i] = draw(t, root, s["items"].(map[string]any), fmt.Sprintf("%s%d.", path, i))
		}
		return list
	case "boolean":
		return rapid.Bool().Draw(t, path)
	case "integer":
		return json.Number(fmt.Sprint(rapid.IntRange(integer(s["minimum"]), integer(s["maximum"])).Draw(t, path)))
	}
	return drawText(t, s, path)
}

// alternative chooses one of the members of which exactly one is there, and returns the others.
func alternative(t *rapid.T, s map[string]any, path string) (one string, others []string) {
	list, _ := s["oneOf"].([]any)
	for _, a := range list {
		others = append(others, required(a.(map[string]any))...)
	}
	if len(others) > 0 {
		one = rapid.SampledFrom(others).Draw(t, path+"oneOf")
	}
	return one, others
}

func drawText(t *rapid.T, s map[string]any, path string) string {
	pattern, _ := s["pattern"].(string)
	switch {
	case strings.Contains(pattern, "756"):
		return rapid.SampledFrom([]string{"7561234567897", "7569217076985"}).Draw(t, path)
	case strings.HasPrefix(pattern, "^"):
		return rapid.StringMatching(pattern).Draw(t, path)
	}
	text := rapid.StringOfN(rapid.RuneFrom([]rune("aZ09 äß'&<>\"\n\t-😀漢")), integer(s["minLength"]), integer(s["maxLength"]), -1).Draw(t, path)
	if pattern != "" {
		text = "x" + text[min(1, len(text)):]
	}
	return strings.ToValidUTF8(text, "")
}

func names(s map[string]any) []string {
	var all []string
	for name := range s["properties"].(map[string]any) {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}

func required(s map[string]any) []string {
	var all []string
	list, _ := s["required"].([]any)
	for _, name := range list {
		all = append(all, name.(string))
	}
	return all
}

func integer(v any) int {
	n, ok := v.(json.Number)
	if !ok {
		return 0
	}
	i, _ := n.Int64()
	return int(i)
}

// place is a member, or an element of a list, in a tree.
type place struct {
	path string
	set  func(any)
	drop func() // nil for an element of a list
	was  any
}

// places lists all of them.
func places(tree any, path string) []place {
	var all []place
	switch tree := tree.(type) {
	case map[string]any:
		for name, v := range tree {
			at := path + "." + name
			all = append(all, place{path: at, was: v, set: func(v any) { tree[name] = v }, drop: func() { delete(tree, name) }})
			all = append(all, places(v, at)...)
		}
	case []any:
		for i, v := range tree {
			at := fmt.Sprintf("%s[%d]", path, i)
			all = append(all, place{path: at, was: v, set: func(v any) { tree[i] = v }})
			all = append(all, places(v, at)...)
		}
	}
	slices.SortFunc(all, func(a, b place) int { return strings.Compare(a.path, b.path) })
	return all
}

// TestBrokenShapesAreRefusedByBoth tries every way to break the shape of an example, at every place of it.
func TestBrokenShapesAreRefusedByBoth(t *testing.T) {
	for _, p := range handover.Catalogue() {
		s, _ := compiled(t, p.Name())
		for i := range places(exampleTree(t, p.Name()), "") {
			for _, wrong := range []any{nil, true, json.Number("7"), json.Number("1.5"), "text", []any{}, map[string]any{}, map[string]any{"unknown": "x"}} {
				tree := exampleTree(t, p.Name())
				at := places(tree, "")[i]
				if sameKind(at.was, wrong) {
					continue
				}
				at.set(wrong)
				requireBothRefuse(t, s, p.Name(), tree, at.path)
			}
			tree := exampleTree(t, p.Name())
			at := places(tree, "")[i]
			if object, ok := at.was.(map[string]any); ok {
				object["unknown"] = "x"
				requireBothRefuse(t, s, p.Name(), tree, at.path)
			}
		}
		tree := exampleTree(t, p.Name())
		tree["unknown"] = "x"
		requireBothRefuse(t, s, p.Name(), tree, "unknown")
	}
}

// sameKind reports whether both are text, numbers without fraction, and so on, so that one may stand for the other.
func sameKind(a, b any) bool {
	switch a.(type) {
	case string:
		_, ok := b.(string)
		return ok
	case json.Number:
		n, ok := b.(json.Number)
		return ok && !strings.Contains(n.String(), ".")
	case bool:
		_, ok := b.(bool)
		return ok
	}
	return false
}

func requireBothRefuse(t *testing.T, s *jsonschema.Schema, n handover.Name, tree any, path string) {
	t.Helper()
	require.Error(t, s.Validate(tree), "%s: the schema accepts a broken %s", n, path)
	decoded, findings := verdict(t, n, tree)
	require.False(t, decoded && len(findings) == 0, "%s: Go accepts a broken %s", n, path)
}

// TestMissingMembersAreRefusedByBoth: what a schema calls required cannot be left out, and everything else can.
func TestMissingMembersAreRefusedByBoth(t *testing.T) {
	for _, p := range handover.Catalogue() {
		s, _ := compiled(t, p.Name())
		for i := range places(exampleTree(t, p.Name()), "") {
			tree := exampleTree(t, p.Name())
			at := places(tree, "")[i]
			if at.drop == nil {
				continue
			}
			at.drop()
			decoded, findings := verdict(t, p.Name(), tree)
			require.Equal(t, s.Validate(tree) == nil, decoded && len(findings) == 0, "%s without %s: %v", p.Name(), at.path, findings)
		}
	}
}

// edges are values around every limit of every rule.
func edges() []any {
	values := []any{
		" ", "\n", "a\nb", "a\tb", "a\x00b", "a\u0085b", "a\ufffdb", "a\uffffb", "a\x7fb", "lower", "UPPER_9", "Ü", "ACCEPTED", "REJECTED", "MALE", "UNKNOWN", "6010", "0999", "1000",
		"9999", "10000", "1abc", "7561234567897", "2026-02-28", "2026-02-30", "1989-12-31", "1990-01-01", "2100-12-31", "2101-01-01", "1899-12-31", "1900-01-01",
		"9998-12-31", "9999-01-01", "2026-1-1", "2026-03-24T09:30:00+01:00", "2026-03-24T09:30:00Z", "2026-03-24T09:30:00", "2026-03-24T24:00:00Z", "2026-03-24 09:30:00Z",
		"2026-03-24T09:30:00+24:00", "2101-01-01T00:00:00Z", true, false,
		"RETURNED", "FORWARD", "REFUSE", "WARN", "a/b", "a/b/c", "a/", "/b", "A/b", "a/b;c=d", "a/b.c+d-e_f!#$&^", ".a/b", strings.Repeat("0f", 32), strings.Repeat("0F", 32), strings.Repeat("0", 63),
		strings.Repeat("0", 65), strings.Repeat("g", 64), "a/" + strings.Repeat("b", 98), "a/" + strings.Repeat("b", 99),
	}
	for _, n := range []int{1, 12, 13, 36, 40, 41, 60, 61, 64, 65, 100, 101, 200, 201, 254, 255, 2000, 2001} {
		values = append(values, strings.Repeat("Z", n), strings.Repeat("ü", n))
	}
	for _, n := range []int{-1, 0, 1, 60, 61, 9999, 10000, handover.DocumentLimit, handover.DocumentLimit + 1, 999_999_999, 1_000_000_000} {
		values = append(values, json.Number(fmt.Sprint(n)))
	}
	for _, n := range []int{0, 1, 2, 20, 21, 60, 61} {
		values = append(values,
			repeated(n, map[string]any{"name": "A", "part": "OTHER", "agreed": true}),
			repeated(n, map[string]any{"name": "A", "mediaType": "a/b", "size": json.Number("1"), "sha256": strings.Repeat("0", 64)}),
			repeated(n, map[string]any{"rule": "A", "severity": "REFUSE", "source": "B", "text": "C"}))
	}
	return values
}

func repeated(n int, item map[string]any) []any {
	list := make([]any, n)
	for i := range list {
		list[i] = item
	}
	return list
}

// TestSchemaAndValidateDrawTheSameLimits puts every edge into every place of every example. It is what keeps a limit from standing in one of the
// two only.
func TestSchemaAndValidateDrawTheSameLimits(t *testing.T) {
	for _, p := range handover.Catalogue() {
		s, _ := compiled(t, p.Name())
		tree, all := exampleTree(t, p.Name()), edges()
		for _, at := range places(tree, "") {
			for _, edge := range all {
				at.set(edge)
				decoded, findings := verdict(t, p.Name(), tree)
				if valid := s.Validate(tree) == nil; valid != (decoded && len(findings) == 0) {
					t.Fatalf("the schema accepts it: %t, Go: %t. %s: %s = %.60v: %v", valid, !valid, p.Name(), at.path, edge, findings)
				}
			}
			at.set(at.was)
		}
		require.Equal(t, exampleTree(t, p.Name()), tree)
	}
}

func TestConditionsOfTheSchemaAreThoseOfValidate(t *testing.T) {
	for name, test := range map[string]struct {
		message handover.Name
		change  func(map[string]any)
		allowed bool
	}{
		"rejected without reason":   {"application-decided", func(m map[string]any) { delete(m, "reason") }, false},
		"accepted without reason":   {"application-decided", func(m map[string]any) { m["decision"] = "ACCEPTED"; delete(m, "reason") }, true},
		"goes on without date":      {"review-meeting-recorded", func(m map[string]any) { delete(m, "nextReviewOn") }, false},
		"ends without date":         {"review-meeting-recorded", func(m map[string]any) { m["continue"] = false; delete(m, "nextReviewOn") }, true},
		"agreed without start":      {"transfer-meeting-recorded", func(m map[string]any) { delete(m, "startOfCaseWork") }, false},
		"agreed without review":     {"transfer-meeting-recorded", func(m map[string]any) { delete(m, "nextReviewOn") }, false},
		"not agreed without dates":  {"transfer-meeting-recorded", func(m map[string]any) { disagree(m); delete(m, "startOfCaseWork"); delete(m, "nextReviewOn") }, true},
		"not agreed with dates":     {"transfer-meeting-recorded", disagree, true},
		"returned, nothing refuses": {"application-checked", func(m map[string]any) { severities(m, "WARN") }, false},
		"returned, all refuse":      {"application-checked", func(m map[string]any) { severities(m, "REFUSE") }, true},
		"sent on, but refused":      {"application-checked", func(m map[string]any) { m["outcome"] = "FORWARD" }, false},
		"sent on with warnings":     {"application-checked", func(m map[string]any) { m["outcome"] = "FORWARD"; severities(m, "WARN") }, true},
	} {
		t.Run(name, func(t *testing.T) {
			s, _ := compiled(t, test.message)
			tree := exampleTree(t, test.message)
			test.change(tree)
			require.Equal(t, test.allowed, s.Validate(tree) == nil)
			decoded, findings := verdict(t, test.message, tree)
			require.Equal(t, test.allowed, decoded && len(findings) == 0)
		})
	}
}

func severities(m map[string]any, severity string) {
	for _, f := range m["findings"].([]any) {
		f.(map[string]any)["severity"] = severity
	}
}

func disagree(m map[string]any) { m["participants"].([]any)[1].(map[string]any)["agreed"] = false }
