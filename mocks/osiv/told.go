package osiv

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/einmal-hub/einmal/mocks/core"
)

// told remembers beside the journal what einmal was told, so that a mock that is killed again and again does not tell everything again and again. What was told in the moment of the kill may be told twice.
type told struct {
	notes   *core.Notes // nil: memory only
	entry   uint64      // the number of the last entry of a clerk
	reports map[string]bool
}

// openTold reads what was told before. A last line that is not whole was not told to its end.
func openTold(dir, system string) (*told, error) {
	t := &told{reports: map[string]bool{}}
	if dir == "" {
		return t, nil
	}
	var err error
	if t.notes, err = core.OpenNotes(filepath.Join(dir, system+".told"), t.read); err != nil {
		return nil, fmt.Errorf("osiv: what was told: %w", err)
	}
	return t, nil
}

func (t *told) read(line string) (err error) {
	switch kind, what, _ := strings.Cut(line, " "); kind {
	case "entry":
		t.entry, err = strconv.ParseUint(what, 10, 64)
	case "report":
		t.reports[what] = true
	}
	return err
}

// note remembers a line.
func (t *told) note(kind, what string) error {
	if err := t.notes.Add(kind + " " + what); err != nil {
		return fmt.Errorf("osiv: what was told: %w", err)
	}
	return nil
}

func (t *told) close() error {
	notes := t.notes
	t.notes = nil
	return notes.Close()
}
