// Package delivery takes messages from the bus and records each once at every place that must know it.
//
// A message goes through these steps, in this order; each is a function of its own:
//
//	gate:    open and check the payload, judge it by the rules, give the message its place in its case (ADMIT) or park it
//	record:  for every destination: map, store documents, claim, INTENT, apply, classify, DONE
//	settle:  tell the bus that the offset is complete
//
// Order (I3): the gate handles one message of a case at a time, a lane (case and destination) records one message at a time, and
// different lanes do not wait for each other. A parked message holds back the messages behind it in its lane: they are parked as "held" and
// go on by themselves when a person has decided. A parked or held message is complete for the bus, so the offset moves on.
//
// What is done is read from the ledger only. Claims in Redis save work and decide nothing.
package delivery

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/gateway/ledger"
	"github.com/einmal-hub/einmal/mapping"
)

// Record is one sealed message as it lies on the bus.
type Record struct {
	Offset  int64
	Headers map[string]string
	Value   []byte
}

// Bus reads sealed messages again, by their place.
type Bus interface {
	ReadAt(ctx context.Context, partition int32, offset int64) (Record, error)
	PartitionOf(handover.CaseID) int32
}

// Keys seals and derives ids.
type Keys interface {
	Seal(plain, associated []byte) ([]byte, error)
	Open(sealed, associated []byte) ([]byte, error)
	DeriveID(label string, parts ...string) string
}

// Claims is the advice that Redis gives; see gateway/claims.
type Claims interface {
	Claim(ctx context.Context, what string, lease time.Duration) bool
	Release(ctx context.Context, what string)
	SetDone(ctx context.Context, id handover.CaseID, to string, ref native.Reference, r native.Receipt)
}

// Directory knows what the systems are for.
type Directory interface {
	// Origin returns the dossier that a message was entered in: places in it are counted from 1, so they say nothing about other dossiers of
	// the same system.
	Origin(e handover.Envelope) ledger.Destination
	// Destinations returns every place where a message of a case must stand and does not stand yet: the dossiers of both parties, in the systems that
	// works names, and the shared platforms, without the place that it was entered in. It fails (kind Park) for an organisation that works does not name.
	Destinations(e handover.Envelope, p handover.Parties, works map[handover.OrganisationID]handover.SystemID) ([]ledger.Destination, error)
	// Writable reports whether entries can be made at a place.
	Writable(to ledger.Destination) bool
}

// Rules are what the jurisdiction says. They are pure: the same message gets the same answer on every gateway with the same files.
type Rules interface {
	// Open judges an application and settles what holds for its case: the parties, with the receiving organisation found when the application leaves it out, and
	// the opening. An application that is not admissible is no error: the opening's check says so. Errors are of kind Park.
	Open(m handover.Message) (handover.Parties, ledger.Opening, error)
	// Same is what is said to somebody who has entered an application that stands already, as a case of that number in a system.
	Same(profile string, system handover.SystemID, number native.CaseKey) ledger.Finding
	// Cleared is what is said to somebody whose corrected application meets with no objection, when an earlier wording did.
	Cleared(profile string) ledger.Finding
	// Repeated is what is written before the remark of an entry that a person has had sent once more, and that may stand already.
	Repeated(profile string) string
	// Check says what the rules have against any other message, by the version that its case was opened under, and what is waited for after it (nil: nothing). Errors are of kind Park.
	Check(m handover.Message, profile string) (*ledger.Expected, error)
}

// Again reads a parked native record anew and publishes the message that it has become.
type Again interface {
	Again(ctx context.Context, c handover.CaseID, place ledger.Place) error
}

// Target is a native system that is written into.
type Target struct {
	Sink      adapters.Sink
	Finder    adapters.Finder // nil unless the system can be searched
	Mapper    mapping.Mapper
	Abilities adapters.Abilities
	// Parallel is the most requests in flight at once; at least 1.
	Parallel int
}

// Observer counts what happens.
type Observer interface {
	// Delivered counts an entry at a destination; since is the time from its entry in the native system that it came from.
	Delivered(ctx context.Context, to ledger.Destination, since time.Duration)
	// Attempted counts one request to a native system by what came of it: "receipt" or the name of a fault kind.
	Attempted(ctx context.Context, to ledger.Destination, outcome string)
	// Parked counts a message that waits for a person.
	Parked(ctx context.Context, to ledger.Destination, code string)
}

// Options are everything that delivery works with. All fields are required, except Applicants (nothing is kept), Window (default 10000) and Protocol.
type Options struct {
	Ledger    *ledger.Ledger
	Bus       Bus
	Keys      Keys
	Claims    Claims
	Directory Directory
	Rules     Rules
	Again     Again
	Targets   map[handover.SystemID]Target
	// Documents are the systems that keep documents, those that are only read included.
	Documents  map[handover.SystemID]adapters.Documents
	Applicants Applicants
	Observer   Observer
	Tracer     trace.Tracer
	Log        *slog.Logger
	// Window is the most messages of a partition that may be incomplete at once; the bus waits beyond it.
	Window int
	Now    func() time.Time
	// Protocol is left zero outside the simulator.
	Protocol Protocol
}

// Protocol is what the simulator (gateway/sim) puts in the place of the ledger's rules, to prove that it would see them broken, and of chance, so
// that a run can be repeated. The zero value is the product; a test holds everybody else to it.
type Protocol struct {
	Decide           func(ledger.Ref, ledger.Own, adapters.Mode, adapters.Bounds, time.Time) (ledger.Step, time.Duration)
	AfterEmptyLookup func(ledger.Ref, adapters.Mode) ledger.Step
	Nonce            func() string
	Steady           bool // pauses without chance
}

// orProduct fills in the product's rules.
func (p Protocol) orProduct() Protocol {
	if p.Decide == nil {
		p.Decide = ledger.Decide
	}
	if p.AfterEmptyLookup == nil {
		p.AfterEmptyLookup = ledger.AfterEmptyLookup
	}
	if p.Nonce == nil {
		p.Nonce = ledger.Nonce
	}
	return p
}

// Delivery records messages. It is safe for concurrent use.
type Delivery struct {
	o       Options
	sinks   map[handover.SystemID]*sink
	persons *persons
	newer   atomic.Int64 // lanes that are left to a newer gateway
}

// New returns a delivery; it starts nothing.
func New(o Options) *Delivery {
	if o.Window <= 0 {
		o.Window = 10000
	}
	o.Protocol = o.Protocol.orProduct()
	if o.Applicants == nil {
		o.Applicants = nowhere{}
	}
	d := &Delivery{o: o, sinks: map[handover.SystemID]*sink{}}
	d.persons = newPersons(func(id handover.CaseID) { o.Applicants.Keep(id, nil) })
	d.recall()
	for id, t := range o.Targets {
		d.sinks[id] = newSink(id, t)
	}
	return d
}

// Reference returns einmal's name for a message's record at a destination.
func (d *Delivery) Reference(id handover.MessageID, to ledger.Destination) native.Reference {
	return native.Reference(d.o.Keys.DeriveID("reference", string(id), string(to.System), string(to.Organisation)))
}
