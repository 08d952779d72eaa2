package casenet

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// connect returns the adapter on a server that answers as told.
func connect(t testing.TB, answer http.HandlerFunc) adapters.System {
	t.Helper()
	server := httptest.NewServer(answer)
	c := valid(t)
	c.URL = server.URL
	s, err := Factory{}.New("iiz", c)
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, s.Close())
		server.Close()
	})
	return s
}

// answering answers every request alike.
func answering(status int, media, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", media)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

const secretName = "Zwyssig-Béguelin"

func anEntry() native.Entry {
	return native.Entry{
		Reference: "6f1c2a34-0001", Kind: "query", Case: "C-1", CaseReference: "0b9f", Organisation: "rav-luzern",
		Body: []byte(`{"question":"Wohnt ` + secretName + ` noch in Kriens?"}`),
	}
}

func TestApply_TheContractsTableOfAnswers(t *testing.T) {
	exists := `{"title":"x","status":409,"code":"external-reference-exists","existing":{"caseId":"C-1","recordId":"R-7"}}`
	for name, c := range map[string]struct {
		status      int
		media, body string
		kind        fault.Kind
		code        string
		receipt     native.Receipt
	}{
		"created":               {201, jsonType, `{"caseId":"C-1","recordId":"R-7"}`, 0, "", native.Receipt{Record: "R-7", Case: "C-1"}},
		"created, more members": {201, jsonType + "; charset=utf-8", `{"caseId":"C-1","recordId":"R-7","at":1}`, 0, "", native.Receipt{Record: "R-7", Case: "C-1"}},
		"stood there already":   {409, problemType, exists, 0, "", native.Receipt{Record: "R-7", Case: "C-1", Joined: true}},
		"malformed":             {400, problemType, `{"code":"malformed"}`, fault.Refuse, "malformed", native.Receipt{}},
		"case unknown":          {404, problemType, `{"code":"case-unknown"}`, fault.Refuse, "case-unknown", native.Receipt{}},
		"case locked":           {409, problemType, `{"code":"case-locked"}`, fault.Refuse, "case-locked", native.Receipt{}},
		"too large":             {413, problemType, `{"code":"too-large"}`, fault.Refuse, "too-large", native.Receipt{}},
		"media type":            {415, problemType, `{"code":"media-type"}`, fault.Refuse, "media-type", native.Receipt{}},
		"content invalid":       {422, problemType, `{"code":"content-invalid"}`, fault.Refuse, "content-invalid", native.Receipt{}},
		"token":                 {401, problemType, `{"code":"unauthenticated"}`, fault.Stop, "unauthorized", native.Receipt{}},
		"right":                 {403, problemType, `{"code":"forbidden"}`, fault.Stop, "forbidden", native.Receipt{}},
		"too many":              {429, "text/html", `<p>slow down`, fault.Retry, "too-many-requests", native.Receipt{}},
		"not processed":         {503, problemType, `{"code":"not-processed"}`, fault.Retry, "not-processed", native.Receipt{}},
		"503 of a proxy":        {503, "text/html", `<p>no backend`, fault.Doubt, "unlisted-answer", native.Receipt{}},
		"503 with other code":   {503, problemType, `{"code":"overload"}`, fault.Doubt, "unlisted-answer", native.Receipt{}},
		"503 as plain JSON":     {503, jsonType, `{"code":"not-processed"}`, fault.Doubt, "unlisted-answer", native.Receipt{}},
		"500":                   {500, problemType, `{"code":"not-processed"}`, fault.Doubt, "unlisted-answer", native.Receipt{}},
		"504":                   {504, "text/html", ``, fault.Doubt, "unlisted-answer", native.Receipt{}},
		"200":                   {200, jsonType, `{"caseId":"C-1","recordId":"R-7"}`, fault.Doubt, "unlisted-answer", native.Receipt{}},
		"204":                   {204, "", ``, fault.Doubt, "unlisted-answer", native.Receipt{}},
		"409 without code":      {409, problemType, `{"title":"x"}`, fault.Doubt, "unlisted-answer", native.Receipt{}},
		"409 no problem":        {409, jsonType, exists, fault.Doubt, "unlisted-answer", native.Receipt{}},
		"409 names nothing":     {409, problemType, `{"code":"external-reference-exists"}`, fault.Doubt, "receipt", native.Receipt{}},
		"409 names null":        {409, problemType, `{"code":"external-reference-exists","existing":null}`, fault.Doubt, "receipt", native.Receipt{}},
		"409 names half":        {409, problemType, `{"code":"external-reference-exists","existing":{"caseId":"C-1"}}`, fault.Doubt, "receipt", native.Receipt{}},
		"409 names other case":  {409, problemType, strings.Replace(exists, "C-1", "C-2", 1), fault.Doubt, "other-case", native.Receipt{}},
		"201 cut":               {201, jsonType, `{"caseId":"C-1","rec`, fault.Doubt, "receipt", native.Receipt{}},
		"201 empty":             {201, jsonType, ``, fault.Doubt, "receipt", native.Receipt{}},
		"201 in HTML":           {201, "text/html", `{"caseId":"C-1","recordId":"R-7"}`, fault.Doubt, "receipt", native.Receipt{}},
		"201 with odd id":       {201, jsonType, `{"caseId":"C-1","recordId":"../R"}`, fault.Doubt, "receipt", native.Receipt{}},
		"201 for other case":    {201, jsonType, `{"caseId":"C-2","recordId":"R-7"}`, fault.Doubt, "other-case", native.Receipt{}},
		"201 says it twice":     {201, jsonType, `{"caseId":"C-1","recordId":"R-7","recordId":"R-8"}`, fault.Doubt, "receipt", native.Receipt{}},
		"422 of a proxy":        {422, "text/html", `no`, fault.Doubt, "unlisted-answer", native.Receipt{}},
		"404 of a proxy":        {404, "text/html", `no`, fault.Doubt, "unlisted-answer", native.Receipt{}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := connect(t, answering(c.status, c.media, c.body)).Sink.Apply(t.Context(), anEntry())
			require.Equal(t, c.receipt, got)
			if c.kind == 0 {
				require.NoError(t, err)
				return
			}
			require.Equal(t, c.kind, fault.KindOf(err), err)
			require.Equal(t, c.code, fault.CodeOf(err))
			require.True(t, strings.HasPrefix(err.Error(), "iiz.apply: "), err)
		})
	}
}

