package handover

// State is where a case stands, seen from the process and not from any native system.
type State string

// The states of a case. Before the application there is none: a draft belongs to the assigning agency's own system.
const (
	NoCase                 State = ""
	UnderReview            State = "UNDER_REVIEW"  // the application stands at the receiving agency
	Clarification          State = "CLARIFICATION" // the receiving agency asked back
	ReturnedState          State = "RETURNED"      // the rules do not admit the application: it never reached the receiving agency
	RejectedState          State = "REJECTED"
	AcceptedState          State = "ACCEPTED"
	TransferMeetingPlanned State = "TRANSFER_MEETING_PLANNED"
	NotEstablished         State = "NOT_ESTABLISHED" // somebody did not agree to the note
	Active                 State = "ACTIVE"          // the receiving agency leads
	ConsentEnded           State = "CONSENT_ENDED"   // active, but the person withdrew: only closing is left
	Closed                 State = "CLOSED"
	Withdrawn              State = "WITHDRAWN"
)

// Transition is one line of the table: in state From, Sender may say Message, and the case is in state To. When
// names the condition on the payload where one message has two ends.
type Transition struct {
	From    State
	Message Name
	When    string
	Sender  Role // NoRole: either party
	To      State
	meets   func(Payload) bool
}

// either marks a message that both parties may send.
const either = NoRole

// Transitions returns the table of states and messages that the gateway, the README and the tests share. Source: concept
// 3.2.1 to 3.2.3 and 3.3. Messages that do not change the state are lines whose From and To are equal.
func Transitions() []Transition {
	t := []Transition{
		{From: NoCase, Message: "application-submitted", Sender: Assigning, To: UnderReview},
		{From: UnderReview, Message: "application-checked", When: "returned", Sender: Checking, To: ReturnedState, meets: returned},
		{From: UnderReview, Message: "application-checked", When: "forward", Sender: Checking, To: UnderReview, meets: forwarded},
		{From: UnderReview, Message: "clarification-requested", Sender: Receiving, To: Clarification},
		{From: Clarification, Message: "clarification-answered", Sender: Assigning, To: UnderReview},
	}
	for _, from := range []State{UnderReview, Clarification} {
		t = append(t,
			Transition{From: from, Message: "application-decided", When: "accepted", Sender: Receiving, To: AcceptedState, meets: accepted},
			Transition{From: from, Message: "application-decided", When: "rejected", Sender: Receiving, To: RejectedState, meets: rejected},
		)
	}
	for _, from := range []State{AcceptedState, TransferMeetingPlanned} {
		t = append(t,
			Transition{From: from, Message: "transfer-meeting-scheduled", Sender: Assigning, To: TransferMeetingPlanned},
			Transition{From: from, Message: "transfer-meeting-recorded", When: "all agreed", Sender: Receiving, To: Active, meets: agreed},
			Transition{From: from, Message: "transfer-meeting-recorded", When: "somebody did not agree", Sender: Receiving, To: NotEstablished, meets: disagreed},
		)
	}
	for _, from := range []State{UnderReview, Clarification, AcceptedState, TransferMeetingPlanned} {
		t = append(t,
			Transition{From: from, Message: "application-withdrawn", Sender: Assigning, To: Withdrawn},
			Transition{From: from, Message: "consent-withdrawn", Sender: either, To: Withdrawn},
		)
	}
	t = append(t, whileActive()...)
	return append(t,
		Transition{From: Active, Message: "consent-withdrawn", Sender: either, To: ConsentEnded},
		Transition{From: Active, Message: "case-closed", Sender: Receiving, To: Closed},
		Transition{From: ConsentEnded, Message: "case-closed", Sender: Receiving, To: Closed},
		Transition{From: Closed, Message: "measure-completed", Sender: Receiving, To: Closed},
		Transition{From: Closed, Message: "invoice-forwarded", Sender: Receiving, To: Closed},
	)
}

