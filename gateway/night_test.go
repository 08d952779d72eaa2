package gateway_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	contract "github.com/einmal-hub/einmal/contracts/native/tutoris"
	"github.com/einmal-hub/einmal/gateway/ledger"
	"github.com/einmal-hub/einmal/gateway/parked"
	"github.com/einmal-hub/einmal/mocks/clerks"
	"github.com/einmal-hub/einmal/mocks/core"
	"github.com/einmal-hub/einmal/mocks/tutoris"
	"github.com/einmal-hub/einmal/mocks/world"
)

// village is a stage with a Tutoris beside the world: a system that reads files at night and tells in the morning what became of them.
type village struct {
	*stage
	tutoris *tutoris.Mock
	folder  string
}

// villages are the social services that work in Tutoris, as they stand in the sample directory.
const villages = `  - id: sd-luzern
    agency: SH
    system: tutoris
    name: Soziale Dienste Stadt Luzern
    offers: [CASE_LEADERSHIP, ONLY_WITH_ECONOMIC_ASSISTANCE]
    contact: {name: Sekretariat Soziale Dienste Stadt Luzern, phone: 041 000 10 00, email: sd-luzern@example.org}
    serves: [{bfs: [1061]}]
  - id: sd-ebikon
    agency: SH
    system: tutoris
    name: Sozialdienst Ebikon
    offers: [CASE_LEADERSHIP]
    contact: {name: Sekretariat Sozialdienst Ebikon, phone: 041 000 14 00, email: sd-ebikon@example.org}
    serves: [{bfs: [1054]}]

municipalities:
`

// newVillage starts the mocks. answer is how long einmal waits for a result before it asks a person.
func newVillage(t *testing.T, answer string) *village {
	t.Helper()
	s := newStage(t, core.Faults{})
	folder := t.TempDir()
	m, err := tutoris.New(tutoris.Options{System: "tutoris", Folder: folder, User: "einmal", Password: "tutoris-secret"})
	require.NoError(t, err)
	s.after = append(s.after, func() { require.NoError(t, m.Close()) })
	directory, err := os.ReadFile("testdata/directory.yaml")
	require.NoError(t, err)
	for name, text := range map[string]string{
		"tutoris.password": "tutoris-secret", "tutoris.hosts": m.KnownHost(), "directory.yaml": strings.Replace(string(directory), "\nmunicipalities:\n", villages, 1),
	} {
		require.NoError(t, os.WriteFile(filepath.Join(s.dir, name), []byte(text+"\n"), 0o600))
	}
	s.rewrite = func(yaml string) string {
		yaml = strings.Replace(yaml, "testdata/directory.yaml", s.dir+"/directory.yaml", 1)
		return strings.Replace(yaml, "\nsystems:\n", "\nsystems:\n  tutoris:\n    type: tutoris\n    poll: 50ms\n    config:\n"+
			"      address: "+m.Address()+"\n      user: einmal\n      passwordFile: "+s.dir+"/tutoris.password\n      knownHostsFile: "+s.dir+"/tutoris.hosts\n"+
			"      look: 50ms\n      bounds: {send: 1s, request: 3s, margin: 300ms, answer: "+answer+"}\n", 1)
	}
	return &village{stage: s, tutoris: m, folder: folder}
}

// handsOver invents a case between two parties that the rules admit without a word.
func (v *village) handsOver(number int, assigning, receiving handover.OrganisationID) *affair {
	v.t.Helper()
	p, err := clerks.NewPlan(900, 400, world.AVAM, world.CASEnet, "tutoris")
	require.NoError(v.t, err)
	n := number
	for _, h := range p.Handovers {
		f := h.Steps[0].Facts
		if f.Assigning != assigning || f.Receiving != receiving || h.Steps[0].Answer != nil {
			continue
		}
		if n--; n > 0 {
			continue
		}
		f.Documents, f.Decision, f.ClosureReason, f.Outcome = nil, "ACCEPTED", "GOAL_REACHED", "SUCCESSFUL"
		for i := range f.Participants {
			f.Participants[i].Agreed = true
		}
		return &affair{s: v.stage, tag: fmt.Sprintf("[X%04d", number), facts: f, cases: map[handover.SystemID]native.CaseKey{}}
	}
	v.t.Fatal("the plan has no such handover")
	return nil
}

// path is a folder of the exchange, or what lies in it.
func (v *village) path(parts ...string) string {
	return filepath.Join(append([]string{v.folder}, parts...)...)
}

