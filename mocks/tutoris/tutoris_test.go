package tutoris

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"
	"github.com/pkg/sftp"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"golang.org/x/crypto/ssh"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	contract "github.com/einmal-hub/einmal/contracts/native/tutoris"
	"github.com/einmal-hub/einmal/mocks/core"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var update = flag.Bool("update", false, "write the contract's examples anew")

func facts(seed uint64) core.Facts {
	f := core.Invent(rand.New(rand.NewPCG(seed, 1))) //nolint:gosec // repeatable
	f.Assigning, f.Receiving = "sd-kriens", "rav-luzern"
	f.Documents = []core.Document{core.InventDocument(rand.New(rand.NewPCG(seed, 2)), "Vollmacht.pdf", 1500)} //nolint:gosec // repeatable
	f.Remark = fmt.Sprintf("[M%04d-01] Bemerkung mit <Zeichen> & \"Umbruch\"\nzweite Zeile", seed)
	return f
}

func open(t *testing.T, o Options) *Mock {
	t.Helper()
	if o.Folder == "" {
		o.Folder = t.TempDir()
	}
	o.System, o.User, o.Password = "tutoris", "einmal", "secret"
	m, err := New(o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, m.Close()) })
	return m
}

// login logs in as a program of a vendor would.
func login(t *testing.T, m *Mock, password string) (*sftp.Client, error) {
	t.Helper()
	c, err := ssh.Dial("tcp", m.Address(), &ssh.ClientConfig{
		User: "einmal", Auth: []ssh.AuthMethod{ssh.Password(password)}, HostKeyCallback: ssh.FixedHostKey(m.server.key),
	})
	if err != nil {
		return nil, err
	}
	files, err := sftp.NewClient(c)
	require.NoError(t, err)
	t.Cleanup(func() {
		_ = c.Close()
		_ = files.Close()
		_ = c.Wait()
	})
	return files, nil
}

// deliver puts a file into the inbox, and its documents beside it.
func deliver(t *testing.T, m *Mock, d contract.Delivery, dossier native.CaseKey, name handover.Name) {
	t.Helper()
	for _, x := range facts(7).Documents {
		require.NoError(t, os.WriteFile(filepath.Join(m.options.Folder, contract.Documents, x.SHA256()), x.Content, 0o600))
	}
	kind, body := Compose(name, facts(7))
	deliverContent(t, m, d, dossier, kind, body)
}

// deliverContent puts a file with a content into the inbox.
func deliverContent(t *testing.T, m *Mock, d contract.Delivery, dossier native.CaseKey, kind native.Kind, body []byte) {
	t.Helper()
	in := ""
	if dossier != "" {
		in = "<dossier>" + string(dossier) + "</dossier>"
	}
	text := fmt.Sprintf(`<lieferung xmlns="%s"><referenz>%s</referenz><versuch>%d</versuch>%s<fallreferenz>c-1</fallreferenz><stelle>sd-kriens</stelle><art>%s</art><inhalt>%s</inhalt></lieferung>`,
		contract.Namespace, d.Reference, d.Attempt, in, kind, body)
	inbox := filepath.Join(m.options.Folder, contract.Inbox)
	require.NoError(t, os.WriteFile(filepath.Join(inbox, "."+d.File()), []byte(text), 0o600))
	require.NoError(t, os.Rename(filepath.Join(inbox, "."+d.File()), filepath.Join(inbox, d.File())))
}

func (m *Mock) text(t *testing.T, folder, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(m.options.Folder, folder, name))
	require.NoError(t, err)
	return string(b)
}

func TestEveryFormKeepsTheContract(t *testing.T) {
	m := open(t, Options{})
	for seed := range uint64(40) {
		for _, p := range handover.Catalogue() {
			kind, body := Compose(p.Name(), facts(seed))
			require.NoError(t, m.Validate(kind, body), "%s\n%s", p.Name(), body)
		}
	}
	kind, body := Compose("no-such-message", facts(1))
	require.Empty(t, fmt.Sprint(kind, string(body)))
}

// With -update the examples are made anew from the forms, with another invented person.
func TestTheContractsExamplesKeepTheContract(t *testing.T) {
	m := open(t, Options{})
	for _, p := range handover.Catalogue() {
		kind, body := Compose(p.Name(), facts(7))
		path := filepath.Join("..", "..", "contracts", "native", "tutoris", "testdata", "content", string(kind)+".xml")
		if *update {
			doc := etree.NewDocument()
			require.NoError(t, doc.ReadFromBytes(body))
			doc.WriteSettings.CanonicalText = true
			doc.Indent(2)
			pretty, err := doc.WriteToBytes()
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(path, pretty, 0o600))
		}
		b, err := os.ReadFile(path)
		require.NoError(t, err)
		require.NoError(t, m.Validate(kind, b))
	}
}

