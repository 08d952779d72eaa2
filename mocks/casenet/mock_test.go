package casenet_test

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	contract "github.com/einmal-hub/einmal/contracts/native/casenet"
	"github.com/einmal-hub/einmal/contracts/native/openapitest"
	"github.com/einmal-hub/einmal/mocks/casenet"
	"github.com/einmal-hub/einmal/mocks/core"
)

const token = "mock-token"

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// facts are without documents, which would have to be put first.
func facts(seed uint64) core.Facts {
	f := core.Invent(rand.New(rand.NewPCG(seed, 0)))
	f.Documents = nil
	return f
}

// world is a mock behind a watcher that holds every request and answer against the published contract.
type world struct {
	*casenet.Mock
	t   *testing.T
	url string
}

func open(t *testing.T, o casenet.Options) world {
	t.Helper()
	o.System, o.Token = "casenet", token
	m, err := casenet.New(o)
	require.NoError(t, err)
	server := httptest.NewServer(openapitest.Watch(t, contract.OpenAPI(), m.Handler()))
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
		http.DefaultClient.CloseIdleConnections()
		require.NoError(t, m.Close())
		require.NoError(t, m.Close(), "closing twice is allowed")
	})
	return world{m, t, server.URL}
}

// answer is what a test looks at in an answer.
type answer struct {
	Status   int    `json:"-"`
	CaseID   string `json:"caseId"`
	RecordID string `json:"recordId"`
	Code     string `json:"code"`
	Findings []struct{ Path, Code string }
	Existing struct{ CaseID, RecordID string }
	Records  []struct {
		Sequence          uint64
		RecordID          string
		ExternalReference string
	}
	Next uint64
	More bool
	raw  []byte
}

func (w world) do(method, path, contentType string, body []byte) answer {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), method, w.url+path, bytes.NewReader(body))
	require.NoError(w.t, err)
	r.Header.Set("Authorization", "Bearer "+token)
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	res, err := http.DefaultClient.Do(r)
	require.NoError(w.t, err)
	defer func() { _ = res.Body.Close() }()
	a := answer{Status: res.StatusCode}
	a.raw, err = io.ReadAll(res.Body)
	require.NoError(w.t, err)
	if strings.Contains(res.Header.Get("Content-Type"), "json") {
		require.NoError(w.t, json.Unmarshal(a.raw, &a, json.MatchCaseInsensitiveNames(true)))
	}
	return a
}

func (w world) get(path string) answer { w.t.Helper(); return w.do(http.MethodGet, path, "", nil) }

func (w world) post(path string, body []byte) answer {
	w.t.Helper()
	return w.do(http.MethodPost, path, "application/json", body)
}

// write fills in the form of a message and sends it with a reference; no case opens one.
func (w world) write(ref, key, kind string, content []byte) answer {
	w.t.Helper()
	return w.post(frame(ref, key, kind, content))
}

func frame(ref, key, kind string, content []byte) (path string, body []byte) {
	path, caseReference := "/api/cases", `"caseReference": "11111111-2222-3333-4444-555555555555",`
	if key != "" {
		path, caseReference = "/api/cases/"+key+"/records", ""
	}
	return path, []byte(`{"externalReference": "` + ref + `", ` + caseReference + `"enteredFor": "sd-kriens", "kind": "` + kind + `", "content": ` + string(content) + `}`)
}

// opened writes an application and returns the case.
func (w world) opened(ref string) string {
	w.t.Helper()
	kind, content := casenet.Compose("application-submitted", facts(1))
	a := w.write(ref, "", string(kind), content)
	require.Equal(w.t, http.StatusCreated, a.Status, string(a.raw))
	return a.CaseID
}
