package ivdossier

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/einmal-hub/einmal/contracts/strict"
	"github.com/einmal-hub/einmal/mocks/core"
)

// written is one name of a form with what stands beside it.
type written struct{ name, text string }

// page is a form that is being filled in.
type page []written

// put fills a field in, unless it was left empty.
func (p *page) put(name, text string) {
	if text != "" {
		*p = append(*p, written{name, text})
	}
}

// day writes a day, given as YYYY-MM-DD.
func (p *page) day(name, on string) {
	if t, err := time.Parse(time.DateOnly, on); err == nil {
		p.put(name, t.Format("02.01.2006"))
	}
}

func (p *page) flag(name string, v bool) {
	p.put(name, map[bool]string{true: "Ja", false: "Nein"}[v])
}

// word chooses from a list. What is not in it is left out, and the desk refuses the form.
func (p *page) word(name, canonical string, list map[string]string) { p.put(name, list[canonical]) }

func (p *page) amount(name string, cents int64) {
	p.put(name, fmt.Sprintf("%d.%02d", cents/100, cents%100))
}

// employee fills an employee in, unless there is none.
func (p *page) employee(name string, c *core.Contact) {
	if c != nil {
		p.put(name+".Name", c.Name)
		p.put(name+".Telefon", c.Phone)
		p.put(name+".E-Mail", c.Email)
	}
}

// content turns a page into a content: names with dots become objects, names with numbers items of lists.
func (p *page) content() ([]byte, error) {
	root := map[string]any{}
	for _, w := range *p {
		at := root
		steps := strings.Split(w.name, ".")
		for _, s := range steps[:len(steps)-1] {
			name, rest, many := strings.Cut(s, "[")
			if !many {
				at = object(at, name)
				continue
			}
			n, err := strconv.Atoi(strings.TrimSuffix(rest, "]"))
			if err != nil {
				return nil, fmt.Errorf("the name %s: %w", w.name, err)
			}
			items, _ := at[name].([]any)
			for len(items) < n {
				items = append(items, map[string]any{})
			}
			at[name] = items
			at, _ = items[n-1].(map[string]any)
		}
		at[steps[len(steps)-1]] = w.text
	}
	return json.Marshal(root, json.Deterministic(true))
}

func object(in map[string]any, name string) map[string]any {
	o, there := in[name].(map[string]any)
	if !there {
		o = map[string]any{}
		in[name] = o
	}
	return o
}

// pageOf lists the values of a content, sorted by name.
func pageOf(body []byte) (page, error) {
	var root map[string]any
	if err := strict.JSON(body, &root); err != nil {
		return nil, err
	}
	var p page
	err := p.spread("", root)
	slices.SortFunc(p, byName)
	return p, err
}

func byName(a, b written) int { return strings.Compare(a.name, b.name) }

func (p *page) spread(name string, v any) error {
	switch v := v.(type) {
	case string:
		*p = append(*p, written{name, v})
	case map[string]any:
		for key, member := range v {
			if err := p.spread(strings.TrimPrefix(name+"."+key, "."), member); err != nil {
				return err
			}
		}
	case []any:
		for i, item := range v {
			if err := p.spread(fmt.Sprintf("%s[%d]", name, i+1), item); err != nil {
				return err
			}
		}
	default:
		return errors.New("a content holds texts only")
	}
	return nil
}

func (p page) text(name string) string {
	for _, w := range p {
		if w.name == name {
			return w.text
		}
	}
	return ""
}
