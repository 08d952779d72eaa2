package clerks

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/mocks/core"
)

// Plan is what the clerks are going to do. The same seed gives the same plan, and a longer plan starts with the shorter one.
type Plan struct {
	Seed      int64
	Handovers []Handover
}

// Place is where entries of a case stand: a dossier in a native system, or the case on a shared platform, which is nobody's dossier.
type Place struct {
	System       handover.SystemID
	Organisation handover.OrganisationID
}

// Handover is one case from application to its end.
type Handover struct {
	Number   int    // from 1
	Play     string // what is played
	Group    string // target group
	From, To string // agency types
	Parties  handover.Parties
	// Places must hold every step of the case, except an application that is returned: both parties' dossiers and the shared platform.
	Places []Place
	Steps  []Step
	// Meanwhile is how the assigning agency leads its own procedure while the other one leads.
	Meanwhile string
}

// Answer is what the clerks expect the check of an application to say.
type Answer struct {
	Returned bool     // the application goes no further
	Rules    []string // those that do not hold, in alphabetical order
}

// Step is one entry by one clerk.
type Step struct {
	Marker       string // "[M0007-03]": handover 7, step 3
	Name         handover.Name
	Role         handover.Role
	Organisation handover.OrganisationID
	Place        Place           // where she enters it: her own dossier, now and then the platform
	Action       handover.Action // empty for a new entry
	Refers       string          // the marker of the step that is recalled or corrected
	Facts        core.Facts      // what she enters; the remark carries the marker
	// Answer is what comes back to where an application was entered, from nobody but the gateway; nil: nothing.
	Answer *Answer
}

// Returned reports whether the step is an application that goes no further than where it was entered.
func (s Step) Returned() bool { return s.Answer != nil && s.Answer.Returned }

// Where returns the places at which a step must stand.
func (h Handover) Where(s Step) []Place {
	if s.Returned() {
		return []Place{s.Place}
	}
	return h.Places
}

// Returned reports whether the handover ends with an application that was returned.
func (h Handover) Returned() bool { return h.Steps[len(h.Steps)-1].Returned() }

// Home returns the place of a party's own dossier.
func (h Handover) Home(o handover.OrganisationID) Place {
	for _, p := range h.Places {
		if p.Organisation == o {
			return p
		}
	}
	return Place{}
}

// Systems returns the systems that a case has to do with.
func (h Handover) Systems() []handover.SystemID {
	var all []handover.SystemID
	for _, p := range h.Places {
		if !slices.Contains(all, p.System) {
			all = append(all, p.System)
		}
	}
	return all
}

// NewPlan draws a plan of n handovers: every target group in every direction that is provided for, between social services, and applications that the
// rules do not admit, in turns, with every way that a case may go. No person occurs twice. systems are those of the world, the shared platform among them; none means
// that all are there. It fails if nothing can be played with them.
func NewPlan(seed int64, n int, systems ...handover.SystemID) (Plan, error) {
	d, err := lucerne()
	if err != nil {
		return Plan{}, err
	}
	plays := d.played(systems)
	if len(plays) == 0 || systems != nil && !slices.Contains(systems, d.Shared) {
		return Plan{}, errors.New("no handover can be played between these systems")
	}
	p := Plan{Seed: seed}
	people := people{}
	for number := 1; number <= n; number++ {
		rng := rand.New(rand.NewPCG(uint64(seed), uint64(number))) //nolint:gosec // a plan must be repeatable, not secret
		facts := people.meet(rng, core.Invent(rng))
		play := plays[(number-1)%len(plays)]
		s := d.script(number, rng, play, play.Pairs[rng.IntN(len(play.Pairs))], facts)
		if number <= len(d.Courses) {
			s.course = d.Courses[number-1]
		}
		s.write()
		p.Handovers = append(p.Handovers, s.handover)
	}
	return p, nil
}

// people are those who have had a case, by their AHV number.
type people map[string]bool

// meet makes sure that nobody occurs twice.
func (p people) meet(rng *rand.Rand, f core.Facts) core.Facts {
	for p[f.Person.AHV] {
		f.Person.AHV = core.AHV(rng)
	}
	p[f.Person.AHV] = true
	return f
}

// Steps returns the number of steps of all handovers.
func (p Plan) Steps() int {
	n := 0
	for _, h := range p.Handovers {
		n += len(h.Steps)
	}
	return n
}

// Records returns how many records the plan leads to in all systems together, if all goes well.
func (p Plan) Records() int {
	n := 0
	for _, h := range p.Handovers {
		for _, s := range h.Steps {
			n += len(h.Where(s))
			if s.Answer != nil {
				n++
			}
		}
	}
	return n
}

// script prepares a handover with the application's facts.
func (d directory) script(number int, rng *rand.Rand, p play, pair []handover.OrganisationID, facts core.Facts) *script {
	facts.Assigning, facts.Receiving, facts.Process, facts.TargetGroup = pair[0], pair[1], p.Process, p.Group
	facts.ConsentKind = p.Consent[rng.IntN(len(p.Consent))]
	facts.Situation = p.situation(rng)
	facts.Declarations = core.Declare(rng, p.Declarations, facts.AppliedOn)
	facts.Documents, facts.Findings, facts.CheckOutcome, facts.CheckProfile = nil, nil, "", ""
	if towns := d.residences(pair); len(towns) > 0 {
		live(&facts, towns[rng.IntN(len(towns))])
	}
	if p.Lives != nil {
		live(&facts, *p.Lives)
	}
	facts.Approval = fmt.Sprintf("KG-%s-%06d", facts.AppliedOn[:4], number)
	h := Handover{
		Number: number, Play: p.Name, Group: p.Group, From: d.agency(pair[0]), To: d.agency(pair[1]),
		Parties:   handover.Parties{Assigning: pair[0], Receiving: pair[1]},
		Places:    []Place{d.home(pair[0], p.Group), d.home(pair[1], p.Group), {System: d.Shared}},
		Meanwhile: d.meanwhile(d.agency(pair[0]), p.Process),
	}
	return &script{Rand: rng, play: p, directory: d, facts: facts, handover: h}
}

// situation draws what holds for the person.
func (p play) situation(rng *rand.Rand) core.Situation {
	holds := func(what string) bool {
		return slices.Contains(p.Situation, what) || slices.Contains(p.Maybe, what) && rng.IntN(2) == 0
	}
	return core.Situation{
		SocialCounselling: holds("SOCIAL_COUNSELLING"), EconomicAssistance: holds("ECONOMIC_ASSISTANCE"), RegisteredJobseeker: holds("REGISTERED_JOBSEEKER"),
		UnemploymentBenefit: holds("UNEMPLOYMENT_BENEFIT"), DisabilityMeasures: holds("DISABILITY_MEASURES"),
	}
}

func live(f *core.Facts, t town) {
	f.Person.Zip, f.Person.Town, f.Person.Municipality = t.Zip, t.Town, t.Municipality
}
