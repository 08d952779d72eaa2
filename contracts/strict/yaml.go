package strict

import (
	"bytes"
	"encoding"
	"errors"
	"io"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/einmal-hub/einmal/contracts/fault"
	"go.yaml.in/yaml/v3"
)

// Document is a YAML document that a person wrote: where each of its values stands, and what is wrong with it. Checks of the meaning add
// their findings with [Document.Report], so that a reader gets all of them at once, each with its line.
type Document struct {
	file     string
	lines    map[string]int // path -> line
	read     bool
	findings fault.Findings
}

// YAML decodes one document into a pointer to a struct with yaml tags. It finds unknown and repeated names, values of another type, aliases, a second
// document, and documents over [MaxBytes]; a value that is wrong is left out and the rest is decoded, so that one mistake does not bring about
// others. Text fields take any single value as it is written: NO is a text and no refusal. Fields that write themselves as text are read by their
// own rules.
func YAML(file string, data []byte, into any) *Document {
	d := &Document{file: file, lines: map[string]int{}}
	root := d.root(data)
	if root == nil {
		return d
	}
	d.read = true
	d.index("", root)
	if d.walk("", root, reflect.TypeOf(into)) {
		if err := root.Decode(into); err != nil {
			d.Report("", "malformed", "the document cannot be read", "")
		}
	}
	return d
}

// Read reports whether there was a document at all. Otherwise nothing was decoded, and what it lacks is no finding of its own.
func (d *Document) Read() bool { return d.read }

// Report adds a finding at a path such as "rules[3].when"; its line is that of the path, or of its nearest parent in the document.
func (d *Document) Report(path, code, text, next string) {
	d.findings = append(d.findings, fault.Finding{File: d.file, Line: d.Line(path), Path: path, Code: code, Text: text, Next: next})
}

// Findings returns what is wrong, in the order of the document.
func (d *Document) Findings() fault.Findings {
	out := slices.Clone(d.findings)
	slices.SortStableFunc(out, func(a, b fault.Finding) int { return a.Line - b.Line })
	return out
}

// Line returns the line of a path, or of its nearest parent in the document.
func (d *Document) Line(path string) int {
	for path != "" {
		if l := d.lines[path]; l > 0 {
			return l
		}
		i := strings.LastIndexAny(path, ".[")
		if i < 0 {
			break
		}
		path = path[:i]
	}
	return 1
}

func (d *Document) root(data []byte) *yaml.Node {
	if len(data) > MaxBytes {
		d.Report("", "too-large", "the document is larger than 1 MiB", "")
		return nil
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var first, second yaml.Node
	if err := decoder.Decode(&first); err != nil || len(first.Content) != 1 {
		d.at(lineOf(err), "", "malformed", "this is not a YAML document", "check indentation, colons and quotes around this line")
		return nil
	}
	if err := decoder.Decode(&second); err == nil {
		d.at(second.Line, "", "two-documents", "a second document begins here", "remove the line ---, or move what follows")
		return nil
	} else if !errors.Is(err, io.EOF) {
		d.at(lineOf(err), "", "malformed", "this is not YAML", "check indentation, colons and quotes around this line")
		return nil
	}
	return first.Content[0]
}

func (d *Document) at(line int, path, code, text, next string) {
	d.findings = append(d.findings, fault.Finding{File: d.file, Line: line, Path: path, Code: code, Text: text, Next: next})
}

// lineOf finds the line in a message of the YAML library, which has no field for it. Nothing else of the message is used: it repeats what stands
// in the document.
func lineOf(err error) int {
	if err == nil {
		return 1
	}
	_, rest, _ := strings.Cut(err.Error(), "line ")
	digits, _, _ := strings.Cut(rest, ":")
	if line, err := strconv.Atoi(digits); err == nil {
		return line
	}
	return 1
}

// index remembers the line of every path below a node.
func (d *Document) index(path string, n *yaml.Node) {
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			p := joined(path, n.Content[i].Value)
			d.index(p, n.Content[i+1])
			d.lines[p] = n.Content[i].Line
		}
	case yaml.SequenceNode:
		for i, c := range n.Content {
			p := path + "[" + strconv.Itoa(i) + "]"
			d.lines[p] = c.Line
			d.index(p, c)
		}
	}
}

