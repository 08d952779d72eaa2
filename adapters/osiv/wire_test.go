package osiv

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"
	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	contract "github.com/einmal-hub/einmal/contracts/native/osiv"
	"github.com/einmal-hub/einmal/mocks/core"
)

var update = flag.Bool("update", false, "write the contract's examples anew")

// member is one member of an archive.
type member struct {
	name string
	text string
	mode fs.FileMode
}

func archive(t testing.TB, members ...member) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, m := range members {
		h := &zip.FileHeader{Name: m.name, Method: zip.Deflate}
		if m.mode != 0 {
			h.SetMode(m.mode)
		}
		f, err := w.CreateHeader(h)
		require.NoError(t, err)
		_, err = io.WriteString(f, m.text)
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return out.Bytes()
}

// taken takes a payload apart that lies in memory.
func taken(b []byte) (parts, error) { return unpack(bytes.NewReader(b), int64(len(b))) }

func TestUnpack_TakesExactlyOneMessageAndDocumentsNamedByTheirHashes(t *testing.T) {
	message := member{name: contract.MessageFile, text: "<x/>"}
	folder := member{name: contract.AttachmentsFolder}
	hash := strings.Repeat("0a", 32)
	document := member{name: contract.AttachmentsFolder + hash, text: "x"}
	for _, good := range [][]member{{message}, {message, folder}, {folder, message}, {message, document}, {folder, document, message}} {
		p, err := taken(archive(t, good...))
		require.NoError(t, err)
		require.Equal(t, "<x/>", string(p.message))
		require.True(t, p.whole())
	}
	whole := archive(t, message, folder)
	for name, b := range map[string][]byte{
		"nothing": nil, "no archive": []byte("PK\x03\x04"), "empty archive": archive(t), "cut": whole[:len(whole)-10], "something before": append([]byte("x"), whole...),
		"no message": archive(t, folder), "two messages": archive(t, message, member{name: "message_2.xml"}), "twice": archive(t, message, message),
		"slip": archive(t, member{name: "../" + contract.MessageFile}), "absolute": archive(t, member{name: "/" + contract.MessageFile}),
		"windows slip": archive(t, message, member{name: `..\x`}), "another case": archive(t, member{name: "Message_1.xml"}),
		"another name": archive(t, message, member{name: contract.AttachmentsFolder + "a.pdf", text: "x"}), "full folder": archive(t, message, member{name: "attachments_1", text: "x"}),
		"document twice": archive(t, message, document, document), "empty document": archive(t, message, member{name: document.name}),
		"document slip":  archive(t, message, member{name: contract.AttachmentsFolder + "../" + hash, text: "x"}),
		"upper case":     archive(t, message, member{name: contract.AttachmentsFolder + strings.ToUpper(hash), text: "x"}),
		"document link":  archive(t, message, member{name: document.name, text: "/etc/passwd", mode: fs.ModeSymlink | 0o777}),
		"another folder": archive(t, message, member{name: "attachments_2/" + hash, text: "x"}),
		"link":           archive(t, member{name: contract.MessageFile, text: "/etc/passwd", mode: fs.ModeSymlink | 0o777}),
		"bomb":           archive(t, member{name: contract.MessageFile, text: strings.Repeat("a", contract.MaxMessage+1)}),
		"many":           archive(t, append([]member{message}, make([]member, contract.MaxMembers)...)...),
		"wrong check":    bytes.Replace(whole, []byte("<x/>"), []byte("<y/>"), 1),
	} {
		_, err := taken(b)
		if name == "wrong check" && bytes.Equal(b, whole) {
			continue // the text was packed
		}
		require.Error(t, err, name)
		require.Equal(t, fault.Park, fault.KindOf(err), name)
	}
	_, err := unpack(bytes.NewReader(whole), contract.MaxPayload+1)
	require.Error(t, err, "a payload is not looked into when it is too large")
}

// An archive that lies about the size of its message is not believed.
func TestUnpack_ReadsNoMoreThanTheLimitWhateverTheArchiveSays(t *testing.T) {
	b := archive(t, member{name: contract.MessageFile, text: strings.Repeat("a", 3<<20)})
	directory := bytes.LastIndex(b, []byte("PK\x01\x02"))
	copy(b[directory+24:], []byte{10, 0, 0, 0}) // uncompressed size: ten bytes
	_, err := taken(b)
	require.Error(t, err)
}

func TestPack_GivesTheSameBytesAndIsTakenByUnpack(t *testing.T) {
	a, b := packed(t, "<x>ä</x>", "one", "two"), packed(t, "<x>ä</x>", "one", "two")
	require.Equal(t, a, b)
	p, err := taken(a)
	require.NoError(t, err)
	require.Equal(t, "<x>ä</x>", string(p.message))
	require.NoError(t, p.match([]attachment{named("one"), named("two")}))
	require.Equal(t, "attachment-missing", fault.CodeOf(p.match([]attachment{named("one"), named("three")})))
	require.Equal(t, "attachment-unnamed", fault.CodeOf(p.match([]attachment{named("one")})))
	require.Equal(t, "attachment-differs", fault.CodeOf(p.match([]attachment{named("one"), {hash: named("two").hash, size: 4}})))
}

