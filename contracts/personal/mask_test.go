package personal_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"testing"

	"github.com/einmal-hub/einmal/contracts/personal"
	jsonv2 "github.com/go-json-experiment/json"
	"github.com/stretchr/testify/require"
)

// The values that must not be found in any output.
const (
	secretAHV    = "7569217076985"
	secretName   = "Xaveria"
	secretBirth  = "1984-02-29"
	partOfNumber = "9217"
)

// person is what a careless programmer may print: personal values directly, below pointers, in lists and maps.
type person struct {
	AHV    personal.AHV
	Name   personal.Text
	Birth  personal.Date
	Number *personal.AHV
	Names  []personal.Text
	Dates  map[string]personal.Date
	Inner  struct{ Deep any }
	Nested *below
}

// below stands behind a pointer and therefore masks itself.
type below struct {
	AHV   personal.AHV
	Name  personal.Text
	Birth personal.Date
}

func (below) Format(s fmt.State, _ rune) { personal.WriteMask(s) }

// careless keeps a number and a date where fmt cannot call their formatters.
type careless struct {
	ahv    personal.AHV
	birth  personal.Date
	number *personal.AHV
	dates  []personal.Date
	any    any
}

func secrets(t *testing.T) (personal.AHV, personal.Text, personal.Date) {
	t.Helper()
	ahv, err := personal.ParseAHV(secretAHV)
	require.NoError(t, err)
	birth, err := personal.ParseDate(secretBirth)
	require.NoError(t, err)
	return ahv, secretName, birth
}

func samplePerson(t *testing.T) person {
	t.Helper()
	ahv, name, birth := secrets(t)
	p := person{
		AHV: ahv, Name: name, Birth: birth, Number: &ahv, Names: []personal.Text{name, name},
		Dates: map[string]personal.Date{"birth": birth},
	}
	p.Inner.Deep = []any{ahv, name, &birth}
	p.Nested = &below{AHV: ahv, Name: name, Birth: birth}
	return p
}

func requireMasked(t *testing.T, output string) {
	t.Helper()
	require.NotEmpty(t, output)
	for _, secret := range []string{secretAHV, secretName, secretBirth, partOfNumber, "1984", fmt.Sprintf("%x", secretName)} {
		require.NotContains(t, output, secret)
	}
}

// %p alone is left out: fmt serves it before it asks for a formatter, and go vet refuses it for what is not a pointer.
func TestEveryVerbMasks(t *testing.T) {
	ahv, name, birth := secrets(t)
	p := samplePerson(t)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%b", "%c", "%U", "%e", "%t", "%5.2v", "%-40q", "%z"} {
		for _, v := range []any{ahv, name, birth, &ahv, &name, &birth, p, &p, []any{p}, map[string]any{"p": p}, []personal.AHV{ahv}, [2]personal.Text{name}} {
			requireMasked(t, fmt.Sprintf("x"+verb, v))
		}
	}
	requireMasked(t, fmt.Sprint(ahv, name, birth, p))
	requireMasked(t, fmt.Sprintln(p))
}

func TestEveryVerbMasksWhatFmtReadsByReflection(t *testing.T) {
	ahv, _, birth := secrets(t)
	c := careless{ahv: ahv, birth: birth, number: &ahv, dates: []personal.Date{birth}, any: ahv}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		requireMasked(t, fmt.Sprintf(verb, c))
		requireMasked(t, fmt.Sprintf(verb, &c))
	}
}

func TestMaskShowsThatThereIsSomething(t *testing.T) {
	ahv, name, birth := secrets(t)
	require.Equal(t, "756.***", ahv.String())
	require.Equal(t, "756.***", ahv.GoString())
	require.Equal(t, "756.***", fmt.Sprintf("%d", ahv))
	for _, s := range []string{name.String(), name.GoString(), birth.String(), birth.GoString(), fmt.Sprintf("%q", name)} {
		require.Equal(t, "***", s)
	}
}

func TestErrorsMask(t *testing.T) {
	ahv, name, birth := secrets(t)
	p := samplePerson(t)
	requireMasked(t, fmt.Errorf("%v %s %q: %w", ahv, name, birth, fmt.Errorf("person %+v", p)).Error())
	requireMasked(t, errors.Join(fmt.Errorf("a %v", ahv), fmt.Errorf("b %v", name)).Error())
	_, err := personal.ParseAHV(secretAHV[:12] + "4")
	requireMasked(t, err.Error())
	_, err = personal.ParseDate("x" + secretBirth)
	requireMasked(t, err.Error())
}

func TestLogsMask(t *testing.T) {
	ahv, name, birth := secrets(t)
	p := samplePerson(t)
	var out bytes.Buffer
	for _, handler := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
		log := slog.New(handler)
		log.Info("one", "ahv", ahv, "name", name, "birth", birth, "pointer", &ahv)
		log.Info("whole", "person", p, "list", []any{ahv, name, birth}, slog.Group("g", "ahv", ahv))
		log.With("ahv", ahv).WithGroup("g").Error("error", "err", fmt.Errorf("for %v", p))
	}
	requireMasked(t, out.String())
	require.Contains(t, out.String(), "756.***")
}

func TestOtherEncodersMask(t *testing.T) {
	p := samplePerson(t)
	v1, err := json.Marshal(p)
	require.NoError(t, err)
	requireMasked(t, string(v1))
	v2, err := jsonv2.Marshal(p)
	require.NoError(t, err)
	requireMasked(t, string(v2))
	v1, err = json.Marshal(map[personal.AHV]int{p.AHV: 1})
	require.NoError(t, err)
	requireMasked(t, string(v1))
	type element struct {
		AHV   personal.AHV `xml:"ahv,attr"`
		Name  personal.Text
		Birth personal.Date
	}
	x, err := xml.Marshal(element{p.AHV, p.Name, p.Birth})
	require.NoError(t, err)
	requireMasked(t, string(x))
}

func TestOnlyRevealedJSONCarriesTheValues(t *testing.T) {
	p := samplePerson(t)
	b, err := jsonv2.Marshal(p, personal.Revealed())
	require.NoError(t, err)
	for _, secret := range []string{secretAHV, secretName, secretBirth} {
		require.Contains(t, string(b), secret)
	}
	var back person
	require.NoError(t, jsonv2.Unmarshal(b, &back))
	require.Equal(t, p.Nested, back.Nested)
	require.Equal(t, p.Names, back.Names)
	require.Equal(t, secretName, back.Name.Reveal())
}

func TestMaskIsNotReadBackAsAValue(t *testing.T) {
	p := samplePerson(t)
	masked, err := jsonv2.Marshal(p)
	require.NoError(t, err)
	require.Error(t, jsonv2.Unmarshal(masked, &person{}))
}
