package casenet_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/mocks/casenet"
	"github.com/einmal-hub/einmal/mocks/core"
)

func TestWrite_RefusesWhatTheContractRefuses(t *testing.T) {
	w := open(t, casenet.Options{})
	key := w.opened("a1")
	w.Lock("C-2026-000099")
	_, application := casenet.Compose("application-submitted", facts(2))
	path, valid := frame("b2", key, "query", []byte(`{"question": "Warum?"}`))
	with := func(old, replacement string) []byte {
		return []byte(strings.Replace(string(valid), old, replacement, 1))
	}
	for name, c := range map[string]struct {
		path, media string
		body        []byte
		status      int
		code        string
		finding     string
	}{
		"no JSON":               {path: path, body: []byte("{"), status: 400, code: "malformed"},
		"repeated member":       {path: path, body: with(`"kind"`, `"kind": "query", "kind"`), status: 400, code: "malformed"},
		"invalid UTF-8":         {path: path, body: with("Warum", "Warum\xff"), status: 400, code: "malformed"},
		"two documents":         {path: path, body: append(append([]byte{}, valid...), "{}"...), status: 400, code: "malformed"},
		"no object":             {path: path, body: []byte(`[]`), status: 400, code: "malformed"},
		"other media type":      {path: path, media: "text/plain", body: valid, status: 415, code: "media-type"},
		"too large":             {path: path, body: with("Warum", strings.Repeat("x", 300_000)), status: 413, code: "too-large"},
		"unknown member":        {path: path, body: with(`"question"`, `"urgent": true, "question"`), status: 422, code: "content-invalid", finding: "content.urgent unknown-field"},
		"unknown frame member":  {path: path, body: with(`"kind"`, `"urgent": true, "kind"`), status: 422, code: "content-invalid", finding: "urgent unknown-field"},
		"missing member":        {path: path, body: with(`"question": "Warum?"`, ``), status: 422, code: "content-invalid", finding: "content.question missing"},
		"empty text":            {path: path, body: with(`Warum?`, ``), status: 422, code: "content-invalid", finding: "content.question missing"},
		"null":                  {path: path, body: with(`"Warum?"`, `null`), status: 422, code: "content-invalid", finding: "content.question wrong-type"},
		"too long":              {path: path, body: with("Warum", strings.Repeat("ü", 2001)), status: 422, code: "content-invalid", finding: "content.question too-long"},
		"control character":     {path: path, body: with("Warum", `\u0007`), status: 422, code: "content-invalid", finding: "content.question format"},
		"unknown kind":          {path: path, body: with(`"kind": "query"`, `"kind": "gossip"`), status: 422, code: "content-invalid", finding: "kind unknown-code"},
		"second application":    {path: path, body: []byte(strings.Replace(string(valid), `"kind": "query", "content": {"question": "Warum?"}`, `"kind": "application", "content": `+string(application), 1)), status: 422, code: "content-invalid", finding: "amends missing"},
		"no such day":           {path: path, body: with(`"question"`, `"replyUntil": "2026-02-30", "question"`), status: 422, code: "content-invalid", finding: "content.replyUntil format"},
		"malformed reference":   {path: path, body: with(`"b2"`, `"B2"`), status: 422, code: "content-invalid", finding: "externalReference format"},
		"unknown case":          {path: "/api/cases/C-2026-000077/records", body: valid, status: 404, code: "case-unknown"},
		"locked case":           {path: "/api/cases/C-2026-000099/records", body: valid, status: 409, code: "case-locked"},
		"known reference":       {path: path, body: with(`"b2"`, `"a1"`), status: 409, code: "external-reference-exists"},
		"reference before body": {path: "/api/cases", body: []byte(`{"externalReference": "a1"}`), status: 409, code: "external-reference-exists"},
	} {
		t.Run(name, func(t *testing.T) {
			media := c.media
			if media == "" {
				media = "application/json"
			}
			a := w.do(http.MethodPost, c.path, media, c.body)
			require.Equal(t, c.status, a.Status, string(a.raw))
			require.Equal(t, c.code, a.Code)
			if c.finding != "" {
				require.Len(t, a.Findings, 1, string(a.raw))
				require.Equal(t, c.finding, a.Findings[0].Path+" "+a.Findings[0].Code)
			}
			require.NotContains(t, string(a.raw), "Warum", "no value of the content")
		})
	}
	require.Equal(t, 1, w.Store().Len(), "nothing was written")
}

func TestWrite_RulesThatNoSchemaSays(t *testing.T) {
	w := open(t, casenet.Options{})
	for name, c := range map[string]struct {
		set  func(*core.Facts)
		want string
	}{
		"check digit":  {func(f *core.Facts) { f.Person.AHV = "7561234567890" }, "content.client.socialSecurityNumber: check-digit"},
		"known dummy":  {func(f *core.Facts) { f.Person.AHV = "7560000000002" }, "content.client.socialSecurityNumber: check-digit"},
		"consent late": {func(f *core.Facts) { f.ConsentGivenOn = "2026-12-31"; f.AppliedOn = "2026-01-05" }, "content.legalBasis.date: dates-reversed"},
	} {
		t.Run(name, func(t *testing.T) {
			f := facts(4)
			c.set(&f)
			kind, content := casenet.Compose("application-submitted", f)
			require.EqualError(t, w.Validate(kind, content), c.want)
		})
	}
	f := facts(4)
	f.MeasureTo, f.NextReviewOn = "2020-01-01", "2020-01-01"
	for message, want := range map[string]string{
		"measure-ordered": "content.period.to: dates-reversed", "transfer-meeting-recorded": "content.nextReview: dates-reversed",
		"review-meeting-recorded": "content.nextReview: dates-reversed",
	} {
		kind, content := casenet.Compose(handover.Name(message), f)
		require.EqualError(t, w.Validate(kind, content), want)
	}
}