func TestApply_RedirectsAreNotFollowed(t *testing.T) {
	for _, status := range []int{301, 302, 303, 307, 308} {
		var requests atomic.Int32
		s := connect(t, func(w http.ResponseWriter, r *http.Request) {
			requests.Add(1)
			http.Redirect(w, r, "/elsewhere", status)
		})
		_, err := s.Sink.Apply(t.Context(), anEntry())
		require.Equal(t, fault.Doubt, fault.KindOf(err))
		require.EqualValues(t, 1, requests.Load())
	}
}

// Fault 61.
func TestApply_ACutAnswerIsDoubtAndNothingIsSentAgain(t *testing.T) {
	var requests atomic.Int32
	s := connect(t, func(http.ResponseWriter, *http.Request) { requests.Add(1); panic(http.ErrAbortHandler) })
	_, err := s.Sink.Apply(t.Context(), anEntry())
	require.Equal(t, fault.Doubt, fault.KindOf(err))
	require.EqualValues(t, 1, requests.Load())
}

func TestApply_ARefusalNamesPlacesAndNoValues(t *testing.T) {
	body := `{"code":"content-invalid","title":"` + secretName + `","detail":"` + secretName + `","findings":[
		{"path":"content.client.birthDate","code":"missing"},{"path":"content.attendees[1].role","code":"unknown-code"},
		{"path":"` + secretName + `","code":"format"},{"path":"content.note","code":"` + secretName + `"}]}`
	_, err := connect(t, answering(422, problemType, body)).Sink.Apply(t.Context(), anEntry())
	require.ErrorContains(t, err, "content.client.birthDate: ")
	require.ErrorContains(t, err, "content.attendees[1].role: ")
	require.NotContains(t, err.Error(), "Zwyssig")
	require.NotContains(t, err.Error(), "Kriens")
}

