package intake

import (
	"context"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/gateway/ledger"
	"github.com/go-json-experiment/json"
)

// kept is a native record that could not be translated, as it is sealed and kept.
type kept struct {
	System handover.SystemID `json:"system"`
	Record native.Record     `json:"record"`
	Broken bool              `json:"broken,omitzero"` // it could not even be taken apart; the body holds the raw bytes
}

// keptID is the id under which a kept record waits: that of the message it may become. What is broken becomes none: it is corrected where it was entered,
// perhaps under the same record id, and einmal's copy is withdrawn, which must not concern the message of the corrected record.
func (r *Reader) keptID(k kept) handover.MessageID {
	if k.Broken {
		return handover.MessageID(r.Keys.DeriveID("broken-message", string(k.System), string(k.Record.ID)))
	}
	return r.messageID(k.Record.ID)
}

// mostKept is how large a body may be to be kept: twice written in base64 it still fits into a record of the bus.
const mostKept = 500 << 10

// associated binds a kept record to its case.
func associated(c handover.CaseID) []byte { return []byte("einmal.parked|" + string(c)) }

// park keeps a record, sealed, and lets it wait for a person at the gate of its case, where it holds back what comes after it.
func (r *Reader) park(ctx context.Context, rec native.Record, why error) error {
	return r.keep(ctx, r.caseID(rec), kept{System: r.origin.ID, Record: rec}, why)
}

// takeBroken parks something that could not be taken apart. It has no case, so it holds back nothing.
func (r *Reader) takeBroken(ctx context.Context, b adapters.Broken) error {
	alone := handover.CaseID(r.Keys.DeriveID("broken", string(r.origin.ID), string(b.ID)))
	k := kept{System: r.origin.ID, Record: native.Record{ID: b.ID, Body: b.Raw}, Broken: true}
	if position, _, _ := r.Ledger.Waiting(ledger.Lane{Case: alone, To: ledger.Gate}, r.keptID(k)); position >= 0 {
		return nil
	}
	err := r.keep(ctx, alone, k, b.Reason)
	if err == nil {
		r.Observer.Read(ctx, r.origin.ID, outcomeParked)
	}
	return err
}

// dossier is where a record was entered, as far as the ledger knows: a record that cannot be translated does not say whose it is.
func (r *Reader) dossier(ctx context.Context, c handover.CaseID, rec native.Record) (ledger.Destination, error) {
	if r.origin.Shared {
		return r.place(""), nil
	}
	if at, known := r.Ledger.Dossier(c, r.origin.ID, rec.Case); known {
		return at, nil
	}
	// What opened the dossier lies in the partition of the case, which may be another gateway's and not folded here yet.
	if err := r.Ledger.Sync(ctx, c); err != nil {
		return ledger.Destination{}, err
	}
	at, _ := r.Ledger.Dossier(c, r.origin.ID, rec.Case)
	return at, nil
}

func (r *Reader) keep(ctx context.Context, c handover.CaseID, k kept, why error) error {
	id := r.keptID(k)
	if a, known := r.Ledger.Admission(id); known && a.Withdrawn {
		return nil
	}
	if len(k.Record.Body) > mostKept {
		k.Record.Body, k.Broken = nil, true // it stays in the native system, where the person who decides can see it
	}
	plain, err := json.Marshal(k)
	if err != nil {
		return fault.Wrap(fault.Stop, "intake.keep", err)
	}
	sealed, err := r.Keys.Seal(plain, associated(c))
	if err != nil {
		return err
	}
	place, err := r.Bus.Keep(ctx, c, sealed)
	if err != nil {
		return err
	}
	origin, err := r.dossier(ctx, c, k.Record)
	if err != nil {
		return err
	}
	reason := ledger.ReasonOf(why)
	e := ledger.Entry{
		Case: c, Message: id, To: ledger.Gate, Origin: origin, Sequence: k.Record.Sequence,
		Entered: ledger.Entered{System: k.System, Case: k.Record.Case, Record: k.Record.ID},
	}
	e.Action, e.Revises = r.revises(k)
	if e.Sender = k.Record.Organisation; e.Sender == "" {
		e.Sender = origin.Organisation
	}
	if err := r.Ledger.Park(ctx, e, ledger.Parking{Place: place, Reason: reason}); err != nil {
		return err
	}
	r.logParked(ctx, c, id, reason)
	return nil
}

// revises says what a kept record does to an earlier one, if its frame tells; some systems say it in the body.
func (r *Reader) revises(k kept) (handover.Action, handover.MessageID) {
	if k.Broken || k.Record.Action == "" || k.Record.Refers == "" {
		return "", ""
	}
	return k.Record.Action, r.messageID(k.Record.Refers)
}

// Again translates a kept record anew, after a person has let it go on, and puts the message on the bus; or parks it with the reason that
// there is now.
func (r *Reader) Again(ctx context.Context, c handover.CaseID, k kept) error {
	if k.Broken {
		why := fault.New(fault.Park, "intake.again", "broken-record", "the record could not be taken apart when it was read").
			Hint("let the native system's operator correct it there, then withdraw this copy")
		return r.keep(ctx, c, k, why)
	}
	m, err := r.message(k.Record)
	if err != nil {
		return r.keep(ctx, c, k, err)
	}
	_, err = r.publish(ctx, k.Record, m)
	return err
}

// Readers are all readers of a gateway, by the system that they read.
type Readers map[handover.SystemID]*Reader

// Again reads a kept record at its place and hands it to the reader of its system. What can no longer be read, or belongs to no system that is read, is
// parked with that reason; errors are those of the bus and pass.
func (rs Readers) Again(ctx context.Context, c handover.CaseID, place ledger.Place) error {
	for _, any := range rs {
		sealed, err := any.Bus.Kept(ctx, c, place)
		if err != nil {
			return err
		}
		k, err := any.unseal(c, sealed)
		if r := rs[k.System]; err == nil && r != nil {
			return r.Again(ctx, c, k)
		}
		if err == nil {
			err = fault.New(fault.Park, "intake.again", "unknown-system", "the system that the record came from is no longer read").
				Hint("let it be read again in the configuration and let the record go on, or withdraw it")
		}
		return any.parkAnew(ctx, c, place, err)
	}
	return nil
}

func (r *Reader) unseal(c handover.CaseID, sealed []byte) (k kept, err error) {
	plain, err := r.Keys.Open(sealed, associated(c))
	if err != nil {
		return kept{}, err
	}
	return k, fault.Wrap(fault.Park, "intake.again", json.Unmarshal(plain, &k))
}

// parkAnew lets the first of a case, which a person let go on, wait again where it lies: trying for ever would hold back the whole partition, unseen.
func (r *Reader) parkAnew(ctx context.Context, c handover.CaseID, place ledger.Place, why error) error {
	_, _, first := r.Ledger.Waiting(ledger.Lane{Case: c, To: ledger.Gate}, "")
	if first.Place != place {
		return nil // it was taken up meanwhile
	}
	reason := ledger.ReasonOf(why)
	e := ledger.Entry{Case: c, Message: first.Message, To: ledger.Gate, Origin: first.Origin, Sequence: first.Sequence, Entered: first.Entered}
	if err := r.Ledger.Park(ctx, e, ledger.Parking{Place: place, Reason: reason}); err != nil {
		return err
	}
	r.logParked(ctx, c, first.Message, reason)
	return nil
}
