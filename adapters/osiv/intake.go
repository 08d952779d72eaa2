package osiv

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"

	"github.com/einmal-hub/einmal/adapters"
	contract "github.com/einmal-hub/einmal/contracts/native/osiv"
)

// key names the files of a pair by the bytes of its envelope, which are the same whatever name the carrier gives them.
func key(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:16])
}

// width is how many digits a number has at least: it keeps names in order for people.
const width = 10

// number is the name of a pair that was taken.
func number(n uint64) string { return fmt.Sprintf("%s/in_%0*d.xml", contract.Processed, width, n) }

func payloadOf(key string) string { return contract.Processed + "/in_" + key + ".zip" }

// list returns the names in a folder, in no order. It looks at no file: what was processed in years lies in one folder, and [fs.ReadDir] asks for the properties of each.
func list(root *os.Root, folder string) ([]string, error) {
	f, err := root.Open(folder)
	if err != nil {
		return nil, err
	}
	names, err := f.Readdirnames(-1)
	return names, errors.Join(err, f.Close())
}

// take takes every whole pair of this exchange out of the inbox, in the order in which OSIV sent them, and returns what has waited too long to become whole.
func (e *exchange) take(root *os.Root) ([]adapters.Broken, error) {
	pairs, stuck, err := e.look(root)
	if err != nil {
		return nil, err
	}
	if err := e.shelf.catchUp(root); err != nil {
		return nil, err
	}
	for _, w := range pairs {
		if err := e.shelve(root, w); err != nil {
			return nil, err
		}
	}
	return stuck, nil
}

// errIrregular: a link, a folder, or a file larger than the contract allows stands where a file is expected.
var errIrregular = errors.New("not a regular file within the limits of the contract")

// read reads one regular file that is no larger than an envelope. Links are not followed.
func read(root *os.Root, name string) ([]byte, error) {
	info, err := root.Lstat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > contract.MaxEnvelope {
		return nil, errIrregular
	}
	return root.ReadFile(name)
}

// about is the folder with everything that came about one message: the carrier's receipts, and under their numbers the envelopes of OSIV's reports. A search looks there, and lists nothing else.
func about(id string) string {
	k := key([]byte(id))
	return contract.Processed + "/about_" + k[:2] + "/" + k[2:] // file systems hold only so many folders in one
}

// shelve gives a pair its number, which makes it part of the stream, notes it with the message that it answers, and takes it out of the inbox. Each step is made or is not, may be made again,
// and a pair that is out of the inbox has all of them.
func (e *exchange) shelve(root *os.Root, w waiting) error {
	err := root.Link(w.data(), payloadOf(key(w.bytes)))
	again := errors.Is(err, fs.ErrExist)
	if err != nil && !again {
		return ignoreMissing(err) // another gateway was quicker
	}
	var n uint64
	if again { // it came twice, or a process ended, or is at this moment, before it is out of the inbox
		if err := e.shelf.catchUp(root); err != nil {
			return err
		}
		if n, err = e.shelf.numberOf(root, key(w.bytes)); err != nil {
			return err
		}
	}
	if n == 0 {
		if n, err = e.enter(root, w); err != nil {
			return ignoreMissing(err)
		}
	}
	if err := note(root, n, w.envelope.reference); err != nil {
		return err
	}
	return errors.Join(ignoreMissing(root.Remove(w.data())), ignoreMissing(root.Remove(w.cover()))) // the envelope last: it tells what was taken
}

// enter links the envelope under the next free number. A link that exists is never replaced, so no two pairs get one number, and no number below one that is
// visible is given later.
func (e *exchange) enter(root *os.Root, w waiting) (uint64, error) {
	for next := e.shelf.top() + 1; ; next++ {
		err := root.Link(w.cover(), number(next))
		if err == nil {
			return next, errors.Join(syncFolder(root, contract.Processed), e.shelf.reach(root, next))
		}
		if !errors.Is(err, fs.ErrExist) {
			return 0, err
		}
	}
}

// note links the envelope of a pair into the folder of the message that it answers, if it answers one.
func note(root *os.Root, n uint64, message string) error {
	if message == "" {
		return nil
	}
	folder := about(message)
	if err := folderOf(root, folder); err != nil {
		return err
	}
	err := root.Link(number(n), folder+"/"+path.Base(number(n)))
	if err == nil {
		err = syncFolder(root, folder)
	}
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	return err
}

// folderOf makes a folder about a message, durable when it returns.
func folderOf(root *os.Root, folder string) error {
	if _, err := root.Lstat(folder); err == nil {
		return nil
	}
	for _, f := range []string{path.Dir(folder), folder} {
		err := root.Mkdir(f, 0o700)
		if err == nil {
			err = syncFolder(root, path.Dir(f))
		}
		if err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return nil
}

// syncFolder makes the names in a folder durable.
func syncFolder(root *os.Root, name string) error {
	f, err := root.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
