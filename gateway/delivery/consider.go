package delivery

import (
	"maps"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/gateway/ledger"
)

// consider decides by the case's state and by the rules of the jurisdiction whether a message may be said now, and where it must be recorded. Errors are reasons
// to park.
func (c *claim) consider(k ledger.Case, m handover.Message, print string, place ledger.Place, others rivals) (ledger.Admission, error) {
	a := ledger.Admission{
		Number: k.Number + 1, Place: place, Print: print, Parties: k.Parties, Origin: c.o.Directory.Origin(m.Envelope), Sequence: m.Sequence, Name: m.Name, Test: m.Test,
		Record: native.RecordID(m.Record), Entered: m.Time,
	}
	if k.State == handover.NoCase {
		a.Parties = m.Parties
	}
	if err := inPlace(k, a); err != nil {
		return a, err
	}
	m, err := c.past(m)
	if err != nil {
		return a, err
	}
	if m.Action != handover.ActionNew {
		a.Action, a.Revises = m.Action, m.References
	}
	if err := c.stand(&a, k, m); err != nil {
		return a, err
	}
	if err := c.judge(&a, k, m, others); err != nil {
		return a, err
	}
	if a.Opening == nil && c.o.Ledger.Case(m.Case).Opening.Profile == "" {
		a.Opening = &k.Opening // an earlier version opened the case: from here on it is settled
	}
	if err := c.address(&a, k, m); err != nil {
		return a, err
	}
	return a, c.sealCheck(&a, m)
}

// inPlace checks a message against the order of its dossier, and a test against its case.
func inPlace(k ledger.Case, a ledger.Admission) error {
	if last, ok := k.Last[a.Origin]; ok && a.Sequence <= last {
		return fault.New(fault.Park, "delivery.gate", "out-of-order",
			"a later record of the same dossier has been delivered already").Hint("check the order of the entries in the native system, then let it go on or withdraw it")
	}
	if k.Number > 0 && a.Test != k.Test {
		return fault.New(fault.Park, "delivery.gate", "test-mixed-with-real",
			"either the message or its case is a test, and the other is not").Hint("enter tests in cases of their own, and withdraw this message")
	}
	return nil
}

// past returns a recall or correction as what it is now that a person has dropped what it names, before that had its place: the correction of a dropped message is said for the first time, and a
// revision of a dropped correction is about what that was to correct.
func (c *claim) past(m handover.Message) (handover.Message, error) {
	for range mostDropped {
		if m.Action == handover.ActionNew {
			return m, nil
		}
		named, known := c.o.Ledger.Admission(m.References)
		switch {
		case !known || !named.Withdrawn:
			return m, nil
		case named.Action == handover.ActionCorrection:
			m.References = named.Revises
		case m.Action == handover.ActionCorrection && named.Action == handover.ActionNew:
			m.Action, m.References = handover.ActionNew, ""
		case m.Action == handover.ActionRecall && named.Action == handover.ActionNew:
			return m, nothingToRecall("delivery.gate", "the message that is recalled was dropped before it went anywhere")
		default:
			return m, nil // nobody knows what was dropped
		}
	}
	return m, nil
}

// mostDropped is how many dropped wordings of one message are passed over: records may name each other in a circle.
const mostDropped = 50

// stand finds out where the message leaves its case and its cost approval, by the tables of package handover.
func (c *claim) stand(a *ledger.Admission, k ledger.Case, m handover.Message) error {
	a.Said = &handover.Said{ID: m.ID, Name: m.Name, Sender: m.Sender, From: k.State}
	a.Said.Approval = c.approval(m)
	before := handover.Standing{State: k.State, Approval: k.Approvals[a.Said.Approval]}
	var after handover.Standing
	var refusal handover.Refusal
	if m.Action == handover.ActionNew {
		after, refusal = said(before, a.Parties.RoleOf(m.Sender), m.Payload)
	} else {
		after, refusal = handover.Revise(k.History, before, m, a.Said.Approval)
	}
	if refusal != "" {
		return refused(refusal, k.State, m)
	}
	a.State, a.Approval = after.State, after.Approval
	a.Said.To, a.Said.ApprovalFrom, a.Said.ApprovalTo = after.State, before.Approval, after.Approval
	return nil
}

// approval is the keyed name of the cost approval that a message is about; "" if it is about none.
func (c *claim) approval(m handover.Message) string {
	number := handover.ApprovalOf(m.Payload)
	if number == "" {
		return ""
	}
	return c.o.Keys.DeriveID("approval", string(m.Case), number)
}

// said is where a new message leaves the case and the approval that it is about.
func said(before handover.Standing, role handover.Role, p handover.Payload) (handover.Standing, handover.Refusal) {
	after := before
	var refusal handover.Refusal
	if after.State, refusal = handover.Next(before.State, role, p); refusal != "" {
		return before, refusal
	}
	if handover.ApprovalOf(p) != "" {
		after.Approval, refusal = handover.NextApproval(before.Approval, p.Name())
	}
	return after, refusal
}

