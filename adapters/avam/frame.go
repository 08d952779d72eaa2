package avam

import (
	"sort"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/beevik/etree"
	"github.com/einmal-hub/einmal/contracts/fault"
	contract "github.com/einmal-hub/einmal/contracts/native/avam"
	"github.com/einmal-hub/einmal/contracts/strict"
)

// frame reads the children of one element in the order of the contract. The first thing that is wrong ends the reading; done tells.
type frame struct {
	of   *etree.Element
	rest []*etree.Element
	err  error
}

func readFrame(el *etree.Element) *frame {
	return &frame{of: el, rest: el.ChildElements(), err: plain(el)}
}

// plain refuses attributes other than namespace declarations, and text beside elements is refused by the gate already.
func plain(el *etree.Element) error {
	for _, a := range el.Attr {
		if !declares(a) {
			return broken("attribute", "an element of the frame has an attribute").At(strict.PathOf(el))
		}
	}
	return nil
}

func declares(a etree.Attr) bool { return a.Space == "xmlns" || (a.Space == "" && a.Key == "xmlns") }

// next takes the next child if it has that name.
func (f *frame) next(name string) *etree.Element {
	if f.err != nil || len(f.rest) == 0 || !strict.Is(f.rest[0], contract.Namespace, name) {
		return nil
	}
	el := f.rest[0]
	f.rest = f.rest[1:]
	return el
}

// element takes a child that must be there.
func (f *frame) element(name string) *etree.Element {
	el := f.next(name)
	if el == nil && f.err == nil {
		f.err = broken("missing-element", "an element of the frame is missing or stands in another place").At(strict.PathOf(f.of) + "/" + name)
	}
	return el
}

// text returns the value of a child that must be there: 1 to 200 characters. Narrower limits of the contract are the native system's own.
func (f *frame) text(name string) string { return f.value(f.element(name)) }

// optional returns the value of a child, or "" if it is not there.
func (f *frame) optional(name string) string { return f.value(f.next(name)) }

func (f *frame) value(el *etree.Element) string {
	if el == nil || f.err != nil {
		return ""
	}
	s, err := strict.Text(el)
	switch {
	case err != nil:
		f.err = err
	case s == "" || utf8.RuneCountInString(s) > 200:
		f.err = broken("length", "a value of the frame is empty or too long").At(strict.PathOf(el))
	default:
		f.err = plain(el)
	}
	return s
}

// number returns an unsigned number as the contract writes it: digits without sign, blank or leading zero.
func (f *frame) number(name string) uint64 {
	s := f.text(name)
	n, err := strconv.ParseUint(s, 10, 63)
	if f.err == nil && (err != nil || strconv.FormatUint(n, 10) != s) {
		f.err = broken("number", "a value of the frame is not a number").At(strict.PathOf(f.of) + "/" + name)
	}
	return n
}

func (f *frame) flag(name string) bool {
	switch s := f.text(name); {
	case s == "true" || s == "1":
		return true
	case f.err == nil && s != "false" && s != "0":
		f.err = broken("boolean", "a value of the frame is neither true nor false").At(strict.PathOf(f.of) + "/" + name)
	}
	return false
}

// moment returns a time; the offset from UTC is mandatory.
func (f *frame) moment(name string) time.Time {
	s := f.text(name)
	t, err := time.Parse(time.RFC3339Nano, s)
	if f.err == nil && err != nil {
		f.err = broken("moment", "a value of the frame is not a moment with an offset").At(strict.PathOf(f.of) + "/" + name)
	}
	return t.UTC()
}

// done returns what was wrong; a child that nobody took is wrong too.
func (f *frame) done() error {
	if f.err == nil && len(f.rest) > 0 {
		return unexpected(f.rest[0])
	}
	return f.err
}

func unexpected(el *etree.Element) error {
	return broken("unexpected-element", "an element stands where the contract has another one or none").At(strict.PathOf(el))
}

func broken(code, text string) *fault.Error { return fault.New(fault.Park, "avam.frame", code, text) }

// detach returns an element as a document of its own: with the namespaces that were declared around it, as far as it uses them.
func detach(el *etree.Element) ([]byte, error) {
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
	doc.WriteSettings = canonical()
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
