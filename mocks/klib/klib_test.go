package klib

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	klibcontract "github.com/einmal-hub/einmal/contracts/native/klib"
	"github.com/einmal-hub/einmal/contracts/native/openapitest"
	"github.com/einmal-hub/einmal/mocks/core"
	"github.com/go-json-experiment/json"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const ref = "6f1c2a34-5b6d-4e7f-8a90-1b2c3d4e5f60"

// world is a mock behind the watch that holds it to its contract.
type world struct {
	*testing.T
	mock *Mock
	url  string
}

func start(t *testing.T, o Options) world {
	t.Helper()
	o.Token = "geheim"
	mock, err := New(o)
	require.NoError(t, err)
	server := httptest.NewServer(openapitest.Watch(t, klibcontract.OpenAPI(), mock.Handler()))
	t.Cleanup(func() {
		server.Close()
		require.NoError(t, mock.Close())
		http.DefaultClient.CloseIdleConnections()
	})
	return world{T: t, mock: mock, url: server.URL}
}

type reply struct {
	status int
	header http.Header
	body   string
	err    error
}

func (w world) do(method, path string, body string, header ...string) reply {
	w.Helper()
	r, err := http.NewRequestWithContext(w.Context(), method, w.url+path, strings.NewReader(body))
	require.NoError(w, err)
	r.Header.Set("Authorization", "Bearer geheim")
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return reply{err: err}
	}
	defer func() { _ = answer.Body.Close() }()
	b, err := io.ReadAll(answer.Body)
	return reply{status: answer.StatusCode, header: answer.Header, body: string(b), err: err}
}

func (r reply) into(t *testing.T, v any) {
	t.Helper()
	require.NoError(t, r.err)
	require.NoError(t, json.Unmarshal([]byte(r.body), v, json.RejectUnknownMembers(true)), r.body)
}

func (r reply) refusedWith(t *testing.T, status int, code string) problem {
	t.Helper()
	var p problem
	r.into(t, &p)
	require.Equal(t, status, r.status)
	require.Equal(t, code, p.Code, r.body)
	require.Equal(t, "application/problem+json", r.header.Get("Content-Type"))
	return p
}

// facts are without documents, which would have to be put first.
func facts(seed uint64) core.Facts {
	f := core.Invent(rand.New(rand.NewPCG(seed, 1)))
	f.Documents = nil
	return f
}

func opening(t *testing.T, stelle string, inhalt []byte) string {
	t.Helper()
	return fmt.Sprintf(`{"stelle":%q,"fallreferenz":"case-1","ersterEintrag":{"externeReferenz":%q,"art":"anmeldung","inhalt":%s}}`, stelle, ref, inhalt)
}

func application(t *testing.T) []byte {
	t.Helper()
	_, body := Compose("application-submitted", facts(1))
	require.NotEmpty(t, body)
	return body
}

func (w world) opened() quittung {
	w.Helper()
	var q quittung
	r := w.do("POST", "/api/v1/dossiers", opening(w.T, "sd-kriens", application(w.T)))
	require.Equal(w, http.StatusCreated, r.status, r.body)
	r.into(w.T, &q)
	return q
}

func TestWrite_OpenAndAppendAreReadBackInOrder(t *testing.T) {
	w := start(t, Options{})
	q := w.opened()
	require.Equal(t, native.Reference(ref), q.ExterneReferenz)
	require.EqualValues(t, 1, q.Laufnummer)
	r := w.do("POST", "/api/v1/dossiers/"+string(q.Dossier)+"/eintraege",
		`{"stelle":"sd-kriens","externeReferenz":"00-1","art":"antwort","inhalt":{"antwort":"Ja, \"gewiss\" <&>"}}`)
	require.Equal(t, http.StatusCreated, r.status, r.body)
	var p seite
	w.do("GET", "/api/v1/eintraege?limit=1", "").into(t, &p)
	require.True(t, p.Weitere)
	require.Len(t, p.Eintraege, 1)
	require.Equal(t, q.ID, p.Eintraege[0].ID)
	w.do("GET", "/api/v1/eintraege?nach="+p.Marke, "").into(t, &p)
	require.False(t, p.Weitere)
	require.JSONEq(t, `{"antwort":"Ja, \"gewiss\" <&>"}`, string(p.Eintraege[0].Inhalt))
	require.EqualValues(t, "case-1", p.Eintraege[0].Fallreferenz)
	require.EqualValues(t, 2, p.Eintraege[0].Laufnummer)
}

