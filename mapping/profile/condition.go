package profile

import (
	"slices"
	"time"

	"github.com/einmal-hub/einmal/contracts/handover"
)

// Condition is all, any, not, or one comparison of a fact; see the package comment. The zero value always holds.
type Condition struct {
	All []Condition `yaml:"all"`
	Any []Condition `yaml:"any"`
	Not *Condition  `yaml:"not"`

	Fact    handover.Code   `yaml:"fact"`
	Is      handover.Code   `yaml:"is"`
	In      []handover.Code `yaml:"in"`
	Has     handover.Code   `yaml:"has"`
	AtLeast *int            `yaml:"atLeast"`
	AtMost  *int            `yaml:"atMost"`
	Before  *Day            `yaml:"before"`
	After   *Day            `yaml:"after"`
}

// Day is a fixed day, or another fact's day moved by months. A month later than the 31st is the last day of a shorter month.
type Day struct {
	Date   handover.Date `yaml:"date"`
	Fact   handover.Code `yaml:"fact"`
	Months int           `yaml:"months"`
}

// truth is what is known of a condition.
type truth uint8

const (
	no truth = iota
	unknown
	yes
)

func truthOf(b bool) truth {
	if b {
		return yes
	}
	return no
}

// value is what is known of a fact: codes, a number or a day, by the fact's kind.
type value struct {
	codes  []handover.Code
	number int
	day    handover.Date
}

// facts holds everything that is known; what is missing is unknown.
type facts map[handover.Code]value

// zero reports whether nothing is said.
func (c Condition) zero() bool {
	return c.All == nil && c.Any == nil && c.Not == nil && c.Fact == ""
}

// eval returns what is known of the condition, and the facts that would settle it when it is unknown.
func (c Condition) eval(f facts) (truth, []handover.Code) {
	switch {
	case c.zero():
		return yes, nil
	case c.All != nil:
		return several(c.All, f, no)
	case c.Any != nil:
		return several(c.Any, f, yes)
	case c.Not != nil:
		t, missing := c.Not.eval(f)
		return yes - t, missing
	}
	return c.compare(f)
}

// several evaluates a list of which one member with the value settles decides all.
func several(list []Condition, f facts, settles truth) (truth, []handover.Code) {
	result := yes - settles
	var missing []handover.Code
	for _, c := range list {
		t, m := c.eval(f)
		switch t {
		case settles:
			return settles, nil
		case unknown:
			result, missing = unknown, union(missing, m)
		}
	}
	return result, missing
}

func union(a, b []handover.Code) []handover.Code {
	for _, c := range b {
		if !slices.Contains(a, c) {
			a = append(a, c)
		}
	}
	return a
}

func (c Condition) compare(f facts) (truth, []handover.Code) {
	v, known := f[c.Fact]
	if !known {
		return unknown, []handover.Code{c.Fact}
	}
	switch {
	case c.Is != "":
		return truthOf(slices.Contains(v.codes, c.Is)), nil
	case c.Has != "":
		return truthOf(slices.Contains(v.codes, c.Has)), nil
	case c.In != nil:
		return truthOf(slices.ContainsFunc(v.codes, func(code handover.Code) bool { return slices.Contains(c.In, code) })), nil
	case c.AtLeast != nil:
		return truthOf(v.number >= *c.AtLeast), nil
	case c.AtMost != nil:
		return truthOf(v.number <= *c.AtMost), nil
	case c.Before != nil:
		return c.Before.against(f, func(day handover.Date) bool { return v.day < day })
	default:
		return c.After.against(f, func(day handover.Date) bool { return v.day > day })
	}
}

// against compares with the day, once it is known.
func (d *Day) against(f facts, holds func(handover.Date) bool) (truth, []handover.Code) {
	day := d.Date
	if d.Fact != "" {
		v, known := f[d.Fact]
		if !known {
			return unknown, []handover.Code{d.Fact}
		}
		day = v.day
	}
	return truthOf(holds(moved(day, d.Months))), nil
}

// moved returns a day some months later; it stays in the month that is meant.
func moved(day handover.Date, months int) handover.Date {
	t, err := time.Parse(time.DateOnly, string(day))
	if err != nil {
		return day
	}
	first := time.Date(t.Year(), t.Month()+time.Month(months), 1, 0, 0, 0, 0, time.UTC)
	last := first.AddDate(0, 1, -1).Day()
	return handover.Date(first.AddDate(0, 0, min(t.Day(), last)-1).Format(time.DateOnly))
}

// reads lists every fact that the condition looks at.
func (c Condition) reads() []handover.Code {
	var all []handover.Code
	for _, part := range append(slices.Clone(c.All), c.Any...) {
		all = union(all, part.reads())
	}
	if c.Not != nil {
		all = union(all, c.Not.reads())
	}
	if c.Fact != "" {
		all = union(all, []handover.Code{c.Fact})
	}
	for _, d := range []*Day{c.Before, c.After} {
		if d != nil && d.Fact != "" {
			all = union(all, []handover.Code{d.Fact})
		}
	}
	return all
}
