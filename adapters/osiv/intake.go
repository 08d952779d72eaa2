package osiv

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"time"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/native"
	contract "github.com/einmal-hub/einmal/contracts/native/osiv"
)

// waiting is a pair in the inbox.
type waiting struct {
	base     string
	bytes    []byte // of the envelope
	envelope envelope
}

func (w waiting) data() string  { return contract.Inbox + "/data_" + w.base + ".zip" }
func (w waiting) cover() string { return contract.Inbox + "/envl_" + w.base + ".xml" }

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
	slices.SortFunc(pairs, func(a, b waiting) int {
		return cmp.Or(a.envelope.sent.Compare(b.envelope.sent), cmp.Compare(a.envelope.id, b.envelope.id))
	})
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

// look lists the inbox: whole pairs of this exchange, and files that have waited too long. While a file waits whose pair is not whole, no pair is taken: what it says may come before the others.
func (e *exchange) look(root *os.Root) (pairs []waiting, stuck []adapters.Broken, err error) {
	names, err := list(root, contract.Inbox)
	if err != nil || len(names) == 0 {
		return nil, nil, err
	}
	slices.Sort(names)
	form := regexp.MustCompile(`^(?:envl_([A-Za-z0-9_-]{1,64})\.xml|data_([A-Za-z0-9_-]{1,64})\.zip)$`)
	seen, early := map[string]bool{}, false
	for _, name := range names {
		m := form.FindStringSubmatch(name)
		if m == nil || seen[m[1]+m[2]] {
			continue
		}
		w := waiting{base: m[1] + m[2]}
		seen[w.base] = true
		whole, ours, err := e.inspect(root, &w)
		switch {
		case err != nil:
			return nil, nil, err
		case !whole && !e.overdue(root, w):
			early = true
		case whole && ours:
			pairs = append(pairs, w)
		case !whole:
			if ours {
				pairs = append(pairs, w) // complete in name: it is put before a person with its bytes
				continue
			}
			stuck = append(stuck, adapters.Broken{ID: native.RecordID("inbox-" + key([]byte(w.base))), Raw: w.bytes, Reason: incomplete()})
		}
	}
	if early {
		pairs = nil
	}
	return pairs, stuck, nil
}

// inspect reads a pair. It is whole when both files are regular and can be read to the end; ours says that both are there and the envelope belongs to this exchange. An error says that at present
// nobody can tell: then no later pair may be taken either.
func (e *exchange) inspect(root *os.Root, w *waiting) (whole, ours bool, err error) {
	b, err := read(root, w.cover())
	if err == nil && e.meet != nil {
		err = e.meet(w.base)
	}
	if err != nil {
		return false, false, ignoreHalf(err)
	}
	w.bytes = b
	if w.envelope, err = readEnvelope(b); err != nil {
		return false, false, nil // it may be being written
	}
	if w.envelope.messageType != uint64(e.config.MessageType) { //nolint:gosec // checked to be positive
		return true, false, nil
	}
	payload, size, err := regular(root, w.data(), contract.MaxPayload)
	if err != nil {
		return false, false, ignoreHalf(err)
	}
	defer func() { _ = payload.Close() }()
	p, err := unpack(payload, size)
	return err == nil && p.whole(), true, nil
}

// ignoreHalf leaves of the failures to read a file only those that are about everything: no room for another open file, a share that does not answer.
func ignoreHalf(err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, errIrregular) || errors.Is(err, fs.ErrPermission) {
		return nil
	}
	return err
}

// overdue reports whether nothing has happened to either file of a pair for longer than a file may take to be written. A time that lies as far ahead, as the clock of a file share may say, tells nothing and would
// let the others wait without an end.
func (e *exchange) overdue(root *os.Root, w waiting) bool {
	var last time.Time
	for _, name := range []string{w.cover(), w.data()} {
		if info, err := root.Lstat(name); err == nil && info.ModTime().After(last) {
			last = info.ModTime()
		}
	}
	return !last.IsZero() && e.now().Sub(last).Abs() > e.config.Settle
}

func incomplete() error {
	return fault.New(fault.Park, opRead, "incomplete-pair", "a file in the inbox has no second half, cannot be read, or was never written to its end").
		Hint("ask the operator of the sedex client; when the pair becomes whole it is read, then withdraw this copy")
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
	return errors.Join(ignoreMissing(root.Remove(w.cover())), ignoreMissing(root.Remove(w.data())))
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
