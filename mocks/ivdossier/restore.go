package ivdossier

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"time"

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
		info, err := os.Stat(path)
		if name == nil || err != nil || time.Since(info.ModTime()) > unsure {
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

// lockOf is what an office program lays beside a document that is open.
func lockOf(path string) string { return filepath.Join(filepath.Dir(path), "~$"+filepath.Base(path)) }

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
