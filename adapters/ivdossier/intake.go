package ivdossier

import (
	"cmp"
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/native"
	contract "github.com/einmal-hub/einmal/contracts/native/ivdossier"
)

// lying is a file in a folder of staff.
type lying struct {
	folder, name string
	mod          time.Time
	size         int64
	open         bool                   // an office program has it open
	locked       func(name string) bool // the same of another file of its folder
}

func (l lying) place() string { return l.folder + "/" + l.name }

func (l lying) glance() glance { return glance{l.mod, l.size} }

// glance is how a file looks from outside.
type glance struct {
	mod  time.Time
	size int64
}

// weighed is what is remembered of a file that needs nothing more: as long as it is the same it is not weighed again, and as long as it looks the same it is not even read. A file that was
// changed just before it was read has no look: its next version may look the same.
type weighed struct {
	glance
	sum string
}

// unsure is how long after a change a file is read again although it looks the same: file systems keep times coarsely.
const unsure = 3 * time.Second

// take takes every document that staff have released, in the order in which they were saved, and returns what cannot be taken.
//
// A folder is listed while staff write into it, so a listing may show a file and miss one that was there before. Therefore it is listed twice, and only what stood in the first listing is taken: whatever
// was saved before it stands in the second. What is new in the second waits for the next reading, with everything that was saved later.
// A document that waits for a file that it names, or is still being written, holds back what was saved later in its case. In the folder of new cases a half-written one holds nothing back: nobody knows of which
// case it is, and as a rule it opens one.
func (e *exchange) take(d *disk) (broken []adapters.Broken, err error) {
	first, _, err := e.look(d)
	if err != nil {
		return nil, err
	}
	stood := map[string]glance{}
	for _, l := range first {
		stood[l.place()] = l.glance()
	}
	second, others, err := e.look(d)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(second, func(a, b lying) int {
		return cmp.Or(a.mod.Compare(b.mod), cmp.Compare(a.folder, b.folder), cmp.Compare(a.name, b.name))
	})
	if i := slices.IndexFunc(second, func(l lying) bool { return stood[l.place()] != l.glance() }); i >= 0 {
		second = second[:i]
	}
	e.held = map[string]bool{}
	for range 2 { // what one document says may be what another one lacked
		var stuck []adapters.Broken
		var again []lying
		for _, l := range second {
			before := len(stuck)
			if e.held[l.folder] {
				continue
			}
			err := e.consider(d, l, &stuck)
			if errors.Is(err, errWaits) {
				e.held[l.folder] = l.folder != contract.NewCases
				continue
			}
			if err != nil {
				return nil, err
			}
			if len(stuck) > before {
				again = append(again, l)
			}
		}
		if second, broken = again, stuck; len(again) == 0 {
			break
		}
	}
	changed, err := e.changedFiles(d, others)
	return append(broken, changed...), err
}

// look lists what lies in the folders of cases and of new cases: what may be a document of staff, and every other file by its place.
func (e *exchange) look(d *disk) (all []lying, others map[string]lying, err error) {
	folders := []string{contract.NewCases}
	cases, err := d.list(contract.Cases)
	if err != nil {
		return nil, nil, err
	}
	for _, c := range cases {
		if c.IsDir() {
			folders = append(folders, contract.Cases+"/"+c.Name())
		}
	}
	others = map[string]lying{}
	for _, folder := range folders {
		files, err := d.list(folder)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		locked := e.locks(files)
		for _, f := range files {
			info, err := f.Info()
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return nil, nil, err // what was saved later in the case must not come first
			}
			if err != nil || !info.Mode().IsRegular() {
				continue // gone again, or not a file
			}
			l := lying{folder: folder, name: f.Name(), mod: info.ModTime(), size: info.Size(), open: locked(f.Name()), locked: locked}
			if concerned(f.Name()) {
				all = append(all, l)
			} else {
				others[l.place()] = l
			}
		}
	}
	return all, others, nil
}

// concerned reports whether a file may be a document of staff: workbooks of every format, without what office programs lay beside them.
func concerned(name string) bool {
	if strings.HasPrefix(name, ".") || strings.HasPrefix(name, "~") {
		return false
	}
	return isWorkbook(name)
}

// isWorkbook reports whether a file is called as workbooks are.
func isWorkbook(name string) bool {
	return slices.Contains([]string{".xlsx", ".xlsm", ".xltm", ".xlsb", ".xls", ".xltx", ".ods", ".fods", ".ots"}, strings.ToLower(path.Ext(name)))
}

