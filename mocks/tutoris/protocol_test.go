package tutoris

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	contract "github.com/einmal-hub/einmal/contracts/native/tutoris"
	"github.com/einmal-hub/einmal/mocks/core"
)

// revising makes a content one that recalls or corrects an entry.
func revising(body []byte, action string, refers native.RecordID) []byte {
	s := strings.Replace(string(body), "<h:action>1<", "<h:action>"+action+"<", 1)
	return []byte(strings.Replace(s, "</h:messageId>", "</h:messageId><h:referenceMessageId>"+string(refers)+"</h:referenceMessageId>", 1))
}

// add hands a content over for the first dossier and returns the number of its entry, or why there is none.
func add(t *testing.T, m *Mock, kind native.Kind, body []byte) (native.RecordID, string) {
	t.Helper()
	deliverContent(t, m, contract.Delivery{Reference: "a", Attempt: int(m.run) + 2}, "D-00001", kind, body) //nolint:gosec // a small number
	require.NoError(t, m.Night(t.Context()))
	require.Len(t, m.receipts, 1)
	r := m.receipts[0]
	require.NoError(t, m.Morning(t.Context()))
	return r.record, r.reason
}

// opened is a service with one dossier, whose first entry is T0000001.
func opened(t *testing.T) *Mock {
	t.Helper()
	m := open(t, Options{})
	deliver(t, m, contract.Delivery{Reference: "a", Attempt: 1}, "", "application-submitted")
	require.NoError(t, m.Night(t.Context()))
	require.NoError(t, m.Morning(t.Context()))
	require.Equal(t, 1, m.Store().Len())
	return m
}

func TestRecallAndCorrectionNameAnEntryThatTheyCanBeAbout(t *testing.T) {
	m := opened(t)
	f := facts(7)
	kind, decision := Compose("application-decided", f)
	second, reason := add(t, m, kind, decision)
	require.Empty(t, reason)
	f.Receiving = "rav-sursee"
	_, foreign := Compose("application-decided", f)
	for name, body := range map[string][]byte{
		"unknown": revising(decision, "3", "T9"), "another kind": revising(decision, "4", "T0000001"), "another sender": revising(foreign, "4", second),
	} {
		_, reason := add(t, m, kind, body)
		require.Equal(t, contract.ReasonUnknownEntry, reason, name)
	}
	_, reason = add(t, m, kind, []byte(strings.Replace(string(decision), "<h:action>1<", "<h:action>3<", 1)))
	require.Equal(t, contract.ReasonInvalidContent, reason, "without a number")
	corrected, reason := add(t, m, kind, revising(decision, "4", second))
	require.Empty(t, reason)
	recall, reason := add(t, m, kind, revising(decision, "3", corrected))
	require.Empty(t, reason, "a recall may name a correction")
	e, _ := m.Store().Entry(recall)
	require.Equal(t, handover.ActionRecall, e.Action)
	require.Equal(t, corrected, e.Refers)
	for _, refers := range []native.RecordID{second, corrected, recall} {
		_, reason := add(t, m, kind, revising(decision, "4", refers))
		require.Equal(t, contract.ReasonUnknownEntry, reason, "what was recalled, and a recall, stays so")
	}
}

func TestAnApplicationIsCorrectedInItsDossier(t *testing.T) {
	m := opened(t)
	_, application := Compose("application-submitted", facts(7))
	_, reason := add(t, m, "TU01", application)
	require.Equal(t, contract.ReasonOpening, reason)
	_, reason = add(t, m, "TU01", revising(application, "4", "T0000001"))
	require.Empty(t, reason)
	_, reason = add(t, m, "TU01", []byte(strings.Replace(string(revising(application, "4", "T0000001")), "<zuweisendeStelle>sd-kriens", "<zuweisendeStelle>sd-horw", 1)))
	require.Equal(t, contract.ReasonRule, reason)
	deliverContent(t, m, contract.Delivery{Reference: "b", Attempt: 1}, "", "TU01", revising(application, "4", "T0000001"))
	require.NoError(t, m.Night(t.Context()))
	require.Equal(t, contract.ReasonNotOpening, m.receipts[0].reason, "a correction opens nothing")
	m.receipts = nil
	_, reason = add(t, m, "TU01", revising(application, "3", "T0000001"))
	require.Empty(t, reason)
	require.Equal(t, 3, m.Store().Len())
}

func TestTheCheckOfAnApplicationIsAReport(t *testing.T) {
	m := opened(t)
	for seed := range uint64(20) {
		kind, body := Compose("application-checked", facts(seed))
		_, reason := add(t, m, kind, body)
		require.Empty(t, reason)
		for _, wrong := range [][2]string{
			{"action>8<", "action>9<"}, {"action>9<", "action>8<"}, {"action>9<", "action>1<"}, {"ergebnis>zurueckgewiesen<", "ergebnis>weitergeleitet<"},
			{"ergebnis>weitergeleitet<", "ergebnis>zurueckgewiesen<"},
		} {
			if changed := strings.Replace(string(body), wrong[0], wrong[1], 1); changed != string(body) {
				require.Error(t, m.Validate(kind, []byte(changed)))
			}
		}
	}
	kind, question := Compose("clarification-requested", facts(7))
	require.Error(t, m.Validate(kind, []byte(strings.Replace(string(question), "action>1<", "action>8<", 1))), "nothing else is a report")
}

