package schema_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/schema"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"
)

const published = "testdata/published/v1"

// narrowings compares a schema with its published form and lists every place where a document that was valid may be refused now.
// Whatever it does not know how to compare has to be the same.
func narrowings(was, is map[string]any) []string {
	c := comparison{was: was, is: is}
	c.schemas("", was, is)
	return c.found
}

type comparison struct {
	was, is map[string]any // roots, for references
	found   []string
}

func (c *comparison) add(path, format string, args ...any) {
	c.found = append(c.found, strings.TrimPrefix(path+": ", ".")+fmt.Sprintf(format, args...))
}

// schemas compares two schemas for the same place of a document.
func (c *comparison) schemas(path string, was, is map[string]any) {
	was, is = resolve(c.was, was), resolve(c.is, is)
	keywords := slices.Sorted(maps.Keys(was))
	for k := range is {
		if _, there := was[k]; !there {
			keywords = append(keywords, k)
		}
	}
	slices.Sort(keywords)
	for _, k := range keywords {
		c.keyword(path, k, was, is)
	}
}

// resolve follows a reference; what stands beside it in our schemas are words only.
func resolve(root, s map[string]any) map[string]any {
	ref, ok := s["$ref"].(string)
	if !ok {
		return s
	}
	return root["$defs"].(map[string]any)[strings.TrimPrefix(ref, "#/$defs/")].(map[string]any)
}

func (c *comparison) keyword(path, k string, was, is map[string]any) {
	switch k {
	case "$id", "$schema", "$defs", "title", "description", "examples", "$comment", "deprecated", "x-personal":
	case "properties":
		c.properties(path, members(was), members(is))
	case "items":
		c.schemas(path+"[]", object(was[k]), object(is[k]))
	case "required":
		for _, name := range required(is) {
			if !slices.Contains(required(was), name) {
				c.add(path+"."+name, "is obligatory now")
			}
		}
	case "enum":
		c.enum(path, was, is)
	case "type":
		if is[k] != nil && !reflect.DeepEqual(was[k], is[k]) && !(was[k] == "integer" && is[k] == "number") {
			c.add(path, "has another type")
		}
	case "minLength", "minimum", "minItems":
		if is[k] != nil && (was[k] == nil || integer(is[k]) > integer(was[k])) {
			c.add(path, "%s is higher", k)
		}
	case "maxLength", "maximum", "maxItems":
		if is[k] != nil && (was[k] == nil || integer(is[k]) < integer(was[k])) {
			c.add(path, "%s is lower", k)
		}
	case "additionalProperties":
		if is[k] == false && was[k] != false {
			c.add(path, "is closed now")
		}
	case "if", "then":
		if is[k] != nil && !(reflect.DeepEqual(was["if"], is["if"]) && reflect.DeepEqual(was["then"], is["then"])) {
			c.add(path, "has another condition")
		}
	default:
		if is[k] != nil && !reflect.DeepEqual(was[k], is[k]) {
			c.add(path, "%s differs", k)
		}
	}
}

func (c *comparison) properties(path string, was, is map[string]any) {
	for _, name := range slices.Sorted(maps.Keys(was)) {
		if is[name] == nil {
			c.add(path+"."+name, "is gone")
			continue
		}
		c.schemas(path+"."+name, object(was[name]), object(is[name]))
	}
}

func (c *comparison) enum(path string, was, is map[string]any) {
	before, limited := was["enum"].([]any)
	now, still := is["enum"].([]any)
	if still && !limited {
		c.add(path, "is limited to a list now")
		return
	}
	for _, v := range before {
		if still && !slices.Contains(now, v) {
			c.add(path, "no longer takes %v", v)
		}
	}
}

func members(s map[string]any) map[string]any { return object(s["properties"]) }

func object(v any) map[string]any {
	m, _ := v.(map[string]any)
	return m
}

