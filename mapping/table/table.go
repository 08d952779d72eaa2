package table

import (
	"slices"
	"time"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
)

// Table is the checked mapping table of one native system. It never changes and may be used concurrently.
type Table struct {
	system     string
	file       string
	source     []byte
	format     string
	namespaces namespaces
	lists      []listSpec
	replaced   []listSpec // those of lists that are not the file's
	messages   map[handover.Name]*message
}

// Outside holds values that stand in the native document but not in the payload, such as the header fields of eCH-0058: they are read from
// and written from the envelope by the mapping of that system. Keys are the names in the table.
type Outside map[string][]string

// Get returns the first value of that name, or "".
func (o Outside) Get(name string) string {
	if len(o[name]) == 0 {
		return ""
	}
	return o[name][0]
}

// Load reads and checks a table. file is the name that findings carry. It fails with a [fault.Error] of kind Stop that holds all findings
// as [fault.Findings], each with its line.
func Load(file string, data []byte) (*Table, error) { return load(file, data, nil) }

// load is Load with code lists that replace those of the file.
func load(file string, data []byte, codes []listSpec) (*Table, error) {
	zone, err := time.LoadLocation(localZone)
	if err != nil {
		return nil, fault.Wrap(fault.Stop, "mapping.load", err)
	}
	s := &source{file: file}
	root := s.document(data)
	if root == nil {
		return nil, loadFault(s.findings)
	}
	byName := map[string]rule{}
	for _, r := range rules() {
		byName[r.name] = r
	}
	written := s.spec(root)
	for _, l := range codes {
		written.replace(l)
	}
	c := &compiler{
		source: s, spec: written, rules: byName, zone: zone,
		used: map[string]bool{}, kinds: map[string]bool{}, result: map[handover.Name]*message{},
	}
	c.compile()
	if len(s.findings) > 0 {
		return nil, loadFault(s.findings)
	}
	return &Table{
		system: c.system, file: file, source: data, format: c.format, namespaces: c.namespaces, lists: c.lists, replaced: codes, messages: c.result,
	}, nil
}

// loadFault reports the findings in the order of the file, each once: a group is checked with every message that includes it.
func loadFault(findings fault.Findings) error {
	seen := map[fault.Finding]bool{}
	findings = slices.DeleteFunc(findings, func(f fault.Finding) bool {
		again := seen[f]
		seen[f] = true
		return again
	})
	slices.SortStableFunc(findings, func(a, b fault.Finding) int { return a.Line - b.Line })
	return fault.New(fault.Stop, "mapping.load", "mapping-table", "the mapping table is wrong").Because(findings)
}

// System returns the name of the system that the table is for.
func (t *Table) System() string { return t.system }

// Format returns "json" or "xml".
func (t *Table) Format() string { return t.format }

// Namespaces returns the namespaces by their prefixes, "default" for names without one; none for JSON.
func (t *Table) Namespaces() map[string]string {
	all := map[string]string{}
	for _, n := range t.namespaces {
		all[n.prefix] = n.uri
	}
	return all
}

// Source returns the file name and the YAML that the table was loaded from.
func (t *Table) Source() (file string, data []byte) { return t.file, t.source }

// Names returns the messages that the table has, in the order of the catalogue.
func (t *Table) Names() []handover.Name {
	var names []handover.Name
	for _, p := range handover.Catalogue() {
		if t.messages[p.Name()] != nil {
			names = append(names, p.Name())
		}
	}
	return names
}

// Kinds returns the native kinds, in the order of the catalogue.
func (t *Table) Kinds() []native.Kind {
	var kinds []native.Kind
	for _, n := range t.Names() {
		kinds = append(kinds, native.Kind(t.messages[n].kind))
	}
	return kinds
}

// KindOf returns the native kind of a message, or "".
func (t *Table) KindOf(n handover.Name) native.Kind {
	if m := t.messages[n]; m != nil {
		return native.Kind(m.kind)
	}
	return ""
}

// NameOf returns the message of a native kind, or "".
func (t *Table) NameOf(k native.Kind) handover.Name {
	for name, m := range t.messages {
		if m.kind == string(k) {
			return name
		}
	}
	return ""
}

// Rows returns the rows of a message with every group resolved, in their order.
func (t *Table) Rows(n handover.Name) []Row {
	var rows []Row
	if m := t.messages[n]; m != nil {
		for _, f := range m.fields {
			rows = append(rows, f.Row)
		}
	}
	return rows
}

// Codes returns a code list in its order, or nil.
func (t *Table) Codes(list string) []Code {
	for _, l := range t.lists {
		if l.name == list {
			return append([]Code(nil), l.codes...)
		}
	}
	return nil
}
