package table

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
)

// translation carries the values of one document to the other side.
type translation struct {
	*walk
	message *message
	to      side
	target  *node
	outside Outside
}

// carry reads a document of one side and returns the document of the other. Every finding has a path of the document that was read.
func (m *message) carry(from *node, to side, repeats bool, outside Outside) (*node, fault.Findings) {
	t := &translation{walk: newWalk(1-to, repeats), message: m, to: to, target: &node{kind: object}, outside: outside}
	t.read(m.shapes[t.side], from)
	for _, f := range m.fields {
		t.field(f)
	}
	return t.target, t.findings
}

func (t *translation) field(f *field) {
	values := t.values[f]
	switch {
	case f.Drop:
	case f.constant != nil && f.stands(t.to):
		for _, at := range t.occurrences(f) {
			t.target.put(f.paths[t.to], at, f.constant)
		}
	case f.constant != nil:
		t.compare(f, values)
	case f.Outside != "" && t.to == nativeSide:
		t.fromOutside(f)
	default:
		for _, v := range values {
			t.value(f, v)
		}
	}
}

func (t *translation) value(f *field, v value) {
	if v.node.kind != t.kindOf(f, t.side) {
		t.findings.Add(v.path, "wrong-type", "the value has another JSON type than its contract says", "")
		return
	}
	convert := f.rule.read
	if t.to == nativeSide {
		convert = f.rule.write
	}
	s, p := convert(f, v.node.text)
	if p != nil {
		t.findings.Add(v.path, p.code, p.text, p.next)
		return
	}
	if f.Outside != "" {
		t.outside[f.Outside] = append(t.outside[f.Outside], s)
		return
	}
	t.target.put(f.paths[t.to], v.at, &node{kind: t.kindOf(f, t.to), text: s})
}

// kindOf is how a value of the field is written on a side. In XML everything is text.
func (t *translation) kindOf(f *field, s side) kind {
	switch {
	case s == canonicalSide:
		return f.class.canonicalKind()
	case f.format == formatXML:
		return text
	default:
		return f.rule.native
	}
}

// compare demands that a constant of the document read has its value.
func (t *translation) compare(f *field, values []value) {
	for _, v := range values {
		if v.node.text != f.constant.text || v.node.kind != f.constant.kind && !t.repeats {
			t.findings.Add(v.path, "unexpected-constant", "the value is not the one that the table expects here", "find out what it means and add it to the table")
		}
	}
}

// fromOutside writes values that stand beside the payload. In a list every value is an item.
func (t *translation) fromOutside(f *field) {
	given := t.outside[f.Outside]
	lists := f.paths[nativeSide].lists()
	if len(given) == 0 && !f.Row.Optional || lists == 0 && len(given) > 1 || lists > 1 {
		t.findings.Add(f.Native, "outside", "the value beside the payload is missing or given more than once", "this is a mistake of the mapping, not of the record")
		return
	}
	for i, s := range given {
		s, p := f.rule.write(f, s)
		if p != nil {
			t.findings.Add(f.Native, p.code, p.text, p.next)
			continue
		}
		t.target.put(f.paths[nativeSide], []int{i}[:lists], &node{kind: t.kindOf(f, nativeSide), text: s})
	}
}

// occurrences lists where a constant is written: once, or with every occurrence of its list or optional group.
func (t *translation) occurrences(f *field) [][]int {
	group, items := f.optional(), f.paths[t.to].upToList().String()
	depth := f.paths[t.to].lists()
	if group == nil && depth == 0 {
		return [][]int{nil}
	}
	var all [][]int
	for _, beside := range t.message.fields {
		if group != nil && !slices.Contains(beside.uses, group) || depth > 0 && beside.paths[t.to].upToList().String() != items {
			continue
		}
		for _, v := range t.values[beside] {
			if at := v.at[:depth]; !slices.ContainsFunc(all, func(have []int) bool { return slices.Equal(have, at) }) {
				all = append(all, at)
			}
		}
	}
	return all
}

// payload turns a canonical document into the message's type. A finding of the decoder names a canonical path; the reader of a native record
// knows only native ones.
func (m *message) payload(n *node) (handover.Payload, error) {
	b, err := encodeJSON(n)
	if err != nil {
		return nil, fault.New(fault.Park, "table.encode", "malformed-text", "a text of the record is not valid Unicode")
	}
	p, err := handover.DecodePayload(m.name, b)
	var findings fault.Findings
	if !errors.As(err, &findings) {
		return p, err
	}
	for i := range findings {
		findings[i].Path = m.nativePath(findings[i].Path)
	}
	return nil, findings
}

// nativePath finds the native place of a canonical one; what has none keeps its name.
func (m *message) nativePath(canonical string) string {
	var indexes []int
	var pattern strings.Builder
	for i, part := range strings.Split(canonical, "[") {
		if digits, rest, ok := strings.Cut(part, "]"); i > 0 && ok {
			n, _ := strconv.Atoi(digits)
			indexes, part = append(indexes, n), "[]"+rest
		}
		pattern.WriteString(part)
	}
	for _, f := range m.fields {
		if f.Canonical == pattern.String() && f.Native != "" {
			return f.paths[nativeSide].at(indexes)
		}
		if strings.HasPrefix(f.Canonical, pattern.String()+"[]") && f.Native != "" {
			return strings.TrimSuffix(f.paths[nativeSide].upToList().String(), "[]")
		}
	}
	return canonical
}
