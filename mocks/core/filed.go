package core

import (
	"bytes"
	"encoding/binary"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
)

// filed is an entry as the store holds it. What was read back keeps its content as it stands in the journal, until somebody asks for it: mocks are killed every few
// seconds in tests that last an hour, and would do nothing but decode what nobody reads.
type filed struct {
	Entry        // its Body is nil while raw holds the content
	raw   []byte // the inside of a JSON string
}

// entry returns the entry with its content.
func (f filed) entry() Entry {
	if f.Body == nil {
		f.Body = unescape(f.raw)
	}
	return f.Entry
}

// contains reports whether the content holds the text; escaped is the text as it would stand in a journal. What is found there may begin in the middle of an escape, so
// that it is looked for once more in the content.
func (f filed) contains(text, escaped []byte) bool {
	return (f.Body != nil || bytes.Contains(f.raw, escaped)) && bytes.Contains(f.entry().Body, text)
}

// bodyBegins is where the head of a line ends, in the form that appendLine writes.
const bodyBegins = `,"body":"`

// parseLine reads one journal line. One in the form that appendLine writes is read at a tenth of the cost of a JSON decoder; whatever is of another form is left to that.
func parseLine(b []byte) (filed, error) {
	if at := bytes.Index(b, []byte(bodyBegins)); at >= 0 && bytes.HasSuffix(b[at:], []byte(`"}`)) && len(b)-at >= len(bodyBegins)+2 {
		raw := b[at+len(bodyBegins) : len(b)-2]
		if e, ok := readHead(string(b[:at])); ok && plainContent(raw) {
			return filed{Entry: e, raw: raw}, nil
		}
	}
	e, err := decodeLine(b)
	return filed{Entry: e}, err
}

// plainContent reports whether b is the inside of a JSON string that has no other escapes than those of two characters that appendLine writes. So every content has one way
// to stand in a journal, and can be looked for there.
func plainContent(b []byte) bool {
	for i := 0; i < len(b); {
		switch c := b[i]; {
		case i+8 <= len(b) && harmless(binary.LittleEndian.Uint64(b[i:])):
			i += 8
		case c == '\\':
			if i+1 == len(b) || strings.IndexByte(`"\bfnrt`, b[i+1]) < 0 {
				return false
			}
			i += 2
		case c == '"', c < ' ':
			return false
		case c < utf8.RuneSelf:
			i++
		default:
			r, size := utf8.DecodeRune(b[i:])
			if r == utf8.RuneError && size == 1 {
				return false
			}
			i += size
		}
	}
	return true
}

// harmless reports whether none of eight bytes is a quote, a backslash, a control character or beyond ASCII. It looks at all of them at once, because the contents are nearly all of a journal: taking n from
// every byte sets the top bit of those that are smaller than n, and a byte that is made zero is smaller than 1. A borrow only makes it answer no too often.
func harmless(eight uint64) bool {
	const each = 0x0101010101010101
	quote, backslash := eight^(each*'"'), eight^(each*'\\')
	return (eight|(eight-each*' ')|(quote-each)|(backslash-each))&(each*0x80) == 0
}

// unescape returns what a text stands for that plainContent takes.
func unescape(raw []byte) []byte {
	b := make([]byte, 0, len(raw))
	for {
		at := bytes.IndexByte(raw, '\\')
		if at < 0 {
			return append(b, raw...)
		}
		b = append(b, raw[:at]...)
		c := raw[at+1]
		if i := strings.IndexByte("bfnrt", c); i >= 0 {
			c = "\b\f\n\r\t"[i]
		}
		b, raw = append(b, c), raw[at+2:]
	}
}

// readHead reads a line up to its content: the members that appendLine writes, in its order, as plain ASCII. ok is false for any other form.
func readHead(text string) (e Entry, ok bool) {
	h := head{rest: text, ok: true}
	e.Number = h.number(`{"number":`)
	e.ID = native.RecordID(h.text(`,"id":`))
	e.Case = native.CaseKey(h.text(`,"case":`))
	e.Sequence = h.number(`,"sequence":`)
	e.Kind = native.Kind(h.text(`,"kind":`))
	e.Organisation = handover.OrganisationID(h.text(`,"organisation":`))
	e.Dossier = handover.OrganisationID(h.text(`,"dossier":`))
	e.CaseReference = handover.CaseID(h.text(`,"caseReference":`))
	e.Reference = native.Reference(h.text(`,"reference":`))
	if h.next(`,"action":`) {
		e.Action = handover.Action(h.text(`,"action":`))
	}
	if h.next(`,"refers":`) {
		e.Refers = native.RecordID(h.text(`,"refers":`))
	}
	if h.next(`,"documents":[`) {
		e.Documents = append(e.Documents, h.text(`,"documents":[`))
		for h.next(`,"`) {
			e.Documents = append(e.Documents, h.text(`,`))
		}
		h.literal(`]`)
	}
	e.By = h.text(`,"by":`)
	e.At = h.time(`,"at":`)
	return e, h.ok && h.rest == ""
}

// head is the beginning of a line that is being read. The first thing that is not as expected makes ok false.
type head struct {
	rest string
	ok   bool
}

// next reports whether a text comes next.
func (h *head) next(text string) bool { return h.ok && strings.HasPrefix(h.rest, text) }

// literal reads a text that must come next.
func (h *head) literal(text string) {
	var there bool
	h.rest, there = strings.CutPrefix(h.rest, text)
	h.ok = h.ok && there
}

// text reads a name and a string without escapes.
func (h *head) text(name string) string {
	h.literal(name)
	h.literal(`"`)
	for i := 0; h.ok && i < len(h.rest); i++ {
		c := h.rest[i]
		if c == '"' {
			text := h.rest[:i]
			h.rest = h.rest[i+1:]
			return text
		}
		if c < ' ' || c == '\\' || c >= utf8.RuneSelf {
			break
		}
	}
	h.ok = false
	return ""
}

// number reads a name and a number as JSON writes it.
func (h *head) number(name string) uint64 {
	h.literal(name)
	end := 0
	for end < len(h.rest) && h.rest[end] >= '0' && h.rest[end] <= '9' {
		end++
	}
	n, err := strconv.ParseUint(h.rest[:end], 10, 64)
	h.ok = h.ok && err == nil && (end == 1 || h.rest[0] != '0')
	h.rest = h.rest[end:]
	return n
}

// time reads a name and an instant.
func (h *head) time(name string) (t time.Time) {
	text := h.text(name)
	h.ok = h.ok && t.UnmarshalText([]byte(text)) == nil
	return t
}
