package mappingtest

import (
	"slices"
	"strings"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/mapping/table"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// needsEveryRow takes each row out of the table that the message has, alone or through a group of which it is the first user. Without it either the table cannot be loaded, or
// a content that holds the field is no longer read.
func needsEveryRow(t T, s Subject, name handover.Name) {
	file, source := s.Table.Source()
	tried := 0
	doc, all := places(t, source, name)
	before := s.usedBefore(t, name)
	for _, row := range all {
		if before[groupOf(doc.Content[0], row.sequence)] {
			continue
		}
		reduced, err := table.Load(file, without(t, doc, name, row))
		tried++
		if err != nil {
			require.Equal(t, fault.Stop, fault.KindOf(err))
			continue
		}
		s.misses(t, reduced, name)
	}
	require.Positive(t, tried)
}

// usedBefore returns the groups that earlier messages of the catalogue include.
func (s Subject) usedBefore(t T, name handover.Name) map[string]bool {
	_, source := s.Table.Source()
	doc, _ := places(t, source, name)
	used := map[string]bool{}
	for _, earlier := range s.Table.Names() {
		if earlier == name {
			break
		}
		walkRows(doc.Content[0], earlier, func(_ *yaml.Node, _ int, row *yaml.Node) { used[text(row, "include")] = true })
	}
	delete(used, "")
	return used
}

// groupOf returns the name of the group that a sequence of rows is, or "".
func groupOf(root, sequence *yaml.Node) string {
	groups := value(root, "fields")
	for i := 0; groups != nil && i+1 < len(groups.Content); i += 2 {
		if groups.Content[i+1] == sequence {
			return groups.Content[i].Value
		}
	}
	return ""
}

// misses demands that a table with a row less cannot read a content with its field.
func (s Subject) misses(t T, reduced *table.Table, name handover.Name) {
	e := s.full(t, name)
	some := false
	for _, r := range s.Table.Rows(name) {
		if slices.ContainsFunc(reduced.Rows(name), func(left table.Row) bool { return left.Native == r.Native && left.Canonical == r.Canonical }) {
			continue
		}
		some = true
		body := s.changed(t, e.Body, func(d document) error {
			if d.has(r.Native) {
				return nil
			}
			return d.set(r.Native, sample(s.Table, r), !unquoted(r))
		})
		_, err := s.read(s.mapper(), e, body)
		require.NoError(t, err, "the whole table reads %s", r.Native)
		_, err = s.read(s.with(reduced), e, body)
		require.True(t, slices.ContainsFunc(found(err), func(f string) bool { return strings.HasPrefix(f, "unknown-field at ") }),
			"%s vanishes without its row", r.Native)
	}
	require.True(t, some, "a row of the table has no effect on the message")
}

// sample is a value that a row's rule reads.
func sample(t *table.Table, r table.Row) string {
	switch {
	case r.Const != "":
		return r.Const
	case r.List != "":
		return t.Codes(r.List)[0].Native
	}
	if value := map[string]string{
		"date": "2026-03-01", "date-dmy": "01.03.2026", "date-compact": "20260301", "instant": "2026-03-01T09:30:00+01:00", "instant-local": "01.03.2026 09:30",
		"int": "1", "int-text": "1", "text-int": "1", "bool": "true", "bool-ja": "J", "amount": "1.00", "amount-number": "1.00",
		"ahv": "7569217076985", "ahv-int": "7569217076985", "ahv-dotted": "756.9217.0769.85",
	}[r.Rule]; value != "" {
		return value
	}
	return "x"
}

// place is one row in the YAML of a table.
type place struct {
	sequence *yaml.Node
	item     int
}

// without returns the table of one message without one of its rows. Other messages are left out, because their rows would be loaded again
// for every row of this one. The document is the same afterwards.
func without(t T, doc *yaml.Node, name handover.Name, p place) []byte {
	t.Helper()
	root := doc.Content[0]
	for _, n := range []*yaml.Node{p.sequence, value(root, "messages"), value(root, "fields"), value(root, "codes")} {
		if n != nil {
			content := n.Content
			defer func() { n.Content = content }()
		}
	}
	p.sequence.Content = slices.Delete(slices.Clone(p.sequence.Content), p.item, p.item+1)
	keep(value(root, "messages"), func(key string) bool { return key == string(name) })
	groups, lists := map[string]bool{}, map[string]bool{}
	walkRows(root, name, func(_ *yaml.Node, _ int, row *yaml.Node) {
		groups[text(row, "include")], lists[text(row, "list")] = true, true
	})
	keep(value(root, "fields"), func(key string) bool { return groups[key] })
	keep(value(root, "codes"), func(key string) bool { return lists[key] })
	b, err := yaml.Marshal(doc)
	require.NoError(t, err)
	return b
}

// places parses a table and finds the rows of a message and of every group that it includes.
func places(t T, source []byte, name handover.Name) (*yaml.Node, []place) {
	t.Helper()
	var doc yaml.Node
	require.NoError(t, yaml.Unmarshal(source, &doc))
	var found []place
	walkRows(doc.Content[0], name, func(sequence *yaml.Node, i int, _ *yaml.Node) {
		found = append(found, place{sequence: sequence, item: i})
	})
	return &doc, found
}

// walkRows visits every row of a message and of the groups that it includes, each group once.
func walkRows(root *yaml.Node, name handover.Name, visit func(sequence *yaml.Node, i int, row *yaml.Node)) {
	seen := map[*yaml.Node]bool{}
	var walk func(*yaml.Node)
	walk = func(sequence *yaml.Node) {
		if sequence == nil || seen[sequence] {
			return
		}
		seen[sequence] = true
		for i, row := range sequence.Content {
			visit(sequence, i, row)
			if group := text(row, "include"); group != "" {
				walk(value(value(root, "fields"), group))
			}
		}
	}
	walk(value(value(value(root, "messages"), string(name)), "fields"))
}

// keep removes the other entries of a mapping.
func keep(mapping *yaml.Node, wanted func(key string) bool) {
	if mapping == nil {
		return
	}
	var kept []*yaml.Node
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if wanted(mapping.Content[i].Value) {
			kept = append(kept, mapping.Content[i], mapping.Content[i+1])
		}
	}
	mapping.Content = kept
}

func value(mapping *yaml.Node, key string) *yaml.Node {
	if mapping == nil {
		return nil
	}
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == key {
			return mapping.Content[i+1]
		}
	}
	return nil
}

func text(mapping *yaml.Node, key string) string {
	if v := value(mapping, key); v != nil {
		return v.Value
	}
	return ""
}
