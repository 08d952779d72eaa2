package clerks

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/beevik/etree"
	"github.com/go-json-experiment/json"

	"github.com/einmal-hub/einmal/contracts/strict"
)

// Leaves reads a content of a native system: the texts that it says, by their place.
type Leaves func(body []byte) (map[string]string, error)

// Differ returns the places where two contents say different things; it never returns what they say.
func (l Leaves) Differ(want, got []byte) []string {
	w, err := l(want)
	if err != nil {
		return []string{"the form's own content"}
	}
	g, err := l(got)
	if err != nil {
		return []string{"the content is not readable"}
	}
	var differ []string
	for path, text := range w {
		if g[path] != text {
			differ = append(differ, path)
		}
	}
	for path := range g {
		if _, ok := w[path]; !ok {
			differ = append(differ, path)
		}
	}
	slices.Sort(differ)
	return differ
}

// CompareJSON compares JSON contents by what they say: the order of members and the way of writing a number or a moment do not count, and a member
// that is null or empty is the same as none. Members with an ignored name are left out with all that is in them.
func CompareJSON(ignored ...string) Leaves {
	return func(b []byte) (map[string]string, error) { return jsonLeaves(b, ignored) }
}

// CompareXML compares XML contents by elements, attributes and texts, whatever the prefixes. Elements with an ignored name are left out with
// all that is in them.
func CompareXML(ignored ...string) Leaves {
	return func(b []byte) (map[string]string, error) {
		root, err := strict.XML(b)
		if err != nil {
			return nil, err
		}
		leaves := map[string]string{}
		xmlLeaves(leaves, "", root, ignored)
		return leaves, nil
	}
}

func jsonLeaves(b []byte, ignored []string) (map[string]string, error) {
	var v any
	if err := json.Unmarshal(b, &v); err != nil {
		return nil, fmt.Errorf("read a content: %w", err)
	}
	leaves := map[string]string{}
	flatten(leaves, "", v, ignored)
	return leaves, nil
}

func flatten(leaves map[string]string, path string, v any, ignored []string) {
	switch v := v.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if !slices.Contains(ignored, name) {
				flatten(leaves, path+"."+name, v[name], ignored)
			}
		}
	case []any:
		for i, e := range v {
			flatten(leaves, fmt.Sprintf("%s[%d]", path, i), e, ignored)
		}
	case string:
		leaf(leaves, path, v)
	case float64:
		leaf(leaves, path, strconv.FormatFloat(v, 'g', -1, 64))
	case bool:
		leaf(leaves, path, strconv.FormatBool(v))
	}
}

func xmlLeaves(leaves map[string]string, path string, el *etree.Element, ignored []string) {
	if slices.Contains(ignored, el.Tag) {
		return
	}
	for _, a := range el.Attr {
		if a.Space != "xmlns" && a.Key != "xmlns" {
			leaf(leaves, path+"/@"+a.Key, a.Value)
		}
	}
	children := el.ChildElements()
	if len(children) == 0 {
		leaf(leaves, path, el.Text())
	}
	seen := map[string]int{}
	for _, c := range children {
		seen[c.Tag]++
		xmlLeaves(leaves, fmt.Sprintf("%s/%s[%d]", path, c.Tag, seen[c.Tag]), c, ignored)
	}
}

// leaf notes a text; moments count in UTC, empty texts not at all.
func leaf(leaves map[string]string, path, text string) {
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		text = at.UTC().Format(time.RFC3339)
	}
	if text = strings.TrimSpace(text); text != "" {
		leaves[path] = text
	}
}
