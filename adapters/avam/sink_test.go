package avam

import (
	"net/http"
	"strings"
	"testing"

	"github.com/einmal-hub/einmal/adapters/internal/xmlframe"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	contract "github.com/einmal-hub/einmal/contracts/native/avam"
	"github.com/einmal-hub/einmal/contracts/strict"
	mock "github.com/einmal-hub/einmal/mocks/avam"
	"github.com/einmal-hub/einmal/mocks/core"
	"github.com/stretchr/testify/require"
)

func TestApply_EveryKindStandsInAVAMAsItWasSent(t *testing.T) {
	v := open(t, nil)
	var in native.CaseKey
	for i, p := range handover.Catalogue() {
		ref := native.Reference(strings.Repeat("a", i+1))
		e := entry(p.Name(), ref, in)
		receipt, err := v.system.Sink.Apply(t.Context(), e)
		require.NoError(t, err)
		in = receipt.Case
		stored, ok := v.mock.Store().Entry(receipt.Record)
		require.True(t, ok)
		require.Equal(t, core.Entry{
			Number: uint64(i) + 1, ID: receipt.Record, Case: in, Sequence: uint64(i) + 1, Kind: e.Kind, Organisation: "rav-luzern", Dossier: "rav-luzern",
			CaseReference: e.CaseReference, Reference: ref, Documents: stored.Documents, By: core.ByInterface, At: start, Body: stored.Body,
		}, stored)
		require.Equal(t, reread(t, e.Body), reread(t, stored.Body))
	}
}

// reread brings a content into the form that the adapter reads it in.
func reread(t *testing.T, body []byte) string {
	t.Helper()
	el, err := strict.XML(body)
	require.NoError(t, err)
	b, err := xmlframe.Detach(el)
	require.NoError(t, err)
	return strings.ReplaceAll(string(b), ` xmlns:av="`+contract.Namespace+`"`, "")
}

func TestApply_FaultsOfTheContract(t *testing.T) {
	for name, test := range map[string]struct {
		code string
		kind fault.Kind
		want string
	}{
		"not processed":       {`<code>notProcessed</code>`, fault.Retry, "not-processed"},
		"refused with reason": {`<code>refused</code><reason>unknownCase</reason><path>/addEntry/caseId</path>`, fault.Refuse, "unknown-case"},
		"refused without":     {`<code>refused</code>`, fault.Refuse, "refused"},
		"refused, new reason": {`<code>refused</code><reason>Hans Muster</reason>`, fault.Refuse, "refused"},
		"unauthorised":        {`<code>unauthorised</code>`, fault.Stop, "unauthorised"},
		"mark on a write":     {`<code>unknownMark</code>`, fault.Doubt, "answer"},
		"unknown code":        {`<code>busy</code>`, fault.Doubt, "answer"},
		"no code":             {``, fault.Doubt, "answer"},
		"two codes":           {`<code>refused</code><code>notProcessed</code>`, fault.Doubt, "answer"},
		"attribute":           {`<code x="1">refused</code>`, fault.Doubt, "answer"},
	} {
		t.Run(name, func(t *testing.T) {
			inner := `<s:Fault><faultcode>s:Server</faultcode><faultstring>Hans Muster</faultstring><detail><fault xmlns="` + contract.Namespace + `">` + test.code + `</fault></detail></s:Fault>`
			_, err := answering(t, http.StatusInternalServerError, inner).Sink.Apply(t.Context(), entry("application-submitted", reference1, ""))
			requireFault(t, err, test.kind, test.want)
			require.NotContains(t, err.Error(), "Muster")
			_, err = answering(t, http.StatusOK, inner).Sink.Apply(t.Context(), entry("application-submitted", reference1, ""))
			requireFault(t, err, fault.Doubt, "answer")
		})
	}
}

// receiptFor is a good answer to openCase, to be spoilt.
func receiptFor(operation string) string {
	return `<` + operation + `Response xmlns="` + contract.Namespace + `"><entryId>E1</entryId><caseId>D1</caseId></` + operation + `Response>`
}

