package table

import (
	"slices"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/mapping"
)

// WithCodes returns the table with other code lists: the fields of a native system stay, and the words that stand in them are those of another jurisdiction or of one
// installation. data is YAML with nothing but the key "codes" as in a table; each list in it replaces the table's list of that name as a whole, and the others stay. file is the name
// that findings carry. The error is a [fault.Error] of kind Stop with all findings, each with its line.
func (t *Table) WithCodes(file string, data []byte) (*Table, error) {
	s := &source{file: file}
	var lists []listSpec
	if root := s.document(data); root != nil {
		for _, e := range s.mapping(root, "", "codes") {
			lists = s.readLists(e.value)
		}
		if len(lists) == 0 {
			s.add(root.Line, "codes", "missing-key", "the file replaces no code list", "add codes: {LIST: {CODE: native code}}")
		}
	}
	for _, l := range lists {
		t.fits(s, l)
	}
	if len(s.findings) > 0 {
		return nil, loadFault(s.findings)
	}
	return load(t.file, t.source, append(slices.Clone(t.replaced), lists...))
}

// fits reports what keeps a list from taking the place of the table's.
func (t *Table) fits(s *source, l listSpec) {
	at := join("codes", l.name)
	if t.Codes(l.name) == nil {
		s.add(l.line, at, "unknown-list", "the table of "+t.system+" has no code list of this name", "see its page FIELDS.md for the names")
		return
	}
	if len(l.codes) == 0 {
		s.add(l.line, at, "list-code", "the list has no code", "leave it out to keep the table's")
	}
	for _, m := range t.messages {
		for _, f := range m.fields {
			if f.List != l.name {
				continue
			}
			if f.Rule == "bool-code" && !isBoolList(l.codes) {
				s.add(l.line, at, "list-code", "the list of a bool-code has exactly the codes TRUE and FALSE", "")
			}
			if f.Rule == "code-int" && slices.ContainsFunc(l.codes, isNoInt) {
				s.add(l.line, at, "list-code", "the native codes of this list are whole numbers in plain digits", "")
			}
		}
	}
}

func isNoInt(c Code) bool {
	_, bad := plainInt(nil, c.Native)
	return bad != nil
}

// replace puts a list into the place of the one with its name.
func (s *spec) replace(l listSpec) {
	for i := range s.lists {
		if s.lists[i].name == l.name {
			l.line = s.lists[i].line
			s.lists[i] = l
		}
	}
}

// Recode is [Table.WithCodes] for a mapping that is made of a table: with makes it.
func (t *Table) Recode(file string, data []byte, with func(*Table) mapping.Mapper) (mapping.Mapper, error) {
	other, err := t.WithCodes(file, data)
	if err != nil {
		return nil, err
	}
	return with(other), nil
}

// CodesAt returns the canonical codes of the list at a place of a message, which is a canonical path or the name of an outside value. It reports false when no row has a list there.
func (t *Table) CodesAt(n handover.Name, path string) ([]handover.Code, bool) {
	for _, r := range t.Rows(n) {
		if r.List == "" || path == "" || r.Canonical != path && r.Outside != path {
			continue
		}
		var codes []handover.Code
		for _, c := range t.Codes(r.List) {
			codes = append(codes, c.Canonical)
		}
		return codes, true
	}
	return nil, false
}
