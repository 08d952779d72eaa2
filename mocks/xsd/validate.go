package xsd

import (
	"fmt"
	"strings"

	"github.com/beevik/etree"

	"github.com/einmal-hub/einmal/contracts/strict"
)

// Invalid says what is wrong and where, without the value.
type Invalid struct {
	Path string // local names from the root: "/envelope/messageId"
	Text string
}

// Error returns the place and what is wrong there.
func (e *Invalid) Error() string { return e.Path + " " + e.Text }

// Wrong returns an [*Invalid] for an element.
func Wrong(el *etree.Element, format string, args ...any) error {
	return &Invalid{Path: strict.PathOf(el), Text: fmt.Sprintf(format, args...)}
}

// Check judges an element by its global declaration. The error is an [*Invalid].
func (s *Schema) Check(el *etree.Element) error {
	decl, ok := s.elements[nameOf(el)]
	if !ok {
		return Wrong(el, "is not declared")
	}
	return s.check(decl, el)
}

func nameOf(el *etree.Element) name { return name{el.NamespaceURI(), el.Tag} }

func (s *Schema) check(decl *element, el *etree.Element) error {
	if decl.ref {
		decl = s.elements[decl.name]
	}
	t := decl.own
	if t == nil {
		t = s.complex[decl.typ]
	}
	if err := attributes(t, el); err != nil {
		return err
	}
	if t != nil {
		return s.model(t, el)
	}
	return s.value(decl.typ, el)
}

// attributes checks that an element has those of its type and no others. Declarations of namespaces are none.
func attributes(t *complexType, el *etree.Element) error {
	found := 0
	for _, a := range el.Attr {
		if a.Space == "xmlns" || (a.Space == "" && a.Key == "xmlns") {
			continue
		}
		if t == nil || a.Space != "" || t.attributes[a.Key] == "" {
			return Wrong(el, "has an attribute")
		}
		if found++; a.Value != t.attributes[a.Key] {
			return Wrong(el, "has an attribute with another value than the schema fixes")
		}
	}
	if t != nil && found < len(t.attributes) {
		return Wrong(el, "lacks an attribute")
	}
	return nil
}

func (s *Schema) value(typ name, el *etree.Element) error {
	text, err := strict.Text(el)
	if err != nil {
		return Wrong(el, "holds elements")
	}
	t, ok := s.simple[typ]
	if !ok {
		t = &simpleType{base: typ.local}
	}
	if what := t.check(text); what != "" {
		return Wrong(el, "%s", what)
	}
	return nil
}

func (s *Schema) model(t *complexType, el *etree.Element) error {
	children := el.ChildElements()
	if len(children) == 0 && strings.Trim(el.Text(), " \t\r\n") != "" {
		return Wrong(el, "holds text")
	}
	rest, err := s.match(t.model, el, children)
	if err == nil && len(rest) > 0 {
		return Wrong(rest[0], "may not stand here")
	}
	return err
}

// match takes the particle's elements from the front of children, as often as it may stand there.
func (s *Schema) match(p *particle, parent *etree.Element, children []*etree.Element) ([]*etree.Element, error) {
	times := 0
	for ; times < p.max && len(children) > 0 && s.starts(p, children[0]); times++ {
		var err error
		if children, err = s.once(p, parent, children); err != nil {
			return nil, err
		}
	}
	if times < p.min && !(p.element == nil && s.empty(p)) {
		return nil, Wrong(parent, "lacks %s", s.missing(p))
	}
	return children, nil
}

func (s *Schema) once(p *particle, parent *etree.Element, children []*etree.Element) ([]*etree.Element, error) {
	if p.element != nil {
		return children[1:], s.check(p.element, children[0])
	}
	for _, part := range p.parts {
		if p.choice {
			if s.starts(part, children[0]) {
				return s.match(part, parent, children)
			}
			continue
		}
		var err error
		if children, err = s.match(part, parent, children); err != nil {
			return nil, err
		}
	}
	return children, nil
}

// starts reports whether an element can be the first of a particle.
func (s *Schema) starts(p *particle, el *etree.Element) bool {
	if p.element != nil {
		return p.element.name == nameOf(el)
	}
	for _, part := range p.parts {
		if s.starts(part, el) {
			return true
		}
		if !p.choice && part.min > 0 && !s.empty(part) {
			return false
		}
	}
	return false
}

// empty reports whether a particle may stand for nothing.
func (s *Schema) empty(p *particle) bool {
	if p.min == 0 {
		return true
	}
	if p.element != nil || p.choice {
		return false
	}
	for _, part := range p.parts {
		if !s.empty(part) {
			return false
		}
	}
	return true
}

// missing names the first element that a particle demands.
func (s *Schema) missing(p *particle) string {
	for p.element == nil {
		if p.choice || len(p.parts) == 0 {
			return "its content"
		}
		next := p.parts[0]
		for _, part := range p.parts {
			if !s.empty(part) {
				next = part
				break
			}
		}
		p = next
	}
	return p.element.name.local
}
