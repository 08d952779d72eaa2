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

// needsEveryRow takes each row out of the table that the message has, alone or through a group. Without it either the table cannot be loaded, or
// a content that holds the field is no longer read.
func needsEveryRow(t T, s Subject, name handover.Name) {
	file, source := s.Table.Source()
	tried := 0
	_, all := places(t, source, name)
	for removed := range all {
		reduced, err := table.Load(file, without(t, source, name, removed))
		tried++
		if err != nil {
			require.Equal(t, fault.Stop, fault.KindOf(err))
			continue
		}
		s.misses(t, reduced, name)
	}
	require.Positive(t, tried)
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
		_, err := read(s.mapper(), e, body)
		require.NoError(t, err, "the whole table reads %s", r.Native)
		_, err = read(s.with(reduced), e, body)
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

// without returns the table without one of the rows that the message has.
func without(t T, source []byte, name handover.Name, row int) []byte {
	doc, places := places(t, source, name)
	p := places[row]
	p.sequence.Content = slices.Delete(p.sequence.Content, p.item, p.item+1)
	b, err := yaml.Marshal(doc)
	require.NoError(t, err)
	return b
}

// places parses a table and finds the rows of a message and of every group that it includes.
func places(t T, source []byte, name handover.Name) (*yaml.Node, []place) {
	t.Helper()
	var doc yaml.Node
	require.NoError(t, yaml.Unmarshal(source, &doc))
	root := doc.Content[0]
	var found []place
	seen := map[*yaml.Node]bool{}
	var walk func(*yaml.Node)
	walk = func(sequence *yaml.Node) {
		if sequence == nil || seen[sequence] {
			return
		}
		seen[sequence] = true
		for i, row := range sequence.Content {
			found = append(found, place{sequence: sequence, item: i})
			if group := value(row, "include"); group != nil {
				walk(value(value(root, "fields"), group.Value))
			}
		}
	}
	walk(value(value(value(root, "messages"), string(name)), "fields"))
	return &doc, found
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