// locks tells which files of a folder an office program has open: Excel lays "~$name" beside them, LibreOffice ".~lock.name#".
func (e *exchange) locks(files []fs.DirEntry) func(name string) bool {
	held := map[string]bool{}
	for _, f := range files {
		name, libre := strings.CutPrefix(f.Name(), ".~lock.")
		if libre {
			name, libre = strings.CutSuffix(name, "#")
		}
		excel := false
		if !libre {
			name, excel = strings.CutPrefix(f.Name(), "~$")
		}
		if !libre && !excel {
			continue
		}
		if info, err := f.Info(); err == nil && e.now().Sub(info.ModTime()).Abs() < e.config.Lock {
			held[name] = true
		}
	}
	return func(name string) bool { return held[name] }
}

// consider looks at one file and takes it if it is a released document that was not taken before.
func (e *exchange) consider(d *disk, l lying, stuck *[]adapters.Broken) error {
	known := e.seen[l.place()]
	if known.size == l.size && known.mod.Equal(l.mod) {
		return nil
	}
	b, err := d.read(l.place(), contract.MaxFile)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case errors.Is(err, errIrregular):
		*stuck = append(*stuck, adapters.Broken{ID: e.names.stuck(nil, l.place()), Reason: unfit("too-large", "a document is larger than the contract allows", "take out what is not needed")})
		return nil
	case err != nil:
		return err
	}
	if info, err := d.root.Lstat(l.place()); err != nil || (glance{info.ModTime(), info.Size()}) != l.glance() {
		return errWaits // it was saved anew since it was listed, and may be half of what it will be
	}
	now := weighed{sum: sum(b)}
	if e.now().Sub(l.mod) > unsure {
		now.glance = l.glance()
	}
	if known.sum == now.sum || e.received(d, now.sum) {
		e.seen[l.place()] = now
		return nil
	}
	done, err := e.weigh(d, l, b)
	var unfit *fault.Error
	switch {
	case err == nil && done:
		e.seen[l.place()] = now
		return nil
	case err == nil:
		return nil
	case errors.As(err, &unfit) && unfit.Kind == fault.Park:
		if !l.open {
			*stuck = append(*stuck, adapters.Broken{ID: e.names.stuck(b, ""), Raw: b, Reason: err})
		}
		return nil
	default:
		return err
	}
}

// weigh decides about one file. done says that it needs no other look as long as it stays as it is. Errors of kind Park are about the file.
func (e *exchange) weigh(d *disk, l lying, b []byte) (done bool, err error) {
	if !strings.EqualFold(path.Ext(l.name), ".xlsx") {
		if e.young(l) {
			return false, nil
		}
		return false, unfit("format", "a document lies there in another format than XLSX, and is not read", "save it as XLSX")
	}
	doc, err := e.readForm(b)
	switch {
	case errors.Is(err, errForeign):
		return true, nil
	case errors.Is(err, errMacros):
		return false, unfit("macros", "a document holds macros, and is not read", "use a form out of the folder "+contract.Blank)
	case errors.Is(err, errTorn):
		if e.fresh(l) {
			return false, errWaits
		}
		if l.open {
			return false, nil
		}
		return false, unfit("unreadable", "a file is no whole workbook within the limits of the contract, or has a password", "save it again as XLSX")
	case err != nil:
		return false, err
	case doc.release != contract.Released:
		return true, nil
	}
	return e.enterDocument(d, l, doc)
}

// young reports whether a file may still be being written.
func (e *exchange) young(l lying) bool { return l.open || e.fresh(l) }

// justChanged reports whether a file was changed a moment ago, or a little ahead of einmal's own clock.
func (e *exchange) justChanged(mod time.Time) bool {
	age := e.now().Sub(mod)
	return age <= unsure && age > -e.config.Settle
}

// fresh reports whether a file was changed a short time ago. A time that lies far ahead, as a wrong clock may say, tells nothing.
func (e *exchange) fresh(l lying) bool { return e.now().Sub(l.mod).Abs() < e.config.Settle }

