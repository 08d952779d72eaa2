package ivdossier

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/einmal-hub/einmal/contracts/native"
	contract "github.com/einmal-hub/einmal/contracts/native/ivdossier"
	"github.com/einmal-hub/einmal/mocks/core"
)

// unsure is how long before the mock was started a document may have been saved that another one was killed over.
const unsure = time.Minute

// restore puts right what a mock that was killed had begun: a document that is not whole, or still a draft, is taken away, and saved anew with the next look; a file that one names and nobody
// saved is saved.
func (m *Mock) restore() error {
	var paths []string
	for _, folder := range []string{filepath.Join(contract.Cases, "*"), contract.NewCases} {
		found, err := filepath.Glob(filepath.Join(m.options.Folder, folder, "*.xlsx"))
		if err != nil {
			return err
		}
		paths = append(paths, found...)
	}
	form := regexp.MustCompile(`^\S+ ([0-9]{6,})\.xlsx$`)
	for _, path := range paths {
		name := form.FindStringSubmatch(filepath.Base(path))
		if name == nil {
			continue
		}
		if info, err := os.Stat(path); err != nil || time.Since(info.ModTime()) > unsure {
			continue
		}
		number, err := strconv.ParseUint(name[1], 10, 64)
		if err != nil || number == 0 {
			continue
		}
		if entries := m.store.After(number-1, 1); len(entries) == 1 && entries[0].By == core.ByClerk && documentName(entries[0]) == filepath.Base(path) {
			if err := m.restoreDocument(entries[0], path); err != nil {
				return fmt.Errorf("ivdossier: put right what was begun: %w", err)
			}
		}
	}
	return nil
}

func (m *Mock) restoreDocument(e core.Entry, path string) error {
	s, err := readSheet(path)
	if err != nil || s.head[contract.NameRelease] != contract.Released {
		return errors.Join(os.Remove(path), ignoreMissing(os.Remove(lockOf(path))))
	}
	p, err := pageOf(e.Body)
	if err != nil {
		return err
	}
	files, _, err := m.files(filepath.Dir(path), p)
	if err != nil {
		return err
	}
	for file := range files {
		if _, err := os.Stat(file); err == nil {
			delete(files, file)
		}
	}
	return files.save()
}

// remember reads which documents were read before, and what the mock knows from them: opening them all takes longer than a mock may be away.
func (m *Mock) remember() error {
	if m.options.Dir == "" {
		return nil
	}
	var err error
	m.read, err = core.OpenNotes(filepath.Join(m.options.Dir, string(m.options.System)+".read"), func(line string) error {
		f := strings.Split(line, "\t")
		if len(f) != 5 {
			return errors.New("a line has five parts")
		}
		folder, name, of, number, record := f[0], f[1], native.CaseKey(f[2]), f[3], native.RecordID(f[4])
		m.seen[filepath.Join(m.options.Folder, contract.Cases, folder, name)] = true
		if of != "" {
			m.folders[of], m.cases[folder] = folder, of
		}
		if record != "" {
			m.numbers[number] = record
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("ivdossier: what was read: %w", err)
	}
	return nil
}

// note notes that a document was read, and what the mock knows from it. number is empty for a document that only lies there.
func (m *Mock) note(path, number string) error {
	folder, of, record := filepath.Base(filepath.Dir(path)), "", ""
	if number != "" {
		of, record = string(m.cases[filepath.Base(filepath.Dir(path))]), string(m.numbers[number])
	}
	line := strings.Join([]string{folder, filepath.Base(path), of, number, record}, "\t")
	if strings.Count(line, "\t") != 4 || strings.Contains(line, "\n") {
		return nil // somebody gave it a name that cannot be noted: it is read once more
	}
	return m.read.Add(line)
}

// lockOf is what an office program lays beside a document that is open.
func lockOf(path string) string { return filepath.Join(filepath.Dir(path), "~$"+filepath.Base(path)) }

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
