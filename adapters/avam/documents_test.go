package avam

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	contract "github.com/einmal-hub/einmal/contracts/native/avam"
	mock "github.com/einmal-hub/einmal/mocks/avam"
	"github.com/einmal-hub/einmal/mocks/core"
)

func invented(seed uint64, size int) core.Document {
	return core.InventDocument(rand.New(rand.NewPCG(seed, 9)), "Vollmacht.pdf", size)
}

// opened reads a document through the adapter.
func (v *village) opened(t *testing.T, hash string) []byte {
	t.Helper()
	content, err := v.system.Documents.OpenDocument(t.Context(), hash)
	require.NoError(t, err)
	b, err := io.ReadAll(content)
	require.NoError(t, err)
	require.NoError(t, content.Close())
	return b
}

func TestDocumentsOfEverySizeComeBackTheSame(t *testing.T) {
	v := open(t, nil)
	for _, content := range [][]byte{{0}, []byte("ab"), []byte("abc"), bytes.Repeat([]byte{0xff}, chunk), bytes.Repeat([]byte{7}, chunk+1), bytes.Repeat([]byte("<&>"), 3*chunk), make([]byte, contract.MaxDocument)} {
		d := core.Document{Name: "x", MediaType: "application/pdf", Content: content}
		require.NoError(t, v.system.Documents.PutDocument(t.Context(), documentOf(d), iotest.HalfReader(bytes.NewReader(content))))
		require.True(t, bytes.Equal(content, v.opened(t, d.SHA256())))
	}
}

func TestPutDocument_StoresTheContentOfTheHashOrNothing(t *testing.T) {
	v := open(t, nil)
	before := v.mock.Store().Documents()
	d := invented(1, 40_000)
	put := func(content io.Reader, change func(*handover.Document)) error {
		named := documentOf(d)
		change(&named)
		return v.system.Documents.PutDocument(t.Context(), named, content)
	}
	same := func(*handover.Document) {}
	canary := errors.New("Canary")
	requireFault(t, put(bytes.NewReader(d.Content[1:]), same), fault.Refuse, "document-differs")
	requireFault(t, put(bytes.NewReader(nil), same), fault.Refuse, "document-differs")
	requireFault(t, put(io.MultiReader(bytes.NewReader(d.Content), strings.NewReader("x")), same), fault.Refuse, "document-differs")
	requireFault(t, put(bytes.NewReader(append([]byte("x"), d.Content[1:]...)), same), fault.Refuse, "document-differs")
	for _, content := range []io.Reader{
		iotest.ErrReader(canary), io.MultiReader(bytes.NewReader(d.Content[:30_000]), iotest.ErrReader(canary)), io.MultiReader(bytes.NewReader(d.Content), iotest.ErrReader(canary)),
	} {
		err := put(content, same)
		requireFault(t, err, fault.Retry, "document-unread")
		require.NotContains(t, err.Error(), "Canary")
	}
	requireFault(t, put(bytes.NewReader(d.Content), func(d *handover.Document) { d.SHA256 = "x" }), fault.Refuse, "document")
	requireFault(t, put(bytes.NewReader(d.Content), func(d *handover.Document) { d.Size = contract.MaxDocument + 1 }), fault.Refuse, "document")
	requireFault(t, put(bytes.NewReader(nil), func(d *handover.Document) { d.Size = 0 }), fault.Refuse, "document")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.Equal(t, fault.Retry, fault.KindOf(v.system.Documents.PutDocument(ctx, documentOf(d), bytes.NewReader(d.Content))))
	require.Equal(t, before, v.mock.Store().Documents())
}

