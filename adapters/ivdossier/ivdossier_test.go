package ivdossier

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"
	"go.uber.org/goleak"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	contract "github.com/einmal-hub/einmal/contracts/native/ivdossier"
	"github.com/einmal-hub/einmal/mocks/core"
	mock "github.com/einmal-hub/einmal/mocks/ivdossier"
)

func TestMain(m *testing.M) {
	if err := flag.Set("rapid.checks", "6"); err != nil { // the command line may say more
		panic(err)
	}
	goleak.VerifyTestMain(m)
}

// canary stands in every entry as the person's name and must never stand in an error or a file name of einmal's.
const canary = "Canary-Zgraggen"

// office is a mock office, the adapter for its folder, and a clock.
type office struct {
	folder string
	mock   *mock.Mock
	ex     *exchange
	clock  *time.Time
}

func open(t *testing.T) *office {
	t.Helper()
	return openWith(t, true)
}

// openWith is an office whose staff fill in the blank forms, or make their own.
func openWith(t *testing.T, handmade bool) *office {
	t.Helper()
	now := soon()
	o := &office{folder: t.TempDir(), clock: &now}
	o.layOut(t)
	m, err := mock.New(mock.Options{System: "ivdossier", Folder: o.folder, Handmade: handmade})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, m.Close()) })
	o.mock, o.ex = m, o.again(t)
	put(t, o.ex)
	return o
}

// soon is late enough that a file which was just written need not be read again as long as it looks the same.
func soon() time.Time { return time.Now().Add(unsure + 2*time.Second) }

// quick packs workbooks without compression, which takes most of the time under the race detector.
func quick(w io.Writer) excelize.ZipWriter { return unpacked{zip.NewWriter(w)} }

type unpacked struct{ *zip.Writer }

func (s unpacked) Create(name string) (io.Writer, error) {
	return s.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store})
}

// blanks are the blank forms, made once for all tests.
var blanks = sync.OnceValues(func() (map[string][]byte, error) {
	e, err := newExchange(defaults(), time.Now)
	if err != nil {
		return nil, err
	}
	e.zip = quick
	all := map[string][]byte{}
	for _, form := range e.forms.Kinds() {
		if form.Einmal {
			continue
		}
		if all[string(form.Code)+".xlsx"], err = e.blankForm(form); err != nil {
			return nil, err
		}
	}
	return all, nil
})

// layOut lays the blank forms out, as the first reading would.
func (o *office) layOut(t require.TestingT) { layOut(t, o.folder) }

func layOut(t require.TestingT, folder string) {
	all, err := blanks()
	require.NoError(t, err)
	require.NoError(t, os.Mkdir(filepath.Join(folder, contract.Blank), 0o700))
	for name, b := range all {
		require.NoError(t, os.WriteFile(filepath.Join(folder, contract.Blank, name), b, 0o600))
	}
}

// copyOf is an office whose folder holds what another one's does, with the same times, and nobody in it. Its clock is right.
func copyOf(t *testing.T, base *office) *office {
	t.Helper()
	now := time.Now()
	o := &office{folder: t.TempDir(), clock: &now}
	require.NoError(t, filepath.WalkDir(base.folder, func(p string, d fs.DirEntry, err error) error {
		rel, _ := filepath.Rel(base.folder, p)
		if err != nil || rel == "." {
			return err
		}
		if d.IsDir() {
			return os.Mkdir(o.path(rel), 0o700)
		}
		b, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		return errors.Join(os.WriteFile(o.path(rel), b, 0o600), os.Chtimes(o.path(rel), info.ModTime(), info.ModTime()))
	}))
	o.ex = o.again(t)
	return o
}

// again is the adapter of a new process.
func (o *office) again(t require.TestingT) *exchange {
	c := defaults()
	c.Folder, c.Organisation = o.folder, "iv-luzern"
	require.Empty(t, c.Check())
	e, err := newExchange(c, func() time.Time { return *o.clock })
	require.NoError(t, err)
	e.flush = func(*os.File) error { return nil } // a process that ends loses nothing that it wrote; power is another test
	e.zip = quick
	return e
}

func (o *office) later(d time.Duration) { *o.clock = o.clock.Add(d) }

// facts are those of an invented handover, without all that an application declares: documents are long enough without it.
func facts(seed uint64) core.Facts {
	f := allFacts(seed)
	f.Declarations = f.Declarations[:min(2, len(f.Declarations))]
	return f
}

