package avam

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	contract "github.com/einmal-hub/einmal/contracts/native/avam"
	"github.com/einmal-hub/einmal/contracts/strict"
	"github.com/einmal-hub/einmal/mocks/core"
	"github.com/einmal-hub/einmal/mocks/ech0058"
	"github.com/go-json-experiment/json"
	"github.com/stretchr/testify/require"
)

// post sends one request as a SOAP client does; change may spoil it.
func post(t *testing.T, m *Mock, operation, inner string, change func(*http.Request)) (int, *etree.Element) {
	t.Helper()
	body := `<e:Envelope xmlns:e="` + contract.SOAPNamespace + `"><e:Body><a:` + operation + ` xmlns:a="` + contract.Namespace + `">` + inner + `</a:` + operation + `></e:Body></e:Envelope>`
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, Path, strings.NewReader(body))
	r.Header.Set("Content-Type", "text/xml; charset=utf-8")
	r.Header.Set("SOAPAction", `"`+contract.Action(operation)+`"`)
	r.SetBasicAuth("einmal", "geheim")
	if change != nil {
		change(r)
	}
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, r)
	root, err := strict.XML(w.Body.Bytes())
	require.NoError(t, err, "%s", w.Body)
	el, err := unwrap(root)
	require.NoError(t, err)
	if w.Code == http.StatusOK {
		require.NoError(t, m.schema.Check(el), "the mock keeps its own contract")
	}
	return w.Code, el
}

// fault returns code, reason and path of a SOAP fault.
func fault(t *testing.T, m *Mock, el *etree.Element) string {
	t.Helper()
	f := el.FindElement("detail").ChildElements()[0]
	require.NoError(t, m.schema.Check(f), "the mock keeps its own contract")
	return strings.TrimSpace(own(f, "code") + " " + own(f, "reason") + " " + own(f, "path"))
}

func office(t *testing.T) *Mock {
	t.Helper()
	return open(t, Options{Username: "einmal", Password: "geheim"})
}

// opening is a request that opens a case.
func opening(body []byte, reference string) string {
	return `<a:reference>` + reference + `</a:reference><a:caseReference>c-1</a:caseReference><a:organisationId>rav-luzern</a:organisationId><a:kind>OPT01</a:kind><a:content>` +
		string(body) + `</a:content>`
}

// adding is a request that appends an entry.
func adding(kind native.Kind, body []byte, in string) string {
	return `<a:reference>ab-2</a:reference><a:caseId>` + in + `</a:caseId><a:organisationId>rav-luzern</a:organisationId><a:kind>` + string(kind) + `</a:kind><a:content>` + string(body) + `</a:content>`
}

func TestInterface_WritesAreRefusedForWhatTheyAre(t *testing.T) {
	m := office(t)
	_, application := Compose("application-submitted", facts(7))
	kind, closure := Compose("case-closed", facts(7))
	status, el := post(t, m, contract.OpenCase, opening(application, "ab-1"), nil)
	require.Equal(t, http.StatusOK, status)
	in := own(el, "caseId")
	foreign := strings.Replace(string(closure), "<h:messageType>", "<h:businessProcessId>c-9</h:businessProcessId><h:messageType>", 1)
	for want, test := range map[string]struct{ operation, inner string }{
		"refused unknownCase": {contract.AddEntry, adding(kind, closure, "D9")},
		"refused opening":     {contract.AddEntry, adding("OPT01", application, in)},
		"refused notOpening":  {contract.OpenCase, strings.ReplaceAll(opening(closure, "ab-1"), "OPT01", "OPT20")},
		"refused invalidContent /Envelope/Body/addEntry/content/closure":                {contract.AddEntry, adding("OPT19", closure, in)},
		"refused invalidContent /Envelope/Body/openCase/reference":                      {contract.OpenCase, opening(application, "AB-1")},
		"refused invalidContent /Envelope/Body/addEntry/kind":                           {contract.AddEntry, adding("OPT23", closure, in)},
		"refused invalidContent /Envelope/Body/addEntry/content":                        {contract.AddEntry, adding(kind, nil, in)},
		"refused invalidContent /Envelope/Body/addEntry":                                {contract.AddEntry, ""},
		"refused invalidContent /Envelope/Body/getChanges/max":                          {contract.GetChanges, "<a:mark>0</a:mark><a:max>201</a:max>"},
		"refused invalidContent /Envelope/Body/deleteEntry":                             {"deleteEntry", ""},
		"refused invalidContent":                                                        {contract.OpenCase, "<!-- -->x"},
		"unknownMark":                                                                   {contract.GetChanges, "<a:mark>2</a:mark><a:max>1</a:max>"},
		"refused invalidContent /Envelope/Body/addEntry/content/closure/deliveryHeader": {contract.AddEntry, adding(kind, []byte(foreign), in)},
	} {
		status, el := post(t, m, test.operation, test.inner, nil)
		require.Equal(t, http.StatusInternalServerError, status)
		require.Equal(t, want, fault(t, m, el))
	}
	require.Equal(t, 1, m.Store().Len())
}

