package tutoris

import (
	"bytes"
	"io"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/pkg/sftp"
	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	contract "github.com/einmal-hub/einmal/contracts/native/tutoris"
	"github.com/einmal-hub/einmal/mocks/core"
	mock "github.com/einmal-hub/einmal/mocks/tutoris"
)

func paper(seed uint64, size int) core.Document {
	return core.InventDocument(rand.New(rand.NewPCG(seed, 3)), "Vereinbarung.pdf", size) //nolint:gosec // repeatable
}

func (v *village) put(t *testing.T, d core.Document) error {
	t.Helper()
	return v.system.Documents.PutDocument(t.Context(), documentOf(d), bytes.NewReader(d.Content))
}

func (v *village) kept(t *testing.T, hash string) ([]byte, error) {
	t.Helper()
	content, err := v.system.Documents.OpenDocument(t.Context(), hash)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(content)
	require.NoError(t, content.Close())
	require.NoError(t, content.Close())
	return b, err
}

// lies returns the names in the folder of documents that are not still being written.
func (v *village) lies(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, name := range v.names(t, contract.Documents) {
		if !strings.HasPrefix(name, ".") {
			all = append(all, name)
		}
	}
	return all
}

func TestADocumentOfTheLargestSizeGoesThereAndBack(t *testing.T) {
	v := open(t)
	d := core.Document{Name: "x", MediaType: "application/pdf", Content: bytes.Repeat([]byte("0123456789abcdef"), contract.MaxDocument/16)}
	require.NoError(t, v.put(t, d))
	got, err := v.kept(t, d.SHA256())
	require.NoError(t, err)
	require.True(t, bytes.Equal(d.Content, got))
	require.NotContains(t, strings.Join(v.names(t, contract.Documents), " "), ".tmp", "nothing else is left")
	larger := core.Document{Content: append(d.Content, 'x')}
	requireFault(t, v.put(t, larger), fault.Refuse, "document")
}

// Whatever breaks while a document is put, it stands whole or not at all, and putting it again is all that there is to do.
func TestWhateverBreaksADocumentIsPutAgain(t *testing.T) {
	for breakage, want := range map[mock.Breakage]string{
		mock.DiskFull: "sftp", mock.CutUpload: "connection", mock.CutBeforeRename: "connection", mock.CutAfterRename: "connection", mock.LateRename: "connection",
		mock.Failure: "sftp",
	} {
		t.Run(string(breakage), func(t *testing.T) {
			v := open(t)
			before := v.lies(t)
			d := paper(1, 100_000)
			v.mock.Break(breakage)
			requireFault(t, v.put(t, d), fault.Retry, want)
			if lies := v.lies(t); breakage != mock.CutAfterRename {
				require.Equal(t, before, lies)
			}
			require.NoError(t, v.put(t, d))
			v.mock.FinishLate()
			got, err := v.kept(t, d.SHA256())
			require.NoError(t, err)
			require.True(t, bytes.Equal(d.Content, got))
		})
	}
}

// What the server says about a renaming that it has carried out all the same is not believed against what lies there.
func TestADocumentThatStandsIsPutWhateverTheServerSays(t *testing.T) {
	v := open(t)
	d := paper(1, 5000)
	v.mock.Break(mock.FailedRename)
	require.NoError(t, v.put(t, d))
	got, err := v.kept(t, d.SHA256())
	require.NoError(t, err)
	require.Equal(t, d.Content, got)
}

func TestOtherBytesUnderTheHashAreReplaced(t *testing.T) {
	for _, plain := range []bool{false, true} {
		v := open(t)
		if plain {
			onlyPlainRenaming(t)
		}
		d := paper(1, 5000)
		for _, lies := range [][]byte{bytes.ToUpper(d.Content), d.Content, d.Content[:20], nil} {
			require.NoError(t, os.WriteFile(v.path(contract.Documents, d.SHA256()), lies, 0o600))
			require.NoError(t, v.put(t, d), "plain: %v, %d bytes", plain, len(lies))
			got, err := v.kept(t, d.SHA256())
			require.NoError(t, err)
			require.Equal(t, d.Content, got)
			for _, name := range v.names(t, contract.Documents) {
				require.NotContains(t, name, ".tmp")
			}
		}
	}
}

