package ivdossier

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	contract "github.com/einmal-hub/einmal/contracts/native/ivdossier"
	"github.com/einmal-hub/einmal/mocks/core"
)

// answerWith is what the gateway gives the sink for an answer with one document.
func answerWith(t *testing.T, o *office, n int, in native.CaseKey, d core.Document) native.Entry {
	t.Helper()
	f := facts(7)
	f.Documents = []core.Document{d}
	e := entryOf("clarification-answered", f, n, in)
	require.NoError(t, o.ex.PutDocument(t.Context(), e.Documents[0], bytes.NewReader(d.Content)))
	return e
}

// lies returns what lies in the folder of a case under names that match.
func (o *office) lies(t *testing.T, key native.CaseKey, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob(o.path(contract.Cases, string(key), pattern))
	require.NoError(t, err)
	for i := range files {
		files[i] = filepath.Base(files[i])
	}
	return files
}

// attach saves a file as a copy is saved, with the time of its original.
func (o *office) attach(t *testing.T, b []byte, parts ...string) string {
	t.Helper()
	path := o.path(parts...)
	saveAs(t, path, b)
	require.NoError(t, os.Chtimes(path, time.Time{}, time.Now().Add(-time.Hour)))
	return path
}

func (o *office) content(t *testing.T, d core.Document) []byte {
	t.Helper()
	r, err := o.ex.OpenDocument(t.Context(), d.SHA256())
	require.NoError(t, err)
	b, err := io.ReadAll(r)
	require.NoError(t, errors.Join(err, r.Close()))
	return b
}

func TestReceivedDocuments_LieBesideTheirEntryUnderNamesThatSayNothing(t *testing.T) {
	o, key := opened(t)
	d := core.Document{Name: canary + " 756.1234.pdf", MediaType: "application/pdf", Content: []byte("%PDF-1.7 x")}
	r := o.apply(t, answerWith(t, o, 2, key, d))
	name := "beilage_" + string(r.Record) + "_1.pdf"
	b, err := os.ReadFile(o.path(contract.Cases, string(key), name))
	require.NoError(t, err)
	require.Equal(t, d.Content, b)
	w := openWorkbook(t, o.path(contract.Cases, string(key), o.lies(t, key, "*_antwort_*")[0]))
	rows, err := w.file.GetRows(contract.FormSheet)
	require.NoError(t, err)
	said := map[string]string{}
	for _, row := range rows[1:] {
		said[row[0]] = strings.Join(row[1:], "")
	}
	require.Equal(t, []string{name, d.Name}, []string{said["Dokumente[1].Datei"], said["Dokumente[1].Name"]}, "staff read how it is called, and find it")
	for _, n := range o.names(t) {
		require.NotContains(t, n, "756", "I6")
	}
	require.NoError(t, o.mock.Settle(t.Context()))
	require.Equal(t, []string{d.SHA256()}, o.mock.Store().ByReference(reference(2), 0)[0].Documents)
}

func TestReceivedDocuments_ReplaceNothing(t *testing.T) {
	o, key := opened(t)
	d := core.Document{Name: "x", MediaType: "application/x-msdownload", Content: []byte("MZ")}
	e := answerWith(t, o, 2, key, d)
	id, _ := written(e.Reference)
	mine, same := o.path(contract.Cases, string(key), "beilage_"+string(id)+"_1.bin"), o.path(contract.Cases, string(key), "beilage_"+string(id)+"_1_2.bin")
	require.NoError(t, os.WriteFile(mine, []byte("von uns"), 0o600))
	require.NoError(t, os.WriteFile(same, d.Content, 0o600))
	o.apply(t, e)
	b, err := os.ReadFile(mine)
	require.NoError(t, err)
	require.Equal(t, "von uns", string(b))
	require.Len(t, o.lies(t, key, "beilage_"+string(id)+"*"), 2, "what lies there already is not laid there again")
	require.NoError(t, o.mock.Settle(t.Context()))
	require.NoError(t, os.WriteFile(same, []byte("changed by staff"), 0o600))
	require.Equal(t, d.Content, o.content(t, d), "what staff do in the folder changes nothing of what was received")
}

