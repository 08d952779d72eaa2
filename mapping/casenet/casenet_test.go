package casenet_test

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/mapping"
	"github.com/einmal-hub/einmal/mapping/casenet"
	mock "github.com/einmal-hub/einmal/mocks/casenet"
	"github.com/einmal-hub/einmal/mocks/core"
)

func mapper(t testing.TB) mapping.Mapper {
	t.Helper()
	m, err := casenet.New()
	require.NoError(t, err)
	return m
}

func platform(t testing.TB) *mock.Mock {
	t.Helper()
	m, err := mock.New(mock.Options{System: "casenet"})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, m.Close()) })
	return m
}

func facts(seed uint64) core.Facts { return core.Invent(rand.New(rand.NewPCG(seed, 1))) }

// The mock's forms are filled in by hand from the contract; that they say the same as the facts is what the mapping is for.
func TestToHandover_EveryFormOfThePlatformSaysWhatItsClerkKnew(t *testing.T) {
	m := mapper(t)
	for seed := range uint64(50) {
		f := facts(seed)
		for _, zero := range handover.Catalogue() {
			kind, body := mock.Compose(zero.Name(), f)
			draft, err := m.ToHandover(native.Record{ID: "R-1", Kind: kind, Case: "C-1", Organisation: "rav-luzern", Body: body})
			require.NoError(t, err, "%s", body)
			want, err := f.Payload(zero.Name())
			require.NoError(t, err)
			require.Equal(t, encoded(t, want), encoded(t, draft.Payload))
			require.Equal(t, handover.OrganisationID("rav-luzern"), draft.Sender)
			require.Equal(t, handover.ActionNew, draft.Action)
			require.NoError(t, draft.Payload.Validate())
		}
	}
}

func encoded(t testing.TB, p handover.Payload) string {
	t.Helper()
	b, err := handover.EncodePayload(p)
	require.NoError(t, err)
	return string(b)
}

func TestFromHandover_EveryMessageIsWhatThePlatformTakes(t *testing.T) {
	m, p := mapper(t), platform(t)
	for seed := range uint64(50) {
		for _, zero := range handover.Catalogue() {
			payload, err := facts(seed).Payload(zero.Name())
			require.NoError(t, err)
			e, err := m.FromHandover(message(payload), at())
			require.NoError(t, err)
			require.NoError(t, p.Validate(e.Kind, e.Body), "%s", e.Body)
			require.Equal(t, at().Reference, e.Reference)
		}
	}
}

func message(p handover.Payload) handover.Message {
	return handover.Message{
		Envelope: handover.Envelope{ID: "m", Name: p.Name(), Case: "0b9f", Sender: "rav-luzern", Action: handover.ActionNew}, Payload: p,
	}
}

func at() mapping.Placement {
	return mapping.Placement{Reference: "6f1c", System: "casenet", Organisation: "rav-luzern", Role: handover.Receiving, Case: "C-1"}
}

func TestFromHandover_EnteredForTheSenderAndInTheSharedCase(t *testing.T) {
	e, err := mapper(t).FromHandover(message(handover.ClarificationAnswered{Answer: "Ja"}), at())
	require.NoError(t, err)
	require.Equal(t, native.Entry{
		Reference: "6f1c", Kind: "queryReply", Case: "C-1", CaseReference: "0b9f", Organisation: "rav-luzern", Body: []byte(`{"reply":"Ja"}`),
	}, e)
}

func TestFromHandover_WhatEinmalSaysIsEnteredForTheApplicant(t *testing.T) {
	payload, err := facts(1).Payload("application-checked")
	require.NoError(t, err)
	msg, place := message(payload), at()
	msg.Sender, place.Organisation, place.Role, place.Parties = handover.Gateway, handover.Gateway, handover.Checking, handover.Parties{Assigning: "sd-kriens", Receiving: "rav-luzern"}
	e, err := mapper(t).FromHandover(msg, place)
	require.NoError(t, err)
	require.Equal(t, handover.OrganisationID("sd-kriens"), e.Organisation)
}