// handedOver waits until so many files lie in the inbox.
func (v *village) handedOver(n int) {
	v.t.Helper()
	require.Eventually(v.t, func() bool {
		names, err := filepath.Glob(v.path(contract.Inbox, "lieferung_*.xml"))
		return err == nil && len(names) == n
	}, patience, tick, "not %d files lie in the inbox", n)
}

// night lets Tutoris read its inbox and tell what became of it.
func (v *village) night() {
	v.t.Helper()
	require.NoError(v.t, v.tutoris.Night(v.t.Context()))
	require.NoError(v.t, v.tutoris.Morning(v.t.Context()))
}

// standing returns the entries of Tutoris that hold a text.
func (v *village) standing(text string) []core.Entry { return v.tutoris.Store().Containing(text) }

// clerk enters a form at a desk of Tutoris, which exports it the next morning. change may make it a recall or a correction, or attach a document.
func (v *village) clerk(a *affair, by handover.OrganisationID, name handover.Name, change ...func(*core.Typed)) (marker string, stands core.Stands) {
	v.t.Helper()
	_, _, marker = a.form(world.AVAM, name)
	f := a.facts
	f.Remark = marker
	kind, body := tutoris.Compose(name, f)
	typed := core.Typed{Case: a.cases["tutoris"], Kind: kind, Organisation: by, Body: string(body)}
	for _, c := range change {
		c(&typed)
	}
	b, err := json.Marshal(typed)
	require.NoError(v.t, err)
	said := v.desk(http.MethodPost, "/desk/entries", b, http.StatusCreated)
	require.NoError(v.t, json.Unmarshal([]byte(said), &stands))
	a.cases["tutoris"] = stands.Case
	require.NoError(v.t, v.tutoris.Morning(v.t.Context()))
	return marker, stands
}

// desk asks the desk of Tutoris.
func (v *village) desk(method, path string, body []byte, status int) string {
	v.t.Helper()
	w := httptest.NewRecorder()
	v.tutoris.Handler().ServeHTTP(w, httptest.NewRequestWithContext(v.t.Context(), method, path, bytes.NewReader(body)))
	require.Equal(v.t, status, w.Code, w.Body.String())
	return w.Body.String()
}

// lays puts a document onto the desks of both systems' clerks, and into the hands of the affair's next one.
func (v *village) lays(a *affair, name string, size int) core.Document {
	v.t.Helper()
	content := bytes.Repeat([]byte(name+"\n"), size/len(name))
	d := core.Document{Name: name, MediaType: "application/pdf", Content: content}
	status, said := call(v.t, http.MethodPut, v.world.URLs()[world.AVAM]+"/desk/documents/"+d.SHA256(), content)
	require.Equal(v.t, http.StatusNoContent, status, said)
	v.desk(http.MethodPut, "/desk/documents/"+d.SHA256(), content, http.StatusNoContent)
	a.facts.Documents = []core.Document{d}
	return d
}

// A case goes into Tutoris at night, is answered there, and goes on in the dossier that the result named: in order, each message once.
func TestI1I2I3ACaseGoesThereAndBackOverNight(t *testing.T) {
	t.Parallel()
	v := newVillage(t, "1h")
	g := v.gateway()
	a := v.handsOver(1, "rav-luzern", "sd-ebikon")
	first := a.enters(world.AVAM, "rav-luzern", "application-submitted")
	a.appears(first, world.CASEnet)
	v.handedOver(1)
	require.Equal(t, 1, g.Stats().Open, "handed over is not yet recorded")
	v.night()
	g.settled()
	require.Len(t, v.standing(first), 1)
	dossier := v.standing(first)[0].Case
	a.cases["tutoris"] = dossier
	second, _ := v.clerk(a, "sd-ebikon", "clarification-requested")
	a.appears(second, world.AVAM, world.CASEnet)
	third := a.enters(world.AVAM, "rav-luzern", "clarification-answered")
	v.handedOver(1)
	v.night()
	g.clean()
	entries, ok := v.tutoris.Store().Case(dossier)
	require.True(t, ok)
	require.Len(t, entries, 3)
	for i, marker := range []string{first, second, third} {
		require.Contains(t, string(entries[i].Body), marker)
	}
	require.Equal(t, []string{first, second, third}, a.stands(world.AVAM))

	other := v.handsOver(2, "sd-luzern", "rav-luzern")
	opened, _ := v.clerk(other, "sd-luzern", "application-submitted")
	other.appears(opened, world.AVAM, world.CASEnet)
	g.clean()
	require.NotContains(t, v.log.String(), a.facts.Person.OfficialName)
}

