// Package specimen invents the messages with which a native system is measured, and translates them with the mapping of that system, so that what is measured is what the gateway will write.
//
// A specimen is an application about a person who does not exist, and answers to questions that nobody asked; every text says that it is a test. Which process, group and answers a system has
// words for differs from place to place and stands in code lists: [Find] tries what the lists offer until the mapping takes it, rather than knowing any of them. An AHV number is used
// only for systems that hold nobody without one, and never in a form of one's own.
//
// Rejected: the published examples of the messages. They look like real cases, and a clerk must see at a glance what may be deleted.
package specimen

import (
	"encoding/hex"
	"fmt"
	"time"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/contracts/personal"
	"github.com/einmal-hub/einmal/mapping"
)

// Options say what a specimen is for.
type Options struct {
	Mapper    mapping.Mapper
	Coded     mapping.Coded // the mapper, if its code lists can be seen; nil otherwise
	System    handover.SystemID
	Assigning handover.OrganisationID // who seems to apply
	Receiving handover.OrganisationID // whose dossier it goes into
	Shared    bool                    // the system keeps one case for all parties
	Processes []handover.Code         // to be tried, the likeliest first
	Groups    []handover.Code         // to be tried
	BFS       int                     // a municipality
	Test      bool                    // mark it as a test delivery, if the system can tell one
	Day       time.Time
	Form      *handover.ApplicationSubmitted // an application to use instead; nil: invent one
	Mark      [4]byte                        // what the ids of one measurement have in common, and no other measurement has
}

// Forms makes entries for one system. It may be used concurrently.
type Forms struct {
	o      Options
	form   handover.ApplicationSubmitted
	marked bool
}

// Find returns forms that the mapping takes. The error, of kind Stop, is that of the last form that was tried.
func Find(o Options) (*Forms, error) {
	candidates, err := o.candidates()
	if err != nil {
		return nil, err
	}
	for _, form := range candidates {
		f := &Forms{o: o, form: form, marked: o.Test}
		err = f.fits()
		if fault.CodeOf(err) == "test-not-supported" {
			f.marked = false
			err = f.fits()
		}
		if err == nil {
			return f, nil
		}
	}
	return nil, fault.New(fault.Stop, "specimen.find", "no-form", "the mapping of this system takes no invented application").
		Hint("give a form of your own that it takes, with --form").Because(err)
}

// fits tries both messages.
func (f *Forms) fits() error {
	for _, in := range []native.CaseKey{"", "case"} {
		if _, err := f.Entry(1, "7e577e57-0000-0000-0000-000000000000", in); err != nil {
			return err
		}
	}
	return nil
}

// Marked reports whether entries say by themselves, in the system's own way, that they are a test.
func (f *Forms) Marked() bool { return f.marked }

// Entry makes the n-th entry: an application for an empty case, otherwise an answer. Its case id is that of n.
func (f *Forms) Entry(n int, ref native.Reference, in native.CaseKey, documents ...handover.Document) (native.Entry, error) {
	m := f.message(n, in == "", documents)
	if err := m.Validate(); err != nil {
		return native.Entry{}, fault.Wrap(fault.Stop, "specimen.entry", err)
	}
	at := mapping.Placement{
		Reference: ref, System: f.o.System, Organisation: f.o.Receiving, Role: handover.Receiving,
		Parties: handover.Parties{Assigning: f.o.Assigning, Receiving: f.o.Receiving}, Case: in, Now: f.o.Day,
	}
	if f.o.Shared {
		at.Organisation, at.Role = f.o.Assigning, handover.Assigning
	}
	e, err := f.o.Mapper.FromHandover(m, at)
	return e, fault.Wrap(fault.Stop, "specimen.entry", err)
}

// message is what an entry says.
func (f *Forms) message(n int, opens bool, documents []handover.Document) handover.Message {
	m := handover.Message{Envelope: handover.Envelope{
		ID: handover.MessageID(f.id(n, 1)), Source: f.o.System, Case: handover.CaseID(f.id(n, 0)), Time: f.o.Day.UTC().Truncate(time.Millisecond), Sender: f.o.Assigning, Sequence: 2,
		Action: handover.ActionNew, Test: f.marked,
	}}
	if !opens {
		m.Case = handover.CaseID(f.id(1, 0))
		m.Payload = handover.ClarificationAnswered{Answer: text(n), Documents: documents}
		m.Name = m.Payload.Name()
		return m
	}
	form := f.form
	form.Goal, form.Documents = text(n), documents
	m.Payload, m.Name, m.Sequence = form, form.Name(), 1
	m.Parties = handover.Parties{Assigning: f.o.Assigning, Receiving: f.o.Receiving}
	return m
}

// id is one that is seen to be a test's: "TEST" twice in hexadecimal digits, then the measurement's own digits.
func (f *Forms) id(n, kind int) string {
	d := hex.EncodeToString(f.o.Mark[:])
	return fmt.Sprintf("%s%s-0%03x-%s-%012d", native.MeasuredPrefix, d[:4], kind, d[4:], n)
}

func text(n int) personal.Text {
	return personal.Text(fmt.Sprintf("TEST %d von einmal, bitte löschen. / TEST %d by einmal, please delete.", n, n))
}

// Whole returns nil when a record says the same as the entry, read by the same mapping.
func (f *Forms) Whole(e native.Entry, r native.Record) error {
	own := r
	own.Kind, own.Body, own.Action, own.Refers, own.CaseReference, own.Reference = e.Kind, e.Body, e.Action, e.Refers, e.CaseReference, e.Reference
	said, err := f.o.Mapper.ToHandover(own)
	if err != nil {
		return nil //nolint:nilerr // what the mapping does not read back it cannot compare
	}
	stands, err := f.o.Mapper.ToHandover(r)
	if err != nil {
		return fault.New(fault.Park, "specimen.whole", "unreadable", "the record cannot be read back")
	}
	want, err := handover.EncodePayload(said.Payload)
	got, err2 := handover.EncodePayload(stands.Payload)
	if err != nil || err2 != nil || string(want) != string(got) {
		return fault.New(fault.Park, "specimen.whole", "different", "the record does not say what was written")
	}
	return nil
}
