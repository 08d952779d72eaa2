package gateway_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/mocks/core"
	"github.com/einmal-hub/einmal/mocks/world"
)

// types lets a clerk enter a form with everything that a desk takes, and returns its marker and where it stands.
func (a *affair) types(system handover.SystemID, by handover.OrganisationID, name handover.Name, change func(*core.Typed)) (string, core.Stands) {
	a.s.t.Helper()
	kind, body, marker := a.form(system, name)
	typed := core.Typed{Case: a.cases[system], Kind: kind, Organisation: by, Body: body}
	change(&typed)
	b, err := json.Marshal(typed)
	require.NoError(a.s.t, err)
	status, said := call(a.s.t, http.MethodPost, a.s.world.URLs()[system]+"/desk/entries", b)
	require.Equal(a.s.t, http.StatusCreated, status, said)
	var stands core.Stands
	require.NoError(a.s.t, json.Unmarshal([]byte(said), &stands))
	a.cases[system] = stands.Case
	return marker, stands
}

// entries returns what stands in the affair's case in a system, in its order.
func (a *affair) entries(system handover.SystemID) []core.Entry {
	found, _ := a.s.world.Store(system).Case(a.cases[system])
	return found
}

// comes waits until so many entries stand in the affair's case in a system.
func (a *affair) comes(system handover.SystemID, n int) []core.Entry {
	a.s.t.Helper()
	require.Eventually(a.s.t, func() bool { return len(a.entries(system)) >= n }, patience, tick, "not %d entries in %s", n, system)
	return a.entries(system)
}

// nowhere demands that nothing of an affair stands in the systems.
func (a *affair) nowhere(systems ...handover.SystemID) {
	a.s.t.Helper()
	for _, id := range systems {
		require.Empty(a.s.t, a.s.world.Store(id).Containing(a.tag), id)
	}
}

// An application that the rules do not admit is answered in the system where it was entered, with rule, source and hint, and nothing of it leaves that system.
func TestI5WhatTheRulesDoNotAdmitNeverLeavesItsSystem(t *testing.T) {
	t.Parallel()
	s := newStage(t, core.Faults{})
	g := s.gateway()
	a := s.affair(1)
	a.facts.Declarations = nil // nothing is confirmed, so nothing is known
	a.enters(world.KLIB, "sd-kriens", "application-submitted")
	got := a.comes(world.KLIB, 2)
	require.Equal(t, core.ByInterface, got[1].By)
	for _, word := range []string{"lucerne/regular-2025", "IWO1", "C 3.2.1"} {
		require.Contains(t, string(got[1].Body), word)
	}
	g.settled()
	a.nowhere(world.AVAM, world.CASEnet)
	g.waits(0)
}

// The clerk need not know who is responsible: the person's residence says it.
func TestTheReceiverIsFoundByResidence(t *testing.T) {
	t.Parallel()
	s := newStage(t, core.Faults{})
	g := s.gateway()
	a := s.affair(1)
	a.facts.Receiving = ""
	marker := a.enters(world.KLIB, "sd-kriens", "application-submitted")
	a.appears(marker, everywhere()...)
	require.Equal(t, handover.OrganisationID("rav-luzern"), a.entries(world.AVAM)[0].Dossier)
	require.Contains(t, string(a.entries(world.CASEnet)[0].Body), "rav-luzern")
	g.clean()
}

// What is entered a second time by hand on the platform is the same case: the unemployment office gets it once.
func TestI8TheSameCaseEnteredByHandInTwoSystemsIsOneCase(t *testing.T) {
	t.Parallel()
	s := newStage(t, core.Faults{})
	g := s.gateway()
	a := s.affair(1)
	a.appears(a.enters(world.KLIB, "sd-kriens", "application-submitted"), everywhere()...)
	number := a.cases[world.KLIB]
	again := *a
	again.cases = map[handover.SystemID]native.CaseKey{}
	again.enters(world.CASEnet, "sd-kriens", "application-submitted")
	got := again.comes(world.CASEnet, 2)
	require.Contains(t, string(got[1].Body), "SAME-CASE")
	require.Contains(t, string(got[1].Body), string(number), "it says where the case stands")
	g.settled()
	require.Len(t, s.world.Store(world.AVAM).Containing(a.tag), 1)
	g.waits(0)

	other := *a
	other.cases = map[handover.SystemID]native.CaseKey{}
	other.facts.Goal = "Etwas ganz anderes"
	other.enters(world.CASEnet, "sd-kriens", "application-submitted")
	require.Equal(t, "second-claim", g.waits(1)[0].Reason.Code)
	require.Len(t, s.world.Store(world.AVAM).Containing(a.tag), 1)
}

