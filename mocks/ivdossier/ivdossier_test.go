package ivdossier

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/einmal-hub/einmal/contracts/handover"
	contract "github.com/einmal-hub/einmal/contracts/native/ivdossier"
	"github.com/einmal-hub/einmal/mocks/core"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func facts(seed uint64) core.Facts {
	f := core.Invent(rand.New(rand.NewPCG(seed, 1))) //nolint:gosec // repeatable
	f.Assigning, f.Receiving = "sd-kriens", "iv-luzern"
	f.Remark = fmt.Sprintf("[M%04d-01] =Bemerkung mit <Zeichen> & \"Umbruch\"\nzweite Zeile", seed)
	return f
}

func open(t *testing.T, o Options) *Mock {
	t.Helper()
	if o.Folder == "" {
		o.Folder = t.TempDir()
	}
	o.System = "ivdossier"
	m, err := New(o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, m.Close()) })
	return m
}

func TestEveryFormKeepsTheContract(t *testing.T) {
	m := open(t, Options{})
	for seed := range uint64(40) {
		for _, p := range handover.Catalogue() {
			kind, body := Compose(p.Name(), facts(seed))
			require.NoError(t, m.Validate(kind, body), "%s\n%s", p.Name(), body)
		}
	}
	kind, body := Compose("no-such-message", facts(1))
	require.Empty(t, fmt.Sprint(kind, string(body)))
}

func TestValidate_WhatBreaksTheContractIsRefused(t *testing.T) {
	m := open(t, Options{})
	for _, c := range []struct {
		name     handover.Name
		from, to string
	}{
		{"application-submitted", `"Zielgruppe":"`, `"Zielgruppe":"Z`}, {"application-submitted", `"Antragsdatum":"`, `"Antragsdatum":"9`},
		{"application-submitted", `"Antragsteller":"sd-kriens"`, `"Antragsteller":"iv-luzern"`}, {"application-submitted", `"Zielsetzung"`, `"Zielsatzung"`},
		{"application-submitted", `"756.`, `"757.`}, {"cost-approval-requested", `"Betrag":"`, `"Betrag":"x`}, {"clarification-answered", `"Antwort":"`, `"Antwort":"` + strings.Repeat("x", 2001)},
		{"clarification-answered", `{`, `[`}, {"application-checked", `"Ausschluss"`, `"Hinweis"`}, {"case-closed", `"Prüfsumme":"`, `"Prüfsumme":"x`}, {"case-closed", `"Name":`, `"Titel":`},
		{"clarification-answered", `{`, `{"Kopf":{"Vorgang":"Widerruf"},`},
	} {
		f := facts(3)
		f.CheckOutcome, f.Findings = "RETURNED", []core.Finding{{Rule: "ALV3", Severity: "REFUSE", Source: "x", Text: "x"}}
		f.Documents = []core.Document{{Name: "x", MediaType: "application/pdf", Content: []byte("x")}}
		kind, body := Compose(c.name, f)
		broken := strings.Replace(string(body), c.from, c.to, 1)
		require.NotEqual(t, string(body), broken, c.from)
		err := m.Validate(kind, []byte(broken))
		require.Error(t, err, c.to)
		require.NotContains(t, err.Error(), facts(3).Person.OfficialName)
	}
	require.Error(t, m.Validate("brief", []byte("{}")))
}

func TestWhatAClerkEntersLiesInTheFolderAsOneDocument(t *testing.T) {
	m := open(t, Options{})
	opened := typed(t, m, "application-submitted", facts(1), core.Write{})
	typed(t, m, "clarification-answered", facts(1), core.Write{Case: opened.Case})
	require.NoError(t, m.Step(t.Context()))
	require.NoError(t, m.Settle(t.Context()))
	files, err := os.ReadDir(filepath.Join(m.options.Folder, contract.NewCases))
	require.NoError(t, err)
	require.Len(t, files, 1+len(facts(1).Documents), "the answer waits for the folder of its case")
	s, err := readSheet(filepath.Join(m.options.Folder, contract.NewCases, documentName(opened)))
	require.NoError(t, err)
	require.Equal(t, "freigegeben", s.head[contract.NameRelease])
	require.Equal(t, facts(1).Remark, s.content.text("Bemerkung"))
	require.Empty(t, m.Folder(opened.Case))
}