// A document is named by its content, so that every doubt about storing it is a reason to repeat.
func TestPutDocument_EveryDoubtIsARetry(t *testing.T) {
	d := invented(1, 40_000)
	for _, f := range []core.Fault{core.FaultError, core.FaultErrorInDoubt, core.FaultLostAnswer, core.FaultLate} {
		v := open(t, nil)
		v.mock.Dice().Script(core.OpWrite, f, 1)
		err := v.system.Documents.PutDocument(t.Context(), documentOf(d), bytes.NewReader(d.Content))
		require.Equal(t, fault.Retry, fault.KindOf(err), "%s: %v", f, err)
		require.NoError(t, v.system.Documents.PutDocument(t.Context(), documentOf(d), bytes.NewReader(d.Content)))
		require.Equal(t, d.Content, v.opened(t, d.SHA256()))
	}
	system := answering(t, http.StatusOK, `<storeDocumentResponse xmlns="`+contract.Namespace+`"><sha256>`+invented(2, 500).SHA256()+`</sha256><size>1</size></storeDocumentResponse>`)
	requireFault(t, system.Documents.PutDocument(t.Context(), documentOf(d), bytes.NewReader(d.Content)), fault.Retry, "answer")
	require.Equal(t, fault.Stop, fault.KindOf(connect(t, open(t, nil).server.URL+mock.Path, "wrong").Documents.PutDocument(t.Context(), documentOf(d), bytes.NewReader(d.Content))))
}

func TestOpenDocument_WhatAVAMDoesNotHaveIsMissing(t *testing.T) {
	v := open(t, nil)
	for _, hash := range []string{invented(3, 500).SHA256(), "", "x", strings.ToUpper(invented(3, 500).SHA256())} {
		_, err := v.system.Documents.OpenDocument(t.Context(), hash)
		requireFault(t, err, fault.Park, adapters.DocumentMissing)
	}
	v.mock.Dice().Script(core.OpRead, core.FaultError, 1)
	_, err := v.system.Documents.OpenDocument(t.Context(), invented(3, 500).SHA256())
	requireFault(t, err, fault.Retry, "not-processed")
	_, err = connect(t, v.server.URL+mock.Path, "wrong").Documents.OpenDocument(t.Context(), invented(3, 500).SHA256())
	requireFault(t, err, fault.Stop, "unauthorized")
}

// fetched reads the answer to a fetchDocument to its end.
func fetched(t testing.TB, answer string) ([]byte, error) {
	t.Helper()
	text, err := call{op: opOpen, operation: contract.FetchDocument}.openText(strings.NewReader(answer))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(text)
}

// fetchAnswer is an answer with something in the place of the document's element.
func fetchAnswer(inner string) string {
	return `<?xml version="1.0" encoding="UTF-8"?>` + "\n" + `<s:Envelope xmlns:s="` + contract.SOAPNamespace + `"><s:Body><fetchDocumentResponse xmlns="` + contract.Namespace + `">` + inner +
		`</fetchDocumentResponse></s:Body></s:Envelope>`
}

func TestOpenDocument_WhitespaceAndPrefixesMeanNothing(t *testing.T) {
	for _, answer := range []string{
		fetchAnswer("<content>aGFsbG8h</content>"), fetchAnswer("\n  <content>\r\n aGFs\n\tbG8h \n</content>\n"),
		strings.ReplaceAll(strings.ReplaceAll(fetchAnswer("<a:content >aGFsbG8h</a:content >"), "fetchDocumentResponse", "a:fetchDocumentResponse"), "xmlns=", "xmlns:a="),
	} {
		b, err := fetched(t, answer)
		require.NoError(t, err)
		require.Equal(t, "hallo!", string(b))
	}
}

// A source that breaks off says so with an error that holds the transport's: that is no other document.
func TestPutDocument_ASourceThatBreaksOffIsARetry(t *testing.T) {
	v := open(t, nil)
	before := v.mock.Store().Documents()
	d := invented(1, 40_000)
	for _, broken := range []error{io.ErrUnexpectedEOF, io.EOF} {
		cut := fault.New(fault.Retry, "klib.open-document", "answer", "the answer broke off").Because(broken)
		for _, n := range []int{0, 1, chunk, len(d.Content)} {
			content := io.MultiReader(bytes.NewReader(d.Content[:n]), iotest.ErrReader(cut))
			requireFault(t, v.system.Documents.PutDocument(t.Context(), documentOf(d), content), fault.Retry, "document-unread")
		}
	}
	require.Equal(t, before, v.mock.Store().Documents())
}