func TestInterface_NobodyGetsInWithoutCredentialsActionAndMediaType(t *testing.T) {
	m := office(t)
	for name, change := range map[string]func(*http.Request){
		"no credentials": func(r *http.Request) { r.Header.Del("Authorization") },
		"wrong user":     func(r *http.Request) { r.SetBasicAuth("x", "geheim") },
		"wrong password": func(r *http.Request) { r.SetBasicAuth("einmal", "x") },
	} {
		status, el := post(t, m, contract.Ping, "", change)
		require.Equal(t, http.StatusUnauthorized, status, name)
		require.Equal(t, "unauthorised", fault(t, m, el))
	}
	for name, change := range map[string]func(*http.Request){
		"no action":      func(r *http.Request) { r.Header.Del("SOAPAction") },
		"without quotes": func(r *http.Request) { r.Header.Set("SOAPAction", contract.Action(contract.Ping)) },
		"another action": func(r *http.Request) { r.Header.Set("SOAPAction", `"`+contract.Action(contract.GetChanges)+`"`) },
		"JSON":           func(r *http.Request) { r.Header.Set("Content-Type", "application/json") },
		"two bodies": func(r *http.Request) {
			r.Body = io.NopCloser(strings.NewReader(`<e:Envelope xmlns:e="` + contract.SOAPNamespace + `"><e:Body/><e:Body/></e:Envelope>`))
		},
		"too large": func(r *http.Request) {
			r.Body = io.NopCloser(strings.NewReader(strings.Repeat(" ", contract.MaxMessage+1)))
		},
	} {
		status, el := post(t, m, contract.Ping, "", change)
		require.Equal(t, http.StatusInternalServerError, status, name)
		require.Contains(t, fault(t, m, el), "refused invalidContent")
	}
	status, _ := post(t, m, contract.Ping, "", nil)
	require.Equal(t, http.StatusOK, status)
}

func TestInterface_AnAnswerStaysBelowOneMegabyte(t *testing.T) {
	m := office(t)
	f := facts(7)
	f.Goal, f.Reason, f.Remark = strings.Repeat("é", 2000), strings.Repeat("&", 2000), strings.Repeat("\"", 2000)
	_, body := Compose("application-submitted", f)
	for range 120 {
		_, _, err := m.Store().Write(t.Context(), core.Write{Kind: "OPT01", Organisation: "rav-luzern", By: core.ByClerk, Body: body})
		require.NoError(t, err)
	}
	mark, total := "0", 0
	for range 120 {
		_, el := post(t, m, contract.GetChanges, "<a:mark>"+mark+"</a:mark><a:max>200</a:max>", nil)
		entries := strict.Children(el, contract.Namespace, "entry")
		require.NotEmpty(t, entries)
		total += len(entries)
		mark = own(el, "mark")
		if own(el, "more") == "false" {
			break
		}
	}
	require.Equal(t, 120, total)
}

func TestInterface_TheIndexLags(t *testing.T) {
	now := time.Date(2026, 3, 2, 8, 30, 0, 0, time.UTC)
	m := open(t, Options{Faults: core.Faults{LookupLag: time.Minute}, Clock: func() time.Time { return now }})
	_, body := Compose("application-submitted", facts(7))
	_, _ = post(t, m, contract.OpenCase, opening(body, "ab-1"), nil)
	find := func() int {
		_, el := post(t, m, contract.FindByReference, "<a:reference>ab-1</a:reference>", nil)
		require.Equal(t, "true", own(el, "complete"))
		return len(strict.Children(el, contract.Namespace, "match"))
	}
	require.Zero(t, find())
	now = now.Add(time.Minute)
	require.Equal(t, 1, find())
}

func TestInterface_TheContractIsServedBesideTheService(t *testing.T) {
	w := httptest.NewRecorder()
	office(t).Handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, Path+"/avam.wsdl", nil))
	require.Equal(t, http.StatusOK, w.Code)
	require.Contains(t, w.Body.String(), "wsdl:definitions")
}

// typed enters something at the desk.
func typed(t *testing.T, m *Mock, in core.Typed) (int, string) {
	t.Helper()
	b, err := json.Marshal(in)
	require.NoError(t, err)
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/desk/entries", strings.NewReader(string(b))))
	return w.Code, w.Body.String()
}

