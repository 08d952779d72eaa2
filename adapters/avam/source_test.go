package avam

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/adapters/internal/httpx"
	"github.com/einmal-hub/einmal/adapters/internal/xmlframe"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	contract "github.com/einmal-hub/einmal/contracts/native/avam"
	"github.com/einmal-hub/einmal/contracts/strict"
	"github.com/einmal-hub/einmal/mocks/core"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// Fault 8.
func TestRead_EveryEntryInTheOrderOfCommit(t *testing.T) {
	v := open(t, nil)
	var want []core.Entry
	var in native.CaseKey
	for _, p := range handover.Catalogue() {
		e := v.clerk(t, p.Name(), 7, in)
		in = e.Case
		want = append(want, e)
	}
	receipt, err := v.system.Sink.Apply(t.Context(), entry("application-submitted", reference1, ""))
	require.NoError(t, err)
	written, _ := v.mock.Store().Entry(receipt.Record)
	want = append(want, written)
	for _, limit := range []int{1, 5, 200, 1000} {
		got, _ := readAll(t, v.system.Source, "", limit)
		require.Len(t, got, len(want))
		for i, w := range want {
			require.Equal(t, reread(t, w.Body), reread(t, got[i].Body))
			got[i].Body = nil
			require.Equal(t, native.Record{
				ID: w.ID, Kind: w.Kind, Case: w.Case, Organisation: w.Organisation, CaseReference: w.CaseReference, Reference: w.Reference,
				Sequence: w.Sequence, At: w.At,
			}, got[i])
		}
	}
}

func TestRead_NothingNewKeepsThePosition(t *testing.T) {
	v := open(t, nil)
	batch, err := v.system.Source.Read(t.Context(), "", 10)
	require.NoError(t, err)
	require.Equal(t, adapters.Batch{Next: "0"}, batch)
	v.clerk(t, "application-submitted", 7, "")
	_, at := readAll(t, v.system.Source, "", 10)
	require.Equal(t, native.Position("1"), at)
	batch, err = v.system.Source.Read(t.Context(), at, 10)
	require.NoError(t, err)
	require.Equal(t, adapters.Batch{Next: at}, batch)
	again, _ := readAll(t, v.system.Source, "", 10)
	require.Len(t, again, 1, "an earlier position can be read again")
}

// Fault 8.
func TestRead_AnEntryMayComeTwiceAndNoneIsSkipped(t *testing.T) {
	v := open(t, nil)
	for range 5 {
		v.clerk(t, "application-submitted", 7, "")
	}
	v.mock.Dice().Script(core.OpEvent, core.FaultDuplicate, 2)
	got, at := readAll(t, v.system.Source, "", 2)
	require.Equal(t, native.Position("5"), at)
	require.Len(t, got, 7)
	seen := map[native.RecordID]int{}
	for _, r := range got {
		seen[r.ID]++
	}
	require.Len(t, seen, 5)
}

func TestRead_FailuresAreRetryOrStop(t *testing.T) {
	v := open(t, nil)
	v.mock.Dice().Script(core.OpRead, core.FaultError, 1)
	_, err := v.system.Source.Read(t.Context(), "", 10)
	requireFault(t, err, fault.Retry, "not-processed")
	_, err = v.system.Source.Read(t.Context(), "99", 10)
	requireFault(t, err, fault.Stop, "position-unknown")
	for _, p := range []native.Position{"x", "-1", "1e3", "99999999999999999999"} {
		_, err = v.system.Source.Read(t.Context(), p, 10)
		requireFault(t, err, fault.Stop, "position")
	}
}

// changed is an answer of getChanges with the given children.
func changed(inner string) string {
	return `<s:Envelope xmlns:s="` + contract.SOAPNamespace + `" xmlns:h="` + contract.HeaderNamespace + `"><s:Body><getChangesResponse xmlns="` + contract.Namespace + `">` + inner +
		`</getChangesResponse></s:Body></s:Envelope>`
}

// entryWith is one entry as AVAM sends it; number and content are the test's.
func entryWith(number int, content string) string {
	return `<entry><number>` + strconv.Itoa(number) + `</number><entryId>E` + strconv.Itoa(number) + `</entryId><caseId>D1</caseId><sequence>1</sequence><kind>OPT21</kind>` +
		`<organisationId>rav-luzern</organisationId><enteredAt>2026-03-02T09:30:00.5+01:00</enteredAt><content>` + content + `</content></entry>`
}

const someContent = `<consentWithdrawal><h:x/></consentWithdrawal>`