// Mode C: the same file twice is two entries, and both are reported.
func TestI2_TheSameReferenceTwiceIsRecordedTwice(t *testing.T) {
	m := open(t, Options{})
	d := contract.Delivery{Reference: "0195e1a2", Attempt: 1}
	deliver(t, m, d, "", "application-submitted")
	require.NoError(t, m.Night(t.Context()))
	d.Attempt = 2
	deliver(t, m, d, "", "application-submitted")
	require.NoError(t, m.Night(t.Context()))
	require.Len(t, m.Store().ByReference(d.Reference, 0), 2)
	require.NoError(t, m.Morning(t.Context()))
	require.Equal(t, 2, strings.Count(m.text(t, contract.Results, contract.ResultFile(1)), "<erfasst>"))
}

func TestWhatTheContractForbidsIsRefusedWithItsReason(t *testing.T) {
	m := open(t, Options{})
	for i, c := range []struct {
		dossier native.CaseKey
		name    handover.Name
		reason  string
	}{
		{"D-99999", "clarification-answered", contract.ReasonUnknownCase}, {"", "clarification-answered", contract.ReasonNotOpening},
		{"D-99999", "application-submitted", contract.ReasonOpening},
	} {
		deliver(t, m, contract.Delivery{Reference: "a", Attempt: i + 1}, c.dossier, c.name)
		require.NoError(t, m.Night(t.Context()))
		require.NoError(t, m.Morning(t.Context()))
		require.Contains(t, m.text(t, contract.Results, contract.ResultFile(uint64(i+1))), "<grund>"+c.reason+"</grund>") //nolint:gosec // a small number
	}
	require.NoError(t, os.WriteFile(filepath.Join(m.options.Folder, contract.Inbox, "lieferung_b_1.xml"), []byte("<lieferung"), 0o600))
	require.NoError(t, m.Night(t.Context()))
	require.NoError(t, m.Morning(t.Context()))
	require.Contains(t, m.text(t, contract.Results, contract.ResultFile(4)), contract.ReasonInvalidContent)
	m.Refuse(1)
	deliver(t, m, contract.Delivery{Reference: "c", Attempt: 1}, "", "application-submitted")
	require.NoError(t, m.Night(t.Context()))
	require.NoError(t, m.Morning(t.Context()))
	require.Contains(t, m.text(t, contract.Results, contract.ResultFile(5)), "<grund>regel</grund>")
	require.Zero(t, m.Store().Len())
}

func TestEveryFaultOfTheNightIsWhatItSays(t *testing.T) {
	for fault, want := range map[core.Fault]struct{ tonight, named, tomorrow int }{
		core.FaultError: {0, 0, 1}, core.FaultErrorInDoubt: {0, 0, 0}, core.FaultDuplicate: {2, 2, 2}, core.FaultLate: {0, 0, 1}, core.FaultLostAnswer: {1, 0, 1},
	} {
		m := open(t, Options{})
		m.Dice().Script(core.OpWrite, fault, 1)
		deliver(t, m, contract.Delivery{Reference: "a", Attempt: 1}, "", "application-submitted")
		require.NoError(t, m.Night(t.Context()))
		require.Len(t, m.Store().ByReference("a", 0), want.tonight, fault)
		require.Len(t, m.receipts, want.named, fault)
		require.NoError(t, m.Night(t.Context()))
		require.Len(t, m.Store().ByReference("a", 0), want.tomorrow, fault)
	}
}

func TestAFileThatNobodyFinishedIsRemovedInTheEnd(t *testing.T) {
	now := time.Now()
	m := open(t, Options{Clock: func() time.Time { return now }})
	draft := filepath.Join(m.options.Folder, contract.Inbox, ".lieferung_a_1.xml.x.tmp")
	require.NoError(t, os.WriteFile(draft, []byte("<lieferung"), 0o600))
	require.NoError(t, m.Night(t.Context()))
	require.FileExists(t, draft)
	now = now.Add(8 * 24 * time.Hour)
	require.NoError(t, m.Night(t.Context()))
	require.NoFileExists(t, draft)
	require.Zero(t, m.Store().Len())
}

