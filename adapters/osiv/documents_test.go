package osiv

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	contract "github.com/einmal-hub/einmal/contracts/native/osiv"
	"github.com/einmal-hub/einmal/contracts/strict"
	"github.com/einmal-hub/einmal/mocks/core"
	mock "github.com/einmal-hub/einmal/mocks/osiv"
)

// invented is a document that nobody has stored yet.
func invented(seed uint64) core.Document {
	return core.InventDocument(rand.New(rand.NewPCG(seed, 9)), canary+".pdf", 3000) //nolint:gosec // repeatable
}

// answering is an entry that names documents.
func answering(n int, in native.CaseKey, ds ...core.Document) native.Entry {
	f := facts(7)
	f.Documents = ds
	e := entry("clarification-answered", n, in)
	e.Kind, e.Body = mock.Compose("clarification-answered", f)
	e.Documents = documentsOf(e.Kind, f)
	return e
}

func TestAnEntryStandsInOSIVWithItsDocuments(t *testing.T) {
	v := open(t)
	opened := v.recorded(t, entry("application-submitted", 1, ""))
	one, two := invented(1), invented(2)
	v.stage(t, one, two)
	receipt := v.recorded(t, answering(2, opened.Case, one, two))
	e, ok := v.mock.Store().Entry(receipt.Record)
	require.True(t, ok)
	require.Equal(t, core.Hashes([]core.Document{one, two}), e.Documents)
	for _, d := range []core.Document{one, two} {
		content, err := v.mock.Store().OpenDocument(d.SHA256())
		require.NoError(t, err)
		b, err := io.ReadAll(content)
		require.NoError(t, err)
		require.Equal(t, d.Content, b)
	}
}

// A case never stands without its documents: what is not staged whole keeps the entry from being sent, until it is staged anew.
func TestNoEntryIsSentWithoutItsDocuments(t *testing.T) {
	v := open(t)
	opened := v.recorded(t, entry("application-submitted", 1, ""))
	d := invented(1)
	e := answering(2, opened.Case, d)
	path := v.path(contract.Documents, d.SHA256())
	for name, spoil := range map[string]func(){
		"never staged": func() {},
		"taken away":   func() { v.stage(t, d); require.NoError(t, os.Remove(path)) },
		"cut":          func() { v.stage(t, d); require.NoError(t, os.Truncate(path, d.Size()-1)) },
		"changed": func() {
			v.stage(t, d)
			require.NoError(t, os.WriteFile(path, append([]byte("x"), d.Content[1:]...), 0o600))
		},
		"a link": func() {
			v.stage(t, d)
			require.NoError(t, os.Rename(path, v.path("elsewhere")))
			require.NoError(t, os.Symlink("../elsewhere", path))
		},
	} {
		spoil()
		_, err := v.system.Sink.Apply(t.Context(), e)
		requireFault(t, err, fault.Park, adapters.DocumentMissing)
		require.Empty(t, v.names(t, contract.Outbox), name)
	}
	v.stage(t, d)
	v.recorded(t, e)
}

func TestTheDocumentsOfAnEntryAreThoseThatItsContentNames(t *testing.T) {
	v := open(t)
	one, two := invented(1), invented(2)
	v.stage(t, one, two)
	for name, change := range map[string]func(*native.Entry){
		"one too few":  func(e *native.Entry) { e.Documents = e.Documents[:1] },
		"one too many": func(e *native.Entry) { e.Documents = append(e.Documents, documentOf(invented(3))) },
		"another size": func(e *native.Entry) { e.Documents[0].Size++ },
		"none":         func(e *native.Entry) { e.Documents = nil },
		"no hash":      func(e *native.Entry) { e.Body = []byte(replaceOnce(string(e.Body), "<sha256>", "<sha256>../")) },
		"named twice":  func(e *native.Entry) { e.Body = []byte(strings.ReplaceAll(string(e.Body), two.SHA256(), one.SHA256())) },
	} {
		e := answering(1, "IV.000001", one, two)
		change(&e)
		_, err := v.system.Sink.Apply(t.Context(), e)
		requireFault(t, err, fault.Refuse, "documents")
		require.Empty(t, v.names(t, contract.Outbox), name)
	}
}

type failing struct{ after io.Reader }

func (f failing) Read(b []byte) (int, error) {
	if n, err := f.after.Read(b); err == nil {
		return n, nil
	}
	return 0, errors.New(canary)
}

