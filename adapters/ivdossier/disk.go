package ivdossier

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	contract "github.com/einmal-hub/einmal/contracts/native/ivdossier"
)

// einmal's own folders.
const (
	drafts  = contract.Machinery + "/entwuerfe" // files that are being written
	entries = contract.Machinery + "/eintraege" // committed entries, by their record ids
	journal = contract.Machinery + "/folge"     // the same, numbered in their order
	aside   = contract.Machinery + "/register"  // versions of the register that are not merged yet
	states  = contract.Machinery + "/staende"   // what einmal wrote into each version of the register
	kept    = contract.Machinery + "/dokumente" // contents of documents, by their hashes
	salt    = contract.Machinery + "/salz"      // makes record ids say nothing about their content
)

// disk is the folder during one piece of work. Every step is one call of the file system, in the order of the code, and durable when the next one begins.
type disk struct {
	root  *os.Root
	meet  func(op, name string) error
	flush func(*os.File) error
}

func (d *disk) met(op, name string) error {
	if d.meet == nil {
		return nil
	}
	return d.meet(op, name)
}

func (d *disk) close() { _ = d.root.Close() }

// folder makes a folder if it is not there. einmal's own is closed to everybody else.
func (d *disk) folder(name string) error {
	if info, err := d.root.Lstat(name); err == nil {
		if !info.IsDir() {
			return errIrregular
		}
		return nil
	}
	if err := d.met("mkdir", name); err != nil {
		return err
	}
	mode := fs.FileMode(0o770)
	if strings.HasPrefix(name, contract.Machinery) {
		mode = 0o700
	}
	if err := d.root.Mkdir(name, mode); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return d.sync(path.Dir(name))
}

// names lists the names in a folder, sorted. Unlike list it asks for the properties of no file: for folders that only grow.
func (d *disk) names(folder string) ([]string, error) {
	if err := d.met("list", folder); err != nil {
		return nil, err
	}
	f, err := d.root.Open(folder)
	if err != nil {
		return nil, err
	}
	names, err := f.Readdirnames(-1)
	slices.Sort(names)
	return names, errors.Join(err, f.Close())
}

// list lists a folder, sorted by name.
func (d *disk) list(folder string) ([]fs.DirEntry, error) {
	if err := d.met("list", folder); err != nil {
		return nil, err
	}
	return fs.ReadDir(d.root.FS(), folder)
}

// errIrregular: a link, a folder, or a file larger than the contract allows stands where a file is expected.
var errIrregular = errors.New("not a regular file within the limits of the contract")

// read reads one regular file. Links are not followed.
func (d *disk) read(name string, limit int64) ([]byte, error) {
	if err := d.met("read", name); err != nil {
		return nil, err
	}
	info, err := d.root.Lstat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > limit {
		return nil, errIrregular
	}
	return d.root.ReadFile(name)
}

// draft writes a file under a name that nobody else looks at, and makes it durable.
func (d *disk) draft(b []byte, mode fs.FileMode) (string, error) {
	return d.stream(bytes.NewReader(b), mode)
}

// stream is draft for what is not held in memory.
func (d *disk) stream(from io.Reader, mode fs.FileMode) (string, error) {
	name := drafts + "/" + rand.Text()
	if err := d.met("draft", name); err != nil {
		return "", err
	}
	f, err := d.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return "", err
	}
	_, err = io.Copy(f, from)
	if err := errors.Join(err, d.flush(f), f.Close()); err != nil {
		return "", errors.Join(err, d.root.Remove(name))
	}
	return name, nil
}

// link puts a file in place under another name and makes the name durable. What stands there is never replaced: then the error is fs.ErrExist.
func (d *disk) link(from, to string) error {
	if err := d.met("link", to); err != nil {
		return err
	}
	if err := d.root.Link(from, to); err != nil {
		return err
	}
	return d.sync(path.Dir(to))
}

// put writes a whole file under a name, or nothing. What stands there is never replaced: then the error is fs.ErrExist.
func (d *disk) put(name string, b []byte, mode fs.FileMode) error {
	from, err := d.draft(b, mode)
	if err != nil {
		return err
	}
	return errors.Join(d.link(from, name), ignoreMissing(d.root.Remove(from)))
}

// rename moves a file to a name that nothing else can have.
func (d *disk) rename(from, to string) error {
	if err := d.met("rename", from); err != nil {
		return err
	}
	if err := d.root.Rename(from, to); err != nil {
		return err
	}
	return errors.Join(d.sync(path.Dir(to)), d.sync(path.Dir(from)))
}

func (d *disk) remove(name string) error {
	if err := d.met("remove", name); err != nil {
		return err
	}
	return ignoreMissing(d.root.Remove(name))
}

// sync makes the names in a folder durable.
func (d *disk) sync(folder string) error {
	if err := d.met("sync", folder); err != nil {
		return err
	}
	f, err := d.root.Open(folder)
	if err != nil {
		return err
	}
	return errors.Join(d.flush(f), f.Close())
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// bare returns a file system error without the name of the file: staff choose names, and may write a person's into one.
func bare(err error) error {
	var link *os.LinkError
	var place *fs.PathError
	switch {
	case errors.As(err, &link):
		return link.Err
	case errors.As(err, &place):
		return place.Err
	}
	return err
}
