package ivdossier

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/native"
	contract "github.com/einmal-hub/einmal/contracts/native/ivdossier"
)

// opened is an office with one case, whose register lies there.
func opened(t *testing.T) (*office, native.CaseKey) {
	t.Helper()
	o := open(t)
	r := o.apply(t, entry("application-submitted", 1, ""))
	o.read(t, "")
	return o, r.Case
}

func shelved(t *testing.T, o *office, kind string) []string {
	t.Helper()
	files, err := filepath.Glob(o.path(contract.Shelved, kind+"*"))
	require.NoError(t, err)
	return files
}

func TestRegister_HasOneRowForEachCase(t *testing.T) {
	o, key := opened(t)
	r := o.register(t)
	require.Equal(t, canary, r.get(key, "Nachname"))
	require.Equal(t, "sd-kriens", r.get(key, "Antragsteller"))
	require.Equal(t, "1", r.get(key, contract.ColumnEntries))
	link, target, err := r.file.GetCellHyperLink(contract.RegisterSheet, "A2")
	require.NoError(t, err)
	require.True(t, link)
	require.Equal(t, "Faelle/"+string(key), target)
	o.apply(t, entry("clarification-answered", 2, key))
	o.clerk(t, "application-submitted", 8, "")
	batch := o.read(t, "")
	r = o.register(t)
	require.Equal(t, "2", r.get(key, contract.ColumnEntries))
	require.Equal(t, "Antwort auf eine Rückfrage", r.get(key, contract.ColumnLast))
	require.Equal(t, "1", r.get(batch.Records[2].Case, contract.ColumnEntries))
	history, err := r.file.GetRows(contract.HistorySheet)
	require.NoError(t, err)
	require.Len(t, history, 4)
	require.Equal(t, string(batch.Records[2].ID), history[3][0], "staff see what was taken, and under which number")
	require.Equal(t, []string{"dieser Stelle", "2026"}, []string{history[3][5], history[3][6][:4]})
}

func TestRegister_WhatStaffWriteBesideACaseStays(t *testing.T) {
	o, key := opened(t)
	o.register(t).set(key, contract.ColumnNote, "anrufen\n=1+1").set(key, contract.ColumnStaff, "Frau Zurbriggen").save()
	saved, err := os.ReadFile(o.path(contract.Register))
	require.NoError(t, err)
	o.read(t, "")
	now, err := os.ReadFile(o.path(contract.Register))
	require.NoError(t, err)
	require.Equal(t, saved, now, "as long as einmal has nothing to add, the file of staff stays as it is")
	o.apply(t, entry("clarification-answered", 2, key))
	o.read(t, "")
	r := o.register(t)
	require.Equal(t, "2", r.get(key, contract.ColumnEntries))
	require.Equal(t, "anrufen\n=1+1", r.get(key, contract.ColumnNote))
	require.Equal(t, "Frau Zurbriggen", r.get(key, contract.ColumnStaff))
	require.Len(t, shelved(t, o, shelvedMerged), 1, "the version that staff saved is kept for a time")
	o.later(31 * 24 * time.Hour)
	o.read(t, "")
	require.Empty(t, shelved(t, o, shelvedMerged))
}

// The lost update: somebody has the register open while einmal replaces it, and saves over what einmal wrote.
func TestRegister_SavingOverWhatEinmalWroteLosesNothing(t *testing.T) {
	o, key := opened(t)
	first, second := o.register(t), o.register(t)
	first.set(key, contract.ColumnNote, "von der Ersten").save()
	o.apply(t, entry("clarification-answered", 2, key))
	o.read(t, "")
	second.set(key, contract.ColumnStaff, "Herr Amrein").set(key, contract.ColumnNote, "vom Zweiten").save()
	require.Equal(t, "1", o.register(t).get(key, contract.ColumnEntries), "the old version lies there again")
	require.Empty(t, o.read(t, "").Broken)
	r := o.register(t)
	require.Equal(t, "2", r.get(key, contract.ColumnEntries))
	require.Equal(t, "Herr Amrein", r.get(key, contract.ColumnStaff))
	require.Equal(t, "von der Ersten\nvom Zweiten", r.get(key, contract.ColumnNote), "both edits of one cell are kept")
}

