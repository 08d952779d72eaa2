package tutoris_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/beevik/etree"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/mapping/tutoris"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/stretchr/testify/require"
	"golang.org/x/tools/txtar"
)

// Every golden file shows one message in three forms: what a clerk entered in Tutoris (the input), the message that it means, and what einmal writes into
// another Tutoris for it. A change of any of them is a change of what agencies say to each other.
func TestGoldens(t *testing.T) {
	m := mapper(t)
	for _, zero := range handover.Catalogue() {
		t.Run(string(zero.Name()), func(t *testing.T) {
			path := filepath.Join("testdata", string(zero.Name())+".txtar")
			want, err := os.ReadFile(path)
			require.NoError(t, err)
			r := native.Record{Kind: kindOf(t, zero.Name()), Body: txtar.Parse(want).Files[0].Data}
			draft, err := m.ToHandover(r)
			require.NoError(t, err)
			e, err := m.FromHandover(message(draft.Payload), place)
			require.NoError(t, err)
			canonical := jsontext.Value(encoded(t, draft.Payload))
			require.NoError(t, canonical.Indent(jsontext.WithIndent("  ")))
			got := txtar.Format(&txtar.Archive{
				Comment: []byte(string(r.Kind) + " <-> " + string(zero.Name()) + "\n"),
				Files: []txtar.File{
					{Name: "entered.xml", Data: pretty(t, r.Body)}, {Name: "handover.json", Data: append(canonical, '\n')}, {Name: "written.xml", Data: pretty(t, e.Body)},
				},
			})
			if *update {
				require.NoError(t, os.WriteFile(path, got, 0o600))
				want = got
			}
			require.Equal(t, string(want), string(got))
			read(t, r.Kind, txtar.Parse(want))
		})
	}
}

func kindOf(t *testing.T, n handover.Name) native.Kind {
	t.Helper()
	table, err := tutoris.Table()
	require.NoError(t, err)
	return table.KindOf(n)
}

// read reads the two native forms of a golden file as they stand there, white space included: both mean the message.
func read(t *testing.T, kind native.Kind, golden *txtar.Archive) {
	t.Helper()
	want := jsontext.Value(bytes.Clone(golden.Files[1].Data))
	require.NoError(t, want.Compact())
	for _, i := range []int{0, 2} {
		draft, err := mapper(t).ToHandover(native.Record{Kind: kind, Body: golden.Files[i].Data})
		require.NoError(t, err)
		require.Equal(t, string(want), encoded(t, draft.Payload))
	}
}

// pretty indents a content for its readers; values stay as they are.
func pretty(t *testing.T, b []byte) []byte {
	t.Helper()
	doc := etree.NewDocument()
	require.NoError(t, doc.ReadFromBytes(b))
	doc.WriteSettings.CanonicalText = true
	doc.Indent(2)
	b, err := doc.WriteToBytes()
	require.NoError(t, err)
	return b
}