// whileActive lists what is said during the case work; none of it changes the state.
func whileActive() []Transition {
	var t []Transition
	for _, m := range []struct {
		name Name
		role Role
	}{
		{"job-search-exemption-signed", Assigning}, // only the unemployment office can exempt, and it has handed the case over (concept 3.2.3)
		{"cost-approval-requested", Receiving}, {"cost-approval-signed", Assigning}, {"cost-approval-refused", Assigning},
		{"cost-approval-reminder", Receiving},
		{"measure-ordered", Receiving}, {"measure-completed", Receiving}, {"invoice-forwarded", Receiving},
		{"sanction-hint", Receiving},
		{"review-meeting-scheduled", Receiving}, {"review-meeting-recorded", Receiving},
		{"extra-meeting-requested", Assigning},
	} {
		t = append(t, Transition{From: Active, Message: m.name, Sender: m.role, To: Active})
	}
	return t
}

// The conditions ask for what they need: a payload that says neither leads nowhere, instead of into a refusal that nobody wrote.

func accepted(p Payload) bool {
	d, ok := p.(ApplicationDecided)
	return ok && d.Decision == Accepted
}

func rejected(p Payload) bool {
	d, ok := p.(ApplicationDecided)
	return ok && d.Decision == Rejected
}

func returned(p Payload) bool {
	d, ok := p.(ApplicationChecked)
	return ok && d.Outcome == Returned
}

func forwarded(p Payload) bool {
	d, ok := p.(ApplicationChecked)
	return ok && d.Outcome == Forward
}

func agreed(p Payload) bool {
	r, ok := p.(TransferMeetingRecorded)
	return ok && r.Agreed()
}

func disagreed(p Payload) bool {
	r, ok := p.(TransferMeetingRecorded)
	return ok && !r.Agreed()
}

// Refusal says why a message may not be said now.
type Refusal string

const (
	// RefusedState: no line of the table has this message in this state.
	RefusedState Refusal = "not-in-this-state"
	// RefusedSender: the line is there, but for the other party.
	RefusedSender Refusal = "not-by-this-party"
	// RefusedParallel: the assigning agency says what only the leading one may say; parallel leadership is a reason to close the case (P4, concept 3.2.1).
	RefusedParallel Refusal = "parallel-case-leadership"
	// RefusedApproval: the cost approval that the message names does not stand where the message would move it from (P10).
	RefusedApproval Refusal = "not-with-this-approval"
	// RefusedReference: the message that is to be recalled or corrected is not one of this sender's in this case, is another message, or was recalled.
	RefusedReference Refusal = "not-of-this-message"
	// RefusedSuperseded: something that was said later rests on the message that is to be recalled or corrected.
	RefusedSuperseded Refusal = "superseded"
)

// Next returns the state after a message, or why it may not be said. An empty refusal means allowed. p is a
// value of the catalogue, not a pointer to one.
func Next(from State, sender Role, p Payload) (State, Refusal) {
	refusal := RefusedState
	if p == nil {
		return from, refusal
	}
	for _, t := range Transitions() {
		if t.From != from || t.Message != p.Name() || (t.meets != nil && !t.meets(p)) {
			continue
		}
		if sender == NoRole || sender == Checking && t.Sender != Checking || (t.Sender != either && t.Sender != sender) {
			refusal = RefusedSender
			if sender == Assigning && LeadIn(from) == Receiving {
				refusal = RefusedParallel
			}
			continue
		}
		return t.To, ""
	}
	return from, refusal
}

// Ended reports whether a case has come to its end: it binds nobody any more, and the same person may be handed over anew.
func Ended(s State) bool {
	switch s {
	case ReturnedState, RejectedState, NotEstablished, Closed, Withdrawn:
		return true
	}
	return false
}

// LeadIn returns who leads a case in a state: the receiving agency from the agreed note to the closing note, the
// assigning agency otherwise (concept 3.1).
func LeadIn(s State) Role {
	if s == Active || s == ConsentEnded {
		return Receiving
	}
	return Assigning
}
