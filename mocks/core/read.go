package core

import (
	"iter"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/einmal-hub/einmal/contracts/native"
)

// after returns the entries with a higher number. They never change, so that they can be read without the lock.
func (s *Store) after(number uint64) []filed {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.entries[min(number, uint64(len(s.entries))):]
}

// After returns the entries with a higher number, in the order of commit, at most limit (0: all).
func (s *Store) After(number uint64, limit int) []Entry {
	rest := s.after(number)
	if limit > 0 && len(rest) > limit {
		rest = rest[:limit]
	}
	if len(rest) == 0 {
		return nil
	}
	entries := make([]Entry, len(rest))
	for i, f := range rest {
		entries[i] = f.entry()
	}
	return entries
}

// Heads returns the entries with a higher number, in the order of commit, without their contents: whoever goes through a whole history does not need those of all. [Store.Entry] has them.
func (s *Store) Heads(number uint64) iter.Seq[Entry] {
	return func(yield func(Entry) bool) {
		for _, f := range s.after(number) {
			if f.Body = nil; !yield(f.Entry) {
				return
			}
		}
	}
}

// ByReference returns the entries with the reference that are older than lag: what a search index that lags behind would find.
func (s *Store) ByReference(ref native.Reference, lag time.Duration) []Entry {
	indexed := s.options.Clock().Add(-lag)
	s.mu.RLock()
	defer s.mu.RUnlock()
	first, ok := s.byRef[ref]
	if !ok {
		return nil
	}
	var found []Entry
	for _, i := range append([]int{first}, s.again[ref]...) {
		if !s.entries[i].At.After(indexed) {
			found = append(found, s.entries[i].entry())
		}
	}
	return found
}

// Entry returns one entry.
func (s *Store) Entry(id native.RecordID) (Entry, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	i, ok := s.byID[id]
	if !ok {
		return Entry{}, false
	}
	return s.entries[i].entry(), true
}

// Case returns a case's entries in their order.
func (s *Store) Case(key native.CaseKey) ([]Entry, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	places, ok := s.byCase[key]
	entries := make([]Entry, len(places))
	for n, i := range places {
		entries[n] = s.entries[i].entry()
	}
	return entries, ok
}

// Containing returns the entries whose content holds the text, in the order of commit.
func (s *Store) Containing(text string) []Entry {
	var escaped []byte
	if b, err := json.Marshal(text); err == nil {
		escaped = b[1 : len(b)-1]
	}
	var found []Entry
	for _, f := range s.after(0) {
		if f.contains([]byte(text), escaped) {
			found = append(found, f.entry())
		}
	}
	return found
}

// Len returns how many entries there are.
func (s *Store) Len() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.entries)
}

// Watch returns a channel that is closed at the next commit. Take it before reading, so that nothing is missed.
func (s *Store) Watch() <-chan struct{} {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.changed
}

// cases returns how many cases there are.
func (s *Store) cases() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.byCase)
}

// opened returns what a committer must know of a case.
func (s *Store) opened(key native.CaseKey) (opened, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	places, ok := s.byCase[key]
	if !ok {
		return opened{}, false
	}
	first, last := &s.entries[places[0]], &s.entries[places[len(places)-1]]
	return opened{entries: last.Sequence, dossier: first.Dossier, reference: first.CaseReference}, true
}

// stood returns where an entry stands.
func (s *Store) stood(id native.RecordID) (stood, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	i, ok := s.byID[id]
	if !ok {
		return stood{}, false
	}
	return stood{s.entries[i].Case, s.entries[i].Kind}, true
}

// first returns the first entry with a reference.
func (s *Store) first(ref native.Reference) (Entry, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	i, ok := s.byRef[ref]
	if !ok {
		return Entry{}, false
	}
	return s.entries[i].entry(), true
}
