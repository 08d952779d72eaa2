package klib

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/mapping"
	"github.com/einmal-hub/einmal/mocks/core"
	mock "github.com/einmal-hub/einmal/mocks/klib"
	"github.com/stretchr/testify/require"
)

func mapperOf(t *testing.T) mapping.Mapper {
	t.Helper()
	m, err := New()
	require.NoError(t, err)
	return m
}

func mockOf(t *testing.T) *mock.Mock {
	t.Helper()
	m, err := mock.New(mock.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, m.Close()) })
	return m
}

// variants are facts about invented people, with every code of every list and every optional value both given and not.
func variants(t *testing.T) []core.Facts {
	t.Helper()
	var all []core.Facts
	cycle := func(i int, codes ...string) string { return codes[i%len(codes)] }
	fields, err := Table()
	require.NoError(t, err)
	questions, answers := fields.Codes("frage"), fields.Codes("antwort")
	answer := func(i int) string { return string(answers[i%len(answers)].Canonical) }
	question := func(i int) string { return string(questions[i%len(questions)].Canonical) }
	for i := range 60 {
		f := core.Invent(rand.New(rand.NewPCG(uint64(i), 3)))
		f.Process = cycle(i, "OPTIMA_ALV", "OPTIMA_IV", "OPTIMA_SH")
		f.TargetGroup = cycle(i, "A", "B", "C", "D", "E", "F", "G", "H", "I")
		f.ConsentKind = cycle(i, "CONSENT", "INFORMED")
		number := i % 3
		f.Declarations = []core.Declaration{{Item: question(i), Answer: answer(i)}, {Item: question(i + 1), Number: &number}, {Item: question(i + 2), On: f.ConsentGivenOn}}[:i%4%3+1]
		if i%5 == 0 {
			f.Declarations = nil
		}
		f.WithdrawalReason = cycle(i, "PERSON_WITHDREW", "AGENCY_WITHDREW", "OTHER")
		f.RefusalReason = cycle(i, "NO_ENTITLEMENT", "NOT_NECESSARY", "OTHER")
		f.ClosureReason = cycle(i, "REVOKED_BY_ASSIGNING", "GOAL_REACHED", "GOAL_NOT_REACHABLE", "COST_APPROVAL_REFUSED", "PARALLEL_CASE_LEADERSHIP", "CONSENT_WITHDRAWN")
		f.Outcome = cycle(i, "SUCCESSFUL", "PARTIAL", "NOT_IMPLEMENTED", "OTHER")
		f.Person.Sex, f.Person.Language = cycle(i, "MALE", "FEMALE", "UNKNOWN"), cycle(i, "DE", "FR", "IT", "EN", "")
		f.Decision, f.RejectionReason = cycle(i, "ACCEPTED", "REJECTED"), ""
		if f.Decision == "REJECTED" {
			f.RejectionReason = cycle(i/2, "IV_REJECTION_RECENT", "NO_INTACT_WORK_OFFER", "NO_CAPACITY", "GOAL_NOT_REALISABLE", "OTHER")
		}
		f.Documents = []core.Document{{Name: "Vollmacht \"neu\" <Ä>.pdf", MediaType: "application/pdf", Content: []byte{byte(i), 1}}, {Name: "Bild.jpg", MediaType: "image/jpeg", Content: []byte{byte(i), 2}}}[:i%3]
		if i%3 == 0 {
			f.Documents = nil
		}
		if i%5 == 1 {
			f.Receiving = ""
		}
		f.CheckOutcome, f.CheckProfile = "RETURNED", "lucerne/regular-2025"
		f.Findings = []core.Finding{{Rule: "ALV3", Severity: "REFUSE", Reason: cycle(i, "NO_CAPACITY", "IV_REJECTION_RECENT", "NO_INTACT_WORK_OFFER", "GOAL_NOT_REALISABLE", "OTHER", ""), Source: "Konzept 3.2.1", Text: "Keine laufende Abklärung", Hint: cycle(i, "Später", "")},
			{Rule: "ALV8", Severity: "WARN", Source: "Evaluation", Text: "Zeile 1\nZeile 2"}}
		if i%2 == 0 {
			f.CheckOutcome, f.Findings = "FORWARD", f.Findings[1:]
		}
		if i%4 == 0 {
			f.Participants[0].Agreed, f.StartOfCaseWork, f.NextReviewOn, f.Continue, f.Remark = false, "", "", false, ""
		}
		all = append(all, f)
	}
	return all
}

