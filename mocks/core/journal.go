package core

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/einmal-hub/einmal/contracts/handover"
)

// JournalName returns the file name of a system's journal.
func JournalName(system handover.SystemID) string { return string(system) + ".journal.jsonl" }

// journal is the file behind a store; without a file it only swallows.
type journal struct{ file *os.File }

// openJournal opens or creates the file and returns what stands in it. A torn last line is cut off: its writer was never answered.
func openJournal(dir string, system handover.SystemID) (*journal, []filed, error) {
	if dir == "" {
		return &journal{}, nil, nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, nil, fmt.Errorf("make the journal's folder: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, JournalName(system)), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, nil, fmt.Errorf("open the journal: %w", err)
	}
	entries, whole, err := readBack(f)
	if err == nil {
		err = errors.Join(f.Truncate(whole), seekTo(f, whole), syncFolder(dir))
	}
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("open the journal of %s: %w", system, err), f.Close())
	}
	return &journal{file: f}, entries, nil
}

// readBack reads the whole file at once: the contents stay in what was read, for as long as the store is open.
func readBack(f *os.File) ([]filed, int64, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, 0, err
	}
	b := make([]byte, info.Size())
	if _, err := io.ReadFull(f, b); err != nil {
		return nil, 0, err
	}
	return parseJournal(b)
}

func seekTo(f *os.File, at int64) error {
	_, err := f.Seek(at, 0)
	return err
}

// syncFolder makes a new file's name durable.
func syncFolder(dir string) error {
	d, err := os.Open(dir) //nolint:gosec // the folder is the caller's choice
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// append writes the lines and returns when they are on disk.
func (j *journal) append(lines []byte) error {
	if j.file == nil || len(lines) == 0 {
		return nil
	}
	if _, err := j.file.Write(lines); err != nil {
		return fmt.Errorf("write the journal: %w", err)
	}
	if err := j.file.Sync(); err != nil {
		return fmt.Errorf("sync the journal: %w", err)
	}
	return nil
}

func (j *journal) close() error {
	if j.file == nil {
		return nil
	}
	return j.file.Close()
}
