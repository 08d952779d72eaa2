package ivdossier_test

import (
	"flag"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/stretchr/testify/require"
	"golang.org/x/tools/txtar"
	"pgregory.net/rapid"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	contract "github.com/einmal-hub/einmal/contracts/native/ivdossier"
	"github.com/einmal-hub/einmal/mapping"
	"github.com/einmal-hub/einmal/mapping/ivdossier"
	"github.com/einmal-hub/einmal/mapping/mappingtest"
	"github.com/einmal-hub/einmal/mocks/core"
	mock "github.com/einmal-hub/einmal/mocks/ivdossier"
)

var update = flag.Bool("update", false, "write FIELDS.md and the golden files anew")

func mapper(t testing.TB) mapping.Mapper {
	t.Helper()
	m, err := ivdossier.New()
	require.NoError(t, err)
	return m
}

func office(t testing.TB) *mock.Mock {
	t.Helper()
	m, err := mock.New(mock.Options{System: "ivdossier", Folder: t.TempDir()})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, m.Close()) })
	return m
}

func facts(seed uint64) core.Facts {
	f := core.Invent(rand.New(rand.NewPCG(seed, 1))) //nolint:gosec // repeatable
	f.Assigning, f.Receiving = "sd-kriens", "iv-luzern"
	f.MeetingAt = f.MeetingAt.Truncate(time.Minute)
	return f
}

func encoded(t testing.TB, p handover.Payload) string {
	t.Helper()
	b, err := handover.EncodePayload(p)
	require.NoError(t, err)
	return string(b)
}

func message(p handover.Payload) handover.Message {
	return handover.Message{Payload: p, Envelope: handover.Envelope{
		ID: "0195e1a2-3333-7000-8000-00000000000c", Source: "klib", Name: p.Name(), Case: "0195e1a2-0000-7000-8000-000000000001",
		Time: time.Date(2026, 3, 2, 8, 30, 0, 0, time.UTC), Sender: "sd-kriens", Sequence: 1, Action: handover.ActionNew,
	}}
}

var place = mapping.Placement{
	Reference: "0195e1a2-1111-7000-8000-00000000000a", System: "ivdossier", Organisation: "iv-luzern", Role: handover.Receiving, Case: "IV-AAAAAAAAAAAAAAAA",
	Now: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC),
}

func TestFieldsForPeople(t *testing.T) {
	table, err := ivdossier.Table()
	require.NoError(t, err)
	got := table.Markdown()
	if *update {
		require.NoError(t, os.WriteFile("FIELDS.md", []byte(got), 0o600))
	}
	want, err := os.ReadFile("FIELDS.md")
	require.NoError(t, err)
	require.Equal(t, string(want), got)
}

// The forms of the contract and the table ask for the same, field by field, word by word.
func TestTable_HasTheFieldsAndWordsOfTheForms(t *testing.T) {
	table, err := ivdossier.Table()
	require.NoError(t, err)
	forms, err := contract.Load()
	require.NoError(t, err)
	require.Len(t, table.Kinds(), len(forms.Kinds()))
	for _, name := range table.Names() {
		form, known := forms.Kind(table.KindOf(name))
		require.True(t, known, name)
		require.Equal(t, handover.Opens(name), form.Opens)
		var asked []string
		for _, row := range table.Rows(name) {
			field, known := form.Field(row.Native)
			require.True(t, known, "%s: %s", form.Code, row.Native)
			asked = append(asked, row.Native)
			if !row.Drop {
				require.Equal(t, row.Max, field.Max, row.Native)
			}
			var words []string
			for _, c := range table.Codes(row.List) {
				words = append(words, c.Native)
			}
			require.ElementsMatch(t, words, forms.List(field.List), row.Native)
			if field.Must && !strings.Contains(row.Native, "[]") {
				require.False(t, row.Optional, row.Native)
			}
		}
		for _, field := range form.Fields {
			require.True(t, slices.Contains(asked, field.Path), "%s: %s", form.Code, field.Path)
		}
	}
}

// The mock's forms are filled in by hand from the contract; that they say the same as the facts is what the mapping is for.
func TestToHandover_EveryFormSaysWhatItsClerkKnew(t *testing.T) {
	m := mapper(t)
	for seed := range uint64(10) {
		f := facts(seed)
		for _, zero := range handover.Catalogue() {
			kind, body := mock.Compose(zero.Name(), f)
			draft, err := m.ToHandover(native.Record{Kind: kind, Organisation: "iv-luzern", Body: body})
			require.NoError(t, err, "%s", body)
			want, err := f.Payload(zero.Name())
			require.NoError(t, err)
			require.Equal(t, encoded(t, want), encoded(t, draft.Payload))
			require.NoError(t, draft.Payload.Validate())
			require.Equal(t, mapping.Draft{Payload: draft.Payload, Sender: "iv-luzern", Action: handover.ActionNew}, draft)
		}
	}
}

