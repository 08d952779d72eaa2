package gateway

import (
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/gateway/config"
	"github.com/einmal-hub/einmal/gateway/ledger"
)

// directory knows which organisation works in which system, and what each system is for.
type directory struct {
	works   map[handover.OrganisationID]handover.SystemID
	systems map[handover.SystemID]place
	order   []handover.SystemID // for the same answer every time
}

type place struct {
	shared bool // one case for all parties
	write  bool
	test   bool
}

func newDirectory(c config.Config, connected []connection) directory {
	d := directory{works: map[handover.OrganisationID]handover.SystemID{}, systems: map[handover.SystemID]place{}}
	for _, o := range c.Organisations {
		d.works[o.ID] = o.System
	}
	for _, k := range connected {
		d.systems[k.id] = place{shared: k.system.Abilities.Shared, write: k.config.Write && k.system.Sink != nil, test: k.config.Test}
		d.order = append(d.order, k.id)
	}
	return d
}

// Destinations returns both parties' dossiers and every shared platform, without the place that the message was entered in. A test delivery
// goes to test instances only, and nothing else goes there.
func (d directory) Destinations(e handover.Envelope, p handover.Parties) ([]ledger.Destination, error) {
	var all []ledger.Destination
	for _, o := range []handover.OrganisationID{p.Assigning, p.Receiving} {
		system, known := d.works[o]
		if !known {
			return nil, fault.New(fault.Park, "directory.destinations", "unknown-organisation", "an organisation of the case is not in the directory").
				Hint("add it to organisations in the configuration, or correct the entry in the native system")
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
		if s := d.systems[to.System]; seen[to] || !s.write || s.test != e.Test {
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
func (d directory) Origin(e handover.Envelope) ledger.Destination {
	return d.dossier(e.Source, e.Sender)
}

// dossier is where an organisation's records of a case stand in a system.
func (d directory) dossier(system handover.SystemID, o handover.OrganisationID) ledger.Destination {
	if d.systems[system].shared {
		return ledger.Destination{System: system}
	}
	return ledger.Destination{System: system, Organisation: o}
}
