package klib

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/mocks/core"
	"github.com/stretchr/testify/require"
)

func paper(content string) core.Document {
	return core.Document{Name: "Beilage.pdf", MediaType: "application/pdf", Content: []byte(content)}
}

func (w world) put(hash, content string) reply {
	w.Helper()
	return w.do("PUT", "/api/v1/dokumente/"+hash, content, "Content-Type", "application/octet-stream")
}

func TestDocuments_StandUnderTheirHashAndOnlyThere(t *testing.T) {
	w := start(t, Options{})
	d, other := paper("eins"), paper("zwei")
	w.do("GET", "/api/v1/dokumente/"+d.SHA256(), "").refusedWith(t, http.StatusNotFound, "dokument-unbekannt")
	for content, code := range map[string]string{"zwei": "pruefsumme", "": "leer", strings.Repeat("x", handover.DocumentLimit+1): "zu-gross"} {
		w.put(d.SHA256(), content).refusedWith(t, http.StatusUnprocessableEntity, code)
	}
	w.put(strings.ToUpper(d.SHA256()), "eins").refusedWith(t, http.StatusUnprocessableEntity, "unlesbar")
	w.do("PUT", "/api/v1/dokumente/"+d.SHA256(), "eins", "Content-Type", "text/plain").refusedWith(t, http.StatusUnprocessableEntity, "unlesbar")
	w.do("PUT", "/api/v1/dokumente/"+d.SHA256(), "eins", "Authorization", "Bearer falsch").refusedWith(t, http.StatusUnauthorized, "nicht-angemeldet")
	require.Empty(t, w.mock.Store().Documents())
	require.Equal(t, http.StatusCreated, w.put(d.SHA256(), "eins").status)
	require.Equal(t, http.StatusOK, w.put(d.SHA256(), "eins").status, "it stands already")
	got := w.do("GET", "/api/v1/dokumente/"+d.SHA256(), "")
	require.Equal(t, "eins", got.body)
	require.Equal(t, "application/octet-stream", got.header.Get("Content-Type"))
	w.do("GET", "/api/v1/dokumente/"+other.SHA256(), "").refusedWith(t, http.StatusNotFound, "dokument-unbekannt")
	require.Equal(t, []string{d.SHA256()}, w.mock.Store().Documents())
}

func TestDocuments_FaultsStayWithinTheContract(t *testing.T) {
	w := start(t, Options{})
	d := paper("eins")
	w.mock.Dice().Script(core.OpWrite, core.FaultError, 1)
	w.put(d.SHA256(), "eins").refusedWith(t, http.StatusServiceUnavailable, "nicht-verarbeitet")
	require.Empty(t, w.mock.Store().Documents())
	w.mock.Dice().Script(core.OpWrite, core.FaultLostAnswer, 1)
	require.Error(t, w.put(d.SHA256(), "eins").err)
	require.Len(t, w.mock.Store().Documents(), 1, "stored, then the connection was cut")
	require.NoError(t, w.mock.Store().LoseDocument(d.SHA256()))
	w.do("GET", "/api/v1/dokumente/"+d.SHA256(), "").refusedWith(t, http.StatusNotFound, "dokument-unbekannt")
}

func TestWrite_AnEntryNeverStandsWithoutItsDocuments(t *testing.T) {
	w := start(t, Options{})
	f := facts(1)
	f.Documents = []core.Document{paper("eins"), paper("zwei")}
	_, body := Compose("application-submitted", f)
	w.put(f.Documents[0].SHA256(), "eins")
	w.do("POST", "/api/v1/dossiers", opening(t, "sd-kriens", body)).refusedWith(t, http.StatusUnprocessableEntity, "dokument-unbekannt")
	require.Zero(t, w.mock.Store().Len())
	w.put(f.Documents[1].SHA256(), "zwei")
	require.Equal(t, http.StatusCreated, w.do("POST", "/api/v1/dossiers", opening(t, "sd-kriens", body)).status)
	require.Equal(t, core.Hashes(f.Documents), w.mock.Store().After(0, 0)[0].Documents)

	f.Documents = append(f.Documents, f.Documents[0])
	_, body = Compose("application-submitted", f)
	p := w.do("POST", "/api/v1/dossiers", opening(t, "sd-kriens", body)).refusedWith(t, http.StatusUnprocessableEntity, "inhalt-ungueltig")
	require.Equal(t, []fehler{{Feld: "ersterEintrag.inhalt.dokumente[2].sha256", Code: "bereich"}}, p.Fehler)
}

