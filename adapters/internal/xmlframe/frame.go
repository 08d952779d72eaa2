// Package xmlframe takes the frame of an XML wire format apart: the elements of one parent in the order of the contract, each with the value that it may
// have, and nothing beside them. The content in a frame is cut out and handed on unread. It is for adapters whose answers went through [strict.XML].
//
// Rejected: decoding into structs with encoding/xml, which accepts wrapped, repeated and reordered elements and reads other values than etree.
package xmlframe

import (
	"slices"
	"sort"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/beevik/etree"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/strict"
)

// Frame reads the children of one element in the order of the contract. The first thing that is wrong ends the reading; Done tells. Errors are of kind Park
// and name the place, never a value.
type Frame struct {
	of    *etree.Element
	space string
	rest  []*etree.Element
	err   error
}

// Read begins to read an element whose children are of a namespace. The element has no attributes beside declarations of namespaces and those named.
func Read(el *etree.Element, namespace string, attributes ...string) *Frame {
	return &Frame{of: el, space: namespace, rest: el.ChildElements(), err: Plain(el, attributes...)}
}

// Lenient begins to read an element whatever attributes it has.
func Lenient(el *etree.Element, namespace string) *Frame {
	return &Frame{of: el, space: namespace, rest: el.ChildElements()}
}

// Err returns what was wrong so far.
func (f *Frame) Err() error { return f.err }

// Plain refuses attributes other than declarations of namespaces, hints where a schema lies, and those named; text beside elements is refused by the gate already.
func Plain(el *etree.Element, attributes ...string) error {
	for _, a := range el.Attr {
		if !declares(a) && a.NamespaceURI() != instance && (a.Space != "" || !slices.Contains(attributes, a.Key)) {
			return Broken("attribute", "an element of the frame has an attribute").At(strict.PathOf(el))
		}
	}
	return nil
}

// instance is the namespace of hints to schemas, which are never followed.
const instance = "http://www.w3.org/2001/XMLSchema-instance"

func declares(a etree.Attr) bool { return a.Space == "xmlns" || (a.Space == "" && a.Key == "xmlns") }

// Next takes the next child if it has that name.
func (f *Frame) Next(name string) *etree.Element {
	if f.err != nil || len(f.rest) == 0 || !strict.Is(f.rest[0], f.space, name) {
		return nil
	}
	el := f.rest[0]
	f.rest = f.rest[1:]
	return el
}

// Element takes a child that must be there.
func (f *Frame) Element(name string) *etree.Element {
	el := f.Next(name)
	if el == nil && f.err == nil {
		f.err = Broken("missing-element", "an element of the frame is missing or stands in another place").At(strict.PathOf(f.of) + "/" + name)
	}
	return el
}

// Text returns the value of a child that must be there: 1 to 200 characters. Narrower limits of the contract are the native system's own.
func (f *Frame) Text(name string) string { return f.value(f.Element(name)) }

// Optional returns the value of a child, or "" if it is not there.
func (f *Frame) Optional(name string) string { return f.value(f.Next(name)) }

func (f *Frame) value(el *etree.Element) string {
	if el == nil || f.err != nil {
		return ""
	}
	s, err := strict.Text(el)
	switch {
	case err != nil:
		f.err = err
	case s == "" || utf8.RuneCountInString(s) > 200:
		f.err = Broken("length", "a value of the frame is empty or too long").At(strict.PathOf(el))
	default:
		f.err = Plain(el)
	}
	return s
}

// Number returns an unsigned number as the contract writes it: digits without sign, blank or leading zero.
func (f *Frame) Number(name string) uint64 {
	s := f.Text(name)
	n, err := strconv.ParseUint(s, 10, 63)
	if f.err == nil && (err != nil || strconv.FormatUint(n, 10) != s) {
		f.err = Broken("number", "a value of the frame is not a number").At(strict.PathOf(f.of) + "/" + name)
	}
	return n
}

// Flag returns a boolean as XML Schema writes it.
func (f *Frame) Flag(name string) bool {
	switch s := f.Text(name); {
	case s == "true" || s == "1":
		return true
	case f.err == nil && s != "false" && s != "0":
		f.err = Broken("boolean", "a value of the frame is neither true nor false").At(strict.PathOf(f.of) + "/" + name)
	}
	return false
}

// Moment returns a time; the offset from UTC is mandatory.
func (f *Frame) Moment(name string) time.Time {
	s := f.Text(name)
	t, err := time.Parse(time.RFC3339Nano, s)
	if f.err == nil && err != nil {
		f.err = Broken("moment", "a value of the frame is not a moment with an offset").At(strict.PathOf(f.of) + "/" + name)
	}
	return t.UTC()
}

// Done returns what was wrong; a child that nobody took is wrong too.
func (f *Frame) Done() error {
	if f.err == nil && len(f.rest) > 0 {
		return Unexpected(f.rest[0])
	}
	return f.err
}

// Unexpected reports an element that the contract does not have at its place.
func Unexpected(el *etree.Element) error {
	return Broken("unexpected-element", "an element stands where the contract has another one or none").At(strict.PathOf(el))
}

// Broken makes an error about a frame.
func Broken(code, text string) *fault.Error { return fault.New(fault.Park, "xml.frame", code, text) }

// Detach returns an element as a document of its own: with the namespaces that were declared around it, as far as it uses them.
func Detach(el *etree.Element) ([]byte, error) {
	own := el.Copy()
	used := map[string]bool{}
	collect(own, used)
	prefixes := make([]string, 0, len(used))
	for p := range used {
		prefixes = append(prefixes, p)
	}
	sort.Strings(prefixes)
	for _, p := range prefixes {
		declare(own, p, inherited(el.Parent(), p))
	}
	doc := etree.NewDocument()
	doc.WriteSettings = Canonical()
	doc.SetRoot(own)
	return doc.WriteToBytes()
}

// collect notes the prefixes that an element and its descendants use.
func collect(el *etree.Element, used map[string]bool) {
	used[el.Space] = true
	for _, a := range el.Attr {
		if !declares(a) && a.Space != "" {
			used[a.Space] = true
		}
	}
	for child := range el.ChildElementsSeq() {
		collect(child, used)
	}
}

// inherited returns what a prefix means in an element, "" when it is not bound.
func inherited(el *etree.Element, prefix string) string {
	for ; el != nil; el = el.Parent() {
		if uri, ok := declared(el, prefix); ok {
			return uri
		}
	}
	return ""
}

func declared(el *etree.Element, prefix string) (string, bool) {
	for _, a := range el.Attr {
		if (prefix == "" && a.Space == "" && a.Key == "xmlns") || (prefix != "" && a.Space == "xmlns" && a.Key == prefix) {
			return a.Value, true
		}
	}
	return "", false
}

// declare binds a prefix in el unless el does so itself.
func declare(el *etree.Element, prefix, uri string) {
	if _, own := declared(el, prefix); own || uri == "" {
		return
	}
	name := "xmlns"
	if prefix != "" {
		name += ":" + prefix
	}
	el.CreateAttr(name, uri)
}

// Canonical makes etree write a carriage return as a reference; as a plain character it would not survive the next reading.
func Canonical() etree.WriteSettings {
	return etree.WriteSettings{CanonicalText: true, CanonicalAttrVal: true}
}

// Only returns the single child element; anything beside it is refused.
func Only(el *etree.Element) (*etree.Element, error) {
	children := el.ChildElements()
	if len(children) != 1 {
		return nil, fault.New(fault.Park, "xml.frame", "structure", "an element holds more or less than the one element of the contract").At(strict.PathOf(el))
	}
	return children[0], Plain(el)
}
