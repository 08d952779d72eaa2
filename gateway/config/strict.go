package config

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"sort"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/einmal-hub/einmal/contracts/fault"
)

// document is a YAML file with what is needed to say where a finding is.
type document struct {
	file  string
	lines map[string]int // path -> line
	fault.Findings
}

// report adds a finding at a path; the line is that of the path or of its nearest parent in the file.
func (d *document) report(path, code, text, next string) {
	d.Findings = append(d.Findings, fault.Finding{File: d.file, Line: d.line(path), Path: path, Code: code, Text: text, Next: next})
}

func (d *document) line(path string) int {
	for p := path; p != ""; {
		if l := d.lines[p]; l > 0 {
			return l
		}
		i := strings.LastIndexAny(p, ".[")
		if i < 0 {
			break
		}
		p = p[:i]
	}
	return 1
}

// index remembers the line of every path below a node.
func (d *document) index(path string, n *yaml.Node) {
	if path != "" {
		d.lines[path] = n.Line
	}
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			p := join(path, n.Content[i].Value)
			d.index(p, n.Content[i+1])
			d.lines[p] = n.Content[i].Line
		}
	case yaml.SequenceNode:
		for i, c := range n.Content {
			d.index(path+"["+strconv.Itoa(i)+"]", c)
		}
	}
}

// decode checks the names below a node against the fields of the value and then decodes; every finding is reported.
func (d *document) decode(path string, n *yaml.Node, into any) {
	before := len(d.Findings)
	d.names(path, n, reflect.TypeOf(into))
	err := n.Decode(into)
	var typed *yaml.TypeError
	switch {
	case err == nil:
	case errors.As(err, &typed):
		for _, e := range typed.Errors {
			d.typeError(path, e)
		}
	case len(d.Findings) == before:
		d.report(path, "malformed", "the value cannot be read", "compare it with the sample configuration")
	}
}

var (
	yamlLine = regexp.MustCompile(`^line (\d+): `)        //nolint:gochecknoglobals // compiled once, never changed
	yamlInto = regexp.MustCompile(` into ([\w.*\[\]]+)$`) //nolint:gochecknoglobals // compiled once, never changed
)

// typeError turns the library's "line 3: cannot unmarshal !!str `x` into int" into a finding without the value.
func (d *document) typeError(path, e string) {
	line := 0
	if m := yamlLine.FindStringSubmatch(e); m != nil {
		line, _ = strconv.Atoi(m[1])
	}
	want := "another type"
	if m := yamlInto.FindStringSubmatch(e); m != nil {
		want = strings.TrimPrefix(m[1], "config.")
	}
	at := path
	for p, l := range d.lines {
		if l == line && strings.HasPrefix(p, path) && len(p) > len(at) {
			at = p
		}
	}
	d.Findings = append(d.Findings, fault.Finding{
		File: d.file, Line: line, Path: at, Code: "wrong-type", Text: "the value is not of the type " + want, Next: "write it as in the sample configuration",
	})
}

// names reports names that the type does not have, with the nearest one that it has.
func (d *document) names(path string, n *yaml.Node, t reflect.Type) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case t == reflect.TypeFor[yaml.Node]():
	case n.Kind == yaml.AliasNode:
		d.names(path, n.Alias, t)
	case n.Kind == yaml.SequenceNode && t.Kind() == reflect.Slice:
		for i, c := range n.Content {
			d.names(path+"["+strconv.Itoa(i)+"]", c, t.Elem())
		}
	case n.Kind == yaml.MappingNode && t.Kind() == reflect.Map:
		for i := 0; i+1 < len(n.Content); i += 2 {
			d.names(join(path, n.Content[i].Value), n.Content[i+1], t.Elem())
		}
	case n.Kind == yaml.MappingNode && t.Kind() == reflect.Struct:
		d.structNames(path, n, t)
	}
}

func (d *document) structNames(path string, n *yaml.Node, t reflect.Type) {
	known := fields(t)
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name := n.Content[i].Value
		p := join(path, name)
		if seen[name] {
			d.report(p, "repeated", "the name stands here twice", "remove one of them")
		}
		seen[name] = true
		ft, ok := known[name]
		if !ok {
			d.report(p, "unknown-name", "there is no such setting", suggest(name, known))
			continue
		}
		d.names(p, n.Content[i+1], ft)
	}
}

// fields returns the YAML names of a struct's fields.
func fields(t reflect.Type) map[string]reflect.Type {
	out := map[string]reflect.Type{}
	for i := range t.NumField() {
		f := t.Field(i)
		tag, options, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		switch {
		case strings.Contains(options, "inline"):
			for n, ft := range fields(f.Type) {
				out[n] = ft
			}
		case tag == "-" || !f.IsExported():
		case tag == "":
			out[strings.ToLower(f.Name)] = f.Type
		default:
			out[tag] = f.Type
		}
	}
	return out
}

// suggest names the nearest known name, or all of them.
func suggest(name string, known map[string]reflect.Type) string {
	var names []string
	best, bestAt := "", 3
	for k := range known {
		names = append(names, k)
		if dist := distance(strings.ToLower(name), strings.ToLower(k)); dist < bestAt {
			best, bestAt = k, dist
		}
	}
	if best != "" {
		return fmt.Sprintf("did you mean %q?", best)
	}
	sort.Strings(names)
	return "use one of " + strings.Join(names, ", ")
}

// distance is the Levenshtein distance of two short words.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			diagonal, row[j] = row[j], min(row[j]+1, row[j-1]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}
