package ivdossier

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	contract "github.com/einmal-hub/einmal/contracts/native/ivdossier"
	"github.com/einmal-hub/einmal/mocks/core"
)

// revising is a filled-in form that recalls or corrects an entry, released.
func (o *office) revising(t *testing.T, action string, id native.RecordID, text string) []byte {
	t.Helper()
	return o.filled(t, "antwort", map[string]any{contract.NameRelease: contract.Released, "Antwort": text, contract.FieldAction: action, contract.FieldRefers: string(id)}).bytes()
}

func TestStaff_CorrectAndRecallWhatTheyReleasedByItsNumberInTheRegister(t *testing.T) {
	o, key := opened(t)
	saveAs(t, o.path(contract.Cases, string(key), "a.xlsx"), o.answer(t, "Ja").bytes())
	o.read(t, "")
	history, err := o.register(t).file.GetRows(contract.HistorySheet)
	require.NoError(t, err)
	require.Equal(t, "a.xlsx", history[2][6], "the history says which document it is")
	id := native.RecordID(history[2][0])
	saveAs(t, o.path(contract.Cases, string(key), "b.xlsx"), o.revising(t, contract.Correction, id, "Nein"))
	o.read(t, "")
	saveAs(t, o.path(contract.Cases, string(key), "c.xlsx"), o.revising(t, contract.Recall, id, "Nein"))
	batch := o.read(t, "")
	require.Empty(t, batch.Broken)
	require.Len(t, batch.Records, 4)
	require.JSONEq(t, `{"Kopf":{"Vorgang":"Berichtigung","Bezug":"`+string(id)+`"},"Antwort":"Nein"}`, string(batch.Records[2].Body))
	require.JSONEq(t, `{"Kopf":{"Vorgang":"Widerruf","Bezug":"`+string(id)+`"},"Antwort":"Nein"}`, string(batch.Records[3].Body))
	require.Empty(t, batch.Records[3].Action, "it stands in the content")
	history, err = o.register(t).file.GetRows(contract.HistorySheet)
	require.NoError(t, err)
	require.Equal(t, []string{"Widerruf: Antwort auf eine Rückfrage", string(id)}, history[4][3:5])
}

func TestStaff_ARecallThatDoesNotSayOfWhatIsPutBeforeAPerson(t *testing.T) {
	for _, c := range []struct {
		name, code, action string
		refers             func(own, other native.RecordID) native.RecordID
	}{
		{"of nothing", "unknown-entry", contract.Recall, func(_, _ native.RecordID) native.RecordID { return "" }},
		{"of what is not there", "unknown-entry", contract.Correction, func(_, _ native.RecordID) native.RecordID { return "D-AAAA" }},
		{"of another kind", "unknown-entry", contract.Recall, func(own, _ native.RecordID) native.RecordID { return own }},
		{"in another case", "unknown-entry", contract.Recall, func(_, other native.RecordID) native.RecordID { return other }},
		{"without saying so", "refers", contract.ActionNew, func(own, _ native.RecordID) native.RecordID { return own }},
	} {
		o, key := opened(t)
		own := o.read(t, "").Records[0].ID
		elsewhere := o.apply(t, entry("application-submitted", 2, ""))
		other := o.apply(t, entry("clarification-answered", 3, elsewhere.Case))
		saveAs(t, o.path(contract.Cases, string(key), "a.xlsx"), o.revising(t, c.action, c.refers(own, other.Record), "Ja"))
		batch := o.read(t, "")
		require.Len(t, batch.Records, 3, c.name)
		require.Len(t, batch.Broken, 1, c.name)
		requireFault(t, batch.Broken[0].Reason, fault.Park, c.code)
	}
}

