package avam

import (
	"bytes"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/beevik/etree"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/contracts/strict"
	"github.com/einmal-hub/einmal/mocks/core"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func facts(seed uint64) core.Facts {
	f := core.Invent(rand.New(rand.NewPCG(seed, 1)))
	f.Assigning, f.Receiving = "rav-luzern", "sd-kriens"
	f.Documents = []core.Document{core.InventDocument(rand.New(rand.NewPCG(seed, 2)), "Vollmacht \"2026\" & Beilagen.pdf", 1500)}
	f.Remark = fmt.Sprintf("[M%04d-01] Bemerkung mit <Zeichen> & \"Umbruch\"\nzweite Zeile", seed)
	return f
}

func open(t *testing.T, o Options) *Mock {
	t.Helper()
	o.System = "avam"
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
		f := facts(seed)
		for _, p := range handover.Catalogue() {
			kind, body := Compose(p.Name(), f)
			require.NoError(t, m.Validate(kind, body), "%s\n%s", p.Name(), body)
		}
	}
}

// Every question and every answer that the forms know has a word of the contract; a question is answered once, and in one way.
func TestCompose_DeclarationsAreWhatTheContractDescribes(t *testing.T) {
	m := open(t, Options{})
	var words map[string]map[string]string
	require.NoError(t, strict.JSON(wordsJSON, &words))
	number := 0
	good := []core.Declaration{{Item: "WORK_CAPACITY_PERCENT", Number: &number}, {Item: "LAST_REGISTERED_ON", On: "2025-05-31"}}
	validate := func(ds ...core.Declaration) error {
		f := facts(1)
		f.Declarations = ds
		return m.Validate(Compose("application-submitted", f))
	}
	require.NoError(t, validate(good...))
	require.NoError(t, validate(), "nothing more to say")
	for item := range words["question"] {
		require.NoError(t, validate(core.Declaration{Item: item, Answer: "YES"}), item)
	}
	for answer := range words["answer"] {
		require.NoError(t, validate(core.Declaration{Item: "IV_APPEAL", Answer: answer}), answer)
	}
	require.ErrorContains(t, validate(good[0], good[0]), "second time")
	require.Error(t, validate(core.Declaration{Item: "IV_APPEAL"}))
	require.Error(t, validate(core.Declaration{Item: "IV_APPEAL", Answer: "YES", Number: &number}))
	require.Error(t, validate(core.Declaration{Item: "SHOE_SIZE", Number: &number}))
	require.Error(t, validate(core.Declaration{Item: "IV_APPEAL", Answer: "MAYBE"}))
}

var update = flag.Bool("update", false, "write the contract's examples anew")

// example returns the contract's own example of a content.
func example(t *testing.T, kind native.Kind) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "contracts", "native", "avam", "testdata", "content", string(kind)+".xml"))
	require.NoError(t, err)
	return b
}

// With -update the examples are made anew from the forms, with another invented person.
func TestTheContractsExamplesKeepTheContract(t *testing.T) {
	m := open(t, Options{})
	for _, p := range handover.Catalogue() {
		kind, body := Compose(p.Name(), facts(7))
		if *update {
			path := filepath.Join("..", "..", "contracts", "native", "avam", "testdata", "content", string(kind)+".xml")
			require.NoError(t, os.WriteFile(path, pretty(t, body), 0o600))
		}
		require.NoError(t, m.Validate(kind, example(t, kind)))
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
