package avam

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/beevik/etree"
	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/adapters/internal/xmlframe"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/native"
	contract "github.com/einmal-hub/einmal/contracts/native/avam"
	mock "github.com/einmal-hub/einmal/mocks/avam"
	"github.com/einmal-hub/einmal/mocks/core"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the contract's examples anew")

// examples is where the contract keeps its messages.
var examples = filepath.Join("..", "..", "contracts", "native", "avam", "testdata")

// tape records what goes over the wire under the name that the test gave it.
type tape struct {
	name     string
	messages map[string][]byte
}

func (r *tape) around(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		b, _ := io.ReadAll(q.Body)
		q.Body = io.NopCloser(bytes.NewReader(b))
		answer := httptest.NewRecorder()
		next.ServeHTTP(answer, q)
		r.messages[r.name+"-request"] = b
		r.messages[r.name+"-response"] = answer.Body.Bytes()
		for k, v := range answer.Header() {
			w.Header()[k] = v
		}
		w.WriteHeader(answer.Code)
		_, _ = w.Write(answer.Body.Bytes())
	})
}

// The contract's examples are what the adapter and the mock say to each other: when one of the three changes, this test sees it.
func TestTheContractsExamplesAreWhatAdapterAndMockSay(t *testing.T) {
	r := &tape{messages: map[string][]byte{}}
	v := open(t, r.around)
	r.play(t, v)
	for name, body := range r.messages {
		path := filepath.Join(examples, name+".xml")
		got := pretty(t, body)
		if *update {
			require.NoError(t, os.WriteFile(path, []byte(got), 0o600))
		}
		want, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, string(want), got, name)
	}
	files, err := filepath.Glob(filepath.Join(examples, "*.xml"))
	require.NoError(t, err)
	require.Len(t, files, len(r.messages), "no example that nobody says")
}

// play uses every operation and meets every fault.
func (r *tape) play(t *testing.T, v *village) {
	t.Helper()
	as := func(name string) { r.name = name }
	as("ping")
	require.NoError(t, v.system.Ping(t.Context()))
	as("open-case")
	receipt, err := v.system.Sink.Apply(t.Context(), sample(t, "OPT01", reference1, ""))
	require.NoError(t, err)
	as("add-entry")
	_, err = v.system.Sink.Apply(t.Context(), sample(t, "OPT05", reference2, receipt.Case))
	require.NoError(t, err)
	invitation := sample(t, "OPT06", "", receipt.Case)
	_, _, err = v.mock.Store().Write(t.Context(), core.Write{
		Case: invitation.Case, Kind: invitation.Kind, Organisation: "rav-luzern", By: core.ByClerk, Body: invitation.Body,
	})
	require.NoError(t, err)
	as("get-changes")
	_, err = v.system.Source.Read(t.Context(), "1", 100)
	require.NoError(t, err)
	as("find-by-reference")
	_, err = v.system.Finder.Find(t.Context(), reference1)
	require.NoError(t, err)
	d := core.InventDocument(rand.New(rand.NewPCG(9, 9)), "Vollmacht.pdf", 800)
	as("store-document")
	require.NoError(t, v.system.Documents.PutDocument(t.Context(), documentOf(d), bytes.NewReader(d.Content)))
	as("fetch-document")
	content, err := v.system.Documents.OpenDocument(t.Context(), d.SHA256())
	require.NoError(t, err)
	fetched, err := io.ReadAll(content)
	require.NoError(t, err)
	require.NoError(t, content.Close())
	require.Equal(t, d.Content, fetched)
	as("fault-unknown-document")
	_, err = v.system.Documents.OpenDocument(t.Context(), strings.Repeat("0", 64))
	requireFault(t, err, fault.Park, adapters.DocumentMissing)
	as("fault-refused")
	_, err = v.system.Sink.Apply(t.Context(), sample(t, "OPT21", reference2, "D99999999"))
	requireFault(t, err, fault.Refuse, "unknown-case")
	as("fault-unknown-mark")
	_, err = v.system.Source.Read(t.Context(), "4711", 100)
	requireFault(t, err, fault.Stop, "position-unknown")
	as("fault-not-processed")
	v.mock.Dice().Script(core.OpWrite, core.FaultError, 1)
	_, err = v.system.Sink.Apply(t.Context(), sample(t, "OPT21", reference2, receipt.Case))
	requireFault(t, err, fault.Retry, "not-processed")
	as("fault-unauthorised")
	requireFault(t, connect(t, v.server.URL+mock.Path, "wrong").Ping(t.Context()), fault.Stop, "unauthorized")
}

