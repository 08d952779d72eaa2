package ivdossier

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	contract "github.com/einmal-hub/einmal/contracts/native/ivdossier"
	"github.com/einmal-hub/einmal/mocks/core"
)

// Step makes one look: it finishes what was begun, reads what came, and saves what clerks entered.
func (m *Mock) Step(ctx context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	finish := m.halves
	m.halves = nil
	for _, f := range finish {
		if err := f(); err != nil {
			return err
		}
	}
	if err := m.readCases(ctx); err != nil {
		return err
	}
	return m.saveEntries()
}

// Settle looks until nothing is begun any more.
func (m *Mock) Settle(ctx context.Context) error {
	for {
		if err := m.Step(ctx); err != nil {
			return err
		}
		m.mu.Lock()
		waits := len(m.halves) > 0
		m.mu.Unlock()
		if !waits {
			return nil
		}
	}
}

// readCases reads the documents that came into the case folders, in the order of their times.
func (m *Mock) readCases(ctx context.Context) error {
	files, err := m.unread()
	if err != nil {
		return err
	}
	type came struct {
		path string
		info fs.FileInfo
	}
	var news []came
	for _, path := range files {
		if info, err := os.Stat(path); err == nil {
			news = append(news, came{path, info})
		}
	}
	slices.SortStableFunc(news, func(a, b came) int { return a.info.ModTime().Compare(b.info.ModTime()) })
	for _, c := range news {
		if err := m.readDocument(ctx, c.path); err != nil {
			return err
		}
	}
	return nil
}

// settled is how long a folder must not have changed before its time says whether something came: file systems keep times in steps.
const settled = 2 * time.Second

// unread returns the documents in the case folders that were not read yet. A folder in which there is none is not looked into again until something is put into it.
func (m *Mock) unread() ([]string, error) {
	cases := filepath.Join(m.options.Folder, contract.Cases)
	folders, err := os.ReadDir(cases)
	if ignoreMissing(err) != nil {
		return nil, err
	}
	var files []string
	for _, f := range folders {
		info, err := f.Info()
		if err != nil || !info.IsDir() || m.still[f.Name()].Equal(info.ModTime()) {
			continue
		}
		before := len(files)
		documents, err := os.ReadDir(filepath.Join(cases, f.Name()))
		if ignoreMissing(err) != nil {
			return nil, err
		}
		for _, d := range documents {
			path := filepath.Join(cases, f.Name(), d.Name())
			if filepath.Ext(path) == ".xlsx" && !m.seen[path] && !strings.HasPrefix(d.Name(), "~") && !strings.HasPrefix(d.Name(), ".") {
				files = append(files, path)
			}
		}
		if len(files) == before && time.Since(info.ModTime()) > settled {
			m.still[f.Name()] = info.ModTime()
		}
	}
	return files, nil
}

// readDocument reads one document of einmal's: one that came is recorded, one that only says which case an application of the office has opened is understood so.
func (m *Mock) readDocument(ctx context.Context, path string) error {
	s, err := readSheet(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("ivdossier: a document in a case folder cannot be opened: %w", err)
	}
	if s.head[contract.NameRelease] != contract.Received {
		if s.head[contract.NameRelease] != contract.Released {
			return nil
		}
		m.seen[path] = true
		return m.note(path, "")
	}
	folder := filepath.Base(filepath.Dir(path))
	if s.head[contract.NameCase] != folder {
		return errors.New("ivdossier: a document lies in the folder of another case than it names")
	}
	kind := native.Kind(s.head[contract.NameForm])
	documents, err := m.collect(filepath.Dir(path), &s.content)
	if err != nil {
		return err
	}
	body, err := s.content.content()
	if err != nil {
		return err
	}
	if err := m.Validate(kind, body); err != nil {
		return fmt.Errorf("ivdossier: a document that staff cannot read: %w", err)
	}
	m.seen[path] = true
	number := s.head[contract.NameRecord]
	if s.head[contract.NameReference] == "" {
		if err := m.recognise(folder, number, kind, body); err != nil {
			return err
		}
		return m.note(path, number)
	}
	w := core.Write{
		Kind: kind, CaseReference: handover.CaseID(s.head[contract.NameCaseReference]), Reference: native.Reference(s.head[contract.NameReference]), By: core.ByInterface,
		Organisation: m.options.Organisation, Documents: documents, Body: body,
	}
	if action := revision(s.content.text(contract.FieldAction)); action != "" {
		w.Action, w.Refers = action, m.numbers[s.content.text(contract.FieldRefers)]
	}
	if err := m.record(ctx, folder, number, w); err != nil {
		return err
	}
	return m.note(path, number)
}

// revision is what a recall or correction is to the journal; empty for what is new.
func revision(word string) handover.Action {
	return map[string]handover.Action{contract.Recall: handover.ActionRecall, contract.Correction: handover.ActionCorrection}[word]
}

// record writes a document into the journal. One that stands there from before the mock was started is not written again.
func (m *Mock) record(ctx context.Context, folder, number string, w core.Write) error {
	for _, e := range m.store.ByReference(w.Reference, 0) {
		if _, known := m.folders[e.Case]; !known {
			m.folders[e.Case], m.cases[folder] = folder, e.Case
		}
		if m.folders[e.Case] == folder && e.At.Before(m.started) {
			m.numbers[number] = e.ID
			return nil
		}
	}
	w.Case = m.cases[folder]
	if w.Case == "" && w.Kind != "antrag" {
		return errors.New("ivdossier: a document lies in a folder without the application that opened the case")
	}
	e, _, err := m.store.Write(ctx, w)
	if err == nil {
		m.folders[e.Case], m.cases[folder] = folder, e.Case
		m.numbers[number] = e.ID
	}
	return err
}

