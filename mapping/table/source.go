package table

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/einmal-hub/einmal/contracts/fault"
	"go.yaml.in/yaml/v3"
)

// source reads the YAML of a table. It works on nodes, not on structs, because every finding must name its line and the first one must
// not hide the others.
type source struct {
	file     string
	findings fault.Findings
}

// entry is one key of a YAML mapping.
type entry struct {
	key   string
	line  int
	value *yaml.Node
}

func (s *source) add(line int, path, code, text, next string) {
	s.findings = append(s.findings, fault.Finding{File: s.file, Line: line, Path: path, Code: code, Text: text, Next: next})
}

// document returns the root of the one YAML document in data, or nil.
func (s *source) document(data []byte) *yaml.Node {
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var doc, more yaml.Node
	if err := decoder.Decode(&doc); err != nil || len(doc.Content) != 1 {
		s.add(lineOf(err), "", "yaml", "the file is not a YAML document", "correct the syntax near this line")
		return nil
	}
	if decoder.Decode(&more) == nil {
		s.add(more.Line, "", "yaml", "the file holds more than one YAML document", "keep one document in each file")
	}
	return doc.Content[0]
}

// lineOf finds the line in a message of the YAML library, which has no field for it.
func lineOf(err error) int {
	if err == nil {
		return 0
	}
	_, rest, _ := strings.Cut(err.Error(), "line ")
	digits, _, _ := strings.Cut(rest, ":")
	line, _ := strconv.Atoi(digits)
	return line
}

// mapping returns the entries of a mapping and reports unknown and repeated keys. No known keys means that every key is allowed.
func (s *source) mapping(n *yaml.Node, path string, known ...string) []entry {
	if n == nil || n.Kind != yaml.MappingNode {
		s.add(line(n), path, "yaml-type", "a mapping (key: value) is expected here", "")
		return nil
	}
	var entries []entry
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		at := join(path, key.Value)
		switch {
		case slices.ContainsFunc(entries, func(e entry) bool { return e.key == key.Value }):
			s.add(key.Line, at, "repeated-key", "the key stands twice", "remove one of the two")
		case len(known) > 0 && !slices.Contains(known, key.Value):
			s.add(key.Line, at, "unknown-key", "the key is not known here", "use one of: "+strings.Join(known, ", "))
		default:
			entries = append(entries, entry{key: key.Value, line: key.Line, value: value})
		}
	}
	return entries
}

// items returns the entries of a sequence.
func (s *source) items(n *yaml.Node, path string) []*yaml.Node {
	if n == nil || n.Kind != yaml.SequenceNode {
		s.add(line(n), path, "yaml-type", "a list (- ...) is expected here", "")
		return nil
	}
	return n.Content
}

// text returns a scalar as it is written, whatever YAML takes it for: a code "N" is not a no.
func (s *source) text(n *yaml.Node, path string) string {
	if n == nil || n.Kind != yaml.ScalarNode || n.Value == "" {
		s.add(line(n), path, "yaml-type", "a value is expected here", "")
		return ""
	}
	return n.Value
}

func (s *source) flag(n *yaml.Node, path string) bool {
	if n.Kind != yaml.ScalarNode || n.Value != "true" {
		s.add(n.Line, path, "yaml-type", "the only value of this key is true", "write true or leave the key out")
	}
	return true
}

func (s *source) count(n *yaml.Node, path string) int {
	i, err := strconv.Atoi(n.Value)
	if err != nil || i < 1 {
		s.add(n.Line, path, "yaml-type", "a number above 0 is expected here", "")
		return 0
	}
	return i
}

func line(n *yaml.Node) int {
	if n == nil {
		return 1
	}
	return n.Line
}

func index(path string, i int) string { return fmt.Sprintf("%s[%d]", path, i) }
