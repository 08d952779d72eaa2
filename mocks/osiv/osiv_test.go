package osiv

import (
	"bytes"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/beevik/etree"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/einmal-hub/einmal/contracts/handover"
	contract "github.com/einmal-hub/einmal/contracts/native/osiv"
	"github.com/einmal-hub/einmal/mocks/core"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var update = flag.Bool("update", false, "write the contract's examples anew")

func facts(seed uint64) core.Facts {
	f := core.Invent(rand.New(rand.NewPCG(seed, 1))) //nolint:gosec // repeatable
	f.Assigning, f.Receiving = "rav-luzern", "iv-luzern"
	for i := range f.Declarations {
		if f.Declarations[i].Item == "IV_PROCEDURE" {
			f.Declarations[i].Answer = "RUNNING"
		}
	}
	f.Documents = []core.Document{core.InventDocument(rand.New(rand.NewPCG(seed, 2)), "Vollmacht \"2026\" & Beilagen.pdf", 1500)} //nolint:gosec // repeatable
	f.Remark = fmt.Sprintf("[M%04d-01] Bemerkung mit <Zeichen> & \"Umbruch\"\nzweite Zeile", seed)
	return f
}

func open(t *testing.T, o Options) *Mock {
	t.Helper()
	if o.Folder == "" {
		o.Folder = t.TempDir()
	}
	o.System, o.Einmal, o.OSIV, o.MessageType = "osiv", "T3-CH-1", "T6-100001-1", 2000100
	m, err := New(o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, m.Close()) })
	file(t, m, facts(7))
	return m
}

// file stores the documents that a clerk has at hand.
func file(t *testing.T, m *Mock, f core.Facts) {
	t.Helper()
	for _, d := range f.Documents {
		require.NoError(t, m.Store().PutDocument(d.SHA256(), bytes.NewReader(d.Content)))
	}
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

// With -update the examples are made anew from the forms, with another invented person.
func TestTheContractsExamplesKeepTheContract(t *testing.T) {
	m := open(t, Options{})
	for _, p := range handover.Catalogue() {
		kind, body := Compose(p.Name(), facts(7))
		path := filepath.Join("..", "..", "contracts", "native", "osiv", "testdata", "content", string(kind)+".xml")
		if *update {
			doc := etree.NewDocument()
			require.NoError(t, doc.ReadFromBytes(body))
			doc.WriteSettings.CanonicalText = true
			doc.Indent(2)
			pretty, err := doc.WriteToBytes()
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(path, pretty, 0o600))
		}
		b, err := os.ReadFile(path)
		require.NoError(t, err)
		require.NoError(t, m.Validate(kind, b))
	}
}

func TestP7_OSIVTakesNobodyWithoutRegistration(t *testing.T) {
	m := open(t, Options{})
	kind, body := Compose("application-submitted", facts(1))
	doc := etree.NewDocument()
	require.NoError(t, doc.ReadFromBytes(body))
	doc.Root().RemoveChild(doc.Root().SelectElement("ivAnmeldung"))
	without, err := doc.WriteToBytes()
	require.NoError(t, err)
	require.ErrorContains(t, m.Validate(kind, without), contract.ReasonNotRegistered)
}

func TestWhatAClerkEntersLiesInTheInboxAfterOneRound(t *testing.T) {
	m := open(t, Options{})
	kind, body := Compose("application-submitted", facts(1))
	_, _, err := m.Store().Write(t.Context(), core.Write{Kind: kind, Organisation: "iv-luzern", By: core.ByClerk, Body: body})
	require.NoError(t, err)
	require.NoError(t, m.Step(t.Context()))
	require.NoError(t, m.Step(t.Context()))
	files, err := os.ReadDir(filepath.Join(m.options.Folder, contract.Inbox))
	require.NoError(t, err)
	require.Len(t, files, 2, "one pair, once")
}

func TestReopenedMockKeepsItsEntries(t *testing.T) {
	dir, folder := t.TempDir(), t.TempDir()
	m := open(t, Options{Dir: dir, Folder: folder})
	kind, body := Compose("application-submitted", facts(7))
	want, _, err := m.Store().Write(t.Context(), core.Write{Kind: kind, Organisation: "iv-luzern", By: core.ByClerk, Body: body})
	require.NoError(t, err)
	require.NoError(t, m.Close())
	require.NoError(t, m.Close())
	again := open(t, Options{Dir: dir, Folder: folder})
	got, ok := again.Store().Entry(want.ID)
	require.True(t, ok)
	require.Equal(t, want, got)
}
