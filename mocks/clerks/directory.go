package clerks

import (
	_ "embed"
	"errors"
	"fmt"
	"slices"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/strict"
	"github.com/einmal-hub/einmal/mocks/core"
)

//go:embed lucerne.yaml
var lucerneYAML []byte

// directory is what the people of the agencies know: who works where, what is handed over between whom, and which rules it meets.
type directory struct {
	Shared        handover.SystemID `yaml:"shared"`      // the platform that shows every case
	OneByHandIn   int               `yaml:"oneByHandIn"` // one step in so many is entered on the platform
	Habits        habits            `yaml:"habits"`
	Organisations []organisation    `yaml:"organisations"`
	Procedures    []procedure       `yaml:"procedures"`
	Sets          []set             `yaml:"sets"`
	Courses       []map[string]bool `yaml:"courses"` // what the first handovers leave to no chance
	Plays         []play            `yaml:"plays"`
}

// habits say how often something is done where it may be, in per cent.
type habits struct {
	Document      int `yaml:"document"`
	LeaveReceiver int `yaml:"leaveReceiver"`
	Revise        int `yaml:"revise"`
}

type organisation struct {
	ID      handover.OrganisationID      `yaml:"id"`
	Agency  string                       `yaml:"agency"`
	System  handover.SystemID            `yaml:"system"`
	Instead map[string]handover.SystemID `yaml:"instead"` // for cases of a target group
	Towns   []town                       `yaml:"towns"`   // where the people live whom it serves; empty: it serves those of others
}

type town struct {
	Zip          string `yaml:"zip"`
	Town         string `yaml:"town"`
	Municipality int    `yaml:"municipality"`
}

// procedure is how an assigning agency leads its own procedure meanwhile; what is left out holds for all. The first that fits counts.
type procedure struct {
	Agency    string `yaml:"agency"`
	Process   string `yaml:"process"`
	Meanwhile string `yaml:"meanwhile"`
}

type set struct {
	Name         string          `yaml:"set"`
	Declarations []core.Question `yaml:"declarations"`
}

// play is one kind of application.
type play struct {
	Name         string                      `yaml:"play"`
	Like         string                      `yaml:"like"` // the play that it is but for what stands here
	Group        string                      `yaml:"group"`
	Process      string                      `yaml:"process"`
	Consent      []string                    `yaml:"consent"`
	Situation    []string                    `yaml:"situation"` // what holds for the person
	Maybe        []string                    `yaml:"maybe"`     // what may hold
	Uses         []string                    `yaml:"uses"`      // sets of declarations
	Declarations []core.Question             `yaml:"declarations"`
	Without      []string                    `yaml:"without"` // items that are not answered
	Pairs        [][]handover.OrganisationID `yaml:"pairs"`   // assigning, receiving
	Rejections   []string                    `yaml:"rejections"`
	Lives        *town                       `yaml:"lives"` // where the person lives, if not where one of the two serves
	Leave        bool                        `yaml:"leave"` // the receiver is left to the directory
	Returned     bool                        `yaml:"returned"`
	Mended       bool                        `yaml:"mended"` // a returned application is put right and goes its way
	Finds        []string                    `yaml:"finds"`  // the rules that do not hold
}

// lucerne reads the directory of the first home.
func lucerne() (directory, error) { return parse("lucerne.yaml", lucerneYAML) }

func parse(name string, data []byte) (directory, error) {
	var d directory
	if found := strict.YAML(name, data, &d).Findings(); len(found) > 0 {
		return directory{}, fmt.Errorf("read the clerks' directory: %w", found)
	}
	for i := range d.Plays {
		if err := d.complete(&d.Plays[i]); err != nil {
			return directory{}, fmt.Errorf("read the clerks' directory: %w", err)
		}
	}
	return d, nil
}

