package ledger

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
)

// Log is where the ledger is kept: a partitioned, append-only log whose end every gateway reads.
type Log interface {
	// Append writes one record durably and returns its offset. After an error nobody knows whether it was written.
	Append(ctx context.Context, partition int32, key string, value []byte) (int64, error)
	// PartitionOf returns the partition of a case.
	PartitionOf(handover.CaseID) int32
	// End returns the offset after the last record of a partition.
	End(ctx context.Context, partition int32) (int64, error)
}

// Ledger appends to the log and answers from the view. It is safe for concurrent use.
type Ledger struct {
	*View
	log Log
	now func() time.Time
}

// New returns a ledger whose view is fed by somebody who reads the log on from [View.Next], which of a new view is its beginning.
func New(log Log, view *View, now func() time.Time) *Ledger {
	return &Ledger{View: view, log: log, now: now}
}

// Nonce returns 128 random bits: the name of one writer's one attempt.
func Nonce() string { return rand.Text() }

// append writes a record and waits until the own view has folded it and everything before it.
func (l *Ledger) append(ctx context.Context, r Record) (int64, error) {
	partition := l.log.PartitionOf(r.Case)
	switch r.Kind {
	case Cursor:
		partition = l.log.PartitionOf(handover.CaseID(r.System))
	case Intent, Void:
		r.Era = l.era(partition)
	}
	return l.appendTo(ctx, partition, r)
}

func (l *Ledger) appendTo(ctx context.Context, partition int32, r Record) (int64, error) {
	value, err := encode(r)
	if err != nil {
		return 0, err
	}
	offset, err := l.log.Append(ctx, partition, r.key(), value)
	if err != nil {
		return 0, fault.Wrap(fault.Retry, "ledger.append", err)
	}
	return offset, l.WaitFor(ctx, partition, offset)
}

// Sync returns when the view holds everything that was in the case's partition when Sync was called.
func (l *Ledger) Sync(ctx context.Context, c handover.CaseID) error {
	return l.SyncPartition(ctx, l.log.PartitionOf(c))
}

// SyncPartition is Sync for one partition of the ledger.
func (l *Ledger) SyncPartition(ctx context.Context, partition int32) error {
	end, err := l.log.End(ctx, partition)
	if err != nil || end == 0 {
		return fault.Wrap(fault.Retry, "ledger.sync", err)
	}
	return l.WaitFor(ctx, partition, end-1)
}

// SyncAll is Sync for every partition.
func (l *Ledger) SyncAll(ctx context.Context) error {
	for partition := range l.partitions() {
		if err := l.SyncPartition(ctx, partition); err != nil {
			return err
		}
	}
	return nil
}

// Install gives the installation its random name, once for ever, and returns it.
func (l *Ledger) Install(ctx context.Context) (string, error) {
	if err := l.Sync(ctx, ""); err != nil {
		return "", err
	}
	if name := l.Installation(); name != "" {
		return name, nil
	}
	if _, err := l.append(ctx, Record{Kind: Install, Nonce: Nonce()}); err != nil {
		return "", err
	}
	return l.Installation(), nil
}

// Belong ties the ledger to a key file, by a mark that is derived from it, once for ever. With another key file the same native records would get other ids and
// would be recorded a second time, so a mark that is not the ledger's is an error of kind Stop with the code other-key-file.
func (l *Ledger) Belong(ctx context.Context, mark string) error {
	if err := l.Sync(ctx, ""); err != nil {
		return err
	}
	if l.keyring() == "" {
		if _, err := l.append(ctx, Record{Kind: Keyring, Nonce: Nonce(), Mark: mark}); err != nil {
			return err
		}
	}
	if l.keyring() != mark {
		return fault.New(fault.Stop, "ledger.belong", "other-key-file", "the key file is not the one that this installation began with").
			Hint("restore that one from the backup, or copy it from another gateway; with this one everything would be recorded a second time")
	}
	return nil
}

// Spread ties the ledger to the number of partitions that cases are spread over, once for ever. With another number the same case would lie in another partition: what was said of it there
// would not be found in time, and what was read of it would come out of order. So another number is an error of kind Stop with the code partitions-changed.
func (l *Ledger) Spread(ctx context.Context) error {
	if err := l.Sync(ctx, ""); err != nil {
		return err
	}
	if l.spread() == 0 {
		if _, err := l.append(ctx, Record{Kind: Layout, Nonce: Nonce(), Partitions: l.partitions()}); err != nil {
			return err
		}
	}
	if n := l.spread(); n != l.partitions() {
		return fault.New(fault.Stop, "ledger.spread", "partitions-changed",
			fmt.Sprintf("the cases of this installation are spread over %d partitions and the configuration says %d: a case would change its partition", n, l.partitions())).
			At("kafka.partitions").Hint(fmt.Sprintf("set partitions to %d again; if partitions were added to the topics, set unusedPartitions to how many, and they stay empty", n))
	}
	return nil
}