// named is the name of a document with a text.
func named(text string) attachment {
	sum := sha256.Sum256([]byte(text))
	return attachment{hash: hex.EncodeToString(sum[:]), size: int64(len(text))}
}

// packed is a payload with documents of these texts.
func packed(t testing.TB, message string, texts ...string) []byte {
	t.Helper()
	var all []attachment
	contents := map[string]string{}
	for _, text := range texts {
		all = append(all, named(text))
		contents[named(text).hash] = text
	}
	var out bytes.Buffer
	require.NoError(t, pack(&out, []byte(message), all, func(a attachment) (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader(contents[a.hash])), nil
	}))
	return out.Bytes()
}

const envelopeText = `<?xml version="1.0" encoding="UTF-8"?>
<envelope xmlns="http://www.ech.ch/xmlns/eCH-0090/1" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="x y" version="1.0"><messageId>a-1</messageId>
<messageType>2000100</messageType><messageClass>1</messageClass><referenceMessageId>b-2</referenceMessageId><senderId>T6-100001-1</senderId><recipientId>T3-CH-1</recipientId>
<eventDate>2026-03-02T08:30:00Z</eventDate><messageDate>2026-03-02T09:30:00.5+01:00</messageDate></envelope>`

func TestReadEnvelope_IsStrict(t *testing.T) {
	v, err := readEnvelope([]byte(envelopeText))
	require.NoError(t, err)
	require.Equal(t, envelope{
		id: "a-1", class: "1", reference: "b-2", messageType: 2000100, sender: "T6-100001-1", recipient: "T3-CH-1",
		sent: time.Date(2026, 3, 2, 8, 30, 0, 500_000_000, time.UTC),
	}, v)
	for name, text := range map[string]string{
		"no time zone": replaceOnce(envelopeText, "00Z", "00"), "version": replaceOnce(envelopeText, `version="1.0"><m`, `version="2.0"><m`),
		"no version": replaceOnce(envelopeText, ` version="1.0"><m`, "><m"), "namespace": replaceOnce(envelopeText, "eCH-0090/1", "eCH-0090/2"),
		"two recipients": replaceOnce(envelopeText, "<eventDate>", "<recipientId>T3-CH-2</recipientId><eventDate>"),
		"loopback":       replaceOnce(envelopeText, "</envelope>", `<loopback authorise="true"/></envelope>`),
		"test data":      replaceOnce(envelopeText, "</envelope>", `<testData><name>x</name><value>y</value></testData></envelope>`),
		"order":          replaceOnce(envelopeText, "<messageId>a-1</messageId>", ""), "half": envelopeText[:len(envelopeText)/2],
		"document type": replaceOnce(envelopeText, "<envelope", "<!DOCTYPE envelope><envelope"), "type": replaceOnce(envelopeText, ">2000100<", ">x<"),
		"large": envelopeText + strings.Repeat(" ", contract.MaxEnvelope), "attribute": replaceOnce(envelopeText, `<envelope `, `<envelope other="x" `),
	} {
		_, err := readEnvelope([]byte(text))
		require.Error(t, err, name)
		require.Equal(t, fault.Park, fault.KindOf(err), name)
	}
}

func TestReadReport_EverythingMustSayTheSame(t *testing.T) {
	text := string(example(t, "report-positive"))
	v := envelope{class: contract.ClassResponse, reference: "0195e1a2-0000-7000-8000-000000000001"}
	_, a, err := readMessage(v, []byte(text))
	require.NoError(t, err)
	require.Equal(t, "IVE.00000001", string(a.receipt.Record))
	for name, changed := range map[string]string{
		"another reference": replaceOnce(text, v.reference, "0195e1a2-0000-7000-8000-000000000009"), "action": replaceOnce(text, "<action>9<", "<action>8<"),
		"no data": replaceOnce(text, "eintragsnummer>IVE.00000001<", "eintragsnummer><"), "both": replaceOnce(text, "</info>", "<negativeReport/></info>"),
		"no reference": replaceOnce(text, "referenceMessageId", "other"),
	} {
		_, _, err := readMessage(v, []byte(changed))
		require.Equal(t, fault.Park, fault.KindOf(err), name)
	}
	_, _, err = readMessage(envelope{class: contract.ClassMessage}, []byte(text))
	require.Equal(t, "unexpected-root", fault.CodeOf(err))
}

// examples is where the contract keeps its messages.
var examples = filepath.Join("..", "..", "contracts", "native", "osiv", "testdata")

func example(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(examples, name+".xml"))
	require.NoError(t, err)
	return b
}

// pretty indents a document for its readers; values stay as they are.
func pretty(t testing.TB, b []byte) []byte {
	t.Helper()
	doc := etree.NewDocument()
	require.NoError(t, doc.ReadFromBytes(b))
	doc.WriteSettings.CanonicalText = true
	doc.Indent(2)
	b, err := doc.WriteToBytes()
	require.NoError(t, err)
	return b
}