// Another gateway that was thought dead files a version away between two looks of this one.
func TestRegister_WhatAnotherGatewayHasFiledAwayMeanwhileIsNoFailure(t *testing.T) {
	o, key := opened(t)
	o.register(t).set(key, contract.ColumnNote, "anrufen").save()
	o.apply(t, entry("clarification-answered", 2, key))
	filed := 0
	o.ex.meet = func(op, name string) error {
		if strings.HasPrefix(name, aside+"/") && (op == "read" && filed == 0 || op == "rename" && filed == 1) {
			filed++
			require.NoError(t, ignoreMissing(os.Remove(o.path(name))))
		}
		return nil
	}
	o.read(t, "")
	require.Positive(t, filed)
}

func TestRegister_ClearingACellIsAnEditUnlessSomebodyElseWroteThere(t *testing.T) {
	o, key := opened(t)
	o.register(t).set(key, contract.ColumnNote, "alt").save()
	o.apply(t, entry("clarification-answered", 2, key))
	o.read(t, "")
	clearing, writing := o.register(t), o.register(t)
	writing.set(key, contract.ColumnNote, "neu").save()
	o.read(t, "")
	clearing.set(key, contract.ColumnNote, "").save()
	o.apply(t, entry("clarification-answered", 3, key))
	o.read(t, "")
	require.Equal(t, "neu", o.register(t).get(key, contract.ColumnNote))
	o.register(t).set(key, contract.ColumnNote, "").save()
	o.apply(t, entry("clarification-answered", 4, key))
	o.read(t, "")
	require.Empty(t, o.register(t).get(key, contract.ColumnNote))
}

func TestRegister_WhatSomebodyHasOpenIsNotReplaced(t *testing.T) {
	for _, libre := range []bool{false, true} {
		o, key := opened(t)
		unlock := o.lock(t, libre, contract.Register)
		o.apply(t, entry("clarification-answered", 2, key))
		o.read(t, "")
		require.Equal(t, "1", o.register(t).get(key, contract.ColumnEntries))
		unlock()
		o.read(t, "")
		require.Equal(t, "2", o.register(t).get(key, contract.ColumnEntries))
		o.lock(t, libre, contract.Register)
		o.apply(t, entry("clarification-answered", 3, key))
		o.later(13 * time.Hour)
		o.read(t, "")
		require.Equal(t, "3", o.register(t).get(key, contract.ColumnEntries), "a lock that was left behind loses its effect")
	}
}

func TestRegister_WhatIsWrittenWhereEinmalWritesIsPutBeforeAPerson(t *testing.T) {
	for name, change := range map[string]func(*workbook, native.CaseKey){
		"a cell": func(w *workbook, key native.CaseKey) { w.set(key, "Wohnort", "anderswo") },
		"a row more": func(w *workbook, _ native.CaseKey) {
			require.NoError(w.t, w.file.SetCellStr(contract.RegisterSheet, "B9", "Notiz"))
		},
		"a column": func(w *workbook, _ native.CaseKey) {
			require.NoError(w.t, w.file.SetCellStr(contract.RegisterSheet, "T1", "Mehr"))
		},
		"a sheet": func(w *workbook, _ native.CaseKey) {
			_, err := w.file.NewSheet("Eigene")
			require.NoError(w.t, err)
			require.NoError(w.t, w.file.SetCellStr("Eigene", "A1", "Notiz"))
		},
		"the history": func(w *workbook, _ native.CaseKey) {
			require.NoError(w.t, w.file.SetCellStr(contract.HistorySheet, "D2", "anders"))
		},
		"a formula": func(w *workbook, _ native.CaseKey) {
			require.NoError(w.t, w.file.SetCellFormula(contract.RegisterSheet, "M2", "1+1"))
		},
		"no title": func(w *workbook, _ native.CaseKey) {
			require.NoError(w.t, w.file.SetCellStr(contract.RegisterSheet, "M1", ""))
		},
	} {
		t.Run(name, func(t *testing.T) {
			o, key := opened(t)
			o.register(t).set(key, contract.ColumnNote, "bleibt").save()
			o.read(t, "")
			w := o.register(t)
			change(w, key)
			w.save()
			batch := o.read(t, "")
			require.Len(t, batch.Broken, 1)
			requireFault(t, batch.Broken[0].Reason, fault.Park, "register")
			require.Equal(t, w.bytes(), batch.Broken[0].Raw)
			require.Equal(t, batch.Broken, o.read(t, "").Broken, "until somebody deals with it, under the same number")
			r := o.register(t)
			require.NotEqual(t, "anderswo", r.get(key, "Wohnort"))
			if name != "a formula" {
				require.Equal(t, "bleibt", r.get(key, contract.ColumnNote))
			}
			require.Len(t, shelved(t, o, shelvedLook), 1)
			require.NoError(t, os.Remove(shelved(t, o, shelvedLook)[0]))
			require.Empty(t, o.read(t, "").Broken)
		})
	}
}

