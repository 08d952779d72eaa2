package intake

import "sync"

// rounds tells those who wake a reader when everything is durable that was there when they called: when a round that began later has succeeded and left
// nothing for the next.
type rounds struct {
	mu      sync.Mutex
	pending []chan struct{} // for the next round
	running []chan struct{} // for the round under way
}

// next returns a channel that is closed when a round that has not begun yet succeeds as the last one.
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

// end closes the channels of a round that was the last one; those of one that failed, or found more than it could read, wait for the next.
func (r *rounds) end(last bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !last {
		return
	}
	for _, c := range r.running {
		close(c)
	}
	r.running = nil
}
