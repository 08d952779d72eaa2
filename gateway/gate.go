package gateway

import (
	"context"
	"errors"
	"net/http"
	"sync"
)

// gate lets requests through to a handler while it is open, and answers them with another one before and after.
type gate struct {
	early   http.Handler
	mu      sync.Mutex
	next    http.Handler // nil: shut
	inside  int
	emptied chan struct{} // closed when shut and nobody is inside
}

func newGate(early http.Handler) *gate { return &gate{early: early, emptied: make(chan struct{})} }

// ServeHTTP implements [http.Handler].
func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := g.enter()
	if h == nil {
		g.early.ServeHTTP(w, r)
		return
	}
	defer g.leave()
	h.ServeHTTP(w, r)
}

func (g *gate) enter() http.Handler {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.next != nil {
		g.inside++
	}
	return g.next
}

func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.inside--; g.inside == 0 && g.next == nil {
		close(g.emptied)
	}
}

func (g *gate) open(next http.Handler) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.next = next
}

// shut lets nobody in any more and waits until nobody is inside, or until ctx ends. Call it once.
func (g *gate) shut(ctx context.Context) error {
	g.mu.Lock()
	g.next = nil
	if g.inside == 0 {
		close(g.emptied)
	}
	g.mu.Unlock()
	select {
	case <-g.emptied:
		return nil
	case <-ctx.Done():
		return errors.New("a request of an operator did not end within the grace")
	}
}