func TestRegister_AFileThatCannotBeReadWaitsAndIsThenSetAside(t *testing.T) {
	o, key := opened(t)
	whole, err := os.ReadFile(o.path(contract.Register))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(o.path(contract.Register), whole[:len(whole)/2], 0o600))
	require.Empty(t, o.read(t, "").Broken, "it may be being written")
	o.later(11 * time.Minute)
	require.Len(t, o.read(t, "").Broken, 1)
	require.Equal(t, "1", o.register(t).get(key, contract.ColumnEntries))
	require.NoError(t, os.Remove(o.path(contract.Register)))
	o.read(t, "")
	require.Equal(t, "1", o.register(t).get(key, contract.ColumnEntries), "a register that somebody deleted is made anew")
}

func TestRegister_NoTextIsAFormula(t *testing.T) {
	o := open(t)
	for i, evil := range []string{"=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "=HYPERLINK(\"http://x\")", "|calc"} {
		e := entry("application-submitted", i, "")
		e.Body = []byte(strings.Replace(string(e.Body), `"Nachname":"`+canary, `"Nachname":"`+strings.NewReplacer(`"`, `\"`, "\t", `\t`).Replace(evil), 1))
		r := o.apply(t, e)
		o.read(t, "")
		w := o.register(t)
		require.Equal(t, "'"+evil, w.get(r.Case, "Nachname"))
		at := w.column("Nachname") + fmt.Sprint(w.row(r.Case))
		formula, err := w.file.GetCellFormula(contract.RegisterSheet, at)
		require.NoError(t, err)
		require.Empty(t, formula)
		style, err := w.file.GetCellStyle(contract.RegisterSheet, at)
		require.NoError(t, err)
		format, err := w.file.GetStyle(style)
		require.NoError(t, err)
		require.Equal(t, textFormat, format.NumFmt, "editing the cell does not make one either")
	}
	require.NoError(t, o.mock.Settle(t.Context()))
	require.Equal(t, 7, o.mock.Store().Len())
}

// I1: three people edit the register, with versions that may be old; einmal writes, reads and ends at any step; somebody saves between any two steps of einmal's. Every text that was ever saved in a cell of
// staff stands in it at the end, and the register is up to date.
func TestI1_NoEditOfTheRegisterIsEverLost(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		h := newHustle(rt)
		defer h.end()
		for range rapid.IntRange(4, 20).Draw(rt, "actions") {
			rapid.SampledFrom([]func(*rapid.T){h.open, h.edit, h.edit, h.save, h.lock, h.come, h.read, h.read}).Draw(rt, "action")(rt)
		}
		h.check()
	})
}

// replacing is an office whose register is about to be replaced: staff saved it, an entry has come since, and somebody has an older version open.
func replacing(t *testing.T) (base *office, key native.CaseKey, older []byte) {
	t.Helper()
	base = open(t)
	key = base.apply(t, entry("application-submitted", 1, "")).Case
	base.read(t, "")
	first, second := base.register(t), base.register(t)
	first.set(key, contract.ColumnStaff, "<1>").save()
	base.apply(t, entry("clarification-answered", 2, key))
	return base, key, second.set(key, contract.ColumnNote, "<2>").set(key, contract.ColumnStaff, "<1><3>").bytes()
}

