package handover_test

import (
	"bytes"
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/personal"
	"github.com/stretchr/testify/require"
)

func TestCatalogueNamesEachMessageOnce(t *testing.T) {
	seen := map[handover.Name]bool{}
	for _, p := range handover.Catalogue() {
		require.False(t, seen[p.Name()])
		seen[p.Name()] = true
		require.Equal(t, strings.ToLower(string(p.Name())), string(p.Name()))
		require.Equal(t, "ch.optima.handover."+string(p.Name())+".v1", p.Name().Type())
		require.Equal(t, p.Name() == "application-submitted", handover.Opens(p.Name()))
	}
	require.Len(t, seen, 22)
}

func TestExamplesAreValidAndComplete(t *testing.T) {
	for _, zero := range handover.Catalogue() {
		p := example(t, zero.Name())
		require.NoError(t, p.Validate(), zero.Name())
		requireFilled(t, string(zero.Name()), reflect.ValueOf(p))
	}
}

// requireFilled demands that the example leaves out no optional member, so that the other tests reach it.
func requireFilled(t *testing.T, path string, v reflect.Value) {
	t.Helper()
	for v.Kind() == reflect.Pointer {
		require.False(t, v.IsNil(), path)
		v = v.Elem()
	}
	if _, leaf := v.Interface().(encoding.TextMarshaler); leaf || v.Kind() != reflect.Struct {
		require.True(t, !v.IsZero() || v.Kind() == reflect.Bool, path)
		return
	}
	for i := range v.NumField() {
		requireFilled(t, path+"."+v.Type().Field(i).Name, v.Field(i))
	}
}

func TestPayloadRoundTrip(t *testing.T) {
	for _, zero := range handover.Catalogue() {
		p := example(t, zero.Name())
		b, err := handover.EncodePayload(p)
		require.NoError(t, err)
		var want, got bytes.Buffer
		require.NoError(t, json.Compact(&want, exampleJSON(t, zero.Name())))
		require.NoError(t, json.Compact(&got, b))
		require.JSONEq(t, want.String(), got.String())
		back, err := handover.DecodePayload(zero.Name(), b)
		require.NoError(t, err)
		require.Equal(t, p, back)
		require.Equal(t, reflect.TypeOf(zero), reflect.TypeOf(back), "a value, not a pointer")
	}
}

func TestEncodePayloadReportsWhatCannotBeJSON(t *testing.T) {
	_, err := handover.EncodePayload(handover.ConsentWithdrawn{Remark: "secret \xff"})
	require.Equal(t, fault.Park, fault.KindOf(err))
	require.NotContains(t, err.Error(), "secret")
}

