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
// after the other is looked for, because numbers are given without gaps. Which pair answers which message is no part of it: that lies under the message; see [about]. The zero shelf has seen nothing.
type shelf struct {
	taken []uint64          // all numbers, in order
	items map[uint64]answer // what the pairs are, as far as they were read
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
		s.taken = append(s.taken, next)
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
	listed := numbersOf(names)
	first := uint64(1)
	if len(listed) > 0 {
		first = listed[0]
	}
	for first > 1 { // those before were deleted by their age, or the listing has missed them
		missed, err := stands(root, first-1)
		if err != nil {
			return err
		}
		if !missed {
			break
		}
		first--
	}
	taken, err := unbroken(root, listed, first-1)
	if err == nil {
		*s = shelf{taken: taken, items: map[uint64]answer{}}
	}
	return err
}

// after returns the numbers above one, in order.
func (s *shelf) after(n uint64) []uint64 {
	at, _ := slices.BinarySearch(s.taken, n+1)
	return s.taken[at:]
}

// numberOf returns the number of a pair that has one, 0 for one that has none. It was given a short time ago, if at all, so only the last ones are looked at: a pair that the carrier brings again after
// more than that is read twice, which is one record.
func (s *shelf) numberOf(root *os.Root, pair string) (uint64, error) {
	for _, n := range slices.Backward(s.taken[max(0, len(s.taken)-lately):]) {
		b, err := read(root, number(n))
		if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, errIrregular) {
			return 0, err
		}
		if err == nil && key(b) == pair {
			return n, nil
		}
	}
	return 0, nil
}

const lately = 1000

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

// numbersOf returns the numbers in a listing, in order.
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
