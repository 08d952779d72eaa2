package ivdossier

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	contract "github.com/einmal-hub/einmal/contracts/native/ivdossier"
	"github.com/einmal-hub/einmal/contracts/strict"
)

// value is one name of a document with what stands beside it.
type value struct{ path, text string }

var errContent = errors.New("the content is not names with texts")

// flatten lists the values of a content, in its order: objects become dots in the names, items of a list are numbered from 1. A content holds texts only.
func flatten(body []byte) ([]value, error) {
	var checked jsontext.Value
	if err := strict.JSON(body, &checked); err != nil || checked.Kind() != '{' {
		return nil, errContent
	}
	var all []value
	tokens := jsontext.NewDecoder(bytes.NewReader(checked))
	for {
		t, err := tokens.ReadToken()
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, errContent
		}
		kind, _ := tokens.StackIndex(tokens.StackDepth())
		_, position := tokens.StackIndex(tokens.StackDepth())
		switch {
		case t.Kind() == '}' || t.Kind() == ']' || t.Kind() == '{' || t.Kind() == '[':
		case t.Kind() == '"' && kind == '{' && position%2 == 1: // a name
		case t.Kind() == '"' && kind == '{':
			all = append(all, value{path: pathOf(tokens.StackPointer()), text: t.String()})
		default:
			return nil, errContent
		}
	}
}

// pathOf turns a JSON pointer into a name.
func pathOf(p jsontext.Pointer) string {
	var b strings.Builder
	for token := range p.Tokens() {
		if n, err := strconv.Atoi(token); err == nil && b.Len() > 0 {
			b.WriteString("[" + strconv.Itoa(n+1) + "]")
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('.')
		}
		b.WriteString(token)
	}
	return b.String()
}

// step is one part of a name: a member, or an item of one.
type step struct {
	name string
	item int // from 1; 0: no list
}

// stepsOf takes a name apart. Names are those that a mapping table can hold.
func stepsOf(name string) ([]step, bool) {
	var steps []step
	for part := range strings.SplitSeq(name, ".") {
		s := step{name: part}
		if word, digits, many := strings.Cut(part, "["); many {
			digits, closed := strings.CutSuffix(digits, "]")
			n, err := strconv.Atoi(digits)
			if !closed || err != nil || n < 1 || n > mostItems || strconv.Itoa(n) != digits {
				return nil, false
			}
			s = step{name: word, item: n}
		}
		if !isWord(s.name) {
			return nil, false
		}
		steps = append(steps, s)
	}
	return steps, len(steps) <= 8
}

// mostItems is the highest number of an item.
const mostItems = 999

func isWord(s string) bool {
	for i, r := range s {
		if !unicode.IsLetter(r) && r != '_' && (i == 0 || !unicode.IsDigit(r) && r != '-') {
			return false
		}
	}
	return s != "" && utf8.RuneCountInString(s) <= 60
}

// branch is a part of a content that is being put together.
type branch struct {
	name     string
	item     int
	text     string
	leaf     bool
	children []*branch
}

// unflatten puts a content together. Items of a list stand in the order of their numbers; numbers that are left out mean nothing. A name that stands twice, or is a value and a group at once, is
// an error.
func unflatten(values []value) ([]byte, error) {
	root := &branch{}
	for _, v := range values {
		steps, ok := stepsOf(v.path)
		if !ok || !root.put(steps, v.text) {
			return nil, errContent
		}
	}
	var b bytes.Buffer
	if err := root.write(jsontext.NewEncoder(&b)); err != nil {
		return nil, errContent
	}
	return bytes.TrimSpace(b.Bytes()), nil
}

func (b *branch) put(steps []step, text string) bool {
	for i, s := range steps {
		last := i == len(steps)-1
		var next *branch
		for _, c := range b.children {
			if c.name == s.name && (c.item == 0) != (s.item == 0) {
				return false
			}
			if c.name == s.name && c.item == s.item {
				next = c
			}
		}
		switch {
		case next == nil:
			next = &branch{name: s.name, item: s.item, leaf: last, text: text}
			b.children = append(b.children, next)
		case last || next.leaf:
			return false
		}
		if last && s.item > 0 {
			return false // a list holds groups, not values
		}
		b = next
	}
	return true
}

func (b *branch) write(to *jsontext.Encoder) error {
	if b.leaf {
		return to.WriteToken(jsontext.String(b.text))
	}
	err := to.WriteToken(jsontext.BeginObject)
	done := map[string]bool{}
	for _, c := range b.children {
		if done[c.name] {
			continue
		}
		done[c.name] = true
		err = errors.Join(err, to.WriteToken(jsontext.String(c.name)))
		if c.item == 0 {
			err = errors.Join(err, c.write(to))
			continue
		}
		err = errors.Join(err, to.WriteToken(jsontext.BeginArray))
		for _, item := range b.items(c.name) {
			err = errors.Join(err, item.write(to))
		}
		err = errors.Join(err, to.WriteToken(jsontext.EndArray))
	}
	return errors.Join(err, to.WriteToken(jsontext.EndObject))
}

func (b *branch) items(name string) []*branch {
	var items []*branch
	for _, c := range b.children {
		if c.name == name {
			items = append(items, c)
		}
	}
	slices.SortFunc(items, func(a, b *branch) int { return a.item - b.item })
	return items
}

// holdable reports whether a text can stand in a cell and come back the same.
func holdable(s string) bool {
	if !utf8.ValidString(s) || len(utf16.Encode([]rune(s))) > contract.MaxValue {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool {
		return r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF || r == utf8.RuneError
	})
}