func TestDecodePayloadIsStrict(t *testing.T) {
	const good = `{"decision":"ACCEPTED","decidedOn":"2026-03-16","contact":{"name":"Dora"},"remark":"x"}`
	for name, test := range map[string]struct{ body, path, code string }{
		"unknown member":            {`{"decision":"ACCEPTED","decidedOn":"2026-03-16","decidedBy":"x"}`, "/decidedBy", "malformed-json"},
		"unknown member below":      {`{"decision":"ACCEPTED","decidedOn":"2026-03-16","contact":{"name":"D","mobile":"1"}}`, "/contact/mobile", "malformed-json"},
		"member in other case":      {`{"Decision":"ACCEPTED","decidedOn":"2026-03-16"}`, "/Decision", "malformed-json"},
		"member twice":              {`{"decision":"ACCEPTED","decision":"REJECTED","decidedOn":"2026-03-16"}`, "/decision", "malformed-json"},
		"member missing":            {`{"decision":"ACCEPTED"}`, "decidedOn", "missing"},
		"member missing below":      {`{"decision":"ACCEPTED","decidedOn":"2026-03-16","contact":{}}`, "contact.name", "missing"},
		"null for a member":         {`{"decision":"ACCEPTED","decidedOn":null}`, "decidedOn", "null"},
		"null for an optional":      {`{"decision":"ACCEPTED","decidedOn":"2026-03-16","remark":null}`, "remark", "null"},
		"null for an optional part": {`{"decision":"ACCEPTED","decidedOn":"2026-03-16","contact":null}`, "contact", "null"},
		"number for text":           {`{"decision":1,"decidedOn":"2026-03-16"}`, "/decision", "malformed-json"},
		"text for a part":           {`{"decision":"ACCEPTED","decidedOn":"2026-03-16","contact":"Dora"}`, "/contact", "malformed-json"},
		"day that does not exist":   {`{"decision":"ACCEPTED","decidedOn":"2026-02-30"}`, "/decidedOn", "date-format"},
		"invalid UTF-8":             {"{\"decision\":\"ACCEPTED\",\"decidedOn\":\"2026-03-16\",\"remark\":\"\xff\"}", "", "malformed-json"},
		"something after":           {good + `{}`, "", "malformed-json"},
		"cut off":                   {good[:40], "", "malformed-json"},
		"array":                     {`[]`, "", "malformed-json"},
		"null":                      {`null`, "", "null-document"},
		"nothing":                   {``, "", "malformed-json"},
		"too large":                 {`{"remark":"` + strings.Repeat("x", 1<<20) + `"}`, "", "too-large"},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := handover.DecodePayload("application-decided", []byte(test.body))
			require.Nil(t, p)
			require.Equal(t, fault.Park, fault.KindOf(err))
			require.Equal(t, test.code, fault.CodeOf(err))
			require.ErrorContains(t, err, test.path)
		})
	}
	_, err := handover.DecodePayload("application-decided", []byte(good))
	require.NoError(t, err)
}

func TestDecodePayloadTakesNoNoThatNobodySaid(t *testing.T) {
	_, err := handover.DecodePayload("review-meeting-recorded",
		[]byte(`{"heldOn":"2026-07-01","participants":[{"name":"A","part":"PERSON"},{"name":"B","part":"OTHER","agreed":null}]}`))
	var fs fault.Findings
	require.ErrorAs(t, err, &fs)
	require.Equal(t, []string{"participants[0].agreed missing", "participants[1].agreed null", "continue missing"}, short(fs))
}

func TestDecodePayloadRefusesUnknownMessages(t *testing.T) {
	for _, n := range []handover.Name{"", "application", "Application-Submitted", "application-submitted.v1"} {
		_, err := handover.DecodePayload(n, []byte(`{}`))
		require.Equal(t, "unknown-message", fault.CodeOf(err))
		require.Equal(t, fault.Park, fault.KindOf(err))
	}
}

func TestDecodePayloadErrorsHoldNoValue(t *testing.T) {
	body := strings.Replace(string(exampleJSON(t, "application-submitted")), "7561234567897", "7561234567890", 1)
	_, err := handover.DecodePayload("application-submitted", []byte(body))
	require.Equal(t, "ahv-check-digit", fault.CodeOf(err))
	require.ErrorContains(t, err, "/person/ahv")
	require.NotContains(t, err.Error(), "756123")
}

// short renders findings as "path code".
func short(fs fault.Findings) []string {
	var lines []string
	for _, f := range fs {
		lines = append(lines, f.Path+" "+f.Code)
	}
	return lines
}

func TestPrintedMessagesShowNobody(t *testing.T) {
	for _, zero := range handover.Catalogue() {
		p := example(t, zero.Name())
		m := handover.Message{Envelope: handover.Envelope{Name: p.Name()}, Payload: p}
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
			for _, v := range []any{p, m, &m, []handover.Payload{p}} {
				requireNobody(t, fmt.Sprintf(verb, v))
			}
		}
		b, err := json.Marshal(m)
		require.NoError(t, err)
		requireNobody(t, string(b))
	}
}

func requireNobody(t *testing.T, output string) {
	t.Helper()
	for _, value := range []string{"7561234567897", "Müller", "Anna", "1984", "6010", "Bahnhof", "Sörensen", "Égli", "example.ch", "555 01", "Zweite", "Vollmacht", "Arbeitsvertrag", "Ablehnung"} {
		require.NotContains(t, output, value)
	}
}

