package avam

import (
	"bytes"
	"context"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	contract "github.com/einmal-hub/einmal/contracts/native/avam"
	"github.com/einmal-hub/einmal/contracts/personal"
	mock "github.com/einmal-hub/einmal/mocks/avam"
	"github.com/einmal-hub/einmal/mocks/core"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	username = "einmal"
	password = "zwei-drei-vier"
)

// village is a mock AVAM, the adapter for it, and what a test may do to both.
type village struct {
	mock   *mock.Mock
	server *httptest.Server
	system adapters.System
}

// start is the time in the mock; it stands still.
var start = time.Date(2026, 3, 2, 8, 30, 0, 0, time.UTC)

func open(t *testing.T, around func(http.Handler) http.Handler) *village {
	t.Helper()
	m, err := mock.New(mock.Options{System: "avam", Username: username, Password: password, Clock: func() time.Time { return start }})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, m.Close()) })
	handler := m.Handler()
	if around != nil {
		handler = around(handler)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	v := &village{mock: m, server: server, system: connect(t, server.URL+mock.Path, password)}
	v.file(t, facts(7).Documents...)
	return v
}

// file stores documents in the native system without a word over the wire.
func (v *village) file(t *testing.T, ds ...core.Document) {
	t.Helper()
	for _, d := range ds {
		require.NoError(t, v.mock.Store().PutDocument(d.SHA256(), bytes.NewReader(d.Content)))
	}
}

func documentOf(d core.Document) handover.Document {
	return handover.Document{Name: personal.Text(d.Name), MediaType: d.MediaType, Size: d.Size(), SHA256: d.SHA256()}
}

// connect makes the adapter for an address.
func connect(t *testing.T, url, secret string) adapters.System {
	t.Helper()
	file := filepath.Join(t.TempDir(), "password")
	require.NoError(t, os.WriteFile(file, []byte(secret+"\n"), 0o600))
	c, ok := Factory{}.DefaultConfig().(*Config)
	require.True(t, ok)
	c.URL, c.Username, c.PasswordFile = url, username, file
	c.Bounds.Request = 5 * time.Second
	system, err := Factory{}.New("avam", c)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, system.Close()) })
	return system
}

func facts(seed uint64) core.Facts {
	f := core.Invent(rand.New(rand.NewPCG(seed, 1)))
	f.Assigning, f.Receiving = "rav-luzern", "sd-kriens"
	f.Documents = []core.Document{core.InventDocument(rand.New(rand.NewPCG(seed, 2)), "Vollmacht \"2026\" & Beilagen.pdf", 1500)}
	f.Remark = "[M0007-01] Bemerkung mit <Zeichen> & \"Umbruch\"\nzweite Zeile"
	return f
}

// clerk enters one message of an invented handover at the desk.
func (v *village) clerk(t *testing.T, n handover.Name, seed uint64, in native.CaseKey) core.Entry {
	t.Helper()
	kind, body := mock.Compose(n, facts(seed))
	v.file(t, facts(seed).Documents...)
	e, _, err := v.mock.Store().Write(t.Context(), core.Write{Case: in, Kind: kind, Organisation: "rav-luzern", By: core.ByClerk, Body: body})
	require.NoError(t, err)
	return e
}

// entry is what the gateway would give the sink.
func entry(n handover.Name, ref native.Reference, in native.CaseKey) native.Entry {
	kind, body := mock.Compose(n, facts(7))
	return native.Entry{Reference: ref, Kind: kind, Case: in, CaseReference: "0195e1a2-0000-7000-8000-000000000001", Organisation: "rav-luzern", Body: body}
}

const (
	reference1 native.Reference = "0195e1a2-1111-7000-8000-00000000000a"
	reference2 native.Reference = "0195e1a2-2222-7000-8000-00000000000b"
)

// readAll reads from a position until nothing is left.
func readAll(t *testing.T, s adapters.Source, from native.Position, limit int) ([]native.Record, native.Position) {
	t.Helper()
	var all []native.Record
	for range 1000 {
		batch, err := s.Read(t.Context(), from, limit)
		require.NoError(t, err)
		require.Empty(t, batch.Broken)
		require.LessOrEqual(t, len(batch.Records), limit)
		all = append(all, batch.Records...)
		from = batch.Next
		if !batch.More {
			return all, from
		}
	}
	t.Fatal("the stream does not end")
	return nil, ""
}

func requireFault(t *testing.T, err error, kind fault.Kind, code string) {
	t.Helper()
	require.Error(t, err)
	require.Equal(t, kind, fault.KindOf(err), "%v", err)
	require.Equal(t, code, fault.CodeOf(err), "%v", err)
}

func TestPing(t *testing.T) {
	v := open(t, nil)
	require.NoError(t, v.system.Ping(t.Context()))
	requireFault(t, connect(t, v.server.URL+mock.Path, "wrong").Ping(t.Context()), fault.Stop, "unauthorized")
}

func TestPing_AnotherContractVersionStops(t *testing.T) {
	system := answering(t, http.StatusOK, `<pingResponse xmlns="`+contract.Namespace+`"><contractVersion>2</contractVersion></pingResponse>`)
	requireFault(t, system.Ping(t.Context()), fault.Stop, "contract-version")
}

// answering is a native system that always gives the same body.
func answering(t *testing.T, status int, inner string) adapters.System {
	t.Helper()
	return raw(t, status, `<s:Envelope xmlns:s="`+contract.SOAPNamespace+`"><s:Body>`+inner+`</s:Body></s:Envelope>`)
}

func raw(t *testing.T, status int, body string) adapters.System {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/xml; charset=utf-8")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(server.Close)
	return connect(t, server.URL, password)
}

func TestConfig_SaysEverythingThatIsWrong(t *testing.T) {
	c := &Config{}
	fs := c.Check()
	paths := map[string]bool{}
	for _, f := range fs {
		paths[f.Path] = true
	}
	for _, p := range []string{"url", "username", "bounds.send", "bounds.request"} {
		require.True(t, paths[p], p)
	}
	_, err := Factory{}.New("avam", c)
	requireFault(t, err, fault.Stop, "missing")
	_, err = Factory{}.New("avam", struct{}{})
	requireFault(t, err, fault.Stop, "config")
}

func TestAbilities_ModeBWithTheBoundsOfTheConfiguration(t *testing.T) {
	v := open(t, nil)
	require.Equal(t, adapters.ModeB, v.system.Abilities.Mode)
	require.False(t, v.system.Abilities.Shared)
	require.Equal(t, 75*time.Second, v.system.Abilities.Bounds.Settle())
	require.NotNil(t, v.system.Finder)
	require.Nil(t, v.system.Webhook)
}

func TestClose_MayBeCalledTwice(t *testing.T) {
	v := open(t, nil)
	require.NoError(t, v.system.Close())
	require.NoError(t, v.system.Close())
}

func TestEndedContextGivesUp(t *testing.T) {
	v := open(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := v.system.Source.Read(ctx, "", 10)
	require.Equal(t, fault.Retry, fault.KindOf(err))
	_, err = v.system.Sink.Apply(ctx, entry("application-submitted", reference1, ""))
	require.Equal(t, fault.Retry, fault.KindOf(err), "nothing was sent")
	require.Zero(t, v.mock.Store().Len())
}
