package all_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/adapters/adaptertest"
	"github.com/einmal-hub/einmal/adapters/all"
	"github.com/einmal-hub/einmal/adapters/avam"
	"github.com/einmal-hub/einmal/adapters/casenet"
	"github.com/einmal-hub/einmal/adapters/klib"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	mockavam "github.com/einmal-hub/einmal/mocks/avam"
	mockcasenet "github.com/einmal-hub/einmal/mocks/casenet"
	"github.com/einmal-hub/einmal/mocks/core"
	mockklib "github.com/einmal-hub/einmal/mocks/klib"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// What must never stand in an error: the credentials, and a name and number that stand in every entry.
const (
	secret = "canary-secret-of-the-interface"
	person = "Canary-Zgraggen"
	number = "7569217076985"
)

// mock is what every mock native system can do.
type mock interface {
	Handler() http.Handler
	Store() *core.Store
	Dice() *core.Dice
	Close() error
}

// kind says how the system of one type is played.
type kind struct {
	mock      func() (mock, error)
	configure func(cfg any, url, secretFile, webhookFile string)
	compose   func(handover.Name, core.Facts) (native.Kind, []byte)
	factory   adapters.Factory
	inContent bool // recall and correction stand in the content
}

func kinds() map[string]kind {
	return map[string]kind{
		"klib": {
			factory: klib.Factory{}, compose: mockklib.Compose,
			mock: func() (mock, error) { return mockklib.New(mockklib.Options{System: "klib", Token: secret}) },
			configure: func(cfg any, url, secretFile, _ string) {
				c := cfg.(*klib.Config)
				c.URL, c.TokenFile = url, secretFile
			},
		},
		"avam": {
			factory: avam.Factory{}, compose: mockavam.Compose, inContent: true,
			mock: func() (mock, error) {
				return mockavam.New(mockavam.Options{System: "avam", Username: "einmal", Password: secret})
			},
			configure: func(cfg any, url, secretFile, _ string) {
				c := cfg.(*avam.Config)
				c.URL, c.Username, c.PasswordFile = url+mockavam.Path, "einmal", secretFile
			},
		},
		"casenet": {
			factory: casenet.Factory{}, compose: mockcasenet.Compose,
			mock: func() (mock, error) { return mockcasenet.New(mockcasenet.Options{System: "casenet", Token: secret}) },
			configure: func(cfg any, url, secretFile, webhookFile string) {
				c := cfg.(*casenet.Config)
				c.URL, c.TokenFile, c.Webhook.KeyFiles = url, secretFile, []string{webhookFile}
			},
		},
	}
}

// elsewhere lists the types whose wire is not HTTP; the same rules are tried in their own packages.
func elsewhere() []string { return []string{"osiv", "tutoris", "ivdossier"} }

// Fault 9 among others: something is written between one page and the next.
func TestEveryAdapterHoldsEveryRule(t *testing.T) {
	played := kinds()
	require.Len(t, all.Factories(), len(played)+len(elsewhere()), "every type of the list is tried")
	for _, f := range all.Factories() {
		if slices.Contains(elsewhere(), f.Type()) {
			continue
		}
		t.Run(f.Type(), func(t *testing.T) {
			k, known := played[f.Type()]
			require.True(t, known)
			adaptertest.Run(t, adaptertest.Driver{
				Start:   func(t adaptertest.T) adaptertest.Native { return start(t, k) },
				Secrets: []string{secret, person, number, "756.9217.0769.85", "wrong-" + secret}, ActionInContent: k.inContent,
			})
		})
	}
}

// played is one running mock behind a misbehaving network.
type played struct {
	kind    kind
	mock    mock
	between *adaptertest.Between
	server  *httptest.Server
}

func start(t adaptertest.T, k kind) *played {
	t.Helper()
	m, err := k.mock()
	require.NoError(t, err)
	p := &played{kind: k, mock: m, between: adaptertest.NewBetween(m.Handler())}
	p.server = httptest.NewServer(p.between)
	t.Cleanup(func() {
		p.server.Close()
		require.NoError(t, m.Close())
	})
	return p
}

