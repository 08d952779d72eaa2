package core_test

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/mocks/core"
)

func invented(n uint64, size int) core.Document {
	return core.InventDocument(rand.New(rand.NewPCG(n, 0)), "Lebenslauf.pdf", size)
}

func TestInventDocument_SameSeedGivesTheSameFileOfTheSize(t *testing.T) {
	d := invented(1, 5000)
	require.Equal(t, d, invented(1, 5000))
	require.NotEqual(t, d.SHA256(), invented(2, 5000).SHA256())
	require.InDelta(t, 5000, d.Size(), 400)
	require.True(t, bytes.HasPrefix(d.Content, []byte("%PDF-1.4\n")))
	require.True(t, bytes.HasSuffix(d.Content, []byte("%%EOF\n")))
}

func TestStore_DocumentStandsUnderItsHashAndOutlivesTheProgram(t *testing.T) {
	for name, dir := range map[string]string{"memory": "", "folder": t.TempDir()} {
		t.Run(name, func(t *testing.T) {
			d := invented(1, 2000)
			s := open(t, core.Options{Dir: dir})
			require.False(t, s.HasDocument(d.SHA256()))
			_, err := s.OpenDocument(d.SHA256())
			require.ErrorIs(t, err, core.ErrNoDocument)
			for range 2 {
				require.NoError(t, s.PutDocument(d.SHA256(), bytes.NewReader(d.Content)))
			}
			if dir != "" {
				torn := filepath.Join(dir, core.DocumentsName("klib"), "part-1")
				require.NoError(t, os.WriteFile(torn, []byte("x"), 0o600))
				require.NoError(t, s.Close())
				s = open(t, core.Options{Dir: dir})
				require.NoFileExists(t, torn)
			}
			require.Equal(t, []string{d.SHA256()}, s.Documents())
			content, err := s.OpenDocument(d.SHA256())
			require.NoError(t, err)
			b, err := io.ReadAll(content)
			require.NoError(t, err)
			require.NoError(t, content.Close())
			require.Equal(t, d.Content, b)
		})
	}
}

