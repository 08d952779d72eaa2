package klib

import (
	"bytes"
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/mapping"
	"github.com/einmal-hub/einmal/mapping/table"
	"github.com/einmal-hub/einmal/mocks/core"
	mock "github.com/einmal-hub/einmal/mocks/klib"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/stretchr/testify/require"
	"golang.org/x/tools/txtar"
)

var update = flag.Bool("update", false, "write golden files and FIELDS.md anew")

// Every golden file shows one message in three forms: what a clerk entered in KLIB (the input), the message that it means, and what einmal writes into
// another KLIB for it, in the dossier of the agency that asked where that makes a difference. A change of any of them is a change of what agencies say to each other.
func TestGoldens(t *testing.T) {
	m := mapperOf(t)
	for i, zero := range handover.Catalogue() {
		t.Run(string(zero.Name()), func(t *testing.T) {
			path := filepath.Join("testdata", string(zero.Name())+".txtar")
			f := variants(t)[i+i%2+1] // one with a finding that refuses
			f.Documents = []core.Document{{Name: "Vertrag \"neu\" <Ä>.pdf", MediaType: "application/pdf", Content: []byte("%PDF-1.7")}, {Name: "Bild.jpg", MediaType: "image/jpeg", Content: []byte("JFIF")}}
			kind, entered := mock.Compose(zero.Name(), f)
			want, err := os.ReadFile(path)
			if !errors.Is(err, fs.ErrNotExist) || !*update {
				require.NoError(t, err)
				entered = txtar.Parse(want).Files[0].Data
			}
			draft, err := m.ToHandover(native.Record{Kind: kind, Organisation: "sd-kriens", Body: entered})
			require.NoError(t, err)
			at := place()
			at.Procedure = map[handover.Name]handover.Code{"transfer-meeting-recorded": "SUSPENDED", "case-closed": "FULL"}[zero.Name()]
			e, err := m.FromHandover(message(draft.Payload), at)
			require.NoError(t, err)
			canonical, err := handover.EncodePayload(draft.Payload)
			require.NoError(t, err)
			got := txtar.Format(&txtar.Archive{
				Comment: []byte(string(kind) + " <-> " + string(zero.Name()) + "\n"),
				Files: []txtar.File{
					{Name: "entered.json", Data: pretty(t, entered)}, {Name: "handover.json", Data: pretty(t, canonical)}, {Name: "written.json", Data: pretty(t, e.Body)},
				},
			})
			if *update {
				require.NoError(t, os.WriteFile(path, got, 0o600))
				want = got
			}
			require.Equal(t, string(want), string(got), "go test ./mapping/klib -update")
		})
	}
}

// pretty indents a document for its readers; values stay as they are.
func pretty(t *testing.T, b []byte) []byte {
	t.Helper()
	v := jsontext.Value(bytes.Clone(b))
	require.NoError(t, v.Indent(jsontext.WithIndent("  ")))
	return append(bytes.TrimSpace(v), '\n')
}

func TestFields_ThePageForPeopleIsTheTable(t *testing.T) {
	fields, err := Table()
	require.NoError(t, err)
	if *update {
		require.NoError(t, os.WriteFile("FIELDS.md", []byte(fields.Markdown()), 0o600))
	}
	page, err := os.ReadFile("FIELDS.md")
	require.NoError(t, err)
	require.Equal(t, fields.Markdown(), string(page), "go test ./mapping/klib -update")
}

// I4: a member that the table does not know is a finding wherever it stands, never silence.
func TestToHandover_NoFieldVanishes(t *testing.T) {
	m := mapperOf(t)
	for _, zero := range handover.Catalogue() {
		kind, body := mock.Compose(zero.Name(), variants(t)[1])
		for _, enlarged := range enlarge(t, body) {
			_, err := m.ToHandover(native.Record{Kind: kind, Organisation: "sd-kriens", Body: enlarged})
			var found fault.Findings
			require.ErrorAs(t, err, &found, "%s", enlarged)
			require.Equal(t, "unknown-field", found[0].Code)
			require.Contains(t, found[0].Path, "neuesFeld")
		}
	}
}

// enlarge returns copies of a document with one member more, in each of its objects.
func enlarge(t *testing.T, body []byte) [][]byte {
	t.Helper()
	var out [][]byte
	for i, b := range body {
		if b == '{' && bytes.Count(body[:i], []byte(`"`))%2 == 0 {
			out = append(out, []byte(string(body[:i+1])+`"neuesFeld":"x",`+string(body[i+1:])))
		}
	}
	require.NotEmpty(t, out)
	for _, b := range out {
		require.True(t, jsontext.Value(b).IsValid())
	}
	return out
}

// Every row of the table is needed: without it the table cannot be loaded, or something that a clerk entered can no longer be read.
func TestTable_EveryRowIsNeeded(t *testing.T) {
	lines := strings.Split(tableYAML, "\n")
	tried := 0
	for i, line := range lines {
		if !strings.HasPrefix(strings.TrimSpace(line), "- {") {
			continue
		}
		tried++
		without := strings.Join(append(append([]string{}, lines[:i]...), lines[i+1:]...), "\n")
		lame, err := table.Load("without", []byte(without))
		if err == nil {
			require.False(t, readsEverything(t, lame.Mapper()), "nothing misses line %d: %s", i+1, line)
		}
	}
	require.Greater(t, tried, 100)
}

func readsEverything(t *testing.T, m mapping.Mapper) bool {
	t.Helper()
	for _, zero := range handover.Catalogue() {
		for _, f := range variants(t)[:8] {
			f.Procedure = "SUSPENDED"
			kind, body := mock.Compose(zero.Name(), f)
			draft, err := m.ToHandover(native.Record{Kind: kind, Organisation: "sd-kriens", Body: body})
			if err != nil || draft.Payload.Validate() != nil {
				return false
			}
		}
	}
	return true
}

// The words of the mock, of the table and of the contract are the same.
func TestTable_KnowsEveryKindOfTheMock(t *testing.T) {
	fields, err := Table()
	require.NoError(t, err)
	require.Len(t, fields.Kinds(), 22)
	for _, zero := range handover.Catalogue() {
		kind, _ := mock.Compose(zero.Name(), variants(t)[0])
		require.Equal(t, kind, fields.KindOf(zero.Name()))
	}
}

func FuzzToHandover(f *testing.F) {
	m, err := New()
	require.NoError(f, err)
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
		entry, err := m.FromHandover(message(draft.Payload), place())
		require.NoError(t, err, "what was read can be written")
		again, err := m.ToHandover(native.Record{Kind: entry.Kind, Organisation: "sd-kriens", Body: entry.Body})
		require.NoError(t, err)
		requireSame(t, draft.Payload, again.Payload)
		require.NoError(t, json.Unmarshal(entry.Body, new(map[string]any)))
	})
}
