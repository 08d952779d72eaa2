package gateway_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/mocks/core"
	"github.com/einmal-hub/einmal/mocks/world"
)

// anchor is a text in the goal of an application, by which a front finds the entry on the wire.
const anchor = "ANCHOR"

// brokenEntry is an entry that breaks its contract in one place on the wire.
type brokenEntry struct {
	name       string
	system     handover.SystemID
	by         handover.OrganisationID
	old, fresh string
	code       string
	text       string
}

func brokenEntries() []brokenEntry {
	return []brokenEntry{
		{
			name: "a repeated member in JSON", system: world.KLIB, by: "sd-kriens", old: `"auftrag":"ANCHOR"`, fresh: `"auftrag":"ANCHOR","auftrag":"x"`,
			code: "malformed-json", text: "the document is not the JSON that its contract describes",
		}, {
			name: "invalid UTF-8", system: world.KLIB, by: "sd-kriens", old: `"auftrag":"ANCHOR"`, fresh: "\"auftrag\":\"ANCHOR\xff\"",
			code: "malformed-json", text: "the document is not the JSON that its contract describes",
		}, {
			name: "a content that is none", system: world.KLIB, by: "sd-kriens", old: `"inhalt":{`, fresh: `"inhalt":"ANCHOR","rest":{`,
			code: "malformed-json", text: "the document is not the JSON that its contract describes",
		}, {
			name: "a frame without what it must have", system: world.CASEnet, by: "sd-kriens", old: `"caseSequence":1,`, fresh: ``,
			code: "frame", text: "the member is missing or not what the contract says",
		}, {
			name: "a comment inside a value in XML", system: world.AVAM, by: "rav-luzern", old: `ANCHOR`, fresh: `ANCHOR<!-- a comment -->`,
			code: "answer", text: "a comment stands inside a value",
		}, {
			name: "an instruction inside a value in XML", system: world.AVAM, by: "rav-luzern", old: `ANCHOR`, fresh: `ANCHOR<?run me?>`,
			code: "answer", text: "instruction",
		},
	}
}

// Entries that cannot even be taken apart are parked with a reason; what comes after them is read.
func TestI1AnEntryThatBreaksItsContractIsParkedAndTheStreamGoesOn(t *testing.T) {
	t.Parallel()
	for i, b := range brokenEntries() {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, core.Faults{})
			f := s.front()
			f.set(nil, func(id handover.SystemID, body []byte) []byte {
				if id != b.system || !bytes.Contains(body, []byte(anchor)) {
					return body
				}
				require.Contains(t, string(body), b.old)
				return bytes.Replace(body, []byte(b.old), []byte(b.fresh), 1)
			})
			broken, next := s.affair(2*i), s.affair(2*i+1)
			if b.system == world.AVAM {
				broken.between("rav-luzern", "sd-kriens")
				next.between("rav-luzern", "sd-kriens")
			}
			broken.facts.Goal = anchor
			broken.enters(b.system, b.by, "application-submitted")
			after := next.enters(b.system, b.by, "application-submitted")
			g := s.gateway()
			next.appears(after, everywhere()...)
			it := g.waits(1)[0]
			require.Equal(t, b.code, it.Reason.Code)
			require.Contains(t, it.Reason.Text, b.text)
			require.NotContains(t, it.Reason.Text+it.Reason.Path, anchor)
			g.rule(it.ID, "RETRY") // nothing has changed: it is parked again, not lost
			require.Eventually(t, func() bool { again := g.parked(); return len(again) == 1 && again[0].ID != it.ID }, patience, tick)
			again := g.parked()[0]
			require.Equal(t, "broken-record", again.Reason.Code)
			g.rule(again.ID, "WITHDRAW")
			g.waits(0)
			g.clean()
		})
	}
}

