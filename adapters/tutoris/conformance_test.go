package tutoris

import (
	"bytes"
	"context"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/adapters/adaptertest"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	contract "github.com/einmal-hub/einmal/contracts/native/tutoris"
	"github.com/einmal-hub/einmal/mocks/core"
	mock "github.com/einmal-hub/einmal/mocks/tutoris"
)

// Fault 9 among others: something is written between one page and the next.
func TestConformance(t *testing.T) { adaptertest.Run(t, driver(core.Faults{})) }

// Here a file may be left for another night or recorded in a later one, and a result or export comes by halves, twice, or after the next one.
func TestConformance_WithNightsThatGoWrong(t *testing.T) {
	adaptertest.Run(t, driver(core.Faults{Seed: 3, Duplicate: 0.4, Slow: 0.3, Late: 0.3, Error: 0.3}))
}

func driver(f core.Faults) adaptertest.Driver {
	return adaptertest.Driver{
		Start:   func(t adaptertest.T) adaptertest.Native { return startStage(t, f) },
		Secrets: []string{canary, facts(1).Person.AHV, password},
		Lacks:   []adaptertest.Fault{adaptertest.Redirected, adaptertest.Lagging},
	}
}

const password = "canary-password"

// stage is a mock behind its SFTP server.
type stage struct {
	mock   *mock.Mock
	folder string
}

func startStage(t adaptertest.T, f core.Faults) *stage {
	t.Helper()
	folder := t.TempDir()
	m, err := mock.New(mock.Options{System: "tutoris", Folder: folder, User: "einmal", Password: password, Faults: f})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, m.Close()) })
	for _, d := range facts(7).Documents {
		require.NoError(t, os.WriteFile(filepath.Join(folder, contract.Documents, d.SHA256()), d.Content, 0o600))
	}
	return &stage{mock: m, folder: folder}
}

// Connect implements [adaptertest.Native].
func (s *stage) Connect(t adaptertest.T, how adaptertest.Connection) adapters.System {
	c, shown := defaults(), password
	c.Address, c.User, c.Look = s.mock.Address(), "einmal", 0
	dir := t.TempDir()
	c.PasswordFile, c.KnownHostsFile = filepath.Join(dir, "password"), filepath.Join(dir, "known_hosts")
	switch how {
	case adaptertest.WrongCredentials:
		shown = "wrong-" + password
	case adaptertest.Unreachable:
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		c.Address = l.Addr().String()
		require.NoError(t, l.Close())
	}
	require.NoError(t, os.WriteFile(c.PasswordFile, []byte(shown+"\n"), 0o600))
	require.NoError(t, os.WriteFile(c.KnownHostsFile, []byte(s.mock.KnownHost()+"\n"), 0o600))
	require.Empty(t, c.Check())
	return connect(c, time.Now)
}

// Enter implements [adaptertest.Native].
func (s *stage) Enter(n int) (native.RecordID, error) {
	e, err := clerkEnters(s.mock, facts(uint64(n))) //nolint:gosec // a small number
	if err == nil {
		err = s.Carry()
	}
	return e.ID, err
}

// Without this the rule about files would hold nothing.
var _ adaptertest.Files = (*stage)(nil)

// EnterByHalves implements [adaptertest.Files]. Of the exports of two mornings, the files of the first are cut in the middle.
func (s *stage) EnterByHalves() (ids []native.RecordID, complete func() error, err error) {
	in := s.mock.Store().After(0, 1)[0].Case
	before, err := s.exports()
	if err != nil {
		return nil, nil, err
	}
	cut := map[string][]byte{}
	for n := range 2 {
		kind, body := mock.Compose("clarification-answered", facts(uint64(n+2))) //nolint:gosec // a small number
		e, _, err := s.mock.Store().Write(context.Background(), core.Write{Kind: kind, Case: in, Organisation: "sd-kriens", By: core.ByClerk, Body: body})
		if err != nil {
			return nil, nil, err
		}
		ids = append(ids, e.ID)
		if err := s.Carry(); err != nil {
			return nil, nil, err
		}
		if n == 0 {
			cut, err = s.exports()
		}
		if err != nil {
			return nil, nil, err
		}
	}
	write := func(part func([]byte) []byte) error {
		for name, b := range cut {
			if _, old := before[name]; old {
				continue
			}
			if err := os.WriteFile(name, part(b), 0o600); err != nil {
				return err
			}
		}
		return nil
	}
	complete = func() error { return write(func(b []byte) []byte { return b }) }
	return ids, complete, write(func(b []byte) []byte { return b[:len(b)/2] })
}

// exports reads the files in the outbox.
func (s *stage) exports() (map[string][]byte, error) {
	names, err := filepath.Glob(filepath.Join(s.folder, contract.Outbox, "*.xml"))
	if err != nil {
		return nil, err
	}
	all := map[string][]byte{}
	for _, name := range names {
		if all[name], err = os.ReadFile(name); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// Entry implements [adaptertest.Native].
func (*stage) Entry(n int, in native.CaseKey) native.Entry {
	if in == "" {
		return entry("application-submitted", n, in)
	}
	return entry("clarification-answered", n, in)
}

// Attach implements [adaptertest.Archive].
func (s *stage) Attach(content []byte) error {
	f := facts(1)
	f.Documents = []core.Document{{Name: "Beilage", MediaType: "application/pdf", Content: content}}
	_, err := clerkEnters(s.mock, f)
	if err == nil {
		err = s.Carry()
	}
	return err
}

// Naming implements [adaptertest.Archive]. What the document holds is the business of the test.
func (s *stage) Naming(n int, in native.CaseKey, d handover.Document) native.Entry {
	e := s.Entry(n, in)
	for _, old := range e.Documents {
		e.Body = bytes.ReplaceAll(e.Body, []byte(old.SHA256), []byte(d.SHA256))
		e.Body = bytes.ReplaceAll(e.Body, []byte(">"+strconv.FormatInt(old.Size, 10)+"<"), []byte(">"+strconv.FormatInt(d.Size, 10)+"<"))
	}
	e.Documents = []handover.Document{d}
	return e
}

// Count implements [adaptertest.Native].
func (s *stage) Count(ref native.Reference) int { return len(s.mock.Store().ByReference(ref, 0)) }

// Script implements [adaptertest.Native]. A connection can break while a file is written, renamed or read; whichever comes first.
func (s *stage) Script(f adaptertest.Fault) <-chan struct{} {
	switch f {
	case adaptertest.Forgotten:
		s.mock.Dice().Script(core.OpWrite, core.FaultLostAnswer, 1)
		return nil
	case adaptertest.Doubled:
		s.mock.Dice().Script(core.OpWrite, core.FaultDuplicate, 1)
		return nil
	}
	return s.mock.Break(map[adaptertest.Fault][]mock.Breakage{
		adaptertest.Rejected: {mock.DiskFull}, adaptertest.Failed: {mock.Failure}, adaptertest.LostAnswer: {mock.CutAfterRename, mock.CutDownload},
		adaptertest.Late: {mock.LateRename, mock.CutDownload}, adaptertest.Torn: {mock.CutUpload, mock.CutDownload}, adaptertest.Endless: {mock.Endless, mock.CutUpload},
		adaptertest.Silent: {mock.Silence},
	}[f]...)
}

// Carry implements [adaptertest.Carrier].
func (s *stage) Carry() error { return s.mock.Settle(context.Background()) }
