package avam

import (
	"fmt"
	"strings"

	"github.com/beevik/etree"

	"github.com/einmal-hub/einmal/contracts/native"
	contract "github.com/einmal-hub/einmal/contracts/native/avam"
	"github.com/einmal-hub/einmal/contracts/strict"
)

// invalid says what is wrong and where, without the value.
type invalid struct{ path, text string }

// Error returns the place and what is wrong there.
func (e *invalid) Error() string { return e.path + " " + e.text }

func wrong(el *etree.Element, format string, args ...any) error {
	return &invalid{path: strict.PathOf(el), text: fmt.Sprintf(format, args...)}
}

// content checks a content that stands alone.
func (s *schema) content(kind native.Kind, body []byte) error {
	root, err := strict.XML(body)
	if err != nil {
		return err
	}
	if err := s.global(root); err != nil {
		return err
	}
	return rules(kind, root)
}

// global checks an element by its global declaration.
func (s *schema) global(el *etree.Element) error {
	decl, ok := s.elements[nameOf(el)]
	if !ok {
		return wrong(el, "is not declared")
	}
	return s.check(decl, el)
}

func nameOf(el *etree.Element) name { return name{el.NamespaceURI(), el.Tag} }

func (s *schema) check(decl *element, el *etree.Element) error {
	if decl.ref {
		decl = s.elements[decl.name]
	}
	for _, a := range el.Attr {
		if a.Space != "xmlns" && (a.Space != "" || a.Key != "xmlns") {
			return wrong(el, "has an attribute")
		}
	}
	if decl.own != nil {
		return s.model(decl.own, el)
	}
	if t, ok := s.complex[decl.typ]; ok {
		return s.model(t, el)
	}
	return s.value(decl.typ, el)
}

func (s *schema) value(typ name, el *etree.Element) error {
	text, err := strict.Text(el)
	if err != nil {
		return wrong(el, "holds elements")
	}
	t, ok := s.simple[typ]
	if !ok {
		t = &simpleType{base: typ.local}
	}
	if what := t.check(text); what != "" {
		return wrong(el, "%s", what)
	}
	return nil
}

func (s *schema) model(t *complexType, el *etree.Element) error {
	children := el.ChildElements()
	if len(children) == 0 && strings.Trim(el.Text(), " \t\r\n") != "" {
		return wrong(el, "holds text")
	}
	rest, err := s.match(t.model, el, children)
	if err == nil && len(rest) > 0 {
		return wrong(rest[0], "may not stand here")
	}
	return err
}

// match takes the particle's elements from the front of children, as often as it may stand there.
func (s *schema) match(p *particle, parent *etree.Element, children []*etree.Element) ([]*etree.Element, error) {
	times := 0
	for ; times < p.max && len(children) > 0 && s.starts(p, children[0]); times++ {
		var err error
		if children, err = s.once(p, parent, children); err != nil {
			return nil, err
		}
	}
	if times < p.min && !(p.element == nil && s.empty(p)) {
		return nil, wrong(parent, "lacks %s", s.missing(p))
	}
	return children, nil
}

func (s *schema) once(p *particle, parent *etree.Element, children []*etree.Element) ([]*etree.Element, error) {
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
func (s *schema) starts(p *particle, el *etree.Element) bool {
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
func (s *schema) empty(p *particle) bool {
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
func (s *schema) missing(p *particle) string {
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

// kindOf returns the kind with a code, for messages that name one.
func kindOf(code native.Kind) (contract.Kind, error) {
	k, ok := contract.KindOf(code)
	if !ok {
		return k, fmt.Errorf("the kind is not one of OPT01 to OPT21")
	}
	return k, nil
}