func TestWrite_CancellationAndCorrectionNameAnEntryOfTheSameDossierAndKind(t *testing.T) {
	w := start(t, Options{})
	q, elsewhere := w.opened(), w.opened()
	at := "/api/v1/dossiers/" + string(q.Dossier) + "/eintraege"
	entry := func(aktion string, eintrag native.RecordID, art string, inhalt []byte) string {
		return fmt.Sprintf(`{"stelle":"sd-kriens","externeReferenz":"00-1","bezug":{"aktion":%q,"eintrag":%q},"art":%q,"inhalt":%s}`, aktion, eintrag, art, inhalt)
	}
	app, answer := application(t), []byte(`{"antwort":"Ja"}`)
	for name, body := range map[string]string{
		"an unknown entry": entry("storno", "E-0", "anmeldung", app), "an entry of another dossier": entry("storno", elsewhere.ID, "anmeldung", app), "another kind": entry("korrektur", q.ID, "antwort", answer),
	} {
		w.do("POST", at, body).refusedWith(t, http.StatusUnprocessableEntity, "bezug-unbekannt")
		require.Equal(t, 2, w.mock.Store().Len(), name)
	}
	w.do("POST", at, entry("loeschen", q.ID, "anmeldung", app)).refusedWith(t, http.StatusUnprocessableEntity, "inhalt-ungueltig")
	w.do("POST", "/api/v1/dossiers", strings.Replace(opening(t, "sd-kriens", app), `"art"`, `"bezug":{"aktion":"storno","eintrag":"E-1"},"art"`, 1)).
		refusedWith(t, http.StatusUnprocessableEntity, "inhalt-ungueltig")
	for i, aktion := range []string{"korrektur", "storno"} {
		r := w.do("POST", at, entry(aktion, q.ID, "anmeldung", app))
		require.Equal(t, http.StatusCreated, r.status, r.body)
		var p seite
		w.do("GET", fmt.Sprintf("/api/v1/eintraege?nach=m%d", 2+i), "").into(t, &p)
		require.Equal(t, &bezug{Aktion: aktion, Eintrag: q.ID}, p.Eintraege[0].Bezug)
		require.JSONEq(t, string(app), string(p.Eintraege[0].Inhalt))
	}
	e := w.mock.Store().After(2, 0)
	require.Equal(t, []handover.Action{handover.ActionCorrection, handover.ActionRecall}, []handover.Action{e[0].Action, e[1].Action})
}

func TestDesk_ShowsHowTheStelleLeadsItsOwnProcedure(t *testing.T) {
	w := start(t, Options{})
	q := w.opened()
	state := "/desk/cases/" + string(q.Dossier) + "/state"
	require.JSONEq(t, `{"procedure":"uneingeschraenkt"}`, w.do("GET", state, "").body)
	require.Equal(t, http.StatusNotFound, w.do("GET", "/desk/cases/D-0/state", "").status)
	for i, step := range []struct {
		message   handover.Name
		procedure string
		shown     string
	}{{"transfer-meeting-recorded", "REDUCED", "eingeschraenkt"}, {"clarification-answered", "", "eingeschraenkt"}, {"case-closed", "FULL", "uneingeschraenkt"}, {"transfer-meeting-recorded", "SUSPENDED", "sistiert"}} {
		f := facts(1)
		f.Procedure = step.procedure
		art, body := Compose(step.message, f)
		r := w.do("POST", "/api/v1/dossiers/"+string(q.Dossier)+"/eintraege", fmt.Sprintf(`{"stelle":"sd-kriens","externeReferenz":"00-%d","art":%q,"inhalt":%s}`, i, art, body))
		require.Equal(t, http.StatusCreated, r.status, r.body)
		require.JSONEq(t, `{"procedure":"`+step.shown+`"}`, w.do("GET", state, "").body)
	}
}

func TestDesk_WhatEinmalAloneWritesIsNotTyped(t *testing.T) {
	w := start(t, Options{})
	q := w.opened()
	f := facts(1)
	f.Procedure = "FULL"
	for _, name := range []handover.Name{"application-checked", "case-closed"} {
		art, body := Compose(name, f)
		r := w.do("POST", "/desk/entries", fmt.Sprintf(`{"case":%q,"kind":%q,"organisation":"sd-kriens","body":%q}`, q.Dossier, art, body))
		require.Equal(t, http.StatusUnprocessableEntity, r.status, r.body)
	}
	f.Procedure, f.Documents = "", []core.Document{paper("eins")}
	art, body := Compose("case-closed", f)
	typed := fmt.Sprintf(`{"case":%q,"kind":%q,"organisation":"sd-kriens","documents":[%q],"body":%q}`, q.Dossier, art, f.Documents[0].SHA256(), body)
	require.Equal(t, http.StatusUnprocessableEntity, w.do("POST", "/desk/entries", typed).status, "not attached yet")
	require.Equal(t, http.StatusNoContent, w.do("PUT", "/desk/documents/"+f.Documents[0].SHA256(), "eins").status)
	require.Equal(t, http.StatusCreated, w.do("POST", "/desk/entries", typed).status)
}

func TestContract_TheOutcomeOfACheckIsThatOfItsFindings(t *testing.T) {
	w := start(t, Options{})
	f := facts(1)
	f.CheckProfile, f.Findings = "p", []core.Finding{{Rule: "A", Severity: "REFUSE", Source: "B", Text: "C"}}
	for outcome, right := range map[string]bool{"RETURNED": true, "FORWARD": false} {
		f.CheckOutcome = outcome
		kind, body := Compose("application-checked", f)
		require.Equal(t, right, w.mock.Validate(kind, body) == nil)
	}
}
