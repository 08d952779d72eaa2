package delivery_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/contracts/personal"
	"github.com/einmal-hub/einmal/gateway/delivery"
	"github.com/einmal-hub/einmal/gateway/ledger"
	"github.com/einmal-hub/einmal/gateway/seal"
	"github.com/einmal-hub/einmal/mapping"
)

// memory is the log and the bus of a test: one partition, in memory, with the order that Kafka would give.
type memory struct {
	mu     sync.Mutex
	ledger []entry
	dice   *rand.Rand
	grown  chan struct{} // closed and replaced when ledger or bus have grown
	bus    []delivery.Record
	refuse int            // so many appends fail without being written
	gone   map[int64]bool // places on the bus at which nothing is left
	reads  int
	readAt map[int64]int // reads by place
	slow   time.Duration // every append takes so long, and fails without being written when its context ends first
	late   time.Duration // a view gets every record so late
	unsure int           // so many INTENTs are written and their writer is not told
}

type entry struct {
	at    time.Time
	value []byte
}

func (m *memory) Append(ctx context.Context, _ int32, _ string, value []byte) (int64, error) {
	elapse(m.pause())
	select {
	case <-time.After(m.slow):
	case <-ctx.Done():
		if m.slow > 0 {
			return 0, ctx.Err()
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.refuse > 0 {
		m.refuse--
		return 0, errors.New("the log does not answer")
	}
	offset := int64(len(m.ledger))
	m.ledger = append(m.ledger, entry{time.Now(), value})
	m.grow()
	if m.unsure > 0 && strings.Contains(string(value), `"INTENT"`) {
		m.unsure--
		return 0, errors.New("the answer of the log was lost")
	}
	return offset, nil
}

// mortal is the log as one gateway reaches it: what it wants to write after its death is not written. What was on its way then is.
type mortal struct {
	*memory
	dead *atomic.Bool
}

func (m mortal) Append(ctx context.Context, partition int32, key string, value []byte) (int64, error) {
	if m.dead.Load() {
		return 0, errors.New("nobody is there to write it")
	}
	return m.memory.Append(ctx, partition, key, value)
}

// hand is a native system as one gateway reaches it: after its death nothing is sent. What was sent before is carried out.
type hand struct {
	*system
	dead *atomic.Bool
}

func (h hand) Apply(ctx context.Context, e native.Entry) (native.Receipt, error) {
	if h.dead.Load() {
		return native.Receipt{}, fault.New(fault.Doubt, "test", "dead", "nobody is there to send it")
	}
	return h.system.Apply(ctx, e)
}

// swift is a memory that answers at once, to another gateway.
type swift struct{ *memory }

func (q swift) Append(_ context.Context, _ int32, _ string, value []byte) (int64, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.ledger = append(q.ledger, entry{time.Now(), value})
	q.grow()
	return int64(len(q.ledger)) - 1, nil
}

// grow wakes those who wait for more. The caller holds the lock.
func (m *memory) grow() {
	close(m.grown)
	m.grown = make(chan struct{})
}

// more returns the channel that is closed when there is more.
func (m *memory) more() <-chan struct{} {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.grown
}

// pause returns a short time drawn from the test's dice.
func (m *memory) pause() time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	return time.Duration(m.dice.IntN(4000)) * time.Microsecond
}

func (m *memory) PartitionOf(handover.CaseID) int32 { return 0 }

func (m *memory) End(context.Context, int32) (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return int64(len(m.ledger)), nil
}

func (m *memory) ReadAt(_ context.Context, _ int32, offset int64) (delivery.Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.reads++
	if m.readAt == nil {
		m.readAt = map[int64]int{}
	}
	m.readAt[offset]++
	if m.gone[offset] || offset >= int64(len(m.bus)) {
		return delivery.Record{}, fault.New(fault.Park, "test", "no-record", "there is no record at this offset")
	}
	return m.bus[offset], nil
}

// feed gives a view everything that is in the ledger and everything that comes, each record a little late, until ctx ends.
func (m *memory) feed(ctx context.Context, v *ledger.View) {
	for o := int64(0); ctx.Err() == nil; {
		more := m.more()
		m.mu.Lock()
		if o < int64(len(m.ledger)) {
			e := m.ledger[o]
			m.mu.Unlock()
			elapse(m.late)
			v.Apply(0, o, e.at, e.value)
			o++
			continue
		}
		m.mu.Unlock()
		select {
		case <-more:
			elapse(m.pause())
		case <-ctx.Done():
		}
	}
}

// system is a native system of a test: a journal, and a script of what goes wrong.
type system struct {
	mu      sync.Mutex
	mode    adapters.Mode
	journal []native.Entry
	faults  []string // for the next requests: "", "lost", "lost twice", "reject", "refuse", "late", "slow", "error"
	calls   int
	closed  bool             // to searches
	refused native.Reference // by an asynchronous system, after the request
	givenUp native.Reference // by its carrier
	answer  time.Duration    // Bounds.Answer
	blind   int              // so many searches fail
	done    sync.WaitGroup
}

func (s *system) write(e native.Entry) native.Receipt {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, old := range s.journal {
		if old.Reference == e.Reference && s.mode == adapters.ModeA {
			return native.Receipt{Record: native.RecordID(fmt.Sprint(i)), Case: caseOf(old), Joined: true}
		}
	}
	s.journal = append(s.journal, e)
	return native.Receipt{Record: native.RecordID(fmt.Sprint(len(s.journal) - 1)), Case: caseOf(e)}
}

// handedOver is what becomes of an entry that another gateway has handed over to an asynchronous system.
func (s *system) handedOver(e native.Entry) {
	s.mu.Lock()
	s.refused = ""
	s.mu.Unlock()
	s.write(e)
}

func caseOf(e native.Entry) native.CaseKey {
	if e.Case != "" {
		return e.Case
	}
	return native.CaseKey("native-" + string(e.CaseReference))
}

func (s *system) Apply(_ context.Context, e native.Entry) (native.Receipt, error) {
	s.mu.Lock()
	s.calls++
	s.givenUp = ""
	doing := ""
	if len(s.faults) > 0 {
		doing, s.faults = s.faults[0], s.faults[1:]
	}
	s.mu.Unlock()
	elapse(10 * time.Millisecond)
	switch doing {
	case "carrier", "carrier twice", "carrier refuses", "fast carrier":
		s.done.Go(func() {
			elapse(2 * time.Second)
			if doing != "fast carrier" {
				elapse(18 * time.Second)
			}
			if doing != "carrier refuses" {
				s.write(e)
				if doing == "carrier twice" {
					s.write(e)
				}
				return
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			s.refused = e.Reference
		})
		return native.Receipt{}, fault.New(fault.Doubt, "test", "handed-over", "handed over")
	case "given up":
		s.mu.Lock()
		defer s.mu.Unlock()
		s.givenUp = e.Reference
		return native.Receipt{}, fault.New(fault.Doubt, "test", "handed-over", "handed over")
	case "lost", "lost twice":
		s.write(e)
		if doing == "lost twice" {
			s.write(e)
		}
		return native.Receipt{}, fault.New(fault.Doubt, "test", "lost", "the answer was lost")
	case "foreign":
		return native.Receipt{}, errors.New("no dossier of Kanarion")
	case "vanish":
		return native.Receipt{}, fault.New(fault.Doubt, "test", "lost", "the request was lost")
	case "late", "slow":
		s.done.Go(func() {
			elapse(2 * time.Second)
			if doing == "slow" {
				elapse(900 * time.Millisecond) // as long as the bounds allow
			}
			s.write(e)
		})
		return native.Receipt{}, fault.New(fault.Doubt, "test", "late", "no answer")
	case "reject":
		return native.Receipt{}, fault.New(fault.Retry, "test", "busy", "busy")
	case "refuse":
		return native.Receipt{}, fault.New(fault.Refuse, "test", "person-unknown", "the native system does not accept the entry")
	}
	return s.write(e), nil
}

func (s *system) Find(_ context.Context, ref native.Reference) ([]native.Receipt, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.blind > 0 {
		s.blind--
		return nil, fault.New(fault.Retry, "test", "busy", "the search failed")
	}
	if s.givenUp == ref {
		return nil, fault.New(fault.Retry, "test", "undelivered", "the carrier has given it up")
	}
	if s.refused == ref {
		return nil, fault.New(fault.Refuse, "test", "person-unknown", "the system refused it later")
	}
	var out []native.Receipt
	for i, e := range s.journal {
		if e.Reference == ref {
			out = append(out, native.Receipt{Record: native.RecordID(fmt.Sprint(i)), Case: caseOf(e)})
		}
	}
	return out, nil
}

// see lets searches succeed from now on.
func (s *system) see() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.blind = 0
}

// having returns what stands in the journal under a reference.
func (s *system) having(ref native.Reference) []native.Receipt {
	found, _ := s.Find(context.Background(), ref) // it does not fail unless a test says so
	return found
}

// entries returns what stands in the journal for a case, in order.
func (s *system) entries(c handover.CaseID) []native.Entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(s.journal), func(e native.Entry) bool { return e.CaseReference != c })
}