// recognise finds the application of the office with which a case was opened.
func (m *Mock) recognise(folder, number string, kind native.Kind, body []byte) error {
	want, err := pageOf(body)
	if err != nil {
		return err
	}
	for e := range m.store.Heads(0) {
		if e.By != core.ByClerk || e.Kind != kind {
			continue
		}
		e, _ = m.store.Entry(e.ID)
		got, err := pageOf(e.Body)
		if err != nil {
			return err
		}
		if slices.Equal(want, got) {
			m.folders[e.Case], m.cases[folder], m.numbers[number] = folder, e.Case, e.ID
			return nil
		}
	}
	return errors.New("ivdossier: a case was opened that nobody of the office has asked for")
}

// saveEntries saves what clerks entered. A document of a case that einmal has not opened yet waits for its folder.
func (m *Mock) saveEntries() error {
	for e := range m.store.Heads(m.looked) {
		if m.looked = e.Number; e.By == core.ByClerk {
			m.waiting = append(m.waiting, e)
		}
	}
	var err error
	waits := map[native.CaseKey]bool{}
	m.waiting = slices.DeleteFunc(m.waiting, func(e core.Entry) bool {
		var saved bool
		if err == nil {
			saved, err = m.saveEntry(e, waits)
		}
		return saved && err == nil
	})
	return err
}

// saveEntry saves one entry, unless it must wait. What comes after it in its case stays behind it.
func (m *Mock) saveEntry(e core.Entry, waits map[native.CaseKey]bool) (saved bool, err error) {
	if waits[e.Case] {
		return false, nil
	}
	folder := filepath.Join(contract.Cases, m.folders[e.Case])
	if form, _ := m.forms.Kind(e.Kind); form.Opens && e.Action == "" {
		if folder = contract.NewCases; e.Sequence == 1 && m.folders[e.Case] != "" {
			return true, nil // einmal has taken it from there: a mock that is started again does not save it anew
		}
	} else if m.folders[e.Case] == "" {
		return false, nil
	}
	path := filepath.Join(m.options.Folder, folder, documentName(e))
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	e, _ = m.store.Entry(e.ID)
	p, ready, err := m.pageFor(e)
	if err != nil || !ready {
		waits[e.Case] = true
		return false, err
	}
	waits[e.Case], err = m.save(e, p, path)
	return true, err
}

// documentName is what a clerk calls the document of an entry.
func documentName(e core.Entry) string { return fmt.Sprintf("%s %06d.xlsx", e.Kind, e.Number) }

// pageFor is what the form of an entry says. A recall or correction waits until the register shows the number of what it is about.
func (m *Mock) pageFor(e core.Entry) (page, bool, error) {
	p, err := pageOf(e.Body)
	if err != nil || e.Action == "" {
		return p, err == nil, err
	}
	number, err := m.numberOf(e)
	p.put(contract.FieldAction, map[handover.Action]string{handover.ActionRecall: contract.Recall, handover.ActionCorrection: contract.Correction}[e.Action])
	p.put(contract.FieldRefers, number)
	return p, number != "", err
}

// save saves one document, with what may go wrong. open says that the clerk is not done with it: she saves nothing else in this case before.
func (m *Mock) save(e core.Entry, p page, path string) (open bool, err error) {
	files, p, err := m.files(filepath.Dir(path), p)
	if err != nil {
		return false, err
	}
	blank := filepath.Join(m.options.Folder, contract.Blank, string(e.Kind)+".xlsx")
	b, err := m.fill(e, p, blank, contract.Released)
	if err != nil {
		return false, err
	}
	fault := m.dice.Strike(core.OpEvent, core.FaultSlow, core.FaultLate, core.FaultDuplicate)
	if fault == core.FaultSlow && len(files) > 0 { // she forgets the files at first
		m.halves = append(m.halves, files.save)
		return false, replace(path, b)
	}
	if err := files.save(); err != nil {
		return false, err
	}
	switch fault {
	case core.FaultSlow:
		m.halves = append(m.halves, func() error { return write(path, b) })
		return true, write(path, b[:len(b)/2])
	case core.FaultLate:
		draft, err := m.fill(e, p, blank, contract.Draft)
		if err != nil {
			return false, err
		}
		lock := lockOf(path)
		m.halves = append(m.halves, func() error { return errors.Join(replace(path, b), os.Remove(lock)) })
		return true, errors.Join(os.WriteFile(lock, []byte("office"), 0o600), replace(path, draft))
	case core.FaultDuplicate:
		return false, errors.Join(replace(path, b), replace(filepath.Join(filepath.Dir(path), "Kopie von "+filepath.Base(path)), b))
	}
	return false, replace(path, b)
}

// replace saves as office programs do: into a file beside it, which then takes the place.
func replace(path string, b []byte) error {
	beside := filepath.Join(filepath.Dir(path), "~"+filepath.Base(path)+".tmp")
	if err := write(beside, b); err != nil {
		return err
	}
	return os.Rename(beside, path)
}

// write writes a file with the time of now. File systems keep it in steps of some milliseconds, within which no person saves two documents, but this mock does.
func write(path string, b []byte) error {
	now := time.Now()
	return errors.Join(os.WriteFile(path, b, 0o600), os.Chtimes(path, now, now))
}
