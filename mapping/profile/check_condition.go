package profile

import (
	"slices"

	"github.com/einmal-hub/einmal/contracts/handover"
)

// conditions checks a condition and everything in it: one form each, facts that exist, codes that the fact can have.
func conditions[T any](e *edition, p placed[T], path string, c Condition) {
	for i, part := range c.All {
		conditions(e, p, index(path+".all", i), part)
	}
	for i, part := range c.Any {
		conditions(e, p, index(path+".any", i), part)
	}
	if c.Not != nil {
		conditions(e, p, path+".not", *c.Not)
	}
	forms := count(c.All != nil, c.Any != nil, c.Not != nil, c.Fact != "")
	comparisons := count(c.Is != "", c.In != nil, c.Has != "", c.AtLeast != nil, c.AtMost != nil, c.Before != nil, c.After != nil)
	empty := c.All != nil && len(c.All) == 0 || c.Any != nil && len(c.Any) == 0 || c.In != nil && len(c.In) == 0
	switch {
	case forms > 1, empty, c.Fact == "" && comparisons > 0, c.Fact != "" && comparisons != 1:
		p.report(path, "condition", "a condition is all, any, not, or one fact with one comparison", "see the comment of package profile")
	case c.Fact != "":
		comparison(e, p, path, c)
	}
}

func count(there ...bool) int {
	n := 0
	for _, t := range there {
		if t {
			n++
		}
	}
	return n
}

// comparison checks that the fact exists, that the comparison is one for its kind, and that its codes can occur.
func comparison[T any](e *edition, p placed[T], path string, c Condition) {
	t, known := e.types[c.Fact]
	if !known {
		p.report(path, "unknown-fact", "the version "+e.Name+" knows no such fact", "add an item or a setting, or correct the name")
		return
	}
	kinds := map[kind]bool{
		codeFact: c.Is != "" || c.In != nil, setFact: c.Has != "", numberFact: c.AtLeast != nil || c.AtMost != nil, dateFact: c.Before != nil || c.After != nil,
	}
	need(p, path, kinds[t.kind], "condition", "the comparison is not one for this kind of fact")
	for _, code := range append(slices.Clone(c.In), c.Is, c.Has) {
		need(p, path, code == "" || e.possible(t, code), "unknown-code", "the fact can never have this code in the version "+e.Name)
	}
	for _, d := range []*Day{c.Before, c.After} {
		if d == nil {
			continue
		}
		need(p, path, (d.Date == "") != (d.Fact == ""), "condition", "a day is a date or a fact")
		need(p, path, d.Fact == "" || e.types[d.Fact].kind == dateFact, "unknown-fact", "the version "+e.Name+" knows no such fact, or it is no day")
	}
}

// possible reports whether a fact can have a code. A setting's other values stand in other versions.
func (e *edition) possible(t factType, code handover.Code) bool {
	switch {
	case t.list != "":
		return e.Knows(t.list, code)
	case t.codes != nil:
		return slices.Contains(t.codes, code)
	default:
		return codeKey(code) != ""
	}
}