// bounds are the test's, with the time that the system may take to answer.
// finder is nil for a system that cannot be searched.
func (s *system) finder() adapters.Finder {
	if s.closed {
		return nil
	}
	return s
}

func (s *system) bounds() adapters.Bounds {
	b := bounds
	b.Answer = s.answer
	return b
}

// kinds returns what stands in the journal for a case, in order.
func (s *system) kinds(c handover.CaseID) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for _, e := range s.journal {
		if e.CaseReference == c {
			out = append(out, string(e.Kind))
		}
	}
	return out
}

// plain maps a message to an entry that names it.
type plain struct{}

func (plain) ToHandover(native.Record) (mapping.Draft, error) { return mapping.Draft{}, nil }

func (plain) FromHandover(m handover.Message, at mapping.Placement) (native.Entry, error) {
	if w, is := m.Payload.(handover.SanctionHint); is && w.Hint.Reveal() == "panic" {
		panic("a mapping that is broken")
	}
	plain, err := handover.EncodePayload(m.Payload)
	return native.Entry{
		Reference: at.Reference, Kind: native.Kind(m.Name), Case: at.Case, CaseReference: m.Case, Organisation: at.Organisation,
		Action: m.Action, Refers: at.Earlier.Record, Documents: handover.DocumentsOf(m.Payload), Body: append([]byte(at.Procedure+"|"), plain...),
	}, err
}