func TestWrite_OneReferenceOneRecord(t *testing.T) {
	w := open(t, casenet.Options{})
	key := w.opened("a1")
	const writers = 16
	answers := make([]answer, writers)
	var wg sync.WaitGroup
	for i := range writers {
		wg.Go(func() { answers[i] = w.write("c3", key, "query", []byte(`{"question": "Wann?"}`)) })
	}
	wg.Wait()
	created := 0
	record := w.get("/api/records?after=1").Records[0].RecordID
	for _, a := range answers {
		if a.Status == http.StatusCreated {
			created++
			require.Equal(t, record, a.RecordID)
			continue
		}
		require.Equal(t, http.StatusConflict, a.Status)
		require.Equal(t, "external-reference-exists", a.Code)
		require.Equal(t, record, a.Existing.RecordID)
		require.Equal(t, key, a.Existing.CaseID)
	}
	require.Equal(t, 1, created)
	require.Equal(t, 2, w.Store().Len())
}

func TestAccess_NothingWithoutTheToken(t *testing.T) {
	w := open(t, casenet.Options{})
	for _, header := range []string{"", "Bearer wrong", "Basic " + token} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.url+"/api/records", nil)
		require.NoError(t, err)
		r.Header.Set("Authorization", header)
		res, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		require.Equal(t, http.StatusUnauthorized, res.StatusCode)
	}
	require.Equal(t, http.StatusOK, w.get("/api/platform").Status)
}

func TestFeed_CommitOrderWithoutGapsOrRepetition(t *testing.T) {
	w := open(t, casenet.Options{})
	key := w.opened("a1")
	for i := range 24 {
		require.Equal(t, http.StatusCreated, w.write(fmt.Sprintf("d%x", i), key, "queryReply", []byte(`{"reply": "Morgen"}`)).Status)
	}
	var seen []uint64
	for after := uint64(0); ; {
		a := w.get(fmt.Sprintf("/api/records?after=%d&limit=10", after))
		require.Equal(t, http.StatusOK, a.Status)
		for _, r := range a.Records {
			seen = append(seen, r.Sequence)
		}
		require.Equal(t, len(seen) < 25, a.More)
		if after = a.Next; !a.More {
			break
		}
	}
	require.Len(t, seen, 25)
	for i, n := range seen {
		require.Equal(t, uint64(i)+1, n)
	}
	end := w.get("/api/records?after=25")
	require.Empty(t, end.Records)
	require.Equal(t, uint64(25), end.Next)
}

func TestFeed_RefusesPositionsThatItNeverGave(t *testing.T) {
	w := open(t, casenet.Options{})
	require.Equal(t, "position-unknown", w.get("/api/records?after=1").Code)
	for _, query := range []string{"after=-1", "after=x", "limit=0", "limit=201", "after=1&after=2"} {
		require.Equal(t, "malformed", w.get("/api/records?"+query).Code, query)
	}
}

func TestFeed_PageStaysBelowItsLimit(t *testing.T) {
	w := open(t, casenet.Options{})
	w.opened("a1")
	long := strings.Repeat("\\u00fc", 2000) // 12 KiB in its longest spelling
	for range 200 {
		_, _, err := w.Store().Write(t.Context(), core.Write{
			Case: "C-2026-000001", Kind: "query", Organisation: "sd-kriens", By: core.ByClerk,
			Body: []byte(`{"question": "` + long + `", "note": "` + long + `"}`),
		})
		require.NoError(t, err)
	}
	a := w.get("/api/records?limit=200")
	require.True(t, a.More)
	require.Less(t, len(a.raw), 4<<20)
	require.Greater(t, len(a.Records), 100)
}

func TestFaults_RejectedBeforeAnyWriteIsSaidAsTheContractSays(t *testing.T) {
	w := open(t, casenet.Options{})
	w.Dice().Script(core.OpWrite, core.FaultError, 1)
	_, content := casenet.Compose("application-submitted", facts(1))
	a := w.write("a1", "", "application", content)
	require.Equal(t, http.StatusServiceUnavailable, a.Status)
	require.Equal(t, "not-processed", a.Code)
	require.Zero(t, w.Store().Len())
}

func TestDesk_ClerksEnterWithoutReference(t *testing.T) {
	w := open(t, casenet.Options{})
	a := w.post("/desk/entries", []byte(`{"kind": "query", "organisation": "rav-luzern", "case": "`+w.opened("a1")+`", "body": "{\"question\": \"Wo?\"}"}`))
	require.Equal(t, http.StatusCreated, a.Status, string(a.raw))
	require.Empty(t, w.get("/api/records?after=1").Records[0].ExternalReference)
	bad := w.post("/desk/entries", []byte(`{"kind": "query", "organisation": "rav-luzern", "case": "", "body": "{}"}`))
	require.Equal(t, http.StatusUnprocessableEntity, bad.Status)
}
