package bus

import (
	"errors"
	"sync"
	"time"

	"github.com/einmal-hub/einmal/contracts/fault"
)

// again is how long the same trouble is told only once: while a broker is away, a dozen tails try again every two seconds.
const again = 10 * time.Second

// Watch is how the bus tells what happens inside. Every function may be nil; all are called from several goroutines and must return at once.
type Watch struct {
	// Lag is called about every second for each partition that this process consumes: how many records are not done. -1 means that the
	// partition is no longer this process's.
	Lag func(group string, partition int32, records int64)
	// Trouble is called with what the bus gets over by itself: lost connections, failed commits, a replaced producer. The same trouble (by operation and
	// code) is told at most every ten seconds.
	Trouble func(err error)
}

func (w Watch) lag(group string, partition int32, records int64) {
	if w.Lag != nil {
		w.Lag(group, partition, records)
	}
}

func (w Watch) trouble(err error) {
	if w.Trouble != nil && err != nil {
		w.Trouble(err)
	}
}

// seldom returns the watch with its Trouble held back when the same was told just now.
func (w Watch) seldom() Watch {
	tell := w.Trouble
	if tell == nil {
		return w
	}
	var mu sync.Mutex
	told := map[[2]string]time.Time{}
	w.Trouble = func(err error) {
		what := [2]string{"", fault.CodeOf(err)}
		if e := new(fault.Error); errors.As(err, &e) {
			what[0] = e.Op
		}
		mu.Lock()
		last, before := told[what]
		now := time.Now()
		if before && now.Sub(last) < again {
			mu.Unlock()
			return
		}
		told[what] = now
		mu.Unlock()
		tell(err)
	}
	return w
}
