package gateway

import (
	"context"
	"sync"

	"github.com/einmal-hub/einmal/gateway/ledger"
)

// waker carries the lanes that can go on from the ledger's view to the partition's owner. The view must never wait, so each partition has a queue without
// bound (of lanes, each at most once). A lane of a partition that nobody owns here is dropped: its next owner looks for such lanes when it begins.
type waker struct {
	mu     sync.Mutex
	queues map[int32]*queue
}

type queue struct {
	lanes  []ledger.Lane
	queued map[ledger.Lane]bool
	signal chan struct{}
}

func newWaker() *waker { return &waker{queues: map[int32]*queue{}} }

// wake queues a lane. It never blocks.
func (w *waker) wake(partition int32, l ledger.Lane) {
	w.mu.Lock()
	defer w.mu.Unlock()
	q := w.queues[partition]
	if q == nil || q.queued[l] {
		return
	}
	q.lanes, q.queued[l] = append(q.lanes, l), true
	select {
	case q.signal <- struct{}{}:
	default:
	}
}

// own begins to queue a partition's lanes and carries them to out until ctx ends.
func (w *waker) own(ctx context.Context, partition int32) (out <-chan ledger.Lane, released func()) {
	q := &queue{queued: map[ledger.Lane]bool{}, signal: make(chan struct{}, 1)}
	w.mu.Lock()
	w.queues[partition] = q
	w.mu.Unlock()
	lanes := make(chan ledger.Lane)
	var carrier sync.WaitGroup
	ctx, cancel := context.WithCancel(ctx)
	carrier.Go(func() { w.carry(ctx, q, lanes) })
	return lanes, func() {
		cancel()
		carrier.Wait()
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.queues[partition] == q {
			delete(w.queues, partition)
		}
	}
}

func (w *waker) carry(ctx context.Context, q *queue, out chan<- ledger.Lane) {
	for {
		l, ok := w.take(q)
		if !ok {
			select {
			case <-q.signal:
				continue
			case <-ctx.Done():
				return
			}
		}
		select {
		case out <- l:
		case <-ctx.Done():
			return
		}
	}
}

func (w *waker) take(q *queue) (ledger.Lane, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(q.lanes) == 0 {
		return ledger.Lane{}, false
	}
	l := q.lanes[0]
	q.lanes = q.lanes[1:]
	delete(q.queued, l)
	return l, true
}
