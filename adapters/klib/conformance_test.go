package klib

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/adapters/adaptertest"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/mocks/core"
	mock "github.com/einmal-hub/einmal/mocks/klib"
	"github.com/stretchr/testify/require"
)

// The rules of all adapters, tried in adapters/all, hold as well when the system lists entries again and again.
func TestConformance_WithDuplicates(t *testing.T) {
	adaptertest.Run(t, adaptertest.Driver{
		Start: func(t adaptertest.T) adaptertest.Native {
			return startStage(t, mock.Options{Faults: core.Faults{Seed: 3, Duplicate: 0.4}})
		},
		Secrets: []string{token, secretAnswer, facts(1).Person.OfficialName, mock.Dotted(facts(1).Person.AHV)},
	})
}

const secretAnswer = "Geheime Antwort"

// stage is a mock behind a network that misbehaves.
type stage struct {
	mock    *mock.Mock
	between *adaptertest.Between
	url     string
}

func startStage(t adaptertest.T, o mock.Options) *stage {
	t.Helper()
	o.Token = token
	m, err := mock.New(o)
	require.NoError(t, err)
	between := adaptertest.NewBetween(m.Handler())
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
	c.URL, c.TokenFile, c.Bounds.Request = s.url, filepath.Join(t.TempDir(), "token"), 5*time.Second
	secret := token
	switch how {
	case adaptertest.WrongCredentials:
		secret = "falsch"
	case adaptertest.Unreachable:
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		c.URL = "http://" + l.Addr().String()
		require.NoError(t, l.Close())
	}
	require.NoError(t, os.WriteFile(c.TokenFile, []byte(secret), 0o600))
	system, err := Factory{}.New("klib", c)
	require.NoError(t, err)
	return system
}

// Enter implements [adaptertest.Native].
func (s *stage) Enter(n int) (native.RecordID, error) {
	kind, body := mock.Compose("application-submitted", facts(uint64(n)))
	e, _, err := s.mock.Store().Write(context.Background(), core.Write{Kind: kind, Organisation: stelle, By: core.ByClerk, Body: body})
	return e.ID, err
}

// Entry implements [adaptertest.Native].
func (s *stage) Entry(n int, in native.CaseKey) native.Entry {
	e := application(uint64(n))
	if in != "" {
		e.Kind, e.Case, e.Body = "antwort", in, []byte(`{"antwort":"`+secretAnswer+`"}`)
	}
	return e
}

// Attach implements [adaptertest.Archive].
func (s *stage) Attach(content []byte) error {
	d := core.Document{Name: "Beilage.pdf", MediaType: "application/pdf", Content: content}
	if err := s.mock.Store().PutDocument(d.SHA256(), bytes.NewReader(content)); err != nil {
		return err
	}
	f := facts(1)
	f.Documents = []core.Document{d}
	kind, body := mock.Compose("application-submitted", f)
	_, _, err := s.mock.Store().Write(context.Background(), core.Write{Kind: kind, Organisation: stelle, By: core.ByClerk, Documents: core.Hashes(f.Documents), Body: body})
	return err
}

// Naming implements [adaptertest.Archive].
func (s *stage) Naming(n int, in native.CaseKey, d handover.Document) native.Entry {
	e := s.Entry(n, in)
	e.Documents = []handover.Document{d}
	list := fmt.Sprintf(`{"dokumente":[{"name":"Beilage.pdf","typ":%q,"groesse":%d,"sha256":%q}],`, d.MediaType, d.Size, d.SHA256)
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
	switch f {
	case adaptertest.Rejected:
		s.mock.Dice().Script(core.OpWrite, core.FaultError, 1)
		return nil
	case adaptertest.Lagging:
		lagging := s.mock.Dice().Faults()
		lagging.LookupLag = time.Hour
		s.mock.Dice().Set(lagging)
		return nil
	default:
		return s.between.Script(f)
	}
}
