package table

import (
	"slices"
	"strings"
)

// form checks which keys of a row stand together.
func (c *compiler) form(r rowSpec) {
	fail := func(text, next string) { c.add(r.Line, r.at, "row-form", text, next) }
	sides := 0
	for _, s := range []string{r.Native, r.Canonical, r.Outside} {
		if s != "" {
			sides++
		}
	}
	fixed := r.Drop || r.Const != ""
	switch {
	case r.Drop && r.Const != "":
		fail("a row is a constant or is dropped, not both", "")
	case fixed && (sides != 1 || r.Outside != "" || r.Rule != ""):
		fail("a constant or dropped row names one path, native or canonical, and no rule", "")
	case !fixed && (sides != 2 || r.Canonical != "" && r.Outside != ""):
		fail("a row names a native path and either a canonical path or an outside value", "use const or drop when one side has nothing")
	case !fixed && r.Rule == "":
		fail("the rule is missing", "add: rule: text, or another rule")
	}
	switch {
	case fixed && r.Because == "":
		c.add(r.Line, r.at, "no-reason", "a constant or dropped row says why", "add: because: ...")
	case r.Drop && r.Optional:
		fail("what is dropped is always optional", "remove optional")
	case (r.Max > 0 || r.Charset != "") && r.Rule != "text":
		fail("max and charset belong to the rule text", "")
	case r.Charset != "" && r.Charset != latin1:
		fail("the charset is not known", "use latin1, or leave it out")
	}
}

// field looks everything up that a row names. A dropped canonical object stands for all values in it.
func (c *compiler) field(f *field, leaves []leafType) []*field {
	if !c.path(f, nativeSide, f.Native, c.format == formatXML) || !c.path(f, canonicalSide, f.Canonical, false) {
		return nil
	}
	if f.Drop && f.Canonical != "" {
		return c.dropped(f, leaves)
	}
	f.class = classOutside
	if f.Canonical != "" {
		i := slices.IndexFunc(leaves, func(l leafType) bool { return l.path == f.Canonical })
		if i < 0 {
			c.add(f.Line, f.at, "unknown-canonical", "the message has no value "+f.Canonical, "see the message's type in package handover")
			return nil
		}
		f.class = leaves[i].class
		c.absence(f, leaves[i])
	}
	c.ruleOf(f)
	c.constantFits(f)
	return []*field{f}
}

func (c *compiler) path(f *field, s side, written string, xml bool) bool {
	if written == "" {
		return true
	}
	p, ok := parsePath(written, xml)
	if !ok {
		c.add(f.Line, f.at, "path", "the path "+written+" is malformed", "names joined by dots, [] after a list")
		return false
	}
	if s == nativeSide && !c.bound(p) {
		c.add(f.Line, f.at, "namespace", "the path "+written+" has a prefix that is not among the namespaces", "add it to namespaces")
		return false
	}
	f.paths[s] = p
	return true
}

// bound reports whether every prefix of a native path stands for a namespace.
func (c *compiler) bound(p path) bool {
	for _, step := range p {
		prefix := prefixOf(strings.TrimPrefix(step.name, "@"))
		if prefix != "" && (prefix == defaultNamespace || c.namespaces.uri(prefix) == "") {
			return false
		}
	}
	return true
}

func (c *compiler) dropped(f *field, leaves []leafType) []*field {
	var fields []*field
	for _, leaf := range leaves {
		if leaf.path != f.Canonical && !strings.HasPrefix(leaf.path, f.Canonical+".") && !strings.HasPrefix(leaf.path, f.Canonical+"[]") {
			continue
		}
		one := *f
		one.Canonical, one.class = leaf.path, leaf.class
		one.paths[canonicalSide], _ = parsePath(leaf.path, false)
		fields = append(fields, &one)
	}
	if fields == nil {
		c.add(f.Line, f.at, "unknown-canonical", "the message has no value "+f.Canonical, "see the message's type in package handover")
	}
	return fields
}

// absence holds a row against what the message may lack: a native value that must be there needs something to be written.
func (c *compiler) absence(f *field, leaf leafType) {
	if f.Row.Optional || f.Because != "" {
		return
	}
	if leaf.optional || leaf.within && f.optional() == nil {
		c.add(f.Line, f.at, "absence", "the message may lack "+leaf.path+", but the row is not optional",
			"add optional: true, or because: ... when a message without it shall be parked")
	}
}

func (c *compiler) ruleOf(f *field) {
	if f.Rule == "" {
		return
	}
	r, known := c.rules[f.Rule]
	switch {
	case !known:
		c.add(f.Line, f.at, "unknown-rule", "the rule "+f.Rule+" is not known", "see the package comment of mapping/table")
		return
	case !r.serves(f.class):
		c.add(f.Line, f.at, "rule-class", "the rule "+f.Rule+" cannot make "+f.Canonical+", which is a "+string(f.class), "use a rule for it")
	case r.list != (f.List != ""):
		c.add(f.Line, f.at, "row-form", "a list stands exactly with the rules code, code-int and bool-code", "")
	case f.paths[nativeSide].lists() != f.paths[canonicalSide].lists() && f.class != classOutside:
		c.add(f.Line, f.at, "list-mismatch", "the two paths go through a different number of lists", "")
	}
	f.rule = r
	if f.List != "" {
		f.codes = c.list(f)
	}
}

func (c *compiler) list(f *field) []Code {
	c.used["codes."+f.List] = true
	for _, l := range c.lists {
		if l.name != f.List {
			continue
		}
		if f.Rule == "bool-code" && !isBoolList(l.codes) {
			c.add(f.Line, f.at, "list-code", "the list of a bool-code has exactly the codes TRUE and FALSE", "")
		}
		return l.codes
	}
	c.add(f.Line, f.at, "unknown-list", "the code list "+f.List+" is not defined under codes", "define it, or correct the name")
	return nil
}

func isBoolList(codes []Code) bool {
	return len(codes) == 2 && (codes[0].Canonical == "TRUE" && codes[1].Canonical == "FALSE" || codes[0].Canonical == "FALSE" && codes[1].Canonical == "TRUE")
}

// constantFits refuses constants that the side they are written to cannot hold.
func (c *compiler) constantFits(f *field) {
	if f.constant == nil {
		return
	}
	_, bad := plainInt(f, f.constant.text)
	wrong := f.constant.kind == number && bad != nil || f.constant.kind == boolean && f.constant.text != "true" && f.constant.text != "false"
	if f.Canonical != "" {
		wrong = wrong || f.class.canonicalKind() != f.constant.kind || f.paths[canonicalSide].lists() > 0 ||
			f.class != classText && f.class != classCode && f.constant.kind == text
	}
	if f.format == formatXML && f.Native != "" {
		f.constant.kind = text
	}
	if wrong {
		c.add(f.Line, f.at, "const", "the constant does not fit the place that it is written to", "quote a text, write numbers plainly; no constant stands in a canonical list")
	}
}