func allFacts(seed uint64) core.Facts {
	f := core.Invent(rand.New(rand.NewPCG(seed, 1))) //nolint:gosec // repeatable
	f.Assigning, f.Receiving = "sd-kriens", "iv-luzern"
	f.Person.OfficialName = canary
	return f
}

func reference(n int) native.Reference {
	return native.Reference(fmt.Sprintf("0195e1a2-0000-7000-8000-%012x", n))
}

// entry is what the gateway would give the sink.
func entry(name handover.Name, n int, in native.CaseKey) native.Entry {
	return entryOf(name, facts(7), n, in)
}

func entryOf(name handover.Name, f core.Facts, n int, in native.CaseKey) native.Entry {
	kind, body := mock.Compose(name, f)
	e := native.Entry{
		Reference: reference(n), Kind: kind, Case: in, CaseReference: "0195e1a2-cccc-7000-8000-000000000001", Organisation: "iv-luzern", Body: body,
	}
	if p, err := f.Payload(name); err == nil {
		e.Documents = handover.DocumentsOf(p)
	}
	return e
}

// put puts the documents that entries name.
func put(t require.TestingT, e *exchange) {
	for _, d := range facts(7).Documents {
		require.NoError(t, e.PutDocument(context.Background(), handover.Document{Name: "x", MediaType: d.MediaType, Size: d.Size(), SHA256: d.SHA256()}, bytes.NewReader(d.Content)))
	}
}

func (o *office) apply(t *testing.T, e native.Entry) native.Receipt {
	t.Helper()
	r, err := o.ex.Apply(t.Context(), e)
	require.NoError(t, err)
	return r
}

func (o *office) read(t require.TestingT, from native.Position) adapters.Batch {
	b, err := o.ex.Read(context.Background(), from, 1000)
	require.NoError(t, err)
	return b
}

// clerk enters one message of an invented handover at the desk and saves it.
func (o *office) clerk(t *testing.T, n handover.Name, seed uint64, in native.CaseKey) core.Entry {
	t.Helper()
	e, err := typed(o.mock, n, facts(seed), core.Write{Case: in})
	require.NoError(t, err)
	require.NoError(t, o.mock.Settle(t.Context()))
	return e
}

// typed enters one message at the desk.
func typed(m *mock.Mock, n handover.Name, f core.Facts, w core.Write) (core.Entry, error) {
	w.Kind, w.Body = mock.Compose(n, f)
	w.Organisation, w.By = "iv-luzern", core.ByClerk
	if p, err := f.Payload(n); err == nil && handover.DocumentsOf(p) != nil {
		w.Documents = core.Hashes(f.Documents)
		for _, d := range f.Documents {
			if err := m.Store().PutDocument(d.SHA256(), bytes.NewReader(d.Content)); err != nil {
				return core.Entry{}, err
			}
		}
	}
	e, _, err := m.Store().Write(context.Background(), w)
	return e, err
}

func (o *office) path(parts ...string) string {
	return filepath.Join(append([]string{o.folder}, parts...)...)
}

// names lists every file below the folder, without einmal's own and the blank forms.
func (o *office) names(t *testing.T) []string {
	t.Helper()
	var all []string
	require.NoError(t, filepath.WalkDir(o.folder, func(p string, d fs.DirEntry, err error) error {
		rel, _ := filepath.Rel(o.folder, p)
		require.NotContains(t, p, "Canary")
		if !d.IsDir() && !strings.HasPrefix(rel, contract.Machinery) && !strings.HasPrefix(rel, contract.Blank) {
			all = append(all, rel)
		}
		return err
	}))
	return all
}

func requireFault(t *testing.T, err error, kind fault.Kind, code string) {
	t.Helper()
	require.Error(t, err)
	require.Equal(t, kind, fault.KindOf(err), "%v", err)
	require.Equal(t, code, fault.CodeOf(err), "%v", err)
	require.NotContains(t, err.Error(), canary)
}

func TestPing_LeavesNothingBehind(t *testing.T) {
	o := open(t)
	require.NoError(t, o.ex.ping(t.Context()))
	require.Empty(t, o.names(t))
	o.ex.config.Folder = o.path("nowhere")
	requireFault(t, o.ex.ping(t.Context()), fault.Retry, "folder")
	o.ex.meet = func(string, string) error { return fs.ErrPermission }
	requireFault(t, o.ex.ping(t.Context()), fault.Stop, "permission")
}

