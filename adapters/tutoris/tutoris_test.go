package tutoris

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	contract "github.com/einmal-hub/einmal/contracts/native/tutoris"
	"github.com/einmal-hub/einmal/contracts/personal"
	"github.com/einmal-hub/einmal/mocks/core"
	mock "github.com/einmal-hub/einmal/mocks/tutoris"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// canary stands in every entry as the person's name and must never stand in an error or a file name.
const canary = "Canary-Zgraggen"

// village is a mock Tutoris with its SFTP server, the adapter for it, and a clock that both look at.
type village struct {
	folder string
	mock   *mock.Mock
	system adapters.System
	clock  *time.Time
	config *Config
}

func open(t *testing.T) *village {
	t.Helper()
	now := time.Now().UTC()
	v := &village{folder: t.TempDir(), clock: &now}
	m, err := mock.New(mock.Options{System: "tutoris", Folder: v.folder, User: "einmal", Password: password, Clock: func() time.Time { return *v.clock }})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, m.Close()) })
	dir := t.TempDir()
	v.mock, v.config = m, defaults()
	v.config.Address, v.config.User, v.config.Look = m.Address(), "einmal", 0
	v.config.PasswordFile, v.config.KnownHostsFile = filepath.Join(dir, "password"), filepath.Join(dir, "known_hosts")
	require.NoError(t, os.WriteFile(v.config.PasswordFile, []byte(password+"\n"), 0o600))
	require.NoError(t, os.WriteFile(v.config.KnownHostsFile, []byte(m.KnownHost()+"\n"), 0o600))
	v.system = v.with(t, func(*Config) {})
	v.stage(t, facts(7).Documents...)
	return v
}

// stage puts documents where the gateway puts them before an entry.
func (v *village) stage(t *testing.T, ds ...core.Document) {
	t.Helper()
	for _, d := range ds {
		require.NoError(t, v.system.Documents.PutDocument(t.Context(), documentOf(d), bytes.NewReader(d.Content)))
	}
}

func documentOf(d core.Document) handover.Document {
	return handover.Document{Name: personal.Text(d.Name), MediaType: d.MediaType, Size: d.Size(), SHA256: d.SHA256()}
}

// with is the adapter of a new process, with another configuration.
func (v *village) with(t *testing.T, change func(*Config)) adapters.System {
	t.Helper()
	c := *v.config
	change(&c)
	_, err := Factory{}.New("tutoris", &c)
	require.NoError(t, err)
	return connect(&c, func() time.Time { return *v.clock })
}

func (v *village) again(t *testing.T) adapters.System {
	t.Helper()
	return v.with(t, func(*Config) {})
}

// night is one night with its morning.
func (v *village) night(t *testing.T) {
	t.Helper()
	require.NoError(t, v.mock.Night(t.Context()))
	require.NoError(t, v.mock.Morning(t.Context()))
}

func (v *village) later(d time.Duration) { *v.clock = v.clock.Add(d) }

func facts(seed uint64) core.Facts {
	f := core.Invent(rand.New(rand.NewPCG(seed, 1))) //nolint:gosec // repeatable
	f.Assigning, f.Receiving = "sd-kriens", "rav-luzern"
	f.Person.OfficialName = canary
	f.Documents = []core.Document{core.InventDocument(rand.New(rand.NewPCG(seed, 2)), "Vollmacht.pdf", 1500)} //nolint:gosec // repeatable
	return f
}

// entry is what the gateway would give the sink.
func entry(name handover.Name, n int, in native.CaseKey) native.Entry {
	kind, body := mock.Compose(name, facts(7))
	return native.Entry{
		Reference: native.Reference(fmt.Sprintf("0195e1a2-0000-7000-8000-%012x", n)), Kind: kind, Case: in, CaseReference: "0195e1a2-cccc-7000-8000-000000000001",
		Organisation: "sd-kriens", Documents: documentsOf(name, facts(7)), Body: body,
	}
}

// documentsOf are the documents of an entry of a kind that may have some.
func documentsOf(name handover.Name, f core.Facts) []handover.Document {
	p, err := f.Payload(name)
	if err != nil {
		return nil
	}
	return handover.DocumentsOf(p)
}

// clerkEnters enters one message of an invented handover at the desk, with its documents.
func clerkEnters(m *mock.Mock, f core.Facts) (core.Entry, error) {
	kind, body := mock.Compose("application-submitted", f)
	for _, d := range f.Documents {
		if err := m.Store().PutDocument(d.SHA256(), bytes.NewReader(d.Content)); err != nil {
			return core.Entry{}, err
		}
	}
	e, _, err := m.Store().Write(context.Background(), core.Write{
		Kind: kind, Organisation: "sd-kriens", Documents: core.Hashes(f.Documents), By: core.ByClerk, Body: body,
	})
	return e, err
}

// clerk enters so many messages of invented handovers at the desk; nothing is exported yet.
func (v *village) clerk(t *testing.T, n int) []native.RecordID {
	t.Helper()
	var ids []native.RecordID
	for i := range n {
		e, err := clerkEnters(v.mock, facts(uint64(i))) //nolint:gosec // a small number
		require.NoError(t, err)
		ids = append(ids, e.ID)
	}
	return ids
}

// exports enters and exports one message after the other, so that each stands in a file of its own.
func (v *village) exports(t *testing.T, n int) []native.RecordID {
	t.Helper()
	var ids []native.RecordID
	for range n {
		ids = append(ids, v.clerk(t, 1)...)
		require.NoError(t, v.mock.Morning(t.Context()))
	}
	return ids
}

