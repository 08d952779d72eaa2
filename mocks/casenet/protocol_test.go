package casenet_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/mocks/casenet"
	"github.com/einmal-hub/einmal/mocks/core"
)

func paper(content string) core.Document {
	return core.Document{Name: "Beilage.pdf", MediaType: "application/pdf", Content: []byte(content)}
}

func (w world) put(hash, content string) answer {
	w.t.Helper()
	return w.do(http.MethodPut, "/api/documents/"+hash, "application/octet-stream", []byte(content))
}

func TestDocuments_StandUnderTheirHashAndOnlyThere(t *testing.T) {
	w := open(t, casenet.Options{})
	d := paper("eins")
	at := "/api/documents/" + d.SHA256()
	require.Equal(t, "document-unknown", w.get(at).Code)
	for _, c := range []struct {
		hash, media, content, code string
		status                     int
	}{
		{d.SHA256(), "application/octet-stream", "zwei", "hash-mismatch", 422}, {d.SHA256(), "application/octet-stream", "", "hash-mismatch", 422},
		{strings.ToUpper(d.SHA256()), "application/octet-stream", "eins", "hash-mismatch", 422}, {d.SHA256(), "text/plain", "eins", "media-type", 415},
		{d.SHA256(), "application/octet-stream", strings.Repeat("x", handover.DocumentLimit+1), "too-large", 413},
	} {
		a := w.do(http.MethodPut, "/api/documents/"+c.hash, c.media, []byte(c.content))
		require.Equal(t, c.code, a.Code)
		require.Equal(t, c.status, a.Status)
	}
	require.Empty(t, w.Store().Documents())
	require.Equal(t, http.StatusCreated, w.put(d.SHA256(), "eins").Status)
	again := w.put(d.SHA256(), "eins")
	require.Equal(t, http.StatusConflict, again.Status)
	require.Equal(t, "document-exists", again.Code)
	require.Equal(t, "eins", string(w.get(at).raw))
	w.Dice().Script(core.OpWrite, core.FaultError, 1)
	require.Equal(t, "not-processed", w.put(paper("zwei").SHA256(), "zwei").Code)
	require.Equal(t, []string{d.SHA256()}, w.Store().Documents())
	require.NoError(t, w.Store().LoseDocument(d.SHA256()))
	require.Equal(t, "document-unknown", w.get(at).Code)
}

func TestWrite_ARecordNeverStandsWithoutItsDocuments(t *testing.T) {
	w := open(t, casenet.Options{})
	f := facts(1)
	f.Documents = []core.Document{paper("eins"), paper("zwei")}
	kind, content := casenet.Compose("application-submitted", f)
	w.put(f.Documents[0].SHA256(), "eins")
	refused := w.write("a1", "", string(kind), content)
	require.Equal(t, 422, refused.Status)
	require.Equal(t, "document-unknown", refused.Code)
	require.Zero(t, w.Store().Len())
	w.put(f.Documents[1].SHA256(), "zwei")
	require.Equal(t, http.StatusCreated, w.write("a1", "", string(kind), content).Status)
	require.Equal(t, core.Hashes(f.Documents), w.Store().After(0, 0)[0].Documents)
	f.Documents = append(f.Documents, f.Documents[0])
	kind, content = casenet.Compose("application-submitted", f)
	require.Equal(t, []struct{ Path, Code string }{{"content.documents[2].sha256", "repeated"}}, w.write("a2", "", string(kind), content).Findings)
}

