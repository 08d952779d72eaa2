package casenet_test

import (
	"bytes"
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/stretchr/testify/require"
	"golang.org/x/tools/txtar"
	"pgregory.net/rapid"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/mapping/casenet"
	"github.com/einmal-hub/einmal/mapping/mappingtest"
	"github.com/einmal-hub/einmal/mapping/table"
	mock "github.com/einmal-hub/einmal/mocks/casenet"
	"github.com/einmal-hub/einmal/mocks/core"
)

var update = flag.Bool("update", false, "write golden files and FIELDS.md anew")

func tableOf(t testing.TB) *table.Table {
	t.Helper()
	loaded, err := casenet.Table()
	require.NoError(t, err)
	return loaded
}

func TestMapping_HoldsEveryRuleOfMappings(t *testing.T) {
	mappingtest.Run(t, mappingtest.Subject{Table: tableOf(t), New: casenet.With})
}

// Whatever einmal can say, the platform takes: with anything missing, with everything there, and with every text at its limit.
func TestFromHandover_WhateverCanBeSaidIsTakenByThePlatform(t *testing.T) {
	m, p, fields := mapper(t), platform(t), tableOf(t)
	for _, zero := range handover.Catalogue() {
		t.Run(string(zero.Name()), func(t *testing.T) {
			taken := func(t require.TestingT, payload handover.Payload) {
				e, err := m.FromHandover(message(payload), at())
				require.NoError(t, err)
				require.NoError(t, p.Validate(e.Kind, e.Body))
			}
			rapid.Check(t, func(r *rapid.T) { taken(r, mappingtest.Payload(zero.Name(), fields).Draw(r, "payload")) })
			for seed := range 5 {
				taken(t, mappingtest.Full(zero.Name(), fields).Example(seed))
				taken(t, mappingtest.Longest(zero.Name(), fields).Example(seed))
			}
		})
	}
}

// Every golden file shows one message in three forms: what a clerk entered on the platform (the input), the message that it means, and what
// einmal writes for it. A change of any of them is a change of what agencies say to each other.
func TestGoldens(t *testing.T) {
	m := mapper(t)
	for i, zero := range handover.Catalogue() {
		t.Run(string(zero.Name()), func(t *testing.T) {
			path := filepath.Join("testdata", string(zero.Name())+".txtar")
			f := facts(uint64(100 + i))
			f.Documents = []core.Document{{Name: "Vertrag \"neu\" <Ä>.pdf", MediaType: "application/pdf", Content: []byte("%PDF-1.7")}, {Name: "Bild.jpg", MediaType: "image/jpeg", Content: []byte("JFIF")}}
			kind, entered := mock.Compose(zero.Name(), f)
			want, err := os.ReadFile(path)
			if !errors.Is(err, fs.ErrNotExist) || !*update {
				require.NoError(t, err)
				entered = txtar.Parse(want).Files[0].Data
			}
			draft, err := m.ToHandover(native.Record{Kind: kind, Organisation: "sd-kriens", Body: entered})
			require.NoError(t, err)
			place := at()
			place.Procedure = map[handover.Name]handover.Code{"transfer-meeting-recorded": "SUSPENDED", "case-closed": "FULL"}[zero.Name()]
			written, err := m.FromHandover(message(draft.Payload), place)
			require.NoError(t, err)
			got := txtar.Format(&txtar.Archive{
				Comment: []byte(string(kind) + " <-> " + string(zero.Name()) + "\n"),
				Files: []txtar.File{
					{Name: "entered.json", Data: pretty(t, entered)}, {Name: "handover.json", Data: pretty(t, []byte(encoded(t, draft.Payload)))},
					{Name: "written.json", Data: pretty(t, written.Body)},
				},
			})
			if *update {
				require.NoError(t, os.WriteFile(path, got, 0o600))
				want = got
			}
			require.Equal(t, string(want), string(got), "go test ./mapping/casenet -update")
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
	fields := tableOf(t)
	if *update {
		require.NoError(t, os.WriteFile("FIELDS.md", []byte(fields.Markdown()), 0o600))
	}
	page, err := os.ReadFile("FIELDS.md")
	require.NoError(t, err)
	require.Equal(t, fields.Markdown(), string(page), "go test ./mapping/casenet -update")
}