func TestConfig_EverythingWrongIsToldAtOnce(t *testing.T) {
	c := &Config{Folder: "relative"}
	c.Bounds.Answer = time.Hour
	var paths []string
	for _, f := range c.Check() {
		paths = append(paths, f.Path)
	}
	require.Subset(t, paths, []string{"folder", "organisation", "settle", "lock", "keep", "bounds.answer", "bounds.send", "bounds.request"})
	_, err := Factory{}.New("ivdossier", c)
	require.Equal(t, fault.Stop, fault.KindOf(err))
	_, err = Factory{}.New("ivdossier", &struct{}{})
	requireFault(t, err, fault.Stop, "config")
	good, ok := Factory{}.DefaultConfig().(*Config)
	require.True(t, ok)
	good.Folder, good.Organisation = "/x", "iv-luzern"
	system, err := Factory{}.New("ivdossier", good)
	require.NoError(t, err)
	require.Equal(t, adapters.ModeA, system.Abilities.Mode)
	require.False(t, system.Abilities.Bounds.Asynchronous())
	require.Equal(t, "ivdossier", Factory{}.Type())
}

func TestApply_NothingIsWrittenThatTheContractDoesNotKnow(t *testing.T) {
	o := open(t)
	for code, change := range map[string]func(*native.Entry){
		"reference": func(e *native.Entry) { e.Reference = "../x" }, "unknown-kind": func(e *native.Entry) { e.Kind = "brief" },
		"content":        func(e *native.Entry) { e.Body = []byte(`{"Zahl":1}`) },
		"foreign-office": func(e *native.Entry) { e.Organisation = "iv-zug" },
		"opening":        func(e *native.Entry) { e.Case = "IV-AAAAAAAAAAAAAAAA" },
		"not-opening":    func(e *native.Entry) { *e = entry("clarification-answered", 1, "") },
		"unknown-case":   func(e *native.Entry) { *e = entry("clarification-answered", 1, "IV-AAAAAAAAAAAAAAAA") },
	} {
		e := entry("application-submitted", 1, "")
		change(&e)
		_, err := o.ex.Apply(t.Context(), e)
		requireFault(t, err, fault.Refuse, code)
	}
	require.Empty(t, o.names(t))
}

func TestEveryMessageStandsInItsCaseFolderAsStaffReadIt(t *testing.T) {
	o := open(t)
	o.ex.zip = nil // as in earnest
	opened := o.apply(t, entryOf("application-submitted", allFacts(7), 1, ""))
	for i, zero := range handover.Catalogue()[1:] {
		r := o.apply(t, entryOf(zero.Name(), allFacts(7), i+2, opened.Case))
		require.Equal(t, opened.Case, r.Case)
	}
	require.NoError(t, o.mock.Settle(t.Context()))
	for i, zero := range handover.Catalogue() {
		kind, body := mock.Compose(zero.Name(), allFacts(7))
		seen := o.mock.Store().ByReference(reference(i+1), 0)
		require.Len(t, seen, 1)
		require.Equal(t, kind, seen[0].Kind)
		require.JSONEq(t, string(body), string(seen[0].Body), "not a character is lost in the workbook")
	}
	for _, name := range o.names(t) {
		require.NotContains(t, name, "756", "I6")
	}
}

func TestStaffMayEnterEveryMessage(t *testing.T) {
	for _, handmade := range []bool{false, true} {
		seed := map[bool]uint64{false: 1, true: 2}[handmade]
		o := openWith(t, handmade)
		opened := o.clerk(t, "application-submitted", seed, "")
		require.Len(t, o.read(t, "").Records, 1)
		for _, zero := range handover.Catalogue()[1:] {
			if zero.Name() != "application-checked" { // nobody but einmal says that
				o.clerk(t, zero.Name(), seed, opened.Case)
			}
		}
		batch := o.read(t, "")
		require.Empty(t, batch.Broken)
		require.Len(t, batch.Records, 21)
		for i, r := range batch.Records {
			kind, body := mock.Compose(handover.Catalogue()[i].Name(), facts(seed))
			require.Equal(t, kind, r.Kind)
			require.JSONEq(t, string(body), withoutFiles(t, r.Body), "whether typed as text or turned into a date by the program")
			require.Equal(t, handover.OrganisationID("iv-luzern"), r.Organisation)
			require.EqualValues(t, i+1, r.Sequence)
			require.Equal(t, batch.Records[0].Case, r.Case)
			require.Empty(t, r.Reference)
		}
		again := o.again(t)
		same, err := again.Read(t.Context(), "", 1000)
		require.NoError(t, err)
		require.Equal(t, batch, same, "a new process reads the same")
	}
}

