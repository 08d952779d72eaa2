package intake

import "sync"

// rounds tells those who wake a reader when a round that began after their call has succeeded.
type rounds struct {
	mu      sync.Mutex
	pending []chan struct{} // for the next round
	running []chan struct{} // for the round under way
}

// next returns a channel that is closed when a round that has not begun yet succeeds.
func (r *rounds) next() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := make(chan struct{})
	r.pending = append(r.pending, c)
	return c
}

func (r *rounds) begin() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.running, r.pending = append(r.running, r.pending...), nil
}

// end closes the channels of a round that succeeded; those of one that failed wait for the next.
func (r *rounds) end(ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !ok {
		return
	}
	for _, c := range r.running {
		close(c)
	}
	r.running = nil
}
