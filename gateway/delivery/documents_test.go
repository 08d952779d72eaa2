package delivery_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"sync"
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
	slow  time.Duration // every transfer takes so long
	hasty bool          // it answers before it has read, and reads all the same

	mu        sync.Mutex
	now, most int // transfers at once
	reading   sync.WaitGroup
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
func (a *archive) PutDocument(ctx context.Context, d handover.Document, content io.Reader) error {
	a.count(1)
	defer a.count(-1)
	if a.hasty {
		a.reading.Go(func() { _, _ = io.ReadAll(content) })
		return errors.New("the answer came early")
	}
	select {
	case <-time.After(a.slow):
	case <-ctx.Done():
		return ctx.Err()
	}
	if a.breaks() {
		_, _ = io.CopyN(io.Discard, content, 3)
		return errors.New("the line is broken")
	}
	b, err := io.ReadAll(content)
	if err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.kept[d.SHA256] = b
	return nil
}

// breaks reports whether this transfer breaks off.
func (a *archive) breaks() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.puts++
	a.fails--
	return a.fails >= 0
}

func (a *archive) count(n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.now += n
	a.most = max(a.most, a.now)
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

// Fault 72.
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

// Fault 73.
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

// Taking back is always allowed: what was sent with a document is recalled although the document has gone where it came from.
func TestARecallDoesNotWaitForItsDocuments(t *testing.T) {
	play(t, func(t *testing.T, r *rig, g *gateway) {
		form := withDocuments(r, []string{"eins"}, document("eins"))
		again := restart(r, g)
		k := &talk{r: r}
		id := k.says(sd, form)
		delete(r.archives["origin"].kept, document("eins").SHA256)
		k.says(sd, form, revises(handover.ActionRecall, id))
		require.Empty(t, codes(again))
		require.Len(t, r.systems["x"].entries("c1"), 2)
		again.stop()
	})
}

// Handing documents over takes a place among the requests that a system bears at once.
func TestDocumentsKeepToTheLimitOfRequestsAtOnce(t *testing.T) {
	play(t, func(t *testing.T, r *rig, g *gateway) {
		form := withDocuments(r, []string{"eins"}, document("eins"))
		r.archives["x"].slow = time.Second
		again := restart(r, g)
		for n := range 20 {
			r.publish(envelope(fmt.Sprint("c", n), 1, "application-submitted", sd), form)
		}
		elapse(time.Minute)
		require.Len(t, r.systems["x"].journal, 20)
		require.LessOrEqual(t, r.archives["x"].most, 4)
		again.stop()
	})
}

// A transfer of 20 MiB over a line of 1 Mbit/s takes almost 3 minutes.
func TestALargeDocumentOverASlowLineArrives(t *testing.T) {
	play(t, func(t *testing.T, r *rig, g *gateway) {
		form := withDocuments(r, []string{"eins"}, document("eins"))
		r.archives["x"].slow = 3 * time.Minute
		again := restart(r, g)
		(&talk{r: r}).says(sd, form)
		elapse(4 * time.Minute)
		require.Len(t, r.systems["x"].entries("c1"), 1)
		again.stop()
	})
}

// A wire may still read the content when its answer has come: net/http does.
func TestWhetherADocumentWasChangedIsKnownWhileSomebodyStillReads(t *testing.T) {
	play(t, func(t *testing.T, r *rig, g *gateway) {
		form := withDocuments(r, nil, document("eins"))
		r.archives["origin"].kept[document("eins").SHA256] = []byte("zwei")
		r.archives["x"].hasty = true
		again := restart(r, g)
		(&talk{r: r}).says(sd, form)
		r.archives["x"].reading.Wait()
		again.stop()
	})
}