func TestApply_WhatIsSent(t *testing.T) {
	var path, body string
	var header http.Header
	s := connect(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		path, body, header = r.Method+" "+r.URL.Path, string(b), r.Header
		answering(201, jsonType, `{"caseId":"C-1","recordId":"R-7"}`)(w, r)
	})
	_, err := s.Sink.Apply(t.Context(), anEntry())
	require.NoError(t, err)
	require.Equal(t, "POST /api/cases/C-1/records", path)
	require.JSONEq(t, `{"externalReference":"6f1c2a34-0001","enteredFor":"rav-luzern","kind":"query","content":{"question":"Wohnt `+secretName+` noch in Kriens?"}}`, body)
	require.Equal(t, "Bearer token", header.Get("Authorization"))
	require.Equal(t, []string{jsonType}, header["Content-Type"])
	require.Empty(t, header.Get("Idempotency-Key"))
	opening := anEntry()
	opening.Case = ""
	_, err = s.Sink.Apply(t.Context(), opening)
	require.NoError(t, err)
	require.Equal(t, "POST /api/cases", path)
	require.Contains(t, body, `"caseReference":"0b9f"`)
}

func TestApply_AnEntryThatIsNoJSONIsNotSent(t *testing.T) {
	s := connect(t, func(http.ResponseWriter, *http.Request) { t.Error("sent") })
	e := anEntry()
	e.Body = []byte(`{"question":"` + secretName)
	_, err := s.Sink.Apply(t.Context(), e)
	require.Equal(t, "entry-format", fault.CodeOf(err))
	require.NotContains(t, err.Error(), secretName)
}

func TestApply_WhatCannotBeSaidOfAnEarlierRecordIsNotSent(t *testing.T) {
	s := connect(t, func(http.ResponseWriter, *http.Request) { t.Error("sent") })
	for name, change := range map[string]func(*native.Entry){
		"a recall of nothing":    func(e *native.Entry) { e.Action = handover.ActionRecall },
		"an unknown action":      func(e *native.Entry) { e.Action, e.Refers = "delete", "R-1" },
		"no action":              func(e *native.Entry) { e.Refers = "R-1" },
		"an opening that amends": func(e *native.Entry) { e.Case, e.Action, e.Refers = "", handover.ActionCorrection, "R-1" },
		"an id of a path":        func(e *native.Entry) { e.Action, e.Refers = handover.ActionCorrection, "../R-1" },
	} {
		e := anEntry()
		change(&e)
		_, err := s.Sink.Apply(t.Context(), e)
		require.Equal(t, "entry-format", fault.CodeOf(err), name)
		require.Equal(t, fault.Park, fault.KindOf(err), name)
	}
}

func TestApply_ARecallSaysWhatItIsAbout(t *testing.T) {
	var body string
	s := connect(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		body = string(b)
		answering(201, jsonType, `{"caseId":"C-1","recordId":"R-7"}`)(w, r)
	})
	e := anEntry()
	e.Action, e.Refers = handover.ActionRecall, "R-3"
	_, err := s.Sink.Apply(t.Context(), e)
	require.NoError(t, err)
	require.JSONEq(t, `{"externalReference":"6f1c2a34-0001","enteredFor":"rav-luzern","kind":"query","amends":{"action":"recall","recordId":"R-3"},
		"content":{"question":"Wohnt `+secretName+` noch in Kriens?"}}`, body)
}

