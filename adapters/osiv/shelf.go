package osiv

import (
	"errors"
	"io/fs"
	"os"
	"slices"
	"strconv"

	contract "github.com/einmal-hub/einmal/contracts/native/osiv"
)

// shelf is what this process has seen of the pairs that were taken. The folder holds what was taken in months, and every gateway adds to it; it is listed once, and from then on one name
// after the other is looked for, because numbers are given without gaps. The zero shelf has seen nothing.
type shelf struct {
	taken   []uint64            // all numbers, in order
	answers map[string][]uint64 // by the message that they answer, as their envelopes say
	untold  []uint64            // those whose envelopes cannot be read
	keys    map[string]uint64   // by the key of the envelope
	items   map[uint64]answer   // what the pairs are, as far as they were read whole
}

// top is the highest number.
func (s *shelf) top() uint64 {
	if len(s.taken) == 0 {
		return 0
	}
	return s.taken[len(s.taken)-1]
}

// catchUp sees what has come since. The highest number is never deleted (contract); where somebody did it all the same, the folder is listed anew.
func (s *shelf) catchUp(root *os.Root) error {
	known, err := stands(root, s.top())
	if err != nil {
		return err
	}
	if !known {
		return s.list(root)
	}
	for {
		next := s.top() + 1
		if more, err := stands(root, next); !more || err != nil {
			return err
		}
		if err := s.add(root, next); err != nil {
			return err
		}
	}
}

// reach catches up to a number that was just given. It may not follow on the highest one when somebody has emptied the folder.
func (s *shelf) reach(root *os.Root, n uint64) error {
	err := s.catchUp(root)
	if err == nil && s.top() < n {
		err = s.list(root)
	}
	return err
}

// list begins anew with a listing, which is not made in one moment: of two pairs that another gateway takes meanwhile it may show the later one alone. So its gaps are looked into.
func (s *shelf) list(root *os.Root) error {
	names, err := list(root, contract.Processed)
	if err != nil {
		return err
	}
	listed, err := unbroken(root, numbersOf(names), 0)
	if err != nil {
		return err
	}
	*s = shelf{answers: map[string][]uint64{}, keys: map[string]uint64{}, items: map[uint64]answer{}}
	for _, n := range listed {
		if err := s.add(root, n); err != nil {
			*s = shelf{}
			return err
		}
	}
	return nil
}

// add reads the envelope of a pair. Payloads are read when somebody asks for them: those of all that ever came would take too long.
func (s *shelf) add(root *os.Root, n uint64) error {
	cover, err := read(root, number(n))
	gone := errors.Is(err, fs.ErrNotExist) || errors.Is(err, errIrregular)
	if err != nil && !gone {
		return err
	}
	s.taken = append(s.taken, n)
	if gone {
		return nil // Read puts it before a person
	}
	s.keys[key(cover)] = n
	v, err := readEnvelope(cover)
	switch {
	case err != nil:
		s.untold = append(s.untold, n)
	case v.reference != "":
		s.answers[v.reference] = append(s.answers[v.reference], n)
	}
	return nil
}

// after returns the numbers above one, in order.
func (s *shelf) after(n uint64) []uint64 {
	at, _ := slices.BinarySearch(s.taken, n+1)
	return s.taken[at:]
}

// stands reports whether a pair has a number. None has 0.
func stands(root *os.Root, n uint64) (bool, error) {
	if n == 0 {
		return false, nil
	}
	_, err := root.Lstat(number(n))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// numbersOf returns the numbers in a listing of the folder, in order.
func numbersOf(names []string) []uint64 {
	var found []uint64
	for _, name := range names {
		digits, isNumber := cut(name, "in_")
		if n, err := strconv.ParseUint(digits, 10, 63); isNumber && len(digits) >= width && err == nil && number(n) == contract.Processed+"/"+name {
			found = append(found, n)
		}
	}
	slices.Sort(found)
	return found
}

// unbroken returns the numbers above one, with those that a listing has missed.
func unbroken(root *os.Root, listed []uint64, after uint64) ([]uint64, error) {
	var all []uint64
	next := after + 1
	for _, n := range listed {
		if n <= after {
			continue
		}
		for ; next < n; next++ {
			missed, err := stands(root, next)
			if err != nil {
				return nil, err
			}
			if missed {
				all = append(all, next)
			}
		}
		all, next = append(all, n), n+1
	}
	return all, nil
}
