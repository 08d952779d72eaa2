package handover

import "github.com/einmal-hub/einmal/contracts/personal"

// TransferMeetingScheduled announces the transfer meeting (Übergabegespräch); the assigning agency organises it.
type TransferMeetingScheduled struct {
	At     Instant       `json:"at"`
	Place  personal.Text `json:"place"`
	Remark personal.Text `json:"remark,omitzero"`
}

// Name returns transfer-meeting-scheduled.
func (TransferMeetingScheduled) Name() Name { return "transfer-meeting-scheduled" }

// Validate checks the obligatory fields.
func (m TransferMeetingScheduled) Validate() error { return scheduled(m.At, m.Place, m.Remark) }

// ReviewMeetingScheduled announces a review meeting (Standortgespräch); the receiving agency organises it.
type ReviewMeetingScheduled struct {
	At     Instant       `json:"at"`
	Place  personal.Text `json:"place"`
	Remark personal.Text `json:"remark,omitzero"`
}

// Name returns review-meeting-scheduled.
func (ReviewMeetingScheduled) Name() Name { return "review-meeting-scheduled" }

// Validate checks the obligatory fields.
func (m ReviewMeetingScheduled) Validate() error { return scheduled(m.At, m.Place, m.Remark) }

func scheduled(at Instant, place, remark personal.Text) error {
	var c check
	c.must(!at.IsZero(), "at", "missing", "the time of the meeting is missing")
	c.personal("place", place, 1, 200)
	c.personal("remark", remark, 0, remarkLimit)
	return c.Err()
}

// TransferMeetingRecorded is the note of the transfer meeting (Gesprächsnotiz, concept 3.2.1). It is not signed; it
// counts when every participant agreed.
type TransferMeetingRecorded struct {
	HeldOn          Date          `json:"heldOn"`
	Participants    []Participant `json:"participants"`
	CanAndWantsWork bool          `json:"canAndWantsWork"` // the person says explicitly that she can and wants to work
	StartOfCaseWork Date          `json:"startOfCaseWork,omitzero"`
	NextReviewOn    Date          `json:"nextReviewOn,omitzero"`
	Strategy        personal.Text `json:"strategy,omitzero"` // planned measures and strategy
	Documents       []Document    `json:"documents,omitzero"`
	Remark          personal.Text `json:"remark,omitzero"`
}

// Name returns transfer-meeting-recorded.
func (TransferMeetingRecorded) Name() Name { return "transfer-meeting-recorded" }

// Agreed reports whether every participant agreed to the note.
func (m TransferMeetingRecorded) Agreed() bool {
	for _, p := range m.Participants {
		if !p.Agreed {
			return false
		}
	}
	return len(m.Participants) > 0
}

// Validate checks the obligatory fields; start and next review are obligatory when the note is agreed.
func (m TransferMeetingRecorded) Validate() error {
	var c check
	c.date("heldOn", m.HeldOn)
	c.participants(m.Participants)
	if m.Agreed() {
		c.must(m.StartOfCaseWork != "", "startOfCaseWork", "missing", "an agreed note says when the case work starts")
		c.must(m.NextReviewOn != "", "nextReviewOn", "missing", "an agreed note says when the next review is")
		c.order("nextReviewOn", m.StartOfCaseWork, m.NextReviewOn)
	}
	c.day("startOfCaseWork", m.StartOfCaseWork)
	c.day("nextReviewOn", m.NextReviewOn)
	c.personal("strategy", m.Strategy, 0, remarkLimit)
	c.documents(m.Documents)
	c.personal("remark", m.Remark, 0, remarkLimit)
	return c.Err()
}

// ReviewMeetingRecorded is the note of a review meeting.
type ReviewMeetingRecorded struct {
	HeldOn       Date          `json:"heldOn"`
	Participants []Participant `json:"participants"`
	Continue     bool          `json:"continue"` // decision on going on with the case work
	NextReviewOn Date          `json:"nextReviewOn,omitzero"`
	Measures     personal.Text `json:"measures,omitzero"` // planned further measures
	Remark       personal.Text `json:"remark,omitzero"`
}

// Name returns review-meeting-recorded.
func (ReviewMeetingRecorded) Name() Name { return "review-meeting-recorded" }

// Validate checks the obligatory fields; the next review is obligatory when the case work goes on.
func (m ReviewMeetingRecorded) Validate() error {
	var c check
	c.date("heldOn", m.HeldOn)
	c.participants(m.Participants)
	if m.Continue {
		c.must(m.NextReviewOn != "", "nextReviewOn", "missing", "a note that goes on says when the next review is")
		c.order("nextReviewOn", m.HeldOn, m.NextReviewOn)
	}
	c.day("nextReviewOn", m.NextReviewOn)
	c.personal("measures", m.Measures, 0, remarkLimit)
	c.personal("remark", m.Remark, 0, remarkLimit)
	return c.Err()
}

// ExtraMeetingRequested is the assigning agency's request for a meeting out of turn; it needs an important reason.
type ExtraMeetingRequested struct {
	RequestedOn Date          `json:"requestedOn"`
	Reason      personal.Text `json:"reason"`
	Remark      personal.Text `json:"remark,omitzero"`
}

// Name returns extra-meeting-requested.
func (ExtraMeetingRequested) Name() Name { return "extra-meeting-requested" }

// Validate checks the obligatory fields.
func (m ExtraMeetingRequested) Validate() error {
	var c check
	c.date("requestedOn", m.RequestedOn)
	c.personal("reason", m.Reason, 1, remarkLimit)
	c.personal("remark", m.Remark, 0, remarkLimit)
	return c.Err()
}

// CaseClosed ends the handover (Abschluss); the lead goes back to the assigning agency.
type CaseClosed struct {
	ClosedOn  Date          `json:"closedOn"`
	Reason    Code          `json:"reason"`             // concept 3.2.1
	Outcome   Code          `json:"outcome"`            // standard reporting
	Documents []Document    `json:"documents,omitzero"` // such as a copy of the contract of employment (concept 3.2.1)
	Remark    personal.Text `json:"remark,omitzero"`
}

// Name returns case-closed.
func (CaseClosed) Name() Name { return "case-closed" }

// Validate checks the obligatory fields.
func (m CaseClosed) Validate() error {
	var c check
	c.date("closedOn", m.ClosedOn)
	c.code("reason", m.Reason, true)
	c.code("outcome", m.Outcome, true)
	c.documents(m.Documents)
	c.personal("remark", m.Remark, 0, remarkLimit)
	return c.Err()
}
