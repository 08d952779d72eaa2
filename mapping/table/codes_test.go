package table_test

import (
	"os"
	"strings"
	"testing"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/mapping"
	"github.com/einmal-hub/einmal/mapping/table"
	"github.com/stretchr/testify/require"
)

// decided is a table with a list as text, one as numbers and one of yes and no.
const decided = "system: x\nformat: json\ncodes:\n  reason: {OTHER: a}\n  outcome: {DONE: 1, NOT_DONE: 2}\n  agreed: {TRUE: j, FALSE: n}\n" +
	"messages:\n  case-closed:\n    kind: z\n    fields:\n      - {native: am, canonical: closedOn, rule: date}\n      - {native: grund, canonical: reason, rule: code, list: reason}\n" +
	"      - {native: was, canonical: outcome, rule: code-int, list: outcome}\n      - {native: ok, outside: ok, rule: bool-code, list: agreed}\n" +
	"      - {canonical: documents, drop: true, because: none}\n      - {canonical: remark, drop: true, because: none}\n"

func other(t testing.TB, codes string) *table.Table {
	t.Helper()
	first, err := table.Load("x.yaml", []byte(decided))
	require.NoError(t, err)
	second, err := first.WithCodes("codes.yaml", []byte(codes))
	require.NoError(t, err)
	return second
}

// The words of another place take the place of the table's, list by list and as a whole.
func TestWithCodes_ReplacesWholeListsAndKeepsTheOthers(t *testing.T) {
	with := other(t, "codes:\n  reason: {PLACED: vermittelt, GIVEN_UP: abgebrochen}\n")
	closed := handover.CaseClosed{ClosedOn: "2026-03-02", Reason: "PLACED", Outcome: "DONE"}
	kind, body, err := with.Write(table.Content{Payload: closed, Outside: table.Outside{"ok": {"true"}}})
	require.NoError(t, err)
	require.JSONEq(t, `{"am":"2026-03-02","grund":"vermittelt","was":1,"ok":"j"}`, string(body))
	back, err := with.Read(kind, body)
	require.NoError(t, err)
	require.Equal(t, closed, back.Payload)
	closed.Reason = "OTHER"
	_, _, err = with.FromHandover(closed)
	require.Equal(t, []string{"unknown-code at reason", "outside at ok"}, findings(t, err), "a code of the list that was replaced is gone")
	require.Equal(t, []table.Code{{Canonical: "PLACED", Native: "vermittelt"}, {Canonical: "GIVEN_UP", Native: "abgebrochen"}}, with.Codes("reason"))
}

// What a system has words for can be asked, by the place in the message or beside it.
func TestCodesAt_AreThoseOfTheList(t *testing.T) {
	with := other(t, "codes:\n  reason: {PLACED: vermittelt, GIVEN_UP: abgebrochen}\n")
	codes, there := with.CodesAt("case-closed", "reason")
	require.True(t, there)
	require.Equal(t, []handover.Code{"PLACED", "GIVEN_UP"}, codes)
	codes, there = with.CodesAt("case-closed", "ok")
	require.True(t, there)
	require.Equal(t, []handover.Code{"TRUE", "FALSE"}, codes)
	for _, path := range []string{"closedOn", "remark", "nowhere", ""} {
		_, there = with.CodesAt("case-closed", path)
		require.False(t, there, path)
	}
	_, there = with.CodesAt("case-opened", "reason")
	require.False(t, there)
}

// The table itself stays what it is, and what was replaced once can be replaced again.
func TestWithCodes_ChangesNoOtherTable(t *testing.T) {
	first, err := table.Load("x.yaml", []byte(decided))
	require.NoError(t, err)
	second, err := first.WithCodes("codes.yaml", []byte("codes:\n  reason: {PLACED: v}\n"))
	require.NoError(t, err)
	third, err := second.WithCodes("codes.yaml", []byte("codes:\n  outcome: {WORK: 7}\n"))
	require.NoError(t, err)
	require.Equal(t, []table.Code{{Canonical: "OTHER", Native: "a"}}, first.Codes("reason"))
	require.Equal(t, []table.Code{{Canonical: "PLACED", Native: "v"}}, third.Codes("reason"))
	require.Equal(t, []table.Code{{Canonical: "WORK", Native: "7"}}, third.Codes("outcome"))
}

