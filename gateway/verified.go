package gateway

import (
	"fmt"
	"time"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/adapters/measure"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/gateway/config"
)

// bear puts the configured mode into a system's abilities and returns the verification record that they rest on, with what the record does not bear.
func bear(systems map[handover.SystemID]*config.System, id handover.SystemID, a *adapters.Abilities) (*measure.Record, fault.Findings) {
	s := systems[id]
	findings := use(a, s.Mode)
	var record *measure.Record
	if s.Verified != "" {
		r, err := measure.LoadRecord(s.Verified)
		switch {
		case err != nil:
			findings = append(findings, findingsOf(err, "")...)
			findings[len(findings)-1].Path = "verified"
		case !belongs(r, systems, id):
			findings.Add("verified", "other-configuration", "the verification record is that of another configuration",
				"measure this system with 'einmal adapter verify', or configure the test instance that was measured beside it, with its name and test: true")
		default:
			record = &r
			findings = append(findings, r.Permits(s.Type, *a)...)
		}
	}
	for i := range findings {
		findings[i].Path = "systems." + string(id) + "." + findings[i].Path
	}
	return record, findings
}

// use sets the mode in which a system is used. It may only be a worse one than the adapter's: the adapter knows what the interface can do at best.
func use(a *adapters.Abilities, mode adapters.Mode) fault.Findings {
	var findings fault.Findings
	if mode != "" && mode < a.Mode { // A is before B
		findings.Add("mode", "better-than-adapter", "the adapter of this type works in mode "+string(a.Mode), "leave mode out, or set a worse one")
	} else if mode != "" {
		a.Mode = mode
	}
	return findings
}

// belongs reports whether a record was measured with the configuration of a system, or with that of a test instance of the same type that is configured beside it.
func belongs(r measure.Record, systems map[handover.SystemID]*config.System, id handover.SystemID) bool {
	same := func(s *config.System) bool {
		return s != nil && s.Type == systems[id].Type && r.Fingerprint == measure.Fingerprint(s.Type, s.Adapter)
	}
	instance := systems[r.System]
	return same(systems[id]) || same(instance) && instance.Test && r.Test
}

// unmeasured reports whether nobody knows that a system that is written into keeps to its mode and bounds.
func (k connection) unmeasured() bool {
	return k.record == nil && k.config.Write && k.system.Sink != nil
}

// cautious lets every system that nobody has measured be used in mode C, which promises nothing that the system would have to keep, unless somebody vouches for another one by writing it down. It is no
// matter of connect: a system is measured in the mode that its adapter has.
func cautious(connected []connection) {
	for i := range connected {
		if k := &connected[i]; k.unmeasured() && k.config.Mode == "" {
			k.system.Abilities.Mode = adapters.ModeC
		}
	}
}

// command is how to measure a system.
func (k connection) command() string {
	return fmt.Sprintf("einmal adapter verify --system %[1]s --out %[1]s.verified.json, then set systems.%[1]s.verified", k.id)
}

// said adds to a probe what was measured of its system.
func (k connection) said(p Probe) Probe {
	switch {
	case k.record != nil:
		p.Detail += fmt.Sprintf("; measured on %s on %s by %s", k.record.System, k.record.At.UTC().Format(time.DateOnly), k.record.By)
	case k.unmeasured() && p.OK:
		p.Detail += "; used in mode " + string(k.system.Abilities.Mode) + ", which nobody has measured"
		p.Next = k.command()
	}
	return p
}
