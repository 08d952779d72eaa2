package strict_test

import (
	"strings"
	"testing"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/strict"
	"github.com/stretchr/testify/require"
)

// menu has every kind of field.
type menu struct {
	shared `yaml:",inline"`
	Name   string            `yaml:"name"`
	Words  map[string]string `yaml:"words"`
	Dishes []dish            `yaml:"dishes"`
	Day    handover.Date     `yaml:"day"`
	Note   *dish             `yaml:"note"`
	Hidden string            `yaml:"-"`
}

type dish struct {
	Name  string `yaml:"name"`
	Price int    `yaml:"price"`
	Hot   bool   `yaml:"hot"`
}

type shared struct {
	Place string `yaml:"place"`
}

func TestYAML_ReadsWhatItsTypeSays(t *testing.T) {
	var m menu
	d := strict.YAML("menu.yaml", []byte("place: NO\nname: 2025\nwords: {de: ja, fr: oui}\nday: 2026-03-02\ndishes:\n  - {name: soup, price: 9, hot: true}\n  - name: bread\nnote: {name: x}\n"), &m)
	require.Empty(t, d.Findings())
	require.True(t, d.Read())
	require.Equal(t, menu{
		shared: shared{Place: "NO"}, Name: "2025", Words: map[string]string{"de": "ja", "fr": "oui"}, Day: "2026-03-02",
		Dishes: []dish{{Name: "soup", Price: 9, Hot: true}, {Name: "bread"}}, Note: &dish{Name: "x"},
	}, m)
	require.Equal(t, 7, d.Line("dishes[1]"))
	require.Equal(t, 7, d.Line("dishes[1].price"), "the line of the nearest parent")
	require.Equal(t, 1, d.Line("nothing"))
}

func TestYAML_FindsEveryMistakeWithItsPlace(t *testing.T) {
	for name, c := range map[string]struct {
		text, path, code string
		line             int
	}{
		"unknown name":       {"name: a\nnome: b\n", "nome", "unknown-name", 2},
		"unknown name below": {"dishes:\n  - {name: a, cost: 1}\n", "dishes[0].cost", "unknown-name", 2},
		"name without tag":   {"Hidden: x\n", "Hidden", "unknown-name", 1},
		"name twice":         {"name: a\nname: b\n", "name", "repeated", 2},
		"list for a text":    {"name: [a]\n", "name", "wrong-type", 1},
		"text for a list":    {"dishes: soup\n", "dishes", "wrong-type", 1},
		"text for a group":   {"dishes: [soup]\n", "dishes[0]", "wrong-type", 1},
		"group for a day":    {"day: {a: b}\n", "day", "wrong-type", 1},
		"text for a number":  {"dishes:\n  - {price: much}\n", "dishes[0].price", "wrong-type", 2},
		"fraction":           {"dishes:\n  - {price: 1.5}\n", "dishes[0].price", "wrong-type", 2},
		"number too large":   {"dishes:\n  - {price: 99999999999999999999}\n", "dishes[0].price", "wrong-type", 2},
		"yes for true":       {"dishes:\n  - {hot: yes}\n", "dishes[0].hot", "wrong-type", 2},
		"no such day":        {"day: 2026-02-30\n", "day", "date-format", 1},
		"nothing":            {"name:\n", "name", "missing", 1},
		"alias":              {"name: &a b\nplace: *a\n", "place", "alias", 2},
		"merge":              {"dishes:\n  - <<: {name: a}\n", "dishes[0].<<", "unknown-name", 2},
		"list as a document": {"- a\n", "", "wrong-type", 1},
		"two documents":      {"name: a\n---\nname: b\n", "", "two-documents", 2},
		"no YAML":            {"name: [a\n", "", "malformed", 1},
		"no YAML at the end": {"name: a\n...\n: : [\n", "", "malformed", 1},
		"empty":              {"", "", "malformed", 1},
		"too large":          {strings.Repeat("#", 1<<20+1), "", "too-large", 1},
	} {
		t.Run(name, func(t *testing.T) {
			var m menu
			d := strict.YAML("menu.yaml", []byte(c.text), &m)
			found := d.Findings()
			require.NotEmpty(t, found)
			last := found[len(found)-1]
			require.Equal(t, []any{"menu.yaml", c.path, c.code}, []any{last.File, last.Path, last.Code})
			require.GreaterOrEqual(t, last.Line, c.line)
		})
	}
}

// One mistake does not hide others, nor what is right.
func TestYAML_ReportsAllAndDecodesTheRest(t *testing.T) {
	var m menu
	d := strict.YAML("menu.yaml", []byte("name: a\nday: never\ndishes:\n  - {price: x}\n  - [b]\n  - {name: c, cost: 2, price: 3}\nplace: p\n"), &m)
	d.Report("dishes[2].name", "bad-dish", "nobody likes it", "")
	var codes []string
	for _, f := range d.Findings() {
		codes = append(codes, f.Code)
	}
	require.Equal(t, []string{"date-format", "wrong-type", "wrong-type", "unknown-name", "bad-dish"}, codes)
	require.Equal(t, menu{shared: shared{Place: "p"}, Name: "a", Dishes: []dish{{}, {}, {Name: "c", Price: 3}}}, m)
}

func FuzzYAML(f *testing.F) {
	f.Add([]byte("name: a\ndishes: [{name: b, price: 1}]\n"))
	f.Add([]byte("a: &x [*x]\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var m menu
		for _, found := range strict.YAML("f", b, &m).Findings() {
			require.NotEqual(t, fault.Finding{}, found)
			require.Positive(t, found.Line)
		}
	})
}