func TestPutDocument_StoresTheContentOfTheHashOrNothing(t *testing.T) {
	v := open(t)
	before := v.names(t, contract.Documents)
	d := invented(1)
	put := func(content io.Reader, change func(*handover.Document)) error {
		named := documentOf(d)
		change(&named)
		return v.system.Documents.PutDocument(t.Context(), named, content)
	}
	same := func(*handover.Document) {}
	requireFault(t, put(bytes.NewReader(d.Content[1:]), same), fault.Refuse, "document-differs")
	requireFault(t, put(io.MultiReader(bytes.NewReader(d.Content), strings.NewReader("x")), same), fault.Refuse, "document-differs")
	requireFault(t, put(failing{bytes.NewReader(d.Content[:100])}, same), fault.Retry, "document-unread")
	requireFault(t, put(failing{bytes.NewReader(d.Content)}, same), fault.Retry, "document-unread")
	requireFault(t, put(bytes.NewReader(d.Content), func(d *handover.Document) { d.SHA256 = "../" + d.SHA256 }), fault.Refuse, "document")
	requireFault(t, put(bytes.NewReader(d.Content), func(d *handover.Document) { d.SHA256 = strings.ToUpper(d.SHA256) }), fault.Refuse, "document")
	requireFault(t, put(bytes.NewReader(d.Content), func(d *handover.Document) { d.Size = 20<<20 + 1 }), fault.Refuse, "document")
	requireFault(t, put(bytes.NewReader(nil), func(d *handover.Document) { d.Size = 0 }), fault.Refuse, "document")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	requireFault(t, v.system.Documents.PutDocument(ctx, documentOf(d), bytes.NewReader(d.Content)), fault.Retry, "ended")
	require.Equal(t, before, v.names(t, contract.Documents), "nothing is left, no half either")
	v.stage(t, d)
	require.ElementsMatch(t, append(before, d.SHA256()), v.names(t, contract.Documents))
}

// What is put there again counts as new for those who delete by age.
func TestPutDocument_RenewsTheTimeOfChange(t *testing.T) {
	v := open(t)
	d := invented(1)
	v.stage(t, d)
	v.later(59 * 24 * time.Hour)
	v.stage(t, d)
	info, err := os.Stat(v.path(contract.Documents, d.SHA256()))
	require.NoError(t, err)
	require.WithinDuration(t, *v.clock, info.ModTime(), time.Second)
}

func TestPutDocument_ManyMayStoreTheSameAtOnce(t *testing.T) {
	v := open(t)
	d := invented(1)
	errs := make([]error, 8)
	var all sync.WaitGroup
	for i := range errs {
		all.Go(func() {
			errs[i] = v.system.Documents.PutDocument(t.Context(), documentOf(d), bytes.NewReader(d.Content))
		})
	}
	all.Wait()
	require.NoError(t, errors.Join(errs...))
	require.Equal(t, d.Content, v.opened(t, d.SHA256()))
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

func TestADocumentOfAnEntryStandsHereWhenTheEntryIsReported(t *testing.T) {
	v := open(t)
	v.clerk(t, "application-submitted", 1, "")
	v.step(t)
	d := facts(1).Documents[0]
	_, err := v.system.Documents.OpenDocument(t.Context(), d.SHA256())
	requireFault(t, err, fault.Park, adapters.DocumentMissing)
	_, err = v.system.Finder.Find(t.Context(), "0195e1a2-0000-7000-8000-000000000001")
	require.NoError(t, err, "a search takes the pair out of the inbox")
	records, broken, _ := readAll(t, v.system.Source, "", 10)
	require.Empty(t, broken)
	require.Len(t, records, 1)
	require.Equal(t, d.Content, v.opened(t, d.SHA256()))
	require.NoError(t, os.RemoveAll(v.path(contract.Documents)))
	_, _, _ = readAll(t, v.again(t).Source, "", 10)
	require.Equal(t, d.Content, v.opened(t, d.SHA256()), "what is read again is unfolded again")
	for _, hash := range []string{"", "..", "../" + d.SHA256(), strings.ToUpper(d.SHA256()), invented(4).SHA256()} {
		_, err := v.system.Documents.OpenDocument(t.Context(), hash)
		requireFault(t, err, fault.Park, adapters.DocumentMissing)
	}
}

// spoilt rewrites the payload that lies in the inbox.
func (v *village) spoilt(t *testing.T, change func(message string, document core.Document) []byte) {
	t.Helper()
	path := v.path(contract.Inbox, "data_"+v.pairInInbox(t)+".zip")
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	p, err := taken(b)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, change(string(p.message), facts(1).Documents[0]), 0o600))
}