func TestWrite_TheSameReferenceTwiceMakesTwoEntries(t *testing.T) {
	w := start(t, Options{})
	w.opened()
	w.opened()
	var found suchergebnis
	w.do("GET", "/api/v1/eintraege/suche?externeReferenz="+ref, "").into(t, &found)
	require.Len(t, found.Treffer, 2)
	require.True(t, found.Vollstaendig)
}

func TestWrite_RefusalsWriteNothing(t *testing.T) {
	w := start(t, Options{Stellen: []handover.OrganisationID{"sd-kriens", "sd-emmen"}})
	q := w.opened()
	at := "/api/v1/dossiers/" + string(q.Dossier) + "/eintraege"
	entry := func(art, inhalt string) string {
		return fmt.Sprintf(`{"stelle":"sd-kriens","externeReferenz":"00-1","art":%q,"inhalt":%s}`, art, inhalt)
	}
	good := entry("antwort", `{"antwort":"Ja"}`)
	for name, c := range map[string]struct{ path, body, code, feld, fehler string }{
		"unknown dossier":       {"/api/v1/dossiers/D-0/eintraege", good, "dossier-unbekannt", "", ""},
		"another's dossier":     {at, strings.Replace(good, "sd-kriens", "sd-emmen", 1), "dossier-fremd", "", ""},
		"unknown organisation":  {"/api/v1/dossiers", opening(t, "sd-horw", application(t)), "stelle-unbekannt", "", ""},
		"not JSON":              {at, `{"stelle":`, "unlesbar", "", ""},
		"repeated member":       {at, strings.Replace(good, `"art"`, `"art":"antwort","art"`, 1), "unlesbar", "", ""},
		"invalid UTF-8":         {at, strings.Replace(good, "Ja", "J\xe4", 1), "unlesbar", "", ""},
		"something behind it":   {at, good + "{}", "unlesbar", "", ""},
		"too large":             {at, entry("antwort", `{"antwort":"`+strings.Repeat("x", 300<<10)+`"}`), "unlesbar", "", ""},
		"unknown member":        {at, entry("antwort", `{"antwort":"Ja","neu":1}`), "inhalt-ungueltig", "inhalt.neu", "unbekanntes-feld"},
		"unknown frame member":  {at, strings.Replace(good, `"art"`, `"neu":1,"art"`, 1), "inhalt-ungueltig", "neu", "unbekanntes-feld"},
		"missing member":        {at, entry("antwort", `{}`), "inhalt-ungueltig", "inhalt.antwort", "fehlt"},
		"null":                  {at, entry("antwort", `{"antwort":null}`), "inhalt-ungueltig", "inhalt.antwort", "typ"},
		"empty text":            {at, entry("antwort", `{"antwort":""}`), "inhalt-ungueltig", "inhalt.antwort", "format"},
		"control characters":    {at, entry("antwort", `{"antwort":"a\u0000b"}`), "inhalt-ungueltig", "inhalt.antwort", "format"},
		"too long":              {at, entry("antwort", `{"antwort":"`+strings.Repeat("ä", 2001)+`"}`), "inhalt-ungueltig", "inhalt.antwort", "zu-lang"},
		"unknown kind":          {at, entry("notiz", `{}`), "inhalt-ungueltig", "art", "unbekannter-code"},
		"an opening appended":   {at, entry("anmeldung", string(application(t))), "inhalt-ungueltig", "art", "bereich"},
		"unknown code":          {at, entry("rueckzug", `{"datum":"01.02.2026","grund":"weil"}`), "inhalt-ungueltig", "inhalt.grund", "unbekannter-code"},
		"a day in another form": {at, entry("widerruf", `{"datum":"2026-02-01"}`), "inhalt-ungueltig", "inhalt.datum", "format"},
		"a day that is none":    {at, entry("widerruf", `{"datum":"30.02.2026"}`), "inhalt-ungueltig", "inhalt.datum", "format"},
		"an hour that is none":  {at, entry("uebergabetermin", `{"termin":"29.03.2026 02:30","treffpunkt":"x"}`), "inhalt-ungueltig", "inhalt.termin", "format"},
		"an hour that is twice": {at, entry("uebergabetermin", `{"termin":"25.10.2026 02:30","treffpunkt":"x"}`), "inhalt-ungueltig", "inhalt.termin", "format"},
		"one participant":       {at, entry("standortnotiz", `{"gespraechsdatum":"01.02.2026","weiterfuehrung":"N","teilnehmende":[{"name":"A","rolle":"klient","einverstanden":"J"}]}`), "inhalt-ungueltig", "inhalt.teilnehmende", "bereich"},
		"a refusal unexplained": {at, entry("entscheid", `{"entscheid":"abgelehnt","datum":"01.02.2026"}`), "inhalt-ungueltig", "inhalt.grund", "fehlt"},
		"wrong check digit":     {"/api/v1/dossiers", opening(t, "sd-kriens", wrongAHV(t)), "inhalt-ungueltig", "ersterEintrag.inhalt.klient.ahv", "pruefziffer"},
		"wrong reference":       {at, strings.Replace(good, "00-1", "G-1", 1), "inhalt-ungueltig", "externeReferenz", "format"},
	} {
		t.Run(name, func(t *testing.T) {
			p := w.do("POST", c.path, c.body).refusedWith(t, http.StatusUnprocessableEntity, c.code)
			if c.feld != "" {
				require.Contains(t, p.Fehler, fehler{Feld: c.feld, Code: c.fehler})
			}
		})
	}
	require.Equal(t, 1, w.mock.Store().Len())
}

