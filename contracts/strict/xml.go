package strict

import (
	"strings"

	"github.com/beevik/etree"
	"github.com/einmal-hub/einmal/contracts/fault"
)

// Limits of [XML] beside [MaxBytes]. What agencies exchange stays far below them; what exceeds them is an attack or an accident.
const (
	// MaxDepth is the deepest nesting of a JSON or XML document.
	MaxDepth = 64
	// MaxAttributes is the most attributes that one XML element has, namespace declarations included.
	MaxAttributes = 64
	// MaxElements is the most elements that one XML document has.
	MaxElements = 50_000
)

// XML reads one XML 1.0 document and returns its root element.
//
// It takes UTF-8 without a byte order mark, well-formed and with every prefix bound, and refuses what two readers could
// read differently: a document type, entities of its own, processing instructions, an element that holds text beside
// elements or comments, a repeated attribute, more or less than one root, text outside the root, and documents over the
// limits of this package. CDATA is text. Nothing that the document refers to is ever fetched.
//
// Compare elements with [Is], [Child] and [Children], never by prefix. Errors are of kind Park and name the place as a path
// of local element names, never a value.
func XML(b []byte) (*etree.Element, error) {
	if err := guardXML(b); err != nil {
		return nil, err
	}
	doc := etree.NewDocument()
	doc.ReadSettings.MaxDepth = MaxDepth + 1 // the guard is the one that refuses
	if err := doc.ReadFromBytes(b); err != nil || doc.Root() == nil {
		return nil, refuseXML("malformed-xml", "the document is not well-formed XML 1.0")
	}
	return doc.Root(), nil
}

// Is reports whether el is the named element of a namespace. An empty namespace means that the element is in none.
func Is(el *etree.Element, namespaceURI, local string) bool {
	return el != nil && el.Tag == local && el.NamespaceURI() == namespaceURI
}

// Children returns the child elements of that name, in document order.
func Children(el *etree.Element, namespaceURI, local string) []*etree.Element {
	var found []*etree.Element
	for child := range el.ChildElementsSeq() {
		if Is(child, namespaceURI, local) {
			found = append(found, child)
		}
	}
	return found
}

// Child returns the one child element of that name. It fails with code missing-element when there is none and repeated-element when there
// are several: taking the first or the last of two is how a check and a use come to see different values.
func Child(el *etree.Element, namespaceURI, local string) (*etree.Element, error) {
	found := Children(el, namespaceURI, local)
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return nil, refuseXML("missing-element", "an element of the contract is missing").At(PathOf(el) + "/" + local)
	default:
		return nil, refuseXML("repeated-element", "an element stands more than once where it may stand once").At(PathOf(el) + "/" + local)
	}
}

// Text returns the text of an element that has no child elements, exactly as it stands there. It fails with code element-in-value
// when there are child elements.
func Text(el *etree.Element) (string, error) {
	for range el.ChildElementsSeq() {
		return "", refuseXML("element-in-value", "an element stands where a value is expected").At(PathOf(el))
	}
	return el.Text(), nil
}

// PathOf returns the local names from the root to el: "/Envelope/Body".
func PathOf(el *etree.Element) string {
	var names []string
	for ; el != nil && el.Tag != ""; el = el.Parent() {
		names = append(names, el.Tag)
	}
	var b strings.Builder
	for i := len(names) - 1; i >= 0; i-- {
		b.WriteString("/" + names[i])
	}
	return clip(b.String())
}

func refuseXML(code, text string) *fault.Error {
	return fault.New(fault.Park, "strict.xml", code, text)
}
