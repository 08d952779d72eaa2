package klib

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/stretchr/testify/require"
)

// says serves one fixed answer.
func says(t *testing.T, status int, media, body string) adapters.System {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", media)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(server.Close)
	return connect(t, server.URL)
}

const (
	jsonType    = "application/json"
	problemType = "application/problem+json"
)

// Fault 61.
func TestApply_EveryAnswerIsJudgedByTheContract(t *testing.T) {
	problem := func(code string) string { return `{"type":"about:blank","title":"x","status":0,"code":"` + code + `"}` }
	receiptOf := func(ref string) string {
		return `{"id":"E-1","dossier":"D-1","laufnummer":2,"externeReferenz":"` + ref + `"}`
	}
	for name, c := range map[string]struct {
		status      int
		media, body string
		kind        fault.Kind
		code        string
	}{
		"entered":                   {201, jsonType, receiptOf("ab-1"), 0, ""},
		"another reference":         {201, jsonType, receiptOf("ab-2"), fault.Doubt, "receipt-mismatch"},
		"another dossier":           {201, jsonType, strings.Replace(receiptOf("ab-1"), "D-1", "D-2", 1), fault.Doubt, "receipt-mismatch"},
		"no receipt":                {201, jsonType, "", fault.Doubt, "receipt-format"},
		"half a receipt":            {201, jsonType, `{"id":"E-1"`, fault.Doubt, "receipt-format"},
		"a receipt without id":      {201, jsonType, strings.Replace(receiptOf("ab-1"), "E-1", "", 1), fault.Doubt, "receipt-format"},
		"a receipt twice in one":    {201, jsonType, strings.Replace(receiptOf("ab-1"), `{`, `{"id":"E-2",`, 1), fault.Doubt, "receipt-format"},
		"a proxy's page":            {201, "text/html", "<html>", fault.Doubt, "receipt-format"},
		"200":                       {200, jsonType, receiptOf("ab-1"), fault.Doubt, "status-200"},
		"202":                       {202, jsonType, `{}`, fault.Doubt, "status-202"},
		"refused":                   {422, problemType, problem("dossier-unbekannt"), fault.Refuse, "dossier-unbekannt"},
		"refused by something else": {422, "text/html", "<html>", fault.Doubt, "status-422"},
		"refused without a code":    {422, problemType, `{"type":"about:blank"}`, fault.Doubt, "status-422"},
		"400":                       {400, problemType, problem("unlesbar"), fault.Doubt, "status-400"},
		"404":                       {404, problemType, problem("dossier-unbekannt"), fault.Doubt, "status-404"},
		"409":                       {409, problemType, problem("konflikt"), fault.Doubt, "status-409"},
		"429":                       {429, "text/plain", "slow down", fault.Retry, "too-many"},
		"503 not processed":         {503, problemType, problem("nicht-verarbeitet"), fault.Retry, "not-processed"},
		"503 of a proxy":            {503, "text/html", "<html>", fault.Doubt, "status-503"},
		"503 with another code":     {503, problemType, problem("wartung"), fault.Doubt, "status-503"},
		"502":                       {502, "text/html", "<html>", fault.Doubt, "status-502"},
		"401":                       {401, problemType, problem("nicht-angemeldet"), fault.Stop, "unauthorized"},
		"403":                       {403, problemType, problem("nicht-erlaubt"), fault.Stop, "forbidden"},
	} {
		t.Run(name, func(t *testing.T) {
			entry := native.Entry{Reference: "ab-1", Kind: "antwort", Case: "D-1", Organisation: stelle, Body: []byte(`{"antwort":"Ja"}`)}
			got, err := says(t, c.status, c.media, c.body).Sink.Apply(t.Context(), entry)
			if c.code == "" {
				require.NoError(t, err)
				require.Equal(t, native.Receipt{Record: "E-1", Case: "D-1"}, got)
				return
			}
			requireFault(t, err, c.kind, c.code)
			require.Zero(t, got)
		})
	}
}