// An answer that is no document at all cannot be taken apart into entries: it is asked for again until it can, and then nothing is missing.
func TestI1AnAnswerThatIsNotWellFormedIsAskedForAgain(t *testing.T) {
	t.Parallel()
	s := newStage(t, core.Faults{})
	f := s.front()
	breaks := map[handover.SystemID][2]string{
		world.KLIB: {`"auftrag":"ANCHOR"`, `"auftrag":"ANCHOR`}, world.AVAM: {`ANCHOR</objective>`, `ANCHOR</objektive>`}, world.CASEnet: {`ANCHOR"`, `ANCHOR",,`},
	}
	f.set(nil, func(id handover.SystemID, body []byte) []byte {
		return bytes.Replace(body, []byte(breaks[id][0]), []byte(breaks[id][1]), 1)
	})
	var markers []string
	var affairs []*affair
	for i, id := range everywhere() {
		a := s.affair(i)
		by := handover.OrganisationID("sd-kriens")
		if id == world.AVAM {
			a.between("rav-luzern", "sd-kriens")
			by = "rav-luzern"
		}
		a.facts.Goal = anchor
		affairs, markers = append(affairs, a), append(markers, a.enters(id, by, "application-submitted"))
	}
	g := s.gateway()
	for _, said := range []string{"klib.read", "avam.read", "casenet.read"} {
		require.Eventually(t, func() bool { return strings.Contains(s.log.String(), said) }, patience, tick)
	}
	require.NotContains(t, s.log.String(), anchor)
	require.Empty(t, g.parked())
	f.set(nil, nil)
	for i, a := range affairs {
		a.appears(markers[i], everywhere()...)
	}
	g.clean()
}

// notification is a webhook as CASEnet sends it.
type notification struct {
	id, stamp, signature string
	body                 []byte
}

// sign returns a notification that holds with the configured key.
func sign(t testing.TB, body string) notification {
	t.Helper()
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secrets()["casenet.webhook"], "whsec_"))
	require.NoError(t, err)
	n := notification{id: "evt-1", stamp: strconv.FormatInt(time.Now().Unix(), 10), body: []byte(body)}
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s.%s.%s", n.id, n.stamp, n.body)
	n.signature = "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	return n
}

// send posts a notification and returns the answer.
func (g *running) send(n notification, path string) (int, string) {
	g.t.Helper()
	r, err := http.NewRequestWithContext(g.t.Context(), http.MethodPost, "http://"+g.addresses.Listen.String()+path, bytes.NewReader(n.body))
	require.NoError(g.t, err)
	for name, v := range map[string]string{"webhook-id": n.id, "webhook-timestamp": n.stamp, "webhook-signature": n.signature} {
		if v != "" {
			r.Header.Set(name, v)
		}
	}
	return answer(g.t, r)
}

func TestANotificationCountsOnlyWithItsSignature(t *testing.T) {
	t.Parallel()
	s := newStage(t, core.Faults{})
	g := s.gateway()
	good := sign(t, `{"type":"record.created"}`)
	change := func(f func(*notification)) notification {
		n := good
		f(&n)
		return n
	}
	for _, c := range []struct {
		name   string
		n      notification
		path   string
		status int
		code   string
	}{
		{"as it should be", good, "/webhooks/casenet", http.StatusNoContent, ""},
		{"once more", good, "/webhooks/casenet", http.StatusNoContent, ""},
		{"without signature", change(func(n *notification) { n.signature = "" }), "/webhooks/casenet", http.StatusUnauthorized, "webhook-header"},
		{"signed with another key", change(func(n *notification) { n.signature = "v1," + base64.StdEncoding.EncodeToString(make([]byte, 32)) }), "/webhooks/casenet", http.StatusUnauthorized, "webhook-signature"},
		{"another body", change(func(n *notification) { n.body = []byte(`{}`) }), "/webhooks/casenet", http.StatusUnauthorized, "webhook-signature"},
		{"an hour old", change(func(n *notification) { n.stamp = strconv.FormatInt(time.Now().Add(-time.Hour).Unix(), 10) }), "/webhooks/casenet", http.StatusUnauthorized, "webhook-timestamp"},
		{"without a time", change(func(n *notification) { n.stamp = "" }), "/webhooks/casenet", http.StatusUnauthorized, "webhook-header"},
		{"too large", change(func(n *notification) { n.body = make([]byte, 65<<10) }), "/webhooks/casenet", http.StatusRequestEntityTooLarge, "too-large"},
		{"of a system that sends none", good, "/webhooks/klib", http.StatusNotFound, "unknown-system"},
		{"of nobody", good, "/webhooks/nobody", http.StatusNotFound, "unknown-system"},
	} {
		status, body := g.send(c.n, c.path)
		require.Equal(t, c.status, status, c.name)
		if c.code != "" {
			require.Contains(t, body, `"code":"`+c.code+`"`, c.name)
		}
	}
	a := s.affair(1)
	a.appears(a.enters(world.CASEnet, "sd-kriens", "application-submitted"), everywhere()...)
	g.clean()
	require.NotContains(t, s.log.String(), good.signature)
}
