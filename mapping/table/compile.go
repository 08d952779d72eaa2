package table

import (
	"slices"
	"time"

	"github.com/einmal-hub/einmal/contracts/handover"
)

// compiler turns a spec into messages and reports everything that is wrong with it.
type compiler struct {
	*source
	spec
	rules  map[string]rule
	zone   *time.Location
	used   map[string]bool // "codes.NAME" and "fields.NAME"
	kinds  map[string]bool
	result map[handover.Name]*message
}

func (c *compiler) compile() {
	for _, m := range c.messages {
		payload := payloadOf(m.name)
		at := join("messages", string(m.name))
		switch {
		case payload == nil:
			c.add(m.line, at, "unknown-message", "the message is not in the catalogue", "see the catalogue of package handover")
			continue
		case c.kinds[m.kind]:
			c.add(m.line, join(at, "kind"), "repeated-kind", "another message has this native kind", "give each message its own kind")
		}
		c.kinds[m.kind] = true
		c.checkRoot(m, at)
		c.result[m.name] = c.message(m, payload)
	}
	c.unused()
}

func payloadOf(n handover.Name) handover.Payload {
	for _, p := range handover.Catalogue() {
		if p.Name() == n {
			return p
		}
	}
	return nil
}

func (c *compiler) checkRoot(m messageSpec, at string) {
	switch {
	case c.format == formatJSON && m.root != "":
		c.add(m.line, join(at, "root"), "unknown-key", "a JSON object has no name", "remove the root")
	case c.format == formatXML:
		p, ok := parsePath(m.root, true)
		if !ok || len(p) != 1 || p[0].list || m.root[0] == '@' || !c.bound(p) {
			c.add(m.line, join(at, "root"), "root", "the root element is missing or malformed", "add: root: PREFIX:NAME, with a prefix of the namespaces")
		}
	}
}

func (c *compiler) unused() {
	for _, l := range c.lists {
		if !c.used["codes."+l.name] {
			c.add(l.line, "codes."+l.name, "unused", "no row uses this code list", "remove it")
		}
	}
	for _, g := range c.groups {
		if !c.used["fields."+g.name] {
			c.add(g.line, "fields."+g.name, "unused", "no message includes this group", "remove it")
		}
	}
}

func (c *compiler) message(spec messageSpec, payload handover.Payload) *message {
	m := &message{name: spec.name, kind: spec.kind, root: spec.root, shapes: [2]*shape{{}, {}}}
	leaves := schema(payload)
	for _, f := range c.expand(spec.rows, rowSpec{}, nil, nil) {
		for _, one := range c.field(f, leaves) {
			m.fields = append(m.fields, one)
			c.place(m, one)
		}
	}
	c.coverage(m, leaves, spec)
	return m
}

// expand resolves groups. outer is the row that includes these rows.
func (c *compiler) expand(rows []rowSpec, outer rowSpec, uses []*use, within []string) []*field {
	var fields []*field
	for _, r := range rows {
		if r.include == "" {
			c.form(r)
		}
		r.Native, r.Canonical = prefixed(outer.Native, r.Native), prefixed(outer.Canonical, r.Canonical)
		if r.include == "" {
			fields = append(fields, &field{Row: r.Row, at: r.at, uses: uses, format: c.format, zone: c.zone, constant: constantOf(r)})
			continue
		}
		fields = append(fields, c.include(r, outer, uses, within)...)
	}
	return fields
}

// prefixed joins a path to the path of its group; a row without a path on a side gets none from the group.
func prefixed(group, own string) string {
	if own == "" {
		return ""
	}
	return join(group, own)
}

func (c *compiler) include(r, outer rowSpec, uses []*use, within []string) []*field {
	i := slices.IndexFunc(c.groups, func(g groupSpec) bool { return g.name == r.include })
	switch {
	case i < 0:
		c.add(r.Line, r.at, "unknown-group", "the group is not defined under fields", "define it, or correct the name")
		return nil
	case slices.Contains(within, r.include):
		c.add(r.Line, r.at, "cyclic-group", "the group includes itself", "")
		return nil
	case r.Rule != "" || r.Const != "" || r.Drop || r.Outside != "" || r.Max > 0 || r.List != "":
		c.add(r.Line, r.at, "row-form", "an include has nothing but native, canonical and optional", "")
	}
	c.used["fields."+r.include] = true
	if r.Native == "" {
		r.Native = outer.Native
	}
	if r.Canonical == "" {
		r.Canonical = outer.Canonical
	}
	p, _ := parsePath(r.Native, c.format == formatXML)
	u := &use{optional: r.Optional, lists: p.lists()}
	return c.expand(c.groups[i].rows, r, append(slices.Clone(uses), u), append(slices.Clone(within), r.include))
}

func constantOf(r rowSpec) *node {
	if r.Const == "" {
		return nil
	}
	return &node{kind: r.constKind, text: r.Const}
}

// place puts a field into the trees of both sides.
func (c *compiler) place(m *message, f *field) {
	for s, shape := range m.shapes {
		if !f.stands(side(s)) {
			continue
		}
		p := f.paths[s]
		switch shape.add(f, p, c.format == formatXML && side(s) == nativeSide) {
		case clashRepeated:
			c.add(f.Line, f.at, "repeated-path", "another row has the path "+p.String(), "remove one of the two")
		case clashConflict:
			c.add(f.Line, f.at, "path-conflict", "the path "+p.String()+" is a value in one row and holds values in another, or a list in only one of them", "")
		case clashScattered:
			c.add(f.Line, f.at, "scattered", "the rows of one element do not stand together: "+p.String(), "move this row to the others; elements are written in the order of the rows")
		}
	}
}

// coverage reports every value of the payload that no row names (I4).
func (c *compiler) coverage(m *message, leaves []leafType, spec messageSpec) {
	for _, leaf := range leaves {
		if !slices.ContainsFunc(m.fields, func(f *field) bool { return f.Canonical == leaf.path }) {
			c.add(spec.line, join("messages", string(m.name)), "unmapped", "no row names the value "+leaf.path+" of the message",
				"map it, or drop it on purpose: {canonical: "+leaf.path+", drop: true, because: ...}")
		}
	}
}
