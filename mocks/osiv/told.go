package osiv

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// told remembers beside the journal what einmal was told, so that a mock that is killed again and again does not tell everything again and again. What was told in the moment of the kill may be told twice.
type told struct {
	file    *os.File // nil: memory only
	entry   uint64   // the number of the last entry of a clerk
	reports map[string]bool
}

// openTold reads what was told before. A last line that is not whole was not told to its end.
func openTold(dir, system string) (*told, error) {
	t := &told{reports: map[string]bool{}}
	if dir == "" {
		return t, nil
	}
	name := filepath.Join(dir, system+".told")
	b, err := os.ReadFile(name) //nolint:gosec // the mock's own folder
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("osiv: read what was told: %w", err)
	}
	whole := b[:strings.LastIndexByte(string(b), '\n')+1]
	lines := bufio.NewScanner(strings.NewReader(string(whole)))
	for lines.Scan() {
		switch kind, what, _ := strings.Cut(lines.Text(), " "); kind {
		case "entry":
			if t.entry, err = strconv.ParseUint(what, 10, 64); err != nil {
				return nil, fmt.Errorf("osiv: read what was told: %w", err)
			}
		case "report":
			t.reports[what] = true
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("osiv: read what was told: %w", err)
	}
	if t.file, err = os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600); err != nil { //nolint:gosec // the same
		return nil, fmt.Errorf("osiv: open what was told: %w", err)
	}
	if err := t.file.Truncate(int64(len(whole))); err != nil {
		return nil, errors.Join(fmt.Errorf("osiv: open what was told: %w", err), t.file.Close())
	}
	if _, err := t.file.Seek(0, 2); err != nil {
		return nil, errors.Join(fmt.Errorf("osiv: open what was told: %w", err), t.file.Close())
	}
	return t, nil
}

// note remembers a line.
func (t *told) note(kind, what string) error {
	if t.file == nil {
		return nil
	}
	if _, err := t.file.WriteString(kind + " " + what + "\n"); err != nil {
		return fmt.Errorf("osiv: note what was told: %w", err)
	}
	return nil
}

func (t *told) close() error {
	if t.file == nil {
		return nil
	}
	err := t.file.Close()
	t.file = nil
	return err
}