// withoutFiles is a content without the names of its files.
func withoutFiles(t *testing.T, body []byte) string {
	t.Helper()
	values, err := flatten(body)
	require.NoError(t, err)
	b, err := unflatten(slices.DeleteFunc(values, func(v value) bool { return isFile(v.path) }))
	require.NoError(t, err)
	return string(b)
}

// I7: what is not flushed is lost with the power. Every file is flushed before it has its name, and every name before the next step.
func TestI7_EverythingIsDurableBeforeTheNextStep(t *testing.T) {
	o := open(t)
	key := o.apply(t, entry("application-submitted", 1, "")).Case
	var steps []string
	o.ex.meet = func(op, name string) error {
		if op == "draft" || op == "link" || op == "sync" {
			steps = append(steps, op+" "+strings.Trim(filepath.Dir(name), "."))
		}
		return nil
	}
	flushed := 0
	o.ex.flush = func(f *os.File) error { flushed++; return f.Sync() }
	o.apply(t, entry("clarification-answered", 2, key))
	written := []string{"draft " + drafts, "link Faelle/" + string(key), "sync Faelle"}
	require.NotEmpty(t, facts(7).Documents)
	require.Equal(t, slices.Concat(
		slices.Repeat(written, len(facts(7).Documents)), []string{"draft " + drafts, "link " + entries, "sync einmal"}, written, []string{"link " + journal, "sync einmal"},
	), steps)
	require.Equal(t, 5+2*len(facts(7).Documents), flushed, "every file and every folder")
	steps = nil
	d, content := core.Document{Content: []byte("x")}, bytes.NewReader([]byte("x"))
	require.NoError(t, o.ex.PutDocument(t.Context(), handover.Document{SHA256: d.SHA256(), Size: 1}, content))
	require.Equal(t, []string{"draft " + drafts, "link " + kept, "sync einmal"}, steps)
}

func TestEinmalsOwnFolderIsClosedToEverybodyElse(t *testing.T) {
	o := open(t)
	o.apply(t, entry("application-submitted", 1, ""))
	info, err := os.Stat(o.path(contract.Machinery))
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o700), info.Mode().Perm())
}

func TestRead_APositionThatTheFolderDoesNotKnowIsSaidSo(t *testing.T) {
	o := open(t)
	o.apply(t, entry("application-submitted", 1, ""))
	_, err := o.ex.Read(t.Context(), "2", 10)
	requireFault(t, err, fault.Stop, adapters.PositionUnknown)
	_, err = o.ex.Read(t.Context(), "x", 10)
	requireFault(t, err, fault.Stop, "position")
}

func TestRead_WhatIsMissingInEinmalsOwnFolderIsAReasonToStop(t *testing.T) {
	for _, lost := range []string{salt, entries + "/x", journal + "/0000000001.json"} {
		o := open(t)
		o.apply(t, entry("application-submitted", 1, ""))
		o.read(t, "")
		switch lost {
		case salt:
			require.NoError(t, os.Remove(o.path(salt)))
		case entries + "/x":
			require.NoError(t, os.WriteFile(o.path(lost+".json"), []byte(`{"id":"x"}`), 0o600))
		default:
			require.NoError(t, os.WriteFile(o.path(lost), []byte(`[]`), 0o600))
		}
		_, err := o.again(t).Read(t.Context(), "", 10)
		requireFault(t, err, fault.Stop, "damaged")
	}
}

// I1: numbers of the journal have no gaps. One that a listing shows without the one before it is not passed over, and one that is missing for good is told.
func TestI1_AJournalWithAGapIsDamaged(t *testing.T) {
	o := open(t)
	for n := range 3 {
		o.apply(t, entry("application-submitted", n+1, ""))
	}
	second := o.path(numbered(2))
	require.NoError(t, os.Rename(second, second+".away"))
	_, err := o.again(t).Read(t.Context(), "", 10)
	requireFault(t, err, fault.Stop, "damaged")
	require.NoError(t, os.Rename(second+".away", second))
	batch, err := o.again(t).Read(t.Context(), "", 10)
	require.NoError(t, err)
	require.Len(t, batch.Records, 3)
}