// judge asks the rules of the jurisdiction. An application settles what holds for its case.
func (c *claim) judge(a *ledger.Admission, k ledger.Case, m handover.Message, others rivals) error {
	switch {
	case handover.Ended(k.State) && !handover.Ended(a.State) && !handover.Opens(m.Name):
		if err := c.rivalled(m, others); err != nil { // what ended the case is taken back
			return err
		}
	}
	switch {
	case m.Action == handover.ActionRecall:
		return nil // taking back is always allowed
	case !handover.Opens(m.Name):
		expects, err := c.o.Rules.Check(m, k.Opening.Profile)
		a.Expects = expects
		return fault.Wrap(fault.Park, "delivery.gate", err)
	}
	parties, opening, err := c.o.Rules.Open(m)
	if err != nil {
		return fault.Wrap(fault.Park, "delivery.gate", err)
	}
	if k.Number > 0 && !k.Opening.Returned() {
		if err := corrects(k, parties, opening); err != nil {
			return err
		}
	}
	if !opening.Returned() {
		if err := c.claims(&opening, k, m, others); err != nil {
			return err
		}
	}
	c.clear(&opening, k, a.Origin)
	a.Parties, a.Opening = parties, &opening
	if opening.Returned() {
		a.State, _ = handover.Next(a.State, handover.Checking, handover.ApplicationChecked{Outcome: handover.Returned})
		a.Said.To = a.State
	}
	return nil
}

// clear lets an application that nothing is said against be answered all the same, when something was said against its last wording: where it was entered the old answer still stands. A dossier that is
// not written into has no answer that could mislead.
func (c *claim) clear(o *ledger.Opening, k ledger.Case, origin ledger.Destination) {
	if before := k.Opening.Check; o.Check == nil && before != nil && !before.Cleared && c.o.Directory.Writable(origin) {
		o.Check = &ledger.Check{Outcome: handover.Forward, Cleared: true, Findings: []ledger.Finding{c.o.Rules.Cleared(o.Profile)}}
	}
}

// corrects checks that a correction of an application that was sent on leaves the case where it is and is still admissible.
func corrects(k ledger.Case, parties handover.Parties, o ledger.Opening) error {
	switch {
	case parties != k.Parties || !maps.Equal(o.Works, k.Opening.Works):
		return fault.New(fault.Park, "delivery.gate", "case-would-move", "the corrected application would belong to another organisation or stand in another system").
			Hint("recall the application and make a new one, and withdraw this message")
	case o.Returned():
		return fault.New(fault.Park, "delivery.gate", "not-admissible", "the rules do not admit the corrected application").
			Hint("look at it in its native system; agree with the other agency whether the application is withdrawn; then withdraw this message")
	}
	return nil
}

// address says where the message must be recorded. What the rules do not admit goes to nobody but the dossier that it was entered in, which gets the answer.
func (c *claim) address(a *ledger.Admission, k ledger.Case, m handover.Message) error {
	opening := k.Opening
	if a.Opening != nil {
		opening = *a.Opening
	}
	if !opening.Returned() {
		to, err := c.o.Directory.Destinations(m.Envelope, a.Parties, opening.Works)
		if err != nil {
			return err
		}
		a.To = to
	}
	if a.Opening == nil || opening.Check == nil {
		return nil
	}
	if !c.o.Directory.Writable(a.Origin) {
		return fault.New(fault.Park, "delivery.gate", "answer-impossible", "the rules have something against the application, and its own system is not written into").
			Hint("look at it there, and tell the sender what it lacks by the rules of " + opening.Profile + "; or let the system be written into, and let this message go on")
	}
	a.To = append(a.To, a.Origin)
	return nil
}

// refused says in words why a message may not be said in a state.
func refused(r handover.Refusal, s handover.State, m handover.Message) error {
	state := string(s)
	if s == handover.NoCase {
		state = "not opened"
	}
	text := "the case is " + state + ", where " + string(m.Name) + " is not provided for"
	next := "correct the entry in the native system, or withdraw this message"
	switch r {
	case handover.RefusedSender:
		text = "in a case that is " + state + ", " + string(m.Name) + " is for the other party to say"
		next = "find out who entered it for whom, and withdraw this message"
	case handover.RefusedParallel:
		text = "the assigning agency says " + string(m.Name) + " while the other one leads: parallel case leadership, for which the leading agency may close the case"
		next = "tell the leading agency, which decides; then withdraw this message"
	case handover.RefusedApproval:
		text = string(m.Name) + " does not fit where this cost approval stands: no measure is ordered before a signed approval, and none is invoiced before it has ended"
		next = "check the number of the request in the native system, or withdraw this message"
	case handover.RefusedReference:
		text = "what is to be recalled or corrected is not a message of this sender in this case, or was recalled already"
	case handover.RefusedSuperseded:
		text = "the case has moved on since the message that is to be recalled or corrected"
		next = "agree with the other agency what holds now, and withdraw this message"
	case handover.RefusedState:
	}
	return fault.New(fault.Park, "delivery.gate", string(r), text).Hint(next)
}
