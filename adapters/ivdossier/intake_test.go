package ivdossier

import (
	"archive/zip"
	"bytes"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/native"
	contract "github.com/einmal-hub/einmal/contracts/native/ivdossier"
)

// filled fills in the blank form of a kind as it lies in the folder.
func (o *office) filled(t *testing.T, kind string, values map[string]any) *workbook {
	t.Helper()
	w := openWorkbook(t, o.path(contract.Blank, kind+".xlsx"))
	rows, err := w.file.GetRows(contract.FormSheet)
	require.NoError(t, err)
	left := len(values)
	for i, row := range rows {
		if v, there := values[row[0]]; there {
			require.NoError(t, w.file.SetCellValue(contract.FormSheet, fmt.Sprintf("B%d", i+1), v))
			left--
		}
	}
	require.Zero(t, left, "the form has every field")
	return w
}

// answer is a filled-in form, released.
func (o *office) answer(t *testing.T, text string) *workbook {
	t.Helper()
	return o.filled(t, "antwort", map[string]any{contract.NameRelease: contract.Released, "Antwort": text})
}

func TestBlankForms_LieThereForEveryKindAndAreWrittenOnce(t *testing.T) {
	o, _ := opened(t)
	files, err := os.ReadDir(o.path(contract.Blank))
	require.NoError(t, err)
	require.Len(t, files, 21)
	own := o.path(contract.Blank, "antwort.xlsx")
	require.NoError(t, os.WriteFile(own, []byte("von uns angepasst"), 0o600))
	require.NoError(t, os.Remove(o.path(contract.Blank, "entscheid.xlsx")))
	o.read(t, "")
	b, err := os.ReadFile(own)
	require.NoError(t, err)
	require.Equal(t, "von uns angepasst", string(b))
	w := openWorkbook(t, o.path(contract.Blank, "entscheid.xlsx"))
	offers, err := w.file.GetDataValidations(contract.FormSheet)
	require.NoError(t, err)
	require.NotEmpty(t, offers, "staff choose from lists")
}

func TestStaff_ADraftIsNotReadAndAReleasedDocumentIs(t *testing.T) {
	o, key := opened(t)
	w := o.filled(t, "antwort", map[string]any{"Antwort": "Ja"})
	path := o.path(contract.Cases, string(key), "Antwort an RAV.xlsx")
	saveAs(t, path, w.bytes())
	require.Len(t, o.read(t, "").Records, 1)
	saveAs(t, path, o.answer(t, "Ja").bytes())
	batch := o.read(t, "")
	require.Len(t, batch.Records, 2)
	require.Equal(t, native.Kind("antwort"), batch.Records[1].Kind)
	require.JSONEq(t, `{"Antwort":"Ja"}`, string(batch.Records[1].Body))
	require.Equal(t, key, batch.Records[1].Case)
	require.EqualValues(t, "0195e1a2-cccc-7000-8000-000000000001", batch.Records[1].CaseReference)
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NotEmpty(t, b, "the file of staff stays where it is, as it is")
}

func TestStaff_RenamedCopiedAndSavedAgainADocumentSaysTheSameOnce(t *testing.T) {
	o, key := opened(t)
	folder := o.path(contract.Cases, string(key))
	w := o.answer(t, "Ja")
	saveAs(t, filepath.Join(folder, "a.xlsx"), w.bytes())
	require.Len(t, o.read(t, "").Records, 2)
	require.NoError(t, os.Rename(filepath.Join(folder, "a.xlsx"), filepath.Join(folder, "b.xlsx")))
	require.NoError(t, w.file.SetColWidth(contract.FormSheet, "A", "B", 50))
	saveAs(t, filepath.Join(folder, "Kopie von b.xlsx"), w.bytes())
	saveAs(t, o.path(contract.NewCases, "verlegt.xlsx"), func() []byte {
		moved := o.answer(t, "Ja")
		rows, err := moved.file.GetRows(contract.FormSheet)
		require.NoError(t, err)
		for i, row := range rows {
			if row[0] == contract.NameCase {
				require.NoError(t, moved.file.SetCellStr(contract.FormSheet, fmt.Sprintf("B%d", i+1), strings.ToLower(string(key))))
			}
		}
		return moved.bytes()
	}())
	batch := o.read(t, "")
	require.Empty(t, batch.Broken)
	require.Len(t, batch.Records, 2)
}

