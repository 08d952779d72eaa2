package witness

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"

	"github.com/einmal-hub/einmal/contracts/fault"
)

// File is a mark on disk. It is replaced as a whole and written through, so that whoever reads it after a crash finds the old mark or the new one. Several gateways may share one: each adds what it
// knows.
type File struct{ Path string }

// FileFor returns the file for the topics with a prefix in a gateway's data folder.
func FileFor(folder, prefix string) File {
	return File{filepath.Join(folder, "ledger-mark-"+prefix+".json")}
}

// String returns "the file ...".
func (f File) String() string { return "the file " + f.Path }

// Load reads the mark; false when there is none. A file that cannot be read or understood is an error of kind Stop: it may be the only witness.
func (f File) Load() (Mark, bool, error) {
	b, err := os.ReadFile(f.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return Mark{}, false, nil
	}
	if err != nil {
		return Mark{}, false, unusable("the file that remembers the ledger cannot be read").At(f.Path).Because(err)
	}
	m, err := Decode(b)
	if err != nil {
		return Mark{}, false, unusable("the file that remembers the ledger is damaged, or of a newer version").At(f.Path).
			Hint("start the newer version; if the file is damaged and you know that the brokers lost nothing, remove it")
	}
	return m, true, nil
}

// Save merges a mark into the file. With replace it stands there as it is: a person has accepted that what was remembered is lost. Errors are of kind Stop.
func (f File) Save(m Mark, replace bool) error {
	if err := os.MkdirAll(filepath.Dir(f.Path), 0o700); err != nil {
		return unusable("the folder for what is remembered of the ledger cannot be made").At(f.Path).Because(err)
	}
	lock := flock.New(f.Path + ".lock") // of several gateways on one folder
	if err := lock.Lock(); err != nil {
		return unusable("the file that remembers the ledger cannot be locked").At(f.Path).Because(err)
	}
	err := f.save(m, replace)
	return errors.Join(err, lock.Unlock())
}

func (f File) save(m Mark, replace bool) error {
	was, there, err := f.Load()
	if err != nil && !replace {
		return err
	}
	if there && !replace {
		if m = m.Merge(was); m.Same(was) {
			return nil
		}
	}
	b, err := m.Encode()
	if err != nil {
		return err
	}
	if err := write(f.Path, append(b, '\n')); err != nil {
		return unusable("the file that remembers the ledger cannot be written").At(f.Path).Because(err)
	}
	return nil
}

// write replaces a file, durably.
func write(path string, b []byte) error {
	draft, err := os.CreateTemp(filepath.Dir(path), ".ledger-mark-*") // with permissions 0600
	if err != nil {
		return err
	}
	_, err = draft.Write(b)
	if err = errors.Join(err, draft.Sync(), draft.Close()); err == nil {
		err = os.Rename(draft.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(draft.Name()))
	}
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

func unusable(text string) *fault.Error {
	return fault.New(fault.Stop, "witness.file", "mark-unusable", text).
		Hint("let einmal's user write into the folder data of the configuration, on a disk that outlives the process")
}
