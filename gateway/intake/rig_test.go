package intake_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.uber.org/goleak"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/contracts/personal"
	"github.com/einmal-hub/einmal/gateway/intake"
	"github.com/einmal-hub/einmal/gateway/ledger"
	"github.com/einmal-hub/einmal/gateway/seal"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// redis is what the gateways share of advice.
type redis struct {
	mu     sync.Mutex
	prints map[handover.MessageID]string
	away   bool // it knows nothing and remembers nothing
	reader bool // another gateway reads
}

func (r *redis) Claim(context.Context, string, time.Duration) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !r.reader
}

func (r *redis) Seen(_ context.Context, id handover.MessageID, print string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.prints[id] == print && !r.away
}

func (r *redis) SetSeen(_ context.Context, id handover.MessageID, print string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.away {
		r.prints[id] = print
	}
}

// set changes something under the lock.
func (r *redis) set(f func(*redis)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f(r)
}

// world is everything beside the gateways.
type world struct {
	order *intake.Order // nil: readers are not kept in step
	t     *testing.T
	keys  *seal.Keys
	disk  *disk
	redis *redis
	words *words
	spans *tracetest.SpanRecorder

	mu       sync.Mutex
	log      bytes.Buffer
	outcomes map[string]int
	suspects int // how often a comparison was asked for
}

func newWorld(t *testing.T, keys *seal.Keys) *world {
	return &world{
		t: t, keys: keys, disk: newDisk(), redis: &redis{prints: map[handover.MessageID]string{}}, words: &words{code: "unknown-code"},
		spans: tracetest.NewSpanRecorder(), outcomes: map[string]int{},
	}
}

func newKeys(t *testing.T) *seal.Keys {
	t.Helper()
	keys, _, err := seal.LoadOrCreate(filepath.Join(t.TempDir(), "key"))
	require.NoError(t, err)
	return keys
}

func (w *world) Read(_ context.Context, _ handover.SystemID, outcome string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.outcomes[outcome]++
}

func (*world) Unread(context.Context, handover.SystemID, string) {}

func (*world) Published(context.Context, handover.SystemID, handover.Name) {}

// Write takes what is logged.
func (w *world) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.log.Write(b)
}

func (w *world) logged() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.log.String()
}

func (w *world) compare(handover.SystemID, native.Reference) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.suspects++
}

// suspicions returns how often a comparison was asked for.
func (w *world) suspicions() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.suspects
}

// became returns how many records became what.
func (w *world) became() map[string]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return maps.Clone(w.outcomes)
}

// gateway is one gateway that reads one system.
type gateway struct {
	*intake.Reader
	id      handover.SystemID
	ledger  *ledger.Ledger
	cancel  context.CancelFunc
	running sync.WaitGroup
	ended   error
}

const poll = time.Second

// start starts a gateway and lets it read until stop.
func (w *world) start(id handover.SystemID, s *source) *gateway { return w.open(id, s, 100, true) }

func (w *world) open(id handover.SystemID, s *source, page int, reads bool) *gateway {
	ctx, cancel := context.WithCancel(w.t.Context())
	g := &gateway{id: id, cancel: cancel}
	view := ledger.NewView(partitions, nil)
	g.ledger = ledger.New(w.disk, view, time.Now)
	for p := range int32(partitions) {
		g.running.Go(func() { w.disk.feed(ctx, p, view) })
		require.NoError(w.t, g.ledger.SyncPartition(ctx, p))
	}
	spans := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(w.spans))
	g.Reader = intake.New(intake.Options{
		Ledger: g.ledger, Bus: w.disk, Keys: w.keys, Claims: w.redis, Observer: w, Tracer: spans.Tracer("test"),
		Log: slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug})), Now: time.Now, Order: w.order, Compare: w.compare,
	}, intake.Origin{ID: id, Source: s, Mapper: w.words, Poll: poll, Page: page})
	if reads {
		g.running.Go(func() { g.ended = g.Run(ctx) })
	}
	return g
}

func (g *gateway) stop() {
	g.cancel()
	g.running.Wait()
}

// parked returns the codes of what waits, by native record.
func (g *gateway) parked(w *world, records ...native.RecordID) map[native.RecordID]string {
	out := map[native.RecordID]string{}
	for _, it := range g.ledger.Parked() {
		name := native.RecordID("another")
		for _, r := range records {
			if w.messageID(g.id, r) == it.Message {
				name = r
			}
		}
		out[name] = it.Reason.Code
	}
	return out
}

// rule lets a person decide on the one item that waits, and returns it.
func (g *gateway) rule(w *world, v ledger.Verdict) ledger.Item {
	w.t.Helper()
	items := g.ledger.Parked()
	require.Len(w.t, items, 1)
	require.NoError(w.t, g.ledger.Rule(w.t.Context(), items[0], ledger.Decision{Verdict: v, Person: "v.amrein"}, native.Receipt{}))
	return items[0]
}

// admit gives everything on the bus its place in its case, as a delivery does.
func (g *gateway) admit(w *world) {
	for i, m := range w.disk.messages() {
		a := ledger.Admission{
			Number: g.ledger.Case(m.Case).Number + 1, Place: ledger.Place{Topic: ledger.OnBus, Offset: int64(i)},
			Print: w.keys.DeriveID("print", w.payload(m)), State: handover.Active, Sequence: m.Sequence, Name: m.Name,
		}
		_, _, err := g.ledger.Admit(w.t.Context(), m.Case, m.ID, a)
		require.NoError(w.t, err)
	}
}

// payload returns the payload of a message.
func (w *world) payload(m sent) string {
	plain, err := w.keys.Open(m.sealed, m.AssociatedData())
	require.NoError(w.t, err)
	return string(plain)
}

func (w *world) messageID(id handover.SystemID, r native.RecordID) handover.MessageID {
	return handover.MessageID(w.keys.DeriveID("message", string(id), string(r)))
}

func (w *world) caseID(id handover.SystemID, c native.CaseKey) handover.CaseID {
	return handover.CaseID(w.keys.DeriveID("case", string(id), string(c)))
}

// record is the n-th record of a case; its id is "case-n".
func record(c string, n int, kind native.Kind) native.Record {
	id := fmt.Sprintf("%s-%d", c, n)
	return native.Record{
		ID: native.RecordID(id), Kind: kind, Case: native.CaseKey(c), Organisation: "sd-kriens", Sequence: uint64(n), //nolint:gosec // small
		At: time.Date(2026, 11, 2, 9, n, 0, 0, time.UTC), Body: []byte("Beobachtung " + id),
	}
}

func application() handover.ApplicationSubmitted {
	birth, _ := personal.ParseDate("1980-05-17")
	return handover.ApplicationSubmitted{
		Assigning: "sd-kriens", Receiving: "rav-luzern", Process: "OPTIMA_ALV", TargetGroup: "H", AppliedOn: "2026-11-01",
		Person: handover.Person{
			OfficialName: "Muster", FirstName: "Rahel", DateOfBirth: birth, Sex: handover.Female,
			Address: handover.Address{Zip: "6010", Town: "Kriens", Municipality: 1059},
		},
		Consent: handover.Consent{Kind: "CONSENT", GivenOn: "2026-10-30"}, PlannedMonths: 6, Goal: "Arbeit", Reason: "Stellensuche",
		Contact: handover.Contact{Name: "Vera Amrein"},
	}
}

// elapse lets the bubble's virtual time pass, and everything happen that happens then.
func elapse(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}