func TestRead_MarkAndEntriesMustBelongTogether(t *testing.T) {
	for name, inner := range map[string]string{
		"mark above the last entry":   entryWith(6, someContent) + `<mark>7</mark><more>false</more>`,
		"mark below the asked one":    entryWith(6, someContent) + `<mark>4</mark><more>false</more>`,
		"mark moves without an entry": `<mark>9</mark><more>false</more>`,
		"more without an entry":       `<mark>5</mark><more>true</more>`,
		"entry below the asked mark":  entryWith(5, someContent) + `<mark>5</mark><more>false</more>`,
		"numbers that do not ascend":  entryWith(7, someContent) + entryWith(6, someContent) + `<mark>7</mark><more>false</more>`,
		"more entries than asked for": entryWith(6, someContent) + entryWith(7, someContent) + entryWith(8, someContent) + `<mark>8</mark><more>false</more>`,
		"no mark":                     entryWith(6, someContent) + `<more>false</more>`,
		"no more":                     entryWith(6, someContent) + `<mark>6</mark>`,
		"mark with a sign":            entryWith(6, someContent) + `<mark>+6</mark><more>false</more>`,
		"mark with a leading zero":    entryWith(6, someContent) + `<mark>06</mark><more>false</more>`,
	} {
		t.Run(name, func(t *testing.T) {
			_, err := raw(t, http.StatusOK, changed(inner)).Source.Read(t.Context(), "5", 2)
			requireFault(t, err, fault.Retry, "answer")
		})
	}
}

func TestRead_ABrokenEntryIsParkedAndTheStreamGoesOn(t *testing.T) {
	good := entryWith(7, someContent)
	for name, bad := range map[string]string{
		"no id":             strings.Replace(entryWith(6, someContent), "<entryId>E6</entryId>", "", 1),
		"moment sans zone":  strings.Replace(entryWith(6, someContent), "+01:00", "", 1),
		"two contents":      entryWith(6, someContent+someContent),
		"no content":        entryWith(6, ""),
		"attribute":         strings.Replace(entryWith(6, someContent), "<kind>", `<kind x="1">`, 1),
		"unknown element":   strings.Replace(entryWith(6, someContent), "<content>", "<newer>x</newer><content>", 1),
		"sequence of words": strings.Replace(entryWith(6, someContent), "<sequence>1", "<sequence>one", 1),
		"sequence zero":     strings.Replace(entryWith(6, someContent), "<sequence>1", "<sequence>0", 1),
	} {
		t.Run(name, func(t *testing.T) {
			batch, err := raw(t, http.StatusOK, changed(bad+good+`<mark>7</mark><more>false</more>`)).Source.Read(t.Context(), "5", 10)
			require.NoError(t, err)
			require.Equal(t, native.Position("7"), batch.Next)
			require.Len(t, batch.Records, 1)
			require.Len(t, batch.Broken, 1)
			require.Equal(t, native.RecordID("number-6"), batch.Broken[0].ID)
			require.Equal(t, fault.Park, fault.KindOf(batch.Broken[0].Reason))
			_, err = strict.XML(batch.Broken[0].Raw)
			require.NoError(t, err, "what is parked can be read by a person's tools")
		})
	}
}

// poisoned is an AVAM with entries 1 to 5 of which the third holds something that the strict gate refuses.
func poisoned(t *testing.T, poison string) adapters.System {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		root, _ := strict.XML(b)
		request := root.ChildElements()[0].ChildElements()[0]
		mark, _ := strconv.Atoi(request.ChildElements()[0].Text())
		most, _ := strconv.Atoi(request.ChildElements()[1].Text())
		inner := ""
		last := min(mark+most, 5)
		for n := mark + 1; n <= last; n++ {
			content := someContent
			if n == 3 {
				content = poison
			}
			inner += entryWith(n, content)
		}
		w.Header().Set("Content-Type", "text/xml")
		_, _ = io.WriteString(w, changed(inner+`<mark>`+strconv.Itoa(last)+`</mark><more>`+strconv.FormatBool(last < 5)+`</more>`))
	}))
	t.Cleanup(server.Close)
	return connect(t, server.URL, password)
}

func TestRead_OnePoisonedEntryDoesNotStopTheStream(t *testing.T) {
	s := poisoned(t, `<consentWithdrawal><?evil x?><note>Hans<!-- x -->Muster</note></consentWithdrawal>`)
	var ids []native.RecordID
	var broken []adapters.Broken
	at, more := native.Position(""), true
	for range 10 {
		if !more {
			break
		}
		batch, err := s.Source.Read(t.Context(), at, 10)
		require.NoError(t, err)
		for _, r := range batch.Records {
			ids = append(ids, r.ID)
		}
		broken = append(broken, batch.Broken...)
		at, more = batch.Next, batch.More
	}
	require.Equal(t, []native.RecordID{"E1", "E2", "E4", "E5"}, ids)
	require.Len(t, broken, 1)
	require.Equal(t, native.RecordID("number-3"), broken[0].ID)
	require.True(t, bytes.Contains(broken[0].Raw, []byte("Muster")))
	require.NotContains(t, broken[0].Reason.Error(), "Muster")
}

