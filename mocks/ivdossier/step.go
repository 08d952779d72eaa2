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
	files, err := filepath.Glob(filepath.Join(m.options.Folder, contract.Cases, "*", "*.xlsx"))
	if err != nil {
		return err
	}
	type came struct {
		path string
		info fs.FileInfo
	}
	var news []came
	for _, path := range files {
		if m.seen[path] || strings.HasPrefix(filepath.Base(path), "~") || strings.HasPrefix(filepath.Base(path), ".") {
			continue
		}
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
		m.seen[path] = m.seen[path] || s.head[contract.NameRelease] == contract.Released
		return nil
	}
	folder := filepath.Base(filepath.Dir(path))
	if s.head[contract.NameCase] != folder {
		return errors.New("ivdossier: a document lies in the folder of another case than it names")
	}
	kind := native.Kind(s.head[contract.NameForm])
	body, err := s.content.content()
	if err != nil {
		return err
	}
	if err := m.Validate(kind, body); err != nil {
		return fmt.Errorf("ivdossier: a document that staff cannot read: %w", err)
	}
	m.seen[path] = true
	if s.head[contract.NameReference] == "" {
		return m.recognise(folder, kind, body)
	}
	return m.record(ctx, folder, core.Write{
		Kind: kind, CaseReference: handover.CaseID(s.head[contract.NameCaseReference]), Reference: native.Reference(s.head[contract.NameReference]), By: core.ByInterface, Body: body,
	})
}

// record writes a document into the journal. One that stands there from before the mock was started is not written again.
func (m *Mock) record(ctx context.Context, folder string, w core.Write) error {
	for _, e := range m.store.ByReference(w.Reference, 0) {
		if _, known := m.folders[e.Case]; !known {
			m.folders[e.Case], m.cases[folder] = folder, e.Case
		}
		if m.folders[e.Case] == folder && e.At.Before(m.started) {
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
	}
	return err
}

// recognise finds the application of the office with which a case was opened.
func (m *Mock) recognise(folder string, kind native.Kind, body []byte) error {
	want, err := pageOf(body)
	if err != nil {
		return err
	}
	for _, e := range m.store.After(0, 0) {
		got, err := pageOf(e.Body)
		if err != nil {
			return err
		}
		if e.By == core.ByClerk && e.Kind == kind && slices.Equal(want, got) {
			m.folders[e.Case], m.cases[folder] = folder, e.Case
			return nil
		}
	}
	return errors.New("ivdossier: a case was opened that nobody of the office has asked for")
}

// saveEntries saves what clerks entered. A document of a case that einmal has not opened yet waits for its folder.
func (m *Mock) saveEntries() error {
	for _, e := range m.store.After(0, 0) {
		if e.By != core.ByClerk || m.saved[e.Number] {
			continue
		}
		folder := filepath.Join(contract.Cases, m.folders[e.Case])
		if form, _ := m.forms.Kind(e.Kind); form.Opens {
			folder = contract.NewCases
		} else if m.folders[e.Case] == "" {
			continue
		}
		path := filepath.Join(m.options.Folder, folder, fmt.Sprintf("%s %06d.xlsx", e.Kind, e.Number))
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			if err := m.save(e, path); err != nil {
				return err
			}
		}
		m.saved[e.Number] = true
	}
	return nil
}

// save saves one document, with what may go wrong.
func (m *Mock) save(e core.Entry, path string) error {
	p, err := pageOf(e.Body)
	if err != nil {
		return err
	}
	blank := filepath.Join(m.options.Folder, contract.Blank, string(e.Kind)+".xlsx")
	b, err := m.fill(e, p, blank, contract.Released)
	if err != nil {
		return err
	}
	switch m.dice.Strike(core.OpEvent, core.FaultSlow, core.FaultLate, core.FaultDuplicate) {
	case core.FaultSlow:
		m.halves = append(m.halves, func() error { return os.WriteFile(path, b, 0o600) })
		return os.WriteFile(path, b[:len(b)/2], 0o600)
	case core.FaultLate:
		draft, err := m.fill(e, p, blank, contract.Draft)
		if err != nil {
			return err
		}
		lock := filepath.Join(filepath.Dir(path), "~$"+filepath.Base(path))
		m.halves = append(m.halves, func() error { return errors.Join(replace(path, b), os.Remove(lock)) })
		return errors.Join(os.WriteFile(lock, []byte("office"), 0o600), replace(path, draft))
	case core.FaultDuplicate:
		return errors.Join(replace(path, b), replace(filepath.Join(filepath.Dir(path), "Kopie von "+filepath.Base(path)), b))
	}
	return replace(path, b)
}

// replace saves as office programs do: into a file beside it, which then takes the place.
func replace(path string, b []byte) error {
	beside := filepath.Join(filepath.Dir(path), "~"+filepath.Base(path)+".tmp")
	if err := os.WriteFile(beside, b, 0o600); err != nil {
		return err
	}
	return os.Rename(beside, path)
}
