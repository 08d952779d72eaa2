package clerks

import (
	"context"
	"regexp"
	"sync"
	"time"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
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

// sight is a marker on the screens of one system.
type sight struct {
	system handover.SystemID
	marker string
}

// board is what the clerks have seen so far, in all systems, and who waits for what.
type board struct {
	mu      sync.Mutex
	seen    map[sight]core.Seen
	waiting map[sight]chan struct{}
	entered int
	done    int
	moved   time.Time // when something new was last seen or entered
}

func newBoard() *board {
	return &board{seen: map[sight]core.Seen{}, waiting: map[sight]chan struct{}{}, moved: time.Now()}
}

// put notes an entry with its markers; the first with a marker counts, because a second one is the checker's business.
func (b *board) put(system handover.SystemID, e core.Seen, markers []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.moved = time.Now()
	for _, m := range markers {
		at := sight{system, m}
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

// look returns the entry with a marker if it stands in the system by now.
func (b *board) look(system handover.SystemID, marker string) (core.Seen, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	e, ok := b.seen[sight{system, marker}]
	return e, ok
}

// wait waits until the marker stands in the system and returns the case; false when ctx ended first.
func (b *board) wait(ctx context.Context, system handover.SystemID, marker string) (native.CaseKey, bool) {
	at := sight{system, marker}
	b.mu.Lock()
	e, ok := b.seen[at]
	c := b.waiting[at]
	if !ok && c == nil {
		c = make(chan struct{})
		b.waiting[at] = c
	}
	b.mu.Unlock()
	if ok {
		return e.Case, true
	}
	select {
	case <-c:
		e, ok = b.look(system, marker)
		return e.Case, ok
	case <-ctx.Done():
		return "", false
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