func TestRead_WhatIsNotEvenXMLIsNeverSkipped(t *testing.T) {
	for name, body := range map[string]string{
		"cut":            changed(entryWith(1, someContent))[:300],
		"HTML":           `<html>maintenance</html>`,
		"two entries":    changed(entryWith(1, `<a><?x?></a>`) + entryWith(2, someContent) + `<mark>2</mark><more>false</more>`),
		"no mark":        changed(entryWith(1, `<a><?x?></a>`)),
		"mark too low":   changed(entryWith(1, `<a><?x?></a>`) + `<mark>0</mark><more>false</more>`),
		"another answer": strings.ReplaceAll(changed(entryWith(1, `<a><?x?></a>`)+`<mark>1</mark><more>false</more>`), "getChangesResponse", "pingResponse"),
		"entities":       changed(entryWith(1, `<a>&x;</a>`) + `<mark>1</mark><more>false</more>`),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := raw(t, http.StatusOK, body).Source.Read(t.Context(), "", 10)
			requireFault(t, err, fault.Retry, "answer")
		})
	}
}

func TestDetach_KeepsTheMeaningOfEveryPrefix(t *testing.T) {
	for _, test := range [][2]string{
		{`<r xmlns="u"><a><b/></a></r>`, `<a xmlns="u"><b/></a>`},
		{`<p:r xmlns:p="u" xmlns:q="w"><p:a><p:b>x</p:b></p:a></p:r>`, `<p:a xmlns:p="u"><p:b>x</p:b></p:a>`},
		{`<r xmlns="u" xmlns:p="v"><p:m xmlns:p="w"><p:a z="1" p:y="2"/></p:m></r>`, ``},
		{`<r xmlns="u" xmlns:p="v"><a p:y="2"/></r>`, `<a p:y="2" xmlns="u" xmlns:p="v"/>`},
		{`<r xmlns="u"><a xmlns="v"><b xmlns=""/></a></r>`, `<a xmlns="v"><b xmlns=""/></a>`},
		{"<r xmlns='u'><a>x&#13;\n&lt;&amp;</a></r>", "<a xmlns=\"u\">x&#xD;\n&lt;&amp;</a>"},
	} {
		root, err := strict.XML([]byte(test[0]))
		require.NoError(t, err)
		b, err := xmlframe.Detach(root.ChildElements()[0])
		require.NoError(t, err)
		if test[1] != "" {
			require.Equal(t, test[1], string(b))
		}
		again, err := strict.XML(b)
		require.NoError(t, err)
		require.Equal(t, root.ChildElements()[0].NamespaceURI(), again.NamespaceURI())
	}
}

func TestDetach_TextsSurvive(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOf(rapid.RuneFrom([]rune("aäł<>&\"'\n\t ]"))).Draw(t, "text")
		doc, err := strict.XML([]byte(changed(`<mark>1</mark>`)))
		require.NoError(t, err)
		el := doc.ChildElements()[0].ChildElements()[0]
		el.ChildElements()[0].SetText(text)
		b, err := xmlframe.Detach(el)
		require.NoError(t, err)
		again, err := strict.XML(b)
		require.NoError(t, err)
		require.Equal(t, text, again.ChildElements()[0].Text())
	})
}

// answer is a complete HTTP answer with status 200.
func answer(b []byte) httpx.Response {
	return httpx.Response{Status: http.StatusOK, Header: http.Header{"Content-Type": {"text/xml"}}, Body: b}
}

func FuzzAnswer(f *testing.F) {
	f.Add([]byte(changed(entryWith(6, someContent) + `<mark>6</mark><more>false</more>`)))
	f.Add([]byte(changed(`<entry/><mark>6</mark><more>false</more>`)))
	f.Add([]byte(`<s:Envelope xmlns:s="` + contract.SOAPNamespace + `"><s:Body><s:Fault/></s:Body></s:Envelope>`))
	c := call{op: opRead, operation: contract.GetChanges}
	f.Fuzz(func(t *testing.T, b []byte) {
		batch, err := c.changes(answer(b), 5, 10)
		if err != nil {
			require.Contains(t, []fault.Kind{fault.Retry, fault.Stop}, fault.KindOf(err))
			if mark, _, ok := locate(b, 5); ok {
				require.Greater(t, mark, uint64(5))
			}
			return
		}
		for _, r := range batch.Records {
			root, err := strict.XML(r.Body)
			require.NoError(t, err)
			require.NotNil(t, root)
		}
	})
}
