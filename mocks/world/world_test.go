package world_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/mocks/clerks"
	"github.com/einmal-hub/einmal/mocks/core"
	"github.com/einmal-hub/einmal/mocks/world"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func start(t *testing.T, o world.Options) *world.World {
	t.Helper()
	w, err := world.Start(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		require.NoError(t, w.Stop(context.Background()))
	})
	return w
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	resp, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, string(b)
}

func TestWorld_EverySystemAnswersUnderItsPath(t *testing.T) {
	w := start(t, world.Options{Faults: core.Faults{Seed: 3}})
	require.Equal(t, []handover.SystemID{"avam", "casenet", "ivdossier", "klib", "osiv", "tutoris"}, world.IDs())
	for i, id := range []handover.SystemID{world.KLIB, world.AVAM, world.CASEnet, world.OSIV, world.Tutoris, world.IVDossier} {
		require.Equal(t, w.URLs()[id], w.Systems()[id].URL)
		status, b := get(t, w.URLs()[id]+"/desk/cases?contains=nobody")
		require.Equal(t, http.StatusOK, status)
		require.Equal(t, "[]", b)
		status, _ = get(t, w.URLs()[id]+"/control/faults")
		require.Equal(t, http.StatusOK, status)
		require.EqualValues(t, 30+i, w.Dice(id).Faults().Seed, "each draws from its own source")
	}
	status, _ := get(t, w.URLs()[world.KLIB]+"/api/v1/status")
	require.Equal(t, http.StatusOK, status)
	status, _ = get(t, w.URLs()[world.CASEnet]+"/api/platform")
	require.Equal(t, http.StatusOK, status)
	status, _ = get(t, w.URLs()[world.AVAM]+"/soap/avam.wsdl")
	require.Equal(t, http.StatusOK, status)
	require.DirExists(t, w.Sedex())
	require.DirExists(t, w.Dossier())
	b, err := os.ReadFile(world.KnownHosts(w.Folder()))
	require.NoError(t, err)
	_, port, err := net.SplitHostPort(w.SFTP())
	require.NoError(t, err)
	require.Contains(t, string(b), port)
	require.Nil(t, w.Dice("paper"))
}

// Whatever the clerks may want to say, each system that the case has to do with takes it as its own form says it.
func TestWorld_FormsAreTakenByTheirOwnSystems(t *testing.T) {
	w := start(t, world.Options{Dir: t.TempDir()})
	p, err := clerks.NewPlan(1, 80, world.IDs()...)
	require.NoError(t, err)
	systems, expected := w.Systems(), map[handover.SystemID]int{}
	for _, h := range p.Handovers {
		for _, at := range h.Places {
			stands := map[string]core.Stands{}
			for _, step := range h.Steps {
				s := systems[at.System]
				kind, body := s.Compose(step.Name, step.Facts)
				require.NotEmpty(t, kind, "%s has a form for %s", at.System, step.Name)
				require.Empty(t, s.Compare.Differ(body, body))
				for _, d := range step.Facts.Documents {
					attach(t, s.URL, d)
				}
				stands[step.Marker] = enter(t, s.URL, core.Typed{
					Case: stands[h.Steps[0].Marker].Case, Kind: kind, Organisation: step.Organisation, Action: step.Action, Refers: stands[step.Refers].ID,
					Documents: core.Hashes(step.Facts.Documents), Body: string(body),
				})
				expected[at.System]++
			}
		}
	}
	j, err := w.Journals()
	require.NoError(t, err)
	for _, id := range world.IDs() {
		require.Len(t, j[id], expected[id])
	}
}

// attach puts a document onto the desk.
func attach(t *testing.T, url string, d core.Document) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, url+"/desk/documents/"+d.SHA256(), bytes.NewReader(d.Content))
	require.NoError(t, err)
	resp, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusNoContent, resp.StatusCode)
}

// enter types an entry and returns where it stands.
func enter(t *testing.T, url string, typed core.Typed) core.Stands {
	t.Helper()
	b, err := jsonOf(typed)
	require.NoError(t, err)
	resp, err := http.Post(url+"/desk/entries", "application/json", strings.NewReader(b))
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusCreated, resp.StatusCode, "%s: %s", typed.Kind, answer)
	var at core.Stands
	require.NoError(t, fromJSON(answer, &at))
	return at
}

func TestWorld_JournalsOutliveIt(t *testing.T) {
	o := world.Options{Dir: t.TempDir()}
	w := start(t, o)
	s := w.Systems()[world.KLIB]
	p, err := clerks.NewPlan(1, 1, world.IDs()...)
	require.NoError(t, err)
	step := p.Handovers[0].Steps[0]
	step.Facts.Documents = nil
	kind, body := s.Compose(step.Name, step.Facts)
	enter(t, s.URL, core.Typed{Kind: kind, Organisation: step.Organisation, Body: string(body)})
	before, err := w.Journals()
	require.NoError(t, err)
	require.NoError(t, w.Stop(t.Context()))

	again := start(t, o)
	after, err := again.Journals()
	require.NoError(t, err)
	require.Equal(t, before, after)
}

func TestWorld_InMemoryJournalsCanBeReadToo(t *testing.T) {
	w := start(t, world.Options{})
	j, err := w.Journals()
	require.NoError(t, err)
	require.Len(t, j, len(world.IDs()))
	require.NoError(t, w.Stop(t.Context()))
	require.NoDirExists(t, w.Dossier())
	require.NoDirExists(t, w.Sedex(), "the folder of the interface ends with the world")
}

