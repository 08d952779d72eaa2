package core

import (
	"bytes"
	"time"

	"github.com/einmal-hub/einmal/contracts/native"
)

// After returns the entries with a higher number, in the order of commit, at most limit (0: all).
func (s *Store) After(number uint64, limit int) []Entry {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if number >= uint64(len(s.entries)) {
		return nil
	}
	rest := s.entries[number:]
	if limit > 0 && len(rest) > limit {
		rest = rest[:limit]
	}
	return append([]Entry(nil), rest...)
}

// ByReference returns the entries with the reference that are older than lag: what a search index that lags behind would find.
func (s *Store) ByReference(ref native.Reference, lag time.Duration) []Entry {
	indexed := s.options.Clock().Add(-lag)
	s.mu.RLock()
	defer s.mu.RUnlock()
	var found []Entry
	for _, i := range s.byRef[ref] {
		if !s.entries[i].At.After(indexed) {
			found = append(found, s.entries[i])
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
	return s.entries[i], true
}

// Case returns a case's entries in their order.
func (s *Store) Case(key native.CaseKey) ([]Entry, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	places, ok := s.byCase[key]
	entries := make([]Entry, len(places))
	for n, i := range places {
		entries[n] = s.entries[i]
	}
	return entries, ok
}

// Containing returns the entries whose content holds the text, in the order of commit.
func (s *Store) Containing(text string) []Entry {
	var found []Entry
	for _, e := range s.After(0, 0) {
		if bytes.Contains(e.Body, []byte(text)) {
			found = append(found, e)
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
