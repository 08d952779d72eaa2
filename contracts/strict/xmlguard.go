package strict

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/einmal-hub/einmal/contracts/fault"
)

// guard walks the raw tokens of a document once, before etree builds a tree of it: etree and encoding/xml accept several
// roots, document types, unbound prefixes and repeated attributes, and do not agree on the text of an element that holds a comment.
type guard struct {
	tokens   *xml.Decoder
	first    bool // no token was read before this one
	rooted   bool // the root element was opened
	elements int
	open     []frame
}

// frame is one open element.
type frame struct {
	name     xml.Name // Space is the prefix
	text     bool     // holds text other than white space
	children bool
	comment  bool
	scope    scope
}

// guardXML checks everything that [XML] promises.
func guardXML(b []byte) error {
	if err := guardBytes(b); err != nil {
		return err
	}
	g := &guard{tokens: xml.NewDecoder(bytes.NewReader(b)), first: true}
	g.tokens.CharsetReader = func(string, io.Reader) (io.Reader, error) {
		return nil, refuseXML("encoding", "the document is not declared as UTF-8")
	}
	for {
		token, err := g.tokens.RawToken()
		if errors.Is(err, io.EOF) {
			return g.end()
		}
		if err != nil {
			return g.malformed(err)
		}
		if err := g.token(token); err != nil {
			return err.At(g.path())
		}
		g.first = false
	}
}

// guardBytes checks what needs no structure: size, encoding, control characters.
func guardBytes(b []byte) error {
	switch {
	case len(b) > MaxBytes:
		return refuseXML("too-large", "the document is larger than 1 MiB")
	case bytes.HasPrefix(b, []byte("\xef\xbb\xbf")):
		return refuseXML("byte-order-mark", "the document starts with a byte order mark")
	case !utf8.Valid(b):
		return refuseXML("encoding", "the document is not UTF-8")
	case bytes.ContainsFunc(b, func(r rune) bool { return r < ' ' && r != '\t' && r != '\n' && r != '\r' }):
		return refuseXML("control-characters", "the document holds control characters")
	}
	return nil
}

func (g *guard) malformed(err error) error {
	var known *fault.Error
	if errors.As(err, &known) {
		return known
	}
	return refuseXML("malformed-xml", "the document is not well-formed XML 1.0").At(g.path())
}

func (g *guard) token(token xml.Token) *fault.Error {
	switch t := token.(type) {
	case xml.StartElement:
		return g.start(t)
	case xml.EndElement:
		return g.close(t.Name)
	case xml.CharData:
		return g.text(t)
	case xml.Comment:
		if len(g.open) > 0 {
			g.top().comment = true
		}
	case xml.ProcInst:
		return g.instruction(t)
	case xml.Directive:
		return refuseXML("document-type", "the document holds a document type or another directive")
	}
	return nil
}

func (g *guard) top() *frame { return &g.open[len(g.open)-1] }

func (g *guard) start(t xml.StartElement) *fault.Error {
	g.elements++
	switch {
	case len(g.open) == 0 && g.rooted:
		return refuseXML("second-root", "the document has more than one root element")
	case len(g.open) >= MaxDepth:
		return refuseXML("too-deep", "the document is nested deeper than 64 elements")
	case g.elements > MaxElements:
		return refuseXML("too-many-elements", "the document has more than 50000 elements")
	}
	outer := scope(nil)
	if g.rooted {
		g.top().children = true
		outer = g.top().scope
	}
	g.rooted = true
	inner, err := enter(outer, t)
	if err != nil {
		return err
	}
	g.open = append(g.open, frame{name: t.Name, scope: inner})
	return nil
}

func (g *guard) close(name xml.Name) *fault.Error {
	if len(g.open) == 0 || g.top().name != name {
		return refuseXML("malformed-xml", "an end tag does not match its start tag")
	}
	switch f := g.top(); {
	case f.text && f.children:
		return refuseXML("mixed-content", "an element holds text beside elements")
	case f.comment && !f.children:
		return refuseXML("comment-in-value", "a comment stands inside a value")
	}
	g.open = g.open[:len(g.open)-1]
	return nil
}

func (g *guard) text(t xml.CharData) *fault.Error {
	if len(bytes.Trim(t, " \t\r\n")) == 0 {
		return nil
	}
	if len(g.open) == 0 {
		return refuseXML("text-outside-root", "text stands outside the root element")
	}
	g.top().text = true
	return nil
}

// instruction allows nothing but the XML declaration at the very beginning.
func (g *guard) instruction(t xml.ProcInst) *fault.Error {
	if t.Target != "xml" || !g.first {
		return refuseXML("processing-instruction", "the document holds a processing instruction")
	}
	return declaration(string(t.Inst))
}

func (g *guard) end() error {
	switch {
	case !g.rooted:
		return refuseXML("no-root", "the document has no root element")
	case len(g.open) > 0:
		return refuseXML("malformed-xml", "the document ends in the middle").At(g.path())
	}
	return nil
}

// path names the open elements.
func (g *guard) path() string {
	var b strings.Builder
	for _, f := range g.open {
		b.WriteString("/" + f.name.Local)
	}
	return clip(b.String())
}
