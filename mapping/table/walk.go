package table

import (
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/einmal-hub/einmal/contracts/fault"
)

// value is one value found in a document.
type value struct {
	at   []int // the index of every list on the way
	path string
	node *node
}

// walk reads a document along the shape of its message. It collects every value, and a finding for everything that the shape does not know.
type walk struct {
	side     side
	repeats  bool // lists are repeated members, as in XML
	values   map[*field][]value
	missing  []absence
	present  map[presence]bool
	findings fault.Findings
}

// absence is a required value that is not there. It counts unless its optional group is absent as a whole.
type absence struct {
	field *field
	at    []int
	path  string
}

// presence is one occurrence of a group.
type presence struct {
	use *use
	at  string
}

func newWalk(s side, repeats bool) *walk {
	return &walk{side: s, repeats: repeats, values: map[*field][]value{}, present: map[presence]bool{}}
}

// read walks a whole document and reports what is missing from it.
func (w *walk) read(s *shape, n *node) {
	if n.kind != object && !w.bare(n) {
		w.findings.Add("", "not-an-object", "the content is not an object with named values", "")
		return
	}
	w.object(s, n, "", nil)
	for _, a := range w.missing {
		if u := a.field.optional(); u != nil && !w.present[occurrence(u, a.at)] {
			continue
		}
		w.findings.Add(a.path, "missing", "the value is missing", "fill it in where the record was entered")
	}
}

func occurrence(u *use, at []int) presence {
	return presence{use: u, at: fmt.Sprint(at[:min(u.lists, len(at))])}
}

func (w *walk) object(s *shape, n *node, path string, at []int) {
	seen := map[*shape]int{}
	for _, m := range n.members {
		c := s.child(m.name)
		here := join(path, clipped(m.name))
		switch {
		case c == nil:
			w.unknown(here)
			continue
		case c.list && w.repeats:
			w.item(c, m.node, here, at, seen[c])
		case c.list:
			w.list(c, m.node, here, at)
		case seen[c] > 0:
			w.findings.Add(here, "repeated-element", "the element stands more than once where it may stand once", "")
		default:
			w.value(c, m.node, here, at)
		}
		seen[c]++
	}
	for _, c := range s.children {
		if seen[c] == 0 {
			w.absent(c, join(path, c.name), at)
		}
	}
}

func (w *walk) unknown(path string) {
	w.findings.Add(path, "unknown-field", "the table has no row for this field, so its meaning is not known",
		"add a row to the table that maps the field or drops it on purpose")
}

// clipped bounds a name that comes from outside.
func clipped(name string) string {
	if utf8.RuneCountInString(name) <= 80 {
		return name
	}
	return string([]rune(name)[:80]) + "..."
}

func (w *walk) list(c *shape, n *node, path string, at []int) {
	if n.empty() {
		return
	}
	if n.kind != list {
		w.findings.Add(path, "not-a-list", "one value stands where a list is expected", "")
		return
	}
	for i, item := range n.items {
		w.item(c, item, path, at, i)
	}
}

// item reads one item of a list. An item that says nothing is a finding: it would vanish.
func (w *walk) item(c *shape, n *node, path string, at []int, i int) {
	before := w.count()
	path = index(path, i)
	w.value(c, n, path, append(slices.Clone(at), i))
	if w.count() == before {
		w.findings.Add(path, "missing", "the list holds an empty item", "")
	}
}

func (w *walk) count() int {
	n := len(w.findings) + len(w.missing)
	for _, v := range w.values {
		n += len(v)
	}
	return n
}

// bare reports whether a node is an XML element without text and without child elements, which may be an object without members.
func (w *walk) bare(n *node) bool { return w.repeats && n.kind == text && n.text == "" }

func (w *walk) value(c *shape, n *node, path string, at []int) {
	if c.field != nil {
		w.leaf(c, n, path, at)
		return
	}
	switch {
	case n.kind == object, w.bare(n):
		w.object(c, n, path, at)
	case n.empty() && n.kind != list:
		w.absent(c, path, at)
	default:
		w.findings.Add(path, "not-an-object", "a single value or a list stands where an object is expected", "")
	}
}

// leaf takes one value. In XML it may have attributes of its own.
func (w *walk) leaf(c *shape, n *node, path string, at []int) {
	if n.kind == list || n.kind == object && len(n.members) > 0 {
		w.findings.Add(path, "not-a-value", "an object or a list stands where a single value is expected", "")
		return
	}
	if w.repeats {
		w.object(&shape{children: c.children}, &node{members: n.members}, path, at)
	}
	if n.kind == null || n.kind == object || n.kind == text && n.text == "" {
		w.lack(c.field, path, at)
		return
	}
	w.values[c.field] = append(w.values[c.field], value{at: at, path: path, node: n})
	for _, u := range c.field.uses {
		w.present[occurrence(u, at)] = true
	}
}

// absent notes that a shape and everything in it is not there. A list that is not there has no items that could lack something.
func (w *walk) absent(c *shape, path string, at []int) {
	if c.list {
		return
	}
	if c.field != nil {
		w.lack(c.field, path, at)
	}
	for _, child := range c.children {
		w.absent(child, join(path, child.name), at)
	}
}

func (w *walk) lack(f *field, path string, at []int) {
	if f.required(w.side) {
		w.missing = append(w.missing, absence{field: f, at: at, path: path})
	}
}
