package schedule

import (
	"context"
	"sync"
)

// Watermark finds the offset up to which everything is complete, while offsets complete in any order. Marking a later offset
// while an earlier one is open would lose the earlier one in a crash. It is safe for concurrent use.
type Watermark struct {
	mu     sync.Mutex
	order  []int64 // open or complete offsets not yet passed, ascending
	done   map[int64]bool
	most   int
	room   chan struct{} // closed and replaced when an offset is passed
	passed int64
}

// NewWatermark returns a watermark that lets at most `most` offsets be open; further ones wait.
func NewWatermark(most int) *Watermark {
	return &Watermark{done: map[int64]bool{}, most: most, room: make(chan struct{}), passed: -1}
}

// Open announces an offset, greater than all before it. It waits while too many are open and returns ctx's error if that ends first.
func (w *Watermark) Open(ctx context.Context, offset int64) error {
	for {
		w.mu.Lock()
		if len(w.order) < w.most {
			w.order = append(w.order, offset)
			w.mu.Unlock()
			return nil
		}
		room := w.room
		w.mu.Unlock()
		select {
		case <-room:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Done says that an offset is complete. It returns the highest offset up to which everything is complete, and whether that has
// advanced. Calling it again for the same offset changes nothing.
func (w *Watermark) Done(offset int64) (int64, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if offset <= w.passed {
		return w.passed, false
	}
	w.done[offset] = true
	n := 0
	for n < len(w.order) && w.done[w.order[n]] {
		w.passed = w.order[n]
		delete(w.done, w.order[n])
		n++
	}
	if n == 0 {
		return w.passed, false
	}
	w.order = append(w.order[:0], w.order[n:]...)
	close(w.room)
	w.room = make(chan struct{})
	return w.passed, true
}

// Len returns the number of offsets that are not yet passed.
func (w *Watermark) Len() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.order)
}
