package mappingtest

import (
	"strings"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/mapping/table"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// comesBack tries every kind of payload. The message must be the same to the last byte, in its sender and its action too.
func comesBack(t T, s Subject, name handover.Name) {
	m := s.mapper()
	rapid.Check(t, func(t *rapid.T) {
		p := s.fit(Payload(name, s.Table).Draw(t, "payload"))
		e := s.written(t, p)
		require.Equal(t, s.Table.KindOf(name), e.Kind)
		require.Equal(t, placement(name).Reference, e.Reference)
		again := s.written(t, p)
		require.Equal(t, e, again, "every attempt to write a message gives the same bytes")
		draft, err := m.ToHandover(record(e))
		require.NoError(t, err)
		require.Equal(t, encode(t, p), encode(t, draft.Payload))
		require.Equal(t, assigning, draft.Sender)
		require.Equal(t, handover.ActionNew, draft.Action)
		require.False(t, draft.Test)
	})
}

// arrivesWhole tries texts at their limits, and one character more where the table has a limit.
func arrivesWhole(t T, s Subject, name handover.Name) {
	p := s.fit(Longest(name, s.Table).Example(1))
	e := s.written(t, p)
	draft, err := s.mapper().ToHandover(record(e))
	require.NoError(t, err)
	require.Equal(t, encode(t, p), encode(t, draft.Payload))
	for _, r := range s.Table.Rows(name) {
		if r.Max > 0 {
			body := s.changed(t, e.Body, func(d document) error { return d.set(r.Native, strings.Repeat("x", r.Max+1), true) })
			_, err := read(s.mapper(), e, body)
			require.Contains(t, found(err), "too-long at "+firstItem(r.Native))
		}
	}
}

// reportsUnknownFields puts a field into every object of a content that says everything.
func reportsUnknownFields(t T, s Subject, name handover.Name) {
	e := s.full(t, name)
	doc, err := open(s.Table.Format(), s.Table.Namespaces(), e.Body)
	require.NoError(t, err)
	require.Positive(t, doc.objects())
	for i := range doc.objects() {
		body := s.changed(t, e.Body, func(d document) error { d.add(i); return nil })
		_, err := read(s.mapper(), e, body)
		require.Error(t, err, "an unknown field vanished: %s", body)
		require.Equal(t, fault.Park, fault.KindOf(err))
		require.Contains(t, []string{"unknown-field", "not-a-value", "mixed-content"}, fault.CodeOf(err))
	}
}

// full is what the mapping writes for a payload that says everything.
func (s Subject) full(t T, name handover.Name) native.Entry {
	t.Helper()
	return s.written(t, s.fit(Full(name, s.Table).Example(1)))
}

func reportsUnknownCodes(t T, s Subject, name handover.Name) {
	p := s.fit(Full(name, s.Table).Example(1))
	e := s.written(t, p)
	for _, r := range s.Table.Rows(name) {
		if r.List == "" {
			continue
		}
		body := s.changed(t, e.Body, func(d document) error {
			if unquoted(r) {
				return d.set(r.Native, "987654321", false)
			}
			return d.set(r.Native, "?", true)
		})
		_, err := read(s.mapper(), e, body)
		require.Contains(t, found(err), "unknown-code at "+firstItem(r.Native))
		if r.Canonical != "" && r.Rule != "bool-code" {
			_, err := s.mapper().FromHandover(message(altered(t, p, r.Canonical, "NO_SUCH_CODE")), placement(name))
			require.Contains(t, found(err), "unknown-code at "+firstItem(r.Canonical))
		}
	}
}

// altered returns a payload with another value at a canonical path.
func altered(t T, p handover.Payload, path, value string) handover.Payload {
	t.Helper()
	doc, err := open("json", nil, []byte(encode(t, p)))
	require.NoError(t, err)
	require.NoError(t, doc.set(path, value, true))
	b, err := doc.bytes()
	require.NoError(t, err)
	changed, err := handover.DecodePayload(p.Name(), b)
	require.NoError(t, err)
	return changed
}

// holdsNoValue puts a marked value at every place, which most rules refuse, and looks for it in the errors.
func holdsNoValue(t T, s Subject, name handover.Name) {
	const canary = "Canary-Müster"
	p := s.fit(Full(name, s.Table).Example(1))
	e := s.written(t, p)
	for _, r := range s.Table.Rows(name) {
		if r.Native != "" {
			body := s.changed(t, e.Body, func(d document) error { return d.set(r.Native, canary, true) })
			_, err := read(s.mapper(), e, body)
			require.False(t, err != nil && strings.Contains(err.Error(), "Canary"), "the error for %s holds the value", r.Native)
		}
		if r.Rule == "text" && r.Max > 0 && r.Canonical != "" {
			_, err := s.mapper().FromHandover(message(altered(t, p, r.Canonical, strings.Repeat(canary, r.Max))), placement(name))
			require.Error(t, err)
			require.NotContains(t, err.Error(), "Canary", "the error for %s holds the value", r.Canonical)
		}
	}
}

// unquoted reports whether JSON writes a row's native value without quotes.
func unquoted(r table.Row) bool {
	switch r.Rule {
	case "int", "text-int", "code-int", "bool", "ahv-int", "amount-number":
		return true
	}
	return false
}