func requireFault(t *testing.T, err error, kind fault.Kind, code string) {
	t.Helper()
	require.Error(t, err)
	require.Equal(t, kind, fault.KindOf(err), "%v", err)
	require.Equal(t, code, fault.CodeOf(err), "%v", err)
	require.NotContains(t, err.Error(), canary)
	require.NotContains(t, err.Error(), password)
}

// handOver hands an entry over and demands the answer of a system that answers later.
func (v *village) handOver(t *testing.T, e native.Entry) {
	t.Helper()
	_, err := v.system.Sink.Apply(t.Context(), e)
	requireFault(t, err, fault.Doubt, "handed-over")
}

func (v *village) find(t *testing.T, e native.Entry) []native.Receipt {
	t.Helper()
	found, err := v.system.Finder.Find(t.Context(), e.Reference)
	require.NoError(t, err)
	return found
}

// readAll reads from a position until nothing is left.
func readAll(t *testing.T, s adapters.Source, from native.Position, limit int) ([]native.RecordID, []adapters.Broken, native.Position) {
	t.Helper()
	var all []native.RecordID
	var broken []adapters.Broken
	for range 1000 {
		batch, err := s.Read(t.Context(), from, limit)
		require.NoError(t, err)
		for _, r := range batch.Records {
			all = append(all, r.ID)
		}
		broken, from = append(broken, batch.Broken...), batch.Next
		if !batch.More {
			return all, broken, from
		}
	}
	t.Fatal("the stream does not end")
	return nil, nil, ""
}

// names lists the files in a folder of the exchange.
func (v *village) names(t *testing.T, folder string) []string {
	t.Helper()
	entries, err := os.ReadDir(v.path(folder))
	require.NoError(t, err)
	var all []string
	for _, e := range entries {
		require.NotContains(t, e.Name(), "Canary")
		all = append(all, e.Name())
	}
	return all
}

func (v *village) path(parts ...string) string {
	return filepath.Join(append([]string{v.folder}, parts...)...)
}

func TestPing(t *testing.T) {
	v := open(t)
	require.NoError(t, v.system.Ping(t.Context()))
	require.Empty(t, v.names(t, contract.Inbox), "a ping leaves nothing behind")
	v.mock.Break(mock.DiskFull)
	requireFault(t, v.system.Ping(t.Context()), fault.Retry, "sftp")
	require.NoError(t, os.Remove(v.path(contract.Archive)))
	requireFault(t, v.system.Ping(t.Context()), fault.Stop, "folder")
	requireFault(t, v.with(t, func(c *Config) { c.Folder = "elsewhere" }).Ping(t.Context()), fault.Stop, "folder")
	require.NoError(t, v.system.Close())
	require.NoError(t, v.system.Close())
}

func TestConfig_EverythingWrongIsToldAtOnce(t *testing.T) {
	c := &Config{Address: "example.org", Folder: "../x", PasswordFile: "relative", KeyFile: "/key"}
	var paths []string
	for _, f := range c.Check() {
		paths = append(paths, f.Path)
	}
	require.Subset(t, paths, []string{"address", "user", "keyFile", "knownHostsFile", "folder", "begin", "settle", "bounds.answer", "bounds.send", "bounds.request"})
	_, err := Factory{}.New("tutoris", c)
	require.Equal(t, fault.Stop, fault.KindOf(err))
	_, err = Factory{}.New("tutoris", &struct{}{})
	requireFault(t, err, fault.Stop, "config")
	good, ok := Factory{}.DefaultConfig().(*Config)
	require.True(t, ok)
	good.Address, good.User, good.KeyFile, good.KnownHostsFile = "sftp.example.org:22", "einmal", "/key", "/known_hosts"
	require.Empty(t, good.Check())
	system, err := Factory{}.New("tutoris", good)
	require.NoError(t, err)
	require.Equal(t, adapters.ModeC, system.Abilities.Mode)
	require.True(t, system.Abilities.Bounds.Asynchronous())
	require.Equal(t, "tutoris", Factory{}.Type())
}

func TestApply_NothingIsHandedOverThatTheContractDoesNotKnow(t *testing.T) {
	v := open(t)
	for code, change := range map[string]func(*native.Entry){
		"reference": func(e *native.Entry) { e.Reference = "../x" }, "content": func(e *native.Entry) { e.Kind = "TU02" },
		"opening": func(e *native.Entry) { e.Case = "D-00001" },
		"not-opening": func(e *native.Entry) {
			if e.Action = handover.ActionRecall; e.Kind == "TU01" {
				*e = entry("clarification-answered", 1, "")
			}
		},
	} {
		e := entry("application-submitted", 1, "")
		change(&e)
		_, err := v.system.Sink.Apply(t.Context(), e)
		requireFault(t, err, fault.Refuse, code)
	}
	require.Empty(t, v.names(t, contract.Inbox))
}

func TestEndedContextHandsNothingOver(t *testing.T) {
	v := open(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := v.system.Sink.Apply(ctx, entry("application-submitted", 1, ""))
	requireFault(t, err, fault.Retry, "ended")
	_, err = v.system.Finder.Find(ctx, "0195e1a2-0000-7000-8000-000000000001")
	requireFault(t, err, fault.Retry, "ended")
	_, err = v.system.Source.Read(ctx, "", 10)
	requireFault(t, err, fault.Retry, "ended")
	require.Empty(t, v.names(t, contract.Inbox))
}