// Missing or changed attachments are put before a person, and the stream goes on.
func TestAnEntryWithoutExactlyItsDocumentsIsBroken(t *testing.T) {
	folder := contract.AttachmentsFolder
	for name, test := range map[string]struct {
		code   string
		change func(string, core.Document) []byte
	}{
		"missing": {"attachment-missing", func(m string, _ core.Document) []byte {
			return archive(t, member{name: contract.MessageFile, text: m})
		}},
		"other bytes": {"attachment-differs", func(m string, d core.Document) []byte {
			return archive(t, member{name: contract.MessageFile, text: m}, member{name: folder + d.SHA256(), text: strings.Repeat("x", len(d.Content))})
		}},
		"other length": {"attachment-differs", func(m string, d core.Document) []byte {
			return archive(t, member{name: contract.MessageFile, text: m}, member{name: folder + d.SHA256(), text: "x"})
		}},
		"one more": {"attachment-unnamed", func(m string, d core.Document) []byte {
			return archive(t, member{name: contract.MessageFile, text: m}, member{name: folder + d.SHA256(), text: string(d.Content)},
				member{name: folder + invented(1).SHA256(), text: string(invented(1).Content)})
		}},
		"not named": {"attachment-unnamed", func(m string, d core.Document) []byte {
			from, to := strings.Index(m, "<h:attachment>"), strings.Index(m, "</h:attachment>")+len("</h:attachment>")
			return archive(t, member{name: contract.MessageFile, text: m[:from] + m[to:]}, member{name: folder + d.SHA256(), text: string(d.Content)})
		}},
		"named with a path": {"attachment", func(m string, d core.Document) []byte {
			return archive(t, member{name: contract.MessageFile, text: replaceOnce(m, "<sha256>", "<sha256>../")}, member{name: folder + d.SHA256(), text: string(d.Content)})
		}},
	} {
		v := open(t)
		v.clerk(t, "application-submitted", 1, "")
		v.step(t)
		v.spoilt(t, test.change)
		before := v.names(t, contract.Documents)
		records, broken, end := readAll(t, v.system.Source, "", 10)
		require.Empty(t, records, name)
		require.Len(t, broken, 1, name)
		require.Equal(t, test.code, fault.CodeOf(broken[0].Reason), name)
		require.Equal(t, fault.Park, fault.KindOf(broken[0].Reason), name)
		require.NotContains(t, broken[0].Reason.Error(), canary)
		require.Equal(t, before, v.names(t, contract.Documents), "%s: nothing is left", name)
		e := v.clerk(t, "application-submitted", 2, "")
		v.step(t)
		records, broken, _ = readAll(t, v.system.Source, end, 10)
		require.Empty(t, broken)
		require.Equal(t, []native.RecordID{e.ID}, ids(records), "the stream goes on")
	}
}

// A member that unfolds to more than it says, or than the contract allows, fills no disk.
func TestABombIsNotUnfolded(t *testing.T) {
	v := open(t)
	v.clerk(t, "application-submitted", 1, "")
	v.step(t)
	v.spoilt(t, func(m string, d core.Document) []byte {
		b := archive(t, member{name: contract.MessageFile, text: m}, member{name: contract.AttachmentsFolder + d.SHA256(), text: strings.Repeat("a", contract.MaxAttachment+(5<<20))})
		directory := bytes.LastIndex(b, []byte("PK\x01\x02"))
		size := d.Size()
		copy(b[directory+24:], []byte{byte(size), byte(size >> 8), 0, 0}) //nolint:gosec // little-endian, below 64 KiB
		return b
	})
	v.later(time.Hour)
	before := v.names(t, contract.Documents)
	records, broken, _ := readAll(t, v.system.Source, "", 10)
	require.Empty(t, records)
	require.Len(t, broken, 1)
	require.Equal(t, "attachment-differs", fault.CodeOf(broken[0].Reason))
	require.Equal(t, before, v.names(t, contract.Documents))
}