// A clerk who has made a mistake corrects it or takes it back in her own system, and every other one knows what it is about.
func TestACorrectionAndARecallReachEverySystem(t *testing.T) {
	t.Parallel()
	s := newStage(t, core.Faults{})
	g := s.gateway()
	a := s.affair(1)
	a.appears(a.enters(world.KLIB, "sd-kriens", "application-submitted"), everywhere()...)
	asked, question := a.types(world.AVAM, "rav-luzern", "clarification-requested", func(*core.Typed) {})
	a.appears(asked, everywhere()...)
	earlier := map[handover.SystemID]native.RecordID{}
	for _, id := range everywhere() {
		earlier[id] = a.entries(id)[1].ID
	}
	a.facts.Question = "Was genau?"
	corrected, second := a.types(world.AVAM, "rav-luzern", "clarification-requested", func(e *core.Typed) { e.Action, e.Refers = handover.ActionCorrection, question.ID })
	a.appears(corrected, everywhere()...)
	recalled, _ := a.types(world.AVAM, "rav-luzern", "clarification-requested", func(e *core.Typed) { e.Action, e.Refers = handover.ActionRecall, second.ID })
	a.appears(recalled, everywhere()...)
	for _, id := range []handover.SystemID{world.KLIB, world.CASEnet} {
		got := a.entries(id)
		require.Len(t, got, 4)
		require.Equal(t, []handover.Action{handover.ActionCorrection, handover.ActionRecall}, []handover.Action{got[2].Action, got[3].Action}, id)
		require.Equal(t, []native.RecordID{earlier[id], got[2].ID}, []native.RecordID{got[2].Refers, got[3].Refers}, id)
	}
	g.clean()
}

// Documents travel by their hash and stand before the entry that names them, through a mock that breaks transfers off.
// Fault 73.
func TestDocumentsArriveWholeOrTheCaseWaits(t *testing.T) {
	t.Parallel()
	s := newStage(t, world.BadDay(3))
	g := s.gateway()
	a := s.affair(1)
	content := bytes.Repeat([]byte("Arbeitsvertrag "), 100_000)
	sum := sha256.Sum256(content)
	hash := hex.EncodeToString(sum[:])
	status, said := call(t, http.MethodPut, s.world.URLs()[world.KLIB]+"/desk/documents/"+hash, content)
	require.Equal(t, http.StatusNoContent, status, said)
	a.facts.Documents = []core.Document{{Name: "Vertrag.pdf", MediaType: "application/pdf", Content: content}}
	marker, _ := a.types(world.KLIB, "sd-kriens", "application-submitted", func(e *core.Typed) { e.Documents = []string{hash} })
	a.appears(marker, everywhere()...)
	for _, id := range everywhere() {
		status, said := call(t, http.MethodGet, s.world.URLs()[id]+"/desk/documents/"+hash, nil)
		require.Equal(t, http.StatusOK, status, id)
		require.Equal(t, sum, sha256.Sum256([]byte(said)), id)
	}
	require.NotContains(t, s.log.String(), "Vertrag.pdf")
	require.NotContains(t, s.log.String(), hash)
	g.clean()
}

// While the other agency leads, the assigning agency's own system says that its procedure is reduced; afterwards that it is whole again.
func TestTheAssigningSystemShowsTheReducedProcedure(t *testing.T) {
	t.Parallel()
	s := newStage(t, core.Faults{})
	g := s.gateway()
	a := s.affair(1)
	a.appears(a.enters(world.KLIB, "sd-kriens", "application-submitted"), everywhere()...)
	for _, name := range []handover.Name{"application-decided", "transfer-meeting-recorded", "case-closed"} {
		a.appears(a.enters(world.AVAM, "rav-luzern", name), everywhere()...)
	}
	var shown []string
	for _, e := range a.entries(world.KLIB) {
		if _, after, said := strings.Cut(string(e.Body), `"verfahrensfuehrung":"`); said {
			word, _, _ := strings.Cut(after, `"`)
			shown = append(shown, word)
		}
	}
	require.Equal(t, []string{"eingeschraenkt", "uneingeschraenkt"}, shown)
	g.clean()
}
