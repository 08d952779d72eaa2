package casenet

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/mocks/core"
)

const testSecret = "whsec_ZWlubWFsIGNhc2VuZXQgY29udHJhY3QgZXhhbXBsZSE="

// ear hears notifications instead of a network.
type ear struct {
	mu     sync.Mutex
	heard  []string
	at     []time.Time
	header http.Header
	answer func(nth int) (int, error)
}

func (e *ear) RoundTrip(r *http.Request) (*http.Response, error) {
	body, _ := io.ReadAll(r.Body)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.heard, e.at, e.header = append(e.heard, string(body)), append(e.at, time.Now()), r.Header
	status, err := 204, error(nil)
	if e.answer != nil {
		status, err = e.answer(len(e.heard))
	}
	if err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: status, Body: io.NopCloser(bytes.NewReader(nil)), Header: http.Header{}}, nil
}

// notify lets a mock with n records send its notifications to an ear, in virtual time.
func notify(t *testing.T, o Options, e *ear, n int) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		if o.Webhook.URL == "" {
			o.Webhook.URL = "http://einmal.example/webhooks/casenet"
		}
		sender, err := newNotifier(o)
		require.NoError(t, err)
		sender.client.Transport = e
		sender.clock = time.Now
		store, err := core.Open(core.Options{System: "casenet", Unique: true, Shared: true, NewID: newID(time.Now)})
		require.NoError(t, err)
		dice := core.NewDice(o.Faults)
		sender.start(store, dice)
		for range n {
			_, _, err := store.Write(t.Context(), core.Write{Kind: "query", Organisation: "sd-kriens", By: core.ByClerk, Body: []byte(`{}`)})
			require.NoError(t, err)
		}
		<-time.After(time.Hour) // virtual: everything that is scheduled has happened
		sender.close()
		sender.close()
		dice.Close()
		require.NoError(t, store.Close())
	})
}

func TestWebhook_TellsEveryRecordOnceWhenAllIsWell(t *testing.T) {
	e := &ear{}
	notify(t, Options{Webhook: Webhook{Keys: []string{testSecret}}}, e, 3)
	require.ElementsMatch(t, []string{
		`{"type":"record.created","recordId":"R-2000-000001"}`, `{"type":"record.created","recordId":"R-2000-000002"}`,
		`{"type":"record.created","recordId":"R-2000-000003"}`,
	}, e.heard)
	require.Equal(t, "application/json", e.header.Get("Content-Type"))
	require.Regexp(t, "^evt-R-2000-00000[123]$", e.header.Get("webhook-id"))
}

func TestWebhook_EveryKeySigns(t *testing.T) {
	public, private, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	e := &ear{}
	notify(t, Options{Webhook: Webhook{Keys: []string{testSecret, "whsk_" + base64.StdEncoding.EncodeToString(private)}}}, e, 1)
	hmac, ed, ok := strings.Cut(e.header.Get("webhook-signature"), " ")
	require.True(t, ok)
	signed := e.header.Get("webhook-id") + "." + e.header.Get("webhook-timestamp") + "." + e.heard[0]
	s, err := newSigner(testSecret)
	require.NoError(t, err)
	require.Equal(t, s([]byte(signed)), hmac)
	signature, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(ed, "v1a,"))
	require.NoError(t, err)
	require.True(t, ed25519.Verify(public, []byte(signed), signature))
}

func TestWebhook_TheContractsVectorHolds(t *testing.T) {
	s, err := newSigner(testSecret)
	require.NoError(t, err)
	require.Equal(t, "v1,pC5nqMl3L9fEEik7bmyNAWOpDd2umU5rwZLfAkGRqh4=",
		s([]byte(`evt-R-2026-000017.1767225600.{"type":"record.created","recordId":"R-2026-000017"}`)))
}

func TestWebhook_FailuresAreSentAgainOnSchedule(t *testing.T) {
	e := &ear{answer: func(nth int) (int, error) {
		switch nth {
		case 1:
			return 0, errors.New("refused")
		case 2:
			return 503, nil
		case 3:
			return 307, nil
		}
		return 204, nil
	}}
	notify(t, Options{Webhook: Webhook{Schedule: []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, time.Second}}}, e, 1)
	require.Len(t, e.at, 4)
	require.Equal(t, time.Second, e.at[1].Sub(e.at[0]))
	require.Equal(t, 2*time.Second, e.at[2].Sub(e.at[1]))
	require.Equal(t, 4*time.Second, e.at[3].Sub(e.at[2]))
}

func TestWebhook_GivesUpAfterTheLastAttemptOrWhenTold(t *testing.T) {
	deaf := &ear{answer: func(int) (int, error) { return 500, nil }}
	notify(t, Options{Webhook: Webhook{Schedule: []time.Duration{time.Second, time.Second}}}, deaf, 1)
	require.Len(t, deaf.heard, 3)
	gone := &ear{answer: func(int) (int, error) { return 410, nil }}
	notify(t, Options{}, gone, 1)
	require.Len(t, gone.heard, 1)
}

func TestWebhook_DuplicatesLosesAndReordersAsTold(t *testing.T) {
	twice := &ear{}
	notify(t, Options{Faults: core.Faults{Duplicate: 1}}, twice, 5)
	require.Len(t, twice.heard, 10)
	lost := &ear{}
	notify(t, Options{Webhook: Webhook{Drop: 1}}, lost, 5)
	require.Empty(t, lost.heard)
	late := &ear{}
	notify(t, Options{Webhook: Webhook{Late: 0.5}}, late, 40)
	require.Len(t, late.heard, 40)
	inOrder := true
	for i, body := range late.heard {
		inOrder = inOrder && strings.Contains(body, fmt.Sprintf("%06d", i+1))
	}
	require.False(t, inOrder)
}

func TestWebhook_NowhereToSend(t *testing.T) {
	m, err := New(Options{System: "casenet"})
	require.NoError(t, err)
	m.SetWebhookURL("")
	_, _, err = m.Store().Write(t.Context(), core.Write{Kind: "query", By: core.ByClerk, Body: []byte(`{}`)})
	require.NoError(t, err)
	require.NoError(t, m.Close())
}

func TestWebhook_RefusesKeysThatAreNone(t *testing.T) {
	for _, key := range []string{"", "secret", "whsec_", "whsec_%%%", "whsec_c2hvcnQ=", "whpk_" + strings.Repeat("A", 44), "whsk_c2hvcnQ="} {
		_, err := New(Options{System: "casenet", Webhook: Webhook{Keys: []string{key}}})
		require.ErrorIs(t, err, errKey, key)
	}
}