// complete fills in what a play takes from another one, and its sets.
func (d directory) complete(p *play) error {
	own := p.Declarations
	p.Declarations = nil
	if p.Like != "" {
		i := slices.IndexFunc(d.Plays, func(other play) bool { return other.Name == p.Like })
		if i < 0 || d.Plays[i].Like != "" {
			return errors.New("the play " + p.Name + " is like none")
		}
		p.inherit(d.Plays[i])
	}
	for _, name := range p.Uses {
		i := slices.IndexFunc(d.Sets, func(s set) bool { return s.Name == name })
		if i < 0 {
			return errors.New("the play " + p.Name + " uses a set that is not there: " + name)
		}
		p.answer(d.Sets[i].Declarations)
	}
	p.answer(own)
	p.Declarations = slices.DeleteFunc(p.Declarations, func(q core.Question) bool { return slices.Contains(p.Without, q.Item) })
	for _, pair := range p.Pairs {
		if len(pair) != 2 || d.agency(pair[0]) == "" || d.agency(pair[1]) == "" {
			return errors.New("the play " + p.Name + " is not between two organisations")
		}
	}
	return nil
}

func (p *play) inherit(from play) {
	p.Declarations = slices.Clone(from.Declarations)
	p.Group, p.Process = or(p.Group, from.Group), or(p.Process, from.Process)
	for _, list := range []struct{ own, other *[]string }{
		{&p.Consent, &from.Consent}, {&p.Situation, &from.Situation}, {&p.Maybe, &from.Maybe}, {&p.Rejections, &from.Rejections},
	} {
		if *list.own == nil {
			*list.own = *list.other
		}
	}
	if p.Pairs == nil {
		p.Pairs = from.Pairs
	}
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// answer adds questions; one that is there already is answered anew.
func (p *play) answer(questions []core.Question) {
	for _, q := range questions {
		i := slices.IndexFunc(p.Declarations, func(known core.Question) bool { return known.Item == q.Item })
		if i < 0 {
			p.Declarations = append(p.Declarations, q)
			continue
		}
		p.Declarations[i] = q
	}
}

func (d directory) organisation(id handover.OrganisationID) organisation {
	for _, known := range d.Organisations {
		if known.ID == id {
			return known
		}
	}
	return organisation{}
}

func (d directory) agency(id handover.OrganisationID) string { return d.organisation(id).Agency }

// home returns the place where an organisation's records of a case stand.
func (d directory) home(id handover.OrganisationID, group string) Place {
	o := d.organisation(id)
	if s, other := o.Instead[group]; other {
		return Place{System: s, Organisation: id}
	}
	return Place{System: o.System, Organisation: id}
}

// residences returns where a person can live whose case moves between two organisations: where the social service is, otherwise where the other one is.
func (d directory) residences(pair []handover.OrganisationID) []town {
	var towns []town
	for _, id := range pair {
		if o := d.organisation(id); len(o.Towns) > 0 && (towns == nil || o.Agency == "SH" && d.agency(pair[0]) != "SH") {
			towns = o.Towns
		}
	}
	return towns
}

// meanwhile returns how the assigning agency leads its own procedure.
func (d directory) meanwhile(agency, process string) string {
	for _, p := range d.Procedures {
		if (p.Agency == "" || p.Agency == agency) && (p.Process == "" || p.Process == process) {
			return p.Meanwhile
		}
	}
	return ""
}

// played returns the plays that can be played in a world of these systems, each with the pairs that can.
func (d directory) played(systems []handover.SystemID) []play {
	var all []play
	for _, p := range d.Plays {
		p.Pairs = slices.DeleteFunc(slices.Clone(p.Pairs), func(pair []handover.OrganisationID) bool {
			return systems != nil && (!slices.Contains(systems, d.home(pair[0], p.Group).System) || !slices.Contains(systems, d.home(pair[1], p.Group).System))
		})
		if len(p.Pairs) > 0 {
			all = append(all, p)
		}
	}
	return all
}
