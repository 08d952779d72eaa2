package gateway

import (
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/gateway/ledger"
)

// places knows what each system is for. Which organisation works in which one is settled when a case is opened; see [rules].
type places struct {
	systems map[handover.SystemID]place
	order   []handover.SystemID // for the same answer every time
}

type place struct {
	shared bool // one case for all parties
	write  bool
	test   bool
}

func newPlaces(connected []connection) places {
	d := places{systems: map[handover.SystemID]place{}}
	for _, k := range connected {
		d.systems[k.id] = place{shared: k.system.Abilities.Shared, write: k.config.Write && k.system.Sink != nil, test: k.config.Test}
		d.order = append(d.order, k.id)
	}
	return d
}

// Destinations returns both parties' dossiers and every shared platform, without the place that the message was entered in. A test delivery
// goes to test instances only, and nothing else goes there. A system that this gateway does not have is a destination too: the message waits there for a person.
func (d places) Destinations(e handover.Envelope, p handover.Parties, works map[handover.OrganisationID]handover.SystemID) ([]ledger.Destination, error) {
	var all []ledger.Destination
	for _, o := range []handover.OrganisationID{p.Assigning, p.Receiving} {
		system, known := works[o]
		if !known {
			return nil, fault.New(fault.Park, "directory.destinations", "unknown-organisation", "nobody knows in which system an organisation of the case works").
				Hint("add it to the directory, or correct the entry in the native system")
		}
		all = append(all, d.dossier(system, o))
	}
	for _, id := range d.order {
		if d.systems[id].shared {
			all = append(all, ledger.Destination{System: id})
		}
	}
	seen := map[ledger.Destination]bool{d.Origin(e): true}
	var out []ledger.Destination
	for _, to := range all {
		if s, known := d.systems[to.System]; seen[to] || known && (!s.write || s.test != e.Test) {
			continue
		}
		seen[to] = true
		out = append(out, to)
	}
	if e.Test && len(out) == 0 {
		return nil, fault.New(fault.Park, "directory.destinations", "no-test-instance", "the message is a test, and no test instance that takes it is configured").
			Hint("add one to the configuration with test: true, or withdraw this message")
	}
	return out, nil
}

// Origin returns the dossier that a message was entered in.
func (d places) Origin(e handover.Envelope) ledger.Destination {
	return d.dossier(e.Source, e.Sender)
}

// Writable reports whether entries can be made at a place.
func (d places) Writable(to ledger.Destination) bool { return d.systems[to.System].write }

// dossier is where an organisation's records of a case stand in a system.
func (d places) dossier(system handover.SystemID, o handover.OrganisationID) ledger.Destination {
	if d.systems[system].shared {
		return ledger.Destination{System: system}
	}
	return ledger.Destination{System: system, Organisation: o}
}