func TestApply_WhatCannotBeWrittenIsNotSent(t *testing.T) {
	s := says(t, 201, jsonType, `{}`)
	for _, e := range []native.Entry{
		{Reference: "ab-1", Kind: "antwort", Case: "D-1", Organisation: stelle, Body: []byte(`{"antwort":`)},
		{Reference: "", Kind: "antwort", Case: "D-1", Organisation: stelle, Body: []byte(`{}`)},
		{Reference: "G", Kind: "antwort", Case: "D-1", Organisation: stelle, Body: []byte(`{}`)},
		{Reference: "ab-1", Kind: "antwort", Case: "D-1", Organisation: stelle, Action: handover.ActionRecall, Body: []byte(`{}`)},
		{Reference: "ab-1", Kind: "antwort", Case: "D-1", Organisation: stelle, Action: "delete", Refers: "E-1", Body: []byte(`{}`)},
		{Reference: "ab-1", Kind: "antwort", Case: "D-1", Organisation: stelle, Refers: "E-1", Body: []byte(`{}`)},
		{Reference: "ab-1", Kind: "anmeldung", Organisation: stelle, Action: handover.ActionRecall, Refers: "E-1", Body: []byte(`{}`)},
	} {
		_, err := s.Sink.Apply(t.Context(), e)
		requireFault(t, err, fault.Park, "entry-format")
	}
	_, err := s.Sink.Apply(t.Context(), native.Entry{Reference: "ab-1", Kind: "antwort", Case: "..", Organisation: stelle, Body: []byte(`{}`)})
	requireFault(t, err, fault.Park, "path-segment")
}

func TestFind_EveryAnswerIsJudgedByTheContract(t *testing.T) {
	const hit = `{"id":"E-1","dossier":"D-1","laufnummer":2,"externeReferenz":"ab-1"}`
	for name, c := range map[string]struct {
		status      int
		media, body string
		found       int
		code        string
	}{
		"nothing":               {200, jsonType, `{"treffer":[],"vollstaendig":true}`, 0, ""},
		"one":                   {200, jsonType, `{"treffer":[` + hit + `],"vollstaendig":true}`, 1, ""},
		"the same listed twice": {200, jsonType, `{"treffer":[` + hit + `,` + hit + `],"vollstaendig":true}`, 1, ""},
		"two":                   {200, jsonType, `{"treffer":[` + hit + `,` + strings.Replace(hit, "E-1", "E-2", 1) + `],"vollstaendig":true}`, 2, ""},
		"incomplete":            {200, jsonType, `{"treffer":[],"vollstaendig":false}`, 0, "search-incomplete"},
		"silent on it":          {200, jsonType, `{"treffer":[]}`, 0, "search-incomplete"},
		"no list":               {200, jsonType, `{"vollstaendig":true}`, 0, "search-format"},
		"empty":                 {200, jsonType, ``, 0, "search-format"},
		"a page":                {200, "text/html", `<html>`, 0, "search-format"},
		"something else":        {200, jsonType, `{"treffer":[` + strings.Replace(hit, "ab-1", "ab-2", 1) + `],"vollstaendig":true}`, 0, "search-format"},
		"404":                   {404, problemType, `{"code":"nicht-gefunden"}`, 0, "nicht-gefunden"},
		"500":                   {500, "text/plain", ``, 0, "status"},
	} {
		t.Run(name, func(t *testing.T) {
			found, err := says(t, c.status, c.media, c.body).Finder.Find(t.Context(), "ab-1")
			if c.code == "" {
				require.NoError(t, err)
				require.Len(t, found, c.found)
				return
			}
			requireFault(t, err, fault.Retry, c.code)
			require.Nil(t, found)
		})
	}
}

const entryJSON = `{"id":"E-1","dossier":"D-1","stelle":"sd-kriens","laufnummer":1,"erfasstAm":"2026-03-02T09:15:00.123+01:00","art":"antwort","inhalt":{"antwort":"x"}}`

func TestRead_WhatIsNoPageIsReadAgain(t *testing.T) {
	page := `{"eintraege":[` + entryJSON + `],"marke":"m1","weitere":false}`
	for name, c := range map[string]struct {
		status      int
		media, body string
		code        string
	}{
		"a proxy's page":        {200, "text/html", "<html>", "page-format"},
		"another media type":    {200, "text/plain", page, "page-format"},
		"empty":                 {200, jsonType, "", "page-format"},
		"null":                  {200, jsonType, "null", "page-format"},
		"cut":                   {200, jsonType, page[:len(page)-1], "page-format"},
		"something behind it":   {200, jsonType, page + "{}", "page-format"},
		"no mark":               {200, jsonType, `{"eintraege":[],"weitere":false}`, "page-format"},
		"mark of another form":  {200, jsonType, `{"eintraege":[],"marke":"m 1","weitere":false}`, "page-format"},
		"two marks":             {200, jsonType, `{"marke":"m0","eintraege":[],"marke":"m1","weitere":false}`, "page-format"},
		"unknown member":        {200, jsonType, `{"eintraege":[],"marke":"m1","weitere":false,"neu":1}`, "page-format"},
		"wrong type":            {200, jsonType, `{"eintraege":{},"marke":"m1","weitere":false}`, "page-format"},
		"broken within a value": {200, jsonType, strings.Replace(page, `"x"`, `"x`, 1), "page-format"},
		"304 that nobody asked": {304, jsonType, "", "status"},
		"410 of a proxy":        {410, "text/html", "<html>", "status"},
		"404":                   {404, "text/html", "<html>", "status"},
		"500":                   {500, "text/html", "<html>", "status"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := says(t, c.status, c.media, c.body).Source.Read(t.Context(), "m0", 10)
			requireFault(t, err, fault.Retry, c.code)
		})
	}
}

