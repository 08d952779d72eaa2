package sim

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"time"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/contracts/personal"
	"github.com/einmal-hub/einmal/mapping"
)

// markIn returns the mark "[[c1-03]]" that every message carries in its remark, so that the checker needs nothing of the product to recognise it.
func markIn(b []byte) string {
	from := bytes.Index(b, []byte("[["))
	to := bytes.Index(b, []byte("]]"))
	if from < 0 || to < from {
		return ""
	}
	return string(b[from+2 : to])
}

// body is the wire format of every simulated system: name, sender and payload, a line each.
func body(sender handover.OrganisationID, p handover.Payload) ([]byte, error) {
	plain, err := handover.EncodePayload(p)
	return bytes.Join([][]byte{[]byte(p.Name()), []byte(sender), plain}, []byte("\n")), err
}

// mapper translates between the wire format and the messages.
type mapper struct {
	w  *world
	to handover.SystemID
}

// ToHandover reads a record, unless its message has a code that the table does not know yet.
func (m mapper) ToHandover(r native.Record) (mapping.Draft, error) {
	if m.w.unknown("in", markIn(r.Body)) {
		return mapping.Draft{}, fault.New(fault.Park, "sim.map", "unknown-code", "the code is not in the table")
	}
	lines := bytes.SplitN(r.Body, []byte("\n"), 3)
	if len(lines) != 3 {
		return mapping.Draft{}, fault.New(fault.Park, "sim.map", "not-a-record", "the record has no three lines")
	}
	p, err := handover.DecodePayload(handover.Name(lines[0]), lines[2])
	return mapping.Draft{Payload: p, Sender: handover.OrganisationID(lines[1]), Action: r.Action, References: r.Refers}, err
}

// FromHandover writes an entry, unless its message has a code that the table does not know yet.
func (m mapper) FromHandover(h handover.Message, at mapping.Placement) (native.Entry, error) {
	b, err := body(h.Sender, h.Payload)
	if m.w.unknown("out "+string(m.to), markIn(b)) {
		return native.Entry{}, fault.New(fault.Park, "sim.map", "unknown-code", "the code is not in the table")
	}
	e := native.Entry{Reference: at.Reference, Kind: native.Kind(h.Name), Case: at.Case, CaseReference: h.Case, Organisation: at.Organisation, Body: b}
	if h.Action != handover.ActionNew {
		if at.Earlier.Record == "" {
			return e, fault.New(fault.Park, "sim.map", "earlier-entry", "what is recalled or corrected does not stand here")
		}
		e.Action, e.Refers = h.Action, at.Earlier.Record
	}
	return e, err
}

// keys seals so that a changed message is noticed, and derives ids. The real keys are random, and a run must be repeatable.
type keys struct {
	w *world
	p *process
}

// Seal puts a tag before the payload.
func (k keys) Seal(plain, associated []byte) ([]byte, error) {
	return append(sealOf(plain, associated), plain...), nil
}

// Open checks the tag.
func (k keys) Open(sealed, associated []byte) ([]byte, error) {
	if len(sealed) < sealSize || !bytes.Equal(sealed[:sealSize], sealOf(sealed[sealSize:], associated)) {
		return nil, fault.New(fault.Park, "sim.open", "not-authentic", "the payload was changed")
	}
	return sealed[sealSize:], nil
}

// sealSize is the length of a seal: letters, so that no mark stands in it by chance.
const sealSize = 2 * sha256.Size

func sealOf(plain, associated []byte) []byte {
	return []byte(hex.EncodeToString(tag(plain, associated)))
}

// DeriveID returns 36 characters.
func (k keys) DeriveID(label string, parts ...string) string {
	if k.w.hooks.derive != nil {
		parts = k.w.hooks.derive(k.p, label, parts)
	}
	b := tag([]byte(label))
	for _, p := range parts {
		b = tag(b, []byte(p))
	}
	h := hex.EncodeToString(b[:16])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

func tag(parts ...[]byte) []byte {
	h := sha256.New()
	for _, p := range parts {
		_ = binary.Write(h, binary.BigEndian, uint64(len(p)))
		_, _ = h.Write(p)
	}
	return h.Sum(nil)
}

// The messages that simulated clerks enter. The people are invented.

// What an application may be after. The rules of the simulation admit the first, warn of the second and return the third.
const (
	goalFair   = "Arbeit"
	goalDoubt  = "vielleicht Arbeit"
	goalReject = "keine Arbeit"
)

func application(assigning, receiving handover.OrganisationID, goal personal.Text, remark string) handover.Payload {
	birth, _ := personal.ParseDate("1980-05-17")
	return handover.ApplicationSubmitted{
		Assigning: assigning, Receiving: receiving, Process: "PLACEMENT", TargetGroup: "ANYBODY", AppliedOn: "2026-11-01",
		Person: handover.Person{
			OfficialName: personal.Text("Muster " + remark), FirstName: "Rahel", DateOfBirth: birth, Sex: handover.Female,
			Address: handover.Address{Zip: "6010", Town: "Musterdorf", Municipality: 1},
		},
		Consent: handover.Consent{Kind: "CONSENT", GivenOn: "2026-10-30"}, PlannedMonths: 6, Goal: goal, Reason: "Stellensuche",
		Contact: handover.Contact{Name: "Vera Amrein"}, Remark: personal.Text(remark),
	}
}

func accepted(remark string) handover.Payload {
	return handover.ApplicationDecided{Decision: handover.Accepted, DecidedOn: "2026-11-02", Remark: personal.Text(remark)}
}

func meeting(remark string) handover.Payload {
	return handover.TransferMeetingRecorded{
		HeldOn: "2026-11-03", StartOfCaseWork: "2026-11-10", NextReviewOn: "2027-01-10", CanAndWantsWork: true, Remark: personal.Text(remark),
		Participants: []handover.Participant{{Name: "a", Part: "PERSON", Agreed: true}, {Name: "b", Part: "RECEIVING", Agreed: true}},
	}
}

func hint(remark string) handover.Payload {
	return handover.SanctionHint{ObservedOn: "2026-11-20", Hint: "nicht erschienen", Remark: personal.Text(remark)}
}

func extra(remark string) handover.Payload {
	return handover.ExtraMeetingRequested{RequestedOn: "2026-11-21", Reason: "neue Stelle", Remark: personal.Text(remark)}
}

// approval is the number of every cost approval.
const approval = "KG-1"

func requested(remark string) handover.Payload {
	return handover.CostApprovalRequested{
		Approval: approval, Measure: "Kurs", Provider: "Anbieter", From: "2026-12-01", To: "2027-01-31", AmountCents: 100, Remark: personal.Text(remark),
	}
}

func signed(remark string) handover.Payload {
	return handover.CostApprovalSigned{Approval: approval, SignedOn: "2026-12-02", SignedBy: "Behörde", Remark: personal.Text(remark)}
}

func ordered(remark string) handover.Payload {
	return handover.MeasureOrdered{Approval: approval, OrderedOn: "2026-12-03", From: "2026-12-05", To: "2027-01-31", Remark: personal.Text(remark)}
}

// elapse lets virtual time go by.
func elapse(d time.Duration) { <-time.After(d) }
