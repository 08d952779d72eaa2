package clerks

import (
	"fmt"
	"math/rand/v2"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/mocks/core"
)

// Plan is what the clerks are going to do. The same seed gives the same plan, and a longer plan starts with the shorter one.
type Plan struct {
	Seed      int64
	Handovers []Handover
}

// Handover is one case from application to its end.
type Handover struct {
	Number  int // from 1
	Parties handover.Parties
	// Systems must hold every step of the case: both parties' own and the shared platform.
	Systems []handover.SystemID
	// Dossiers says whose dossier the case is in each system; empty on the shared platform.
	Dossiers map[handover.SystemID]handover.OrganisationID
	Steps    []Step
}

// Step is one entry by one clerk.
type Step struct {
	Marker       string // "[M0007-03]": handover 7, step 3
	Name         handover.Name
	Role         handover.Role
	Organisation handover.OrganisationID
	System       handover.SystemID // where she enters it: her own, now and then the platform
	Facts        core.Facts        // what she enters; the remark carries the marker
}

// NewPlan draws a plan of n handovers: from social service to unemployment office (group H) and back (group G), in turns, with every way
// that a case may go. No person occurs twice. It fails only if the directory that comes with the program cannot be read.
func NewPlan(seed int64, n int) (Plan, error) {
	d, err := lucerne()
	if err != nil {
		return Plan{}, err
	}
	p := Plan{Seed: seed}
	taken := map[string]bool{}
	for number := 1; number <= n; number++ {
		rng := rand.New(rand.NewPCG(uint64(seed), uint64(number))) //nolint:gosec // a plan must be repeatable, not secret
		facts := core.Invent(rng)
		for taken[facts.Person.AHV] {
			facts.Person.AHV = core.AHV(rng)
		}
		taken[facts.Person.AHV] = true
		p.Handovers = append(p.Handovers, d.handover(number, rng, facts))
	}
	return p, nil
}

// Steps returns the number of steps of all handovers.
func (p Plan) Steps() int {
	n := 0
	for _, h := range p.Handovers {
		n += len(h.Steps)
	}
	return n
}

func (d directory) handover(number int, rng *rand.Rand, facts core.Facts) Handover {
	f := d.Flows[(number-1)%len(d.Flows)]
	pair := f.Pairs[rng.IntN(len(f.Pairs))]
	assigning, receiving := d.home(pair[0]), d.home(pair[1])
	facts.Assigning, facts.Receiving, facts.Process, facts.TargetGroup = pair[0], pair[1], f.Process, f.TargetGroup
	facts.ConsentKind = f.Consent
	facts.Situation.EconomicAssistance, facts.Situation.UnemploymentBenefit = f.EconomicAssistance, f.UnemploymentBenefit
	facts.Situation.RegisteredJobseeker = f.RegisteredJobseeker
	facts.Situation.SocialCounselling = facts.Situation.SocialCounselling && f.EconomicAssistance
	facts.Declarations = core.Declare(rng, f.Declarations, facts.AppliedOn)
	if towns := d.residences(pair); len(towns) > 0 {
		lives := towns[rng.IntN(len(towns))]
		facts.Person.Zip, facts.Person.Town, facts.Person.Municipality = lives.Zip, lives.Town, lives.Municipality
	}
	facts.Approval = fmt.Sprintf("KG-2026-%06d", number)
	s := script{
		Rand: rng, flow: f, directory: d, facts: facts,
		handover: Handover{
			Number: number, Parties: handover.Parties{Assigning: pair[0], Receiving: pair[1]},
			Systems:  []handover.SystemID{assigning, receiving, d.Shared},
			Dossiers: map[handover.SystemID]handover.OrganisationID{assigning: pair[0], receiving: pair[1], d.Shared: ""},
		},
	}
	s.write()
	return s.handover
}