// Documents lie there before the entry that names them, in both directions, and under nothing but their hash.
func TestDocumentsGoThereAndBackOverNight(t *testing.T) {
	t.Parallel()
	v := newVillage(t, "1h")
	g := v.gateway()
	a := v.handsOver(1, "rav-luzern", "sd-ebikon")
	there := v.lays(a, "Arbeitsvertrag", 2<<20)
	require.NoError(t, v.tutoris.LoseDocument(there.SHA256()))
	marker := a.enters(world.AVAM, "rav-luzern", "application-submitted")
	v.handedOver(1)
	lies, err := os.ReadFile(v.path(contract.Documents, there.SHA256()))
	require.NoError(t, err)
	require.True(t, bytes.Equal(there.Content, lies))
	v.night()
	g.settled()
	a.cases["tutoris"] = v.standing(marker)[0].Case
	require.True(t, bytes.Equal(there.Content, []byte(v.desk(http.MethodGet, "/desk/documents/"+there.SHA256(), nil, http.StatusOK))))

	a.facts.Documents = nil
	decided, _ := v.clerk(a, "sd-ebikon", "application-decided")
	a.appears(decided, world.AVAM, world.CASEnet)
	back := v.lays(a, "Vereinbarung", 100_000)
	require.NoError(t, v.world.Store(world.AVAM).LoseDocument(back.SHA256()))
	noted, _ := v.clerk(a, "sd-ebikon", "transfer-meeting-recorded")
	a.appears(noted, world.AVAM, world.CASEnet)
	for _, id := range []handover.SystemID{world.AVAM, world.CASEnet} {
		for _, d := range []core.Document{there, back} {
			status, said := call(t, http.MethodGet, v.world.URLs()[id]+"/desk/documents/"+d.SHA256(), nil)
			require.Equal(t, http.StatusOK, status, id)
			require.True(t, bytes.Equal(d.Content, []byte(said)), id)
		}
	}
	g.clean()
	for _, folder := range []string{contract.Documents, contract.Archive, contract.Results, contract.Outbox} {
		names, err := os.ReadDir(v.path(folder))
		require.NoError(t, err)
		for _, n := range names {
			require.NotContains(t, n.Name(), "Arbeitsvertrag")
			require.NotContains(t, n.Name(), a.facts.Person.AHV)
		}
	}
	require.NotContains(t, v.log.String(), there.SHA256())
}

// A recall or a correction names the entry that it is about by the number of the system in which it stands, which Tutoris tells in the morning.
func TestCorrectionsAndRecallsGoThereAndBackOverNight(t *testing.T) {
	t.Parallel()
	v := newVillage(t, "1h")
	g := v.gateway()
	a := v.handsOver(1, "rav-luzern", "sd-ebikon")
	first, application := a.types(world.AVAM, "rav-luzern", "application-submitted", func(*core.Typed) {})
	v.handedOver(1)
	v.night()
	g.settled()
	a.cases["tutoris"] = v.standing(first)[0].Case
	a.facts.Goal = "Was gemeint war"
	second, _ := a.types(world.AVAM, "rav-luzern", "application-submitted", func(e *core.Typed) { e.Action, e.Refers = handover.ActionCorrection, application.ID })
	v.handedOver(1)
	v.night()
	g.settled()
	corrected := v.standing(second)
	require.Len(t, corrected, 1)
	require.Equal(t, a.cases["tutoris"], corrected[0].Case)
	require.Equal(t, handover.ActionCorrection, corrected[0].Action)
	require.Equal(t, v.standing(first)[0].ID, corrected[0].Refers)

	third, question := v.clerk(a, "sd-ebikon", "clarification-requested")
	a.appears(third, world.AVAM)
	fourth, _ := v.clerk(a, "sd-ebikon", "clarification-requested", func(e *core.Typed) { e.Action, e.Refers = handover.ActionCorrection, question.ID })
	a.appears(fourth, world.AVAM)
	office := a.entries(world.AVAM)
	require.Equal(t, handover.ActionCorrection, office[3].Action)
	require.Equal(t, office[2].ID, office[3].Refers)
	g.clean()
}