// Whoever sends a document on asks once more whether it has ended.
func TestOpenDocument_TheEndStaysTheEnd(t *testing.T) {
	v := open(t, nil)
	d := invented(1, 5000)
	require.NoError(t, v.mock.Store().PutDocument(d.SHA256(), bytes.NewReader(d.Content)))
	content, err := v.system.Documents.OpenDocument(t.Context(), d.SHA256())
	require.NoError(t, err)
	defer func() { require.NoError(t, content.Close()) }()
	b, err := io.ReadAll(content)
	require.NoError(t, err)
	require.Equal(t, d.Content, b)
	for range 2 {
		n, err := content.Read(make([]byte, 1))
		require.Zero(t, n)
		require.ErrorIs(t, err, io.EOF)
	}
}

// An answer that is not the one of the contract never ends like a whole document.
func TestOpenDocument_AnotherAnswerIsAnError(t *testing.T) {
	whole := fetchAnswer("<content>aGFsbG8h</content>")
	for name, answer := range map[string]string{
		"empty": "", "no text": fetchAnswer("<content></content>"), "cut in the text": whole[:len(whole)-60], "cut after it": whole[:len(whole)-5], "no base64": fetchAnswer("<content>aG*s</content>"),
		"half a group": fetchAnswer("<content>aGFsb</content>"), "reference": fetchAnswer("<content>aGFs&#65;bG8h</content>"), "CDATA": fetchAnswer("<content><![CDATA[aGFsbG8h]]></content>"),
		"comment": fetchAnswer("<content>aGFs<!-- x -->bG8h</content>"), "comment before": fetchAnswer("<!-- a > b --><content>aGFsbG8h</content>"),
		"element in it": fetchAnswer("<content>aGFs<b/>bG8h</content>"), "two": fetchAnswer("<content>aGFsbG8h</content><content>aGFsbG8h</content>"),
		"another element": fetchAnswer("<inhalt>aGFsbG8h</inhalt>"), "another namespace": fetchAnswer(`<content xmlns="urn:x">aGFsbG8h</content>`), "attribute": fetchAnswer(`<content type="x">aGFsbG8h</content>`),
		"text outside":   fetchAnswer("aGFsbG8h<content>aGFsbG8h</content>"),
		"other answer":   strings.ReplaceAll(whole, "fetchDocumentResponse", "pingResponse"),
		"document type":  strings.Replace(whole, "<s:Env", "<!DOCTYPE x><s:Env", 1),
		"long beginning": strings.Replace(whole, "<s:Env", strings.Repeat(" ", around+1)+"<s:Env", 1),
		"long end":       whole + strings.Repeat(" ", around+1) + "<",
		"too large":      fetchAnswer("<content>" + strings.Repeat("AAAA", contract.MaxDocument/3+1) + "</content>"),
	} {
		_, err := fetched(t, answer)
		require.Error(t, err, name)
		require.Equal(t, fault.Retry, fault.KindOf(err), "%s: %v", name, err)
	}
}

func FuzzOpenDocument(f *testing.F) {
	f.Add(fetchAnswer("<content>aGFsbG8h</content>"))
	f.Add(fetchAnswer("\n <content>\n aGFs\nbG8h</content>"))
	f.Fuzz(func(t *testing.T, answer string) {
		if b, err := fetched(t, answer); err == nil {
			require.NotEmpty(t, b)
			_, err := unwrap([]byte(answer))
			require.NoError(t, err, "what is taken for a document stands in an answer that the strict gate takes")
		}
	})
}

