package sim

import (
	"slices"
	"sort"
	"sync"
	"time"
)

// entry is one record of a topic.
type entry struct {
	offset  int64
	at      time.Time
	key     string
	headers map[string]string
	value   []byte
}

// topic is one partition of one topic: append-only, with offsets that may have gaps after compaction. It is safe for concurrent use.
type topic struct {
	mu      sync.Mutex
	entries []entry
	end     int64
	grown   chan struct{} // closed and replaced when it has grown
	listen  func(entry)   // is told what is appended; may be nil
}

func newTopic(listen func(entry)) *topic { return &topic{grown: make(chan struct{}), listen: listen} }

// append adds a record and returns its offset.
func (t *topic) append(e entry) int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	e.offset, e.at = t.end, time.Now()
	t.end++
	t.entries = append(t.entries, e)
	if t.listen != nil {
		t.listen(e)
	}
	close(t.grown)
	t.grown = make(chan struct{})
	return e.offset
}

// after returns the first record at or after an offset, or a channel that is closed when there is more.
func (t *topic) after(offset int64) (entry, bool, <-chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	i := sort.Search(len(t.entries), func(i int) bool { return t.entries[i].offset >= offset })
	if i == len(t.entries) {
		return entry{}, false, t.grown
	}
	return t.entries[i], true, nil
}

// at returns the record at an offset.
func (t *topic) at(offset int64) (entry, bool) {
	e, ok, _ := t.after(offset)
	return e, ok && e.offset == offset
}

// length returns the offset after the last record.
func (t *topic) length() int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.end
}

// all returns what is there now.
func (t *topic) all() []entry {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.entries)
}

// compact keeps the last record of each key among all but the last `tail` records, as a broker does that cleans closed segments only.
func (t *topic) compact(tail int) (removed int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	closed := max(len(t.entries)-tail, 0)
	last := map[string]int64{}
	for _, e := range t.entries[:closed] {
		last[e.key] = e.offset
	}
	kept := make([]entry, 0, len(t.entries))
	for i, e := range t.entries {
		if i >= closed || last[e.key] == e.offset {
			kept = append(kept, e)
		}
	}
	removed = len(t.entries) - len(kept)
	t.entries = kept
	return removed
}

// lose drops the last record although it was acknowledged, as a broker does that was elected without having it. Its offset is given again.
func (t *topic) lose() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if n := len(t.entries); n > 0 && t.entries[n-1].offset == t.end-1 {
		t.entries = t.entries[:n-1]
		t.end--
	}
}
