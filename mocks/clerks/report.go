package clerks

import (
	_ "embed"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/strict"
	"github.com/einmal-hub/einmal/mocks/core"
)

//go:embed report-2022.yaml
var reportYAML []byte

// report is a reporting table and the handovers that lead to it.
type report struct {
	From  string `yaml:"from"`
	To    string `yaml:"to"`
	Table Table  `yaml:"table"`
	Fates []fate `yaml:"fates"`
	Cases []kind `yaml:"cases"`
}

type fate struct {
	Name   string          `yaml:"fate"`
	Course map[string]bool `yaml:"course"`
}

// kind is a number of cases that go alike.
type kind struct {
	Play    string   `yaml:"play"`
	Without []string `yaml:"without"`
	Fate    string   `yaml:"fate"`
	Reason  string   `yaml:"reason"`  // of the rejection
	Outcome string   `yaml:"outcome"` // of the closure
	Times   int      `yaml:"times"`
}

func report2022() (report, error) {
	var r report
	if found := strict.YAML("report-2022.yaml", reportYAML, &r).Findings(); len(found) > 0 {
		return report{}, fmt.Errorf("read the report of 2022: %w", found)
	}
	return r, nil
}

// ReportTable returns the standard reporting table of the pilot, as it was published.
func ReportTable() (Table, error) {
	r, err := report2022()
	return r.Table, err
}

// ReportPlan draws the 52 handovers of the pilot: those that lead to [ReportTable], in an order of their own. systems are as in [NewPlan]; it fails when one is missing.
func ReportPlan(seed int64, systems ...handover.SystemID) (Plan, error) {
	d, err := lucerne()
	if err != nil {
		return Plan{}, err
	}
	r, err := report2022()
	if err != nil {
		return Plan{}, err
	}
	from, err1 := time.Parse(time.DateOnly, r.From)
	to, err2 := time.Parse(time.DateOnly, r.To)
	if err := errors.Join(err1, err2); err != nil {
		return Plan{}, fmt.Errorf("read the report of 2022: %w", err)
	}
	var cases []kind
	for _, k := range r.Cases {
		cases = append(cases, slices.Repeat([]kind{k}, k.Times)...)
	}
	rand.New(rand.NewPCG(uint64(seed), 0)).Shuffle(len(cases), func(i, j int) { cases[i], cases[j] = cases[j], cases[i] }) //nolint:gosec // a plan must be repeatable, not secret
	p := Plan{Seed: seed}
	people := people{}
	for i, k := range cases {
		rng := rand.New(rand.NewPCG(uint64(seed), uint64(i)+1)) //nolint:gosec // as above
		facts := people.meet(rng, core.InventOn(rng, from.AddDate(0, 0, i*int(to.Sub(from).Hours()/24)/len(cases))))
		s, err := d.reported(i+1, rng, r, k, facts, systems)
		if err != nil {
			return Plan{}, err
		}
		s.write()
		p.Handovers = append(p.Handovers, s.handover)
	}
	return p, nil
}

// reported prepares a handover of the report.
func (d directory) reported(number int, rng *rand.Rand, r report, k kind, facts core.Facts, systems []handover.SystemID) (*script, error) {
	plays := d.played(systems)
	i := slices.IndexFunc(plays, func(p play) bool { return p.Name == k.Play })
	at := slices.IndexFunc(r.Fates, func(f fate) bool { return f.Name == k.Fate })
	if i < 0 || at < 0 {
		return nil, errors.New("the report cannot be played between these systems: none of them is there for " + k.Play + ", " + k.Fate)
	}
	p := plays[i]
	p.Declarations = slices.DeleteFunc(slices.Clone(p.Declarations), func(q core.Question) bool { return slices.Contains(k.Without, q.Item) })
	p.Rejections = []string{k.Reason}
	if k.Outcome != "" {
		facts.Outcome = k.Outcome
		facts.ClosureReason = map[string]string{"SUCCESSFUL": "GOAL_REACHED", "PARTIAL": "GOAL_REACHED", "NOT_IMPLEMENTED": "GOAL_NOT_REACHABLE", "OTHER": "REVOKED_BY_ASSIGNING"}[k.Outcome]
	}
	s := d.script(number, rng, p, p.Pairs[rng.IntN(len(p.Pairs))], facts)
	s.course = r.Fates[at].Course
	return s, nil
}