func TestFromHandover_ARecallNamesTheEarlierRecordInTheFrame(t *testing.T) {
	for _, action := range []handover.Action{handover.ActionRecall, handover.ActionCorrection} {
		msg, place := message(handover.ClarificationAnswered{Answer: "Ja"}), at()
		msg.Action, msg.References, place.Earlier = action, "m0", mapping.Earlier{Record: "R-3", Reference: "5e0b"}
		e, err := mapper(t).FromHandover(msg, place)
		require.NoError(t, err)
		require.Equal(t, native.Entry{
			Reference: "6f1c", Kind: "queryReply", Case: "C-1", CaseReference: "0b9f", Organisation: "rav-luzern", Action: action, Refers: "R-3", Body: []byte(`{"reply":"Ja"}`),
		}, e)
		draft, err := mapper(t).ToHandover(native.Record{Kind: e.Kind, Organisation: "rav-luzern", Action: action, Refers: "R-3", Body: e.Body})
		require.NoError(t, err)
		require.Equal(t, action, draft.Action)
		require.Equal(t, native.RecordID("R-3"), draft.References)
	}
}

// The mock's own form says the procedure as the table does; both were written from the contract.
func TestFromHandover_SaysTheProcedureAsTheContractHasIt(t *testing.T) {
	for _, name := range []handover.Name{"transfer-meeting-recorded", "case-closed"} {
		for _, procedure := range []string{"REDUCED", "SUSPENDED", "FULL", ""} {
			f := facts(1)
			f.Procedure = procedure
			payload, err := f.Payload(name)
			require.NoError(t, err)
			place := at()
			place.Procedure = handover.Code(procedure)
			e, err := mapper(t).FromHandover(message(payload), place)
			require.NoError(t, err)
			_, composed := mock.Compose(name, f)
			require.JSONEq(t, string(composed), string(e.Body))
		}
	}
}

func TestToHandover_AReceiverThatIsLeftOutStaysLeftOut(t *testing.T) {
	f := facts(1)
	f.Receiving = ""
	kind, body := mock.Compose("application-submitted", f)
	require.NotContains(t, string(body), "addressee")
	draft, err := mapper(t).ToHandover(native.Record{Kind: kind, Organisation: "rav-luzern", Body: body})
	require.NoError(t, err)
	e, err := mapper(t).FromHandover(message(draft.Payload), at())
	require.NoError(t, err)
	require.JSONEq(t, string(body), string(e.Body))
}

func TestFromHandover_WhatThePlatformHasNoWordForIsParked(t *testing.T) {
	for code, change := range map[string]func(*handover.Message){
		"earlier-entry": func(m *handover.Message) { m.Action = handover.ActionRecall },
		"unknown-code": func(m *handover.Message) {
			m.Payload = handover.ApplicationWithdrawn{WithdrawnOn: "2026-01-01", Reason: "NEW_CODE"}
		},
	} {
		msg := message(handover.ClarificationAnswered{Answer: "Ja"})
		change(&msg)
		_, err := mapper(t).FromHandover(msg, at())
		require.Equal(t, fault.Park, fault.KindOf(err))
		require.Contains(t, codes(err), code)
	}
}