func TestPrintedDeclarationsShowNoAnswer(t *testing.T) {
	p := exampleOf[handover.ApplicationSubmitted](t)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		for _, v := range []any{p, &p, p.Declarations, p.Declarations[0]} {
			require.NotContains(t, fmt.Sprintf(verb, v), "WORK")
			require.NotContains(t, fmt.Sprintf(verb, v), "2024-05-31")
		}
	}
	require.Equal(t, "***", p.Declarations[0].LogValue().String())
}

func TestPrintedDocumentsAndFindingsShowNothing(t *testing.T) {
	p, f := exampleOf[handover.ApplicationSubmitted](t), exampleOf[handover.ApplicationChecked](t)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d"} {
		for _, v := range []any{p, p.Documents, p.Documents[0], &p.Documents[0], f, f.Findings, f.Findings[0]} {
			for _, part := range []string{"pdf", p.Documents[0].SHA256, fmt.Sprint(p.Documents[0].Size), "REFUSE", "OTHER"} {
				require.NotContains(t, fmt.Sprintf(verb, v), part)
			}
		}
	}
	require.Equal(t, "***", p.Documents[0].LogValue().String())
	require.Equal(t, "***", f.Findings[0].LogValue().String())
}

func TestDocumentsOfAMessageAreFound(t *testing.T) {
	with := 0
	for _, zero := range handover.Catalogue() {
		p := example(t, zero.Name())
		field := reflect.ValueOf(p).FieldByName("Documents")
		if !field.IsValid() {
			require.Nil(t, handover.DocumentsOf(p), zero.Name())
			continue
		}
		with++
		require.NotEmpty(t, handover.DocumentsOf(p), zero.Name())
		require.Equal(t, field.Interface(), handover.DocumentsOf(p), zero.Name())
		require.Nil(t, handover.DocumentsOf(zero))
	}
	require.Equal(t, 7, with)
}

func TestPersonalStructsBehindPointersMaskThemselves(t *testing.T) {
	for _, p := range handover.Catalogue() {
		requireFormatters(t, reflect.TypeOf(p))
	}
}

func requireFormatters(t *testing.T, typ reflect.Type) {
	t.Helper()
	switch typ.Kind() {
	case reflect.Pointer:
		require.True(t, typ.Implements(reflect.TypeFor[fmt.Formatter]()), typ)
		requireFormatters(t, typ.Elem())
	case reflect.Slice:
		requireFormatters(t, typ.Elem())
	case reflect.Struct:
		if typ == reflect.TypeFor[handover.Declaration]() || typ == reflect.TypeFor[handover.Document]() || typ == reflect.TypeFor[handover.RuleFinding]() {
			require.True(t, typ.Implements(reflect.TypeFor[fmt.Formatter]()), "it masks everything in it")
			return
		}
		if typ == reflect.TypeFor[handover.Instant]() || typ.PkgPath() == reflect.TypeFor[personal.AHV]().PkgPath() {
			return
		}
		for f := range typ.Fields() {
			requireFormatters(t, f.Type)
		}
	default:
	}
}

func FuzzDecodePayload(f *testing.F) {
	for i, zero := range handover.Catalogue() {
		f.Add(i, exampleJSON(f, zero.Name()))
	}
	f.Add(0, []byte(`null`))
	f.Fuzz(func(t *testing.T, which int, b []byte) {
		all := handover.Catalogue()
		n := all[uint(which)%uint(len(all))].Name()
		p, err := handover.DecodePayload(n, b)
		if err != nil {
			require.Equal(t, fault.Park, fault.KindOf(err))
			return
		}
		_ = p.Validate()
		again, err := handover.EncodePayload(p)
		require.NoError(t, err)
		back, err := handover.DecodePayload(n, again)
		require.NoError(t, err)
		require.Equal(t, p, back)
	})
}