func TestRead_OneBrokenEntryDoesNotStopTheStream(t *testing.T) {
	for name, broken := range map[string]string{
		"unknown member":        strings.Replace(entryJSON, `"art"`, `"neu":1,"art"`, 1),
		"repeated member":       strings.Replace(entryJSON, `"antwort":"x"`, `"antwort":"x","antwort":"y"`, 1),
		"invalid UTF-8":         strings.Replace(entryJSON, `"x"`, "\"\xe4\"", 1),
		"no organisation":       strings.Replace(entryJSON, `"stelle":"sd-kriens",`, ``, 1),
		"no position":           strings.Replace(entryJSON, `"laufnummer":1`, `"laufnummer":0`, 1),
		"negative position":     strings.Replace(entryJSON, `"laufnummer":1`, `"laufnummer":-1`, 1),
		"no offset":             strings.Replace(entryJSON, `+01:00`, ``, 1),
		"id of a path":          strings.Replace(entryJSON, `"D-1"`, `"../D-1"`, 1),
		"reference in capitals": strings.Replace(entryJSON, `"art"`, `"externeReferenz":"AB-1","art"`, 1),
		"content is no object":  strings.Replace(entryJSON, `{"antwort":"x"}`, `[]`, 1),
		"no content":            strings.Replace(entryJSON, `,"inhalt":{"antwort":"x"}`, ``, 1),
		"unknown action":        strings.Replace(entryJSON, `"art"`, `"bezug":{"aktion":"weg","eintrag":"E-0"},"art"`, 1),
		"action on nothing":     strings.Replace(entryJSON, `"art"`, `"bezug":{"aktion":"storno"},"art"`, 1),
		"not an object":         `"Hans Muster"`,
		"null":                  `null`,
	} {
		t.Run(name, func(t *testing.T) {
			good := strings.Replace(entryJSON, "E-1", "E-2", 1)
			s := says(t, 200, jsonType, `{"eintraege":[`+broken+`,`+good+`],"marke":"m2","weitere":false}`)
			b, err := s.Source.Read(t.Context(), "", 10)
			require.NoError(t, err)
			require.Len(t, b.Records, 1)
			require.EqualValues(t, "E-2", b.Records[0].ID)
			require.Len(t, b.Broken, 1)
			require.Equal(t, broken, string(b.Broken[0].Raw))
			require.NotEmpty(t, b.Broken[0].ID)
			require.Equal(t, fault.Park, fault.KindOf(b.Broken[0].Reason))
			require.NotContains(t, b.Broken[0].Reason.Error(), "Muster")
			again, err := s.Source.Read(t.Context(), "", 10)
			require.NoError(t, err)
			require.Equal(t, b.Broken[0].ID, again.Broken[0].ID, "the same bytes have the same id")
		})
	}
}

func TestRead_AMarkThatDoesNotMoveIsNotAskedForAgainAtOnce(t *testing.T) {
	b, err := says(t, 200, jsonType, `{"eintraege":[`+entryJSON+`],"marke":"m1","weitere":true}`).Source.Read(t.Context(), "m1", 10)
	require.NoError(t, err)
	require.False(t, b.More)
}

func TestPing_AnotherContractStops(t *testing.T) {
	for _, body := range []string{``, `{}`, `{"vertrag":"klib/1"}`, `{"vertrag":"klib/2","grenzen":{"verarbeitungMs":1,"indexMs":1}}`, `<html>`} {
		requireFault(t, says(t, 200, jsonType, body).Ping(t.Context()), fault.Stop, "contract")
	}
	requireFault(t, says(t, 404, "text/html", "").Ping(t.Context()), fault.Stop, "contract")
	requireFault(t, says(t, 503, "text/html", "").Ping(t.Context()), fault.Retry, "status")
}

