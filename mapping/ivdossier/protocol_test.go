package ivdossier_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/mapping"
)

// said is what the facts of one handover amount to.
func said(t *testing.T, n handover.Name) handover.Payload {
	t.Helper()
	f := facts(4)
	p, err := f.Payload(n)
	require.NoError(t, err)
	return p
}

func TestRecallAndCorrection_NameTheEarlierEntryByItsNumberInTheRegister(t *testing.T) {
	m, o := mapper(t), office(t)
	for _, action := range []handover.Action{handover.ActionRecall, handover.ActionCorrection} {
		for _, zero := range handover.Catalogue() {
			msg := message(said(t, zero.Name()))
			msg.Action, msg.References = action, "0195e1a2-4444-7000-8000-00000000000d"
			_, err := m.FromHandover(msg, place)
			require.Equal(t, "earlier-entry", fault.CodeOf(err))
			require.Equal(t, fault.Park, fault.KindOf(err))
			at := place
			at.Earlier = mapping.Earlier{Record: "E-AAAABBBBCCCCDDDD", Reference: "0195e1a2-1111-7000-8000-000000000009"}
			e, err := m.FromHandover(msg, at)
			require.NoError(t, err)
			require.NoError(t, o.Validate(e.Kind, e.Body), "%s", e.Body)
			require.Equal(t, native.Entry{
				Reference: place.Reference, Kind: e.Kind, Case: place.Case, CaseReference: msg.Case, Organisation: place.Organisation, Action: action, Refers: "E-AAAABBBBCCCCDDDD",
				Documents: handover.DocumentsOf(msg.Payload), Body: e.Body,
			}, e, "also a recalled application stays in its case")
			draft, err := m.ToHandover(native.Record{Kind: e.Kind, Organisation: "sd-kriens", Body: e.Body})
			require.NoError(t, err)
			require.Equal(t, mapping.Draft{Payload: draft.Payload, Sender: msg.Sender, References: "E-AAAABBBBCCCCDDDD", Action: action}, draft)
			require.Equal(t, encoded(t, msg.Payload), encoded(t, draft.Payload))
		}
	}
}

func TestTheEntryNamesItsDocuments(t *testing.T) {
	for _, zero := range handover.Catalogue() {
		p := said(t, zero.Name())
		e, err := mapper(t).FromHandover(message(p), place)
		require.NoError(t, err)
		require.Equal(t, handover.DocumentsOf(p), e.Documents)
		for _, d := range e.Documents {
			require.Contains(t, string(e.Body), d.SHA256)
		}
	}
	require.NotEmpty(t, handover.DocumentsOf(said(t, "case-closed")), "the facts have some")
}

// Where the file lies in the folder is the adapter's business and no part of what is said.
func TestToHandover_TheNameOfTheFileIsDropped(t *testing.T) {
	document := `"Name":"Arbeitsvertrag","Typ":"application/pdf","Grösse":"1","Prüfsumme":"` + strings.Repeat("a", 64) + `"`
	r := native.Record{Kind: "antwort", Organisation: "iv-luzern", Body: []byte(`{"Antwort":"Ja","Dokumente":[{"Datei":"Vertrag.pdf",` + document + `}]}`)}
	draft, err := mapper(t).ToHandover(r)
	require.NoError(t, err)
	require.Equal(t, handover.ClarificationAnswered{Answer: "Ja", Documents: []handover.Document{
		{Name: "Arbeitsvertrag", MediaType: "application/pdf", Size: 1, SHA256: strings.Repeat("a", 64)},
	}}, draft.Payload)
}

func TestTheProcedureStandsWhereItChanges(t *testing.T) {
	m, o := mapper(t), office(t)
	for _, zero := range handover.Catalogue() {
		p := said(t, zero.Name())
		for procedure, word := range map[handover.Code]string{
			"FULL": `"Verfahrensführung":"uneingeschränkt"`, "REDUCED": `"Verfahrensführung":"eingeschränkt"`, "SUSPENDED": `"Verfahrensführung":"sistiert"`, "": "",
		} {
			at := place
			at.Procedure = procedure
			e, err := m.FromHandover(message(p), at)
			switch zero.(type) {
			case handover.TransferMeetingRecorded, handover.CaseClosed:
			default:
				require.Equal(t, procedure != "", err != nil && fault.CodeOf(err) == "no-place")
				continue
			}
			require.NoError(t, err)
			require.NoError(t, o.Validate(e.Kind, e.Body))
			require.Equal(t, procedure != "", strings.Contains(string(e.Body), "Verfahrensführung"))
			require.Contains(t, string(e.Body), word)
			draft, err := m.ToHandover(native.Record{Kind: e.Kind, Organisation: "sd-kriens", Body: e.Body})
			require.NoError(t, err, "it says nothing to a reader")
			require.Equal(t, encoded(t, p), encoded(t, draft.Payload))
		}
	}
	at := place
	at.Procedure = "PAUSED"
	_, err := m.FromHandover(message(said(t, "case-closed")), at)
	require.Contains(t, findings(t, err), "unknown-code at Verfahrensführung")
}

func TestTheCheckOfAnApplicationIsSaidByEinmal(t *testing.T) {
	msg := message(said(t, "application-checked"))
	msg.Sender = handover.Gateway
	e, err := mapper(t).FromHandover(msg, place)
	require.NoError(t, err)
	require.Equal(t, native.Kind("vorpruefung"), e.Kind)
	require.Contains(t, string(e.Body), `"Absender":"einmal"`)
	require.NoError(t, office(t).Validate(e.Kind, e.Body))
}