// Whatever is a valid message and can be written is what the contract describes.
func TestFromHandover_StaffCanReadEveryValidMessage(t *testing.T) {
	m, o := mapper(t), office(t)
	fields, err := ivdossier.Table()
	require.NoError(t, err)
	for _, zero := range handover.Catalogue() {
		t.Run(string(zero.Name()), func(t *testing.T) {
			rapid.Check(t, func(rt *rapid.T) {
				e, err := m.FromHandover(message(mappingtest.Payload(zero.Name(), fields).Draw(rt, "payload")), place)
				require.NoError(rt, err)
				require.NoError(rt, o.Validate(e.Kind, e.Body), "%s", e.Body)
			})
		})
	}
}

func TestFromHandover_TheHeadIsTheEnvelope(t *testing.T) {
	msg := message(handover.ClarificationAnswered{Answer: "Ja"})
	msg.References = "0195e1a2-3333-7000-8000-00000000000d"
	e, err := mapper(t).FromHandover(msg, place)
	require.NoError(t, err)
	require.JSONEq(t, `{"Kopf":{"Absender":"sd-kriens","Vorgang":"neu"},"Antwort":"Ja"}`, string(e.Body), "an answer names no earlier entry")
	require.Equal(t, native.Entry{
		Reference: place.Reference, Kind: "antwort", Case: place.Case, CaseReference: msg.Case, Organisation: "iv-luzern", Body: e.Body,
	}, e)
	msg.Test = true
	_, err = mapper(t).FromHandover(msg, place)
	require.Equal(t, "test-not-supported", fault.CodeOf(err))
	msg.Test, msg.Sender = false, ""
	_, err = mapper(t).FromHandover(msg, place)
	require.Equal(t, "envelope", fault.CodeOf(err))
}

func TestToHandover_TheHeadOfADocument(t *testing.T) {
	for _, c := range []struct {
		head string
		want mapping.Draft
		code string
	}{
		{"", mapping.Draft{Sender: "iv-luzern", Action: handover.ActionNew}, ""},
		{`"Absender":"iv-luzern"`, mapping.Draft{Sender: "iv-luzern", Action: handover.ActionNew}, ""},
		{`"Vorgang":"Widerruf","Bezug":"D-1"`, mapping.Draft{Sender: "iv-luzern", Action: handover.ActionRecall, References: "D-1"}, ""},
		{`"Vorgang":"Berichtigung","Bezug":"D-1"`, mapping.Draft{Sender: "iv-luzern", Action: handover.ActionCorrection, References: "D-1"}, ""},
		{`"Absender":"sd-kriens"`, mapping.Draft{}, "contradiction at Kopf.Absender"},
		{`"Vorgang":"Widerruf"`, mapping.Draft{}, "missing at Kopf.Bezug"},
	} {
		r := native.Record{Kind: "antwort", Organisation: "iv-luzern", Body: []byte(`{"Kopf":{` + c.head + `},"Antwort":"Ja"}`)}
		draft, err := mapper(t).ToHandover(r)
		if c.code != "" {
			require.Equal(t, c.code, findings(t, err)[0])
			continue
		}
		require.NoError(t, err)
		c.want.Payload = handover.ClarificationAnswered{Answer: "Ja"}
		require.Equal(t, c.want, draft)
	}
	_, err := mapper(t).ToHandover(native.Record{Kind: "antwort", Body: []byte(`{"Antwort":"Ja"}`)})
	require.Equal(t, "missing at Kopf.Absender", findings(t, err)[0])
}

// findings returns "code at path" of every finding.
func findings(t testing.TB, err error) []string {
	t.Helper()
	require.Equal(t, fault.Park, fault.KindOf(err), "%v", err)
	var fs fault.Findings
	require.ErrorAs(t, err, &fs)
	var all []string
	for _, f := range fs {
		all = append(all, f.Code+" at "+f.Path)
	}
	return all
}

func FuzzToHandover(f *testing.F) {
	m := mapper(f)
	for _, zero := range handover.Catalogue() {
		golden, err := os.ReadFile(filepath.Join("testdata", string(zero.Name())+".txtar"))
		require.NoError(f, err)
		archive := txtar.Parse(golden)
		kind, _, _ := strings.Cut(string(archive.Comment), " ")
		f.Add(kind, archive.Files[0].Data)
	}
	f.Fuzz(func(t *testing.T, kind string, body []byte) {
		draft, err := m.ToHandover(native.Record{Kind: native.Kind(kind), Organisation: "sd-kriens", Body: body})
		if err != nil {
			require.Equal(t, fault.Park, fault.KindOf(err))
			return
		}
		entry, err := m.FromHandover(message(draft.Payload), place)
		require.NoError(t, err, "what was read can be written")
		again, err := m.ToHandover(native.Record{Kind: entry.Kind, Organisation: "sd-kriens", Body: entry.Body})
		require.NoError(t, err)
		require.Equal(t, encoded(t, draft.Payload), encoded(t, again.Payload))
		require.NoError(t, json.Unmarshal(entry.Body, new(map[string]any)))
	})
}
