package gateway_test

import (
	"bytes"
	"net/http"
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
	"github.com/einmal-hub/einmal/mocks/core"
	"github.com/einmal-hub/einmal/mocks/tutoris"
	"github.com/einmal-hub/einmal/mocks/world"
)

// village is a stage with a Tutoris beside the world: a system that reads files at night and tells in the morning what became of them.
type village struct {
	*stage
	tutoris *tutoris.Mock
	inbox   string
}

// newVillage starts the mocks. answer is how long einmal waits for a result before it asks a person.
func newVillage(t *testing.T, answer string) *village {
	t.Helper()
	s := newStage(t, core.Faults{})
	folder := t.TempDir()
	m, err := tutoris.New(tutoris.Options{System: "tutoris", Folder: folder, User: "einmal", Password: "tutoris-secret"})
	require.NoError(t, err)
	s.after = append(s.after, func() { require.NoError(t, m.Close()) })
	for name, text := range map[string]string{"tutoris.password": "tutoris-secret", "tutoris.hosts": m.KnownHost()} {
		require.NoError(t, os.WriteFile(filepath.Join(s.dir, name), []byte(text+"\n"), 0o600))
	}
	s.rewrite = func(yaml string) string {
		return strings.Replace(yaml, "\nsystems:\n", "\n  - {id: sd-luzern, agency: SH, system: tutoris}\nsystems:\n  tutoris:\n    type: tutoris\n    poll: 50ms\n    config:\n"+
			"      address: "+m.Address()+"\n      user: einmal\n      passwordFile: "+s.dir+"/tutoris.password\n      knownHostsFile: "+s.dir+"/tutoris.hosts\n"+
			"      look: 50ms\n      bounds: {send: 1s, request: 3s, margin: 300ms, answer: "+answer+"}\n", 1)
	}
	return &village{stage: s, tutoris: m, inbox: filepath.Join(folder, contract.Inbox)}
}

// handedOver waits until so many files lie in the inbox.
func (v *village) handedOver(n int) {
	v.t.Helper()
	require.Eventually(v.t, func() bool {
		names, err := filepath.Glob(filepath.Join(v.inbox, "lieferung_*.xml"))
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

// clerk enters a form in Tutoris, which exports it the next morning.
func (v *village) clerk(a *affair, in native.CaseKey, name handover.Name) (marker string) {
	v.t.Helper()
	_, _, marker = a.form(world.AVAM, name)
	f := a.facts
	f.Remark = marker
	kind, body := tutoris.Compose(name, f)
	_, _, err := v.tutoris.Store().Write(v.t.Context(), core.Write{Case: in, Kind: kind, Organisation: "sd-luzern", By: core.ByClerk, Body: body})
	require.NoError(v.t, err)
	require.NoError(v.t, v.tutoris.Morning(v.t.Context()))
	return marker
}

// A case goes into Tutoris at night, is answered there, and goes on in the dossier that the result named: in order, each message once.
func TestI1I2I3ACaseGoesThereAndBackOverNight(t *testing.T) {
	t.Parallel()
	v := newVillage(t, "1h")
	g := v.gateway()
	a := v.affair(1).between("rav-luzern", "sd-luzern")
	first := a.enters(world.AVAM, "rav-luzern", "application-submitted")
	a.appears(first, world.CASEnet)
	v.handedOver(1)
	require.Equal(t, 1, g.Stats().Open, "handed over is not yet recorded")
	v.night()
	g.settled()
	require.Len(t, v.standing(first), 1)
	dossier := v.standing(first)[0].Case
	second := v.clerk(a, dossier, "clarification-requested")
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

	opened := v.clerk(v.affair(2).between("sd-luzern", "rav-luzern"), "", "application-submitted")
	v.affair(2).appears(opened, world.AVAM, world.CASEnet)
	g.clean()
	require.NotContains(t, v.log.String(), a.facts.Person.OfficialName)
}

// What the result says while no gateway runs is found by the next one; nothing is handed over twice.
func TestI7AGatewayThatEndsBetweenHandingOverAndTheResultLosesNothing(t *testing.T) {
	t.Parallel()
	v := newVillage(t, "1h")
	v.shared()
	g := v.gateway()
	a := v.affair(1).between("rav-luzern", "sd-luzern")
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
	a := v.affair(1).between("rav-luzern", "sd-luzern")
	marker := a.enters(world.AVAM, "rav-luzern", "application-submitted")
	v.handedOver(1)
	v.night()
	it := g.waits(1)[0]
	require.Equal(t, "outcome-unknown", it.Reason.Code)
	require.Equal(t, "tutoris/sd-luzern", it.Destination)
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
	a := v.affair(1).between("rav-luzern", "sd-luzern")
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
	archived, err := os.ReadDir(filepath.Join(filepath.Dir(v.inbox), contract.Archive))
	require.NoError(t, err)
	require.Len(t, archived, 2)
	require.False(t, bytes.Contains([]byte(archived[0].Name()+archived[1].Name()), []byte(a.facts.Person.AHV)), "I6: file names hold nothing about a person")
}
