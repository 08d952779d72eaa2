package tutoris

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/native"
	contract "github.com/einmal-hub/einmal/contracts/native/tutoris"
	"github.com/einmal-hub/einmal/mocks/core"
)

func export(from, to, run uint64) string {
	return contract.Export{From: from, To: to, Run: run}.File()
}

func TestRead_WhatTheStaffEnteredIsARecord(t *testing.T) {
	v := open(t)
	ids := v.clerk(t, 1)
	require.NoError(t, v.mock.Morning(t.Context()))
	batch, err := v.system.Source.Read(t.Context(), "", 10)
	require.NoError(t, err)
	require.Len(t, batch.Records, 1)
	e, ok := v.mock.Store().Entry(ids[0])
	require.True(t, ok)
	r := batch.Records[0]
	require.NoError(t, v.mock.Validate(r.Kind, r.Body))
	r.Body = nil
	require.Equal(t, native.Record{ID: e.ID, Kind: e.Kind, Case: e.Case, Organisation: "sd-kriens", Sequence: 1, At: e.At}, r)
}

// Files may come in any order, overlapping, again and in other portions: every entry comes once, in the order of the numbers.
func TestRead_TheOrderOfTheFilesMeansNothing(t *testing.T) {
	v := open(t)
	ids := v.exports(t, 7)
	require.NoError(t, v.mock.Reexport(2, 5))
	require.NoError(t, v.mock.Reexport(4, 7))
	require.NoError(t, v.mock.Reexport(1, 7))
	for _, limit := range []int{1, 2, 3, 100} {
		got, broken, end := readAll(t, v.again(t).Source, "", limit)
		require.Equal(t, ids, got, limit)
		require.Empty(t, broken)
		again, _, same := readAll(t, v.again(t).Source, end, limit)
		require.Empty(t, again, "an export that comes again is no news")
		require.Equal(t, end, same)
	}
	require.NoError(t, os.Rename(v.path(contract.Outbox, export(7, 7, 7)), v.path(contract.Outbox, export(7, 7, 99))), "the same file under another run")
	_, _, end := readAll(t, v.system.Source, "", 10)
	got, _, _ := readAll(t, v.system.Source, end, 10)
	require.Empty(t, got)
}

// A missing number is waited for, and nothing behind it is read before it.
func TestI1_AMissingExportIsWaitedForAndThenPutBeforeAPerson(t *testing.T) {
	v := open(t)
	ids := v.exports(t, 4)
	kept, err := os.ReadFile(v.path(contract.Outbox, export(2, 2, 2)))
	require.NoError(t, err)
	require.NoError(t, os.Remove(v.path(contract.Outbox, export(2, 2, 2))))
	got, broken, at := readAll(t, v.system.Source, "", 10)
	require.Equal(t, ids[:1], got)
	require.Empty(t, broken, "it may still come")
	v.later(time.Hour)
	got, broken, same := readAll(t, v.system.Source, at, 10)
	require.Empty(t, got)
	require.Equal(t, at, same)
	require.Len(t, broken, 1)
	require.Equal(t, native.RecordID("export-2"), broken[0].ID)
	requireFault(t, broken[0].Reason, fault.Park, "missing-export")
	require.ErrorContains(t, broken[0].Reason, "2 to 2")
	_, again, _ := readAll(t, v.system.Source, at, 10)
	require.Equal(t, broken[0].ID, again[0].ID, "it is the same question every time")
	require.NoError(t, os.WriteFile(v.path(contract.Outbox, export(2, 2, 9)), kept, 0o600))
	got, broken, _ = readAll(t, v.system.Source, at, 10)
	require.Equal(t, ids[1:], got)
	require.Empty(t, broken)
}

// A time that lies far ahead, as the clock of the server may say, does not hide what is missing or broken.
func TestI1_WhatIsMissingIsPutBeforeAPersonWhateverTheClockOfTheServerSays(t *testing.T) {
	ahead := time.Now().AddDate(1, 0, 0)
	v := open(t)
	v.exports(t, 2)
	require.NoError(t, os.Remove(v.path(contract.Outbox, export(1, 1, 1))))
	require.NoError(t, os.Chtimes(v.path(contract.Outbox, export(2, 2, 2)), ahead, ahead))
	_, broken, _ := readAll(t, v.system.Source, "", 10)
	require.Len(t, broken, 1)
	requireFault(t, broken[0].Reason, fault.Park, "missing-export")
	require.NoError(t, os.WriteFile(v.path(contract.Outbox, export(1, 1, 3)), []byte("<export"), 0o600))
	require.NoError(t, os.Chtimes(v.path(contract.Outbox, export(1, 1, 3)), ahead, ahead))
	_, broken, _ = readAll(t, v.system.Source, "", 10)
	require.Len(t, broken, 1)
	requireFault(t, broken[0].Reason, fault.Park, "broken-export")
}

