package core

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// Notes are lines that a mock remembers beside its journal, so that one that is killed again and again does not do or find out everything again and again. They are no truth: what was not noted in
// the moment of the kill is done or found out once more. A nil *Notes takes notes and keeps none.
type Notes struct{ file *os.File }

// OpenNotes reads the notes in a file, which it makes if need be. A last line that is not whole is cut off. Close must be called.
func OpenNotes(name string, read func(line string) error) (*Notes, error) {
	b, err := os.ReadFile(name) //nolint:gosec // the folder is the caller's choice
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read notes: %w", err)
	}
	whole := b[:bytes.LastIndexByte(b, '\n')+1]
	for line := range bytes.Lines(whole) {
		if err := read(string(line[:len(line)-1])); err != nil {
			return nil, fmt.Errorf("read notes: %w", err)
		}
	}
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // the same
	if err != nil {
		return nil, fmt.Errorf("open notes: %w", err)
	}
	if err := errors.Join(f.Truncate(int64(len(whole))), seekTo(f, int64(len(whole)))); err != nil {
		return nil, errors.Join(fmt.Errorf("open notes: %w", err), f.Close())
	}
	return &Notes{file: f}, nil
}

// Add notes a line.
func (n *Notes) Add(line string) error {
	if n == nil {
		return nil
	}
	if _, err := n.file.WriteString(line + "\n"); err != nil {
		return fmt.Errorf("write notes: %w", err)
	}
	return nil
}

// Close ends the notes.
func (n *Notes) Close() error {
	if n == nil {
		return nil
	}
	return n.file.Close()
}
