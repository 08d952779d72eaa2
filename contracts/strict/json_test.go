package strict_test

import (
	"math"
	"strings"
	"testing"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/personal"
	"github.com/einmal-hub/einmal/contracts/strict"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/stretchr/testify/require"
)

type document struct {
	AHV    personal.AHV `json:"ahv"`
	Number int64        `json:"number"`
	Nested *document    `json:"nested"`
	List   []document   `json:"list"`
}

func TestJSONRefusesWhatTwoReadersCouldReadDifferently(t *testing.T) {
	deep := strings.Repeat(`{"nested":`, 64) + `{}` + strings.Repeat(`}`, 64)
	for name, test := range map[string]struct{ body, code, path string }{
		"repeated name":                {`{"number":1,"number":2}`, "malformed-json", "/number"},
		"name in another case":         {`{"AHV":"7569217076985"}`, "malformed-json", "/AHV"},
		"name that folds to another":   {`{"liſt":[]}`, "malformed-json", "/liſt"},
		"unknown name":                 {`{"surprise":1}`, "malformed-json", "/surprise"},
		"unknown name below":           {`{"list":[{},{"x":1}]}`, "malformed-json", "/list/1/x"},
		"second document":              {`{}{}`, "malformed-json", ""},
		"text after the document":      {`{} x`, "malformed-json", ""},
		"invalid UTF-8":                {"{\"ahv\":\"\xff\"}", "malformed-json", ""},
		"invalid UTF-8 in a name":      {"{\"\xff\":1}", "malformed-json", ""},
		"lone surrogate":               {`{"ahv":"\ud800"}`, "malformed-json", ""},
		"AHV number as a number":       {`{"ahv":7569217076985}`, "malformed-json", "/ahv"},
		"AHV number with zero width":   {"{\"ahv\":\"756921\u200b7076985\"}", "ahv-format", "/ahv"},
		"AHV number, wrong digit":      {`{"ahv":"7569217076984"}`, "ahv-check-digit", "/ahv"},
		"exponent out of range":        {`{"number":1e400}`, "malformed-json", "/number"},
		"fraction for a whole number":  {`{"number":1.5}`, "malformed-json", "/number"},
		"NaN":                          {`{"number":NaN}`, "malformed-json", ""},
		"null document":                {` null `, "null-document", ""},
		"array for an object":          {`[]`, "malformed-json", ""},
		"string for an object":         {`"x"`, "malformed-json", ""},
		"65 levels":                    {deep, "too-deep", ""},
		"10001 levels":                 {strings.Repeat(`[`, 10001), "too-deep", ""},
		"byte order mark":              {"\ufeff{}", "malformed-json", ""},
		"more than 1 MiB":              {`{"ahv":"` + strings.Repeat("1", strict.MaxBytes) + `"}`, "too-large", ""},
		"empty":                        {``, "malformed-json", ""},
		"only blanks":                  {" \n", "malformed-json", ""},
		"comment":                      {`{/* */}`, "malformed-json", ""},
		"trailing comma":               {`{"number":1,}`, "malformed-json", ""},
		"single quotes":                {`{'number':1}`, "malformed-json", ""},
		"truncated":                    {`{"number":1`, "malformed-json", ""},
		"control character in a value": {"{\"ahv\":\"\n\"}", "malformed-json", ""},
	} {
		t.Run(name, func(t *testing.T) {
			err := strict.JSON([]byte(test.body), &document{})
			require.Error(t, err)
			require.Equal(t, fault.Park, fault.KindOf(err))
			require.Equal(t, test.code, fault.CodeOf(err))
			if test.path != "" {
				require.ErrorContains(t, err, test.path)
			}
		})
	}
}

func TestJSONKeepsWholeNumbersExact(t *testing.T) {
	var d document
	require.NoError(t, strict.JSON([]byte(`{"number":9007199254740993}`), &d))
	require.Equal(t, int64(1<<53+1), d.Number)
	require.NoError(t, strict.JSON([]byte(`{"number":-9223372036854775808}`), &d))
	require.Equal(t, int64(math.MinInt64), d.Number)
}

func TestJSONTakes64Levels(t *testing.T) {
	require.NoError(t, strict.JSON([]byte(strings.Repeat(`{"nested":`, 63)+`{}`+strings.Repeat(`}`, 63)), &document{}))
}

func TestErrorsNameThePlaceButNeverTheValue(t *testing.T) {
	for _, body := range []string{
		`{"number":"Canary-Muster"}`, `{"ahv":"Canary-Muster"}`, `{"list":["Canary-Muster"]}`, `{"number":1}Canary-Muster`, `"Canary-Muster"`,
	} {
		err := strict.JSON([]byte(body), &document{})
		require.Error(t, err)
		require.NotContains(t, err.Error(), "Canary")
	}
	_, err := strict.XML([]byte(`<a><b c="Canary-Muster" c="Canary">Canary</b></a>`))
	require.ErrorContains(t, err, "/a")
	require.NotContains(t, err.Error(), "Canary")
}

func TestPlacesMadeOfForeignNamesAreBounded(t *testing.T) {
	long := strings.Repeat("ü", 5000)
	err := strict.JSON([]byte(`{"`+long+`":1}`), &document{})
	require.Less(t, len(err.Error()), 500)
	_, err = strict.XML([]byte("<" + long + "><a>"))
	require.Less(t, len(err.Error()), 500)
}

func FuzzJSON(f *testing.F) {
	for _, seed := range []string{`{}`, `{"number":1,"list":[{"ahv":"7569217076985"}]}`, `{"a":1,"a":2}`, `null`, "\ufeff{}", `{"ahv":"\ud800"}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var d document
		if strict.JSON(b, &d) != nil {
			return
		}
		require.True(t, jsontext.Value(b).IsValid(), "what is accepted is valid JSON without repeated names")
		require.Equal(t, jsontext.Kind('{'), jsontext.Value(b).Kind())
	})
}