// The mock's forms are written by hand from the contract; the mapping must read in them what the clerk knew.
func TestToHandover_ReadsWhatAClerkKnew(t *testing.T) {
	m := mapperOf(t)
	for _, payload := range handover.Catalogue() {
		for _, f := range variants(t) {
			kind, body := mock.Compose(payload.Name(), f)
			draft, err := m.ToHandover(native.Record{ID: "E-1", Kind: kind, Case: "D-1", Organisation: "sd-kriens", Sequence: 1, At: time.Now(), Body: body})
			require.NoError(t, err, "%s: %s", payload.Name(), body)
			want, err := f.Payload(payload.Name())
			require.NoError(t, err)
			requireSame(t, want, draft.Payload)
			require.Equal(t, handover.OrganisationID("sd-kriens"), draft.Sender)
			require.Equal(t, handover.ActionNew, draft.Action)
			require.NoError(t, draft.Payload.Validate())
		}
	}
}

// requireSame compares with the values revealed; the types mask themselves in failures otherwise.
func requireSame(t *testing.T, want, got handover.Payload) {
	t.Helper()
	w, err := handover.EncodePayload(want)
	require.NoError(t, err)
	g, err := handover.EncodePayload(got)
	require.NoError(t, err)
	require.Equal(t, string(w), string(g))
}

// What the mapping writes must be what the contract describes, and mean the same when it is read again.
func TestFromHandover_WritesWhatTheSystemTakes(t *testing.T) {
	m, system := mapperOf(t), mockOf(t)
	for _, empty := range handover.Catalogue() {
		for _, f := range variants(t) {
			payload, err := f.Payload(empty.Name())
			require.NoError(t, err)
			entry, err := m.FromHandover(message(payload), place())
			require.NoError(t, err)
			require.NoError(t, system.Validate(entry.Kind, entry.Body), "%s: %s", empty.Name(), entry.Body)
			again, err := m.ToHandover(native.Record{Kind: entry.Kind, Organisation: "sd-kriens", Body: entry.Body})
			require.NoError(t, err)
			requireSame(t, payload, again.Payload)
		}
	}
}

func message(p handover.Payload) handover.Message {
	return handover.Message{
		Envelope: handover.Envelope{ID: "m-1", Source: "avam", Name: p.Name(), Case: "case-1", Time: time.Now(), Sender: "rav-luzern", Sequence: 1, Action: handover.ActionNew},
		Payload:  p,
	}
}

func place() mapping.Placement {
	return mapping.Placement{Reference: "ab-1", System: "klib", Organisation: "sd-kriens", Role: handover.Receiving, Case: "D-7", Now: time.Now()}
}

func TestFromHandover_FrameComesFromThePlacement(t *testing.T) {
	entry, err := mapperOf(t).FromHandover(message(handover.ClarificationAnswered{Answer: "Ja"}), place())
	require.NoError(t, err)
	require.Equal(t, native.Entry{
		Reference: "ab-1", Kind: "antwort", Case: "D-7", CaseReference: "case-1", Organisation: "sd-kriens", Body: []byte(`{"antwort":"Ja"}`),
	}, entry)
}

func TestFromHandover_ParksWhatTheSystemHasNoWordFor(t *testing.T) {
	for name, change := range map[string]func(*handover.Message){
		"a recall of what does not stand there": func(m *handover.Message) { m.Action, m.References = handover.ActionRecall, "m-0" },
		"a test":                                func(m *handover.Message) { m.Test = true },
	} {
		t.Run(name, func(t *testing.T) {
			msg := message(handover.ClarificationAnswered{Answer: "Ja"})
			change(&msg)
			_, err := mapperOf(t).FromHandover(msg, place())
			require.Equal(t, fault.Park, fault.KindOf(err))
		})
	}
}