// The contract's examples are what the adapter and the mock say to each other: when one of the three changes, this test sees it.
func TestTheContractsExamplesAreWhatAdapterAndMockSay(t *testing.T) {
	v := open(t)
	*v.clock = time.Date(2026, 3, 2, 8, 30, 0, 0, time.UTC)
	said := map[string][]byte{}
	keep := func(name, folder, prefix, suffix string) {
		for _, file := range v.names(t, folder) {
			if strings.HasPrefix(file, prefix) && strings.HasSuffix(file, suffix) {
				b, err := os.ReadFile(v.path(folder, file))
				require.NoError(t, err)
				if suffix == ".zip" {
					p, err := taken(b)
					require.NoError(t, err)
					b = p.message
				}
				said[name] = b
			}
		}
	}
	e := entry("application-submitted", 1, "")
	e.Body, e.Documents = example(t, "content/000101"), nil
	d := core.InventDocument(rand.New(rand.NewPCG(7, 2)), "Vollmacht \"2026\" & Beilagen.pdf", 1500) //nolint:gosec // repeatable
	v.stage(t, d)
	e.Documents = []handover.Document{documentOf(d)}
	v.handOver(t, e)
	keep("envelope-order", contract.Outbox, "envl_", ".xml")
	keep("order", contract.Outbox, "data_", ".zip")
	v.step(t)
	keep("receipt", contract.Receipts, "receipt_", ".xml")
	keep("report-positive", contract.Inbox, "data_", ".zip")
	require.Len(t, v.find(t, e), 1)
	refused := entry("clarification-answered", 2, "IV.999999")
	v.handOver(t, refused)
	v.step(t)
	keep("report-negative", contract.Inbox, "data_", ".zip")
	_, err := v.system.Finder.Find(t.Context(), refused.Reference)
	requireFault(t, err, fault.Refuse, "unknown-case")
	v.clerk(t, "clarification-answered", 7, "IV.000001")
	v.step(t)
	keep("envelope-message", contract.Inbox, "envl_", ".xml")
	keep("message", contract.Inbox, "data_", ".zip")
	for name, b := range said {
		got := string(masked(pretty(t, b)))
		path := filepath.Join(examples, name+".xml")
		if *update {
			require.NoError(t, os.WriteFile(path, []byte(got), 0o600))
		}
		require.Equal(t, string(example(t, name)), got, name)
	}
	files, err := filepath.Glob(filepath.Join(examples, "*.xml"))
	require.NoError(t, err)
	require.Len(t, files, len(said), "no example that nobody says")
}

// masked replaces the ids that the mock draws.
func masked(b []byte) []byte {
	doc := etree.NewDocument()
	if doc.ReadFromBytes(b) != nil {
		return b
	}
	for _, el := range doc.FindElements("/eventReport/header/messageId") {
		el.SetText("7F454C4601020100")
	}
	doc.WriteSettings.CanonicalText = true
	b, _ = doc.WriteToBytes()
	return b
}

func FuzzEnvelope(f *testing.F) {
	f.Add([]byte(envelopeText))
	f.Add([]byte(receiptText))
	f.Fuzz(func(t *testing.T, b []byte) {
		if v, err := readEnvelope(b); err == nil {
			require.NotEmpty(t, v.id)
			require.False(t, v.sent.IsZero())
			require.LessOrEqual(t, len(b), contract.MaxEnvelope)
		}
	})
}

func FuzzReceipt(f *testing.F) {
	f.Add([]byte(strings.NewReplacer("%d", "100", "%s", "2026-03-02T08:30:00Z").Replace(receiptText)))
	f.Fuzz(func(t *testing.T, b []byte) {
		if r, err := readReceipt(b); err == nil {
			require.NotEmpty(t, r.id)
			_ = judge(map[string]receipt{"x": r})
		}
	})
}

func FuzzPayload(f *testing.F) {
	f.Add(packed(f, "<x/>"))
	f.Add(packed(f, "<x/>", "one", "two"))
	f.Add(archive(f, member{name: "../x", text: "y"}))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := taken(b)
		if err != nil {
			return
		}
		require.LessOrEqual(t, len(p.message), contract.MaxMessage)
		for hash := range p.enclosed {
			require.True(t, isHash(hash))
		}
		_ = p.whole()
	})
}

func FuzzMessage(f *testing.F) {
	for _, name := range []string{"message", "report-positive", "report-negative"} {
		f.Add(example(f, name), name != "message")
	}
	f.Fuzz(func(t *testing.T, b []byte, report bool) {
		v := envelope{class: contract.ClassMessage}
		if report {
			v = envelope{class: contract.ClassResponse, reference: "0195e1a2-0000-7000-8000-000000000001"}
		}
		record, a, err := readMessage(v, b)
		switch {
		case err != nil:
		case report:
			require.True(t, a.refusal != "" || a.receipt.Record != "" && a.receipt.Case != "")
		default:
			require.Positive(t, record.Sequence)
			require.NotEmpty(t, record.Body)
			require.False(t, record.At.IsZero())
		}
	})
}
