package clerks

import (
	"context"
	"regexp"
	"sync"
	"time"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/mocks/core"
)

// markerForm finds markers in a content, whatever its format: none of its characters is escaped in JSON or XML.
var markerForm = regexp.MustCompile(`\[M\d{4,}-\d{2,}\]`)

// markersIn returns the different markers of a content, in their order.
func markersIn(body string) []string {
	var found []string
	for _, m := range markerForm.FindAllString(body, -1) {
		if len(found) == 0 || found[len(found)-1] != m {
			found = append(found, m)
		}
	}
	return found
}

// sight is a marker at one place, or the answer to an application with that marker.
type sight struct {
	place  Place
	marker string
	answer bool
}

// board is what the clerks have seen so far, in all systems, and who waits for what.
type board struct {
	mu      sync.Mutex
	seen    map[sight]core.Seen          // without the contents: of a long play they would be all that the memory holds
	last    map[handover.SystemID]uint64 // the number of the last entry that was read
	waiting map[sight]chan struct{}
	entered int
	done    int
	moved   time.Time // when something new was last seen or entered
}

func newBoard() *board {
	return &board{seen: map[sight]core.Seen{}, last: map[handover.SystemID]uint64{}, waiting: map[sight]chan struct{}{}, moved: time.Now()}
}

// put notes an entry with what is to be seen on it; the first counts, because a second one is the checker's business.
func (b *board) put(from handover.SystemID, e core.Seen, sights []sight) {
	e.Body = ""
	b.mu.Lock()
	defer b.mu.Unlock()
	b.moved = time.Now()
	b.last[from] = e.Number
	for _, at := range sights {
		if _, ok := b.seen[at]; ok {
			continue
		}
		b.seen[at] = e
		if c, ok := b.waiting[at]; ok {
			close(c)
			delete(b.waiting, at)
		}
	}
}

// read returns the number of a system's last entry on the board.
func (b *board) read(system handover.SystemID) uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.last[system]
}

// look returns the entry if it stands there by now.
func (b *board) look(at sight) (core.Seen, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	e, ok := b.seen[at]
	return e, ok
}

// wait waits until the entry stands there; false when ctx ended first.
func (b *board) wait(ctx context.Context, at sight) (core.Seen, bool) {
	b.mu.Lock()
	e, ok := b.seen[at]
	c := b.waiting[at]
	if !ok && c == nil {
		c = make(chan struct{})
		b.waiting[at] = c
	}
	b.mu.Unlock()
	if ok {
		return e, true
	}
	select {
	case <-c:
		return b.look(at)
	case <-ctx.Done():
		return core.Seen{}, false
	}
}

// count notes that a step was entered or that a handover has come to its end.
func (b *board) count(entered, done int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.entered, b.done, b.moved = b.entered+entered, b.done+done, time.Now()
}

// state returns the numbers for the progress and for how long nothing has moved.
func (b *board) state() (entered, done, records int, still time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.entered, b.done, len(b.seen), time.Since(b.moved)
}
