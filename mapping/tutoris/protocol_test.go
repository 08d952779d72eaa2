package tutoris_test

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
func said(t *testing.T, seed uint64, n handover.Name) handover.Payload {
	t.Helper()
	p, err := facts(seed).Payload(n)
	require.NoError(t, err)
	return p
}

func TestRecallAndCorrectionNameTheEarlierEntryByItsNativeNumber(t *testing.T) {
	m, o := mapper(t), office(t)
	for _, action := range []handover.Action{handover.ActionRecall, handover.ActionCorrection} {
		for _, zero := range handover.Catalogue() {
			msg := message(said(t, 1, zero.Name()))
			msg.Action, msg.References, msg.Test = action, "0195e1a2-4444-7000-8000-00000000000d", true
			_, err := m.FromHandover(msg, place)
			require.Equal(t, "earlier-entry", fault.CodeOf(err))
			require.Equal(t, fault.Park, fault.KindOf(err))
			at := place
			at.Earlier = mapping.Earlier{Record: "T0000007", Reference: "0195e1a2-1111-7000-8000-000000000009"}
			e, err := m.FromHandover(msg, at)
			require.NoError(t, err)
			require.NoError(t, o.Validate(e.Kind, e.Body), "%s", e.Body)
			require.Equal(t, action, e.Action)
			require.Equal(t, native.RecordID("T0000007"), e.Refers)
			require.Equal(t, "D1", string(e.Case), "also a recalled application stays in its case")
			draft, err := m.ToHandover(native.Record{Kind: e.Kind, Body: e.Body})
			require.NoError(t, err)
			require.Equal(t, mapping.Draft{Payload: draft.Payload, Sender: msg.Sender, References: "T0000007", Action: action, Test: true}, draft)
			require.Equal(t, encoded(t, msg.Payload), encoded(t, draft.Payload))
		}
	}
}

func TestAnAnswerNamesNoEarlierEntry(t *testing.T) {
	e, err := mapper(t).FromHandover(message(handover.ClarificationAnswered{Answer: "Ja"}), place)
	require.NoError(t, err)
	require.NotContains(t, string(e.Body), "referenceMessageId")
	require.Empty(t, e.Action)
	require.Empty(t, e.Refers)
}

func TestTheCheckOfAnApplicationIsAReport(t *testing.T) {
	m := mapper(t)
	for outcome, action := range map[handover.Code]string{handover.Returned: "8", handover.Forward: "9"} {
		severity := map[handover.Code]handover.Code{handover.Returned: handover.SeverityRefuse, handover.Forward: handover.SeverityWarn}[outcome]
		p := handover.ApplicationChecked{Outcome: outcome, Profile: "lucerne/regular-2025", Findings: []handover.RuleFinding{{
			Rule: "ALV3", Severity: severity, Reason: "NO_CAPACITY", Source: "C 3.2.1", Text: "Eine Regel", Hint: "Anrufen",
		}}}
		require.NoError(t, p.Validate())
		msg := message(p)
		msg.Sender = handover.Gateway
		e, err := m.FromHandover(msg, place)
		require.NoError(t, err)
		require.NoError(t, office(t).Validate(e.Kind, e.Body), "%s", e.Body)
		require.Contains(t, string(e.Body), "<eCH-0058:action>"+action+"</eCH-0058:action>")
		require.Contains(t, string(e.Body), "<eCH-0058:senderId>einmal</eCH-0058:senderId>")
		draft, err := m.ToHandover(native.Record{Kind: e.Kind, Body: e.Body})
		require.NoError(t, err)
		require.Equal(t, handover.ActionNew, draft.Action)
		for _, wrong := range []string{"8", "9", "1"} {
			if wrong != action {
				body := strings.Replace(string(e.Body), ":action>"+action+"<", ":action>"+wrong+"<", 1)
				_, err := m.ToHandover(native.Record{Kind: e.Kind, Body: []byte(body)})
				require.Contains(t, findings(t, err), "contradiction at kopf.eCH-0058:action")
			}
		}
	}
	r := example(t, "TU04")
	replace(&r, "action>1<", "action>9<")
	_, err := m.ToHandover(r)
	require.Contains(t, findings(t, err), "contradiction at kopf.eCH-0058:action", "nothing else is a report")
}

func TestTheEntryNamesItsDocuments(t *testing.T) {
	for _, zero := range handover.Catalogue() {
		p := said(t, 4, zero.Name())
		e, err := mapper(t).FromHandover(message(p), place)
		require.NoError(t, err)
		require.Equal(t, handover.DocumentsOf(p), e.Documents)
		for _, d := range e.Documents {
			require.Contains(t, string(e.Body), d.SHA256)
		}
	}
	require.NotEmpty(t, handover.DocumentsOf(said(t, 4, "case-closed")), "the facts have some")
}

func TestTheProcedureStandsWhereItChanges(t *testing.T) {
	m, o := mapper(t), office(t)
	for _, zero := range handover.Catalogue() {
		p := said(t, 1, zero.Name())
		for procedure, word := range map[handover.Code]string{"FULL": "<verfahrensfuehrung>voll</verfahrensfuehrung>", "REDUCED": "<verfahrensfuehrung>reduziert</verfahrensfuehrung>", "SUSPENDED": "<verfahrensfuehrung>sistiert</verfahrensfuehrung>", "": ""} {
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
			require.Equal(t, procedure != "", strings.Contains(string(e.Body), "verfahrensfuehrung"))
			require.Contains(t, string(e.Body), word)
			draft, err := m.ToHandover(native.Record{Kind: e.Kind, Body: e.Body})
			require.NoError(t, err, "it says nothing to a reader")
			require.Equal(t, encoded(t, p), encoded(t, draft.Payload))
		}
	}
	at := place
	at.Procedure = "PAUSED"
	_, err := m.FromHandover(message(said(t, 1, "case-closed")), at)
	require.Contains(t, findings(t, err), "unknown-code at verfahrensfuehrung")
}

func TestAnApplicationMayLeaveItsReceiverToTheDirectory(t *testing.T) {
	a, ok := said(t, 1, "application-submitted").(handover.ApplicationSubmitted)
	require.True(t, ok)
	a.Receiving = ""
	e, err := mapper(t).FromHandover(message(a), place)
	require.NoError(t, err)
	require.NoError(t, office(t).Validate(e.Kind, e.Body))
	draft, err := mapper(t).ToHandover(native.Record{Kind: e.Kind, Body: e.Body})
	require.NoError(t, err)
	require.Equal(t, encoded(t, a), encoded(t, draft.Payload))
}
