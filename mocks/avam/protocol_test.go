package avam

import (
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	contract "github.com/einmal-hub/einmal/contracts/native/avam"
	"github.com/einmal-hub/einmal/mocks/core"
)

// revising makes a content one that recalls or corrects an entry.
func revising(body []byte, action string, refers native.RecordID) []byte {
	s := strings.Replace(string(body), "<h:action>1<", "<h:action>"+action+"<", 1)
	return []byte(strings.Replace(s, "</h:messageId>", "</h:messageId><h:referenceMessageId>"+string(refers)+"</h:referenceMessageId>", 1))
}

// add appends an entry over the interface and returns its id, or what was wrong.
func add(t *testing.T, m *Mock, kind native.Kind, body []byte) (native.RecordID, string) {
	t.Helper()
	status, el := post(t, m, contract.AddEntry, adding(kind, body, "D00000001"), nil)
	if status != http.StatusOK {
		return "", fault(t, m, el)
	}
	return native.RecordID(own(el, "entryId")), ""
}

// opened is an office with one case, whose first entry is E0000000001.
func opened(t *testing.T) *Mock {
	t.Helper()
	m := office(t)
	_, application := Compose("application-submitted", facts(7))
	status, _ := post(t, m, contract.OpenCase, opening(application, "ab-1"), nil)
	require.Equal(t, http.StatusOK, status)
	return m
}

func TestInterface_RecallAndCorrectionNameAnEntryThatTheyCanBeAbout(t *testing.T) {
	m := opened(t)
	f := facts(7)
	kind, decision := Compose("application-decided", f)
	second, text := add(t, m, kind, decision)
	require.Empty(t, text)
	f.Receiving = "sd-horw"
	_, foreign := Compose("application-decided", f)
	for name, body := range map[string][]byte{
		"unknown": revising(decision, "3", "E9"), "another kind": revising(decision, "4", "E0000000001"), "another sender": revising(foreign, "4", second),
	} {
		_, text := add(t, m, kind, body)
		require.Equal(t, "refused unknownEntry", text, name)
	}
	_, text = add(t, m, kind, []byte(strings.Replace(string(decision), "<h:action>1<", "<h:action>3<", 1)))
	require.Contains(t, text, "invalidContent", "without a number")
	corrected, text := add(t, m, kind, revising(decision, "4", second))
	require.Empty(t, text)
	recall, text := add(t, m, kind, revising(decision, "3", corrected))
	require.Empty(t, text, "a recall may name a correction")
	e, _ := m.Store().Entry(recall)
	require.Equal(t, handover.ActionRecall, e.Action)
	require.Equal(t, corrected, e.Refers)
	for _, refers := range []native.RecordID{second, corrected, recall} {
		_, text := add(t, m, kind, revising(decision, "4", refers))
		require.Equal(t, "refused unknownEntry", text, "what was recalled, and a recall, stays so")
	}
}

func TestInterface_AnApplicationIsCorrectedInItsCase(t *testing.T) {
	m := opened(t)
	f := facts(7)
	_, application := Compose("application-submitted", f)
	_, text := add(t, m, "OPT01", application)
	require.Equal(t, "refused opening", text)
	_, text = add(t, m, "OPT01", revising(application, "4", "E0000000001"))
	require.Empty(t, text)
	_, text = add(t, m, "OPT01", []byte(strings.Replace(string(revising(application, "4", "E0000000001")), "<applicantOffice>rav-luzern", "<applicantOffice>rav-sursee", 1)))
	require.Equal(t, "refused rule", text)
	_, text = add(t, m, "OPT01", revising(application, "3", "E0000000001"))
	require.Empty(t, text)
	require.Equal(t, 3, m.Store().Len())
}

func TestInterface_TheCheckOfAnApplicationIsAReport(t *testing.T) {
	m := opened(t)
	for seed := range uint64(20) {
		kind, body := Compose("application-checked", facts(seed))
		_, text := add(t, m, kind, body)
		require.Empty(t, text)
		for _, wrong := range [][2]string{{"action>8<", "action>9<"}, {"action>9<", "action>8<"}, {"action>9<", "action>1<"}, {"<checkResult>Z<", "<checkResult>W<"}, {"<checkResult>W<", "<checkResult>Z<"}} {
			if changed := strings.Replace(string(body), wrong[0], wrong[1], 1); changed != string(body) {
				_, text := add(t, m, kind, []byte(changed))
				require.Contains(t, text, "refused invalidContent")
			}
		}
	}
	kind, inquiry := Compose("clarification-requested", facts(7))
	_, text := add(t, m, kind, []byte(strings.Replace(string(inquiry), "action>1<", "action>8<", 1)))
	require.Contains(t, text, "refused invalidContent", "nothing else is a report")
}

func storing(hash string, content []byte) string {
	return "<a:sha256>" + hash + "</a:sha256><a:content>" + base64.StdEncoding.EncodeToString(content) + "</a:content>"
}