func TestWrite_WhatIsAmendedIsARecordOfTheSameCaseAndKind(t *testing.T) {
	w := open(t, casenet.Options{})
	kind, content := casenet.Compose("application-submitted", facts(1))
	opened, elsewhere := w.write("a1", "", string(kind), content), w.write("a2", "", string(kind), content)
	amend := func(ref, kind, action, record string, content []byte) answer {
		path, body := frame(ref, opened.CaseID, kind, content)
		return w.post(path, []byte(strings.Replace(string(body), `"kind"`, fmt.Sprintf(`"amends": {"action": %q, "recordId": %q}, "kind"`, action, record), 1)))
	}
	for name, a := range map[string]answer{
		"an unknown record": amend("b1", "application", "recall", "R-0", content), "a record of another case": amend("b1", "application", "recall", elsewhere.RecordID, content),
		"another kind": amend("b1", "query", "correction", opened.RecordID, []byte(`{"question":"Ja?"}`)),
	} {
		require.Equal(t, 422, a.Status, name)
		require.Equal(t, "amended-record-unknown", a.Code, name)
	}
	require.Equal(t, "content-invalid", amend("b1", "application", "delete", opened.RecordID, content).Code)
	for i, action := range []string{"correction", "recall"} {
		require.Equal(t, http.StatusCreated, amend(fmt.Sprintf("c%d", i), "application", action, opened.RecordID, content).Status)
		require.Equal(t, handover.Action(action), w.Store().After(uint64(2+i), 0)[0].Action)
	}
	require.Contains(t, string(w.get("/api/records?after=2").raw), `"amends":{"action":"recall","recordId":"`+opened.RecordID+`"}`)
}

func TestDesk_ShowsHowTheApplicantLeadsItsOwnProcedure(t *testing.T) {
	w := open(t, casenet.Options{})
	kind, content := casenet.Compose("application-submitted", facts(1))
	key := w.write("a1", "", string(kind), content).CaseID
	shown := func() string { return string(w.get("/desk/cases/" + key + "/state").raw) }
	require.JSONEq(t, `{"procedure":"full"}`, shown())
	require.Equal(t, http.StatusNotFound, w.get("/desk/cases/C-0/state").Status)
	for i, step := range []struct {
		message          handover.Name
		procedure, shown string
	}{{"transfer-meeting-recorded", "REDUCED", "reduced"}, {"clarification-answered", "", "reduced"}, {"case-closed", "FULL", "full"}, {"transfer-meeting-recorded", "SUSPENDED", "suspended"}} {
		f := facts(1)
		f.Procedure = step.procedure
		kind, content := casenet.Compose(step.message, f)
		a := w.write(fmt.Sprintf("b%d", i), key, string(kind), content)
		require.Equal(t, http.StatusCreated, a.Status, string(a.raw))
		require.JSONEq(t, `{"procedure":"`+step.shown+`"}`, shown())
	}
}

func TestDesk_WhatEinmalAloneWritesIsNotTyped(t *testing.T) {
	w := open(t, casenet.Options{})
	kind, content := casenet.Compose("application-submitted", facts(1))
	key := w.write("a1", "", string(kind), content).CaseID
	typed := func(name handover.Name, f core.Facts) int {
		kind, body := casenet.Compose(name, f)
		hash := ""
		if len(f.Documents) > 0 {
			hash = fmt.Sprintf(`"documents":[%q],`, f.Documents[0].SHA256())
		}
		return w.post("/desk/entries", fmt.Appendf(nil, `{"case":%q,"kind":%q,"organisation":"sd-kriens",%s"body":%q}`, key, kind, hash, body)).Status
	}
	f := facts(1)
	f.Procedure = "FULL"
	require.Equal(t, 422, typed("application-checked", f))
	require.Equal(t, 422, typed("case-closed", f))
	f.Procedure, f.Documents = "", []core.Document{paper("eins")}
	require.Equal(t, 422, typed("case-closed", f), "not attached yet")
	require.Equal(t, http.StatusNoContent, w.do(http.MethodPut, "/desk/documents/"+f.Documents[0].SHA256(), "", []byte("eins")).Status)
	require.Equal(t, http.StatusCreated, typed("case-closed", f))
}

func TestContract_TheOutcomeOfAnAssessmentIsThatOfItsFindings(t *testing.T) {
	w := open(t, casenet.Options{})
	f := facts(1)
	f.CheckProfile, f.Findings = "p", []core.Finding{{Rule: "A", Severity: "REFUSE", Source: "B", Text: "C"}}
	for outcome, right := range map[string]bool{"RETURNED": true, "FORWARD": false} {
		f.CheckOutcome = outcome
		kind, content := casenet.Compose("application-checked", f)
		require.Equal(t, right, w.Validate(kind, content) == nil)
	}
}