func TestReopenedMockGoesOnWhereItWas(t *testing.T) {
	dir, folder := t.TempDir(), t.TempDir()
	m := open(t, Options{Dir: dir, Folder: folder})
	enter := func(m *Mock) {
		kind, body := Compose("application-submitted", facts(7))
		_, _, err := m.Store().Write(t.Context(), core.Write{Kind: kind, Organisation: "sd-kriens", By: core.ByClerk, Body: body})
		require.NoError(t, err)
	}
	enter(m)
	deliver(t, m, contract.Delivery{Reference: "a", Attempt: 1}, "", "application-submitted")
	require.NoError(t, m.Night(t.Context()))
	require.NoError(t, m.Morning(t.Context()))
	deliver(t, m, contract.Delivery{Reference: "b", Attempt: 1}, "", "application-submitted")
	require.NoError(t, m.Night(t.Context()))
	require.NoError(t, m.Close())
	require.NoError(t, m.Close())
	again := open(t, Options{Dir: dir, Folder: folder})
	require.Equal(t, 3, again.Store().Len())
	require.Equal(t, m.server.key.Marshal(), again.server.key.Marshal(), "and is known by its old key")
	require.Contains(t, again.text(t, contract.Results, contract.ResultFile(2)), "<referenz>b<", "what was recorded is said, also by a mock that is closed")
	enter(again)
	require.NoError(t, again.Settle(t.Context()))
	require.Contains(t, again.text(t, contract.Outbox, contract.Export{From: 2, To: 2, Run: 2}.File()), "<exportnummer>2<")
	require.NoFileExists(t, filepath.Join(folder, contract.Results, contract.ResultFile(3)))
}

// A mock that was killed while a file lay there by halves writes it again: nobody but it could.
func TestWhatAKilledMockHasBegunIsWrittenAgain(t *testing.T) {
	dir, folder := t.TempDir(), t.TempDir()
	m := open(t, Options{Dir: dir, Folder: folder})
	kind, body := Compose("application-submitted", facts(7))
	for range 2 {
		_, _, err := m.Store().Write(t.Context(), core.Write{Kind: kind, Organisation: "sd-kriens", By: core.ByClerk, Body: body})
		require.NoError(t, err)
		require.NoError(t, m.Settle(t.Context()))
	}
	deliver(t, m, contract.Delivery{Reference: "a", Attempt: 1}, "", "application-submitted")
	require.NoError(t, m.Settle(t.Context()))
	require.NoError(t, m.Close())
	second := contract.Export{From: 2, To: 2, Run: 2}.File()
	for _, name := range []string{contract.Results + "/" + contract.ResultFile(1), contract.Outbox + "/" + second} {
		require.NoError(t, os.Truncate(filepath.Join(folder, name), 100))
	}
	again := open(t, Options{Dir: dir, Folder: folder})
	require.NoError(t, again.Settle(t.Context()))
	require.Contains(t, again.text(t, contract.Results, contract.ResultFile(1)), "<referenz>a<")
	require.Contains(t, again.text(t, contract.Outbox, second), "<exportnummer>2<")
	require.NoFileExists(t, filepath.Join(folder, contract.Results, contract.ResultFile(2)))
}

func TestTheNightsComeByThemselves(t *testing.T) {
	m := open(t, Options{Cadence: time.Millisecond})
	recorded := m.Store().Watch()
	deliver(t, m, contract.Delivery{Reference: "a", Attempt: 1}, "", "application-submitted")
	<-recorded
	require.Len(t, m.Store().ByReference("a", 0), 1)
}

func TestTheControlInterfaceSetsHowOftenItIsNight(t *testing.T) {
	m := open(t, Options{})
	put := func(body string) int {
		w := httptest.NewRecorder()
		m.Handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPut, "/control/cadence", strings.NewReader(body)))
		return w.Code
	}
	for _, wrong := range []string{"", `{"ms":-1}`, `{"ms":86400001}`, `{"s":1}`} {
		require.Equal(t, http.StatusUnprocessableEntity, put(wrong))
	}
	recorded := m.Store().Watch()
	deliver(t, m, contract.Delivery{Reference: "a", Attempt: 1}, "", "application-submitted")
	require.Equal(t, http.StatusNoContent, put(`{"ms":1}`))
	<-recorded
	require.Equal(t, http.StatusNoContent, put(`{"ms":0}`))
	require.NoError(t, m.Close())
	require.Equal(t, http.StatusNoContent, put(`{"ms":1}`), "nobody waits for a mock that is closed")
}

// On a bad day nothing happens by chance that only a person could settle.
func TestNoChanceMakesWhatOnlyAPersonCanSettle(t *testing.T) {
	m := open(t, Options{Faults: core.Faults{Seed: 1, Duplicate: 1, LostAnswer: 1}})
	deliver(t, m, contract.Delivery{Reference: "a", Attempt: 1}, "", "application-submitted")
	require.NoError(t, m.Night(t.Context()))
	require.Equal(t, 1, m.Store().Len())
	require.Len(t, m.receipts, 1)
}

func TestTheServerLetsIn(t *testing.T) {
	m := open(t, Options{})
	_, err := login(t, m, "wrong")
	require.Error(t, err)
	files, err := login(t, m, "secret")
	require.NoError(t, err)
	found, err := files.ReadDir(".")
	require.NoError(t, err)
	require.Len(t, found, 5)
	_, err = files.Open("../../../etc/passwd")
	require.ErrorIs(t, err, os.ErrNotExist, "nothing outside the folder is served")
	require.NoError(t, os.Symlink("/etc", filepath.Join(m.options.Folder, "leads-out")))
	_, err = files.Open("leads-out/passwd")
	require.Error(t, err)
	require.Error(t, files.Mkdir("x"))
}