func TestWorld_StopEndsWaitingClerksAtOnce(t *testing.T) {
	w := start(t, world.Options{})
	ended := make(chan error, 1)
	go func() {
		resp, err := http.Get(w.URLs()[world.KLIB] + "/desk/entries?wait=30000")
		if err == nil {
			err = resp.Body.Close()
		}
		ended <- err
	}()
	require.NoError(t, w.Stop(t.Context()))
	t.Log("the listener ended with", <-ended)
	<-w.Done()
	require.NoError(t, w.Stop(t.Context()), "it may be stopped twice")
}

func TestWorld_TakenAddressIsAnError(t *testing.T) {
	w := start(t, world.Options{})
	_, err := world.Start(t.Context(), world.Options{Listen: strings.TrimPrefix(w.URL(), "http://")})
	require.ErrorContains(t, err, "listen for the mocks")
}

func TestWorld_UnusableJournalIsAnError(t *testing.T) {
	_, err := world.Start(t.Context(), world.Options{Dir: "/dev/null/journals"})
	require.Error(t, err)
}

func TestWorld_WebhookGoesWhereItIsTold(t *testing.T) {
	w := start(t, world.Options{Credentials: world.Credentials{WebhookKeys: []string{"whsec_" + strings.Repeat("QUFB", 12)}}})
	told := make(chan string, 1)
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case told <- r.Header.Get("Webhook-Signature"):
		default:
		}
	}))
	defer srv.Close()
	w.SetWebhookURL(srv.URL)
	s := w.Systems()[world.CASEnet]
	p, err := clerks.NewPlan(1, 1, world.IDs()...)
	require.NoError(t, err)
	step := p.Handovers[0].Steps[0]
	step.Facts.Documents = nil
	kind, body := s.Compose(step.Name, step.Facts)
	enter(t, s.URL, core.Typed{Kind: kind, Organisation: step.Organisation, Body: string(body)})
	require.True(t, strings.HasPrefix(<-told, "v1,"))
}

func TestBadDay_IsWhatTheControlInterfaceTakes(t *testing.T) {
	b, err := jsonOf(world.BadDay(7))
	require.NoError(t, err)
	var f core.Faults
	require.NoError(t, fromJSON([]byte(b), &f))
	require.Equal(t, world.BadDay(7), f)
	w := start(t, world.Options{})
	w.SetFaults(f)
	require.InDelta(t, 0.05, w.Dice(world.AVAM).Faults().LostAnswer, 0)
}

// The standard report is counted from what stands in each system in its own words.
func TestWorld_TheReportIsReadFromEveryForm(t *testing.T) {
	w := start(t, world.Options{})
	p, err := clerks.NewPlan(2, 120, world.IDs()...)
	require.NoError(t, err)
	want := map[string]int{}
	for _, h := range p.Handovers {
		for _, at := range h.Places {
			records(t, w, h, at)
		}
		if h.Returned() {
			continue
		}
		want["applications"]++
		last := map[handover.Name]core.Facts{}
		for _, s := range h.Steps {
			last[s.Name] = s.Facts
		}
		if f, decided := last["application-decided"]; decided && f.Decision == string(handover.Accepted) {
			want["accepted"]++
		} else if decided {
			want["rejected: "+f.RejectionReason]++
		}
		if f, closed := last["case-closed"]; closed {
			want["closed: "+f.Outcome]++
		}
		for name, line := range map[handover.Name]string{
			"cost-approval-requested": "cost approvals requested", "cost-approval-signed": "cost approvals signed", "cost-approval-refused": "cost approvals refused",
		} {
			if _, said := last[name]; said {
				want[line]++
			}
		}
	}
	j, err := w.Journals()
	require.NoError(t, err)
	got, err := clerks.Count(j, w.Systems())
	require.NoError(t, err)
	counted := map[string]int{}
	for _, l := range got {
		if _, wanted := want[l.Name]; wanted {
			counted[l.Name] = l.Total
		}
	}
	require.Greater(t, len(want), 9)
	require.Equal(t, want, counted)
}

// records lets a handover stand at a place.
func records(t *testing.T, w *world.World, h clerks.Handover, at clerks.Place) {
	t.Helper()
	stands := map[string]core.Entry{}
	store, form := w.Store(at.System), w.Systems()[at.System]
	var in core.Entry
	for _, s := range h.Steps {
		if s.Returned() && at != s.Place {
			continue
		}
		f := s.Facts
		f.Receiving = h.Parties.Receiving
		write := core.Write{
			Case: in.Case, Dossier: at.Organisation, Organisation: s.Organisation, Action: s.Action, Refers: stands[s.Refers].ID,
			Documents: core.Hashes(f.Documents), By: core.ByInterface,
		}
		if write.Refers == "" {
			write.Action = ""
		}
		write.Kind, write.Body = form.Compose(s.Name, f)
		for _, d := range f.Documents {
			require.NoError(t, store.PutDocument(d.SHA256(), bytes.NewReader(d.Content)))
		}
		e, _, err := store.Write(t.Context(), write)
		require.NoError(t, err)
		stands[s.Marker], in = e, e
	}
}