// What the rules say to an application, and how the service leads its own procedure while the other one leads, stand in its dossier in the morning.
func TestTheRulesAnswerAndTheProcedureStandInTheDossierInTheMorning(t *testing.T) {
	t.Parallel()
	v := newVillage(t, "1h")
	g := v.gateway()
	refused := v.handsOver(1, "sd-luzern", "rav-luzern")
	refused.facts.Declarations = nil
	marker, stands := v.clerk(refused, "sd-luzern", "application-submitted")
	v.handedOver(1)
	v.night()
	g.settled()
	entries, _ := v.tutoris.Store().Case(stands.Case)
	require.Len(t, entries, 2)
	require.Contains(t, string(entries[1].Body), "<pruefergebnis>zurueckgewiesen</pruefergebnis>")
	require.Contains(t, string(entries[1].Body), ":action>8<")
	require.Empty(t, v.world.Store(world.AVAM).Containing(marker), "nothing of it has left")

	a := v.handsOver(2, "sd-luzern", "rav-luzern")
	opened, _ := v.clerk(a, "sd-luzern", "application-submitted")
	a.appears(opened, world.AVAM)
	for _, step := range []struct {
		says  handover.Name
		shown string
	}{{"application-decided", ""}, {"transfer-meeting-recorded", "reduziert"}, {"case-closed", "voll"}} {
		a.enters(world.AVAM, "rav-luzern", step.says)
		v.handedOver(1)
		v.night()
		g.settled()
		require.Equal(t, step.shown, v.tutoris.Proceedings(a.cases["tutoris"]), step.says)
	}
	g.clean()
}

// What the result says while no gateway runs is found by the next one; nothing is handed over twice.
func TestI7AGatewayThatEndsBetweenHandingOverAndTheResultLosesNothing(t *testing.T) {
	t.Parallel()
	v := newVillage(t, "1h")
	v.shared()
	g := v.gateway()
	a := v.handsOver(1, "rav-luzern", "sd-ebikon")
	marker := a.enters(world.AVAM, "rav-luzern", "application-submitted")
	v.handedOver(1)
	g.stop()
	v.night()
	g = v.gateway()
	g.clean()
	require.Len(t, v.standing(marker), 1)
	v.handedOver(0)
}

// Mode C: what the result does not name waits for a person when the time for it is over, and is never handed over again by the machine.
func TestI2WhatNoResultNamesIsAskedAndNeverHandedOverAgain(t *testing.T) {
	t.Parallel()
	v := newVillage(t, "100ms")
	v.shared()
	g := v.gateway()
	v.tutoris.Dice().Script(core.OpWrite, core.FaultLostAnswer, 1)
	a := v.handsOver(1, "rav-luzern", "sd-ebikon")
	marker := a.enters(world.AVAM, "rav-luzern", "application-submitted")
	v.handedOver(1)
	v.night()
	it := g.waits(1)[0]
	require.Equal(t, "outcome-unknown", it.Reason.Code)
	require.Equal(t, "tutoris/sd-ebikon", it.Destination)
	g.stop()
	g = v.gateway()
	require.Len(t, g.waits(1), 1)
	v.handedOver(0)
	v.night()
	found := v.standing(marker)
	require.Len(t, found, 1)

	b, err := json.Marshal(parked.Ruling{Verdict: ledger.Found, Person: "operator", Why: "it stands there", Record: found[0].ID, Case: found[0].Case})
	require.NoError(t, err)
	status, said := g.admin(http.MethodPost, "/parked/"+it.ID+"/rulings", b)
	require.Equal(t, http.StatusNoContent, status, said)
	g.clean()
	require.Len(t, v.standing(marker), 1)
}

// A refusal that comes in the morning is put before a person; when it is put right, another file is handed over, and the refusal of the first is not taken for its own.
func TestARefusalInTheMorningIsPutBeforeAPersonAndTheNextFileHasItsOwnAnswer(t *testing.T) {
	t.Parallel()
	v := newVillage(t, "1h")
	g := v.gateway()
	v.tutoris.Refuse(1)
	a := v.handsOver(1, "rav-luzern", "sd-ebikon")
	marker := a.enters(world.AVAM, "rav-luzern", "application-submitted")
	v.handedOver(1)
	v.night()
	it := g.waits(1)[0]
	require.Equal(t, "rule", it.Reason.Code)
	require.Empty(t, v.standing(marker))
	g.rule(it.ID, "RETRY")
	v.handedOver(1)
	v.night()
	g.clean()
	require.Len(t, v.standing(marker), 1)
	archived, err := os.ReadDir(v.path(contract.Archive))
	require.NoError(t, err)
	require.Len(t, archived, 2)
	require.False(t, bytes.Contains([]byte(archived[0].Name()+archived[1].Name()), []byte(a.facts.Person.AHV)), "I6: file names hold nothing about a person")
}