func wrongAHV(t *testing.T) []byte {
	t.Helper()
	ahv := Dotted(facts(1).Person.AHV)
	wrong := ahv[:15] + string('0'+(ahv[15]-'0'+1)%10)
	return bytes.Replace(application(t), []byte(ahv), []byte(wrong), 1)
}

func TestAuthentication_NothingWithoutTheToken(t *testing.T) {
	w := start(t, Options{})
	w.do("GET", "/api/v1/status", "", "Authorization", "Bearer falsch").refusedWith(t, http.StatusUnauthorized, "nicht-angemeldet")
	w.do("POST", "/api/v1/dossiers", opening(t, "sd-kriens", application(t)), "Authorization", "Bearer falsch").refusedWith(t, http.StatusUnauthorized, "nicht-angemeldet")
	require.Zero(t, w.mock.Store().Len())
}

func TestList_ETagAnswers304UntilSomethingIsNew(t *testing.T) {
	w := start(t, Options{})
	empty := w.do("GET", "/api/v1/eintraege", "")
	require.JSONEq(t, `{"eintraege":[],"marke":"m0","weitere":false}`, empty.body)
	tag := empty.header.Get("ETag")
	again := w.do("GET", "/api/v1/eintraege", "", "If-None-Match", tag)
	require.Equal(t, http.StatusNotModified, again.status)
	require.Empty(t, again.body)
	w.opened()
	require.Equal(t, http.StatusOK, w.do("GET", "/api/v1/eintraege", "", "If-None-Match", tag).status)
}

func TestList_WrongParametersAreRefused(t *testing.T) {
	w := start(t, Options{})
	w.opened()
	for _, query := range []string{"limit=0", "limit=501", "limit=01", "limit=x", "limit=1&limit=2", "seit=1", "nach=m0&nach=m1", "nach=%zz"} {
		w.do("GET", "/api/v1/eintraege?"+query, "").refusedWith(t, http.StatusBadRequest, "unlesbar")
	}
	for _, mark := range []string{"m2", "m01", "x1", "m-1"} {
		w.do("GET", "/api/v1/eintraege?nach="+mark, "").refusedWith(t, http.StatusGone, "marke-unbekannt")
	}
	for _, query := range []string{"", "externeReferenz=", "externeReferenz=G", "externeReferenz=0&limit=1"} {
		w.do("GET", "/api/v1/eintraege/suche?"+query, "").refusedWith(t, http.StatusBadRequest, "unlesbar")
	}
}

func TestList_DuplicatesComeAgainWithTheSameIDAndWithinTheLimit(t *testing.T) {
	w := start(t, Options{Faults: core.Faults{Duplicate: 1}})
	for range 5 {
		w.opened()
	}
	seen := map[native.RecordID]int{}
	mark := ""
	for {
		var p seite
		w.do("GET", "/api/v1/eintraege?limit=3"+mark, "").into(t, &p)
		require.LessOrEqual(t, len(p.Eintraege), 3)
		for _, e := range p.Eintraege {
			seen[e.ID]++
		}
		if !p.Weitere {
			break
		}
		mark = "&nach=" + p.Marke
	}
	require.Len(t, seen, 5)
	require.Contains(t, fmt.Sprint(seen), ":2")
}

func TestFaults_AnswersStayWithinTheContract(t *testing.T) {
	w := start(t, Options{})
	w.mock.Dice().Script(core.OpWrite, core.FaultError, 1)
	r := w.do("POST", "/api/v1/dossiers", opening(t, "sd-kriens", application(t)))
	r.refusedWith(t, http.StatusServiceUnavailable, "nicht-verarbeitet")
	require.NotEmpty(t, r.header.Get("Retry-After"))
	require.Zero(t, w.mock.Store().Len())
	w.mock.Dice().Script(core.OpWrite, core.FaultLostAnswer, 1)
	require.Error(t, w.do("POST", "/api/v1/dossiers", opening(t, "sd-kriens", application(t))).err)
	require.Equal(t, 1, w.mock.Store().Len(), "written, then the connection was cut")
	w.mock.Dice().Script(core.OpRead, core.FaultError, 1)
	w.do("GET", "/api/v1/eintraege", "").refusedWith(t, http.StatusServiceUnavailable, "nicht-verarbeitet")
}