// I1: somebody who has an old version open saves between any two steps of a reading that replaces the register; the process may end right after that.
func TestI1_SomebodySavesBetweenAnyTwoStepsOfReplacing(t *testing.T) {
	base, key, older := replacing(t)
	reached := true
	for n := 1; reached; n += *every {
		o := copyOf(t, base)
		met, dies := 0, n%2 == 0
		reached = false
		o.ex.meet = func(_, name string) error {
			if strings.HasPrefix(name, contract.Cases) || strings.HasPrefix(name, contract.Blank) || strings.HasPrefix(name, journal) || strings.HasPrefix(name, entries) {
				return nil // nothing of the register
			}
			if met++; met == n {
				reached = true
				saveAs(t, o.path(contract.Register), older)
			}
			if dies && met >= n+2 {
				return errKilled
			}
			return nil
		}
		_, err := o.ex.Read(t.Context(), "", 100)
		if o.ex.meet = nil; !dies || met < n+2 {
			require.NoError(t, err)
		}
		o.ex = o.again(t)
		require.Empty(t, o.read(t, "").Broken)
		if reached {
			s := registerOf(t, o)
			require.Len(t, s.lines, 1)
			require.Equal(t, [2]string{"<1><3>", "<2>"}, s.lines[0].Staff, "step %d", n)
			require.Contains(t, s.lines[0].Cells, "2", "step %d: %s", n, key)
		}
		require.Less(t, n, 300)
	}
}

// hustle is a register that everybody works on.
type hustle struct {
	t       *rapid.T
	o       *office
	ex      *exchange
	cases   []native.CaseKey
	editors [3]*workbook
	typed   [3][]token // typed and not saved yet, or saved and still open
	saved   []token
	unseen  int // 1 + the editor whose version lies there and was not read yet; 0: nobody's
	n       int
	unlock  func()
}

type token struct {
	in   native.CaseKey
	at   string
	text string
}

func newHustle(t *rapid.T) *hustle {
	now := time.Now()
	folder, err := os.MkdirTemp("", "ivdossier")
	require.NoError(t, err)
	h := &hustle{t: t, o: &office{folder: folder, clock: &now}, unlock: func() {}}
	h.o.layOut(t)
	h.ex = h.o.again(t)
	put(t, h.ex)
	for range 2 {
		h.come(t)
	}
	h.o.ex = h.ex
	h.o.read(t, "")
	return h
}

func (h *hustle) end() { _ = os.RemoveAll(h.o.folder) }

func (h *hustle) editor(t *rapid.T) int { return rapid.IntRange(0, 2).Draw(t, "editor") }

func (h *hustle) open(t *rapid.T) {
	k := h.editor(t)
	if _, err := os.Stat(h.o.path(contract.Register)); err == nil {
		h.editors[k], h.typed[k] = h.o.register(t), nil
	}
}

func (h *hustle) edit(t *rapid.T) {
	k := h.editor(t)
	if h.editors[k] == nil {
		return
	}
	rows, err := h.editors[k].file.GetRows(contract.RegisterSheet)
	require.NoError(t, err)
	key := native.CaseKey(rows[rapid.IntRange(1, len(rows)-1).Draw(t, "row")][0])
	h.n++
	at := rapid.SampledFrom([]string{contract.ColumnStaff, contract.ColumnNote}).Draw(t, "cell")
	text := fmt.Sprintf("<%d>", h.n)
	h.editors[k].set(key, at, h.editors[k].get(key, at)+text)
	h.typed[k] = append(h.typed[k], token{key, at, text})
}

func (h *hustle) save(t *rapid.T) { h.saveOf(h.editor(t)) }

// saveOf saves. That one of staff saves over another's version that einmal has not seen is kept from happening by the lock of their office program, which einmal can neither see nor mend.
func (h *hustle) saveOf(k int) bool {
	if h.editors[k] == nil || h.unseen != 0 && h.unseen != k+1 {
		return false
	}
	h.editors[k].save()
	h.saved, h.unseen = append(h.saved, h.typed[k]...), k+1
	return true
}

func (h *hustle) lock(t *rapid.T) {
	if rapid.Bool().Draw(t, "open") {
		before, now := h.unlock, h.o.lock(t, rapid.Bool().Draw(t, "libre"), contract.Register)
		h.unlock = func() { before(); now() }
		return
	}
	h.unlock()
}

func (h *hustle) come(t *rapid.T) {
	h.n++
	r, err := h.ex.Apply(t.Context(), entry("application-submitted", h.n, ""))
	require.NoError(t, err)
	h.cases = append(h.cases, r.Case)
}

// read lets einmal read; at one of its steps somebody saves, and at another it may end.
func (h *hustle) read(t *rapid.T) {
	save, who, kill := rapid.IntRange(0, 60).Draw(t, "saved at step"), h.editor(t), rapid.IntRange(0, 120).Draw(t, "ends at step")
	met, meanwhile := 0, false
	h.ex.meet = func(string, string) error {
		if met++; met == save {
			meanwhile = h.saveOf(who)
		}
		if met > kill {
			return errKilled
		}
		return nil
	}
	_, err := h.ex.Read(t.Context(), "", 100)
	if h.ex.meet = nil; met > kill {
		require.Error(t, err)
		h.ex = h.o.again(t)
		return
	}
	require.NoError(t, err)
	if !meanwhile {
		h.unseen = 0
	}
}

