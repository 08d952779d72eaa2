package sim

import (
	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/gateway/delivery"
	"github.com/einmal-hub/einmal/gateway/ledger"
)

// hooks plant an error between the product and its world. The zero value plants none; only the tests of this package can set them ([Options] has no
// exported field for it), and the product has no switch at all.
type hooks struct {
	rules   func(*process, delivery.Protocol) delivery.Protocol
	key     func(key string) string
	fold    func(p *process, partition int32, e entry) entry
	sink    func(*process, *system, adapters.Sink) adapters.Sink
	finder  func(adapters.Finder) adapters.Finder
	source  func(adapters.Source) adapters.Source
	derive  func(p *process, label string, parts []string) []string
	claimed func(p *process, what string, ours bool)
	seen    func(p *process, id handover.MessageID, print string)
	shelve  func(ledger.Batch) ledger.Batch    // what a shelf keeps of what it is given
	lost    func(p *process, mark string) bool // a message that the bus confirms and does not keep
	erased  func(p *process, key string) bool  // a ledger record that the broker confirms and does not keep

	eager    bool // an offset is committed when its record is read
	newest   bool // a new owner starts at the end
	unsynced bool // nobody reads the ledger to its end before she relies on it
	unclean  bool // the ledger loses acknowledged records
}

// protocol returns the rules of a process: the product's, without chance.
func (h hooks) protocol(p *process) delivery.Protocol {
	rules := delivery.Protocol{Steady: true}
	if h.rules != nil {
		rules = h.rules(p, rules)
	}
	return rules
}

// connect returns a process's connection to a native system.
func (h hooks) connect(p *process, s *system) (adapters.Source, adapters.Sink, adapters.Finder) {
	k := wire{p, s}
	source, sink, finder := adapters.Source(k), adapters.Sink(k), adapters.Finder(k)
	if h.sink != nil {
		sink = h.sink(p, s, sink)
	}
	if h.finder != nil {
		finder = h.finder(finder)
	}
	if h.source != nil {
		source = h.source(source)
	}
	return source, sink, finder
}