// Fault 61.
func TestApply_AnswersThatProveNothingAreDoubt(t *testing.T) {
	envelope := func(body string) string {
		return `<s:Envelope xmlns:s="` + contract.SOAPNamespace + `">` + body + `</s:Envelope>`
	}
	good := receiptFor("openCase")
	_, err := raw(t, http.StatusOK, envelope(`<s:Body>`+good+`</s:Body>`)).Sink.Apply(t.Context(), entry("application-submitted", reference1, ""))
	require.NoError(t, err)
	for name, body := range map[string]string{
		"empty":                   ``,
		"truncated":               envelope(`<s:Body>` + good + `</s:Body>`)[:200],
		"not XML":                 `{"entryId":"E1"}`,
		"HTML of a proxy":         `<html><body>OK</body></html>`,
		"document type":           `<!DOCTYPE x>` + envelope(`<s:Body>`+good+`</s:Body>`),
		"two bodies":              envelope(`<s:Body>` + good + `</s:Body><s:Body>` + good + `</s:Body>`),
		"a header":                envelope(`<s:Header/><s:Body>` + good + `</s:Body>`),
		"header after the body":   envelope(`<s:Body>` + good + `</s:Body><s:Header/>`),
		"two answers":             envelope(`<s:Body>` + good + good + `</s:Body>`),
		"no answer":               envelope(`<s:Body/>`),
		"wrapped answer":          envelope(`<s:Body><x:w xmlns:x="urn:x">` + good + `</x:w></s:Body>`),
		"wrapped envelope":        `<x:w xmlns:x="urn:x">` + envelope(`<s:Body>`+good+`</s:Body>`) + `</x:w>`,
		"SOAP 1.2":                strings.ReplaceAll(envelope(`<s:Body>`+good+`</s:Body>`), contract.SOAPNamespace, "http://www.w3.org/2003/05/soap-envelope"),
		"body of another space":   envelope(`<x:Body xmlns:x="urn:evil">` + good + `</x:Body>`),
		"answer of another space": envelope(`<s:Body>` + strings.ReplaceAll(good, contract.Namespace, "urn:evil") + `</s:Body>`),
		"answer to another":       envelope(`<s:Body>` + receiptFor("addEntry") + `</s:Body>`),
		"attribute on the body":   envelope(`<s:Body id="1">` + good + `</s:Body>`),
		"no entry id":             envelope(`<s:Body>` + strings.ReplaceAll(good, "<entryId>E1</entryId>", "") + `</s:Body>`),
		"empty entry id":          envelope(`<s:Body>` + strings.ReplaceAll(good, ">E1<", "><") + `</s:Body>`),
		"two entry ids":           envelope(`<s:Body>` + strings.ReplaceAll(good, "<entryId>E1</entryId>", "<entryId>E1</entryId><entryId>E2</entryId>") + `</s:Body>`),
		"other order":             envelope(`<s:Body>` + strings.ReplaceAll(good, "<entryId>E1</entryId><caseId>D1</caseId>", "<caseId>D1</caseId><entryId>E1</entryId>") + `</s:Body>`),
		"more than the contract":  envelope(`<s:Body>` + strings.ReplaceAll(good, "</caseId>", "</caseId><warning>x</warning>") + `</s:Body>`),
		"element in a value":      envelope(`<s:Body>` + strings.ReplaceAll(good, ">E1<", "><b>E1</b><") + `</s:Body>`),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := raw(t, http.StatusOK, body).Sink.Apply(t.Context(), entry("application-submitted", reference1, ""))
			requireFault(t, err, fault.Doubt, "answer")
		})
	}
	for _, status := range []int{201, 202, 204, 400, 404, 409, 422, 429, 500, 502, 503, 504} {
		_, err := raw(t, status, envelope(`<s:Body>`+good+`</s:Body>`)).Sink.Apply(t.Context(), entry("application-submitted", reference1, ""))
		requireFault(t, err, fault.Doubt, "answer")
	}
}

func TestApply_ReceiptForAnotherCaseIsDoubt(t *testing.T) {
	_, err := answering(t, http.StatusOK, receiptFor("addEntry")).Sink.Apply(t.Context(), entry("case-closed", reference1, "D2"))
	requireFault(t, err, fault.Doubt, "other-case")
}

func TestApply_WrongCredentialsStop(t *testing.T) {
	v := open(t, nil)
	_, err := connect(t, v.server.URL+mock.Path, "wrong").Sink.Apply(t.Context(), entry("application-submitted", reference1, ""))
	requireFault(t, err, fault.Stop, "unauthorized")
	require.NotContains(t, err.Error(), "wrong")
	require.Zero(t, v.mock.Store().Len())
}