func joined(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// walk reports whether a node can be decoded into a type, after what is wrong below it was taken out.
func (d *Document) walk(path string, n *yaml.Node, t reflect.Type) bool {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case n.Kind == yaml.AliasNode || n.Anchor != "":
		d.Report(path, "alias", "anchors and aliases are not used here", "write the value out")
		return false
	case n.ShortTag() == "!!null":
		d.Report(path, "missing", "the value is missing", "write one, or leave the name out")
		return false
	case n.Kind == yaml.SequenceNode && t.Kind() == reflect.Slice:
		d.sequence(path, n, t)
		return true
	case n.Kind == yaml.MappingNode && (t.Kind() == reflect.Map || t.Kind() == reflect.Struct) && !asText(t):
		d.mapping(path, n, t)
		return true
	case n.Kind == yaml.ScalarNode && n.ShortTag() != "!!merge":
		return d.scalar(path, n, t)
	}
	d.Report(path, "wrong-type", "the value is not "+inWords(t), "")
	return false
}

// sequence walks the entries of a list. A group that cannot be decoded leaves an empty one behind, so that those after it keep their places; the
// library would leave a null out.
func (d *Document) sequence(path string, n *yaml.Node, t reflect.Type) {
	var good []*yaml.Node
	for i, c := range n.Content {
		switch {
		case d.walk(path+"["+strconv.Itoa(i)+"]", c, t.Elem()):
			good = append(good, c)
		case t.Elem().Kind() == reflect.Struct:
			good = append(good, &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"})
		}
	}
	n.Content = good
}

// mapping checks the names of a mapping and walks its values.
func (d *Document) mapping(path string, n *yaml.Node, t reflect.Type) {
	known := map[string]reflect.Type{}
	if t.Kind() == reflect.Struct {
		members(t, known)
	}
	seen := map[string]bool{}
	var good []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		p, of := joined(path, key.Value), known[key.Value]
		if t.Kind() == reflect.Map {
			of = t.Elem()
		}
		switch {
		case key.Kind != yaml.ScalarNode || of == nil:
			d.at(key.Line, p, "unknown-name", "the name is not known here", "use one of: "+strings.Join(names(known), ", "))
		case seen[key.Value]:
			d.at(key.Line, p, "repeated", "the name stands here twice", "remove one of the two")
		case d.walk(p, value, of):
			good = append(good, key, value)
		}
		seen[key.Value] = true
	}
	n.Content = good
}

// scalar tries a single value. The library would cut a fraction off in silence.
func (d *Document) scalar(path string, n *yaml.Node, t reflect.Type) bool {
	target := reflect.New(t)
	err := n.Decode(target.Interface())
	if whole(t) && n.ShortTag() != "!!int" || t.Kind() == reflect.Bool && n.ShortTag() != "!!bool" {
		err = errors.ErrUnsupported
	}
	var known *fault.Error
	switch {
	case err == nil:
		return true
	case errors.As(err, &known):
		d.Report(path, known.Code, known.Text, known.Next)
	default:
		d.Report(path, "wrong-type", "the value is not "+inWords(t), "")
	}
	return false
}

func whole(t reflect.Type) bool { return t.Kind() >= reflect.Int && t.Kind() <= reflect.Uint64 }

func asText(t reflect.Type) bool {
	return reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
}

// inWords says what a value of a type looks like.
func inWords(t reflect.Type) string {
	switch {
	case t.Kind() == reflect.Bool:
		return "true or false"
	case whole(t):
		return "a whole number, or is too large"
	case t.Kind() == reflect.Slice:
		return "a list"
	case (t.Kind() == reflect.Struct || t.Kind() == reflect.Map) && !asText(t):
		return "a group of names and values"
	default:
		return "a single value"
	}
}

// members collects the YAML names of a struct's fields.
func members(t reflect.Type, into map[string]reflect.Type) {
	for f := range t.Fields() {
		name, options, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		switch {
		case options == "inline":
			members(f.Type, into)
		case name != "" && name != "-":
			into[name] = f.Type
		}
	}
}

func names(known map[string]reflect.Type) []string {
	var out []string
	for name := range known {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}