func TestStaff_ADocumentThatWasTakenAndIsChangedIsPutBeforeAPerson(t *testing.T) {
	o, key := opened(t)
	path := o.path(contract.Cases, string(key), "a.xlsx")
	saveAs(t, path, o.answer(t, "Ja").bytes())
	o.read(t, "")
	saveAs(t, path, o.answer(t, "Nein").bytes())
	batch := o.read(t, "")
	require.Len(t, batch.Records, 2)
	require.Len(t, batch.Broken, 1)
	requireFault(t, batch.Broken[0].Reason, fault.Park, "changed")
	saveAs(t, o.path(contract.Cases, string(key), "b.xlsx"), o.answer(t, "Nein").bytes())
	batch = o.read(t, "")
	require.Len(t, batch.Records, 3, "as a document of its own it is taken")
	require.Empty(t, batch.Broken, "and the changed one says nothing new")
}

func TestStaff_WhatSomebodyHasOpenWaits(t *testing.T) {
	for _, libre := range []bool{false, true} {
		o, key := opened(t)
		path := []string{contract.Cases, string(key), "a.xlsx"}
		saveAs(t, o.path(path...), o.answer(t, "Ja").bytes())
		unlock := o.lock(t, libre, path...)
		require.Len(t, o.read(t, "").Records, 1)
		unlock()
		require.Len(t, o.read(t, "").Records, 2)
		path[2] = "b.xlsx"
		saveAs(t, o.path(path...), o.answer(t, "Nein").bytes())
		o.lock(t, libre, path...)
		o.later(13 * time.Hour)
		require.Len(t, o.read(t, "").Records, 3, "a lock that was left behind loses its effect")
	}
}

// I3: what one person saves while another's file is still being written waits for it in the folder of the case, for as long as a file may take.
func TestStaff_AHalfWrittenDocumentHoldsBackWhatWasSavedLaterInItsCase(t *testing.T) {
	for name, ahead := range map[string]time.Duration{"written now": 0, "written in a year, as the clock of the file share says": 365 * 24 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			o, key := opened(t)
			half := o.path(contract.Cases, string(key), "a.xlsx")
			b := o.answer(t, "Ja").bytes()
			saveAs(t, half, b[:len(b)/2])
			saveAs(t, o.path(contract.Cases, string(key), "b.xlsx"), o.answer(t, "Nein").bytes())
			if ahead == 0 {
				require.Len(t, o.read(t, "").Records, 1)
				o.later(11 * time.Minute)
			}
			at := time.Now().Add(ahead)
			require.NoError(t, os.Chtimes(half, at, at))
			batch := o.read(t, "")
			require.Len(t, batch.Records, 2, "it holds nothing back any more")
			require.Len(t, batch.Broken, 1)
			requireFault(t, batch.Broken[0].Reason, fault.Park, "unreadable")
		})
	}
}

// I3: a document of a case may also lie in the folder of new cases, and stands in the order of its case all the same.
func TestStaff_ADocumentInTheFolderOfNewCasesStandsInTheOrderOfItsCase(t *testing.T) {
	o, key := opened(t)
	folder := contract.Cases + "/" + string(key)
	of := func(w *workbook) []byte {
		require.NoError(t, w.file.SetCellStr(contract.FormSheet, "B3", string(key)))
		return w.bytes()
	}
	first := o.answer(t, "erst").bytes()
	saveAs(t, o.path(folder, "a.xlsx"), first[:len(first)/2])
	saveAs(t, o.path(contract.NewCases, "b.xlsx"), of(o.answer(t, "dann")))
	require.Len(t, o.read(t, "").Records, 1)
	require.NoError(t, os.Remove(o.path(folder, "a.xlsx")))
	require.Len(t, o.read(t, "").Records, 2)
	saveAs(t, o.path(contract.NewCases, "c.xlsx"), of(o.named(t, "Vertrag.pdf", nil)))
	saveAs(t, o.path(folder, "d.xlsx"), o.answer(t, "zuletzt").bytes())
	require.Len(t, o.read(t, "").Records, 2, "the one before it waits for its file")
	o.attach(t, []byte("%PDF"), contract.NewCases, "Vertrag.pdf")
	batch := o.read(t, "")
	require.Len(t, batch.Records, 4)
	require.Contains(t, string(batch.Records[2].Body), "Vertrag.pdf")
	require.Empty(t, batch.Broken)
}