func TestConfig_CheckFindsEverythingAtOnce(t *testing.T) {
	c := Factory{}.DefaultConfig().(*Config)
	c.PageSize, c.Username, c.PasswordFile, c.Bounds.Send, c.Bounds.Lookup = 501, "u", "/none", 0, -1
	var paths []string
	for _, f := range c.Check() {
		paths = append(paths, f.Path)
		require.NotEmpty(t, f.Next)
	}
	require.Equal(t, []string{"url", "passwordFile", "tokenFile", "username", "pageSize", "bounds.send", "bounds.lookup"}, paths)
	_, err := Factory{}.New("klib", c)
	require.Equal(t, fault.Stop, fault.KindOf(err))
	_, err = Factory{}.New("klib", "something else")
	require.Equal(t, fault.Stop, fault.KindOf(err))
}

func FuzzSplitPage(f *testing.F) {
	f.Add([]byte(`{"eintraege":[` + entryJSON + `],"marke":"m1","weitere":false}`))
	f.Add([]byte(`{"eintraege":[null,{"id":"E-1"}],"marke":"m1","weitere":true}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := splitPage(b)
		if err != nil {
			return
		}
		got := batch("", p)
		require.Equal(t, len(p.entries), len(got.Records)+len(got.Broken), "every entry is handed on or reported")
		for _, r := range got.Records {
			require.NotEmpty(t, r.ID)
			require.NotEmpty(t, r.Case)
			require.NotEmpty(t, r.Organisation)
			require.NotZero(t, r.Sequence)
		}
	})
}

func TestDocuments_EveryAnswerIsJudgedByTheContract(t *testing.T) {
	problem := func(code string) string { return `{"type":"about:blank","title":"x","status":0,"code":"` + code + `"}` }
	for name, c := range map[string]struct {
		status            int
		media, body       string
		put, open         fault.Kind
		putCode, openCode string
	}{
		"stored":                {201, jsonType, "", 0, fault.Retry, "", "status"},
		"refused":               {422, problemType, problem("pruefsumme"), fault.Refuse, fault.Retry, "pruefsumme", "pruefsumme"},
		"refused by a proxy":    {422, "text/html", "<html>", fault.Retry, fault.Retry, "status-422", "status"},
		"unknown":               {404, problemType, problem("dokument-unbekannt"), fault.Retry, fault.Park, "status-404", adapters.DocumentMissing},
		"404 of a proxy":        {404, "text/html", "<html>", fault.Retry, fault.Retry, "status-404", "status"},
		"too large for a proxy": {413, "text/html", "<html>", fault.Retry, fault.Retry, "status-413", "status"},
		"conflict":              {409, problemType, problem("x"), fault.Retry, fault.Retry, "status-409", "x"},
		"not processed":         {503, problemType, problem("nicht-verarbeitet"), fault.Retry, fault.Retry, "status-503", "nicht-verarbeitet"},
		"500":                   {500, "text/plain", "x", fault.Retry, fault.Retry, "status-500", "status"},
		"not let in":            {401, problemType, problem("nicht-angemeldet"), fault.Stop, fault.Stop, "unauthorized", "unauthorized"},
	} {
		t.Run(name, func(t *testing.T) {
			s := says(t, c.status, c.media, c.body).Documents
			d := handover.Document{SHA256: strings.Repeat("0", 64), Size: 1}
			err := s.PutDocument(t.Context(), d, strings.NewReader("x"))
			if c.putCode == "" {
				require.NoError(t, err)
			} else {
				requireFault(t, err, c.put, c.putCode)
			}
			_, err = s.OpenDocument(t.Context(), d.SHA256)
			requireFault(t, err, c.open, c.openCode)
		})
	}
}

func TestDocuments_WhatIsNoneIsNotSent(t *testing.T) {
	s := says(t, 201, jsonType, "").Documents
	for _, d := range []handover.Document{
		{SHA256: strings.Repeat("0", 63), Size: 1}, {SHA256: strings.Repeat("A", 64), Size: 1}, {SHA256: strings.Repeat("0", 64)}, {SHA256: strings.Repeat("0", 64), Size: handover.DocumentLimit + 1},
	} {
		requireFault(t, s.PutDocument(t.Context(), d, strings.NewReader("x")), fault.Refuse, "document")
	}
	_, err := s.OpenDocument(t.Context(), "../status")
	requireFault(t, err, fault.Park, adapters.DocumentMissing)
}