// Admit asks for a message's place in its case and returns the admission that counts. ok is false when another message got
// the number meanwhile; decide anew then.
func (l *Ledger) Admit(ctx context.Context, c handover.CaseID, id handover.MessageID, a Admission) (Admission, bool, error) {
	if _, err := l.append(ctx, Record{Kind: Admit, Case: c, Message: id, Nonce: Nonce(), Admission: &a}); err != nil {
		return Admission{}, false, err
	}
	won, ok := l.Admission(id)
	return won, ok, nil
}

// Entry names one message at one destination.
type Entry struct {
	Case    handover.CaseID
	Message handover.MessageID
	To      Destination
	Ref     native.Reference
	// Kind is the native system's word for it, as far as it is known; DONE says it, for those who compare.
	Kind native.Kind
	// Origin and Sequence are the dossier that the message was entered in and its place there; they are used when it is parked.
	Origin   Destination
	Sequence uint64
	Entered  Entered
	// Sender, Action and Revises are used when it is parked at the gate.
	Sender  handover.OrganisationID
	Action  handover.Action
	Revises handover.MessageID
}

func (e Entry) record(k Kind) Record {
	return Record{Kind: k, Case: e.Case, Message: e.Message, To: e.To, Ref: e.Ref}
}

// Intend appends an INTENT for an attempt. Whether it was the first one is in the view afterwards: compare Ref.Nonce.
func (l *Ledger) Intend(ctx context.Context, e Entry, attempt int, nonce string) error {
	r := e.record(Intent)
	r.Attempt, r.Nonce = attempt, nonce
	_, err := l.append(ctx, r)
	return err
}

// Void says that an attempt provably left nothing: by the native system's answer to its writer, or (searched) by a search after
// everything that could still happen had happened.
func (l *Ledger) Void(ctx context.Context, e Entry, attempt int, nonce string, searched bool) error {
	r := e.record(Void)
	r.Attempt, r.Nonce, r.Searched = attempt, nonce, searched
	_, err := l.append(ctx, r)
	return err
}

// Done says that the entry stands in the native system.
func (l *Ledger) Done(ctx context.Context, e Entry, receipt native.Receipt) error {
	r := e.record(Done)
	r.Native, r.NativeCase, r.As, r.Nonce = receipt.Record, receipt.Case, e.Kind, Nonce()
	_, err := l.append(ctx, r)
	return err
}

// Park lets a message wait in its lane for a person, or (held) behind one that does.
func (l *Ledger) Park(ctx context.Context, e Entry, p Parking) error {
	r := e.record(Park)
	p.At, p.Origin, p.Sequence, p.Entered = l.now().UTC(), e.Origin, e.Sequence, e.Entered
	p.Action, p.Revises, p.Sender = e.Action, e.Revises, e.Sender
	r.Nonce, r.Parking = Nonce(), &p
	_, err := l.append(ctx, r)
	return err
}

// Bind ties a case to the native case that it was opened from.
func (l *Ledger) Bind(ctx context.Context, c handover.CaseID, to Destination, key native.CaseKey) error {
	if _, bound := l.NativeCase(c, to); bound {
		return nil
	}
	_, err := l.append(ctx, Record{Kind: Bind, Case: c, To: to, NativeCase: key, Nonce: Nonce()})
	return err
}

// Advance remembers how far a native system was read. Everything before the position is durable when it is called.
func (l *Ledger) Advance(ctx context.Context, id handover.SystemID, p native.Position) error {
	_, err := l.append(ctx, Record{Kind: Cursor, System: id, Position: p})
	return err
}

// Rule records a person's decision on a parked item. A second decision on the same parking is refused (code already-ruled).
func (l *Ledger) Rule(ctx context.Context, it Item, d Decision, found native.Receipt) error {
	if it.Status != StatusParked {
		return fault.New(fault.Refuse, "ledger.rule", "not-parked", "the message does not wait for a decision of its own").
			Hint("decide on the message that it waits behind")
	}
	d.Parking, d.At = it.Parking, l.now().UTC()
	r := Record{
		Kind: Ruling, Case: it.Case, Message: it.Message, To: it.To, Ref: it.Ref, Nonce: Nonce(), Decision: &d,
		Native: found.Record, NativeCase: found.Case,
	}
	offset, err := l.append(ctx, r)
	if err != nil {
		return err
	}
	if first, ok := l.ruled(it.Parking, r.Case); !ok || first != offset {
		return fault.New(fault.Refuse, "ledger.rule", "already-ruled", "somebody else has already decided on this message").
			Hint("look at the message again")
	}
	return nil
}