func TestInterface_DocumentsStandUnderTheirHash(t *testing.T) {
	m := opened(t)
	d := facts(8).Documents[0]
	fetch := func() (int, string) {
		status, el := post(t, m, contract.FetchDocument, "<a:sha256>"+d.SHA256()+"</a:sha256>", nil)
		if status != http.StatusOK {
			return status, fault(t, m, el)
		}
		return status, own(el, "content")
	}
	_, text := fetch()
	require.Equal(t, "unknownDocument", text)
	for name, inner := range map[string]string{
		"refused wrongDocument": storing(d.SHA256(), d.Content[1:]),
		"refused invalidContent /Envelope/Body/storeDocument/content": "<a:sha256>" + d.SHA256() + "</a:sha256><a:content>====</a:content>",
		"refused invalidContent /Envelope/Body/storeDocument/sha256":  storing(strings.ToUpper(d.SHA256()), d.Content),
	} {
		_, el := post(t, m, contract.StoreDocument, inner, nil)
		require.Equal(t, name, fault(t, m, el))
	}
	for range 2 {
		status, el := post(t, m, contract.StoreDocument, storing(d.SHA256(), d.Content), nil)
		require.Equal(t, http.StatusOK, status)
		require.Equal(t, strconv.FormatInt(d.Size(), 10), own(el, "size"))
	}
	status, text := fetch()
	require.Equal(t, http.StatusOK, status)
	got, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
	require.NoError(t, err)
	require.Equal(t, d.Content, got)
}

func TestInterface_NoEntryStandsWithoutItsDocuments(t *testing.T) {
	m := opened(t)
	f := facts(7)
	kind, reply := Compose("clarification-answered", f)
	_, text := add(t, m, kind, reply)
	require.Empty(t, text, "what it names was stored")
	_, text = add(t, m, kind, []byte(strings.Replace(string(reply), "<size>", "<size>1", 1)))
	require.Contains(t, text, "refused missingDocument")
	_, twice := Compose("clarification-answered", core.Facts{Assigning: f.Assigning, Receiving: f.Receiving, Answer: "x", Documents: append(f.Documents, f.Documents[0])})
	_, text = add(t, m, kind, twice)
	require.Contains(t, text, "refused invalidContent")
	f.Documents = facts(8).Documents
	_, reply = Compose("clarification-answered", f)
	_, text = add(t, m, kind, reply)
	require.Contains(t, text, "refused missingDocument")
	require.Equal(t, 2, m.Store().Len())
}

func TestDesk_ClerkRecallsWithDocumentsThatTheContentNames(t *testing.T) {
	m := open(t, Options{})
	f := facts(7)
	kind, body := Compose("application-submitted", f)
	status, text := typed(t, m, core.Typed{Kind: kind, Organisation: "rav-luzern", Body: string(body)})
	require.Equal(t, http.StatusCreated, status, text)
	e, _ := m.Store().Entry("E0000000001")
	require.Equal(t, core.Hashes(f.Documents), e.Documents)
	recall := core.Typed{Case: "D00000001", Kind: kind, Organisation: "rav-luzern", Action: handover.ActionRecall, Refers: e.ID, Body: string(body)}
	for name, change := range map[string]func(*core.Typed){
		"unknown": func(c *core.Typed) { c.Refers = "E9" }, "another office": func(c *core.Typed) { c.Organisation = "rav-sursee" },
		"no action": func(c *core.Typed) { c.Action = "x" },
	} {
		wrong := recall
		change(&wrong)
		status, _ := typed(t, m, wrong)
		require.Equal(t, http.StatusUnprocessableEntity, status, name)
	}
	status, text = typed(t, m, recall)
	require.Equal(t, http.StatusCreated, status, text)
	got, _ := m.Store().Entry("E0000000002")
	require.Equal(t, handover.ActionRecall, got.Action)
	require.Equal(t, e.ID, got.Refers)
	require.Contains(t, string(got.Body), "<h:referenceMessageId>E0000000001</h:referenceMessageId>")
	require.Contains(t, string(got.Body), "<h:action>3</h:action>")
	require.NoError(t, m.Validate(got.Kind, got.Body))
	status, _ = typed(t, m, recall)
	require.Equal(t, http.StatusUnprocessableEntity, status, "once")
}

func TestTheCaseShowsHowTheOfficeLeadsItsOwnProceedings(t *testing.T) {
	m := opened(t)
	f := facts(7)
	require.Empty(t, m.Proceedings("D00000001"))
	f.Procedure = "REDUCED"
	kind, note := Compose("transfer-meeting-recorded", f)
	_, text := add(t, m, kind, note)
	require.Empty(t, text)
	require.Equal(t, "2", m.Proceedings("D00000001"))
	f.Procedure = "FULL"
	kind, closure := Compose("case-closed", f)
	closed, text := add(t, m, kind, closure)
	require.Empty(t, text)
	require.Equal(t, "1", m.Proceedings("D00000001"))
	f.Procedure = ""
	_, closure = Compose("case-closed", f)
	_, text = add(t, m, kind, revising(closure, "3", closed))
	require.Empty(t, text)
	require.Equal(t, "2", m.Proceedings("D00000001"), "what was recalled is not in force")
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/desk/cases/D00000001/state", nil))
	require.JSONEq(t, `{"procedure":"2"}`, w.Body.String())
	w = httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/desk/cases/D9/state", nil))
	require.Equal(t, http.StatusNotFound, w.Code)
}
