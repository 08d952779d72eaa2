package mappingtest

import (
	"flag"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/mapping/table"
	"github.com/stretchr/testify/require"
)

// Wrong mappings fail on purpose here; their examples are not kept.
func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("rapid.nofailfile", "true"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	m.Run()
}

// identity writes a table in which every native name is the canonical one.
func identity(format string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "system: %s\nformat: %s\n", format, format)
	if format == "xml" {
		b.WriteString("namespaces: {default: urn:example:identity}\n")
	}
	b.WriteString("codes:\n  any: {OTHER: o, OPTIMA_ALV: a, H: h, CONSENT: c, DE: d, PERSON: p}\n  severity: {REFUSE: r, WARN: w}\n  outcome: {RETURNED: r, FORWARD: f, OTHER: o}\n" +
		"  procedure: {REDUCED: r, SUSPENDED: s, FULL: f}\n  sex: {MALE: \"1\", FEMALE: \"2\", UNKNOWN: \"3\"}\n" +
		"  decision: {ACCEPTED: \"1\", REJECTED: \"2\"}\nmessages:\n")
	for i, p := range handover.Catalogue() {
		fmt.Fprintf(&b, "  %s:\n    kind: K%d\n", p.Name(), i)
		if format == "xml" {
			fmt.Fprintf(&b, "    root: r%d\n", i)
		}
		b.WriteString("    fields:\n      - {native: edition, const: \"7\", because: the test wants a constant}\n      - {native: junk, drop: true, because: the test wants a drop}\n")
		rows(&b, reflect.TypeOf(p), "", false)
		if movesProcedure(p.Name()) {
			b.WriteString("      - {native: procedure, outside: procedure, rule: code, list: procedure, optional: true}\n")
		}
	}
	return b.String()
}

func rows(b *strings.Builder, t reflect.Type, at string, optional bool) {
	for f := range t.Fields() {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		path, typ, optional := at+name, f.Type, optional || options == "omitzero"
		if typ.Kind() == reflect.Pointer {
			typ, optional = typ.Elem(), true
		}
		switch {
		case typ.Kind() == reflect.Slice:
			rows(b, typ.Elem(), path+"[].", optional)
		case ruleOf(typ, path) == "":
			rows(b, typ, path+".", optional)
		default:
			fmt.Fprintf(b, "      - {native: %q, canonical: %q, %s%s}\n", path, path, ruleOf(typ, path), map[bool]string{true: ", optional: true"}[optional])
		}
	}
}

func ruleOf(t reflect.Type, path string) string {
	switch t.Name() {
	case "Text":
		return "rule: text, max: 2000"
	case "string", "OrganisationID":
		return "rule: text"
	case "AHV":
		return "rule: ahv"
	case "Date":
		return "rule: date"
	case "Instant":
		return "rule: instant"
	case "bool":
		return "rule: bool"
	case "int":
		return "rule: int"
	case "int64":
		if strings.HasSuffix(path, "size") {
			return "rule: int"
		}
		return "rule: amount"
	case "Code":
		last := path[strings.LastIndexByte(path, '.')+1:]
		if last == "sex" || last == "decision" || last == "severity" || last == "outcome" {
			return "rule: code, list: " + last
		}
		return "rule: code, list: any"
	}
	return ""
}

func identityTable(t testing.TB, format string) *table.Table {
	t.Helper()
	loaded, err := table.Load(format+".yaml", []byte(identity(format)))
	require.NoError(t, err)
	return loaded
}
