package directory

import (
	"errors"
	"os"
	"regexp"
	"slices"
	"strconv"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/strict"
)

// Known is what the directory is held against. An empty list is not checked.
type Known struct {
	Systems      []handover.SystemID // of the configuration
	Agencies     []handover.Code     // agency types of the profile
	Capabilities []handover.Code     // of the profile
	Groups       []handover.Code     // target groups of the profile
	// On is the first day that the directory must be in order for; the past may have had gaps. Empty: every day.
	On handover.Date
}

// file is a directory as it is written.
type file struct {
	Agencies       []agencyEntry       `yaml:"agencies"`
	Municipalities []municipalityEntry `yaml:"municipalities"`
	Organisations  []organisationEntry `yaml:"organisations"`
}

type agencyEntry struct {
	Agency handover.Code `yaml:"agency"`
	Ask    string        `yaml:"ask"`
}

type municipalityEntry struct {
	BFS       int           `yaml:"bfs"`
	Name      string        `yaml:"name"`
	District  string        `yaml:"district"` // for readers
	ValidFrom handover.Date `yaml:"validFrom"`
	ValidTo   handover.Date `yaml:"validTo"`
	Into      int           `yaml:"into"`
}

type organisationEntry struct {
	ID         handover.OrganisationID `yaml:"id"`
	Agency     handover.Code           `yaml:"agency"`
	System     handover.SystemID       `yaml:"system"`
	Instead    []placement             `yaml:"instead"`
	Name       string                  `yaml:"name"`
	Offers     []handover.Code         `yaml:"offers"`
	Full       bool                    `yaml:"full"`
	Contact    *Contact                `yaml:"contact"`
	Deputy     *Contact                `yaml:"deputy"`
	Serves     []serviceEntry          `yaml:"serves"`
	Everywhere bool                    `yaml:"everywhere"`
}

type serviceEntry struct {
	BFS       []int         `yaml:"bfs"`
	ValidFrom handover.Date `yaml:"validFrom"`
	ValidTo   handover.Date `yaml:"validTo"`
}

// Load reads and checks a directory. It fails with a [fault.Error] of kind Stop that holds all findings as [fault.Findings], each with its line.
func Load(path string, k Known) (*Directory, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		var pathError *os.PathError
		cause := err
		if errors.As(err, &pathError) {
			cause = pathError.Err
		}
		found := fault.Findings{{File: path, Code: "unreadable", Text: "the directory cannot be read: " + cause.Error(), Next: "name an existing file"}}
		return nil, fault.Wrap(fault.Stop, "directory.load", found)
	}
	return Parse(path, b, k)
}

// Parse is Load for a text that has been read; name stands in findings.
func Parse(name string, data []byte, k Known) (*Directory, error) {
	var f file
	c := &checker{Document: strict.YAML(name, data, &f), known: k, file: f}
	if c.Read() {
		c.check()
	}
	if found := c.Findings(); len(found) > 0 {
		return nil, fault.Wrap(fault.Stop, "directory.load", found)
	}
	d := build(f)
	d.warnings = c.gaps(d, name)
	return d, nil
}

func build(f file) *Directory {
	d := &Directory{agencies: map[handover.Code]string{}, municipalities: map[int]municipality{}}
	for _, a := range f.Agencies {
		d.agencies[a.Agency] = a.Ask
	}
	for _, m := range f.Municipalities {
		d.municipalities[m.BFS] = municipality{name: m.Name, from: m.ValidFrom, to: m.ValidTo, into: m.Into}
	}
	for _, e := range f.Organisations {
		o := Organisation{
			ID: e.ID, Agency: e.Agency, System: e.System, Name: e.Name, Offers: e.Offers, Full: e.Full, Contact: *e.Contact, Deputy: e.Deputy,
			instead: e.Instead, anywhere: e.Everywhere,
		}
		for _, s := range e.Serves {
			for _, bfs := range s.BFS {
				o.serves = append(o.serves, service{bfs: bfs, from: s.ValidFrom, to: s.ValidTo})
			}
		}
		d.organisations = append(d.organisations, o)
	}
	return d
}

