package table_test

import (
	"strings"
	"testing"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/mapping"
	"github.com/einmal-hub/einmal/mapping/table"
	"github.com/stretchr/testify/require"
)

// fixed is a system that knows one process only and keeps the deputy flat beside the contact.
const fixed = `system: fixed
format: json
codes:
  part: {PERSON: P, OTHER: X}
fields:
  employee:
    - {native: person.name, canonical: name, rule: text}
    - {native: person.intern, const: true, because: employees are internal}
    - {include: reach}
  reach:
    - {native: tel, canonical: phone, rule: text, optional: true}
    - {native: mail, canonical: email, rule: text, optional: true}
messages:
  application-decided:
    kind: e
    fields:
      - {canonical: decision, const: ACCEPTED, because: the system holds accepted cases only}
      - {canonical: reason, drop: true, because: an acceptance has none}
      - {native: am, canonical: decidedOn, rule: date}
      - {native: lead, canonical: contact, include: employee, optional: true}
      - {native: notiz, canonical: remark, rule: text, optional: true}
  review-meeting-recorded:
    kind: r
    fields:
      - {native: am, canonical: heldOn, rule: date}
      - {native: "liste.wer[].name", canonical: "participants[].name", rule: text}
      - {native: "liste.wer[].als", canonical: "participants[].part", rule: code, list: part}
      - {native: "liste.wer[].ok", canonical: "participants[].agreed", rule: bool}
      - {native: weiter, canonical: continue, rule: bool, optional: true, because: older records lack it}
      - {native: wieder, canonical: nextReviewOn, rule: date, optional: true}
      - {native: schritte, canonical: measures, rule: text, optional: true}
      - {native: notiz, canonical: remark, rule: text, optional: true}
`

func fixedTable(t testing.TB) *table.Table {
	t.Helper()
	loaded, err := table.Load("fixed.yaml", []byte(fixed))
	require.NoError(t, err)
	return loaded
}

func TestAConstantOfTheCanonicalSideIsReadAndDemandedWhenWriting(t *testing.T) {
	p, err := fixedTable(t).ToHandover("e", []byte(`{"am":"2026-03-01"}`))
	require.NoError(t, err)
	require.Equal(t, handover.Accepted, p.(handover.ApplicationDecided).Decision)

	decided := p.(handover.ApplicationDecided)
	decided.Decision = handover.Rejected
	_, _, err = fixedTable(t).FromHandover(decided)
	require.Equal(t, []string{"unexpected-constant at decision"}, findings(t, err))
}

func TestAnOptionalGroupIsThereAsAWholeOrNotAtAll(t *testing.T) {
	fixed := fixedTable(t)
	for body, want := range map[string]string{
		`{"am":"2026-03-01","lead":{"person":{"name":"A","intern":true},"tel":"1"}}`:  "",
		`{"am":"2026-03-01","lead":{"person":{}}}`:                                    `{"am":"2026-03-01"}`,
		`{"am":"2026-03-01","lead":{"person":null,"tel":""}}`:                         `{"am":"2026-03-01"}`,
		`{"am":"2026-03-01","lead":{"tel":"1"}}`:                                      "missing at lead.person.name,missing at lead.person.intern",
		`{"am":"2026-03-01","lead":{"person":{"name":"A"}}}`:                          "missing at lead.person.intern",
		`{"am":"2026-03-01","lead":{"person":{"intern":true}}}`:                       "missing at lead.person.name",
		`{"am":"2026-03-01","lead":{"person":{"name":"A","intern":"true"},"tel":""}}`: "unexpected-constant at lead.person.intern",
	} {
		p, err := fixed.ToHandover("e", []byte(body))
		if strings.Contains(want, " at ") {
			require.Equal(t, want, strings.Join(findings(t, err), ","))
			continue
		}
		require.NoError(t, err)
		_, written, err := fixed.FromHandover(p)
		require.NoError(t, err)
		if want == "" {
			want = body
		}
		require.Equal(t, want, string(written))
	}
}

