package mappingtest

import (
	"fmt"
	"strings"

	"github.com/beevik/etree"
	"github.com/go-json-experiment/json"
)

// document is a native content that a test changes: the one place where the formats differ.
type document interface {
	// objects counts the places where a field can be added.
	objects() int
	// add puts an unknown field into one of them.
	add(object int)
	// set writes a value at a path of the table, in the first item of every list, making what is not there.
	set(path, value string, quoted bool) error
	// has reports whether something stands at a path.
	has(path string) bool
	bytes() ([]byte, error)
}

// open reads a content of a format ("json" or "xml").
func open(format string, namespaces map[string]string, body []byte) (document, error) {
	if format == "xml" {
		doc := etree.NewDocument()
		if err := doc.ReadFromBytes(body); err != nil {
			return nil, fmt.Errorf("read the content: %w", err)
		}
		doc.WriteSettings = etree.WriteSettings{CanonicalText: true, CanonicalAttrVal: true}
		return &xmlDocument{doc: doc, namespaces: namespaces}, nil
	}
	var root map[string]any
	if err := json.Unmarshal(body, &root); err != nil {
		return nil, fmt.Errorf("read the content: %w", err)
	}
	return &jsonDocument{root: root}, nil
}

const unknownField = "einmalUnknown"

// jsonDocument decodes numbers as float64, which is exact for the whole numbers and amounts of tests.
type jsonDocument struct{ root map[string]any }

func (d *jsonDocument) all() []map[string]any {
	var found []map[string]any
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			found = append(found, v)
			for _, name := range sortedNames(v) {
				walk(v[name])
			}
		case []any:
			for _, item := range v {
				walk(item)
			}
		}
	}
	walk(d.root)
	return found
}

func (d *jsonDocument) objects() int { return len(d.all()) }

func (d *jsonDocument) add(object int) { d.all()[object][unknownField] = "x" }

func (d *jsonDocument) set(path, value string, quoted bool) error {
	at := d.root
	steps := strings.Split(path, ".")
	for _, step := range steps[:len(steps)-1] {
		name, list := strings.CutSuffix(step, "[]")
		next, ok := first(at[name])
		if !ok {
			next = map[string]any{}
			at[name] = any(next)
			if list {
				at[name] = []any{next}
			}
		}
		at = next
	}
	name, list := strings.CutSuffix(steps[len(steps)-1], "[]")
	var v any = value
	if !quoted {
		if err := json.Unmarshal([]byte(value), &v); err != nil {
			return fmt.Errorf("the value %s: %w", value, err)
		}
	}
	at[name] = v
	if list {
		at[name] = []any{v}
	}
	return nil
}

// first returns an object, or the first object of a list.
func first(v any) (map[string]any, bool) {
	if items, ok := v.([]any); ok && len(items) > 0 {
		v = items[0]
	}
	object, ok := v.(map[string]any)
	return object, ok
}

func (d *jsonDocument) has(path string) bool {
	at := d.root
	steps := strings.Split(path, ".")
	for i, step := range steps {
		v, there := at[strings.TrimSuffix(step, "[]")]
		if i == len(steps)-1 || !there {
			return there
		}
		at, there = first(v)
		if !there {
			return false
		}
	}
	return false
}

func (d *jsonDocument) bytes() ([]byte, error) { return json.Marshal(d.root, json.Deterministic(true)) }

// xmlDocument finds elements by namespace, whatever prefix they were written with.
type xmlDocument struct {
	doc        *etree.Document
	namespaces map[string]string
}

func (d *xmlDocument) all() []*etree.Element {
	return append([]*etree.Element{d.doc.Root()}, d.doc.Root().FindElements(".//*")...)
}

// objects counts twice: an unknown element and an unknown attribute can stand everywhere.
func (d *xmlDocument) objects() int { return 2 * len(d.all()) }

func (d *xmlDocument) add(object int) {
	el := d.all()[object/2]
	if object%2 == 0 {
		el.CreateElement(unknownField).SetText("x")
		return
	}
	el.CreateAttr(unknownField, "x")
}

func (d *xmlDocument) set(path, value string, _ bool) error {
	el := d.doc.Root()
	for step := range strings.SplitSeq(strings.ReplaceAll(path, "[]", ""), ".") {
		if attribute, ok := strings.CutPrefix(step, "@"); ok {
			el.CreateAttr(attribute, value)
			return nil
		}
		next := d.child(el, step)
		if next == nil {
			uri, local := d.name(step)
			next = el.CreateElement(local)
			next.CreateAttr("xmlns", uri)
		}
		el = next
	}
	el.SetText(value)
	return nil
}

func (d *xmlDocument) has(path string) bool {
	el := d.doc.Root()
	for step := range strings.SplitSeq(strings.ReplaceAll(path, "[]", ""), ".") {
		if attribute, ok := strings.CutPrefix(step, "@"); ok {
			return el.SelectAttr(attribute) != nil
		}
		if el = d.child(el, step); el == nil {
			return false
		}
	}
	return true
}

func (d *xmlDocument) child(el *etree.Element, step string) *etree.Element {
	uri, local := d.name(step)
	for child := range el.ChildElementsSeq() {
		if child.Tag == local && child.NamespaceURI() == uri {
			return child
		}
	}
	return nil
}

func (d *xmlDocument) name(step string) (uri, local string) {
	if prefix, local, ok := strings.Cut(step, ":"); ok {
		return d.namespaces[prefix], local
	}
	return d.namespaces["default"], step
}

func (d *xmlDocument) bytes() ([]byte, error) { return d.doc.WriteToBytes() }
