package sim

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/gateway/ledger"
)

func mutantsOfTheLog() []mutant {
	return []mutant{
		{name: "one key for each reference", breaks: doubled, tune: cleaned, what: "compaction hides a DONE behind a late INTENT", mode: adapters.ModeC, plant: keyed(func(k []string) []string {
			switch ledger.Kind(k[0]) {
			case ledger.Intent, ledger.Void, ledger.Done:
				return []string{k[0], k[1]}[1:]
			}
			return k
		})},
		{name: "INTENT key without nonce", breaks: doubled, what: "compaction keeps the loser's INTENT", mode: adapters.ModeB, tune: cleaned, plant: keyed(func(k []string) []string {
			if ledger.Kind(k[0]) == ledger.Intent {
				return k[:3]
			}
			return k
		})},
		{name: "retention instead of compaction", breaks: doubled, what: "what is older than a minute is not in the ledger any more", mode: adapters.ModeB, plant: folding(func(_ *world, _ *process, e entry) []byte {
			switch kindOf(e) {
			case ledger.Intent, ledger.Void, ledger.Done:
				if time.Since(e.at) > time.Minute {
					return nothing
				}
			}
			return e.value
		})},
		{name: "unclean election", breaks: doubled, what: "the ledger loses acknowledged records", mode: adapters.ModeC, plant: func(*world) hooks { return hooks{unclean: true} }},
		{name: "PARK is not awaited", breaks: lost, what: "a message counts as parked before the log has it", plant: func(w *world) hooks {
			return hooks{erased: func(p *process, key string) bool {
				return strings.HasPrefix(key, "PARK|") && !w.calm.Load() && w.dice.draw("erased", p.name, withoutNonce(key)).is(0.3)
			}}
		}},
		{name: "parked without holding", breaks: disordered, what: "a parked message lets the next ones of its dossier pass", plant: folding(func(_ *world, _ *process, e entry) []byte {
			if kindOf(e) == ledger.Park && !held(e) && bytes.Contains(e.value, []byte(`"ref":`)) {
				return sequenceField.ReplaceAll(e.value, []byte(`"sequence":999999`))
			}
			return e.value
		})},
		{name: "held is forgotten", breaks: lost, what: "a message that waits behind a parked one is not kept", plant: folding(func(_ *world, _ *process, e entry) []byte {
			if held(e) {
				return nothing
			}
			return e.value
		})},
		{name: "held out of order", breaks: disordered, what: "of two messages that wait the later one goes on first", plant: heldOutOfOrder},
		{name: "no check of the sequence", breaks: disordered, what: "a message that the bus brings late is taken", tune: func(p *plan) { p.reorders, p.talk = 0.4, 5 }, plant: folding(func(_ *world, p *process, e entry) []byte {
			if kindOf(e) == ledger.Admit && p.passes(e) {
				return sequenceField.ReplaceAll(e.value, []byte(`"sequence":0`))
			}
			return e.value
		})},
		{name: "offset committed when read", breaks: lost, what: "a crash skips what was not complete", plant: func(*world) hooks { return hooks{eager: true} }},
		{name: "start at the newest", breaks: lost, what: "a new owner begins at the end of the bus", plant: func(*world) hooks { return hooks{newest: true} }},
		{name: "shelf without ties", breaks: doubled, tune: shelved, what: "a reference is not found on the shelf", plant: shelving(func(b *ledger.Batch) {
			for i := range b.Records {
				b.Records[i].Ties = nil
			}
		})},
		{name: "shelf that sleeps", breaks: lost, tune: shelved, what: "what is open is not taken from the shelf at the start", plant: shelving(func(b *ledger.Batch) { clear(b.Awake) })},
		{name: "shelf with holes", breaks: doubled, mode: adapters.ModeC, tune: shelved, what: "the shelf says that it holds a record, and does not", plant: shelving(func(b *ledger.Batch) {
			b.Records = slices.DeleteFunc(slices.Clone(b.Records), func(r ledger.Shelved) bool {
				return bytes.Contains(r.Value, []byte(`"kind":"INTENT"`)) || bytes.Contains(r.Value, []byte(`"kind":"DONE"`))
			})
		})},
		{name: "nobody reads first", breaks: asked, what: "what a view does not know yet counts as not being there", plant: func(*world) hooks { return hooks{unsynced: true} }},
		{name: "bus confirms too early", breaks: lost, what: "acks=0: a message is confirmed and lost", plant: func(w *world) hooks {
			return hooks{lost: func(p *process, mark string) bool {
				return !w.calm.Load() && w.dice.draw("lost", p.name, mark).is(0.1)
			}}
		}},
	}
}

// shelved are days on which every gateway has a shelf and is killed often.
func shelved(p *plan) { p.shelves, p.trouble, p.often, p.share = true, 4*time.Second, killed, 0.5 }

// shelving plants an error in what a shelf keeps.
func shelving(wrong func(*ledger.Batch)) func(*world) hooks {
	return func(*world) hooks {
		return hooks{shelve: func(b ledger.Batch) ledger.Batch { wrong(&b); return b }}
	}
}

// passes reports whether nothing waits at the gate of a record's case: only then nobody but the check of the sequence looks at it.
func (p *process) passes(e entry) bool {
	c := caseField.FindSubmatch(e.value)
	_, waiting, _ := p.view.Waiting(ledger.Lane{Case: handover.CaseID(c[1]), To: ledger.Gate}, "")
	return waiting == 0
}

func heldOutOfOrder(*world) hooks {
	var mu sync.Mutex
	swapped := map[string]entry{}
	return hooks{fold: func(p *process, partition int32, e entry) entry {
		if !held(e) {
			return e
		}
		mu.Lock()
		defer mu.Unlock()
		name := fmt.Sprint(p.name, " ", partition, " ", e.offset)
		if first, done := swapped[name]; done {
			e.value = first.value
			return e
		}
		lane := strings.Join(strings.Split(e.key, "|")[:3], "|")
		for _, later := range p.w.ledgers[partition].all() {
			if later.offset > e.offset && held(later) && strings.HasPrefix(later.key, lane) && later.key != e.key {
				swapped[fmt.Sprint(p.name, " ", partition, " ", later.offset)] = e
				e.value = later.value
				break
			}
		}
		return e
	}}
}