func TestApply_AnEntryHasTheDocumentsThatItsContentNames(t *testing.T) {
	o, key := opened(t)
	d := core.Document{Name: "x", MediaType: "application/pdf", Content: []byte("x")}
	e := answerWith(t, o, 2, key, d)
	for code, change := range map[string]func(*native.Entry){
		"documents":        func(e *native.Entry) { e.Documents = nil },
		"unknown-document": func(e *native.Entry) { e.Documents[0].Size++ },
	} {
		wrong := e
		wrong.Documents = append([]handover.Document{}, e.Documents...)
		change(&wrong)
		_, err := o.ex.Apply(t.Context(), wrong)
		requireFault(t, err, fault.Refuse, code)
	}
	require.NoError(t, os.Remove(o.path(kept, d.SHA256())))
	_, err := o.ex.Apply(t.Context(), e)
	requireFault(t, err, fault.Refuse, "unknown-document")
	_, err = o.ex.OpenDocument(t.Context(), d.SHA256())
	requireFault(t, err, fault.Park, adapters.DocumentMissing)
	require.NoError(t, os.Rename(o.path(kept), o.path("weg")))
	_, err = o.ex.OpenDocument(t.Context(), d.SHA256())
	requireFault(t, err, fault.Retry, "folder")
}

// A form that came as a document is the word of its sender: whatever staff call it, it is never taken for theirs.
func TestReceivedDocuments_AreNeverReadAsFormsOfStaff(t *testing.T) {
	o, key := opened(t)
	d := core.Document{Name: "form.xlsx", MediaType: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", Content: o.answer(t, "untergeschoben").bytes()}
	r := o.apply(t, answerWith(t, o, 2, key, d))
	require.Len(t, o.lies(t, key, "beilage_"+string(r.Record)+"_1.bin"), 1)
	require.NoError(t, os.Rename(o.path(contract.Cases, string(key), "beilage_"+string(r.Record)+"_1.bin"), o.path(contract.Cases, string(key), "Antwort.xlsx")))
	batch := o.read(t, "")
	require.Len(t, batch.Records, 2)
	require.Empty(t, batch.Broken)
}

// named is a filled-in form that names a file, released.
func (o *office) named(t *testing.T, file string, more map[string]any) *workbook {
	t.Helper()
	values := map[string]any{contract.NameRelease: contract.Released, "Antwort": "Ja", "Dokumente[1].Datei": file}
	for name, v := range more {
		values[name] = v
	}
	return o.filled(t, "antwort", values)
}

func TestStaff_AFileThatTheFormNamesIsSentAsItIsWhenItIsTaken(t *testing.T) {
	o, key := opened(t)
	in := []string{contract.Cases, string(key), "Vertrag.PDF"}
	d := core.Document{Content: []byte("%PDF erste Fassung")}
	file := o.attach(t, d.Content, in...)
	saveAs(t, o.path(contract.Cases, string(key), "a.xlsx"), o.named(t, "Vertrag.PDF", nil).bytes())
	batch := o.read(t, "")
	require.Empty(t, batch.Broken)
	require.Len(t, batch.Records, 2)
	require.JSONEq(t, `{"Antwort":"Ja","Dokumente":[{"Datei":"Vertrag.PDF","Name":"Vertrag.PDF","Typ":"application/pdf","Grösse":"18","Prüfsumme":"`+d.SHA256()+`"}]}`,
		string(batch.Records[1].Body))
	require.NoError(t, os.Remove(file))
	again, err := o.again(t).Read(t.Context(), "", 100)
	require.NoError(t, err)
	require.Equal(t, batch, again, "what was taken needs its file no more")
	require.Equal(t, d.Content, o.content(t, d))
}

func TestStaff_AFileThatIsChangedAfterwardsIsPutBeforeAPersonUntilACorrectionNamesIt(t *testing.T) {
	o, key := opened(t)
	in := []string{contract.Cases, string(key), "Vertrag.pdf"}
	o.attach(t, []byte("erste Fassung"), in...)
	saveAs(t, o.path(contract.Cases, string(key), "a.xlsx"), o.named(t, "Vertrag.pdf", map[string]any{"Dokumente[1].Name": "Arbeitsvertrag"}).bytes())
	first := o.read(t, "").Records[1]
	require.Contains(t, string(first.Body), `"Name":"Arbeitsvertrag"`)
	second := core.Document{Content: []byte("zweite Fassung")}
	o.attach(t, second.Content, in...)
	for range 2 {
		batch := o.read(t, "")
		require.Len(t, batch.Records, 2)
		require.Len(t, batch.Broken, 1)
		requireFault(t, batch.Broken[0].Reason, fault.Park, "file-changed")
	}
	saveAs(t, o.path(contract.Cases, string(key), "b.xlsx"), o.named(t, "Vertrag.pdf", map[string]any{
		contract.FieldAction: contract.Correction, contract.FieldRefers: string(first.ID),
	}).bytes())
	batch := o.read(t, "")
	require.Empty(t, batch.Broken)
	require.Len(t, batch.Records, 3)
	require.Contains(t, string(batch.Records[2].Body), second.SHA256())
	again, err := o.again(t).Read(t.Context(), "", 100)
	require.NoError(t, err)
	require.Equal(t, batch, again, "the first one says what it said, also to a new process")
}

func TestStaff_AFileThatIsNotThereYetIsWaitedFor(t *testing.T) {
	o, key := opened(t)
	form := o.path(contract.Cases, string(key), "a.xlsx")
	saveAs(t, form, o.named(t, "Vertrag.pdf", nil).bytes())
	batch := o.read(t, "")
	require.Len(t, batch.Records, 1)
	require.Empty(t, batch.Broken)
	o.later(11 * time.Minute)
	requireFault(t, o.stuckReason(t), fault.Park, "file-missing")
	in := []string{contract.Cases, string(key), "Vertrag.pdf"}
	saveAs(t, o.path(in...), nil)
	saveAs(t, form, o.named(t, "Vertrag.pdf", nil).bytes())
	*o.clock = time.Now()
	require.Len(t, o.read(t, "").Records, 1, "it is being written")
	saveAs(t, o.path(in...), []byte("%PDF"))
	require.Len(t, o.read(t, "").Records, 1, "it may still be being written")
	o.attach(t, []byte("%PDF"), in...)
	unlock := o.lock(t, true, in...)
	require.Len(t, o.read(t, "").Records, 1, "somebody has it open")
	saveAs(t, o.path(contract.Cases, string(key), "b.xlsx"), o.answer(t, "später").bytes())
	require.Len(t, o.read(t, "").Records, 1, "I3: what was saved later in the case waits behind it")
	unlock()
	batch = o.read(t, "")
	require.Len(t, batch.Records, 3)
	require.Contains(t, string(batch.Records[1].Body), "Vertrag.pdf")
	require.Empty(t, batch.Broken)
}

func TestStaff_WhatIsNoFileBesideTheFormIsPutBeforeAPerson(t *testing.T) {
	o, key := opened(t)
	folder := o.path(contract.Cases, string(key))
	require.NoError(t, os.Mkdir(filepath.Join(folder, "ordner.pdf"), 0o700))
	require.NoError(t, os.Symlink("/etc/hostname", filepath.Join(folder, "link.pdf")))
	o.attach(t, nil, contract.Cases, string(key), "leer.pdf")
	require.NoError(t, os.Truncate(o.attach(t, nil, contract.Cases, string(key), "gross.pdf"), contract.MaxDocument+1))
	o.later(11 * time.Minute)
	for _, c := range []struct{ name, code string }{
		{"../Register.xlsx", "file-name"}, {`..\x.pdf`, "file-name"}, {"/etc/passwd", "file-name"}, {"~x.pdf", "file-name"}, {".x.pdf", "file-name"},
		{"Tabelle.xlsx", "file-format"}, {"leer.pdf", "file-size"}, {"gross.pdf", "file-size"}, {"ordner.pdf", "file-size"}, {"link.pdf", "file-size"},
	} {
		saveAs(t, filepath.Join(folder, "a.xlsx"), o.named(t, c.name, map[string]any{"Antwort": canary}).bytes())
		requireFault(t, o.stuckReason(t), fault.Park, c.code)
	}
	saveAs(t, o.path(contract.Cases, string(key), "a.xlsx"), o.filled(t, "antwort", map[string]any{
		contract.NameRelease: contract.Released, "Antwort": "Ja", "Dokumente[2].Name": canary,
	}).bytes())
	requireFault(t, o.stuckReason(t), fault.Park, "file-name")
}

func TestStaff_WhatEinmalAloneFillsInIsPutBeforeAPerson(t *testing.T) {
	for _, name := range []string{"Dokumente[1].Prüfsumme", contract.FieldProcedure} {
		o, key := opened(t)
		w := o.filled(t, "uebergabenotiz", map[string]any{contract.NameRelease: contract.Released})
		require.NoError(t, w.file.SetCellStr(contract.FormSheet, "A90", name))
		require.NoError(t, w.file.SetCellStr(contract.FormSheet, "B90", "x"))
		saveAs(t, o.path(contract.Cases, string(key), "a.xlsx"), w.bytes())
		requireFault(t, o.stuckReason(t), fault.Park, "einmal")
	}
	o, key := opened(t)
	saveAs(t, o.path(contract.Cases, string(key), "a.xlsx"), o.filled(t, "antwort", map[string]any{contract.NameForm: "vorpruefung", contract.NameRelease: contract.Released}).bytes())
	requireFault(t, o.stuckReason(t), fault.Park, "unknown-kind")
}

func TestStaff_TheFilesOfAnApplicationLieInTheFolderOfItsCase(t *testing.T) {
	o := open(t)
	f := facts(8)
	f.Documents = []core.Document{{Name: "Lebenslauf.pdf", MediaType: "application/pdf", Content: []byte("a")}, {Name: "Lebenslauf.pdf", MediaType: "application/pdf", Content: []byte("b")}}
	_, err := typed(o.mock, "application-submitted", f, core.Write{})
	require.NoError(t, err)
	require.NoError(t, o.mock.Settle(t.Context()))
	batch := o.read(t, "")
	require.Empty(t, batch.Broken)
	r := batch.Records[0]
	require.Equal(t, []string{"beilage_" + string(r.ID) + "_1.pdf", "beilage_" + string(r.ID) + "_2.pdf"}, o.lies(t, r.Case, "beilage*"))
	require.NoError(t, o.mock.Settle(t.Context()), "the office recognises its application, with its documents")
	files, err := os.ReadDir(o.path(contract.NewCases))
	require.NoError(t, err)
	require.Len(t, files, 3, "what staff saved stays where it is")
}

func TestPutDocument_SlowSourcesHoldNothingUp(t *testing.T) {
	o, key := opened(t)
	d := core.Document{MediaType: "application/pdf", Content: []byte("langsam")}
	from, to := io.Pipe()
	done := make(chan error)
	go func() {
		done <- o.ex.PutDocument(t.Context(), handover.Document{MediaType: d.MediaType, Size: d.Size(), SHA256: d.SHA256()}, from)
	}()
	_, err := to.Write(d.Content[:3])
	require.NoError(t, err)
	o.apply(t, entry("clarification-requested", 2, key))
	_, err = to.Write(d.Content[3:])
	require.NoError(t, err)
	require.NoError(t, to.Close())
	require.NoError(t, <-done)
	require.Equal(t, d.Content, o.content(t, d))
}

// I7: wherever a process ends while it keeps a document, nothing is half there, and putting it again keeps it.
func TestI7_AProcessMayEndAtEveryStepOfKeepingADocument(t *testing.T) {
	crashed := true
	for n := 0; crashed; n++ {
		o := &office{folder: t.TempDir(), clock: new(time.Time)}
		d := core.Document{Content: []byte("x")}
		doc := handover.Document{Size: 1, SHA256: d.SHA256()}
		dying := o.again(t)
		meet, ended := killed(n)
		dying.meet = meet
		err := dying.PutDocument(t.Context(), doc, bytes.NewReader(d.Content))
		if crashed = ended(); crashed {
			require.Equal(t, fault.Retry, fault.KindOf(err), "step %d: %v", n, err)
		} else {
			require.NoError(t, err)
		}
		if b, err := os.ReadFile(o.path(kept, d.SHA256())); !errors.Is(err, fs.ErrNotExist) {
			require.NoError(t, err)
			require.Equal(t, d.Content, b)
		}
		o.ex = o.again(t)
		require.NoError(t, o.ex.PutDocument(t.Context(), doc, bytes.NewReader(d.Content)))
		require.Equal(t, d.Content, o.content(t, d))
		require.Less(t, n, 50)
	}
}