// What is saved in place between the listing and the reading is read with the next one: it may be half of what it will be, and nobody is asked about it.
func TestStaff_WhatIsSavedWhileItIsReadWaits(t *testing.T) {
	o, key := opened(t)
	path := contract.Cases + "/" + string(key) + "/a.xlsx"
	b := o.answer(t, "Ja").bytes()
	saveAs(t, o.path(path), o.filled(t, "antwort", map[string]any{"Antwort": "Entwurf"}).bytes())
	long := time.Now().Add(-time.Hour)
	require.NoError(t, os.Chtimes(o.path(path), long, long))
	o.ex.meet = func(op, name string) error {
		if op == "read" && name == path {
			saveAs(t, o.path(path), b[:len(b)/2])
		}
		return nil
	}
	batch := o.read(t, "")
	require.Len(t, batch.Records, 1)
	require.Empty(t, batch.Broken)
	o.ex.meet = nil
	saveAs(t, o.path(path), b)
	require.Len(t, o.read(t, "").Records, 2)
}

// A file of another time, which a document names, and a lock of another time hold nothing back for ever.
func TestStaff_ATimeThatLiesAheadLetsNothingWait(t *testing.T) {
	o, key := opened(t)
	ahead := time.Now().AddDate(1, 0, 0)
	in := []string{contract.Cases, string(key), "Vertrag.pdf"}
	o.attach(t, []byte("%PDF"), in...)
	o.lock(t, true, contract.Cases, string(key), "a.xlsx")
	for _, name := range []string{"Vertrag.pdf", ".~lock.a.xlsx#"} {
		require.NoError(t, os.Chtimes(o.path(contract.Cases, string(key), name), ahead, ahead))
	}
	saveAs(t, o.path(contract.Cases, string(key), "a.xlsx"), o.named(t, "Vertrag.pdf", nil).bytes())
	require.Len(t, o.read(t, "").Records, 2)
	ahead = o.clock.Add(5 * time.Second)
	in[2] = "Zusatz.pdf"
	o.attach(t, []byte("%PD"), in...)
	require.NoError(t, os.Chtimes(o.path(in...), ahead, ahead))
	saveAs(t, o.path(contract.Cases, string(key), "b.xlsx"), o.named(t, "Zusatz.pdf", nil).bytes())
	require.Len(t, o.read(t, "").Records, 2, "a little ahead it may still be being written")
	o.later(time.Minute)
	require.Len(t, o.read(t, "").Records, 3)
}

// I3: a listing that is made while staff save may show the later of two documents alone. It waits for the next one, also when some file has a time that lies ahead.
func TestStaff_WhatAListingMissesIsNotOvertaken(t *testing.T) {
	for _, ahead := range []bool{false, true} {
		o, key := opened(t)
		folder := contract.Cases + "/" + string(key)
		if ahead {
			saveAs(t, o.path(folder, "z.xlsx"), o.filled(t, "antwort", map[string]any{"Antwort": "Entwurf"}).bytes())
			at := time.Now().AddDate(1, 0, 0)
			require.NoError(t, os.Chtimes(o.path(folder, "z.xlsx"), at, at))
		}
		first, second := o.answer(t, "erst").bytes(), o.answer(t, "dann").bytes()
		began, listings := time.Now(), 0
		o.ex.meet = func(op, name string) error {
			if op != "list" || name != folder {
				return nil
			}
			listings++
			if listings == 2 {
				saveAs(t, o.path(folder, "b.xlsx"), second)
			}
			return nil
		}
		require.Len(t, o.read(t, "").Records, 1)
		require.GreaterOrEqual(t, listings, 2)
		o.ex.meet = nil
		saveAs(t, o.path(folder, "a.xlsx"), first)
		require.NoError(t, os.Chtimes(o.path(folder, "a.xlsx"), began, began))
		batch := o.read(t, "")
		require.Len(t, batch.Records, 3)
		require.Contains(t, string(batch.Records[1].Body), "erst")
	}
}