func TestStatus_AnnouncesBoundsThatCoverTheFaults(t *testing.T) {
	w := start(t, Options{Faults: core.Faults{LateBy: 1e9, SlowBy: 5e8, LookupLag: 3e8}})
	require.JSONEq(t, `{"vertrag":"klib/1","grenzen":{"verarbeitungMs":1750,"indexMs":350}}`, w.do("GET", "/api/v1/status", "").body)
}

func TestCompose_EveryMessageIsWhatTheContractDescribes(t *testing.T) {
	mock, err := New(Options{})
	require.NoError(t, err)
	defer func() { require.NoError(t, mock.Close()) }()
	require.Len(t, templates(), 22)
	kinds := map[native.Kind]bool{}
	for name := range templates() {
		for seed := range uint64(50) {
			f := facts(seed)
			kind, body := Compose(name, f)
			kinds[kind] = true
			require.NoError(t, mock.Validate(kind, body), "%s %s", name, body)
			require.Equal(t, f.Remark != "", bytes.Contains(body, []byte(`"bemerkung"`)))
		}
	}
	require.Len(t, kinds, 22, "each message has a kind of its own")
	kind, body := Compose("no-such-message", facts(1))
	require.Empty(t, kind)
	require.Nil(t, body)
}

func TestJournal_SurvivesRestart(t *testing.T) {
	dir := t.TempDir()
	first, err := New(Options{Dir: dir})
	require.NoError(t, err)
	_, _, err = first.Store().Write(t.Context(), core.Write{Kind: "antwort", Organisation: "sd-kriens", By: core.ByClerk, Body: []byte(`{"antwort":"x"}`)})
	require.NoError(t, err)
	require.NoError(t, first.Close())
	second, err := New(Options{Dir: dir})
	require.NoError(t, err)
	require.Equal(t, 1, second.Store().Len())
	require.NoError(t, second.Close())
}

// What the contract shows as an example must be what the contract describes.
func TestContract_TheExampleInItsReadmeIsTaken(t *testing.T) {
	b, err := os.ReadFile("../../contracts/native/klib/README.md")
	require.NoError(t, err)
	_, example, found := strings.Cut(string(b), "Content-Type: application/json\n\n")
	require.True(t, found)
	body, rest, found := strings.Cut(example, "\n\nHTTP/1.1 201 Created")
	require.True(t, found)
	w := start(t, Options{})
	r := w.do("POST", "/api/v1/dossiers", body)
	require.Equal(t, http.StatusCreated, r.status, r.body)
	_, listed, found := strings.Cut(rest, "```json\n")
	require.True(t, found)
	listed, _, _ = strings.Cut(listed, "\n```")
	var shown, want eintrag
	require.NoError(t, json.Unmarshal([]byte(listed), &want, json.RejectUnknownMembers(true)))
	var p seite
	w.do("GET", "/api/v1/eintraege", "").into(t, &p)
	shown = p.Eintraege[0]
	shown.ID, shown.Dossier, shown.ErfasstAm, shown.Inhalt = want.ID, want.Dossier, want.ErfasstAm, want.Inhalt
	require.Equal(t, want, shown)
}

func TestList_AnAnswerStaysBelowTheContractsSize(t *testing.T) {
	mock, err := New(Options{Faults: core.Faults{Duplicate: 1}})
	require.NoError(t, err)
	defer func() { require.NoError(t, mock.Close()) }()
	for range 30 {
		_, _, err := mock.Store().Write(t.Context(), core.Write{
			Kind: "antwort", Organisation: "sd-kriens", By: core.ByClerk, Body: []byte(`{"antwort":"` + strings.Repeat("x", 250<<10) + `"}`),
		})
		require.NoError(t, err)
	}
	mark, seen := "", map[native.RecordID]bool{}
	for len(seen) < 30 {
		w := httptest.NewRecorder()
		mock.Handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", "/api/v1/eintraege"+mark, nil))
		require.Less(t, w.Body.Len(), 4<<20)
		var p seite
		require.NoError(t, json.Unmarshal(w.Body.Bytes(), &p))
		require.NotEmpty(t, p.Eintraege)
		for _, e := range p.Eintraege {
			seen[e.ID] = true
		}
		mark = "?nach=" + p.Marke
	}
}