func TestI1_AHalfWrittenExportIsNeverRead(t *testing.T) {
	v := open(t)
	ids := v.clerk(t, 3)
	require.NoError(t, v.mock.Morning(t.Context()))
	name := v.path(contract.Outbox, export(1, 3, 1))
	whole, err := os.ReadFile(name)
	require.NoError(t, err)
	for cut := range len(whole) {
		if cut%251 != 0 {
			continue
		}
		require.NoError(t, os.WriteFile(name, whole[:cut], 0o600))
		got, broken, at := readAll(t, v.system.Source, "", 10)
		require.Empty(t, got, cut)
		require.Empty(t, broken, cut)
		require.Empty(t, at, cut)
	}
	v.later(time.Hour)
	_, broken, _ := readAll(t, v.system.Source, "", 10)
	require.Len(t, broken, 1)
	requireFault(t, broken[0].Reason, fault.Park, "broken-export")
	require.NotEmpty(t, broken[0].Raw, "a person may want to see what there is")
	require.NoError(t, v.mock.Reexport(1, 3))
	got, broken, _ := readAll(t, v.system.Source, "", 10)
	require.Equal(t, ids, got, "the one that was exported again is read instead")
	require.Empty(t, broken)
	require.NoError(t, v.mock.Reexport(1, 3))
	last := v.path(contract.Outbox, export(1, 3, 3))
	require.NoError(t, os.WriteFile(last, whole[:100], 0o600))
	got, _, _ = readAll(t, v.system.Source, "", 10)
	require.Equal(t, ids, got, "and when the last one is broken, the one before it")
	again := strings.Replace(string(whole), "<eintragsnummer>", "<eintragsnummer>N", 1)
	replace := strings.NewReplacer("<bis>3<", "<bis>1<").Replace(again[:strings.Index(again, "</eintrag>")] + "</eintrag></export>")
	require.NoError(t, os.WriteFile(v.path(contract.Outbox, export(1, 1, 4)), []byte(replace), 0o600))
	got, _, _ = readAll(t, v.system.Source, "", 10)
	require.Equal(t, "N"+ids[0], got[0], "of several whole ones the last counts")
}

// What is being written has a name that begins with a dot; other names are nobody's.
func TestRead_OtherNamesAreLeftAlone(t *testing.T) {
	v := open(t)
	ids := v.exports(t, 1)
	whole, err := os.ReadFile(v.path(contract.Outbox, export(1, 1, 1)))
	require.NoError(t, err)
	for _, name := range []string{"." + export(2, 2, 2) + ".tmp", "notes.txt", "export_2.xml", "EXPORT_0000000002_0000000002_0000000002.XML"} {
		require.NoError(t, os.WriteFile(v.path(contract.Outbox, name), whole, 0o600))
	}
	require.NoError(t, os.Mkdir(v.path(contract.Outbox, export(2, 2, 2)), 0o700), "a folder is no file")
	require.NoError(t, os.Symlink("/etc/passwd", v.path(contract.Outbox, export(3, 3, 3))))
	v.later(time.Hour)
	got, broken, _ := readAll(t, v.system.Source, "", 10)
	require.Equal(t, ids, got)
	require.Empty(t, broken)
}

// One entry that is not what the contract describes spoils no other, as long as its place is certain.
func TestRead_ABrokenEntryDoesNotHoldUpTheOthers(t *testing.T) {
	v := open(t)
	ids := v.clerk(t, 3)
	require.NoError(t, v.mock.Morning(t.Context()))
	name := v.path(contract.Outbox, export(1, 3, 1))
	whole, err := os.ReadFile(name)
	require.NoError(t, err)
	parts := strings.SplitAfter(string(whole), "</eintrag>")
	parts[1] = strings.Replace(parts[1], "<laufnummer>1<", "<laufnummer>null<", 1)
	require.NoError(t, os.WriteFile(name, []byte(strings.Join(parts, "")), 0o600))
	for _, limit := range []int{1, 2, 10} {
		got, broken, end := readAll(t, v.system.Source, "", limit)
		require.Equal(t, []native.RecordID{ids[0], ids[2]}, got)
		require.Len(t, broken, 1)
		require.Equal(t, native.RecordID("eintrag-2"), broken[0].ID)
		require.Contains(t, string(broken[0].Raw), canary, "the raw bytes are kept for a person")
		require.NotContains(t, broken[0].Reason.Error(), canary)
		require.True(t, strings.HasPrefix(string(end), "3-"))
	}
}

