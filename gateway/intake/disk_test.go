package intake_test

import (
	"context"
	"errors"
	"hash/fnv"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/gateway/ledger"
)

const partitions = 3

// fate is what becomes of one write.
type fate string

const (
	refused fate = "refused" // nothing is written, and the writer is told
	unsure  fate = "unsure"  // it is written, and the writer is told that nobody knows
)

// disk is what outlives a gateway: the ledger's log, the bus, and the store of parked records.
type disk struct {
	mu    sync.Mutex
	log   [partitions][]entry
	grown chan struct{} // closed and replaced when the log has grown
	bus   []sent
	kept  map[handover.CaseID][][]byte
	// fate, if set, decides what becomes of a write: a ledger record by its key, else "publish" or "keep" and the message or case.
	fate func(what, id string) fate
	slow time.Duration // how long a publish takes
	room int           // how many bytes of a message the bus takes; 0: any
	lag  time.Duration // how late a view sees a record of the log

	busy, most int // publishes under way; the most there ever were
	inCase     map[handover.CaseID]int
	crowded    bool // two publishes of one case were under way at once
}

type entry struct {
	at    time.Time
	key   string
	value []byte
}

// sent is one record of the bus.
type sent struct {
	handover.Envelope
	sealed []byte
}

func newDisk() *disk {
	return &disk{grown: make(chan struct{}), kept: map[handover.CaseID][][]byte{}, inCase: map[handover.CaseID]int{}}
}

var errAway = errors.New("the bus does not answer")

// write does a write as its fate has it. The caller holds the lock.
func (d *disk) write(what, id string, do func()) error {
	become := fate("")
	if d.fate != nil {
		become = d.fate(what, id)
	}
	if become != refused {
		do()
	}
	if become != "" {
		return errAway
	}
	return nil
}

func (d *disk) Publish(ctx context.Context, e handover.Envelope, sealed []byte) error {
	d.enter(e.Case)
	defer d.leave(e.Case)
	if err := pass(ctx, d.slow); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.room > 0 && len(sealed) > d.room {
		return fault.New(fault.Refuse, "bus.publish", "too-large", "the record is larger than the brokers take")
	}
	return d.write("publish", string(e.ID), func() { d.bus = append(d.bus, sent{e, sealed}) })
}

func (d *disk) enter(c handover.CaseID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.busy++
	d.inCase[c]++
	d.most, d.crowded = max(d.most, d.busy), d.crowded || d.inCase[c] > 1
}

func (d *disk) leave(c handover.CaseID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.busy--
	d.inCase[c]--
}

func (d *disk) Keep(_ context.Context, c handover.CaseID, sealed []byte) (ledger.Place, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	err := d.write("keep", string(c), func() { d.kept[c] = append(d.kept[c], sealed) })
	return ledger.Place{Topic: ledger.OnParked, Offset: int64(len(d.kept[c])) - 1}, err
}

func (d *disk) Kept(_ context.Context, c handover.CaseID, p ledger.Place) ([]byte, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.kept[c][p.Offset], nil
}

func (d *disk) Append(_ context.Context, p int32, key string, value []byte) (int64, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	offset := int64(len(d.log[p]))
	kind, _, _ := strings.Cut(key, "|")
	err := d.write(kind, key, func() {
		d.log[p] = append(d.log[p], entry{time.Now(), key, value})
		close(d.grown)
		d.grown = make(chan struct{})
	})
	return offset, err
}

func (d *disk) PartitionOf(c handover.CaseID) int32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(c))
	return int32(h.Sum32() % partitions) //nolint:gosec // 0, 1 or 2
}

func (d *disk) End(_ context.Context, p int32) (int64, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return int64(len(d.log[p])), nil
}

// after returns what a view has not seen of a partition, and a channel that is closed when there is more.
func (d *disk) after(p int32, offset int64) ([]entry, <-chan struct{}) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.log[p][offset:]), d.grown
}

// feed gives a view everything that is in a partition of the log and everything that comes, until ctx ends.
func (d *disk) feed(ctx context.Context, p int32, v *ledger.View) {
	for offset := int64(0); ctx.Err() == nil; {
		news, more := d.after(p, offset)
		for _, e := range news {
			if pass(ctx, d.lag) != nil {
				return
			}
			v.Apply(p, offset, e.at, e.value)
			offset++
		}
		if len(news) > 0 {
			continue
		}
		select {
		case <-more:
		case <-ctx.Done():
		}
	}
}

// messages returns what is on the bus.
func (d *disk) messages() []sent {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.bus)
}

// keptOf returns what is kept of a case.
func (d *disk) keptOf(c handover.CaseID) [][]byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.kept[c])
}

// names returns the ids of a case's messages on the bus, in order, with every copy; of all cases if c is empty.
func (d *disk) names(c handover.CaseID) []handover.MessageID {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []handover.MessageID
	for _, m := range d.bus {
		if c == "" || m.Case == c {
			out = append(out, m.ID)
		}
	}
	return out
}

// firsts returns the ids of a case's messages on the bus in the order of their first copies.
func (d *disk) firsts(c handover.CaseID) []handover.MessageID {
	var out []handover.MessageID
	for _, id := range d.names(c) {
		if !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	return out
}

// become sets what becomes of the writes that come now; nil: all are done.
func (d *disk) become(f func(what, id string) fate) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fate = f
}

// pass lets the bubble's virtual time pass, or returns ctx's error.
func pass(ctx context.Context, t time.Duration) error {
	if t == 0 {
		return nil
	}
	select {
	case <-time.After(t):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