func TestAnAbsentYesOrNoNeverBecomesANo(t *testing.T) {
	_, err := fixedTable(t).ToHandover("r", []byte(`{"am":"2026-03-01","liste":{"wer":[{"name":"A","als":"P","ok":true}]}}`))
	require.Equal(t, []string{"missing at weiter"}, findings(t, err), "the finding names the native place")
}

func TestListsBelowObjects(t *testing.T) {
	fixed := fixedTable(t)
	body := `{"am":"2026-03-01","liste":{"wer":[{"name":"A","als":"P","ok":true},{"name":"B","als":"X","ok":false}]},"weiter":false}`
	p, err := fixed.ToHandover("r", []byte(body))
	require.NoError(t, err)
	_, written, err := fixed.FromHandover(p)
	require.NoError(t, err)
	require.Equal(t, body, string(written))

	for broken, want := range map[string]string{
		`[null]`: "missing at liste.wer[0]", `{}`: "missing at liste.wer", `[]`: "missing at liste.wer", `null`: "missing at liste.wer",
		`{"name":"A"}`: "not-a-list at liste.wer", `"x"`: "not-a-list at liste.wer", `["x"]`: "not-an-object at liste.wer[0]",
	} {
		_, err := fixed.ToHandover("r", []byte(`{"am":"2026-03-01","liste":{"wer":`+broken+`},"weiter":true}`))
		require.Contains(t, findings(t, err), want)
	}
}

func TestTheMapperTakesFrameAndContentApart(t *testing.T) {
	m := fixedTable(t).Mapper()
	draft, err := m.ToHandover(native.Record{Kind: "e", Organisation: "rav-luzern", Body: []byte(`{"am":"2026-03-01"}`)})
	require.NoError(t, err)
	require.Equal(t, handover.OrganisationID("rav-luzern"), draft.Sender)
	require.Equal(t, handover.ActionNew, draft.Action)

	msg := handover.Message{Envelope: handover.Envelope{Case: "c-1", Action: handover.ActionNew}, Payload: draft.Payload}
	entry, err := m.FromHandover(msg, mapping.Placement{Reference: "r-1", Organisation: "sd-kriens", Case: "D-1"})
	require.NoError(t, err)
	require.Equal(t, native.Entry{Reference: "r-1", Kind: "e", Case: "D-1", CaseReference: "c-1", Organisation: "sd-kriens", Body: []byte(`{"am":"2026-03-01"}`)}, entry)

	_, err = m.ToHandover(native.Record{Kind: "e", Body: []byte(`{"am":"2026-03-01"}`)})
	require.Equal(t, "missing", fault.CodeOf(err))
	msg.Action = handover.ActionRecall
	_, err = m.FromHandover(msg, mapping.Placement{})
	require.Equal(t, "earlier-entry", fault.CodeOf(err), "what is recalled must stand there")
	entry, err = m.FromHandover(msg, mapping.Placement{Reference: "r-2", Earlier: mapping.Earlier{Record: "E1"}})
	require.NoError(t, err)
	require.Equal(t, handover.ActionRecall, entry.Action)
	require.Equal(t, native.RecordID("E1"), entry.Refers)

	draft, err = m.ToHandover(native.Record{Kind: "e", Organisation: "rav-luzern", Action: handover.ActionCorrection, Refers: "E1", Body: []byte(`{"am":"2026-03-01"}`)})
	require.NoError(t, err)
	require.Equal(t, handover.ActionCorrection, draft.Action)
	require.Equal(t, native.RecordID("E1"), draft.References)
}

func TestARecordThatDoesNotSayWhatItRecallsIsParked(t *testing.T) {
	m := fixedTable(t).Mapper()
	for name, r := range map[string]native.Record{
		"recall of nothing":  {Action: handover.ActionRecall},
		"new, but of an old": {Refers: "E1"},
		"new in a word":      {Action: handover.ActionNew, Refers: "E1"},
		"unknown action":     {Action: "delete", Refers: "E1"},
	} {
		r.Kind, r.Organisation, r.Body = "e", "rav-luzern", []byte(`{"am":"2026-03-01"}`)
		_, err := m.ToHandover(r)
		require.Equal(t, fault.Park, fault.KindOf(err), name)
		require.Equal(t, "frame", fault.CodeOf(err), name)
	}
}