// sample is what the gateway would give the sink, with the contract's own example as its content.
func sample(t *testing.T, kind native.Kind, ref native.Reference, in native.CaseKey) native.Entry {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(examples, "content", string(kind)+".xml"))
	require.NoError(t, err)
	e := entry("application-submitted", ref, in)
	e.Kind, e.Body = kind, b
	return e
}

// pretty indents a message for its readers; values stay as they are.
func pretty(t *testing.T, b []byte) string {
	t.Helper()
	doc := etree.NewDocument()
	require.NoError(t, doc.ReadFromBytes(b))
	doc.WriteSettings = xmlframe.Canonical()
	doc.Indent(2)
	s, err := doc.WriteToString()
	require.NoError(t, err)
	return s
}

// Somebody else's AVAM that answers as the examples do works with the adapter.
func TestTheContractsExamplesWorkWithTheAdapter(t *testing.T) {
	for name, use := range map[string]func(adapters.System) error{
		"ping":      func(s adapters.System) error { return s.Ping(t.Context()) },
		"open-case": func(s adapters.System) error { return applied(t, s, entry("application-submitted", reference1, "")) },
		"add-entry": func(s adapters.System) error {
			return applied(t, s, entry("application-decided", reference2, "D00000001"))
		},
		"find-by-reference": func(s adapters.System) error { return found(t, s) },
		"store-document": func(s adapters.System) error {
			d := core.InventDocument(rand.New(rand.NewPCG(9, 9)), "Vollmacht.pdf", 800)
			return s.Documents.PutDocument(t.Context(), documentOf(d), bytes.NewReader(d.Content))
		},
		"fetch-document": func(s adapters.System) error {
			content, err := s.Documents.OpenDocument(t.Context(), strings.Repeat("0", 64))
			require.NoError(t, err)
			b, err := io.ReadAll(content)
			require.Equal(t, core.InventDocument(rand.New(rand.NewPCG(9, 9)), "", 800).Content, b, "also indented")
			return errors.Join(err, content.Close())
		},
		"get-changes": func(s adapters.System) error {
			batch, err := s.Source.Read(t.Context(), "1", 100)
			require.Empty(t, batch.Broken)
			require.Len(t, batch.Records, 2)
			require.Equal(t, native.Position("3"), batch.Next)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			b, err := os.ReadFile(filepath.Join(examples, name+"-response.xml"))
			require.NoError(t, err)
			require.NoError(t, use(raw(t, http.StatusOK, string(b))))
		})
	}
}

func applied(t *testing.T, s adapters.System, e native.Entry) error {
	t.Helper()
	_, err := s.Sink.Apply(t.Context(), e)
	return err
}

func found(t *testing.T, s adapters.System) error {
	t.Helper()
	receipts, err := s.Finder.Find(t.Context(), reference1)
	require.Equal(t, []native.Receipt{{Record: "E0000000001", Case: "D00000001"}}, receipts)
	return err
}

// The examples as requests mean the same to the mock, in whatever prefixes and white space they come.
func TestTheContractsRequestsWorkWithTheMock(t *testing.T) {
	v := open(t, nil)
	for _, name := range []string{"open-case", "add-entry", "get-changes", "find-by-reference", "store-document", "fetch-document", "ping"} {
		b, err := os.ReadFile(filepath.Join(examples, name+"-request.xml"))
		require.NoError(t, err)
		operation := map[string]string{
			"open-case": contract.OpenCase, "add-entry": contract.AddEntry, "get-changes": contract.GetChanges,
			"find-by-reference": contract.FindByReference, "store-document": contract.StoreDocument, "fetch-document": contract.FetchDocument, "ping": contract.Ping,
		}[name]
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, v.server.URL+mock.Path, bytes.NewReader(b))
		require.NoError(t, err)
		r.SetBasicAuth(username, password)
		r.Header.Set("Content-Type", "text/xml; charset=utf-8")
		r.Header.Set("SOAPAction", `"`+contract.Action(operation)+`"`)
		answer, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		got, err := io.ReadAll(answer.Body)
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
		require.Equal(t, http.StatusOK, answer.StatusCode, "%s: %s", name, got)
	}
	require.Equal(t, 2, v.mock.Store().Len())
	http.DefaultClient.CloseIdleConnections()
}