// checker holds a file against what is known, and against itself.
type checker struct {
	*strict.Document
	known Known
	file  file
	claim []claim
}

// claim is what an organisation says to serve, and where it says so.
type claim struct {
	agency   handover.Code
	anywhere bool
	service
	path string
}

func at(section string, i int) string { return section + "[" + strconv.Itoa(i) + "]" }

func (c *checker) need(ok bool, path, code, text, next string) {
	if !ok {
		c.Report(path, code, text, next)
	}
}

func (c *checker) check() {
	agencies := map[handover.Code]bool{}
	for i, a := range c.file.Agencies {
		path := at("agencies", i)
		c.need(a.Agency != "" && a.Ask != "", path, "missing", "an agency type has a name, and somebody to ask", "")
		c.need(!agencies[a.Agency], path, "repeated", "the agency type stands here twice", "remove one of the two")
		c.need(len(c.known.Agencies) == 0 || slices.Contains(c.known.Agencies, a.Agency), path, "unknown-agency", "the profile has no such agency type", "")
		agencies[a.Agency] = true
	}
	c.municipalities()
	ids := map[handover.OrganisationID]bool{}
	for i, o := range c.file.Organisations {
		path := at("organisations", i)
		c.need(regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,35}$`).MatchString(string(o.ID)), path+".id", "malformed", "this is not an id",
			"use lower-case letters, digits and hyphens, at most 36, such as rav-luzern")
		c.need(!ids[o.ID], path+".id", "repeated", "another organisation has the same id", "give each its own")
		c.need(agencies[o.Agency], path+".agency", "unknown-agency", "the agency type is not among agencies", "")
		ids[o.ID] = true
		c.organisation(path, o)
	}
	c.need(len(c.file.Organisations) > 0, "organisations", "missing", "the directory has no organisation", "")
	c.clashes()
}

func (c *checker) organisation(path string, o organisationEntry) {
	c.need(o.Name != "", path+".name", "missing", "the organisation has no name", "")
	c.need(o.Contact != nil && o.Contact.Name != "", path+".contact", "missing", "nobody knows whom to call there", "add contact: {name: ..., phone: ...}")
	c.need(o.Deputy == nil || o.Deputy.Name != "", path+".deputy", "missing", "the deputy has no name", "")
	c.system(path+".system", o.System)
	for i, p := range o.Instead {
		c.system(path+"."+at("instead", i), p.System)
		c.need(len(p.Groups) > 0, path+"."+at("instead", i), "missing", "it is not said for which target groups", "")
		for _, g := range p.Groups {
			c.need(len(c.known.Groups) == 0 || slices.Contains(c.known.Groups, g), path+"."+at("instead", i), "unknown-group", "the profile has no such target group", "")
		}
	}
	for _, offer := range o.Offers {
		c.need(len(c.known.Capabilities) == 0 || slices.Contains(c.known.Capabilities, offer), path+".offers", "unknown-capability", "the profile has no such capability", "")
	}
	c.need(!o.Everywhere || len(o.Serves) == 0, path+".serves", "contradiction", "who serves everywhere has no list of municipalities", "remove one of the two")
	if o.Everywhere {
		c.claim = append(c.claim, claim{agency: o.Agency, anywhere: true, path: path + ".everywhere"})
	}
	for i, s := range o.Serves {
		c.serves(path+"."+at("serves", i), o, s)
	}
}

func (c *checker) system(path string, id handover.SystemID) {
	c.need(id != "", path, "missing", "the system is missing", "name one of the configuration's systems")
	c.need(id == "" || len(c.known.Systems) == 0 || slices.Contains(c.known.Systems, id), path, "unknown-system", "no system of this name is configured", "")
}
