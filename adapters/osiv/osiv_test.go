package osiv

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	contract "github.com/einmal-hub/einmal/contracts/native/osiv"
	"github.com/einmal-hub/einmal/contracts/personal"
	"github.com/einmal-hub/einmal/mocks/core"
	mock "github.com/einmal-hub/einmal/mocks/osiv"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// canary stands in every entry as the person's name and must never stand in an error or a file name.
const canary = "Canary-Zgraggen"

// village is a mock OSIV with its carrier, the adapter for it, and a clock that both look at.
type village struct {
	folder string
	mock   *mock.Mock
	system adapters.System
	clock  *time.Time
}

func open(t *testing.T) *village {
	t.Helper()
	now := time.Now().UTC()
	v := &village{folder: t.TempDir(), clock: &now}
	m, err := mock.New(mock.Options{
		System: "osiv", Folder: v.folder, Einmal: "T3-CH-1", OSIV: "T6-100001-1", MessageType: 2000100, Clock: func() time.Time { return *v.clock },
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, m.Close()) })
	v.mock, v.system = m, connectTo(t, v.folder, func(*Config) {}, v.clock)
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

func connectTo(t *testing.T, folder string, change func(*Config), clock *time.Time) adapters.System {
	t.Helper()
	c, ok := Factory{}.DefaultConfig().(*Config)
	require.True(t, ok)
	c.Folder, c.Sender, c.Recipient, c.MessageType = folder, "T3-CH-1", "T6-100001-1", 2000100
	change(c)
	_, err := Factory{}.New("osiv", c)
	require.NoError(t, err)
	return connect(c, func() time.Time { return *clock })
}

// again is the adapter of a new process.
func (v *village) again(t *testing.T) adapters.System {
	t.Helper()
	return connectTo(t, v.folder, func(*Config) {}, v.clock)
}

func (v *village) step(t *testing.T) {
	t.Helper()
	require.NoError(t, v.mock.Step(t.Context()))
}

func (v *village) later(d time.Duration) { *v.clock = v.clock.Add(d) }

func facts(seed uint64) core.Facts {
	f := core.Invent(rand.New(rand.NewPCG(seed, 1))) //nolint:gosec // repeatable
	f.Assigning, f.Receiving = "iv-luzern", "sd-kriens"
	f.Person.OfficialName = canary
	f.Documents = []core.Document{core.InventDocument(rand.New(rand.NewPCG(seed, 2)), "Vollmacht.pdf", 1500)} //nolint:gosec // repeatable
	for i := range f.Declarations {
		if f.Declarations[i].Item == "IV_PROCEDURE" {
			f.Declarations[i].Answer = "RUNNING"
		}
	}
	return f
}

// entry is what the gateway would give the sink.
func entry(name handover.Name, n int, in native.CaseKey) native.Entry {
	kind, body := mock.Compose(name, facts(7))
	return native.Entry{
		Reference: native.Reference(fmt.Sprintf("0195e1a2-0000-7000-8000-%012x", n)), Kind: kind, Case: in, CaseReference: "0195e1a2-cccc-7000-8000-000000000001",
		Organisation: "iv-luzern", Documents: documentsOf(kind, facts(7)), Body: body,
	}
}

// documentsOf are the documents of an entry of a kind that may have some.
func documentsOf(code native.Kind, f core.Facts) []handover.Document {
	var all []handover.Document
	if kind, _ := contract.KindOf(code); kind.Documents {
		for _, d := range f.Documents {
			all = append(all, documentOf(d))
		}
	}
	return all
}

// clerk enters one message of an invented handover at the desk.
func (v *village) clerk(t *testing.T, n handover.Name, seed uint64, in native.CaseKey) core.Entry {
	t.Helper()
	kind, body := mock.Compose(n, facts(seed))
	w := core.Write{Case: in, Kind: kind, Organisation: "iv-luzern", By: core.ByClerk, Body: body}
	if k, _ := contract.KindOf(kind); k.Documents {
		w.Documents = core.Hashes(facts(seed).Documents)
		for _, d := range facts(seed).Documents {
			require.NoError(t, v.mock.Store().PutDocument(d.SHA256(), bytes.NewReader(d.Content)))
		}
	}
	e, _, err := v.mock.Store().Write(t.Context(), w)
	require.NoError(t, err)
	return e
}