// An answer that is cut while the document is read is no document.
func TestOpenDocument_ACutConnectionIsARetry(t *testing.T) {
	v := open(t, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			answer := httptest.NewRecorder()
			next.ServeHTTP(answer, r)
			w.Header().Set("Content-Type", "text/xml")
			_, _ = w.Write(answer.Body.Bytes()[:answer.Body.Len()/2])
			panic(http.ErrAbortHandler)
		})
	})
	d := invented(1, 100_000)
	v.file(t, d)
	content, err := v.system.Documents.OpenDocument(t.Context(), d.SHA256())
	require.NoError(t, err)
	_, err = io.ReadAll(content)
	require.Equal(t, fault.Retry, fault.KindOf(err), "%v", err)
	require.NoError(t, content.Close())
}

func TestApply_NoEntryStandsWithoutItsDocuments(t *testing.T) {
	v := open(t, nil)
	receipt, err := v.system.Sink.Apply(t.Context(), entry("application-submitted", reference1, ""))
	require.NoError(t, err)
	f := facts(7)
	f.Documents = []core.Document{invented(5, 900)}
	e := entry("clarification-answered", reference2, receipt.Case)
	e.Kind, e.Body = mock.Compose("clarification-answered", f)
	_, err = v.system.Sink.Apply(t.Context(), e)
	requireFault(t, err, fault.Refuse, "missing-document")
	require.NoError(t, v.system.Documents.PutDocument(t.Context(), documentOf(f.Documents[0]), bytes.NewReader(f.Documents[0].Content)))
	_, err = v.system.Sink.Apply(t.Context(), e)
	require.NoError(t, err)
}

// revising makes an entry one that corrects an earlier one, as the mapping writes it.
func revising(e native.Entry, refers native.RecordID) native.Entry {
	body := strings.Replace(string(e.Body), "<h:action>1<", "<h:action>4<", 1)
	e.Body = []byte(strings.Replace(body, "</h:messageId>", "</h:messageId><h:referenceMessageId>"+string(refers)+"</h:referenceMessageId>", 1))
	e.Action, e.Refers = handover.ActionCorrection, refers
	return e
}

func TestApply_AnApplicationIsCorrectedInItsCase(t *testing.T) {
	v := open(t, nil)
	opened, err := v.system.Sink.Apply(t.Context(), entry("application-submitted", reference1, ""))
	require.NoError(t, err)
	corrected, err := v.system.Sink.Apply(t.Context(), revising(entry("application-submitted", reference2, opened.Case), opened.Record))
	require.NoError(t, err)
	require.Equal(t, opened.Case, corrected.Case)
	e, _ := v.mock.Store().Entry(corrected.Record)
	require.Equal(t, opened.Record, e.Refers)
	_, err = v.system.Sink.Apply(t.Context(), revising(entry("application-submitted", "ab-3", opened.Case), "E9999999999"))
	requireFault(t, err, fault.Refuse, "unknown-entry")
}

// The number that a recall names is the id under which the earlier entry was read.
func TestRead_WhatAClerkRevisesIsNamedByTheIDOfItsRecord(t *testing.T) {
	v := open(t, nil)
	first := v.clerk(t, "application-submitted", 7, "")
	kind, body := mock.Compose("application-submitted", facts(7))
	e := revising(native.Entry{Kind: kind, Body: body}, first.ID)
	_, _, err := v.mock.Store().Write(t.Context(), core.Write{
		Case: first.Case, Kind: kind, Organisation: "rav-luzern", Action: e.Action, Refers: e.Refers, By: core.ByClerk, Body: e.Body,
	})
	require.NoError(t, err)
	records, _ := readAll(t, v.system.Source, "", 10)
	require.Len(t, records, 2)
	require.Equal(t, first.ID, records[0].ID)
	require.Equal(t, records[0].Case, records[1].Case)
	require.Contains(t, string(records[1].Body), "<h:referenceMessageId>"+string(records[0].ID)+"</h:referenceMessageId>")
}
