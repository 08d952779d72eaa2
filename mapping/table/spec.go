package table

import (
	"strings"
	"unicode"

	"github.com/einmal-hub/einmal/contracts/handover"
	"go.yaml.in/yaml/v3"
)

const (
	formatJSON = "json"
	formatXML  = "xml"
)

// spec is a table as it is written, before anything is looked up.
type spec struct {
	system, format string
	namespaces     namespaces
	lists          []listSpec
	groups         []groupSpec
	messages       []messageSpec
}

type listSpec struct {
	name  string
	line  int
	codes []Code
}

type groupSpec struct {
	name string
	line int
	rows []rowSpec
}

type messageSpec struct {
	name handover.Name
	line int
	kind string
	root string
	rows []rowSpec
}

// rowSpec is one line of a table: a [Row], or the inclusion of a group.
type rowSpec struct {
	Row
	at        string // its place in the YAML document
	include   string
	constKind kind
}

func (s *source) spec(root *yaml.Node) spec {
	var t spec
	for _, e := range s.mapping(root, "", "system", "format", "namespaces", "codes", "fields", "messages") {
		switch e.key {
		case "system":
			t.system = s.text(e.value, e.key)
		case "format":
			t.format = s.text(e.value, e.key)
		case "namespaces":
			t.namespaces = s.readNamespaces(e.value)
		case "codes":
			t.lists = s.readLists(e.value)
		case "fields":
			for _, g := range s.mapping(e.value, e.key) {
				t.groups = append(t.groups, groupSpec{name: g.key, line: g.line, rows: s.rows(g.value, join(e.key, g.key))})
			}
		case "messages":
			for _, m := range s.mapping(e.value, e.key) {
				t.messages = append(t.messages, s.message(m))
			}
		}
	}
	if t.system == "" {
		s.add(1, "system", "missing-key", "the name of the system is missing", "add: system: NAME")
	}
	if t.format != formatJSON && t.format != formatXML {
		s.add(1, "format", "missing-key", "the format is missing or unknown", "add: format: json, or: format: xml")
	}
	if len(t.namespaces) > 0 && t.format != formatXML {
		s.add(1, "namespaces", "unknown-key", "only XML has namespaces", "")
	}
	return t
}

func (s *source) readNamespaces(n *yaml.Node) namespaces {
	var ns namespaces
	seen := map[string]bool{}
	for _, e := range s.mapping(n, "namespaces") {
		uri := s.text(e.value, join("namespaces", e.key))
		if !validName(e.key) || seen[uri] || strings.HasPrefix(strings.ToLower(e.key), "xml") {
			s.add(e.line, join("namespaces", e.key), "namespace", "the prefix is no name, or the namespace has another prefix already", "")
		}
		seen[uri] = true
		ns = append(ns, namespace{prefix: e.key, uri: uri})
	}
	return ns
}

func (s *source) readLists(n *yaml.Node) []listSpec {
	var lists []listSpec
	for _, l := range s.mapping(n, "codes") {
		at := join("codes", l.key)
		list := listSpec{name: l.key, line: l.line}
		seen := map[string]bool{}
		for _, c := range s.mapping(l.value, at) {
			code := s.text(c.value, join(at, c.key))
			if seen[code] {
				s.add(c.line, join(at, c.key), "list-code", "the native code stands for another code already", "codes are one to one: give each its own")
			}
			if strings.TrimSpace(code) != code || strings.ContainsFunc(code, unicode.IsControl) {
				s.add(c.line, join(at, c.key), "list-code", "the native code begins or ends with a blank, or holds a control character", "write it as the native system does")
			}
			if !validCode(c.key) {
				s.add(c.line, join(at, c.key), "list-code", "a code is upper case letters, digits and underscores, at most 40", "")
			}
			seen[code] = true
			list.codes = append(list.codes, Code{Canonical: handover.Code(c.key), Native: code})
		}
		lists = append(lists, list)
	}
	return lists
}

func validCode(s string) bool {
	return s != "" && len(s) <= 40 && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == ""
}

func (s *source) message(e entry) messageSpec {
	at := join("messages", e.key)
	m := messageSpec{name: handover.Name(e.key), line: e.line}
	for _, k := range s.mapping(e.value, at, "kind", "root", "fields") {
		switch k.key {
		case "kind":
			m.kind = s.text(k.value, join(at, k.key))
		case "root":
			m.root = s.text(k.value, join(at, k.key))
		case "fields":
			m.rows = s.rows(k.value, join(at, k.key))
		}
	}
	if m.kind == "" {
		s.add(e.line, at, "missing-key", "the native kind is missing", "add: kind: WORD")
	}
	return m
}

func (s *source) rows(n *yaml.Node, at string) []rowSpec {
	var rows []rowSpec
	for i, item := range s.items(n, at) {
		rows = append(rows, s.row(item, index(at, i)))
	}
	return rows
}

func (s *source) row(n *yaml.Node, at string) rowSpec {
	r := rowSpec{at: at, Row: Row{Line: n.Line}}
	texts := map[string]*string{
		"native": &r.Native, "canonical": &r.Canonical, "outside": &r.Outside, "include": &r.include, "rule": &r.Rule, "list": &r.List,
		"charset": &r.Charset, "because": &r.Because, "const": &r.Const,
	}
	for _, e := range s.mapping(n, at, "native", "canonical", "outside", "rule", "list", "max", "charset", "include", "const", "drop", "because", "optional") {
		switch e.key {
		case "max":
			r.Max = s.count(e.value, join(at, e.key))
		case "drop":
			r.Drop = s.flag(e.value, join(at, e.key))
		case "optional":
			r.Optional = s.flag(e.value, join(at, e.key))
		default:
			*texts[e.key] = s.text(e.value, join(at, e.key))
		}
		if e.key == "const" {
			r.constKind = constKind(e.value)
		}
	}
	return r
}

// constKind is how a constant is written in JSON: "2025" is a text, 2025 a number, true a boolean.
func constKind(n *yaml.Node) kind {
	switch n.ShortTag() {
	case "!!int":
		return number
	case "!!bool":
		return boolean
	default:
		return text
	}
}