func TestRead_ThePositionIsHeldAgainstWhatIsThere(t *testing.T) {
	v := open(t)
	v.exports(t, 3)
	_, _, end := readAll(t, v.system.Source, "", 10)
	for _, name := range v.names(t, contract.Outbox) {
		require.NoError(t, os.Remove(v.path(contract.Outbox, name)))
	}
	got, broken, same := readAll(t, v.system.Source, end, 10)
	require.Empty(t, got)
	require.Empty(t, broken, "old exports may be removed")
	require.Equal(t, end, same)
	_, err := v.system.Source.Read(t.Context(), "x", 10)
	requireFault(t, err, fault.Stop, "position")
	_, err = v.system.Source.Read(t.Context(), "7", 10)
	requireFault(t, err, fault.Stop, "position")
}

// A Tutoris that was set back gives its numbers again. Fewer than were read, or another entry under the number that was read last: both are noticed.
func TestI1_ATutorisThatWasSetBackIsNoticed(t *testing.T) {
	v := open(t)
	v.exports(t, 5)
	_, _, end := readAll(t, v.system.Source, "", 10)
	back := open(t)
	back.later(time.Hour)
	back.exports(t, 3)
	_, err := back.system.Source.Read(t.Context(), end, 10)
	requireFault(t, err, fault.Stop, adapters.PositionUnknown)
	ids := back.exports(t, 4)
	_, err = back.system.Source.Read(t.Context(), end, 10)
	requireFault(t, err, fault.Stop, adapters.PositionUnknown)
	got, _, _ := readAll(t, back.system.Source, "", 10)
	require.Len(t, got, 7)
	require.Equal(t, ids, got[3:])
}

func TestRead_BeginsWhereItIsTold(t *testing.T) {
	v := open(t)
	ids := v.exports(t, 4)
	require.NoError(t, os.Remove(v.path(contract.Outbox, export(1, 1, 1))))
	v.later(time.Hour)
	_, broken, _ := readAll(t, v.system.Source, "", 10)
	require.ErrorContains(t, broken[0].Reason, "set begin")
	got, broken, _ := readAll(t, v.with(t, func(c *Config) { c.Begin = 2 }).Source, "", 10)
	require.Equal(t, ids[1:], got)
	require.Empty(t, broken)
}

// Whatever portions, orders, repetitions and half files there are, and wherever a new process takes over: every entry comes, once in the order of its number.
func TestI1_NothingIsSkippedWhateverTheFilesDo(t *testing.T) {
	v := open(t)
	const entries = 12
	ids := v.exports(t, entries)
	for seed := range uint64(20) {
		for _, name := range v.names(t, contract.Outbox) {
			require.NoError(t, os.Remove(v.path(contract.Outbox, name)))
		}
		dice := rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // repeatable
		var got []native.RecordID
		at := native.Position("")
		for from := uint64(1); from <= entries; {
			to := min(entries, from+uint64(dice.IntN(4))) //nolint:gosec // a small number
			require.NoError(t, v.mock.Reexport(from, to))
			if dice.IntN(3) == 0 {
				half(t, v, dice)
			}
			if dice.IntN(3) > 0 {
				from = to + 1 // otherwise it comes again, or in another portion
			}
			more, broken, next := readAll(t, v.again(t).Source, at, 1+dice.IntN(4))
			require.Empty(t, broken)
			got, at = append(got, more...), next
		}
		require.NoError(t, v.mock.Reexport(1, entries))
		more, _, _ := readAll(t, v.again(t).Source, at, 3)
		require.Equal(t, ids, append(got, more...), "seed %d", seed)
	}
}

// half cuts one export off.
func half(t *testing.T, v *village, dice *rand.Rand) {
	t.Helper()
	names := v.names(t, contract.Outbox)
	slices.Sort(names)
	path := filepath.Join(v.folder, contract.Outbox, names[dice.IntN(len(names))])
	b, err := os.ReadFile(path) //nolint:gosec // a file of this test
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, b[:dice.IntN(len(b))], 0o600))
}

func TestRead_WhatEinmalWroteIsNotExported(t *testing.T) {
	v := open(t)
	v.handOver(t, entry("application-submitted", 1, ""))
	v.night(t)
	ids := v.clerk(t, 1)
	kind, body := mockAnswer()
	opened := v.find(t, entry("application-submitted", 1, ""))
	answer, _, err := v.mock.Store().Write(t.Context(), core.Write{Case: opened[0].Case, Kind: kind, Organisation: "sd-kriens", By: core.ByClerk, Body: body})
	require.NoError(t, err)
	require.NoError(t, v.mock.Morning(t.Context()))
	batch, err := v.system.Source.Read(t.Context(), "", 10)
	require.NoError(t, err)
	require.Len(t, batch.Records, 2)
	require.Equal(t, []native.RecordID{ids[0], answer.ID}, []native.RecordID{batch.Records[0].ID, batch.Records[1].ID})
	require.Equal(t, "0195e1a2-cccc-7000-8000-000000000001", string(batch.Records[1].CaseReference), "every entry of a case that einmal opened carries its id")
	require.EqualValues(t, 2, batch.Records[1].Sequence)
}
