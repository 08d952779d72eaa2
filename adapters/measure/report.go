package measure

import (
	"slices"
	"time"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
)

// None is the verdict on a system that cannot be used in any mode.
const None adapters.Mode = "none"

// Span is a time that is written as in the configuration: "1.5s".
type Span time.Duration

// MarshalText implements [encoding.TextMarshaler].
func (s Span) MarshalText() ([]byte, error) { return []byte(time.Duration(s).String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (s *Span) UnmarshalText(b []byte) error {
	d, err := time.ParseDuration(string(b))
	*s = Span(d)
	return err
}

// Terms are a mode and the times that it rests on: those that are configured, or those that were measured. Measured times are the longest that were seen.
type Terms struct {
	Mode       adapters.Mode `json:"mode"`
	Request    Span          `json:"request"`
	Processing Span          `json:"processing"`
	Lookup     Span          `json:"lookup"`
	Answer     Span          `json:"answer"`
}

// terms are what a system is configured to be used with.
func terms(a adapters.Abilities) Terms {
	b := a.Bounds
	return Terms{Mode: a.Mode, Request: Span(b.Request), Processing: Span(b.Processing), Lookup: Span(b.Lookup), Answer: Span(b.Answer)}
}

// Result says what an experiment means.
type Result string

const (
	// Holds: the system does what the mode needs.
	Holds Result = "ok"
	// Noted: it changes nothing about the verdict, but a person should know.
	Noted Result = "note"
	// Fails: it rules out modes, or a configured bound is too short.
	Fails Result = "fails"
)

// Finding is what came of one experiment. It holds no value of a form.
type Finding struct {
	Experiment string          `json:"experiment"`
	Result     Result          `json:"result"`
	RulesOut   []adapters.Mode `json:"rulesOut,omitzero"`
	Bound      string          `json:"bound,omitzero"` // the configured bound that is shorter than what was seen, such as "bounds.lookup"
	Did        string          `json:"did"`
	Saw        string          `json:"saw"`
	Next       string          `json:"next,omitzero"`
}

// Written is what a measurement has left in the native system. All of it can be removed there.
type Written struct {
	References []native.Reference `json:"references"`
	Cases      []handover.CaseID  `json:"cases"` // einmal's own names of the cases that it opened
}

// Report is what a measurement has found.
type Report struct {
	Configured Terms     `json:"configured"`
	Measured   Terms     `json:"measured"` // the mode is the verdict
	Memory     Span      `json:"memory"`   // so long after an entry the same reference was still joined; 0: not joined, or not tried
	Watched    Span      `json:"watched"`  // so long after a cut request late executions were looked for
	Searches   int       `json:"searches"`
	Requests   int       `json:"requests"`
	Findings   []Finding `json:"findings"`
	Written    Written   `json:"written"`
}

// Fits reports whether the system may be used as it is configured: nothing rules its mode out, and no bound is too short.
func (r Report) Fits() bool {
	return !worse(r.Measured.Mode, r.Configured.Mode) && !slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.Bound != "" })
}

// worse reports whether mode a promises less than mode b.
func worse(a, b adapters.Mode) bool { return rank(a) < rank(b) }

func rank(m adapters.Mode) int {
	return map[adapters.Mode]int{adapters.ModeC: 1, adapters.ModeB: 2, adapters.ModeA: 3}[m]
}

// best is the best mode that no finding rules out.
func best(fs []Finding) adapters.Mode {
	for _, m := range []adapters.Mode{adapters.ModeA, adapters.ModeB, adapters.ModeC} {
		if !slices.ContainsFunc(fs, func(f Finding) bool { return slices.Contains(f.RulesOut, m) }) {
			return m
		}
	}
	return None
}