// What was said, recalled and is said again looks like a copy. It is not passed over in silence.
func TestI1_WhatIsSaidAgainAfterARecallIsPutBeforeAPerson(t *testing.T) {
	o, key := opened(t)
	in := func(name string) string { return o.path(contract.Cases, string(key), name) }
	saveAs(t, in("a.xlsx"), o.answer(t, "Ja").bytes())
	o.later(time.Minute)
	id := o.read(t, "").Records[1].ID
	saveAs(t, in("b.xlsx"), o.revising(t, contract.Recall, id, "Ja"))
	require.Len(t, o.read(t, "").Records, 3)
	require.NoError(t, os.Rename(in("a.xlsx"), in("alt.xlsx")))
	require.Empty(t, o.read(t, "").Broken, "a renamed file has the time that it had")
	saveAs(t, in("c.xlsx"), o.answer(t, "Ja").bytes())
	batch := o.read(t, "")
	require.Len(t, batch.Records, 3)
	require.Len(t, batch.Broken, 1)
	requireFault(t, batch.Broken[0].Reason, fault.Park, "said-again")
	saveAs(t, in("c.xlsx"), o.filled(t, "antwort", map[string]any{contract.NameRelease: contract.Released, "Antwort": "Ja", "Bemerkung": "doch"}).bytes())
	batch = o.read(t, "")
	require.Len(t, batch.Records, 4)
	require.Empty(t, batch.Broken)
}

func TestEinmal_WritesARecallOfAnEntryThatStandsThere(t *testing.T) {
	o, key := opened(t)
	first := o.read(t, "").Records[0].ID
	recall := entry("application-submitted", 2, key)
	recall.Action, recall.Refers = handover.ActionRecall, first
	r := o.apply(t, recall)
	require.Equal(t, key, r.Case, "a recalled application stays in its case")
	for code, change := range map[string]func(*native.Entry){
		"unknown-entry": func(e *native.Entry) { e.Refers = "E-AAAA" }, "not-opening": func(e *native.Entry) { e.Case = "" },
	} {
		e := entry("application-submitted", 3, key)
		e.Action, e.Refers = handover.ActionCorrection, first
		change(&e)
		_, err := o.ex.Apply(t.Context(), e)
		requireFault(t, err, fault.Refuse, code)
	}
	other := entry("clarification-answered", 4, key)
	other.Action, other.Refers = handover.ActionCorrection, first
	_, err := o.ex.Apply(t.Context(), other)
	requireFault(t, err, fault.Refuse, "unknown-entry")
}

// The clerks of the mock recall and correct as staff do: they look up in the register which number their entry has.
func TestTheOfficeCorrectsWhatItSaid(t *testing.T) {
	o := open(t)
	opened := o.clerk(t, "application-submitted", 8, "")
	o.read(t, "")
	require.NoError(t, o.mock.Settle(t.Context()))
	f := facts(8)
	f.Person.FirstName = "Berichtigt"
	corrected, err := typed(o.mock, "application-submitted", f, core.Write{Case: opened.Case, Action: handover.ActionCorrection, Refers: opened.ID})
	require.NoError(t, err)
	asked, err := typed(o.mock, "clarification-requested", f, core.Write{Case: opened.Case})
	require.NoError(t, err)
	_, err = typed(o.mock, "clarification-requested", f, core.Write{Case: opened.Case, Action: handover.ActionRecall, Refers: asked.ID})
	require.NoError(t, err)
	for range 2 {
		require.NoError(t, o.mock.Settle(t.Context()))
		require.Empty(t, o.read(t, "").Broken)
	}
	batch := o.read(t, "")
	require.Len(t, batch.Records, 4)
	require.Contains(t, string(batch.Records[1].Body), `"Bezug":"`+string(batch.Records[0].ID)+`"`)
	require.Contains(t, string(batch.Records[3].Body), `"Bezug":"`+string(batch.Records[2].ID)+`"`)
	require.Equal(t, native.Kind("antrag"), corrected.Kind)
	require.Equal(t, "Berichtigt", o.register(t).get(batch.Records[0].Case, "Vorname"), "the register shows the application as it was corrected")
}

func TestRegister_ShowsHowTheOfficeLeadsItsOwnProcedure(t *testing.T) {
	o, key := opened(t)
	require.Empty(t, o.register(t).get(key, contract.ColumnLeads))
	for i, c := range []struct {
		name            handover.Name
		procedure, want string
	}{
		{"transfer-meeting-recorded", "SUSPENDED", "sistiert"}, {"clarification-requested", "", "sistiert"}, {"case-closed", "FULL", "uneingeschränkt"},
	} {
		f := facts(7)
		f.Procedure = c.procedure
		o.apply(t, entryOf(c.name, f, 10+i, key))
		o.read(t, "")
		require.Equal(t, c.want, o.register(t).get(key, contract.ColumnLeads))
	}
}