func TestApply_WhatAVAMRefuses(t *testing.T) {
	v := open(t, nil)
	e := entry("case-closed", reference1, "D99999999")
	_, err := v.system.Sink.Apply(t.Context(), e)
	requireFault(t, err, fault.Refuse, "unknown-case")
	e.Case = ""
	_, err = v.system.Sink.Apply(t.Context(), e)
	requireFault(t, err, fault.Refuse, "not-opening")
	e = entry("application-submitted", reference1, "D99999999")
	_, err = v.system.Sink.Apply(t.Context(), e)
	requireFault(t, err, fault.Refuse, "opening")
	e.Case, e.Kind = "", "OPT02"
	_, err = v.system.Sink.Apply(t.Context(), e)
	requireFault(t, err, fault.Refuse, "not-opening")
	e = entry("application-submitted", reference1, "")
	e.Body = []byte(strings.Replace(string(e.Body), "<procedure>1<", "<procedure>7<", 1))
	_, err = v.system.Sink.Apply(t.Context(), e)
	requireFault(t, err, fault.Refuse, "invalid-content")
	require.Zero(t, v.mock.Store().Len())
}

func TestApply_ContentThatIsNotOneElementIsNeverSent(t *testing.T) {
	v := open(t, nil)
	for _, body := range []string{``, `x`, `<a/>`, `<a xmlns="` + contract.Namespace + `"/><b/>`, `<a xmlns="` + contract.Namespace + `">` + strings.Repeat("x", contract.MaxContent) + `</a>`} {
		e := entry("application-submitted", reference1, "")
		e.Body = []byte(body)
		_, err := v.system.Sink.Apply(t.Context(), e)
		requireFault(t, err, fault.Refuse, "content")
	}
	require.Zero(t, v.mock.Store().Len())
}

// Fault 57.
func TestApply_EveryDoubtIsFoundOrProvablyAbsent(t *testing.T) {
	for _, test := range []struct {
		script core.Fault
		kind   fault.Kind
		found  int
	}{{core.FaultError, fault.Retry, 0}, {core.FaultLostAnswer, fault.Doubt, 1}} {
		v := open(t, nil)
		v.mock.Dice().Script(core.OpWrite, test.script, 1)
		_, err := v.system.Sink.Apply(t.Context(), entry("application-submitted", reference1, ""))
		require.Equal(t, test.kind, fault.KindOf(err), "%v", err)
		found, err := v.system.Finder.Find(t.Context(), reference1)
		require.NoError(t, err)
		require.Len(t, found, test.found)
	}
}

func TestFind_IsTheReceiptAgain(t *testing.T) {
	v := open(t, nil)
	receipt, err := v.system.Sink.Apply(t.Context(), entry("application-submitted", reference1, ""))
	require.NoError(t, err)
	found, err := v.system.Finder.Find(t.Context(), reference1)
	require.NoError(t, err)
	require.Equal(t, []native.Receipt{receipt}, found)
	found, err = v.system.Finder.Find(t.Context(), reference2)
	require.NoError(t, err)
	require.Empty(t, found)
	_, err = v.system.Sink.Apply(t.Context(), entry("application-submitted", reference1, ""))
	require.NoError(t, err, "AVAM does not recognise a reference: mode B")
	found, err = v.system.Finder.Find(t.Context(), reference1)
	require.NoError(t, err)
	require.Len(t, found, 2)
}

// Fault 60.
func TestFind_AFailedOrPartialSearchIsNeverEmpty(t *testing.T) {
	found := func(inner string) error {
		_, err := answering(t, http.StatusOK, `<findByReferenceResponse xmlns="`+contract.Namespace+`">`+inner+`</findByReferenceResponse>`).Finder.Find(t.Context(), reference1)
		return err
	}
	require.NoError(t, found(`<complete>true</complete>`))
	requireFault(t, found(`<complete>false</complete>`), fault.Retry, "incomplete-search")
	requireFault(t, found(``), fault.Retry, "answer")
	requireFault(t, found(`<complete>ja</complete>`), fault.Retry, "answer")
	requireFault(t, found(`<match/><complete>true</complete>`), fault.Retry, "answer")
	requireFault(t, found(`<complete>true</complete><match><entryId>E1</entryId><caseId>D1</caseId></match>`), fault.Retry, "answer")
	v := open(t, nil)
	v.mock.Dice().Script(core.OpRead, core.FaultError, 1)
	_, err := v.system.Finder.Find(t.Context(), reference1)
	requireFault(t, err, fault.Retry, "not-processed")
}
