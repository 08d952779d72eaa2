package osiv

import (
	"cmp"
	"errors"
	"io/fs"
	"math"
	"os"
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

// watch is what this process has seen of the inbox. The zero watch has seen nothing.
type watch struct {
	looks int
	pairs map[string]*sight
}

// sight is what was seen of a pair. As long as its files look the same they are not read again.
type sight struct {
	waiting
	first   int       // the look in which it was first seen
	look    [2]glance // of the envelope and of the payload
	changed time.Time // since when it looks so, by einmal's own clock
	whole   bool
	ours    bool
	asked   bool // the shelf was asked whether it was taken already: an envelope alone may be what is left of that
}

// glance is how a file looks from outside; zero: it is not there.
type glance struct {
	mod  time.Time
	size int64
}

// look lists the inbox and returns the pairs that may be taken, in the order in which OSIV sent them, and the files that have waited too long.
//
// What a file says that is still being written may come before the others. Therefore a pair waits for everything that is not whole and was there when it came; not for what came later, or a busy carrier, of whose
// many pairs one is always being written, would let all of them wait for ever. A listing is not made in one moment and may show a pair without one that was there before; therefore the inbox is listed
// twice, and what is new in the second listing, which counts as there from the beginning, is taken with the next look.
func (e *exchange) look(root *os.Root) (pairs []waiting, stuck []adapters.Broken, err error) {
	stood, err := bases(root)
	if err != nil || len(stood) == 0 {
		e.inbox = watch{looks: e.inbox.looks + 1}
		return nil, nil, err
	}
	names, err := bases(root)
	if err != nil {
		return nil, nil, err
	}
	e.inbox.see(root, names, e.now())
	early := math.MaxInt // the look in which the first one came that is not whole
	var whole []*sight
	for _, base := range names {
		s := e.inbox.pairs[base]
		err := e.judge(root, s)
		switch {
		case err != nil:
			return nil, nil, err
		case s.whole && s.ours:
			whole = append(whole, s)
		case s.whole:
		case e.now().Sub(s.changed) <= e.config.Settle:
			early = min(early, s.first)
		case s.ours:
			whole = append(whole, s) // complete in name: it is put before a person with its bytes
		default:
			stuck = append(stuck, adapters.Broken{ID: native.RecordID("inbox-" + key([]byte(base))), Raw: s.bytes, Reason: incomplete()})
		}
	}
	slices.SortFunc(whole, func(a, b *sight) int {
		return cmp.Or(a.envelope.sent.Compare(b.envelope.sent), cmp.Compare(a.envelope.id, b.envelope.id))
	})
	for _, s := range whole {
		if _, there := slices.BinarySearch(stood, s.base); !there || early <= s.first {
			break
		}
		pairs = append(pairs, s.waiting)
	}
	return pairs, stuck, nil
}

// bases lists the base names in the inbox, sorted.
func bases(root *os.Root) (all []string, err error) {
	names, err := list(root, contract.Inbox)
	form := regexp.MustCompile(`^(?:envl_([A-Za-z0-9_-]{1,64})\.xml|data_([A-Za-z0-9_-]{1,64})\.zip)$`)
	for _, name := range names {
		if m := form.FindStringSubmatch(name); m != nil {
			all = append(all, m[1]+m[2])
		}
	}
	slices.Sort(all)
	return slices.Compact(all), err
}

// see notes what is there. How long a pair has looked as it does is told by einmal's own clock, because that of a file share may be another one; only of what was there before this process the times of the files tell
// more.
func (w *watch) see(root *os.Root, names []string, now time.Time) {
	w.looks++
	before := w.pairs
	w.pairs = make(map[string]*sight, len(names))
	for _, base := range names {
		s := before[base]
		if s == nil {
			s = &sight{waiting: waiting{base: base}, first: w.looks}
		}
		w.pairs[base] = s
		look := [2]glance{glanceAt(root, s.cover()), glanceAt(root, s.data())}
		if look == s.look {
			continue
		}
		s.look, s.whole, s.asked, s.changed = look, false, false, now
		if last := later(look[0].mod, look[1].mod); s.first == 1 && w.looks == 1 && last.Before(now) {
			s.changed = last
		}
	}
}

func glanceAt(root *os.Root, name string) glance {
	info, err := root.Lstat(name)
	if err != nil {
		return glance{}
	}
	return glance{mod: info.ModTime(), size: info.Size()}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// judge finds out whether a pair is whole, unless that is known. An error says that at present nobody can tell: then no later pair may be taken either.
func (e *exchange) judge(root *os.Root, s *sight) (err error) {
	if s.whole {
		return nil
	}
	s.bytes, s.envelope = nil, envelope{}
	if s.whole, s.ours, err = e.inspect(root, &s.waiting); err != nil || s.whole || s.bytes == nil || s.asked || s.look[1] != (glance{}) {
		return err
	}
	// An envelope alone may belong to a pair that has its number: a process ended before it was out of the inbox.
	s.asked = true
	if err := e.shelf.catchUp(root); err != nil {
		return err
	}
	n, err := e.shelf.numberOf(root, key(s.bytes))
	if err != nil || n == 0 {
		return err
	}
	s.whole = true // and nothing is left to do with it
	return ignoreMissing(root.Remove(s.cover()))
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

func incomplete() error {
	return fault.New(fault.Park, opRead, "incomplete-pair", "a file in the inbox has no second half, cannot be read, or was never written to its end").
		Hint("ask the operator of the sedex client; when the pair becomes whole it is read, then withdraw this copy")
}
