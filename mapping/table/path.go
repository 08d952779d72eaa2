package table

import (
	"strconv"
	"strings"
	"unicode"
)

// segment is one step of a path: a member, or every item of a list member.
type segment struct {
	name string
	list bool
}

// path leads from the root of a document to a value.
type path []segment

// parsePath reads "a.b[].c". In XML documents a name may have a prefix ("e44:vn"), and the last one may be an attribute ("@unit").
func parsePath(s string, xml bool) (path, bool) {
	var p path
	for part := range strings.SplitSeq(s, ".") {
		name, list := strings.CutSuffix(part, "[]")
		p = append(p, segment{name: name, list: list})
	}
	for i, step := range p {
		name := step.name
		if attribute, ok := strings.CutPrefix(name, "@"); ok && xml && i == len(p)-1 && !step.list {
			name = attribute
		}
		if prefix, local, ok := strings.Cut(name, ":"); ok && xml && validName(prefix) {
			name = local
		}
		if !validName(name) {
			return nil, false
		}
	}
	return p, true
}

// validName allows letters of every script, digits, hyphen and underscore, and no digit or hyphen first.
func validName(s string) bool {
	for i, r := range s {
		if !unicode.IsLetter(r) && r != '_' && (i == 0 || !unicode.IsDigit(r) && r != '-') {
			return false
		}
	}
	return s != ""
}

// String returns the path as it stands in the table.
func (p path) String() string { return p.render(func(int) string { return "[]" }) }

// at returns the path of one value, with the index of every list.
func (p path) at(indexes []int) string {
	return p.render(func(list int) string { return "[" + strconv.Itoa(indexes[list]) + "]" })
}

func (p path) render(index func(list int) string) string {
	var b strings.Builder
	lists := 0
	for i, s := range p {
		if i > 0 {
			b.WriteByte('.')
		}
		b.WriteString(s.name)
		if s.list {
			b.WriteString(index(lists))
			lists++
		}
	}
	return b.String()
}

// lists counts the lists that the path goes through.
func (p path) lists() int {
	n := 0
	for _, s := range p {
		if s.list {
			n++
		}
	}
	return n
}

// upToList returns the path to the items of the innermost list, or nil.
func (p path) upToList() path {
	for i := len(p) - 1; i >= 0; i-- {
		if p[i].list {
			return p[:i+1]
		}
	}
	return nil
}

// join puts a prefix before a path; either may be empty.
func join(prefix, rest string) string {
	if prefix == "" || rest == "" {
		return prefix + rest
	}
	return prefix + "." + rest
}