func TestReopenedMockKeepsItsEntries(t *testing.T) {
	dir, folder := t.TempDir(), t.TempDir()
	m := open(t, Options{Dir: dir, Folder: folder})
	want := typed(t, m, "application-submitted", facts(7), core.Write{})
	require.NoError(t, m.Step(t.Context()))
	require.NoError(t, m.Close())
	require.NoError(t, m.Close())
	again := open(t, Options{Dir: dir, Folder: folder})
	got, ok := again.Store().Entry(want.ID)
	require.True(t, ok)
	require.Equal(t, want, got)
	require.NoError(t, again.Settle(t.Context()))
	files, err := os.ReadDir(filepath.Join(folder, contract.NewCases))
	require.NoError(t, err)
	require.Len(t, files, 1+len(facts(7).Documents))
}

// Somebody whose office program was killed sees that her document is not whole, or still a draft, and saves it again.
func TestADocumentOverWhichTheMockWasKilledIsSavedAgain(t *testing.T) {
	for name, c := range map[string]struct {
		fault     core.Fault
		documents bool
	}{
		"half of it": {core.FaultSlow, false}, "a draft": {core.FaultLate, false}, "without its files": {core.FaultSlow, true},
	} {
		t.Run(name, func(t *testing.T) {
			dir, folder := t.TempDir(), t.TempDir()
			m := open(t, Options{Dir: dir, Folder: folder})
			m.Dice().Script(core.OpEvent, c.fault, 1)
			f := facts(7)
			if !c.documents {
				f.Documents = nil
			}
			e := typed(t, m, "application-submitted", f, core.Write{})
			require.NoError(t, m.Step(t.Context()))
			require.NoError(t, m.Close()) // what was to come with the next look does not come
			again := open(t, Options{Dir: dir, Folder: folder})
			require.NoError(t, again.Step(t.Context()))
			files, err := os.ReadDir(filepath.Join(folder, contract.NewCases))
			require.NoError(t, err)
			require.Len(t, files, 1+len(f.Documents), "and no lock")
			s, err := readSheet(filepath.Join(folder, contract.NewCases, documentName(e)))
			require.NoError(t, err)
			require.Equal(t, contract.Released, s.head[contract.NameRelease])
		})
	}
}

// typed enters one message at the desk, with its documents.
func typed(t *testing.T, m *Mock, n handover.Name, f core.Facts, w core.Write) core.Entry {
	t.Helper()
	w.Kind, w.Body = Compose(n, f)
	w.Organisation, w.By, w.Documents = "iv-luzern", core.ByClerk, core.Hashes(f.Documents)
	for _, d := range f.Documents {
		require.NoError(t, m.Store().PutDocument(d.SHA256(), bytes.NewReader(d.Content)))
	}
	e, _, err := m.Store().Write(t.Context(), w)
	require.NoError(t, err)
	return e
}

// Opening thousands of documents takes longer than a mock may be away: the next one knows what was read, and what it said.
func TestAReopenedMockKnowsWhatWasRead(t *testing.T) {
	o := Options{System: "ivdossier", Dir: t.TempDir(), Folder: t.TempDir()}
	m, err := New(o)
	require.NoError(t, err)
	at := func(name string) string { return filepath.Join(o.Folder, contract.Cases, "IV-1", name) }
	m.folders["Dossier-0001"], m.cases["IV-1"], m.numbers["E-1"] = "IV-1", "Dossier-0001", "Dokument-000001"
	require.NoError(t, m.note(at("a.xlsx"), "E-1"))
	require.NoError(t, m.note(at("b.xlsx"), ""))
	require.NoError(t, m.note(at("c\t.xlsx"), ""))
	require.NoError(t, m.Close())

	again, err := New(o)
	require.NoError(t, err)
	defer func() { require.NoError(t, again.Close()) }()
	require.Equal(t, map[string]bool{at("a.xlsx"): true, at("b.xlsx"): true}, again.seen)
	require.Equal(t, m.folders, again.folders)
	require.Equal(t, m.cases, again.cases)
	require.Equal(t, m.numbers, again.numbers)
}