// everywhere sends every message to one system.
type everywhere struct{ to []ledger.Destination }

func (e everywhere) Destinations(handover.Envelope, handover.Parties, map[handover.OrganisationID]handover.SystemID) ([]ledger.Destination, error) {
	return e.to, nil
}

func (everywhere) Writable(ledger.Destination) bool { return true }

// The rig's own directory reads what a test may change while the gateway runs.

// Destinations implements [delivery.Directory].
func (r *rig) Destinations(handover.Envelope, handover.Parties, map[handover.OrganisationID]handover.SystemID) ([]ledger.Destination, error) {
	return slices.Clone(r.to), nil
}

// Origin implements [delivery.Directory].
func (*rig) Origin(e handover.Envelope) ledger.Destination { return everywhere{}.Origin(e) }

// Writable implements [delivery.Directory].
func (r *rig) Writable(ledger.Destination) bool { return !r.readOnly }

func (everywhere) Origin(e handover.Envelope) ledger.Destination {
	return ledger.Destination{System: e.Source, Organisation: e.Sender}
}

// Open implements [delivery.Rules].
func (r *rig) Open(m handover.Message) (handover.Parties, ledger.Opening, error) {
	if r.judge != nil {
		return r.judge(m)
	}
	return m.Parties, ledger.Opening{Profile: "test/one", During: "REDUCED", After: "FULL"}, nil
}

// Same implements [delivery.Rules].
func (*rig) Same(_ string, system handover.SystemID, number native.CaseKey) ledger.Finding {
	return ledger.Finding{Rule: "SAME-CASE", Severity: handover.SeverityRefuse, Source: "test", Text: "it stands already", Hint: string(number) + ", " + string(system)}
}

// Cleared implements [delivery.Rules].
func (*rig) Cleared(string) ledger.Finding {
	return ledger.Finding{Rule: "CLEARED", Severity: handover.SeverityWarn, Source: "test", Text: "nothing is against it any more"}
}

// Repeated implements [delivery.Rules].
func (*rig) Repeated(string) string { return "PERHAPS TWICE" }

// Check implements [delivery.Rules].
func (r *rig) Check(m handover.Message, profile string) (*ledger.Expected, error) {
	if r.against != nil {
		return r.against(m.Payload, profile)
	}
	return nil, nil //nolint:nilnil // nobody waits for anything
}

// nobody gives no advice.
type nobody struct{}