func tree(t *testing.T, b []byte) map[string]any {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	require.NoError(t, err)
	return object(v)
}

func TestPublishedSchemasStillHold(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(published, "*.json"))
	require.NoError(t, err)
	for _, file := range files {
		was, err := os.ReadFile(file)
		require.NoError(t, err)
		name, _ := strings.CutSuffix(filepath.Base(file), ".v1.schema.json")
		is := schema.Message(handover.Name(name))
		require.NotNil(t, is, "%s was published and is gone", name)
		require.Empty(t, narrowings(tree(t, was), tree(t, is)), "%s refuses what it took when it was published", name)
	}
	if *publish {
		for _, p := range handover.Catalogue() {
			require.NoError(t, os.WriteFile(filepath.Join(published, schema.FileName(p.Name())), schema.Message(p.Name()), 0o644))
		}
	}
	for _, p := range handover.Catalogue() {
		require.FileExists(t, filepath.Join(published, schema.FileName(p.Name())), "a new message is published with go test ./contracts/schema -publish")
	}
}

// edit applies a change to a copy of a published schema.
func edit(t *testing.T, change func(root map[string]any)) (was, is map[string]any) {
	t.Helper()
	b := schema.Message("application-submitted")
	was, is = tree(t, b), tree(t, b)
	change(is)
	return was, is
}

func property(root map[string]any, def, name string) map[string]any {
	if def != "" {
		root = object(object(root["$defs"])[def])
	}
	return object(members(root)[name])
}

func TestEveryIncompatibleChangeIsFound(t *testing.T) {
	for name, test := range map[string]struct {
		change func(map[string]any)
		want   string
	}{
		"member removed":       {func(r map[string]any) { delete(members(r), "remark") }, "remark: is gone"},
		"member removed below": {func(r map[string]any) { delete(members(object(object(r["$defs"])["Address"])), "street") }, "person.address.street: is gone"},
		"member renamed":       {func(r map[string]any) { members(r)["note"] = members(r)["remark"]; delete(members(r), "remark") }, "remark: is gone"},
		"new obligatory member": {func(r map[string]any) {
			members(r)["x"] = map[string]any{}
			r["required"] = append(r["required"].([]any), "x")
		}, "x: is obligatory now"},
		"optional made obligatory": {func(r map[string]any) { r["required"] = append(r["required"].([]any), "remark") },
			"remark: is obligatory now"},
		"other type":               {func(r map[string]any) { property(r, "", "plannedMonths")["type"] = "string" }, "plannedMonths: has another type"},
		"yes or no made number":    {func(r map[string]any) { property(r, "Situation", "socialCounselling")["type"] = "integer" }, "situation.socialCounselling: has another type"},
		"code no longer taken":     {func(r map[string]any) { property(r, "Person", "sex")["enum"] = []any{"MALE", "FEMALE"} }, "person.sex: no longer takes UNKNOWN"},
		"code list where none was": {func(r map[string]any) { property(r, "", "process")["enum"] = []any{"OPTIMA_SH"} }, "process: is limited to a list now"},
		"shorter":                  {func(r map[string]any) { property(r, "", "goal")["maxLength"] = json.Number("1999") }, "goal: maxLength is lower"},
		"longer at least":          {func(r map[string]any) { property(r, "", "goal")["minLength"] = json.Number("2") }, "goal: minLength is higher"},
		"limit where none was":     {func(r map[string]any) { property(r, "", "remark")["minLength"] = json.Number("1") }, "remark: minLength is higher"},
		"smaller":                  {func(r map[string]any) { property(r, "", "plannedMonths")["maximum"] = json.Number("59") }, "plannedMonths: maximum is lower"},
		"larger at least":          {func(r map[string]any) { property(r, "", "plannedMonths")["minimum"] = json.Number("2") }, "plannedMonths: minimum is higher"},
		"other pattern":            {func(r map[string]any) { property(r, "Person", "ahv")["pattern"] = "^756" }, "person.ahv: pattern differs"},
		"pattern where none was":   {func(r map[string]any) { property(r, "", "remark")["pattern"] = "x" }, "remark: pattern differs"},
		"other format":             {func(r map[string]any) { property(r, "", "appliedOn")["format"] = "date-time" }, "appliedOn: format differs"},
		"new exclusion":            {func(r map[string]any) { property(r, "", "process")["not"] = map[string]any{"const": "X"} }, "process: not differs"},
		"new condition": {func(r map[string]any) {
			r["if"], r["then"] = map[string]any{}, map[string]any{"required": []any{"remark"}}
		}, "has another condition"},
		"unknown keyword":         {func(r map[string]any) { r["minProperties"] = json.Number("20") }, "minProperties differs"},
		"part behind a reference": {func(r map[string]any) { property(r, "Contact", "name")["maxLength"] = json.Number("50") }, "deputy.name: maxLength is lower"},
	} {
		t.Run(name, func(t *testing.T) {
			found := strings.Join(narrowings(edit(t, test.change)), "\n")
			require.Contains(t, found, test.want)
		})
	}
}