// Connect implements [adaptertest.Native].
func (p *played) Connect(t adaptertest.T, how adaptertest.Connection) adapters.System {
	t.Helper()
	url, shown := p.server.URL, secret
	switch how {
	case adaptertest.WrongCredentials:
		shown = "wrong-" + secret
	case adaptertest.Unreachable:
		closed := httptest.NewServer(http.NotFoundHandler())
		url = closed.URL
		closed.Close()
	}
	dir := t.TempDir()
	webhook := "whsec_" + base64.StdEncoding.EncodeToString([]byte(strings.Repeat("k", 32)))
	for name, content := range map[string]string{"secret": shown, "webhook": webhook} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600))
	}
	cfg := p.kind.factory.DefaultConfig()
	p.kind.configure(cfg, url, filepath.Join(dir, "secret"), filepath.Join(dir, "webhook"))
	system, err := p.kind.factory.New("played", cfg)
	require.NoError(t, err)
	return system
}

// Enter implements [adaptertest.Native].
func (p *played) Enter(n int) (native.RecordID, error) {
	kind, body := p.kind.compose("application-submitted", facts(n))
	e, _, err := p.mock.Store().Write(context.Background(), core.Write{Kind: kind, Organisation: "sd-kriens", Dossier: "sd-kriens", By: core.ByClerk, Body: body})
	return e.ID, err
}

// Entry implements [adaptertest.Native].
func (p *played) Entry(n int, in native.CaseKey) native.Entry {
	name := handover.Name("application-submitted")
	if in != "" {
		name = "clarification-answered"
	}
	kind, body := p.kind.compose(name, facts(n))
	return native.Entry{
		Reference: native.Reference(fmt.Sprintf("0195e1a2-0000-7000-8000-%012x", n)), Kind: kind, Case: in, Organisation: "sd-kriens", Body: body,
		CaseReference: "0195e1a2-cccc-7000-8000-000000000001",
	}
}

// Attach implements [adaptertest.Archive].
func (p *played) Attach(content []byte) error {
	f := facts(0)
	f.Documents = []core.Document{{Name: "Beilage.pdf", MediaType: "application/pdf", Content: content}}
	if err := p.mock.Store().PutDocument(f.Documents[0].SHA256(), bytes.NewReader(content)); err != nil {
		return err
	}
	kind, body := p.kind.compose("application-submitted", f)
	_, _, err := p.mock.Store().Write(context.Background(), core.Write{
		Kind: kind, Organisation: "sd-kriens", Dossier: "sd-kriens", By: core.ByClerk, Documents: core.Hashes(f.Documents), Body: body,
	})
	return err
}

// Naming implements [adaptertest.Archive]. The form is filled in with a document of a telling size, and its size and hash are replaced.
func (p *played) Naming(n int, in native.CaseKey, d handover.Document) native.Entry {
	e, f := p.Entry(n, in), facts(n)
	f.Documents = []core.Document{{Name: "Beilage.pdf", MediaType: "application/pdf", Content: make([]byte, 987_654)}}
	_, body := p.kind.compose(map[bool]handover.Name{true: "application-submitted", false: "clarification-answered"}[in == ""], f)
	e.Documents = []handover.Document{d}
	e.Body = []byte(strings.NewReplacer("987654", strconv.FormatInt(d.Size, 10), f.Documents[0].SHA256(), d.SHA256).Replace(string(body)))
	return e
}

// Count implements [adaptertest.Native].
func (p *played) Count(ref native.Reference) int {
	p.between.Wait()
	return len(p.mock.Store().ByReference(ref, 0))
}

// Script implements [adaptertest.Native].
func (p *played) Script(f adaptertest.Fault) <-chan struct{} {
	switch f {
	case adaptertest.Rejected:
		p.mock.Dice().Script(core.OpWrite, core.FaultError, 1)
		return nil
	case adaptertest.Lagging:
		p.mock.Dice().Set(core.Faults{LookupLag: time.Hour})
		return nil
	default:
		return p.between.Script(f)
	}
}

func facts(n int) core.Facts {
	f := core.Invent(rand.New(rand.NewPCG(uint64(n), 5))) //nolint:gosec // repeatable
	f.Assigning, f.Receiving, f.Documents = "sd-kriens", "rav-luzern", nil
	f.Person.OfficialName, f.Person.AHV = person, number
	return f
}