func (h *hustle) check() {
	h.unlock()
	h.o.ex = h.ex
	for range 3 {
		require.Empty(h.t, h.o.read(h.t, "").Broken)
	}
	r := h.o.register(h.t)
	for _, w := range h.saved {
		require.Contains(h.t, r.get(w.in, w.at), w.text, "an edit was lost")
	}
	for _, key := range h.cases {
		require.Equal(h.t, "1", r.get(key, contract.ColumnEntries))
	}
	left, err := os.ReadDir(h.o.path(aside))
	require.NoError(h.t, err)
	require.Empty(h.t, left)
}

// A register that grows beyond what can be read again stays as it is: nothing that was entered or noted is lost, and a person is told.
func TestRegister_WithoutRoomItStaysAndAPersonIsAsked(t *testing.T) {
	o, key := opened(t)
	o.ex.room.rows = 3 // the head, and two entries of the history
	require.Empty(t, o.read(t, "").Broken)
	o.apply(t, entry("clarification-answered", 2, key))
	require.Empty(t, o.read(t, "").Broken)
	o.register(t).set(key, contract.ColumnNote, "anrufen").save()
	r := o.apply(t, entry("clarification-answered", 3, key))
	for range 2 {
		batch := o.read(t, "")
		require.Len(t, batch.Broken, 1)
		require.Equal(t, "register-full", fault.CodeOf(batch.Broken[0].Reason))
		require.Equal(t, r.Record, batch.Records[len(batch.Records)-1].ID, "entries go on")
	}
	shown := o.register(t)
	require.Equal(t, "anrufen", shown.get(key, contract.ColumnNote))
	require.Equal(t, "2", shown.get(key, contract.ColumnEntries))
	o.ex.room = boundsOfRegister()
	o.apply(t, entry("clarification-answered", 4, key))
	require.Empty(t, o.read(t, "").Broken)
	shown = o.register(t)
	require.Equal(t, "4", shown.get(key, contract.ColumnEntries))
	require.Equal(t, "anrufen", shown.get(key, contract.ColumnNote))
}

// What einmal writes it can read again, also the register of an office that has gone on for many years.
func TestRegister_OfManyYearsIsReadAgain(t *testing.T) {
	o, key := opened(t)
	const cases, entries = 100, 60 // more rows than a document may have
	of := o.ex.index.cases[key]
	for n := range cases {
		other := native.CaseKey(fmt.Sprintf("IV-%08d", n))
		c := &caseOf{reference: of.reference, shown: of.shown}
		for range entries {
			i := *of.items[0]
			i.in = other
			c.items, o.ex.index.items = append(c.items, &i), append(o.ex.index.items, &i)
		}
		o.ex.index.cases[other], o.ex.index.order = c, append(o.ex.index.order, other)
	}
	version := state{Number: 2, Through: o.ex.index.last, Lines: o.ex.lines(nil)}
	b, err := o.ex.writeRegister(version)
	require.NoError(t, err)
	saved, err := o.ex.readRegister(b, known{version})
	require.NoError(t, err)
	require.False(t, saved.strange)
	require.Len(t, saved.lines, cases+1)
}

// Versions of a large register are forgotten earlier than those of a small one, and never the latest.
func TestRegister_ItsVersionsHaveABound(t *testing.T) {
	o, key := opened(t)
	d, err := o.ex.open(opRead)
	require.NoError(t, err)
	defer d.close()
	lines := make([]line, keptLines/leastKept)
	for i := range lines {
		lines[i] = line{Case: key, Cells: []string{}}
	}
	for n := range uint64(leastKept + 5) {
		require.NoError(t, ignoreExisting(o.ex.record(d, state{Number: 100 + n, Lines: lines})))
	}
	all, err := o.ex.states(d)
	require.NoError(t, err)
	require.Len(t, all, leastKept+1)
	require.Equal(t, uint64(100+leastKept+4), all.latest().Number)
	names, err := d.names(states)
	require.NoError(t, err)
	require.Len(t, names, leastKept+1)
	require.Len(t, o.ex.versions, leastKept+1)
}