func TestStaff_WhatTheProgramMadeOfAValueIsReadAsItIsShown(t *testing.T) {
	o, key := opened(t)
	w := o.filled(t, "kostenanfrage", map[string]any{
		contract.NameRelease: "Freigegeben", "Kostennummer": 17, "Massnahme": "Arbeitstraining", "Anbieter": "x", "Betrag": 1234.5,
		"Von": time.Date(2026, 3, 4, 0, 0, 0, 0, time.UTC), "Bis": "05.03.2026", "Rückgabe-bis": time.Date(2026, 2, 28, 0, 0, 0, 0, time.UTC),
	})
	saveAs(t, o.path(contract.Cases, string(key), "a.xlsx"), w.bytes())
	w = o.filled(t, "uebergabetermin", map[string]any{
		contract.NameRelease: contract.Released, "Beginn": time.Date(2026, 3, 4, 14, 30, 0, 0, time.UTC), "Ort": "Luzern",
	})
	saveAs(t, o.path(contract.Cases, string(key), "b.xlsx"), w.bytes())
	batch := o.read(t, "")
	require.Empty(t, batch.Broken)
	require.JSONEq(t, `{"Kostennummer":"17","Massnahme":"Arbeitstraining","Anbieter":"x","Betrag":"1234.50","Von":"04.03.2026","Bis":"05.03.2026","Rückgabe-bis":"28.02.2026"}`,
		string(batch.Records[1].Body))
	require.JSONEq(t, `{"Beginn":"04.03.2026 14:30","Ort":"Luzern"}`, string(batch.Records[2].Body))
}

func TestSpellTime(t *testing.T) {
	for _, c := range []struct {
		serial   float64
		from1904 bool
		want     cell
	}{
		{46085, false, cell{day, "04.03.2026"}}, {46085.604166666664, false, cell{day, "04.03.2026 14:30"}}, {44623, true, cell{day, "04.03.2026"}},
		{61, false, cell{day, "01.03.1900"}}, {60, false, cell{kind: wrong}}, {-1, true, cell{kind: wrong}}, {1e9, false, cell{kind: wrong}},
		{46085.99999, false, cell{day, "04.03.2026 23:59:59"}}, {46085.5, false, cell{day, "04.03.2026 12:00"}}, {0, true, cell{day, "01.01.1904"}},
	} {
		require.Equal(t, c.want, spellTime(c.serial, c.from1904), "%v", c)
	}
	for format, want := range map[string]bool{"dd.mm.yyyy": true, "TT.MM.JJJJ": true, "[h]:mm": true, "General": false, "0.00": false, `#,##0.00 "d"`: false, "@": false} {
		require.Equal(t, want, dated(&excelize.Style{CustomNumFmt: &format}), format)
	}
}

// stuckReason reads and demands exactly one file that cannot be taken.
func (o *office) stuckReason(t *testing.T) error {
	t.Helper()
	batch := o.read(t, "")
	require.Len(t, batch.Records, 1)
	require.Len(t, batch.Broken, 1)
	require.Equal(t, batch.Broken[0].ID, o.read(t, "").Broken[0].ID, "under the same number every time")
	return batch.Broken[0].Reason
}