func TestWithCodes_AWrongFileIsRefusedWithTheLineOfEachFinding(t *testing.T) {
	first, err := table.Load("x.yaml", []byte(decided))
	require.NoError(t, err)
	for name, test := range map[string]struct{ yaml, code string }{
		"no YAML":                 {"codes: [", "yaml"},
		"empty":                   {"", "yaml"},
		"two documents":           {"codes:\n  reason: {A: a}\n---\ncodes: {}\n", "yaml"},
		"another key":             {"codes:\n  reason: {A: a}\nfields: {}\n", "unknown-key"},
		"no list":                 {"codes: {}\n", "missing-key"},
		"unknown list":            {"codes:\n  grund: {A: a}\n", "unknown-list"},
		"list twice":              {"codes:\n  reason: {A: a}\n  reason: {B: b}\n", "repeated-key"},
		"empty list":              {"codes:\n  reason: {}\n", "list-code"},
		"not a list":              {"codes:\n  reason: a\n", "yaml-type"},
		"code in lower case":      {"codes:\n  reason: {a: a}\n", "list-code"},
		"code twice":              {"codes:\n  reason: {A: a, A: b}\n", "repeated-key"},
		"native code twice":       {"codes:\n  reason: {A: a, B: a}\n", "list-code"},
		"native code with blanks": {"codes:\n  reason: {A: \"a \"}\n", "list-code"},
		"native code with breaks": {"codes:\n  reason: {A: \"a\\nb\"}\n", "list-code"},
		"number that is none":     {"codes:\n  outcome: {A: \"01\"}\n", "list-code"},
		"yes without no":          {"codes:\n  agreed: {TRUE: j}\n", "list-code"},
		"alias":                   {"codes:\n  reason: {A: &x a, B: *x}\n", "yaml-type"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := first.WithCodes("codes.yaml", []byte(test.yaml))
			require.Equal(t, fault.Stop, fault.KindOf(err))
			var found fault.Findings
			require.ErrorAs(t, err, &found)
			require.Equal(t, test.code, found[0].Code, "%v", found)
			require.Equal(t, "codes.yaml", found[0].File)
		})
	}
}

func TestMapper_TakesOtherCodes(t *testing.T) {
	data, err := os.ReadFile("testdata/klein.yaml")
	require.NoError(t, err)
	first, err := table.Load("klein.yaml", data)
	require.NoError(t, err)
	coded, able := first.Mapper().(mapping.Coded)
	require.True(t, able)
	_, err = coded.WithCodes("codes.yaml", []byte("codes:\n  nowhere: {A: a}\n"))
	require.Equal(t, fault.Stop, fault.KindOf(err))
}

// Whatever stands in the file, it is a table or findings, never a panic, and never a table that writes what is not JSON.
func FuzzWithCodes(f *testing.F) {
	f.Add("codes:\n  reason: {PLACED: vermittelt}\n  outcome: {A: 1}\n  agreed: {TRUE: y, FALSE: n}\n")
	f.Add("codes:\n  outcome: {A: x}\n")
	f.Add("codes: {reason: {A: \"\\u0000\"}}")
	f.Fuzz(func(t *testing.T, yaml string) {
		first, err := table.Load("x.yaml", []byte(decided))
		require.NoError(t, err)
		second, err := first.WithCodes("codes.yaml", []byte(yaml))
		if err != nil {
			var found fault.Findings
			require.ErrorAs(t, err, &found)
			return
		}
		closed := handover.CaseClosed{ClosedOn: "2026-03-02", Reason: second.Codes("reason")[0].Canonical, Outcome: second.Codes("outcome")[0].Canonical}
		kind, body, err := second.Write(table.Content{Payload: closed, Outside: table.Outside{"ok": {"true"}}})
		require.NoError(t, err)
		back, err := second.Read(kind, body)
		require.NoError(t, err, strings.ToValidUTF8(string(body), "?"))
		require.Equal(t, closed, back.Payload)
	})
}