func (nobody) Claim(context.Context, string, time.Duration) bool                                  { return true }
func (nobody) Release(context.Context, string)                                                    {}
func (nobody) SetDone(context.Context, handover.CaseID, string, native.Reference, native.Receipt) {}
func (nobody) Delivered(context.Context, ledger.Destination, time.Duration)                       {}
func (nobody) Attempted(context.Context, ledger.Destination, string)                              {}
func (nobody) Parked(context.Context, ledger.Destination, string)                                 {}
func (nobody) Again(context.Context, handover.CaseID, ledger.Place) error                         { return nil }

// rig is a world with one bus and one or more gateways.
type rig struct {
	t       *testing.T
	keys    *seal.Keys
	memory  *memory
	systems map[handover.SystemID]*system
	to      []ledger.Destination
	again   delivery.Again
	// readOnly: what comes from origin cannot be answered there.
	readOnly bool
	judge    func(handover.Message) (handover.Parties, ledger.Opening, error) // nil: everything is admissible
	against  func(handover.Payload, string) (*ledger.Expected, error)         // nil: nothing
	// archives are the systems that keep documents; the messages come from "origin".
	archives map[handover.SystemID]*archive
	// applicants is what outlives a gateway; nil: nothing.
	applicants delivery.Applicants
	running    sync.WaitGroup // everything that the rig started
}

var bounds = adapters.Bounds{Send: time.Second, Request: time.Second, Processing: 3 * time.Second, Lookup: time.Second, Margin: time.Second}

func newRig(t *testing.T, keys *seal.Keys, modes map[handover.SystemID]adapters.Mode) *rig {
	r := &rig{t: t, keys: keys, memory: &memory{dice: rand.New(rand.NewPCG(1, 2)), grown: make(chan struct{})}, systems: map[handover.SystemID]*system{}, again: nobody{}}
	for id, m := range modes {
		r.systems[id] = &system{mode: m}
		r.to = append(r.to, ledger.Destination{System: id})
	}
	t.Cleanup(r.running.Wait)
	return r
}

func newKeys(t *testing.T) *seal.Keys {
	t.Helper()
	keys, _, err := seal.LoadOrCreate(filepath.Join(t.TempDir(), "key"))
	require.NoError(t, err)
	return keys
}

// gateway is one running delivery.
type gateway struct {
	ledger   *ledger.Ledger
	delivery *delivery.Delivery
	upTo     int64
	mu       sync.Mutex
	dead     atomic.Bool
	cancel   context.CancelFunc
	ended    chan struct{}
	in       chan delivery.Record
}

// start starts a gateway that reads the bus from an offset.
func (r *rig) start(from int64) *gateway {
	g := &gateway{ended: make(chan struct{}), in: make(chan delivery.Record), upTo: from - 1}
	wake := make(chan ledger.Lane, 1000)
	view := ledger.NewView(1, func(_ int32, l ledger.Lane) { wake <- l })
	g.ledger = ledger.New(mortal{r.memory, &g.dead}, view, time.Now)
	targets, documents := map[handover.SystemID]delivery.Target{}, map[handover.SystemID]adapters.Documents{}
	for id, a := range r.archives {
		documents[id] = a
	}
	for id, s := range r.systems {
		targets[id] = delivery.Target{Sink: hand{s, &g.dead}, Finder: s.finder(), Mapper: mapping.Guard(plain{}), Abilities: adapters.Abilities{Mode: s.mode, Bounds: s.bounds()}, Parallel: 4}
	}
	d := delivery.New(delivery.Options{
		Ledger: g.ledger, Bus: r.memory, Keys: r.keys, Claims: nobody{}, Directory: r, Rules: r, Again: r.again, Targets: targets, Documents: documents, Applicants: r.applicants,
		Observer: nobody{}, Tracer: noop.NewTracerProvider().Tracer(""), Log: slog.New(slog.DiscardHandler), Now: time.Now,
	})
	ctx, cancel := context.WithCancel(r.t.Context())
	g.cancel, g.delivery = cancel, d
	reading, stopReading := context.WithCancel(context.WithoutCancel(ctx))
	r.running.Go(func() { r.memory.feed(reading, view) })
	go func() {
		defer close(g.ended)
		defer stopReading()
		_ = g.ledger.SyncPartition(ctx, 0)
		_ = d.Run(ctx, 0, from, g.in, wake, func(o int64) {
			g.mu.Lock()
			defer g.mu.Unlock()
			g.upTo = max(g.upTo, o)
		})
	}()
	go func() {
		for o := max(from, 0); ; o++ {
			for {
				more := r.memory.more()
				r.memory.mu.Lock()
				ready := o < int64(len(r.memory.bus))
				r.memory.mu.Unlock()
				if ready {
					break
				}
				select {
				case <-more:
				case <-ctx.Done():
					return
				}
			}
			rec, _ := r.memory.ReadAt(ctx, 0, o)
			select {
			case g.in <- rec:
			case <-ctx.Done():
				return
			}
		}
	}()
	return g
}

