package sim

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/gateway/ledger"
	"github.com/einmal-hub/einmal/gateway/parked"
)

// item is one message that a clerk entered: what the checker expects to find.
type item struct {
	mark     string
	dialogue int
	order    int // among what was entered in its case
	from     handover.SystemID
	sender   handover.OrganisationID
	parties  handover.Parties
	name     handover.Name
	body     []byte
	revision
	answer  handover.Code // what the rules say to an application, or that nothing is said any more; empty: nothing
	clears  bool          // it is a fair application, and an earlier wording was not: it is answered if that is the last one that nobody dropped
	nowhere bool          // it concerns an application that was returned: it stands where it was entered only
}

// revision is what a message does to an earlier one.
type revision struct {
	action  handover.Action // empty for a new message
	revises string          // the mark that the clerk names
}

// verdict is what an operator said about a message at a place.
type verdict struct {
	mark  string
	to    ledger.Destination
	what  ledger.Verdict
	sure  bool      // the gateway has confirmed it
	taken time.Time // when it was confirmed
}

// book is what the people of a world know themselves. The checker reads it, and nothing of the product's.
type book struct {
	mu       *sync.Mutex
	items    []item
	verdicts []verdict
	tried    map[string]int
	odd      map[int]bool // cases in which something was entered that may not be said
	findings []string
	parkings []parking
	done     []doneRecord
	moved    atomic.Int64 // when a partition got an owner last, in Unix nanoseconds
}

// doneRecord is one DONE record.
type doneRecord struct {
	at     place
	ref    native.Reference
	record native.RecordID
}

func newBook() book { return book{mu: &sync.Mutex{}, tried: map[string]int{}, odd: map[int]bool{}} }

func (b *book) entered(i item) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.items = append(b.items, i)
}

func (b *book) unusual(dialogue int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.odd[dialogue] = true
}

// tries counts rulings about a message at a place.
func (b *book) tries(where string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tried[where]++
	return b.tried[where] - 1
}

// ruling remembers what an operator is about to say: it may take effect although no answer comes.
func (b *book) ruling(mark string, it parked.Item, v ledger.Verdict) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.verdicts = append(b.verdicts, verdict{mark: mark, to: it.To, what: v})
}

// ruled remembers that a ruling was taken.
func (b *book) ruled(mark string, it parked.Item, v ledger.Verdict) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := len(b.verdicts) - 1; i >= 0; i-- {
		if r := &b.verdicts[i]; r.mark == mark && r.to == it.To && r.what == v {
			r.sure, r.taken = true, time.Now()
			return
		}
	}
}

// ordered reports whether a person may have had a message sent once more to a place.
func (b *book) ordered(mark string, at place) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.ContainsFunc(b.verdicts, func(v verdict) bool { return v.mark == mark && v.what == ledger.Retry && v.to.String() == at.String() })
}

// find notes a broken promise.
func (b *book) find(format string, args ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.findings = append(b.findings, fmt.Sprintf(format, args...))
}

// item returns what a clerk entered under a mark.
func (b *book) item(mark string) (item, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	i := slices.IndexFunc(b.items, func(i item) bool { return i.mark == mark })
	if i < 0 {
		return item{}, false
	}
	return b.items[i], true
}

// has reports whether a message of that name was entered in a case.
func (b *book) has(dialogue int, n handover.Name) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.ContainsFunc(b.items, func(i item) bool { return i.dialogue == dialogue && i.name == n })
}

// wordings returns a message and everything that its clerk had said in its place before, itself first.
func (b *book) wordings(i item) []string {
	all, first := []string{i.mark}, b.first(i)
	b.mu.Lock()
	items := slices.Clone(b.items)
	b.mu.Unlock()
	for _, other := range items {
		if other.dialogue == i.dialogue && other.order < i.order && b.first(other) == first {
			all = append(all, other.mark)
		}
	}
	return all
}

// first returns the mark of the first wording of a message.
func (b *book) first(i item) string {
	for i.revision.revises != "" {
		i, _ = b.item(i.revision.revises)
	}
	return i.mark
}

// dropped reports whether a person may have dropped a message of a case.
func (b *book) dropped(dialogue int) bool {
	prefix := fmt.Sprintf("c%d-", dialogue)
	return slices.ContainsFunc(b.verdicts, func(v verdict) bool {
		return v.what == ledger.Withdraw && len(v.mark) > len(prefix) && v.mark[:len(prefix)] == prefix
	})
}

// isOdd reports whether something was entered in a case that may not be said.
func (b *book) isOdd(dialogue int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.odd[dialogue]
}
