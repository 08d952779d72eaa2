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

// A sedex client that is killed completes the same files when it is started again.
func TestAPairOverWhichTheMockWasKilledIsCompleted(t *testing.T) {
	const data, envelope = "0123456789", "<envelope/>"
	p := pair{"X"}
	for name, c := range map[string]struct {
		lies map[string]string
		sent bool
	}{
		"half a draft":                     {map[string]string{p.dataDraft(): data[:3]}, false},
		"one draft":                        {map[string]string{p.dataDraft(): data}, false},
		"the other one half":               {map[string]string{p.dataDraft(): data, contract.Inbox + "/..envl_X.part.tmp": "<env"}, false},
		"both drafts":                      {map[string]string{p.dataDraft(): data, p.envelopeDraft(): envelope}, true},
		"the data":                         {map[string]string{p.data(): data, p.envelopeDraft(): envelope}, true},
		"slow, half the data":              {map[string]string{p.data(): data[:5], p.dataDraft(): data, p.envelopeDraft(): envelope}, true},
		"slow, both halves":                {map[string]string{p.data(): data[:5], p.envelope(): envelope[:5], p.dataDraft(): data, p.envelopeDraft(): envelope}, true},
		"slow, the data and half the rest": {map[string]string{p.data(): data, p.envelope(): envelope[:5], p.dataDraft(): data, p.envelopeDraft(): envelope}, true},
		"slow, both and one draft":         {map[string]string{p.data(): data, p.envelope(): envelope, p.dataDraft(): data}, true},
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			require.NoError(t, os.Mkdir(filepath.Join(folder, contract.Inbox), 0o700))
			for file, text := range c.lies {
				require.NoError(t, os.WriteFile(filepath.Join(folder, file), []byte(text), 0o600))
			}
			open(t, Options{Folder: folder})
			lie := map[string]string{}
			names, err := os.ReadDir(filepath.Join(folder, contract.Inbox))
			require.NoError(t, err)
			for _, n := range names {
				b, err := os.ReadFile(filepath.Join(folder, contract.Inbox, n.Name()))
				require.NoError(t, err)
				lie[contract.Inbox+"/"+n.Name()] = string(b)
			}
			want := map[string]string{}
			if c.sent {
				want = map[string]string{p.data(): data, p.envelope(): envelope}
			}
			require.Equal(t, want, lie)
		})
	}
}

func TestASlowPairIsCompletedByTheNextMock(t *testing.T) {
	dir, folder := t.TempDir(), t.TempDir()
	m := open(t, Options{Folder: folder})
	m.Dice().Script(core.OpEvent, core.FaultSlow, 1)
	kind, body := Compose("application-submitted", facts(1))
	_, _, err := m.Store().Write(t.Context(), core.Write{Kind: kind, Organisation: "iv-luzern", By: core.ByClerk, Body: body})
	require.NoError(t, err)
	require.NoError(t, m.Step(t.Context()))
	files := func() map[string]int64 {
		all := map[string]int64{}
		names, err := os.ReadDir(filepath.Join(folder, contract.Inbox))
		require.NoError(t, err)
		for _, n := range names {
			info, err := n.Info()
			require.NoError(t, err)
			all[n.Name()] = info.Size()
		}
		return all
	}
	half := files()
	require.Len(t, half, 4, "two halves and two drafts")
	open(t, Options{Dir: dir, Folder: folder})
	whole := files()
	require.Len(t, whole, 2)
	for name, size := range whole {
		require.Greater(t, size, half[name], "the same file is whole now")
	}
}

// What was told is not told again by the next mock; what was not is.
func TestTheNextMockTellsWhatWasNotToldYet(t *testing.T) {
	dir, folder := t.TempDir(), t.TempDir()
	inbox := func() int {
		names, err := os.ReadDir(filepath.Join(folder, contract.Inbox))
		require.NoError(t, err)
		return len(names)
	}
	m := open(t, Options{Dir: dir, Folder: folder})
	enter := func(m *Mock) {
		kind, body := Compose("application-submitted", facts(1))
		_, _, err := m.Store().Write(t.Context(), core.Write{Kind: kind, Organisation: "iv-luzern", By: core.ByClerk, Body: body})
		require.NoError(t, err)
	}
	enter(m)
	require.NoError(t, m.Step(t.Context()))
	require.Equal(t, 2, inbox())
	enter(m)
	require.NoError(t, m.Close())
	again := open(t, Options{Dir: dir, Folder: folder})
	require.NoError(t, again.Step(t.Context()))
	require.Equal(t, 4, inbox())
	require.NoError(t, again.Step(t.Context()))
	require.Equal(t, 4, inbox())
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
