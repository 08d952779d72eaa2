package casenet

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/einmal-hub/einmal/mocks/core"
)

// Webhook says where and how notifications go.
type Webhook struct {
	// URL is where they go; empty: nowhere. See [Mock.SetWebhookURL].
	URL string
	// Keys sign them: "whsec_..." (HMAC) or "whsk_..." (Ed25519 private key); all of them sign, as during a rotation.
	Keys []string
	// Drop and Late are probabilities: of an event that is never sent, and of one that others overtake.
	Drop, Late float64
	// Schedule holds the waits before the second and later attempts; nil: a schedule of seconds instead of the contract's hours.
	Schedule []time.Duration
}

const (
	attemptTimeout = 20 * time.Second
	parallel       = 8
	overtaken      = 200 * time.Millisecond
	mostWaiting    = 10_000 // events beyond that are dropped; the feed has them
)

// signer makes one signature.
type signer func(signed []byte) string

// event is a notification that is to be delivered.
type event struct {
	record  string
	attempt int
	due     time.Time
}

// outcome is what became of an event in one round.
type outcome uint8

const (
	notTried outcome = iota
	failed
	finished
)

// notifier sends notifications from one goroutine, which close ends and waits for.
type notifier struct {
	options Webhook
	url     atomic.Pointer[string]
	signers []signer
	clock   func() time.Time
	client  *http.Client
	rng     *rand.Rand
	waiting []event
	cancel  context.CancelFunc
	done    sync.WaitGroup
}

func newNotifier(o Options) (*notifier, error) {
	n := &notifier{
		options: o.Webhook, clock: o.Clock,
		client: &http.Client{
			Timeout: attemptTimeout, Transport: &http.Transport{},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		rng: rand.New(rand.NewPCG(uint64(o.Faults.Seed), 2)),
	}
	if n.options.Schedule == nil {
		n.options.Schedule = []time.Duration{200 * time.Millisecond, time.Second, 5 * time.Second, 20 * time.Second}
	}
	for _, key := range o.Webhook.Keys {
		s, err := newSigner(key)
		if err != nil {
			return nil, err
		}
		n.signers = append(n.signers, s)
	}
	n.url.Store(&o.Webhook.URL)
	return n, nil
}

// errKey does not show the key.
var errKey = errors.New("a key for webhooks is neither whsec_ nor whsk_ with base64")

func newSigner(key string) (signer, error) {
	kind, encoded, _ := strings.Cut(key, "_")
	b, err := base64.StdEncoding.DecodeString(encoded)
	switch {
	case err != nil:
		return nil, errKey
	case kind == "whsec" && len(b) >= 24 && len(b) <= 64:
		return func(signed []byte) string {
			mac := hmac.New(sha256.New, b)
			mac.Write(signed)
			return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
		}, nil
	case kind == "whsk" && len(b) == ed25519.PrivateKeySize:
		return func(signed []byte) string {
			return "v1a," + base64.StdEncoding.EncodeToString(ed25519.Sign(b, signed))
		}, nil
	default:
		return nil, errKey
	}
}

// start begins with the records that are written from now on.
func (n *notifier) start(store *core.Store, dice *core.Dice) {
	ctx, cancel := context.WithCancel(context.Background())
	n.cancel = cancel
	last := uint64(store.Len())
	n.done.Go(func() { n.run(ctx, store, dice, last) })
}

// close ends the sender; what was not delivered is lost, as the contract allows. It may be called twice.
func (n *notifier) close() {
	n.cancel()
	n.done.Wait()
	n.client.CloseIdleConnections()
}

func (n *notifier) run(ctx context.Context, store *core.Store, dice *core.Dice, last uint64) {
	for ctx.Err() == nil {
		changed := store.Watch()
		for _, e := range store.After(last, 0) {
			last = e.Number
			n.plan(string(e.ID), dice)
		}
		wait := n.deliver(ctx)
		select {
		case <-ctx.Done():
		case <-changed:
		case <-wait:
		}
	}
}

// plan queues an event: not at all, once, or twice; at once, or after others.
func (n *notifier) plan(record string, dice *core.Dice) {
	copies := 1
	if dice.Duplicate() {
		copies = 2
	}
	if n.rng.Float64() < n.options.Drop || len(n.waiting) >= mostWaiting {
		return
	}
	due := time.Now()
	if n.rng.Float64() < n.options.Late {
		due = due.Add(overtaken)
	}
	for range copies {
		n.waiting = append(n.waiting, event{record: record, due: due})
	}
}

// deliver sends what is due and returns a channel that fires when something else is, or nil when nothing waits. A slow receiver holds
// back at most the other notifications of one round.
func (n *notifier) deliver(ctx context.Context) <-chan time.Time {
	var sending errgroup.Group
	sending.SetLimit(parallel)
	outcomes := make([]outcome, len(n.waiting))
	for i, e := range n.waiting {
		if e.due.After(time.Now()) {
			continue
		}
		sending.Go(func() error {
			outcomes[i] = n.send(ctx, e)
			return nil
		})
	}
	_ = sending.Wait() // failures are outcomes
	n.waiting = n.remaining(outcomes)
	if len(n.waiting) == 0 {
		return nil
	}
	soonest := slices.MinFunc(n.waiting, func(a, b event) int { return a.due.Compare(b.due) })
	return time.After(time.Until(soonest.due))
}

// remaining returns the events that need another attempt or their first one.
func (n *notifier) remaining(outcomes []outcome) []event {
	var left []event
	for i, e := range n.waiting {
		if outcomes[i] == failed && e.attempt < len(n.options.Schedule) {
			e.due = time.Now().Add(n.options.Schedule[e.attempt])
			e.attempt++
			left = append(left, e)
		}
		if outcomes[i] == notTried {
			left = append(left, e)
		}
	}
	return left
}

// send makes one attempt.
func (n *notifier) send(ctx context.Context, e event) outcome {
	url := *n.url.Load()
	if url == "" {
		return finished
	}
	r, err := n.request(ctx, url, e.record)
	if err != nil {
		return finished
	}
	answer, err := n.client.Do(r)
	if err != nil {
		return failed
	}
	defer func() { _ = answer.Body.Close() }()
	_, _ = io.CopyN(io.Discard, answer.Body, 4<<10)
	if answer.StatusCode/100 == 2 || answer.StatusCode == http.StatusGone {
		return finished
	}
	return failed
}

func (n *notifier) request(ctx context.Context, url, record string) (*http.Request, error) {
	body := fmt.Appendf(nil, `{"type":"record.created","recordId":%q}`, record)
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("notify: %w", err)
	}
	id, stamp := "evt-"+record, strconv.FormatInt(n.clock().Unix(), 10)
	signed := []byte(id + "." + stamp + "." + string(body))
	var signatures []string
	for _, sign := range n.signers {
		signatures = append(signatures, sign(signed))
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Webhook-Id", id)
	r.Header.Set("Webhook-Timestamp", stamp)
	r.Header.Set("Webhook-Signature", strings.Join(signatures, " "))
	return r, nil
}
