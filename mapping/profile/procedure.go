package profile

import (
	"slices"

	"github.com/einmal-hub/einmal/contracts/handover"
)

// How the assigning agency leads its own procedure (Verfahrensführung), of the code list "procedure".
const (
	Reduced   handover.Code = "REDUCED"   // it goes on with what the other agency cannot do
	Suspended handover.Code = "SUSPENDED" // it rests (sistiert)
	Full      handover.Code = "FULL"      // nothing of the handover limits it any more
)

// Procedure is what the assigning agency's own procedure is while the other one leads, and afterwards. Its legal responsibility stays where it is in both (P12).
type Procedure struct {
	Scope      `yaml:",inline"`
	Assigning  handover.Code `yaml:"assigning"` // agency type
	Process    handover.Code `yaml:"process"`
	Meanwhile  handover.Code `yaml:"meanwhile"`  // from the agreed note of the transfer meeting on: REDUCED or SUSPENDED
	Afterwards handover.Code `yaml:"afterwards"` // from the closure on: FULL
	Keeps      []Text        `yaml:"keeps"`      // what the agency goes on doing
	Stops      []Text        `yaml:"stops"`      // what it no longer does, because the other agency does it
	Then       Text          `yaml:"then"`       // what it does after the closure
	Source     string        `yaml:"source"`
}

// Procedure returns how an assigning agency of a type leads its own procedure in a process. There is one for every direction that the version provides for, and for
// every handover within one type that has a legal gate.
func (v Version) Procedure(assigning, process handover.Code) (Procedure, bool) {
	i := slices.IndexFunc(v.Procedures, func(p Procedure) bool { return p.Assigning == assigning && p.Process == process })
	if i < 0 {
		return Procedure{}, false
	}
	return v.Procedures[i], true
}

// ProcessReceiver returns the agency type that receives in a process.
func (v Version) ProcessReceiver(process handover.Code) (handover.Code, bool) {
	i := slices.IndexFunc(v.Processes, func(p Process) bool { return p.Code == process })
	if i < 0 {
		return "", false
	}
	return v.Processes[i].Receiver, true
}

// checkProcedures demands one procedure for every way in which the version lets a case be handed over, and none for another.
func (e *edition) checkProcedures() {
	unique(e.procedures, func(p Procedure) string { return procedureKey(p.Assigning, p.Process) }, "procedure")
	needed := e.handovers()
	for _, p := range e.procedures {
		x := p.entry
		need(p, "", slices.Contains(needed, [2]handover.Code{x.Assigning, x.Process}), "unused", "the version "+e.Name+" lets no case be handed over in this way")
		need(p, ".meanwhile", slices.Contains([]handover.Code{Reduced, Suspended}, x.Meanwhile) && e.Knows(listProcedure, x.Meanwhile), "unknown-code",
			"meanwhile the procedure is REDUCED or SUSPENDED, of the code list "+listProcedure)
		need(p, ".afterwards", x.Afterwards == Full && e.Knows(listProcedure, Full), "unknown-code", "afterwards the procedure is FULL, of the code list "+listProcedure)
		need(p, ".keeps", len(x.Keeps) > 0, "missing", "what the agency keeps doing is missing; its legal responsibility stays (P12)")
		need(p, ".stops", len(x.Stops) > 0, "missing", "what the agency stops doing is missing; it withdraws from the topic (P4)")
		need(p, ".source", x.Source != "", "missing", "the source is missing")
	}
	for _, n := range needed {
		if _, there := e.Procedure(n[0], n[1]); !there {
			e.anywhere("procedures", "missing", "the procedure of "+string(n[0])+" in "+string(n[1])+" is missing in the version "+e.Name)
		}
	}
}

// procedureKey makes what is malformed look missing.
func procedureKey(assigning, process handover.Code) string {
	if codeKey(assigning) == "" || codeKey(process) == "" {
		return ""
	}
	return string(assigning) + " " + string(process)
}

// handovers lists assigning agency type and process of every way in which a case may be handed over: the directions of the target groups, and those
// within one agency type between which data may flow.
func (e *edition) handovers() [][2]handover.Code {
	var all [][2]handover.Code
	add := func(assigning, process handover.Code) {
		if h := [2]handover.Code{assigning, process}; !slices.Contains(all, h) {
			all = append(all, h)
		}
	}
	for _, g := range e.Groups {
		for _, d := range g.Directions {
			add(d.From, d.Process)
		}
	}
	for _, p := range e.Processes {
		if e.Gate(p.Receiver, p.Receiver) != nil {
			add(p.Receiver, p.Code)
		}
	}
	return all
}