func TestTheWireBreaksAsItIsTold(t *testing.T) {
	m := open(t, Options{})
	write := func(name string) (*sftp.Client, error) {
		files, err := login(t, m, "secret")
		require.NoError(t, err)
		f, err := files.OpenFile(contract.Inbox+"/"+name, os.O_WRONLY|os.O_CREATE|os.O_EXCL)
		if err != nil {
			return files, err
		}
		_, err = f.Write([]byte("0123456789"))
		return files, errors.Join(err, f.Close())
	}
	m.Break(DiskFull)
	files, err := write("a")
	require.Error(t, err)
	_, err = files.Stat(contract.Inbox + "/a")
	require.NoError(t, err, "the connection goes on")
	m.Break(CutUpload)
	files, err = write("b")
	require.Error(t, err)
	_, err = files.Stat(contract.Inbox + "/b")
	require.Error(t, err, "the connection is over")
	for fault, stands := range map[Breakage]string{CutBeforeRename: "from", CutAfterRename: "to", FailedRename: "to", LateRename: "to"} {
		files, err = write("from-" + string(fault))
		require.NoError(t, err)
		met := m.Break(fault)
		require.Error(t, files.PosixRename(contract.Inbox+"/from-"+string(fault), contract.Inbox+"/to-"+string(fault)))
		<-met
		m.FinishLate()
		require.FileExists(t, filepath.Join(m.options.Folder, contract.Inbox, stands+"-"+string(fault)))
	}
}

func TestTheControlInterfaceMakesNightsAndBreaksTheWire(t *testing.T) {
	m := open(t, Options{})
	srv := httptest.NewServer(m.Handler())
	defer srv.Close()
	defer http.DefaultClient.CloseIdleConnections()
	post := func(path, body string) int {
		resp, err := http.Post(srv.URL+path, "application/json", strings.NewReader(body))
		require.NoError(t, err)
		_, err = io.Copy(io.Discard, resp.Body)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		return resp.StatusCode
	}
	deliver(t, m, contract.Delivery{Reference: "a", Attempt: 1}, "", "application-submitted")
	require.Equal(t, http.StatusNoContent, post("/control/night", ""))
	require.Equal(t, http.StatusNoContent, post("/control/morning", ""))
	require.FileExists(t, filepath.Join(m.options.Folder, contract.Results, contract.ResultFile(1)))
	require.Equal(t, http.StatusNoContent, post("/control/wire", `{"fault":"failure","times":1}`))
	require.Equal(t, http.StatusUnprocessableEntity, post("/control/wire", `{"fault":"storm","times":1}`))
	files, err := login(t, m, "secret")
	require.NoError(t, err)
	_, err = files.ReadDir(contract.Inbox)
	require.Error(t, err)
	_, err = files.ReadDir(contract.Inbox)
	require.NoError(t, err)
}

// The files of months are too many to be read at every start: one that is as long as when it was put there is believed.
func TestAReopenedMockDoesNotReadWhatItKnowsToBeWhole(t *testing.T) {
	dir, folder := t.TempDir(), t.TempDir()
	m := open(t, Options{Dir: dir, Folder: folder})
	deliver(t, m, contract.Delivery{Reference: "a", Attempt: 1}, "", "application-submitted")
	require.NoError(t, m.Settle(t.Context()))
	length := len(m.text(t, contract.Results, contract.ResultFile(1)))
	require.NoError(t, m.Close())
	unreadable := strings.Repeat("x", length)
	require.NoError(t, os.WriteFile(filepath.Join(folder, contract.Results, contract.ResultFile(1)), []byte(unreadable), 0o600))
	again := open(t, Options{Dir: dir, Folder: folder})
	require.Empty(t, again.receipts, "a was said")
	require.Equal(t, unreadable, again.text(t, contract.Results, contract.ResultFile(1)))
}

// A mock that has no notes, as one that was stopped by an older program, reads everything.
func TestAMockWithoutNotesReadsItsFiles(t *testing.T) {
	dir, folder := t.TempDir(), t.TempDir()
	m := open(t, Options{Dir: dir, Folder: folder})
	deliver(t, m, contract.Delivery{Reference: "a", Attempt: 1}, "", "application-submitted")
	require.NoError(t, m.Settle(t.Context()))
	require.NoError(t, m.Close())
	require.NoError(t, os.Remove(filepath.Join(dir, string(m.options.System)+".files")))
	again := open(t, Options{Dir: dir, Folder: folder})
	require.Empty(t, again.receipts, "a was said")
	require.EqualValues(t, 1, again.run)
}
