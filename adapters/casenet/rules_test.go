package casenet

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/adapters/adaptertest"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	published "github.com/einmal-hub/einmal/contracts/native/casenet"
	"github.com/einmal-hub/einmal/contracts/native/openapitest"
	mock "github.com/einmal-hub/einmal/mocks/casenet"
	"github.com/einmal-hub/einmal/mocks/core"
)

const secretToken = "canary-token-of-casenet"

// The rules of all adapters hold while every exchange stays within the published contract.
func TestConformance_HeldToTheContract(t *testing.T) {
	person := core.Invent(rand.New(rand.NewPCG(7, 7))).Person
	adaptertest.Run(t, adaptertest.Driver{
		Start:   func(t adaptertest.T) adaptertest.Native { return startStage(t) },
		Secrets: []string{secretToken, person.OfficialName, person.AHV, vectorKey},
	})
}

// stage is a mock behind a network that misbehaves and a watch that holds both sides to the contract.
type stage struct {
	mock    *mock.Mock
	between *adaptertest.Between
	url     string
}

func startStage(t adaptertest.T) *stage {
	t.Helper()
	m, err := mock.New(mock.Options{System: "iiz", Token: secretToken})
	require.NoError(t, err)
	between := adaptertest.NewBetween(openapitest.Watch(t, published.OpenAPI(), m.Handler()))
	server := httptest.NewServer(between)
	t.Cleanup(func() {
		server.Close()
		require.NoError(t, m.Close())
	})
	return &stage{mock: m, between: between, url: server.URL}
}

// Connect implements [adaptertest.Native].
func (s *stage) Connect(t adaptertest.T, how adaptertest.Connection) adapters.System {
	t.Helper()
	c := Factory{}.DefaultConfig().(*Config)
	c.URL, c.TokenFile, c.Bounds.Request = s.url, t.TempDir()+"/token", 5*time.Second
	c.Webhook.KeyFiles = []string{t.TempDir() + "/key"}
	shown := secretToken
	switch how {
	case adaptertest.WrongCredentials:
		shown = "another-" + secretToken
	case adaptertest.Unreachable:
		closed := httptest.NewServer(http.NotFoundHandler())
		c.URL = closed.URL
		closed.Close()
	}
	require.NoError(t, os.WriteFile(c.TokenFile, []byte(shown), 0o600))
	require.NoError(t, os.WriteFile(c.Webhook.KeyFiles[0], []byte(vectorKey), 0o600))
	system, err := Factory{}.New("iiz", c)
	require.NoError(t, err)
	return system
}

// Enter implements [adaptertest.Native].
func (s *stage) Enter(n int) (native.RecordID, error) {
	e := entryOf("application-submitted", "", n)
	entered, _, err := s.mock.Store().Write(context.Background(), core.Write{Kind: e.Kind, Organisation: e.Organisation, By: core.ByClerk, Body: e.Body})
	return entered.ID, err
}

// Entry implements [adaptertest.Native].
func (s *stage) Entry(n int, in native.CaseKey) native.Entry {
	if in == "" {
		return entryOf("application-submitted", "", n)
	}
	return entryOf("clarification-answered", in, n)
}

// Attach implements [adaptertest.Archive].
func (s *stage) Attach(content []byte) error {
	f := core.Invent(rand.New(rand.NewPCG(7, 7)))
	f.Documents = []core.Document{{Name: "Beilage.pdf", MediaType: "application/pdf", Content: content}}
	if err := s.mock.Store().PutDocument(f.Documents[0].SHA256(), bytes.NewReader(content)); err != nil {
		return err
	}
	kind, body := mock.Compose("application-submitted", f)
	_, _, err := s.mock.Store().Write(context.Background(), core.Write{Kind: kind, Organisation: "rav-luzern", By: core.ByClerk, Documents: core.Hashes(f.Documents), Body: body})
	return err
}

// Naming implements [adaptertest.Archive].
func (s *stage) Naming(n int, in native.CaseKey, d handover.Document) native.Entry {
	e := s.Entry(n, in)
	e.Documents = []handover.Document{d}
	list := fmt.Sprintf(`{"documents":[{"name":"Beilage.pdf","mediaType":%q,"size":%d,"sha256":%q}],`, d.MediaType, d.Size, d.SHA256)
	e.Body = []byte(list + string(e.Body[1:]))
	return e
}

// Count implements [adaptertest.Native].
func (s *stage) Count(ref native.Reference) int {
	s.between.Wait()
	return len(s.mock.Store().ByReference(ref, 0))
}

// Script implements [adaptertest.Native].
func (s *stage) Script(f adaptertest.Fault) <-chan struct{} {
	if f == adaptertest.Rejected {
		s.mock.Dice().Script(core.OpWrite, core.FaultError, 1)
		return nil
	}
	return s.between.Script(f)
}
