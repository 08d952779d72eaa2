package sim

import (
	"errors"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/gateway/ledger"
)

// disk is what outlives a process on its machine: the shelf of its view, as gateway/shelf keeps it. It is handed from one life to the next.
type disk struct {
	mu      sync.Mutex
	totals  ledger.Totals
	records []ledger.Shelved
	awake   map[handover.CaseID]bool
	running map[handover.CaseID]ledger.Running
}

func newDisk() *disk {
	return &disk{awake: map[handover.CaseID]bool{}, running: map[handover.CaseID]ledger.Running{}}
}

// fits reports whether what is on the shelf is of the ledger as it stands, as package gateway does.
func (d *disk) fits(ledgers []*topic) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	for p, r := range d.ends() {
		e, there := ledgers[p].at(r.Offset)
		if !there || string(e.value) != string(r.Value) {
			return false
		}
	}
	return true
}

// ends are the last records of the partitions.
func (d *disk) ends() map[int32]ledger.Stored {
	all := map[int32]ledger.Stored{}
	for _, r := range d.records {
		all[r.Partition] = r.Stored
	}
	return all
}

// shelf is a disk in the hands of a process.
type shelf struct {
	*disk
	p *process
}

var errFull = errors.New("the disk is full")

// Start implements [ledger.Shelf].
func (s shelf) Start() (ledger.Start, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	start := ledger.Start{Totals: s.totals, Running: map[handover.CaseID]ledger.Running{}}
	base := map[string]ledger.Stored{}
	for _, r := range s.records {
		if r.Base != "" {
			base[r.Base] = r.Stored
		}
	}
	for _, r := range s.records {
		if r.Base != "" && base[r.Base].Order == r.Order {
			start.Base = append(start.Base, r.Stored)
		}
	}
	for id, is := range s.awake {
		if is {
			start.Awake = append(start.Awake, id)
		}
	}
	slices.Sort(start.Awake)
	for id, r := range s.running {
		start.Running[id] = r
	}
	return start, nil
}

// Put implements [ledger.Shelf]. A process that is dead puts nothing.
func (s shelf) Put(b ledger.Batch) error {
	if s.p.isDead() || s.p.w.dice.draw("disk", s.p.name).is(0.1) {
		return errFull
	}
	if s.p.w.hooks.shelve != nil {
		b = s.p.w.hooks.shelve(b)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.totals = b.Totals
	for _, r := range b.Records {
		r.Order = uint64(len(s.records)) + 1
		s.records = append(s.records, r)
	}
	for id, is := range b.Awake {
		s.awake[id] = is
		delete(s.running, id)
		if r, runs := b.Running[id]; runs {
			s.running[id] = r
		}
	}
	return nil
}

// Owners implements [ledger.Shelf].
func (s shelf) Owners(ties []string) (all []handover.CaseID, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.records {
		if r.Base == "" && slices.ContainsFunc(ties, func(t string) bool { return slices.Contains(r.Ties, t) }) && !slices.Contains(all, r.Case) {
			all = append(all, r.Case)
		}
	}
	return all, nil
}

// Case implements [ledger.Shelf].
func (s shelf) Case(id handover.CaseID) (all []ledger.Stored, tied []handover.CaseID, err error) {
	s.mu.Lock()
	var ties []string
	for _, r := range s.records {
		if r.Base == "" && r.Case == id {
			all, ties = append(all, r.Stored), append(ties, r.Ties...)
		}
	}
	s.mu.Unlock()
	tied, err = s.Owners(ties)
	return all, tied, err
}

// Cases implements [ledger.Shelf].
func (s shelf) Cases(after []int64) (all []handover.CaseID, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.records {
		if r.Base == "" && (after == nil || r.Offset >= after[r.Partition]) && !slices.Contains(all, r.Case) {
			all = append(all, r.Case)
		}
	}
	return all, nil
}

// resume lets the view go on where the life before has put it down, on days on which gateways have shelves. A planted error that changes what a view reads is not kept from it by what was read before.
func (p *process) resume() {
	if !p.w.plan.shelves || p.w.hooks.fold != nil {
		return
	}
	if !p.disk.fits(p.w.ledgers) {
		p.w.note(p.name, "empties its shelf")
		p.disk = newDisk()
	}
	if err := p.view.Resume(shelf{p.disk, p}, func(err error) { p.w.note(p.name, "has lost its shelf", err.Error()) }); err != nil {
		p.w.note(p.name, "cannot use its shelf", err.Error())
		p.view = ledger.NewView(p.w.plan.partitions, p.wake)
		return
	}
	p.w.note(p.name, "has", strconv.Itoa(len(p.disk.records)), "records on its shelf")
}

// shelve puts the view down from time to time, and lets it rest.
func (p *process) shelve() {
	for {
		c := p.w.dice.draw("shelve", p.name)
		if p.rest(p.ctx, c.between(100*time.Millisecond, 5*time.Second)) != nil {
			return
		}
		_ = p.view.Shelve() // what a full disk does not take it takes the next time
		if c.is(0.3) {
			_ = p.view.Rest()
		}
	}
}
