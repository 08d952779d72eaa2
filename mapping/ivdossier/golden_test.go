package ivdossier_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/stretchr/testify/require"
	"golang.org/x/tools/txtar"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/mocks/core"
	mock "github.com/einmal-hub/einmal/mocks/ivdossier"
)

// Every golden file shows one message in three forms: what staff of the office entered (the input), the message that it means, and what einmal writes into
// the folder for it when somebody else says it, in the folder of the office that asked where that makes a difference. A change of any of them is a change of what agencies say to each other. With -update the input of a file that is not there is made from the mock's form.
func TestGoldens(t *testing.T) {
	m := mapper(t)
	for _, zero := range handover.Catalogue() {
		t.Run(string(zero.Name()), func(t *testing.T) {
			path := filepath.Join("testdata", string(zero.Name())+".txtar")
			f := facts(7)
			f.Documents = []core.Document{{Name: "Vertrag \"neu\" <Ä>.pdf", MediaType: "application/pdf", Content: []byte("%PDF-1.7")}, {Name: "Bild.jpg", MediaType: "image/jpeg", Content: []byte("JFIF")}}
			kind, entered := mock.Compose(zero.Name(), f)
			want, err := os.ReadFile(path)
			if err == nil {
				entered = txtar.Parse(want).Files[0].Data
			} else {
				require.True(t, *update, "%v", err)
			}
			draft, err := m.ToHandover(native.Record{Kind: kind, Organisation: "iv-luzern", Body: entered})
			require.NoError(t, err)
			at := place
			at.Procedure = map[handover.Name]handover.Code{"transfer-meeting-recorded": "SUSPENDED", "case-closed": "FULL"}[zero.Name()]
			e, err := m.FromHandover(message(draft.Payload), at)
			require.NoError(t, err)
			got := txtar.Format(&txtar.Archive{
				Comment: []byte(string(kind) + " <-> " + string(zero.Name()) + "\n"),
				Files: []txtar.File{
					{Name: "entered.json", Data: pretty(t, entered)}, {Name: "handover.json", Data: pretty(t, []byte(encoded(t, draft.Payload)))}, {Name: "written.json", Data: pretty(t, e.Body)},
				},
			})
			if *update {
				require.NoError(t, os.WriteFile(path, got, 0o600))
				want = got
			}
			require.Equal(t, string(want), string(got))
			again, err := m.ToHandover(native.Record{Kind: kind, Organisation: "iv-luzern", Reference: place.Reference, Body: e.Body})
			require.NoError(t, err)
			require.Equal(t, encoded(t, draft.Payload), encoded(t, again.Payload), "both native forms mean the message")
		})
	}
}

// pretty indents a content for its readers; values stay as they are.
func pretty(t *testing.T, b []byte) []byte {
	t.Helper()
	v := jsontext.Value(bytes.Clone(b))
	require.NoError(t, v.Indent(jsontext.WithIndent("  ")))
	return append(v, '\n')
}
