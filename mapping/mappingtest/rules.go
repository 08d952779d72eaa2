package mappingtest

import (
	"strings"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/mapping"
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
		require.Equal(t, handover.DocumentsOf(p), e.Documents, "the gateway stores what the entry lists")
		require.Empty(t, string(e.Action)+string(e.Refers), "a new entry is about no earlier one")
		again := s.written(t, p)
		require.Equal(t, e, again, "every attempt to write a message gives the same bytes")
		draft, err := m.ToHandover(s.record(e))
		require.NoError(t, err)
		require.Equal(t, encode(t, p), encode(t, draft.Payload))
		requireSender(t, name, draft)
		require.Equal(t, handover.ActionNew, draft.Action)
		require.Empty(t, draft.References)
		require.False(t, draft.Test)
	})
}

// requireSender: what einmal itself says has no clerk, and a system may tell that from the frame or not.
func requireSender(t T, name handover.Name, draft mapping.Draft) {
	t.Helper()
	require.True(t, draft.Sender == assigning || isChecked(name) && draft.Sender == handover.Gateway, "the sender is %s", draft.Sender)
}

// revises writes recalls and corrections of an earlier entry, as the gateway would, and reads them as if a clerk had entered them. The earlier entry may be named by its record or by its
// reference, whichever the system knows it by.
func revises(t T, s Subject, name handover.Name) {
	p := s.fit(Full(name, s.Table).Example(1))
	fresh := s.written(t, p)
	for _, action := range []handover.Action{handover.ActionRecall, handover.ActionCorrection} {
		m, at := message(p), placement(name)
		m.Action, m.References, at.Case = action, "0b9b4d0e-6c4e-4c6f-9d3a-7a4f3a1c2e00", "C-1"
		_, err := s.mapper().FromHandover(m, at)
		require.Equal(t, fault.Park, fault.KindOf(err), "a %s of what does not stand there is parked", action)
		require.Equal(t, "earlier-entry", fault.CodeOf(err))
		at.Earlier = mapping.Earlier{Record: "R-0", Reference: "7d1c4a5e-0000-4000-8000-000000000000"}
		e, err := s.mapper().FromHandover(m, at)
		require.NoError(t, err)
		require.Equal(t, handover.DocumentsOf(p), e.Documents)
		require.Equal(t, native.CaseKey("C-1"), e.Case, "a %s opens no case", action)
		require.False(t, fresh.Action == e.Action && fresh.Refers == e.Refers && string(fresh.Body) == string(e.Body), "a %s is told from a new entry", action)
		draft, err := s.mapper().ToHandover(s.record(e))
		require.NoError(t, err)
		require.Equal(t, encode(t, p), encode(t, draft.Payload), "a %s has the whole content", action)
		requireSender(t, name, draft)
		require.Equal(t, action, draft.Action)
		require.Contains(t, []native.RecordID{at.Earlier.Record, native.RecordID(at.Earlier.Reference)}, draft.References)
	}
}

// movesProcedure lists the messages after which an agency leads its own procedure in another way.
func movesProcedure(name handover.Name) bool {
	return name == handover.TransferMeetingRecorded{}.Name() || name == handover.CaseClosed{}.Name()
}

// saysProcedure writes every code of the list, which is einmal's word for the native system alone: the message that is read stays the same.
func saysProcedure(t T, s Subject, name handover.Name) {
	list := ""
	for _, r := range s.Table.Rows(name) {
		if r.Outside == table.Procedure {
			list = r.List
		}
	}
	if !movesProcedure(name) {
		require.Empty(t, list, "the procedure stands with the note of the transfer meeting and with the closure only")
		return
	}
	require.NotEmpty(t, list, "the table has no row with outside: procedure and a list")
	p := s.fit(Full(name, s.Table).Example(1))
	seen := map[string]bool{string(s.written(t, p).Body): true}
	at := placement(name)
	for _, c := range s.Table.Codes(list) {
		at.Procedure = c.Canonical
		e, err := s.mapper().FromHandover(message(p), at)
		require.NoError(t, err)
		require.False(t, seen[string(e.Body)], "%s is told from the others", c.Canonical)
		seen[string(e.Body)] = true
		draft, err := s.mapper().ToHandover(s.record(e))
		require.NoError(t, err)
		require.Equal(t, encode(t, p), encode(t, draft.Payload))
	}
	require.Greater(t, len(seen), 2)
	at.Procedure = "NO_SUCH_CODE"
	_, err := s.mapper().FromHandover(message(p), at)
	require.Equal(t, fault.Park, fault.KindOf(err))
	require.Equal(t, "unknown-code", fault.CodeOf(err))
}

// arrivesWhole tries texts at their limits, and one character more where the table has a limit.
func arrivesWhole(t T, s Subject, name handover.Name) {
	p := s.fit(Longest(name, s.Table).Example(1))
	e := s.written(t, p)
	draft, err := s.mapper().ToHandover(s.record(e))
	require.NoError(t, err)
	require.Equal(t, encode(t, p), encode(t, draft.Payload))
	for _, r := range s.Table.Rows(name) {
		if r.Max > 0 {
			body := s.changed(t, e.Body, func(d document) error { return d.set(r.Native, strings.Repeat("x", r.Max+1), true) })
			_, err := s.read(s.mapper(), e, body)
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
		_, err := s.read(s.mapper(), e, body)
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
		_, err := s.read(s.mapper(), e, body)
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
			_, err := s.read(s.mapper(), e, body)
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
