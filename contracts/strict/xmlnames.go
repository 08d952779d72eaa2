package strict

import (
	"encoding/xml"
	"maps"
	"strings"

	"github.com/einmal-hub/einmal/contracts/fault"
)

const (
	xmlNamespace   = "http://www.w3.org/XML/1998/namespace"
	xmlnsNamespace = "http://www.w3.org/2000/xmlns/"
)

// scope holds the bound prefixes inside one element. It is shared with the children and copied before it is changed.
type scope map[string]string

// enter checks the names of a start tag and returns the scope inside the element.
func enter(outer scope, t xml.StartElement) (scope, *fault.Error) {
	if len(t.Attr) > MaxAttributes {
		return nil, refuseXML("too-many-attributes", "an element has more than 64 attributes")
	}
	inner := outer
	copied := false
	for _, a := range t.Attr {
		if a.Name.Space != "xmlns" {
			continue
		}
		if !bindable(a.Name.Local, a.Value) {
			return nil, refuseXML("namespace", "a namespace declaration is not allowed")
		}
		if !copied {
			inner, copied = maps.Clone(outer), true
		}
		if inner == nil {
			inner = scope{}
		}
		inner[a.Name.Local] = a.Value
	}
	if !inner.binds(t.Name) {
		return nil, unbound()
	}
	return inner, inner.attributes(t.Attr)
}

func unbound() *fault.Error {
	return refuseXML("unbound-prefix", "a name has a prefix that is bound to no namespace")
}

// bindable reports whether XML 1.0 Namespaces allows a declaration.
func bindable(prefix, uri string) bool {
	switch {
	case prefix == "xml":
		return uri == xmlNamespace
	case prefix == "xmlns" || uri == "" || uri == xmlNamespace || uri == xmlnsNamespace:
		return false
	}
	return !strings.Contains(prefix, ":")
}

// binds reports whether a raw name is a qualified name with a bound prefix.
func (s scope) binds(n xml.Name) bool {
	if strings.Contains(n.Local, ":") {
		return false
	}
	_, bound := s[n.Space]
	return n.Space == "" || n.Space == "xml" || bound
}

// attributes refuses unbound prefixes and attributes that are the same by name or by namespace.
func (s scope) attributes(attrs []xml.Attr) *fault.Error {
	raw, expanded := map[xml.Name]bool{}, map[xml.Name]bool{}
	for _, a := range attrs {
		name := a.Name
		if raw[name] {
			return repeated()
		}
		raw[name] = true
		if name.Space == "xmlns" {
			continue
		}
		if !s.binds(name) {
			return unbound()
		}
		if name.Space != "" && name.Space != "xml" {
			name.Space = s[name.Space]
		}
		if expanded[name] {
			return repeated()
		}
		expanded[name] = true
	}
	return nil
}

func repeated() *fault.Error {
	return refuseXML("repeated-attribute", "an attribute stands twice in one element")
}

// declaration checks what follows "<?xml": version 1.0, then an encoding if any, then standalone if any.
func declaration(s string) *fault.Error {
	version, rest, ok := pseudoAttribute(s, "version")
	if !ok || version != "1.0" {
		return refuseXML("xml-version", "the document is not XML 1.0")
	}
	if encoding, after, found := pseudoAttribute(rest, "encoding"); found {
		if !strings.EqualFold(encoding, "utf-8") {
			return refuseXML("encoding", "the document is not declared as UTF-8")
		}
		rest = after
	}
	if alone, after, found := pseudoAttribute(rest, "standalone"); found && (alone == "yes" || alone == "no") {
		rest = after
	}
	if strings.Trim(rest, " \t\r\n") != "" {
		return refuseXML("malformed-xml", "the XML declaration is malformed")
	}
	return nil
}

// pseudoAttribute takes one name="value" from the front of a declaration.
func pseudoAttribute(s, name string) (value, rest string, ok bool) {
	const blank = " \t\r\n"
	rest, ok = strings.CutPrefix(strings.TrimLeft(s, blank), name)
	if !ok {
		return "", s, false
	}
	rest, ok = strings.CutPrefix(strings.TrimLeft(rest, blank), "=")
	rest = strings.TrimLeft(rest, blank)
	if !ok || rest == "" || (rest[0] != '"' && rest[0] != '\'') {
		return "", s, false
	}
	value, rest, ok = strings.Cut(rest[1:], rest[:1])
	return value, rest, ok
}