// enterDocument makes an entry of a released document, unless it is one already or somebody has it open.
func (e *exchange) enterDocument(d *disk, l lying, doc document) (bool, error) {
	in, err := e.caseFor(l, doc)
	if err != nil {
		return false, err
	}
	folder := contract.Cases + "/" + string(in)
	source := e.index.byID[e.index.bySource[l.place()]]
	if source != nil && e.names.entered(doc.kind, in, marked(doc.values, source.documents)) == source.id {
		return true, nil
	}
	files, lack := e.gather(d, l, doc)
	var unfit *fault.Error
	if lack != nil && !errors.Is(lack, errWaits) && !errors.As(lack, &unfit) {
		return false, lack
	}
	id := e.names.entered(doc.kind, in, marked(doc.values, files))
	if known := e.index.byID[id]; known != nil {
		return true, e.saidBefore(l, known)
	}
	switch {
	case errors.Is(lack, errWaits), in != "" && e.held[folder]:
		e.held[folder] = in != ""
		return false, errWaits
	case lack == nil && l.open:
		return false, nil
	case source != nil:
		return false, changed()
	case lack != nil:
		return false, lack
	}
	return true, e.make(d, l, doc, stored{ID: id, Case: in, Documents: files})
}

func changed() error {
	return unfit("changed", "a document that was taken has been changed, or names a file that was; what was taken stands",
		"put it back, and say the new thing in a document of its own, for example as a correction ("+contract.FieldAction+")")
}

// saidBefore decides about a document that says what was said already: as a rule it is a copy. If that was recalled or corrected since and the document is younger, nobody but its author knows.
func (e *exchange) saidBefore(l lying, known *item) error {
	if revised := e.index.revised(known); l.place() == known.source || revised.IsZero() || !l.mod.After(revised) {
		return nil
	}
	return unfit("said-again", "the document says what was said and then recalled or corrected; nobody knows whether it is a copy or said again",
		"delete it if it is a copy; if it is meant, say so in its Bemerkung, so that it is another one")
}

// make makes an entry of a document.
func (e *exchange) make(d *disk, l lying, doc document, s stored) error {
	values := e.described(doc.values, s.Documents)
	body, err := unflatten(values)
	if err != nil || len(body) > contract.MaxContent {
		return unfit("too-large", "the document says more than the contract allows", "shorten its texts")
	}
	s.Kind, s.Organisation, s.Source, s.At, s.Content = doc.kind, e.config.Organisation, l.place(), l.mod.UTC().Truncate(time.Millisecond), string(body)
	if s.Case == "" {
		s.Case = e.names.opened(s.ID)
		if s.Documents, err = e.lay(d, s, s.Documents); err != nil {
			return err
		}
	}
	if s, _, err = e.commit(d, s); err != nil {
		return err
	}
	return e.finish(d, s)
}

// caseFor returns the case that a document belongs to, "" for one that opens a case.
func (e *exchange) caseFor(l lying, doc document) (native.CaseKey, error) {
	form, _ := e.forms.Kind(doc.kind)
	opens := form.Opens && !doc.revises()
	of := native.CaseKey(strings.TrimPrefix(l.folder, contract.Cases+"/"))
	inNew := l.folder == contract.NewCases
	switch {
	case opens && (!inNew || doc.in != ""):
		return "", unfit("opening", "an application opens a case, but lies in the folder of one or names one",
			"save it in the folder "+contract.NewCases+", without a number of a case; one that recalls or corrects says so ("+contract.FieldAction+")")
	case opens:
		return "", nil
	case inNew && doc.in == "":
		return "", unfit("not-opening", "the document belongs to a case, but does not say to which", "save it in the folder of its case")
	case inNew:
		of = doc.in
	case doc.in != "" && doc.in != of:
		return "", unfit("other-case", "the document names another case than the one in whose folder it lies", "correct the number of the case, or save it in the right folder")
	}
	if e.index.cases[of] == nil {
		return "", unfit("unknown-case", "the document lies in a folder of no case, or names a case that is not there", "save it in the folder of its case")
	}
	if !doc.revises() && doc.text(contract.FieldRefers) != "" {
		return "", unfit("refers", "the document names an earlier entry, but does not say that it recalls or corrects it",
			"choose beside "+contract.FieldAction+" what it does, or leave "+contract.FieldRefers+" empty")
	}
	if doc.revises() && !e.index.stands(native.RecordID(doc.text(contract.FieldRefers)), of, doc.kind) {
		return "", unfit("unknown-entry", "the document recalls or corrects an entry that does not stand in this case, or is of another kind",
			"write the number of the entry beside "+contract.FieldRefers+", as the history of the register shows it, and use the form of that entry")
	}
	return of, nil
}
