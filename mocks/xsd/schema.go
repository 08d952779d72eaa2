// Package xsd judges XML documents by the schema files of a contract, for the mocks of systems that speak XML. It knows exactly the constructs that
// these contracts use and refuses to load others, so that no rule of a contract goes unchecked.
//
// Rejected: a validation written down a second time in Go (it would agree with its author and not with the schema), and the bindings of libxml2 (they
// need a C compiler on every machine that runs the mocks).
package xsd

import (
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"github.com/beevik/etree"
)

// Namespace is that of XML Schema.
const Namespace = "http://www.w3.org/2001/XMLSchema"

// name is a qualified name.
type name struct{ space, local string }

// particle is a part of a content model: an element, a sequence or a choice.
type particle struct {
	min, max int
	element  *element
	choice   bool
	parts    []*particle
}

// element is a declaration. ref points to a global element instead of a type.
type element struct {
	name name
	typ  name
	own  *complexType
	ref  bool
}

// complexType is a content model, and attributes with one fixed value, such as the version of an envelope.
type complexType struct {
	model      *particle
	attributes map[string]string // the value that each must have
}

// Schema holds the global declarations of all files. It never changes and may be used concurrently.
type Schema struct {
	elements map[name]*element
	complex  map[name]*complexType
	simple   map[name]*simpleType
}

// loader reads one file.
type loader struct {
	schema *Schema
	target string
}

// Load reads every schema file (*.xsd) of a contract. It fails on anything that it does not know.
func Load(files fs.FS) (*Schema, error) {
	s := &Schema{elements: map[name]*element{}, complex: map[name]*complexType{}, simple: map[name]*simpleType{}}
	names, err := fs.Glob(files, "*.xsd")
	if err != nil || len(names) == 0 {
		return nil, fmt.Errorf("xsd: the contract has no schema files: %w", err)
	}
	for _, n := range names {
		b, err := fs.ReadFile(files, n)
		if err != nil {
			return nil, fmt.Errorf("xsd: read the contract: %w", err)
		}
		doc := etree.NewDocument()
		if err := doc.ReadFromBytes(b); err != nil || doc.Root() == nil {
			return nil, fmt.Errorf("xsd: %s is not a schema", n)
		}
		l := &loader{schema: s, target: doc.Root().SelectAttrValue("targetNamespace", "")}
		if err := l.file(doc.Root()); err != nil {
			return nil, fmt.Errorf("xsd: %s: %w", n, err)
		}
	}
	return s, s.resolve()
}

func (l *loader) file(root *etree.Element) error {
	for _, el := range root.ChildElements() {
		n := name{l.target, el.SelectAttrValue("name", "")}
		var err error
		switch el.Tag {
		case "import", "include":
		case "element":
			l.schema.elements[n], err = l.element(el, n)
		case "complexType":
			l.schema.complex[n], err = l.complexType(el)
		case "simpleType":
			l.schema.simple[n], err = l.simpleType(el)
		default:
			err = unknown(el)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func unknown(el *etree.Element) error {
	return fmt.Errorf("the construct %q is not known here", el.Tag)
}

// qname resolves a prefixed name in an attribute.
func qname(el *etree.Element, value string) name {
	prefix, local, ok := strings.Cut(value, ":")
	if !ok {
		prefix, local = "", value
	}
	for at := el; at != nil; at = at.Parent() {
		for _, a := range at.Attr {
			if a.Space == "xmlns" && a.Key == prefix {
				return name{a.Value, local}
			}
		}
	}
	return name{"", local}
}

func (l *loader) element(el *etree.Element, n name) (*element, error) {
	if ref := el.SelectAttrValue("ref", ""); ref != "" {
		return &element{name: qname(el, ref), ref: true}, nil
	}
	e := &element{name: n}
	if typ := el.SelectAttrValue("type", ""); typ != "" {
		e.typ = qname(el, typ)
		return e, nil
	}
	children := el.ChildElements()
	if len(children) != 1 || children[0].Tag != "complexType" {
		return nil, unknown(el)
	}
	var err error
	e.own, err = l.complexType(children[0])
	return e, err
}

func (l *loader) complexType(el *etree.Element) (*complexType, error) {
	t := &complexType{attributes: map[string]string{}}
	for _, child := range el.ChildElements() {
		fixed := child.SelectAttrValue("fixed", "")
		switch {
		case child.Tag == "attribute" && fixed != "" && child.SelectAttrValue("use", "") == "required":
			t.attributes[child.SelectAttrValue("name", "")] = fixed
		case t.model == nil:
			var err error
			if t.model, err = l.particle(child); err != nil {
				return nil, err
			}
		default:
			return nil, unknown(child)
		}
	}
	if t.model == nil {
		return nil, unknown(el)
	}
	return t, nil
}

func (l *loader) particle(el *etree.Element) (*particle, error) {
	p := &particle{}
	var err1, err2 error
	p.min, err1 = strconv.Atoi(el.SelectAttrValue("minOccurs", "1"))
	p.max, err2 = strconv.Atoi(el.SelectAttrValue("maxOccurs", "1"))
	if err1 != nil || err2 != nil {
		return nil, unknown(el)
	}
	switch el.Tag {
	case "element":
		var err error
		p.element, err = l.element(el, name{l.target, el.SelectAttrValue("name", "")})
		return p, err
	case "choice":
		p.choice = true
	case "sequence":
	default:
		return nil, unknown(el)
	}
	for _, child := range el.ChildElements() {
		part, err := l.particle(child)
		if err != nil {
			return nil, err
		}
		p.parts = append(p.parts, part)
	}
	return p, nil
}

// resolve checks that every name that is used is declared.
func (s *Schema) resolve() error {
	for n, t := range s.complex {
		if err := s.resolveParticle(t.model); err != nil {
			return fmt.Errorf("xsd: type %s: %w", n.local, err)
		}
	}
	for n, e := range s.elements {
		if err := s.resolveElement(e); err != nil {
			return fmt.Errorf("xsd: element %s: %w", n.local, err)
		}
	}
	return nil
}

func (s *Schema) resolveParticle(p *particle) error {
	if p.element != nil {
		return s.resolveElement(p.element)
	}
	for _, part := range p.parts {
		if err := s.resolveParticle(part); err != nil {
			return err
		}
	}
	return nil
}

func (s *Schema) resolveElement(e *element) error {
	_, complexKnown := s.complex[e.typ]
	_, simpleKnown := s.simple[e.typ]
	switch {
	case e.own != nil:
		return s.resolveParticle(e.own.model)
	case e.ref && s.elements[e.name] != nil, complexKnown, simpleKnown, e.typ.space == Namespace && builtin(e.typ.local) != nil:
		return nil
	default:
		return fmt.Errorf("the name %q is not declared", e.typ.local+e.name.local)
	}
}