func TestIncompatibleListsAreFound(t *testing.T) {
	b := schema.Message("transfer-meeting-recorded")
	was, is := tree(t, b), tree(t, b)
	property(is, "", "participants")["maxItems"] = json.Number("10")
	property(is, "Participant", "name")["maxLength"] = json.Number("10")
	object(is["then"])["required"] = []any{"strategy"}
	delete(is, "additionalProperties")
	require.Equal(t, []string{"has another condition", "participants[].name: maxLength is lower", "participants: maxItems is lower", "has another condition"}, trimmed(narrowings(was, is)))
	require.Equal(t, []string{"is closed now"}, trimmed(narrowings(map[string]any{}, map[string]any{"additionalProperties": false})))
}

func trimmed(found []string) []string {
	for i := range found {
		found[i] = strings.TrimPrefix(found[i], ": ")
	}
	return found
}

func TestCompatibleChangesPass(t *testing.T) {
	for name, change := range map[string]func(map[string]any){
		"none": func(map[string]any) {},
		"new optional member": func(r map[string]any) {
			members(r)["note"] = map[string]any{"type": "string", "maxLength": json.Number("5")}
		},
		"no longer obligatory": func(r map[string]any) { r["required"] = r["required"].([]any)[1:] },
		"new code": func(r map[string]any) {
			property(r, "Person", "sex")["enum"] = []any{"MALE", "FEMALE", "UNKNOWN", "OTHER"}
		},
		"code list opened":    func(r map[string]any) { delete(property(r, "Person", "sex"), "enum") },
		"longer":              func(r map[string]any) { property(r, "", "goal")["maxLength"] = json.Number("4000") },
		"no limit":            func(r map[string]any) { delete(property(r, "", "goal"), "maxLength") },
		"wider":               func(r map[string]any) { property(r, "", "plannedMonths")["maximum"] = json.Number("120") },
		"smaller allowed":     func(r map[string]any) { property(r, "", "plannedMonths")["minimum"] = json.Number("0") },
		"no pattern":          func(r map[string]any) { delete(property(r, "Person", "ahv"), "pattern") },
		"integer made number": func(r map[string]any) { property(r, "", "plannedMonths")["type"] = "number" },
		"other words":         func(r map[string]any) { r["description"], r["title"], r["$id"] = "x", "y", "z" },
		"opened":              func(r map[string]any) { delete(r, "additionalProperties") },
		"definition in place": func(r map[string]any) { members(r)["consent"] = object(r["$defs"])["Consent"] },
		"mark removed":        func(r map[string]any) { delete(property(r, "", "remark"), "x-personal") },
	} {
		t.Run(name, func(t *testing.T) { require.Empty(t, narrowings(edit(t, change))) })
	}
}
