package core

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
)

func anyEntry(t *rapid.T) Entry {
	text := func(name string) string {
		return rapid.OneOf(rapid.StringMatching(`[ -~]{0,12}`), rapid.String()).Draw(t, name)
	}
	return Entry{
		Number: rapid.Uint64().Draw(t, "number"), ID: native.RecordID(text("id")), Case: native.CaseKey(text("case")), Sequence: rapid.Uint64().Draw(t, "sequence"),
		Kind: native.Kind(text("kind")), Organisation: "sd-kriens", Dossier: handover.OrganisationID(text("dossier")), CaseReference: handover.CaseID(text("case reference")),
		Reference: native.Reference(text("reference")), Action: handover.Action(text("action")), Refers: native.RecordID(text("refers")), By: ByClerk,
		Documents: rapid.SampledFrom([][]string{nil, {"a"}, {"a", "b"}}).Draw(t, "documents"),
		At:        time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "second"), rapid.Int64Range(0, 999_999_999).Draw(t, "nanosecond")).UTC(),
		Body:      []byte(text("body")),
	}
}

// same demands that a line is read without a decoder exactly as with one, or is left to it.
func same(t require.TestingT, line []byte) {
	got, err := parseLine(line)
	want, wrong := decodeLine(line)
	require.Equal(t, wrong == nil, err == nil, "%s", line)
	if err == nil {
		require.Equal(t, want, got.entry(), "%s", line)
	}
}

func TestParseLine_ReadsWhatADecoderReads(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := anyEntry(t)
		line, err := appendLine(nil, e)
		require.NoError(t, err)
		line = bytes.TrimSuffix(line, []byte("\n"))
		got, err := parseLine(line)
		require.NoError(t, err)
		require.Equal(t, e, got.entry())
		line[rapid.IntRange(0, len(line)-1).Draw(t, "at")] = rapid.Byte().Draw(t, "wrong")
		same(t, line)
	})
}

func TestParseLine_ReadsOtherFormsToo(t *testing.T) {
	const whole = `{"number":1,"id":"a","case":"b","sequence":1,"kind":"k","organisation":"o","dossier":"d","caseReference":"","reference":"","by":"clerk","at":"2026-01-01T00:00:00Z","body":"x\\n\\"y"}`
	for _, change := range [][2]string{
		{"", ""}, {`x\n`, `x\u000a\u0041`}, {`x\n`, `x\/`}, {`x\n`, `x\q`}, {`x\n`, "x\xff"}, {`x\n`, "x\u00e4\u2028"}, {`x\n`, "x\x01"}, {`x\n`, `x"`}, {`y"}`, `y\"}`},
		{`"number":1`, `"number":01`}, {`"number":1`, `"number":-1`}, {`"number":1`, `"number":99999999999999999999`}, {`"number":1,`, ``}, {`"number":1,`, `"number":1,"other":2,`},
		{`,"id"`, `, "id"`}, {`,"by"`, `,"documents":[],"by"`}, {`,"by"`, `,"documents":["a","b"],"by"`}, {`,"by"`, `,"documents":["a"x],"by"`}, {`,"by"`, `,"action":"recall","refers":"a","by"`},
		{`00Z`, `00+01:00`}, {`2026-01-01T`, `2026-01-01 `}, {`2026-01-01T00`, `2026-13-01T00`}, {`"id":"a"`, `"id":"\u00e4"`}, {`"id":"a"`, `"id":",\"body\":\""`},
	} {
		same(t, []byte(strings.Replace(whole, change[0], change[1], 1)))
	}
	for end := range len(whole) {
		same(t, []byte(whole[:end]))
	}
}

func TestStore_FindsTheSameTextsInWhatItReadBack(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(Options{System: "klib", Dir: dir})
	require.NoError(t, err)
	for _, body := range []string{"eine\nZeile [M1-1]", `"a" \ <b>`, "\x01 wirr", "", "Bürglen"} {
		_, _, err := s.Write(t.Context(), Write{Body: []byte(body)})
		require.NoError(t, err)
	}
	require.NoError(t, s.Close())
	again, err := Open(Options{System: "klib", Dir: dir})
	require.NoError(t, err)
	defer func() { require.NoError(t, again.Close()) }()
	for text, found := range map[string]int{"": 5, "[M1-1]": 1, "nZeile": 0, "\nZeile": 1, `" \ <`: 1, `\`: 1, "\x01": 1, "ü": 1, "\xc3": 1, `u00`: 0} {
		require.Len(t, again.Containing(text), found, "%q", text)
		require.Equal(t, s.Containing(text), again.Containing(text), "%q", text)
	}
}

func TestStore_HeadsAreTheEntriesWithoutTheirContents(t *testing.T) {
	s, err := Open(Options{System: "klib"})
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	for range 3 {
		_, _, err := s.Write(t.Context(), Write{Kind: "notiz", Body: []byte("x")})
		require.NoError(t, err)
	}
	n := uint64(1)
	for e := range s.Heads(1) {
		want := s.After(n, 1)[0]
		want.Body = nil
		require.Equal(t, want, e)
		n++
	}
	require.EqualValues(t, 3, n)
	for range s.Heads(9) {
		t.Fatal("there is no such entry")
	}
}

func TestNotes_OutliveTheProgramButNotATornLine(t *testing.T) {
	name := filepath.Join(t.TempDir(), "notes")
	var lines []string
	read := func(line string) error { lines = append(lines, line); return nil }
	n, err := OpenNotes(name, read)
	require.NoError(t, err)
	require.NoError(t, n.Add("a b"))
	require.NoError(t, n.Close())
	f, err := os.OpenFile(name, os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = f.WriteString("to")
	require.NoError(t, err)
	require.NoError(t, f.Close())
	for range 2 {
		n, err = OpenNotes(name, read)
		require.NoError(t, err)
		require.NoError(t, n.Add("c"))
		require.NoError(t, n.Close())
	}
	require.Equal(t, []string{"a b", "a b", "c"}, lines)
	_, err = OpenNotes(name, func(string) error { return os.ErrInvalid })
	require.ErrorIs(t, err, os.ErrInvalid)
	var none *Notes
	require.NoError(t, none.Add("x"))
	require.NoError(t, none.Close())
}

// BenchmarkOpen measures what a mock pays when it is started again: a history of 20,000 entries.
func BenchmarkOpen(b *testing.B) {
	dir := b.TempDir()
	var lines []byte
	body := []byte(strings.Repeat(`<strasse kind="x">Geheimgasse, Bürglen</strasse>`, 25))
	for n := range uint64(20_000) {
		var err error
		lines, err = appendLine(lines, Entry{
			Number: n + 1, ID: native.RecordID(fmt.Sprintf("E-%06d", n)), Case: native.CaseKey(fmt.Sprintf("C-%06d", n/5)), Sequence: n%5 + 1, Kind: "notiz",
			Organisation: "sd-kriens", Dossier: "sd-kriens", Reference: native.Reference(fmt.Sprintf("r-%d", n)), By: ByInterface, At: time.Unix(1, 1).UTC(), Body: body,
		})
		require.NoError(b, err)
	}
	require.NoError(b, os.WriteFile(filepath.Join(dir, JournalName("klib")), lines, 0o600))
	b.SetBytes(int64(len(lines)))
	for b.Loop() {
		s, err := Open(Options{System: "klib", Dir: dir})
		require.NoError(b, err)
		require.NoError(b, s.Close())
	}
}