func TestDocuments_EveryAnswerIsJudgedByTheContract(t *testing.T) {
	problem := func(code string) string { return `{"title":"x","status":400,"code":"` + code + `"}` }
	for name, c := range map[string]struct {
		status            int
		media, body       string
		put, open         fault.Kind
		putCode, openCode string
	}{
		"stored":            {201, "", ``, 0, fault.Retry, "", "status"},
		"stood already":     {409, problemType, problem("document-exists"), 0, fault.Retry, "", "document-exists"},
		"another conflict":  {409, problemType, problem("locked"), fault.Retry, fault.Retry, "unlisted-answer", "locked"},
		"200":               {204, "", ``, fault.Retry, fault.Retry, "unlisted-answer", "status"},
		"refused":           {422, problemType, problem("hash-mismatch"), fault.Refuse, fault.Retry, "hash-mismatch", "hash-mismatch"},
		"too large":         {413, problemType, problem("too-large"), fault.Refuse, fault.Retry, "too-large", "too-large"},
		"too large for one": {413, "text/html", `x`, fault.Retry, fault.Retry, "unlisted-answer", "status"},
		"unknown":           {404, problemType, problem("document-unknown"), fault.Retry, fault.Park, "unlisted-answer", adapters.DocumentMissing},
		"404 of a proxy":    {404, "text/html", `x`, fault.Retry, fault.Retry, "unlisted-answer", "status"},
		"not processed":     {503, problemType, problem("not-processed"), fault.Retry, fault.Retry, "unlisted-answer", "not-processed"},
		"not let in":        {403, problemType, problem("forbidden"), fault.Stop, fault.Stop, "forbidden", "forbidden"},
	} {
		t.Run(name, func(t *testing.T) {
			s := connect(t, answering(c.status, c.media, c.body)).Documents
			d := handover.Document{SHA256: strings.Repeat("0", 64), Size: 1}
			err := s.PutDocument(t.Context(), d, strings.NewReader("x"))
			if c.putCode == "" {
				require.NoError(t, err)
			} else {
				require.Equal(t, c.put, fault.KindOf(err), err)
				require.Equal(t, c.putCode, fault.CodeOf(err))
			}
			_, err = s.OpenDocument(t.Context(), d.SHA256)
			require.Equal(t, c.open, fault.KindOf(err), err)
			require.Equal(t, c.openCode, fault.CodeOf(err))
		})
	}
}

func TestDocuments_WhatIsNoneIsNotSent(t *testing.T) {
	s := connect(t, func(http.ResponseWriter, *http.Request) { t.Error("sent") }).Documents
	for _, d := range []handover.Document{
		{SHA256: strings.Repeat("0", 63), Size: 1}, {SHA256: strings.Repeat("A", 64), Size: 1}, {SHA256: strings.Repeat("0", 64)}, {SHA256: strings.Repeat("0", 64), Size: handover.DocumentLimit + 1},
	} {
		require.Equal(t, fault.Refuse, fault.KindOf(s.PutDocument(t.Context(), d, strings.NewReader("x"))))
	}
	_, err := s.OpenDocument(t.Context(), "../platform")
	require.Equal(t, adapters.DocumentMissing, fault.CodeOf(err))
}

func TestPing_SaysWhetherThePlatformIsTheRightOne(t *testing.T) {
	for name, c := range map[string]struct {
		status      int
		media, body string
		kind        fault.Kind
	}{
		"right":         {200, jsonType, `{"platform":"x","contract":"casenet/1"}`, 0},
		"newer":         {200, jsonType, `{"platform":"x","contract":"casenet/2"}`, fault.Stop},
		"other service": {200, "text/html", `<html>`, fault.Stop},
		"not there":     {404, "text/html", ``, fault.Stop},
		"no right":      {401, problemType, `{}`, fault.Stop},
		"busy":          {503, problemType, `{"code":"not-processed"}`, fault.Retry},
	} {
		t.Run(name, func(t *testing.T) {
			err := connect(t, answering(c.status, c.media, c.body)).Ping(t.Context())
			if c.kind == 0 {
				require.NoError(t, err)
				return
			}
			require.Equal(t, c.kind, fault.KindOf(err), err)
		})
	}
}
