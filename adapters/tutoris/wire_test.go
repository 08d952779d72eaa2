package tutoris

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"
	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/contracts/fault"
	contract "github.com/einmal-hub/einmal/contracts/native/tutoris"
	"github.com/einmal-hub/einmal/mocks/core"
)

var update = flag.Bool("update", false, "write the contract's examples anew")

// examples is where the contract keeps its files.
var examples = filepath.Join("..", "..", "contracts", "native", "tutoris", "testdata")

func example(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(examples, name+".xml"))
	require.NoError(t, err)
	return b
}

// pretty indents a document for its readers; values stay as they are.
func pretty(t testing.TB, b []byte) []byte {
	t.Helper()
	doc := etree.NewDocument()
	require.NoError(t, doc.ReadFromBytes(b))
	doc.WriteSettings.CanonicalText = true
	doc.Indent(2)
	b, err := doc.WriteToBytes()
	require.NoError(t, err)
	return b
}

// The contract's examples are what the adapter and the mock say to each other: when one of the three changes, this test sees it.
func TestTheContractsExamplesAreWhatAdapterAndMockSay(t *testing.T) {
	v := open(t)
	*v.clock = time.Date(2026, 3, 2, 8, 30, 0, 0, time.UTC)
	e := entry("application-submitted", 1, "")
	e.Body = example(t, "content/TU01")
	v.handOver(t, e)
	v.handOver(t, entry("clarification-answered", 2, "D-99999"))
	said := map[string]string{"lieferung": v.path(contract.Inbox, file(e, 1))}
	require.NoError(t, v.mock.Night(t.Context()))
	said["lieferung"] = v.path(contract.Archive, file(e, 1))
	kind, body := mockAnswer()
	_, _, err := v.mock.Store().Write(t.Context(), core.Write{Case: "D-00001", Kind: kind, Organisation: "sd-kriens", By: core.ByClerk, Body: body})
	require.NoError(t, err)
	require.NoError(t, v.mock.Morning(t.Context()))
	said["ergebnis"] = v.path(contract.Results, contract.ResultFile(1))
	said["export"] = v.path(contract.Outbox, export(1, 1, 1))
	for name, path := range said {
		b, err := os.ReadFile(path) //nolint:gosec // a file of this test
		require.NoError(t, err)
		got := pretty(t, b)
		if *update {
			require.NoError(t, os.WriteFile(filepath.Join(examples, name+".xml"), got, 0o600))
		}
		require.Equal(t, string(example(t, name)), string(got), name)
	}
	files, err := filepath.Glob(filepath.Join(examples, "*.xml"))
	require.NoError(t, err)
	require.Len(t, files, len(said), "no example that nobody says")
}

func replaced(t *testing.T, text, from, to string) string {
	t.Helper()
	require.Contains(t, text, from)
	return strings.Replace(text, from, to, 1)
}

func TestReadResult_IsBelievedWholeOrNotAtAll(t *testing.T) {
	text := string(example(t, "ergebnis"))
	receipts, err := readResult(1, []byte(text))
	require.NoError(t, err)
	require.Len(t, receipts, 2)
	require.Equal(t, "T0000001", string(receipts[0].record.Record))
	require.Equal(t, "unknown-case", receipts[1].refusal)
	for name, changed := range map[string]string{
		"another run":       replaced(t, text, "<lauf>1<", "<lauf>2<"),
		"no time zone":      replaced(t, text, "Z</beendetAm>", "</beendetAm>"),
		"another namespace": strings.ReplaceAll(text, contract.Namespace, "urn:evil"),
		"another root":      strings.ReplaceAll(text, "ergebnis", "export"),
		"both":              replaced(t, text, "</erfasst>", "</erfasst><zurueckgewiesen><grund>regel</grund></zurueckgewiesen>"),
		"neither":           replaced(t, replaced(t, text, "<erfasst>", "<x>"), "</erfasst>", "</x>"),
		"no number":         replaced(t, text, "<eintragsnummer>T0000001<", "<eintragsnummer><"),
		"no attempt":        replaced(t, text, "<versuch>1<", "<versuch>0<"),
		"many attempts":     replaced(t, text, "<versuch>1<", "<versuch>1000<"),
		"reference":         replaced(t, text, "<referenz>0195", "<referenz>../0195"),
		"order":             replaced(t, text, "<lauf>1</lauf>", "") + "",
		"attribute":         replaced(t, text, "<quittung>", `<quittung x="1">`),
		"document type":     replaced(t, text, "<ergebnis", "<!DOCTYPE ergebnis><ergebnis"),
		"half":              text[:len(text)/2],
		"nothing":           "",
		"more":              text + "x",
		"large":             text + strings.Repeat(" ", contract.MaxFile),
	} {
		receipts, err := readResult(1, []byte(changed))
		require.Error(t, err, name)
		require.Equal(t, fault.Park, fault.KindOf(err), name)
		require.Empty(t, receipts, name)
	}
	one := text[strings.Index(text, "<quittung>") : strings.Index(text, "</quittung>")+len("</quittung>")]
	short := strings.Join(strings.Fields(one), "")
	_, err = readResult(1, []byte(replaced(t, text, one, strings.Repeat(short, contract.MaxReceipts))))
	require.Error(t, err, "more receipts than the contract allows")
}