func TestNoEntryStandsWithoutItsDocuments(t *testing.T) {
	m := opened(t)
	f := facts(7)
	path := filepath.Join(m.options.Folder, contract.Documents, f.Documents[0].SHA256())
	kind, reply := Compose("clarification-answered", f)
	_, reason := add(t, m, kind, reply)
	require.Empty(t, reason, "what it names lies there")
	_, reason = add(t, m, kind, []byte(strings.Replace(string(reply), "<groesse>", "<groesse>1", 1)))
	require.Equal(t, contract.ReasonNoDocument, reason)
	require.NoError(t, os.WriteFile(path, bytes.ToUpper(f.Documents[0].Content), 0o600))
	_, reason = add(t, m, kind, reply)
	require.Equal(t, contract.ReasonNoDocument, reason, "other bytes of the same size")
	require.NoError(t, os.Remove(path))
	_, reason = add(t, m, kind, reply)
	require.Equal(t, contract.ReasonNoDocument, reason)
	_, twice := Compose("clarification-answered", core.Facts{Assigning: f.Assigning, Receiving: f.Receiving, Answer: "x", Documents: append(f.Documents, f.Documents[0])})
	require.Error(t, m.Validate(kind, twice))
	require.Equal(t, 2, m.Store().Len())
}

// enters types a form at the desk, with its documents.
func enters(t *testing.T, m *Mock, c core.Typed) (int, string) {
	t.Helper()
	for _, d := range facts(7).Documents {
		require.NoError(t, m.Store().PutDocument(d.SHA256(), bytes.NewReader(d.Content)))
	}
	b, err := json.Marshal(c)
	require.NoError(t, err)
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/desk/entries", bytes.NewReader(b)))
	return w.Code, w.Body.String()
}

func TestWhatAClerkAttachesLiesThereBeforeItsExport(t *testing.T) {
	m := open(t, Options{})
	f := facts(7)
	kind, body := Compose("application-submitted", f)
	status, text := enters(t, m, core.Typed{Kind: kind, Organisation: "sd-kriens", Body: string(body)})
	require.Equal(t, http.StatusCreated, status, text)
	require.NoError(t, m.Morning(t.Context()))
	require.Equal(t, string(f.Documents[0].Content), m.text(t, contract.Documents, f.Documents[0].SHA256()))
	e, _ := m.Store().Entry("T0000001")
	require.Equal(t, core.Hashes(f.Documents), e.Documents)

	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodDelete, "/control/documents/"+f.Documents[0].SHA256(), nil))
	require.Equal(t, http.StatusNoContent, w.Code)
	require.NoFileExists(t, filepath.Join(m.options.Folder, contract.Documents, f.Documents[0].SHA256()))
	require.NoError(t, m.Reexport(1, 1), "an export that names what was lost comes all the same")
	require.ErrorIs(t, m.LoseDocument(f.Documents[0].SHA256()), core.ErrNoDocument)
}

func TestAClerkRecallsAtTheDeskAndCannotCheck(t *testing.T) {
	m := opened(t)
	kind, answer := Compose("clarification-answered", facts(7))
	status, text := enters(t, m, core.Typed{Case: "D-00001", Kind: kind, Organisation: "sd-kriens", Body: string(answer)})
	require.Equal(t, http.StatusCreated, status, text)
	recall := core.Typed{Case: "D-00001", Kind: kind, Organisation: "sd-kriens", Action: handover.ActionRecall, Refers: "T0000002", Body: string(answer)}
	wrong := recall
	wrong.Organisation = "sd-horw"
	status, _ = enters(t, m, wrong)
	require.Equal(t, http.StatusUnprocessableEntity, status)
	status, text = enters(t, m, recall)
	require.Equal(t, http.StatusCreated, status, text)
	e, _ := m.Store().Entry("T0000003")
	require.Contains(t, string(e.Body), "<h:referenceMessageId>T0000002</h:referenceMessageId>")
	require.NoError(t, m.Validate(e.Kind, e.Body))
	status, _ = enters(t, m, recall)
	require.Equal(t, http.StatusUnprocessableEntity, status, "once")
	kind, check := Compose("application-checked", facts(7))
	status, _ = enters(t, m, core.Typed{Case: "D-00001", Kind: kind, Organisation: "sd-kriens", Body: string(check)})
	require.Equal(t, http.StatusUnprocessableEntity, status)
}

func TestTheDossierShowsHowTheServiceLeadsItsOwnProceedings(t *testing.T) {
	m := opened(t)
	f := facts(7)
	require.Empty(t, m.Proceedings("D-00001"))
	f.Procedure = "REDUCED"
	kind, note := Compose("transfer-meeting-recorded", f)
	_, reason := add(t, m, kind, note)
	require.Empty(t, reason)
	require.Equal(t, "reduziert", m.Proceedings("D-00001"))
	f.Procedure = "FULL"
	kind, closure := Compose("case-closed", f)
	closed, reason := add(t, m, kind, closure)
	require.Empty(t, reason)
	require.Equal(t, "voll", m.Proceedings("D-00001"))
	f.Procedure = ""
	_, closure = Compose("case-closed", f)
	_, reason = add(t, m, kind, revising(closure, "3", closed))
	require.Empty(t, reason)
	require.Equal(t, "reduziert", m.Proceedings("D-00001"), "what was recalled is not in force")
}