func TestStaff_WhatCannotBeTakenIsPutBeforeAPerson(t *testing.T) {
	put := func(at, v string) func(*workbook) {
		return func(w *workbook) { require.NoError(w.t, w.file.SetCellStr(contract.FormSheet, at, v)) }
	}
	o, key := opened(t)
	for _, c := range []struct {
		name, code, place string
		change            func(*workbook)
	}{
		{"a formula", "formula", "", func(w *workbook) { require.NoError(w.t, w.file.SetCellFormula(contract.FormSheet, "B9", "1+1")) }},
		{"a remark beside", "outside", "", put("C5", "Achtung")}, {"a value without name", "nameless", "", put("B60", "Achtung")},
		{"a name twice", "names", "", func(w *workbook) { put("A60", "Antwort")(w); put("B60", "Nein")(w) }},
		{"no name", "names", "", func(w *workbook) { put("A60", "Kopf..x")(w); put("B60", "Nein")(w) }},
		{"another sheet", "other-sheet", "", func(w *workbook) {
			_, err := w.file.NewSheet("Tabelle1")
			require.NoError(w.t, err)
			require.NoError(w.t, w.file.SetCellStr("Tabelle1", "D4", "Notiz"))
		}},
		{"an unknown word of release", "release", "", put("B4", "vielleicht")}, {"an unknown form", "unknown-kind", "", put("B2", "brief")},
		{"another case", "other-case", "", put("B3", "IV-AAAAAAAAAAAAAAAA")},
		{"no case", "not-opening", contract.NewCases, func(*workbook) {}}, {"an unknown case", "unknown-case", contract.NewCases, put("B3", "IV-AAAAAAAAAAAAAAAA")},
		{"a copy of what einmal wrote", "received-document", "", func(w *workbook) { put("A60", contract.NameReference)(w); put("B60", "0195e1a2")(w) }},
		{"an error", "value", "", func(w *workbook) { require.NoError(w.t, w.file.SetCellFloat(contract.FormSheet, "B8", 1e300, -1, 64)) }},
		{"too much", "too-large", "", func(w *workbook) {
			for i := range 3 {
				put(fmt.Sprintf("A%d", 60+i), fmt.Sprintf("Mehr-%c", 'a'+i))(w)
				put(fmt.Sprintf("B%d", 60+i), strings.Repeat("x", 30_000))(w)
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := o.answer(t, canary)
			c.change(w)
			folder := filepath.Join(contract.Cases, string(key))
			if c.place != "" {
				folder = c.place
			}
			saveAs(t, o.path(folder, "a.xlsx"), w.bytes())
			requireFault(t, o.stuckReason(t), fault.Park, c.code)
			require.NoError(t, os.Remove(o.path(folder, "a.xlsx")))
		})
	}
}

func TestStaff_AnApplicationInTheFolderOfACaseIsPutBeforeAPerson(t *testing.T) {
	o, key := opened(t)
	o.clerk(t, "application-submitted", 8, "")
	lies, err := filepath.Glob(o.path(contract.NewCases, "*.xlsx"))
	require.NoError(t, err)
	require.NoError(t, os.Rename(lies[0], o.path(contract.Cases, string(key), "a.xlsx")))
	requireFault(t, o.stuckReason(t), fault.Park, "opening")
}

// archive makes a ZIP file.
func archive(t testing.TB, members map[string][]byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for name, content := range members {
		f, err := w.Create(name)
		require.NoError(t, err)
		_, err = f.Write(content)
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return b.Bytes()
}

// parts takes a workbook apart.
func parts(t testing.TB, b []byte) map[string][]byte {
	t.Helper()
	r, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	require.NoError(t, err)
	all := map[string][]byte{}
	for _, f := range r.File {
		all[f.Name], err = unpack(f, 1<<30)
		require.NoError(t, err)
	}
	return all
}

func TestHostileFilesAreNotReadAndHoldNothingUp(t *testing.T) {
	o, key := opened(t)
	good := o.answer(t, "Ja").bytes()
	with := func(name string, content []byte) []byte {
		all := parts(t, good)
		all[name] = content
		return archive(t, all)
	}
	sheetWith := func(from, to string) []byte {
		all := parts(t, good)
		changed := bytes.Replace(all["xl/worksheets/sheet1.xml"], []byte(from), []byte(to), 1)
		require.NotEqual(t, all["xl/worksheets/sheet1.xml"], changed)
		all["xl/worksheets/sheet1.xml"] = changed
		return archive(t, all)
	}
	flipped := bytes.Clone(good)
	flipped[len(flipped)/3] ^= 0xff
	lying := bytes.Clone(good)
	crc := crc32.ChecksumIEEE(parts(t, good)["xl/worksheets/sheet1.xml"])
	lying = bytes.ReplaceAll(lying, []byte{byte(crc), byte(crc >> 8), byte(crc >> 16), byte(crc >> 24)}, []byte{1, 2, 3, 4})
	for name, b := range map[string][]byte{
		"bomb":      with("xl/media/x.bin", make([]byte, contract.MaxBook+1)),
		"far row":   sheetWith(`<row r="2"`, `<row r="1048576"`),
		"far cell":  sheetWith(`r="A2"`, `r="XFD2"`),
		"half":      good[:len(good)/2],
		"flipped":   flipped,
		"lying":     lying,
		"empty":     {},
		"text":      []byte("PK\x03\x04 und sonst nichts"),
		"no sheets": archive(t, map[string][]byte{"xl/workbook.xml": []byte("<x/>")}),
		"entities":  with("xl/worksheets/sheet1.xml", []byte(`<!DOCTYPE x [<!ENTITY a "aaaa">]><worksheet><sheetData><row r="1"><c r="A1"><v>&a;</v></c></row></sheetData></worksheet>`)),
		"too large": make([]byte, contract.MaxFile+1),
	} {
		path := o.path(contract.Cases, string(key), "a.xlsx")
		saveAs(t, path, b)
		batch := o.read(t, "")
		require.Len(t, batch.Records, 1, name)
		if name == "too large" {
			require.Len(t, batch.Broken, 1, name)
			continue
		}
		require.Empty(t, batch.Broken, "%s: it may be being written", name)
		require.NoError(t, os.Chtimes(path, time.Time{}, o.clock.Add(-time.Hour)))
		batch = o.read(t, "")
		require.Len(t, batch.Records, 1, name)
		require.LessOrEqual(t, len(batch.Broken), 1)
		if name != "no sheets" && name != "entities" {
			require.Len(t, batch.Broken, 1, name)
			requireFault(t, batch.Broken[0].Reason, fault.Park, "unreadable")
		}
	}
	saveAs(t, o.path(contract.Cases, string(key), "a.xlsx"), with("xl/vbaProject.bin", []byte("x")))
	requireFault(t, o.stuckReason(t), fault.Park, "macros")
	saveAs(t, o.path(contract.Cases, string(key), "a.xlsx"), good)
	require.Len(t, o.read(t, "").Records, 2, "a whole one is taken")
}

func TestStaff_AnotherFormatThanXLSXIsPutBeforeAPerson(t *testing.T) {
	o, key := opened(t)
	for _, name := range []string{"a.pdf", "Brief.docx", "~$a.xlsx", ".~lock.b.ods#"} {
		require.NoError(t, os.WriteFile(o.path(contract.Cases, string(key), name), []byte("x"), 0o600))
	}
	require.Empty(t, o.read(t, "").Broken, "what is no workbook is left alone")
	require.NoError(t, os.WriteFile(o.path(contract.Cases, string(key), "c.ods"), []byte("x"), 0o600))
	require.Empty(t, o.read(t, "").Broken)
	o.later(11 * time.Minute)
	requireFault(t, o.stuckReason(t), fault.Park, "format")
}

func TestLinksLeadNowhere(t *testing.T) {
	o, key := opened(t)
	outside := filepath.Join(t.TempDir(), "a.xlsx")
	require.NoError(t, os.WriteFile(outside, o.answer(t, "Ja").bytes(), 0o600))
	require.NoError(t, os.Symlink(outside, o.path(contract.Cases, string(key), "a.xlsx")))
	require.NoError(t, os.Symlink(filepath.Dir(outside), o.path(contract.Cases, "IV-AAAAAAAAAAAAAAAA")))
	batch := o.read(t, "")
	require.Len(t, batch.Records, 1)
	require.Empty(t, batch.Broken)
}

// FuzzReadForm changes the sheet of a document. Changes of the file around it are found by checksums, before anything is read.
func FuzzReadForm(f *testing.F) {
	e, err := newExchange(defaults(), time.Now)
	require.NoError(f, err)
	b, err := e.letter(stored{ID: "E-1", Kind: "antwort", Case: "IV-1", Content: `{"Antwort":"Ja","Kopf":{"Absender":"x"}}`})
	require.NoError(f, err)
	whole := parts(f, b)
	const sheet = "xl/worksheets/sheet1.xml"
	f.Add(string(whole[sheet]))
	f.Add(strings.NewReplacer("<v>6</v>", "<v>46085.5</v>", `t="s"`, "").Replace(string(whole[sheet])))
	f.Add(`<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData><row><c t="inlineStr"><is><t>Freigabe</t></is></c><c t="inlineStr"><is><t>freigegeben</t></is></c></row></sheetData></worksheet>`)
	f.Fuzz(func(t *testing.T, xml string) {
		whole[sheet] = []byte(xml)
		b := archive(t, whole)
		doc, err := e.readForm(b)
		if err == nil && doc.release == contract.Released {
			_, err := flatten(doc.body)
			require.NoError(t, err)
		}
		_, _ = e.readRegister(b, nil)
	})
}

// FuzzContent holds that what can be put together can be taken apart again, and says the same.
func FuzzContent(f *testing.F) {
	f.Add("Teilnehmende[2].Name", "Ä\n=1", "Teilnehmende[1].Name", "x", "Kopf.Bezug", "y")
	f.Add("a", "1", "a.b", "2", "a[1].c", "3")
	f.Fuzz(func(t *testing.T, a, x, b, y, c, z string) {
		body, err := unflatten([]value{{a, x}, {b, y}, {c, z}})
		if err != nil {
			return
		}
		values, err := flatten(body)
		if err != nil {
			return // a text that JSON cannot hold
		}
		again, err := unflatten(values)
		require.NoError(t, err)
		require.Equal(t, string(body), string(again))
	})
}