func TestReadExport_SaysWhatItsNameSays(t *testing.T) {
	text := string(example(t, "export"))
	name := contract.Export{From: 1, To: 1, Run: 1}
	entries, err := readExport(name, []byte(text))
	require.NoError(t, err)
	require.Len(t, entries, 1)
	require.NoError(t, entries[0].broken)
	require.Len(t, entries[0].check, 12)
	for what, changed := range map[string]string{
		"other numbers": replaced(t, text, "<bis>1<", "<bis>2<"), "another number": replaced(t, text, "<exportnummer>1<", "<exportnummer>2<"),
		"no number": replaced(t, text, "<exportnummer>1</exportnummer>", ""), "number": replaced(t, text, "<exportnummer>1<", "<exportnummer>01<"),
		"twice":     replaced(t, text, "</export>", text[strings.Index(text, "<eintrag>"):strings.Index(text, "</eintrag>")]+"</eintrag></export>"),
		"something": replaced(t, text, "</export>", "<x/></export>"), "half": text[:len(text)/2], "entity": replaced(t, text, "Schalter", "&evil;"),
	} {
		entries, err := readExport(name, []byte(changed))
		require.Error(t, err, what)
		require.Equal(t, fault.Park, fault.KindOf(err), what)
		require.Empty(t, entries, what)
	}
	_, err = readExport(contract.Export{From: 1, To: 2, Run: 1}, []byte(replaced(t, text, "<bis>1<", "<bis>2<")))
	require.Equal(t, "incomplete", fault.CodeOf(err))
	for what, changed := range map[string]string{
		"sequence": replaced(t, text, "<laufnummer>2<", "<laufnummer>0<"), "time": replaced(t, text, "Z</erfasstAm>", "</erfasstAm>"),
		"two contents": replaced(t, text, "</inhalt>", "<fallabschluss/></inhalt>"), "no id": replaced(t, text, "<eintragsnummer>T0000002</eintragsnummer>", ""),
		"more": replaced(t, text, "</inhalt>", "</inhalt><x/>"),
	} {
		entries, err := readExport(name, []byte(changed))
		require.NoError(t, err, what)
		require.Equal(t, fault.Park, fault.KindOf(entries[0].broken), what)
		require.NotEmpty(t, entries[0].raw, what)
		require.Empty(t, entries[0].record, what)
	}
}

func FuzzResult(f *testing.F) {
	f.Add(example(f, "ergebnis"))
	f.Add([]byte(`<ergebnis xmlns="urn:einmal-hub:tutoris:1"><lauf>1</lauf><beendetAm>2026-03-02T08:30:00Z</beendetAm></ergebnis>`))
	f.Fuzz(func(t *testing.T, b []byte) {
		receipts, err := readResult(1, b)
		if err != nil {
			require.Equal(t, fault.Park, fault.KindOf(err))
			return
		}
		require.LessOrEqual(t, len(receipts), contract.MaxReceipts)
		for _, r := range receipts {
			require.NotEmpty(t, r.reference)
			require.Positive(t, r.attempt)
			require.NotEqual(t, r.refusal == "", r.record.Record == "" || r.record.Case == "")
		}
	})
}

func FuzzExport(f *testing.F) {
	f.Add(example(f, "export"))
	f.Fuzz(func(t *testing.T, b []byte) {
		entries, err := readExport(contract.Export{From: 1, To: 1, Run: 1}, b)
		if err != nil {
			require.Equal(t, fault.Park, fault.KindOf(err))
			return
		}
		require.Len(t, entries, 1)
		for _, e := range entries {
			require.EqualValues(t, 1, e.number)
			if e.broken != nil {
				require.NotEmpty(t, e.raw)
				continue
			}
			require.NotEmpty(t, e.record.ID)
			require.NotEmpty(t, e.record.Body)
			require.Positive(t, e.record.Sequence)
		}
	})
}

func FuzzPosition(f *testing.F) {
	f.Add("12-0123456789ab")
	f.Add("12-")
	f.Fuzz(func(t *testing.T, s string) {
		p, err := parsePosition(place{number: 12, check: s}.position())
		require.NoError(t, err)
		require.Equal(t, place{number: 12, check: s}, p)
	})
}