func requireFault(t *testing.T, err error, kind fault.Kind, code string) {
	t.Helper()
	require.Error(t, err)
	require.Equal(t, kind, fault.KindOf(err), "%v", err)
	require.Equal(t, code, fault.CodeOf(err), "%v", err)
	require.NotContains(t, err.Error(), canary)
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

// recorded hands over and waits for the report.
func (v *village) recorded(t *testing.T, e native.Entry) native.Receipt {
	t.Helper()
	v.handOver(t, e)
	v.step(t)
	found := v.find(t, e)
	require.Len(t, found, 1)
	return found[0]
}

// readAll reads from a position until nothing is left.
func readAll(t *testing.T, s adapters.Source, from native.Position, limit int) ([]native.Record, []adapters.Broken, native.Position) {
	t.Helper()
	var all []native.Record
	var broken []adapters.Broken
	for range 1000 {
		batch, err := s.Read(t.Context(), from, limit)
		require.NoError(t, err)
		require.LessOrEqual(t, len(batch.Records), limit)
		all, broken, from = append(all, batch.Records...), append(broken, batch.Broken...), batch.Next
		if !batch.More {
			return all, broken, from
		}
	}
	t.Fatal("the stream does not end")
	return nil, nil, ""
}

func ids(records []native.Record) []native.RecordID {
	var all []native.RecordID
	for _, r := range records {
		all = append(all, r.ID)
	}
	return all
}

// names lists the files in a folder of the interface; drafts of ours are none.
func (v *village) names(t *testing.T, folder string) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(v.folder, folder))
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
	require.Empty(t, v.names(t, contract.Outbox), "a ping leaves nothing behind")
	require.Empty(t, v.names(t, contract.Processed))
	gone := connectTo(t, filepath.Join(v.folder, "nowhere"), func(*Config) {}, v.clock)
	requireFault(t, gone.Ping(t.Context()), fault.Retry, "folder")
	require.NoError(t, os.Remove(v.path(contract.Receipts)))
	requireFault(t, v.system.Ping(t.Context()), fault.Retry, "folder")
	require.NoError(t, v.system.Close())
	require.NoError(t, v.system.Close())
}

func TestConfig_EverythingWrongIsToldAtOnce(t *testing.T) {
	c := &Config{Folder: "relative", Sender: "3-CH-1", Recipient: "3-CH-1"}
	var codes []string
	for _, f := range c.Check() {
		codes = append(codes, f.Path)
	}
	require.Subset(t, codes, []string{"folder", "recipient", "messageType", "settle", "bounds.answer", "bounds.send", "bounds.request"})
	_, err := Factory{}.New("osiv", c)
	require.Equal(t, fault.Stop, fault.KindOf(err))
	_, err = Factory{}.New("osiv", &struct{}{})
	requireFault(t, err, fault.Stop, "config")
	good, ok := Factory{}.DefaultConfig().(*Config)
	require.True(t, ok)
	good.Folder, good.Sender, good.Recipient, good.MessageType = "/x", "T3-CH-1", "0-sedex-1", 1
	require.Empty(t, good.Check())
	system, err := Factory{}.New("osiv", good)
	require.NoError(t, err)
	require.Equal(t, adapters.ModeA, system.Abilities.Mode)
	require.True(t, system.Abilities.Bounds.Asynchronous())
	require.Equal(t, "osiv", Factory{}.Type())
}

func TestApply_NothingIsHandedOverThatTheContractDoesNotKnow(t *testing.T) {
	v := open(t)
	for code, change := range map[string]func(*native.Entry){
		"reference": func(e *native.Entry) { e.Reference = "../x" }, "content": func(e *native.Entry) { e.Kind = "000102" },
		"opening": func(e *native.Entry) { e.Case = "IV.000001" },
		"not-opening": func(e *native.Entry) {
			*e = entry("clarification-answered", 1, "")
		},
		"no-iv-registration": func(e *native.Entry) {
			e.Body = []byte(strings.Replace(string(e.Body), "<ivAnmeldung>L</ivAnmeldung>", "", 1))
		},
	} {
		e := entry("application-submitted", 1, "")
		change(&e)
		_, err := v.system.Sink.Apply(t.Context(), e)
		requireFault(t, err, fault.Refuse, code)
	}
	require.Empty(t, v.names(t, contract.Outbox))
}

// P7: OSIV cannot hold persons without IV registration, whatever a mapping says.
func TestP7_NothingIsHandedOverWithoutRegistration(t *testing.T) {
	v := open(t)
	for _, value := range []string{"", "N", "B", " L", "LL"} {
		e := entry("application-submitted", 1, "")
		e.Body = []byte(strings.Replace(string(e.Body), "<ivAnmeldung>L<", "<ivAnmeldung>"+value+"<", 1))
		_, err := v.system.Sink.Apply(t.Context(), e)
		requireFault(t, err, fault.Refuse, "no-iv-registration")
	}
	v.step(t)
	require.Zero(t, v.mock.Store().Len())
	require.Empty(t, v.names(t, contract.Outbox))
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
	require.Empty(t, v.names(t, contract.Outbox))
}