func TestStore_OnlyTheContentOfTheHashIsStored(t *testing.T) {
	s := open(t, core.Options{Dir: t.TempDir()})
	d := invented(1, 2000)
	long := core.Document{Content: make([]byte, handover.DocumentLimit+1)}
	for hash, content := range map[string][]byte{
		d.SHA256(): d.Content[1:], strings.ToUpper(d.SHA256()): d.Content, "../x": d.Content, long.SHA256(): long.Content, core.Document{}.SHA256(): {},
	} {
		require.ErrorIs(t, s.PutDocument(hash, bytes.NewReader(content)), core.ErrDocument)
	}
	require.Error(t, s.PutDocument(d.SHA256(), io.MultiReader(bytes.NewReader(d.Content[:9]), broken{})))
	require.Empty(t, s.Documents())
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestStore_EntryNamesOnlyDocumentsThatStand(t *testing.T) {
	dir := t.TempDir()
	s := open(t, core.Options{Dir: dir})
	d := invented(1, 2000)
	w := core.Write{Kind: "anmeldung", Documents: []string{d.SHA256()}}
	_, _, err := s.Write(t.Context(), w)
	require.ErrorIs(t, err, core.ErrNoDocument)
	require.NoError(t, s.PutDocument(d.SHA256(), bytes.NewReader(d.Content)))
	require.Equal(t, w.Documents, write(t, s, w).Documents)
	require.NoError(t, s.Close())
	require.Equal(t, w.Documents, open(t, core.Options{Dir: dir}).After(0, 0)[0].Documents)
}

func TestStore_RecallRefersToAnEntryOfItsCase(t *testing.T) {
	dir := t.TempDir()
	s := open(t, core.Options{Dir: dir})
	first, other := write(t, s, core.Write{Kind: "anmeldung"}), write(t, s, core.Write{Kind: "anmeldung"})
	for _, w := range []core.Write{
		{Case: first.Case, Action: handover.ActionRecall},
		{Case: first.Case, Action: handover.ActionRecall, Refers: "entry-9"},
		{Case: first.Case, Action: handover.ActionRecall, Refers: other.ID},
		{Action: handover.ActionRecall, Refers: first.ID},
		{Case: first.Case, Kind: "notiz", Action: handover.ActionRecall, Refers: first.ID},
	} {
		_, _, err := s.Write(t.Context(), w)
		require.ErrorIs(t, err, core.ErrNoRecord)
	}
	require.NoError(t, s.Close())
	s = open(t, core.Options{Dir: dir})
	recall := write(t, s, core.Write{Case: first.Case, Kind: "anmeldung", Action: handover.ActionRecall, Refers: first.ID})
	require.NoError(t, s.Close())
	require.Equal(t, recall, open(t, core.Options{Dir: dir}).After(2, 0)[0])
}

func TestDesk_ClerkAttachesDocumentsAndRecalls(t *testing.T) {
	s, _, srv := serve(t)
	d := invented(1, 2000)
	at := "/desk/documents/" + d.SHA256()
	status, _ := call(t, srv, "GET", at, "")
	require.Equal(t, http.StatusNotFound, status)
	status, _ = call(t, srv, "PUT", at, "something else")
	require.Equal(t, http.StatusUnprocessableEntity, status)
	typed := `{"kind":"notiz","organisation":"sd-kriens","body":"x","documents":["` + d.SHA256() + `"]}`
	status, _ = call(t, srv, "POST", "/desk/entries", typed)
	require.Equal(t, http.StatusUnprocessableEntity, status, "the document does not stand there yet")
	status, _ = call(t, srv, "PUT", at, string(d.Content))
	require.Equal(t, http.StatusNoContent, status)
	status, b := call(t, srv, "GET", at, "")
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, string(d.Content), b)
	status, _ = call(t, srv, "POST", "/desk/entries", typed)
	require.Equal(t, http.StatusCreated, status)

	recall := `{"case":"case-1","kind":"notiz","organisation":"sd-kriens","action":"recall","refers":"%","body":"x"}`
	status, _ = call(t, srv, "POST", "/desk/entries", strings.Replace(recall, "%", "entry-9", 1))
	require.Equal(t, http.StatusUnprocessableEntity, status)
	status, _ = call(t, srv, "POST", "/desk/entries", strings.Replace(recall, "%", "entry-1", 1))
	require.Equal(t, http.StatusCreated, status)
	_, b = call(t, srv, "GET", "/desk/entries?after=1", "")
	require.Contains(t, b, `"action":"recall","refers":"entry-1"`)
	require.Equal(t, []string{d.SHA256()}, s.After(0, 1)[0].Documents)
}

func TestStore_ALostDocumentIsMissing(t *testing.T) {
	for name, dir := range map[string]string{"memory": "", "folder": t.TempDir()} {
		t.Run(name, func(t *testing.T) {
			d := invented(1, 2000)
			s := open(t, core.Options{Dir: dir})
			require.ErrorIs(t, s.LoseDocument(d.SHA256()), core.ErrNoDocument)
			require.NoError(t, s.PutDocument(d.SHA256(), bytes.NewReader(d.Content)))
			require.NoError(t, s.LoseDocument(d.SHA256()))
			require.False(t, s.HasDocument(d.SHA256()))
			if dir != "" {
				require.NoFileExists(t, filepath.Join(dir, core.DocumentsName("klib"), d.SHA256()))
			}
			require.NoError(t, s.PutDocument(d.SHA256(), bytes.NewReader(d.Content)))
			require.True(t, s.HasDocument(d.SHA256()))
		})
	}
}

func TestControl_LosesADocument(t *testing.T) {
	s, _, srv := serve(t)
	d := invented(1, 2000)
	require.NoError(t, s.PutDocument(d.SHA256(), bytes.NewReader(d.Content)))
	for _, want := range []int{http.StatusNoContent, http.StatusNotFound} {
		status, _ := call(t, srv, "DELETE", "/control/documents/"+d.SHA256(), "")
		require.Equal(t, want, status)
	}
}