func TestAReportWithAnAttachmentIsBroken(t *testing.T) {
	v := open(t)
	v.handOver(t, entry("application-submitted", 1, ""))
	v.step(t)
	v.spoilt(t, func(m string, d core.Document) []byte {
		return archive(t, member{name: contract.MessageFile, text: m}, member{name: contract.AttachmentsFolder + d.SHA256(), text: string(d.Content)})
	})
	_, broken, _ := readAll(t, v.system.Source, "", 10)
	require.Len(t, broken, 1)
	require.Equal(t, "attachment-unnamed", fault.CodeOf(broken[0].Reason))
}

// typed is what a clerk types at the desk of the mock.
func (v *village) typed(t *testing.T, in core.Typed) core.Stands {
	t.Helper()
	b, err := json.Marshal(in)
	require.NoError(t, err)
	w := httptest.NewRecorder()
	v.mock.Handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/desk/entries", bytes.NewReader(b)))
	require.Equal(t, http.StatusCreated, w.Code, "%s", w.Body)
	var s core.Stands
	require.NoError(t, strict.JSON(w.Body.Bytes(), &s))
	return s
}

// The number that a recall names is the id under which the earlier entry was read.
func TestWhatAClerkRecallsIsNamedByTheIDOfItsRecord(t *testing.T) {
	v := open(t)
	first := v.clerk(t, "application-submitted", 1, "")
	kind, body := mock.Compose("application-submitted", facts(1))
	stands := v.typed(t, core.Typed{Case: first.Case, Kind: kind, Organisation: "iv-luzern", Action: handover.ActionRecall, Refers: first.ID, Body: string(body)})
	v.step(t)
	records, broken, _ := readAll(t, v.system.Source, "", 10)
	require.Empty(t, broken)
	require.Equal(t, []native.RecordID{first.ID, stands.ID}, ids(records))
	require.Equal(t, first.Case, records[1].Case)
	require.Contains(t, string(records[1].Body), "<h:referenceMessageId>"+string(records[0].ID)+"</h:referenceMessageId>")
	require.Contains(t, string(records[1].Body), "<h:action>3</h:action>")
}

// revising is an entry that recalls or corrects an earlier one, as the mapping writes it.
func revising(n int, name handover.Name, in native.CaseKey, refers native.RecordID) native.Entry {
	e := entry(name, n, in)
	body := replaceOnce(string(e.Body), "<h:action>1<", "<h:action>4<")
	e.Body = []byte(replaceOnce(body, "</h:messageId>", "</h:messageId><h:referenceMessageId>"+string(refers)+"</h:referenceMessageId>"))
	e.Action, e.Refers = handover.ActionCorrection, refers
	return e
}

func TestAnApplicationIsCorrectedInItsCase(t *testing.T) {
	v := open(t)
	opened := v.recorded(t, entry("application-submitted", 1, ""))
	corrected := v.recorded(t, revising(2, "application-submitted", opened.Case, opened.Record))
	require.Equal(t, opened.Case, corrected.Case)
	e, _ := v.mock.Store().Entry(corrected.Record)
	require.Equal(t, handover.ActionCorrection, e.Action)
	require.Equal(t, opened.Record, e.Refers)
	_, err := v.system.Sink.Apply(t.Context(), revising(3, "application-submitted", "", opened.Record))
	requireFault(t, err, fault.Refuse, "not-opening")
	wrong := revising(4, "application-submitted", opened.Case, "IVE.99999999")
	v.handOver(t, wrong)
	v.step(t)
	_, err = v.system.Finder.Find(t.Context(), wrong.Reference)
	requireFault(t, err, fault.Refuse, "unknown-entry")
}

// OSIV itself refuses what does not fit together, whatever came over the wire.
func TestOSIVRefusesAnEntryWithoutItsDocuments(t *testing.T) {
	v := open(t)
	e := entry("application-submitted", 1, "")
	v.handOver(t, e)
	path := v.path(contract.Outbox, "data_"+string(e.Reference)+".zip")
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	p, err := taken(b)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, archive(t, member{name: contract.MessageFile, text: string(p.message)}), 0o600))
	v.step(t)
	_, err = v.system.Finder.Find(t.Context(), e.Reference)
	requireFault(t, err, fault.Refuse, "missing-document")
	require.Zero(t, v.mock.Store().Len())
}
