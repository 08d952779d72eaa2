package tutoris

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"

	contract "github.com/einmal-hub/einmal/contracts/native/tutoris"
	"github.com/einmal-hub/einmal/contracts/strict"
	"github.com/einmal-hub/einmal/mocks/core"
)

// restore reads from the folders how far the mock was when it ended. A file that it was killed over is not whole: it is removed, and what it said is said again.
func (m *Mock) restore() error {
	known, err := m.openNotes()
	if err != nil {
		return err
	}
	said := map[string]bool{}
	err = m.whole(contract.Results, known, func(name string, says []string) {
		if run, ok := contract.ParseResult(name); ok {
			m.run = max(m.run, run)
			for _, reference := range says {
				said[reference] = true
			}
		}
	})
	if err != nil {
		return err
	}
	there := map[uint64]bool{}
	err = m.whole(contract.Outbox, known, func(name string, _ []string) {
		if e, ok := contract.ParseExport(name); ok {
			m.exports = max(m.exports, e.Run)
			for n := e.From; n <= e.To; n++ {
				there[n] = true
			}
		}
	})
	if err != nil {
		return err
	}
	for there[m.exported+1] {
		m.exported++
	}
	m.resume(said)
	return nil
}

// resume goes on where the exports and the results ended.
func (m *Mock) resume(said map[string]bool) {
	left := m.exported
	for e := range m.store.Heads(0) {
		switch first := (contract.Delivery{Reference: e.Reference, Attempt: 1}); {
		case e.By == core.ByClerk && left > 0:
			left--
			m.entered = e.Number
		case e.By == core.ByInterface && !said[string(e.Reference)]:
			m.receipts = append(m.receipts, receipt{Delivery: first, record: e.ID, of: e.Case})
		}
	}
}

// openNotes returns the files of which it was noted that they lie there whole, with their length and the references in them: reading the results and exports of months takes longer than a mock may be away.
func (m *Mock) openNotes() (map[string][]string, error) {
	known := map[string][]string{}
	if m.options.Dir == "" {
		return known, nil
	}
	var err error
	m.files, err = core.OpenNotes(filepath.Join(m.options.Dir, string(m.options.System)+".files"), func(line string) error {
		name, rest, _ := strings.Cut(line, " ")
		known[name] = strings.Fields(rest)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("tutoris: the files that are whole: %w", err)
	}
	return known, nil
}

// whole calls read with every file of a folder that is whole and the references of the receipts in it, and removes the others. One that is as long as when it was known to be whole is not opened.
func (m *Mock) whole(folder string, known map[string][]string, read func(name string, says []string)) error {
	names, err := fs.ReadDir(m.root.FS(), folder)
	if err != nil {
		return fmt.Errorf("tutoris: read the folder %s: %w", folder, err)
	}
	for _, n := range names {
		if strings.HasPrefix(n.Name(), ".") {
			continue
		}
		info, err := n.Info()
		if err != nil {
			return fmt.Errorf("tutoris: look at a file: %w", err)
		}
		var says []string
		is := true
		if noted := known[n.Name()]; len(noted) > 0 && noted[0] == strconv.FormatInt(info.Size(), 10) {
			says = noted[1:]
		} else {
			if says, is, err = m.examine(folder, n.Name()); err != nil {
				return err
			}
		}
		if is {
			read(n.Name(), says)
		}
	}
	return nil
}

// examine reads a file and notes what it says, or removes it when it is not whole.
func (m *Mock) examine(folder, name string) (says []string, whole bool, err error) {
	b, err := m.root.ReadFile(folder + "/" + name)
	if err != nil {
		return nil, false, fmt.Errorf("tutoris: read a file: %w", err)
	}
	root, err := strict.XML(b)
	if err != nil {
		if err := m.root.Remove(folder + "/" + name); err != nil {
			return nil, false, fmt.Errorf("tutoris: remove a file that is not whole: %w", err)
		}
		return nil, false, nil
	}
	for _, q := range strict.Children(root, contract.Namespace, "quittung") {
		says = append(says, own(q, "referenz"))
	}
	return says, true, m.note(name, int64(len(b)), says)
}

// note notes that a file of so many bytes lies there whole, and the references in it.
func (m *Mock) note(name string, size int64, says []string) error {
	return m.files.Add(strings.Join(append([]string{name, strconv.FormatInt(size, 10)}, says...), " "))
}