// What stands beside the content, a cancellation or a correction, is in the frame of the entry; the content is whole.
func TestRecallAndCorrection_NameTheEarlierEntryInTheFrame(t *testing.T) {
	for _, action := range []handover.Action{handover.ActionRecall, handover.ActionCorrection} {
		msg, at := message(handover.ClarificationAnswered{Answer: "Ja"}), place()
		msg.Action, msg.References, at.Earlier = action, "m-0", mapping.Earlier{Record: "E-3", Reference: "ab-0"}
		entry, err := mapperOf(t).FromHandover(msg, at)
		require.NoError(t, err)
		require.Equal(t, native.Entry{
			Reference: "ab-1", Kind: "antwort", Case: "D-7", CaseReference: "case-1", Organisation: "sd-kriens", Action: action, Refers: "E-3", Body: []byte(`{"antwort":"Ja"}`),
		}, entry)
		draft, err := mapperOf(t).ToHandover(native.Record{Kind: "antwort", Organisation: "sd-kriens", Action: action, Refers: "E-3", Body: entry.Body})
		require.NoError(t, err)
		require.Equal(t, action, draft.Action)
		require.Equal(t, native.RecordID("E-3"), draft.References)
	}
}

// The mock's own form says the procedure as the table does; both were written from the contract.
func TestFromHandover_SaysTheProcedureAsTheContractHasIt(t *testing.T) {
	for _, name := range []handover.Name{"transfer-meeting-recorded", "case-closed"} {
		for _, procedure := range []string{"REDUCED", "SUSPENDED", "FULL", ""} {
			f := variants(t)[1]
			f.Procedure = procedure
			payload, err := f.Payload(name)
			require.NoError(t, err)
			at := place()
			at.Procedure = handover.Code(procedure)
			entry, err := mapperOf(t).FromHandover(message(payload), at)
			require.NoError(t, err)
			_, composed := mock.Compose(name, f)
			require.JSONEq(t, string(composed), string(entry.Body))
		}
	}
}

func TestToHandover_AnInternalNoteStaysInTheHouse(t *testing.T) {
	f := variants(t)[0]
	f.Deputy = &core.Contact{Name: "Ruth Odermatt"}
	kind, body := mock.Compose("application-submitted", f)
	require.Contains(t, string(body), "Schrank 3")
	draft, err := mapperOf(t).ToHandover(native.Record{Kind: kind, Organisation: "sd-kriens", Body: body})
	require.NoError(t, err)
	canonical, err := handover.EncodePayload(draft.Payload)
	require.NoError(t, err)
	require.NotContains(t, string(canonical), "Schrank 3")
}

func TestToHandover_FindingsNameTheNativeFieldAndNoValue(t *testing.T) {
	m := mapperOf(t)
	for name, c := range map[string]struct{ kind, body, path, code string }{
		"unknown code":   {"rueckzug", `{"datum":"01.02.2026","grund":"Muster"}`, "grund", "unknown-code"},
		"unknown field":  {"antwort", `{"antwort":"Ja","neu":"Muster"}`, "neu", "unknown-field"},
		"no such day":    {"widerruf", `{"datum":"30.02.2026"}`, "datum", "date-format"},
		"ambiguous hour": {"standorttermin", `{"termin":"25.10.2026 02:30","treffpunkt":"Muster"}`, "termin", ""},
		"missing field":  {"kogu-mahnung", `{"gesuch":"Muster"}`, "ruecksendungBis", ""},
		"unknown kind":   {"notiz", `{"text":"Muster"}`, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := m.ToHandover(native.Record{Kind: native.Kind(c.kind), Organisation: "sd-kriens", Body: []byte(c.body)})
			require.Equal(t, fault.Park, fault.KindOf(err), "%v", err)
			require.Contains(t, err.Error(), c.path)
			require.NotContains(t, err.Error(), "Muster")
			if c.code == "" {
				return
			}
			var found fault.Findings
			require.ErrorAs(t, err, &found)
			require.Equal(t, c.path+" "+c.code, found[0].Path+" "+found[0].Code)
		})
	}
}