func onlyPlainRenaming(t *testing.T) {
	t.Helper()
	require.NoError(t, sftp.SetSFTPExtensions("statvfs@openssh.com"))
	t.Cleanup(func() {
		require.NoError(t, sftp.SetSFTPExtensions("hardlink@openssh.com", "posix-rename@openssh.com", "statvfs@openssh.com"))
	})
}

// A document that breaks off is no shorter document: the gateway would take it for one that somebody has changed.
func TestADocumentThatBreaksOffIsReadAgain(t *testing.T) {
	v := open(t)
	d := paper(1, 300_000)
	require.NoError(t, v.put(t, d))
	v.mock.Break(mock.CutDownload)
	_, err := v.kept(t, d.SHA256())
	requireFault(t, err, fault.Retry, "connection")
	content, err := v.system.Documents.OpenDocument(t.Context(), d.SHA256())
	require.NoError(t, err)
	require.NoError(t, os.Truncate(v.path(contract.Documents, d.SHA256()), 1000))
	_, err = io.ReadAll(content)
	require.NoError(t, content.Close())
	requireFault(t, err, fault.Retry, "short")
}

func TestWhatIsNoDocumentIsMissing(t *testing.T) {
	v := open(t)
	d := paper(1, 5000)
	path := v.path(contract.Documents, d.SHA256())
	missing := func(hash string) {
		_, err := v.kept(t, hash)
		requireFault(t, err, fault.Park, adapters.DocumentMissing)
	}
	missing(d.SHA256())
	missing("../" + contract.Outbox)
	missing(strings.ToUpper(d.SHA256()))
	require.NoError(t, os.WriteFile(path, nil, 0o600))
	missing(d.SHA256())
	require.NoError(t, os.Truncate(path, contract.MaxDocument+1))
	missing(d.SHA256())
	require.NoError(t, os.RemoveAll(v.path(contract.Documents)))
	_, err := v.kept(t, d.SHA256())
	requireFault(t, err, fault.Stop, "folder")
	requireFault(t, v.put(t, d), fault.Stop, "folder")
}

func TestARefusalForADocumentOrAnEarlierEntryComesWithItsCode(t *testing.T) {
	v := open(t)
	opening := entry("application-submitted", 1, "")
	require.NoError(t, os.Remove(v.path(contract.Documents, opening.Documents[0].SHA256)))
	v.handOver(t, opening)
	v.night(t)
	_, err := v.system.Finder.Find(t.Context(), opening.Reference)
	requireFault(t, err, fault.Refuse, "missing-document")
	require.Zero(t, v.mock.Store().Len(), "no entry stands without its documents")

	v.stage(t, facts(7).Documents...)
	v.handOver(t, opening) // a person has ordered it again
	v.night(t)
	stands := v.find(t, opening)[0]
	recall := revising(entry("application-submitted", 2, stands.Case), handover.ActionRecall, "3", stands.Record)
	v.handOver(t, recall)
	v.night(t)
	require.Len(t, v.find(t, recall), 1)
	entries, _ := v.mock.Store().Case(stands.Case)
	require.Len(t, entries, 2)
	require.Equal(t, handover.ActionRecall, entries[1].Action)
	again := revising(entry("application-submitted", 3, stands.Case), handover.ActionCorrection, "4", stands.Record)
	v.handOver(t, again)
	v.night(t)
	_, err = v.system.Finder.Find(t.Context(), again.Reference)
	requireFault(t, err, fault.Refuse, "unknown-entry")
}

// revising makes an entry one that recalls or corrects another.
func revising(e native.Entry, action handover.Action, code string, refers native.RecordID) native.Entry {
	s := strings.Replace(string(e.Body), "<h:action>1<", "<h:action>"+code+"<", 1)
	e.Body = []byte(strings.Replace(s, "</h:messageId>", "</h:messageId><h:referenceMessageId>"+string(refers)+"</h:referenceMessageId>", 1))
	e.Action, e.Refers = action, refers
	return e
}