func TestToHandover_WhatCannotBeSaidIsParkedWithItsPlace(t *testing.T) {
	for name, c := range map[string]struct {
		kind       native.Kind
		body       string
		code, path string
	}{
		"unknown field":    {"query", `{"question":"Wo?","urgent":true}`, "unknown-field", "urgent"},
		"unknown code":     {"closure", `{"closureDate":"2026-01-01","reason":"bored","outcome":"other"}`, "unknown-code", "reason"},
		"code with a case": {"closure", `{"closureDate":"2026-01-01","reason":"Goal-Reached","outcome":"other"}`, "unknown-code", "reason"},
		"other currency":   {"invoice", `{"approvalNumber":"1","invoiceDate":"2026-01-01","cost":{"amount":1,"currency":"EUR"}}`, "", "cost.currency"},
		"third decimal":    {"invoice", `{"approvalNumber":"1","invoiceDate":"2026-01-01","cost":{"amount":1.005,"currency":"CHF"}}`, "", "cost.amount"},
		"exponent":         {"invoice", `{"approvalNumber":"1","invoiceDate":"2026-01-01","cost":{"amount":1e3,"currency":"CHF"}}`, "", "cost.amount"},
		"amount as text":   {"invoice", `{"approvalNumber":"1","invoiceDate":"2026-01-01","cost":{"amount":"1.00","currency":"CHF"}}`, "", "cost.amount"},
		"Swiss date":       {"consentWithdrawal", `{"withdrawalDate":"01.02.2026"}`, "", "withdrawalDate"},
		"no such day":      {"consentWithdrawal", `{"withdrawalDate":"2026-02-30"}`, "", "withdrawalDate"},
		"no offset":        {"reviewMeeting", `{"start":"2026-02-03T10:00:00","location":"Sursee"}`, "", "start"},
		"fraction":         {"reviewMeeting", `{"start":"2026-02-03T10:00:00.5Z","location":"Sursee"}`, "", "start"},
		"text too long":    {"query", `{"question":"` + strings.Repeat("x", 2001) + `"}`, "too-long", "question"},
		"code in a list": {"reviewNote", `{"meetingDate":"2026-01-01","continuation":false,"attendees":[{"name":"A","role":"client","agrees":true},` +
			`{"name":"B","role":"boss","agrees":true}]}`, "unknown-code", "attendees[1].role"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := mapper(t).ToHandover(native.Record{Kind: c.kind, Organisation: "rav-luzern", Body: []byte(c.body)})
			require.Equal(t, fault.Park, fault.KindOf(err))
			require.Contains(t, err.Error(), c.path)
			if c.code != "" {
				require.Contains(t, codes(err), c.code)
			}
		})
	}
}

// codes lists every code in an error.
func codes(err error) []string {
	found := []string{fault.CodeOf(err)}
	var fs fault.Findings
	if errors.As(err, &fs) {
		for _, f := range fs {
			found = append(found, f.Code)
		}
	}
	return found
}

func TestToHandover_WithoutAnOrganisationIsParked(t *testing.T) {
	_, err := mapper(t).ToHandover(native.Record{Kind: "queryReply", Body: []byte(`{"reply":"Ja"}`)})
	require.Equal(t, "missing", fault.CodeOf(err))
}

func TestTable_HasEveryWordOfTheMock(t *testing.T) {
	table, err := casenet.Table()
	require.NoError(t, err)
	require.Len(t, table.Kinds(), len(handover.Catalogue()))
	b, err := os.ReadFile("../../mocks/casenet/words.json")
	require.NoError(t, err)
	var words map[string]map[string]string
	require.NoError(t, json.Unmarshal(b, &words))
	for mocks, list := range map[string]string{
		"process": "process", "sex": "gender", "language": "language", "consent": "legalBasis", "withdrawal": "withdrawal", "decision": "result",
		"severity": "severity", "assessment": "assessment", "procedure": "procedure", "rejection": "rejection", "refusal": "refusal", "closure": "closure", "outcome": "outcome", "part": "role",
	} {
		got := map[string]string{}
		for _, c := range table.Codes(list) {
			got[string(c.Canonical)] = c.Native
		}
		require.Equal(t, words[mocks], got, list)
	}
}

func FuzzToHandover(f *testing.F) {
	m := mapper(f)
	p := platform(f)
	for i, zero := range handover.Catalogue() {
		kind, body := mock.Compose(zero.Name(), facts(uint64(i)))
		f.Add(string(kind), body)
	}
	f.Fuzz(func(t *testing.T, kind string, body []byte) {
		draft, err := m.ToHandover(native.Record{Kind: native.Kind(kind), Organisation: "rav-luzern", Body: body})
		if err != nil {
			require.Equal(t, fault.Park, fault.KindOf(err))
			return
		}
		if draft.Payload.Validate() != nil {
			return
		}
		e, err := m.FromHandover(message(draft.Payload), at())
		require.NoError(t, err, "what was read can be written")
		require.NoError(t, p.Validate(e.Kind, e.Body), "what is valid is taken by the platform")
		again, err := m.ToHandover(native.Record{Kind: e.Kind, Organisation: "rav-luzern", Body: e.Body})
		require.NoError(t, err)
		require.Equal(t, encoded(t, draft.Payload), encoded(t, again.Payload))
	})
}
