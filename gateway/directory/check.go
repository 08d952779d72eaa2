package directory

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
)

// municipalities checks numbers, dates and where merges lead.
func (c *checker) municipalities() {
	c.need(len(c.file.Municipalities) > 0, "municipalities", "missing", "the directory has no municipality", "")
	seen := map[int]municipalityEntry{}
	for i, m := range c.file.Municipalities {
		path := at("municipalities", i)
		_, twice := seen[m.BFS]
		c.need(m.BFS >= 1 && m.BFS <= 9999 && m.Name != "", path, "malformed", "a municipality has a BFS number from 1 to 9999 and a name", "")
		c.need(!twice, path, "repeated", "the number stands here twice", "numbers are never used again: remove one of the two")
		c.need(m.ValidTo == "" || m.ValidFrom <= m.ValidTo, path, "dates", "the municipality ends before it begins", "")
		c.need((m.Into != 0) == (m.ValidTo != ""), path, "merge", "validTo and into belong together", "say what the municipality became")
		seen[m.BFS] = m
	}
	for i, m := range c.file.Municipalities {
		if m.Into == 0 {
			continue
		}
		next, known := seen[m.Into]
		c.need(known && (next.ValidTo == "" || next.ValidTo > m.ValidTo) && (next.ValidFrom == "" || next.ValidFrom <= after(m.ValidTo)), at("municipalities", i)+".into", "merge",
			"the successor is not in the list, or did not exist on the day after", "")
	}
}

// serves checks one entry of what an organisation serves.
func (c *checker) serves(path string, o organisationEntry, s serviceEntry) {
	c.need(len(s.BFS) > 0, path, "missing", "no municipality is named", "")
	c.need(s.ValidTo == "" || s.ValidFrom <= s.ValidTo, path, "dates", "the time ends before it begins", "")
	for i, bfs := range s.BFS {
		where := path + "." + at("bfs", i)
		m, known := c.municipality(bfs)
		switch {
		case !known:
			c.Report(where, "unknown-municipality", "the number is not among municipalities", "")
		case m.ValidTo != "" && c.known.On != "" && m.ValidTo < c.known.On && (s.ValidTo == "" || s.ValidTo >= c.known.On):
			c.Report(where, "merged-municipality", "the municipality has been merged into another one", fmt.Sprintf("use %d, which old numbers lead to", m.Into))
		default:
			c.claim = append(c.claim, claim{agency: o.Agency, service: service{bfs: bfs, from: s.ValidFrom, to: s.ValidTo}, path: where})
		}
	}
}

func (c *checker) municipality(bfs int) (municipalityEntry, bool) {
	i := slices.IndexFunc(c.file.Municipalities, func(m municipalityEntry) bool { return m.BFS == bfs })
	if i < 0 {
		return municipalityEntry{}, false
	}
	return c.file.Municipalities[i], true
}

// clashes finds municipalities that two organisations of one type serve at the same time.
func (c *checker) clashes() {
	for i, a := range c.claim {
		for _, b := range c.claim[:i] {
			if a.agency == b.agency && (a.anywhere || b.anywhere || a.bfs == b.bfs) && overlap(a.service, b.service) {
				c.Report(a.path, "served-twice", "another organisation of the same type serves it at the same time", "end one of them on the day before the other begins")
				break
			}
		}
	}
}

func overlap(a, b service) bool {
	return (b.to == "" || a.from <= b.to) && (a.to == "" || b.from <= a.to)
}

// gaps lists, for every agency type, the municipalities that nobody serves on some day from the first that counts. It looks at the days on which
// something changes, because nothing changes between them.
func (c *checker) gaps(d *Directory, name string) fault.Findings {
	days := map[handover.Date]bool{c.known.On: true}
	for _, m := range c.file.Municipalities {
		days[m.ValidFrom], days[after(m.ValidTo)] = true, true
	}
	for _, k := range c.claim {
		days[k.from], days[after(k.to)] = true, true
	}
	var found fault.Findings
	for n, a := range c.file.Agencies {
		if !slices.ContainsFunc(c.claim, func(k claim) bool { return k.agency == a.Agency }) {
			path := at("agencies", n)
			found = append(found, fault.Finding{
				File: name, Line: c.Line(path), Path: path, Code: "gap", Text: "no organisation of this agency type serves any municipality", Next: "add serves or everywhere to one",
			})
			continue
		}
		for i, m := range c.file.Municipalities {
			for _, day := range slices.Sorted(maps.Keys(days)) {
				if day < c.known.On || !within(day, m.ValidFrom, m.ValidTo) {
					continue
				}
				if _, err := d.Receiver(a.Agency, m.BFS, day); err != nil {
					path := at("municipalities", i)
					found = append(found, fault.Finding{
						File: name, Line: c.Line(path), Path: path, Code: "gap",
						Text: "nobody of type " + string(a.Agency) + " serves " + m.Name + since(day), Next: "add it to an organisation's serves, or leave it if it is so",
					})
					break
				}
			}
		}
	}
	slices.SortStableFunc(found, func(a, b fault.Finding) int { return cmp.Compare(a.Line, b.Line) })
	return found
}

func since(day handover.Date) string {
	if day == "" {
		return ""
	}
	return " on " + string(day)
}

// after returns the next day; of no day it is no day.
func after(day handover.Date) handover.Date {
	t, err := time.Parse(time.DateOnly, string(day))
	if err != nil {
		return ""
	}
	return handover.Date(t.AddDate(0, 0, 1).Format(time.DateOnly))
}
