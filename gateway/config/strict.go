package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

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
	d.at(d.line(path), path, code, text, next)
}

// at adds a finding in a line.
func (d *document) at(line int, path, code, text, next string) {
	d.Findings = append(d.Findings, fault.Finding{File: d.file, Line: line, Path: path, Code: code, Text: text, Next: next})
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

// read parses the text, which must be one document. The root is nil for an empty one.
func (d *document) read(text []byte) (root *yaml.Node, ok bool) {
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var first, second yaml.Node
	if err := decoder.Decode(&first); errors.Is(err, io.EOF) {
		return nil, true
	} else if err != nil {
		d.malformed(err)
		return nil, false
	}
	switch err := decoder.Decode(&second); {
	case err == nil:
		d.at(second.Line, "", "two-documents", "a second document begins here", "remove the line ---, or move what follows")
		return nil, false
	case !errors.Is(err, io.EOF):
		d.malformed(err)
		return nil, false
	}
	return first.Content[0], true
}

// malformed reports what is no YAML. Of the library's error only the line is used: its text repeats what stands in the file.
func (d *document) malformed(err error) {
	line := 1
	if m := regexp.MustCompile(`line (\d+)`).FindStringSubmatch(err.Error()); m != nil {
		line, _ = strconv.Atoi(m[1])
	}
	d.at(line, "", "malformed", "this is not YAML", "check indentation, colons and quotes around this line")
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

// decode checks names and values below a node against the type of into, with the path of each, which the library does not know. What is wrong
// is reported and taken out; the rest is decoded, so that one mistake does not bring about others. It returns false when nothing can be decoded.
func (d *document) decode(path string, n *yaml.Node, into any) bool {
	if !d.walk(path, n, reflect.TypeOf(into)) {
		return false
	}
	if err := n.Decode(into); err != nil {
		d.report(path, "malformed", "the value cannot be read", "compare it with the sample configuration")
		return false
	}
	return true
}

// walk reports whether a node can be decoded into a type, after what is wrong below it was taken out.
func (d *document) walk(path string, n *yaml.Node, t reflect.Type) bool {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case n.Kind == yaml.AliasNode:
		return d.walk(path, n.Alias, t)
	case t == reflect.TypeFor[yaml.Node](), n.ShortTag() == "!!null":
	case n.Kind == yaml.SequenceNode && t.Kind() == reflect.Slice:
		for i, c := range n.Content {
			if !d.walk(path+"["+strconv.Itoa(i)+"]", c, t.Elem()) {
				n.Content[i] = &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null"} // those after it keep their places
			}
		}
	case n.Kind == yaml.MappingNode && t.Kind() == reflect.Map:
		d.members(path, n, func(string) (reflect.Type, string) { return t.Elem(), "" })
	case n.Kind == yaml.MappingNode && t.Kind() == reflect.Struct:
		known := fields(t)
		names := slices.Sorted(maps.Keys(known))
		d.members(path, n, func(name string) (reflect.Type, string) {
			if ft, ok := known[name]; ok {
				return ft, ""
			}
			return nil, suggest(name, names)
		})
	case n.Decode(reflect.New(t).Interface()) != nil, cutsOff(n, t):
		d.report(path, "wrong-type", "the value is not "+inWords(t), "write it as in the sample configuration")
		return false
	}
	return true
}

// cutsOff reports a number with a fraction where a whole one is wanted; the library drops the fraction in silence.
func cutsOff(n *yaml.Node, t reflect.Type) bool {
	return whole(t) && n.ShortTag() == "!!float"
}

func whole(t reflect.Type) bool { return t.Kind() >= reflect.Int && t.Kind() <= reflect.Uint64 }

// members checks the names of a mapping and walks its values. typeOf returns the type of a name, or none and what to do.
func (d *document) members(path string, n *yaml.Node, typeOf func(name string) (reflect.Type, string)) {
	seen := map[string]bool{}
	var good []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		p := join(path, key.Value)
		t, next := typeOf(key.Value)
		switch {
		case key.Kind != yaml.ScalarNode:
			d.at(key.Line, path, "malformed", "a name is not a plain word", "write name: value")
		case seen[key.Value]:
			d.at(key.Line, p, "repeated", "the name stands here twice", "remove one of them")
		case t == nil:
			d.report(p, "unknown-name", "there is no such setting", next)
		case d.walk(p, value, t):
			good = append(good, key, value)
		}
		seen[key.Value] = true
	}
	n.Content = good
}

// inWords says what a value of a type looks like.
func inWords(t reflect.Type) string {
	switch {
	case t == reflect.TypeFor[time.Duration]():
		return "a time with its unit, such as 30s"
	case t.Kind() == reflect.Bool:
		return "true or false"
	case whole(t):
		return "a whole number, or is too large"
	case t.Kind() == reflect.Struct, t.Kind() == reflect.Map:
		return "a group of settings"
	case t.Kind() == reflect.Slice:
		return "a list"
	default:
		return "a single value"
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
			maps.Copy(out, fields(f.Type))
		case tag == "-" || !f.IsExported():
		case tag == "":
			out[strings.ToLower(f.Name)] = f.Type
		default:
			out[tag] = f.Type
		}
	}
	return out
}

// suggest names the nearest of the known names, or all of them.
func suggest(name string, known []string) string {
	best, bestAt := "", 3
	for _, k := range known {
		if dist := distance(strings.ToLower(name), strings.ToLower(k)); dist < bestAt {
			best, bestAt = k, dist
		}
	}
	switch {
	case len(known) == 0:
		return "leave it out"
	case best != "" && name != "":
		return fmt.Sprintf("did you mean %q?", best)
	case len(known) == 1:
		return "use " + known[0]
	}
	return "use one of " + strings.Join(known, ", ")
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
	switch {
	case path == "":
		return name
	case name == "":
		return path
	}
	return path + "." + name
}