func TestDesk_StampsTheHeaderWithWhoIsLoggedIn(t *testing.T) {
	now := time.Date(2026, 4, 1, 9, 0, 0, 0, time.UTC)
	m := open(t, Options{Clock: func() time.Time { return now }})
	f := facts(7)
	for _, p := range handover.Catalogue() {
		kind, body := Compose(p.Name(), f)
		var in native.CaseKey
		if kind != "OPT01" {
			in = "D00000001"
		}
		status, text := typed(t, m, core.Typed{Case: in, Kind: kind, Organisation: "rav-sursee", Body: string(body)})
		if kind == checkKind {
			require.Equal(t, http.StatusUnprocessableEntity, status, "no clerk checks an application")
			continue
		}
		require.Equal(t, http.StatusCreated, status, text)
	}
	seen := map[string]bool{}
	for _, e := range m.Store().After(0, 0) {
		root, err := strict.XML(e.Body)
		require.NoError(t, err)
		header := ech0058.Child(root, contract.Namespace, "deliveryHeader")
		require.Equal(t, "rav-sursee", ech0058.Value(header, contract.HeaderNamespace, "senderId"))
		require.Equal(t, "2026-04-01T09:00:00Z", ech0058.Value(header, contract.HeaderNamespace, "messageDate"))
		seen[ech0058.Value(header, contract.HeaderNamespace, "messageId")] = true
		require.NoError(t, m.Validate(e.Kind, e.Body))
		require.Contains(t, string(e.Body), "[M0007-01]")
	}
	require.Len(t, seen, len(handover.Catalogue())-1)
}

func TestDesk_WhatBreaksTheContractIsNotEntered(t *testing.T) {
	m := open(t, Options{})
	note := string(example(t, "OPT18"))
	next := regexp.MustCompile(`<nextConversationOn>.*</nextConversationOn>`)
	goesOn := next.ReplaceAllString(regexp.MustCompile(`Continues>(true|false)<`).ReplaceAllString(note, "Continues>true<"), "")
	for name, test := range map[string]struct {
		kind     native.Kind
		from, to string
	}{
		"unknown code":           {"OPT01", "<procedure>1<", "<procedure>4<"},
		"check digit":            {"OPT01", "<p:vn>7562762178593<", "<p:vn>7562762178594<"},
		"same office":            {"OPT01", "<requestedOffice>sd-kriens<", "<requestedOffice>rav-luzern<"},
		"late consent":           {"OPT01", "<givenOn>2026-06-30<", "<givenOn>2026-12-31<"},
		"no such day":            {"OPT01", "<filedOn>2026-07-09<", "<filedOn>2026-02-30<"},
		"blank at an end":        {"OPT01", "<town>Willisau<", "<town>Willisau <"},
		"other order":            {"OPT02", "<effectiveOn>", "<note>x</note><effectiveOn>"},
		"other element":          {"OPT02", "withdrawalCode", "withdrawalReason"},
		"attribute":              {"OPT02", "<effectiveOn>", `<effectiveOn unit="day">`},
		"messageType":            {"OPT02", "messageType>OPT02<", "messageType>OPT03<"},
		"period":                 {"OPT13", "<from>", "<from>2099-01-01</from><to>2098-01-01</to></validity><x><from>"},
		"agreed without a start": {"OPT07", "<leadershipFrom>2026-07-24</leadershipFrom>", ""},
		"rejected without code":  {"OPT05", "<decision>1<", "<decision>2<"},
	} {
		body := example(t, test.kind)
		require.Contains(t, string(body), test.from, name)
		status, text := typed(t, m, core.Typed{Kind: test.kind, Organisation: "rav-luzern", Body: strings.Replace(string(body), test.from, test.to, 1)})
		require.Equal(t, http.StatusUnprocessableEntity, status, name)
		require.NotContains(t, text, "7562762178594")
	}
	require.ErrorContains(t, m.Validate("OPT18", []byte(goesOn)), "lacks nextConversationOn")
	status, _ := typed(t, m, core.Typed{Case: "D9", Kind: "OPT02", Organisation: "rav-luzern", Body: string(example(t, "OPT02"))})
	require.Equal(t, http.StatusNotFound, status)
	status, _ = typed(t, m, core.Typed{Kind: "OPT99", Body: "no XML"})
	require.Equal(t, http.StatusUnprocessableEntity, status)
	require.Zero(t, m.Store().Len())
}

func TestJournal_IsReadBack(t *testing.T) {
	dir := t.TempDir()
	m, err := New(Options{System: "avam", Dir: dir})
	require.NoError(t, err)
	kind, body := Compose("application-submitted", facts(7))
	want, _, err := m.Store().Write(t.Context(), core.Write{Kind: kind, Organisation: "rav-luzern", By: core.ByClerk, Body: body})
	require.NoError(t, err)
	require.NoError(t, m.Close())
	require.NoError(t, m.Close())
	again := open(t, Options{Dir: dir})
	got, ok := again.Store().Entry(want.ID)
	require.True(t, ok)
	require.Equal(t, want, got)
}

func TestCompose_AnUnknownMessageGivesNothing(t *testing.T) {
	kind, body := Compose("no-such-message", facts(1))
	require.Empty(t, fmt.Sprint(kind, string(body)))
}
