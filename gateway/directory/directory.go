package directory

import (
	"slices"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
)

// Directory is a checked file. It never changes and may be used concurrently.
type Directory struct {
	agencies       map[handover.Code]string // whom to ask
	municipalities map[int]municipality
	organisations  []Organisation
	warnings       fault.Findings
}

// Organisation is one office that hands cases over or takes them.
type Organisation struct {
	ID       handover.OrganisationID
	Agency   handover.Code // type, of the jurisdiction profile
	System   handover.SystemID
	Name     string
	Offers   []handover.Code // capabilities, of the profile's code list
	Full     bool            // it says that it has no capacity
	Contact  Contact
	Deputy   *Contact
	instead  []placement
	serves   []service
	anywhere bool
}

// Contact is whom to call at an office.
type Contact struct {
	Name  string `yaml:"name"`
	Phone string `yaml:"phone"`
	Email string `yaml:"email"`
}

// municipality is a number of the Federal Statistical Office and its life.
type municipality struct {
	name     string
	from, to handover.Date // first and last day; empty: open
	into     int           // what it became; 0: nothing
}

// service is a time in which an organisation serves a municipality.
type service struct {
	bfs      int
	from, to handover.Date
}

// placement is a system for cases of some target groups.
type placement struct {
	System handover.SystemID `yaml:"system"`
	Groups []handover.Code   `yaml:"groups"`
}

// Warnings returns what does not keep the directory from being used: municipalities that nobody serves.
func (d *Directory) Warnings() fault.Findings { return slices.Clone(d.warnings) }

// Organisations returns all organisations in the order of the file.
func (d *Directory) Organisations() []Organisation { return slices.Clone(d.organisations) }

// Organisation returns an organisation by its id.
func (d *Directory) Organisation(id handover.OrganisationID) (Organisation, bool) {
	i := slices.IndexFunc(d.organisations, func(o Organisation) bool { return o.ID == id })
	if i < 0 {
		return Organisation{}, false
	}
	return d.organisations[i], true
}

// System returns the system in which an organisation's records of a case stand. Which one it is may depend on the case's target group; an empty
// group gives the organisation's usual system.
func (d *Directory) System(id handover.OrganisationID, group handover.Code) (handover.SystemID, bool) {
	o, known := d.Organisation(id)
	for _, p := range o.instead {
		if slices.Contains(p.Groups, group) {
			return p.System, true
		}
	}
	return o.System, known
}

// Systems returns every system that an organisation works in, the usual one first.
func (o Organisation) Systems() []handover.SystemID {
	all := []handover.SystemID{o.System}
	for _, p := range o.instead {
		if !slices.Contains(all, p.System) {
			all = append(all, p.System)
		}
	}
	return all
}

// Receiver returns the organisation of an agency type that is responsible for a municipality on a day. A number that has been merged away leads to
// the municipality that it became. Errors are of kind Refuse and say whom to ask: the municipality is not known, or nobody serves it.
func (d *Directory) Receiver(agency handover.Code, bfs int, on handover.Date) (Organisation, error) {
	now, known := d.current(bfs, on)
	if !known {
		return Organisation{}, d.refuse(agency, "unknown-municipality", "the municipality of residence is not in the directory")
	}
	for _, o := range d.organisations {
		if o.Agency == agency && o.servesOn(now, on) {
			return o, nil
		}
	}
	return Organisation{}, d.refuse(agency, "not-served", "no organisation of the receiving type serves the person's municipality of residence")
}

// Responsible reports whether an organisation is the one of its type that is responsible for a municipality on a day.
func (d *Directory) Responsible(id handover.OrganisationID, bfs int, on handover.Date) bool {
	o, known := d.Organisation(id)
	now, there := d.current(bfs, on)
	return known && there && o.servesOn(now, on)
}

func (o Organisation) servesOn(bfs int, on handover.Date) bool {
	return o.anywhere || slices.ContainsFunc(o.serves, func(s service) bool { return s.bfs == bfs && within(on, s.from, s.to) })
}

// current follows merges up to a day.
func (d *Directory) current(bfs int, on handover.Date) (int, bool) {
	m, known := d.municipalities[bfs]
	for known && m.to != "" && m.to < on && m.into != 0 {
		bfs = m.into
		m, known = d.municipalities[bfs]
	}
	return bfs, known
}

func (d *Directory) refuse(agency handover.Code, code, text string) error {
	return fault.New(fault.Refuse, "directory.receiver", code, text).At("person.address.municipality").Hint("ask: " + d.Ask(agency))
}

// Ask says whom to ask when no organisation of an agency type is responsible.
func (d *Directory) Ask(agency handover.Code) string {
	if ask := d.agencies[agency]; ask != "" {
		return ask
	}
	return string(agency)
}

// within reports whether a day lies in a time that may be open at both ends.
func within(day, from, to handover.Date) bool { return from <= day && (to == "" || day <= to) }
