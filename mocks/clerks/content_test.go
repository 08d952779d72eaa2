package clerks_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/mocks/clerks"
)

func TestCompareJSON_SaysWhereContentsDiffer(t *testing.T) {
	for name, c := range map[string]struct {
		want, got string
		differ    []string
	}{
		"same":        {`{"a":1.50,"b":{"c":"x"},"e":""}`, `{"b":{"c":"x"},"a":1.5,"d":null}`, nil},
		"moments":     {`{"a":"2026-03-01T09:00:00+01:00"}`, `{"a":"2026-03-01T08:00:00Z"}`, nil},
		"text":        {`{"a":[{"b":"x"}]}`, `{"a":[{"b":"y"}]}`, []string{".a[0].b"}},
		"missing":     {`{"a":"x","b":true}`, `{"a":"x"}`, []string{".b"}},
		"surplus":     {`{}`, `{"b":false}`, []string{".b"}},
		"unreadable":  {`{}`, `{`, []string{"the content is not readable"}},
		"form broken": {`{`, `{}`, []string{"the form's own content"}},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.differ, clerks.CompareJSON("internal").Differ([]byte(c.want), []byte(c.got)))
		})
	}
}

func TestCompareXML_SaysWhereContentsDiffer(t *testing.T) {
	compare := clerks.CompareXML("header").Differ
	a := []byte(`<n:a xmlns:n="urn:x"><n:header><n:id>1</n:id></n:header><n:b k="v">x</n:b><n:b>y</n:b></n:a>`)
	require.Empty(t, compare(a, []byte(`<a xmlns="urn:x"><header><id>2</id></header> <b k="v">x</b><b>y</b><c/></a>`)))
	require.Equal(t, []string{"/b[1]/@k", "/b[2]"}, compare(a, []byte(`<a xmlns="urn:x"><b k="w">x</b><b>z</b></a>`)))
}

func FuzzCompare(f *testing.F) {
	f.Add([]byte(`{"a":[1,"b",null]}`))
	f.Add([]byte(`<a b="c"><d>e</d></a>`))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, c := range []clerks.Leaves{clerks.CompareJSON(), clerks.CompareXML()} {
			if d := c.Differ(b, b); len(d) > 0 {
				require.Equal(t, []string{"the form's own content"}, d)
			}
		}
	})
}