func TestTheMapperSaysTheProcedureWhereTheTableHasAPlaceForIt(t *testing.T) {
	tab, err := table.Load("x.yaml", []byte("system: x\nformat: json\ncodes:\n  procedure: {REDUCED: red, FULL: voll}\nmessages:\n"+
		"  consent-withdrawn:\n    kind: w\n    fields:\n      - {native: am, canonical: withdrawnOn, rule: date}\n      - {canonical: remark, drop: true, because: short}\n"+
		"      - {native: verfahren, outside: procedure, rule: code, list: procedure, optional: true}\n"))
	require.NoError(t, err)
	m := tab.Mapper()
	msg := handover.Message{Envelope: handover.Envelope{Case: "c-1", Action: handover.ActionNew}, Payload: handover.ConsentWithdrawn{WithdrawnOn: "2026-03-01"}}
	for procedure, want := range map[handover.Code]string{"": `{"am":"2026-03-01"}`, "REDUCED": `{"am":"2026-03-01","verfahren":"red"}`, "FULL": `{"am":"2026-03-01","verfahren":"voll"}`} {
		entry, err := m.FromHandover(msg, mapping.Placement{Reference: "r-1", Procedure: procedure})
		require.NoError(t, err)
		require.Equal(t, want, string(entry.Body))
		draft, err := m.ToHandover(native.Record{Kind: "w", Organisation: "rav-luzern", Body: entry.Body})
		require.NoError(t, err)
		require.Equal(t, msg.Payload, draft.Payload, "what a record says of it follows from the message")
	}
	_, err = m.FromHandover(msg, mapping.Placement{Reference: "r-1", Procedure: "SUSPENDED"})
	require.Equal(t, []string{"unknown-code at verfahren"}, findings(t, err))
	_, err = fixedTable(t).Mapper().FromHandover(handover.Message{Envelope: msg.Envelope, Payload: handover.ConsentWithdrawn{WithdrawnOn: "2026-03-01"}}, mapping.Placement{Procedure: "FULL"})
	require.Equal(t, "no-place", fault.CodeOf(err))
	require.Equal(t, fault.Park, fault.KindOf(err))
}

// stable holds that whatever is read can be written and is read again as the same.
func stable(t *testing.T, tab *table.Table, kind native.Kind, body []byte) {
	t.Helper()
	content, err := tab.Read(kind, body)
	if err != nil {
		require.Equal(t, fault.Park, fault.KindOf(err))
		return
	}
	_, written, err := tab.Write(content)
	require.NoError(t, err)
	again, err := tab.Read(kind, written)
	require.NoError(t, err)
	require.Equal(t, encoded(t, content.Payload), encoded(t, again.Payload))
	require.Equal(t, content.Outside, again.Outside)
}

func FuzzReadJSON(f *testing.F) {
	small := load(f, "klein.yaml")
	f.Add("anmeldung", []byte(anmeldung))
	f.Add("notiz", []byte(`{"am":"01.03.2026","teilnehmende":[{"name":"A","rolle":"P","einverstanden":"J","typ":"person"}],"kannundwill":true}`))
	f.Add("termin", []byte(`{"wann":"01.07.2026 09:30","wo":"Sursee","bemerkung":null}`))
	f.Add("kogu", []byte(`{"nummer":"K-1","massnahme":"K","anbieter":"L","von":"2026-03-01","bis":"2026-04-01","betrag":1.5}`))
	f.Add("entscheid", []byte(`{"entscheid":2,"grund":"K","am":"20260301"}`))
	f.Fuzz(func(t *testing.T, kind string, body []byte) { stable(t, small, native.Kind(kind), body) })
}

func FuzzReadXML(f *testing.F) {
	ech := load(f, "ech.yaml")
	f.Add("A1", []byte(application))
	f.Add("A2", []byte(note))
	f.Add("A3", []byte(invoice))
	f.Fuzz(func(t *testing.T, kind string, body []byte) { stable(t, ech, native.Kind(kind), body) })
}