func (g *gateway) stop() {
	g.cancel()
	<-g.ended
}

// kill ends a gateway as SIGKILL does: it writes and sends nothing more, also nothing that it knows already.
func (g *gateway) kill() {
	g.dead.Store(true)
	g.cancel()
}

// settled returns the offset up to which everything is complete.
func (g *gateway) settled() int64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.upTo
}

// publish puts a message on the bus.
func (r *rig) publish(e handover.Envelope, p handover.Payload) {
	r.t.Helper()
	r.put(r.sealed(e, p))
}

// sealed is a message as it is put on the bus.
func (r *rig) sealed(e handover.Envelope, p handover.Payload) delivery.Record {
	r.t.Helper()
	if form, is := p.(handover.ApplicationSubmitted); is && form.Person.FirstName == "Rahel" {
		form.Person.FirstName = personal.Text("Rahel " + string(e.Case)) // another person in each case
		p = form
	}
	plain, err := handover.EncodePayload(p)
	require.NoError(r.t, err)
	sealed, err := r.keys.Seal(plain, e.AssociatedData())
	require.NoError(r.t, err)
	return delivery.Record{Headers: e.Headers(), Value: sealed}
}

// put puts records on the bus, all in one moment.
func (r *rig) put(all ...delivery.Record) {
	r.memory.mu.Lock()
	defer r.memory.mu.Unlock()
	for _, record := range all {
		record.Offset = int64(len(r.memory.bus))
		r.memory.bus = append(r.memory.bus, record)
	}
	r.memory.grow()
}

// envelope returns the envelope of the n-th message of a case.
func envelope(c string, n int, name handover.Name, sender handover.OrganisationID) handover.Envelope {
	e := handover.Envelope{
		ID: handover.MessageID(fmt.Sprintf("%s-%d", c, n)), Source: "origin", Name: name, Case: handover.CaseID(c),
		Time: time.Now().UTC().Truncate(time.Millisecond), Sender: sender, Sequence: uint64(n), Action: handover.ActionNew,
	}
	if handover.Opens(name) {
		e.Parties = handover.Parties{Assigning: "sd-kriens", Receiving: "rav-luzern"}
	}
	return e
}

// open publishes the application of a case and its acceptance.
func (r *rig) open(c string) {
	r.publish(envelope(c, 1, "application-submitted", "sd-kriens"), application())
	r.publish(envelope(c, 2, "application-decided", "rav-luzern"), handover.ApplicationDecided{Decision: handover.Accepted, DecidedOn: "2026-11-02"})
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

// elapse lets the bubble's virtual time pass.
func elapse(d time.Duration) { <-time.After(d) }

func agreedNote() handover.TransferMeetingRecorded {
	return handover.TransferMeetingRecorded{
		HeldOn: "2026-11-03", StartOfCaseWork: "2026-11-10", NextReviewOn: "2027-01-10", CanAndWantsWork: true,
		Participants: []handover.Participant{{Name: "a", Part: "PERSON", Agreed: true}, {Name: "b", Part: "RECEIVING", Agreed: true}},
	}
}

// admit gives the n-th message of case c1 its place, as a gateway has done that died right after it.
func admit(t *testing.T, g *gateway, n int, place ledger.Place, to []ledger.Destination) {
	t.Helper()
	_, ok, err := g.ledger.Admit(t.Context(), "c1", handover.MessageID(fmt.Sprint("c1-", n)), ledger.Admission{
		Number: uint64(n), Place: place, State: handover.Active, To: to, Origin: ledger.Destination{System: "origin"}, Sequence: uint64(n),
	})
	require.NoError(t, err)
	require.True(t, ok)
}
