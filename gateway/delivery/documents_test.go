package delivery_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
)

// archive is a system that keeps documents.
type archive struct {
	kept  map[string][]byte
	fails int // so many transfers break off
	puts  int
}

// OpenDocument implements [adapters.Documents].
func (a *archive) OpenDocument(_ context.Context, sum string) (io.ReadCloser, error) {
	b, ok := a.kept[sum]
	if !ok {
		return nil, fault.New(fault.Park, "test", adapters.DocumentMissing, "the document is not there")
	}
	return io.NopCloser(bytes.NewReader(b)), nil
}

// PutDocument implements [adapters.Documents].
func (a *archive) PutDocument(_ context.Context, d handover.Document, content io.Reader) error {
	a.puts++
	if a.fails > 0 {
		a.fails--
		_, _ = io.CopyN(io.Discard, content, 3)
		return errors.New("the line is broken")
	}
	b, err := io.ReadAll(content)
	if err != nil {
		return err
	}
	a.kept[d.SHA256] = b
	return nil
}

func document(content string) handover.Document {
	sum := sha256.Sum256([]byte(content))
	return handover.Document{Name: "Arbeitsvertrag.pdf", MediaType: "application/pdf", Size: int64(len(content)), SHA256: hex.EncodeToString(sum[:])}
}

// withDocuments is an application with documents, at a rig whose origin keeps the contents of some.
func withDocuments(r *rig, here []string, named ...handover.Document) handover.ApplicationSubmitted {
	r.archives = map[handover.SystemID]*archive{"origin": {kept: map[string][]byte{}}, "x": {kept: map[string][]byte{}}}
	for _, content := range here {
		r.archives["origin"].kept[document(content).SHA256] = []byte(content)
	}
	form := application()
	form.Documents = named
	return form
}

// restart lets a gateway begin with the archives that a test has made meanwhile.
func restart(r *rig, g *gateway) *gateway {
	g.stop()
	return r.start(0)
}

func TestTheDocumentsStandBeforeTheEntry(t *testing.T) {
	play(t, func(t *testing.T, r *rig, g *gateway) {
		form := withDocuments(r, []string{"eins", "zwei"}, document("eins"), document("zwei"))
		r.archives["x"].fails = 3
		again := restart(r, g)
		(&talk{r: r}).says(sd, form)
		elapse(time.Minute)
		require.Equal(t, "eins", string(r.archives["x"].kept[document("eins").SHA256]))
		require.Equal(t, "zwei", string(r.archives["x"].kept[document("zwei").SHA256]))
		got := r.systems["x"].entries("c1")
		require.Len(t, got, 1)
		require.Equal(t, form.Documents, got[0].Documents)
		again.stop()
	})
}

func TestACaseNeverStandsWithoutItsDocumentsSilently(t *testing.T) {
	changed := document("eins")
	changed.SHA256 = document("anders").SHA256
	longer := document("eins")
	longer.Size = 99
	for name, test := range map[string]struct {
		here  []string
		named handover.Document
		code  string
	}{
		"missing":       {nil, document("eins"), adapters.DocumentMissing},
		"another size":  {[]string{"eins"}, longer, "document-changed"},
		"no archive":    {nil, document("eins"), "documents-not-supported"},
		"other content": {nil, changed, "document-changed"},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(t *testing.T, r *rig, g *gateway) {
				form := withDocuments(r, test.here, test.named)
				switch name {
				case "no archive":
					delete(r.archives, "x")
				case "other content":
					r.archives["origin"].kept[changed.SHA256] = []byte("eins")
				}
				again := restart(r, g)
				(&talk{r: r}).says(sd, form)
				require.Equal(t, []string{test.code}, codes(again))
				require.Empty(t, r.systems["x"].entries("c1"))
				if a := r.archives["x"]; a != nil {
					require.Empty(t, a.kept)
				}
				require.NotContains(t, again.ledger.Parked()[0].Reason.Text, "Arbeitsvertrag")
				again.stop()
			})
		})
	}
}
