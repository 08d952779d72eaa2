package handover

import (
	"fmt"

	"github.com/einmal-hub/einmal/contracts/personal"
)

// remarkLimit is the most characters that a free text holds.
const remarkLimit = 2000

// ApplicationSubmitted opens a case (OPTIMA-Antrag). Fields: concept 6.2.3 and 6.2.4.
type ApplicationSubmitted struct {
	Assigning     OrganisationID `json:"assigning"`
	Receiving     OrganisationID `json:"receiving,omitzero"` // left out: the one of the process's receiving type that serves the person's municipality
	Process       Code           `json:"process"`            // OPTIMA_ALV, OPTIMA_IV, OPTIMA_SH in the profile lucerne
	TargetGroup   Code           `json:"targetGroup"`
	AppliedOn     Date           `json:"appliedOn"`
	Person        Person         `json:"person"`
	Situation     Situation      `json:"situation"`
	Declarations  []Declaration  `json:"declarations,omitzero"` // what else the form asks; 1 to 60, no item twice
	Consent       Consent        `json:"consent"`
	PlannedMonths int            `json:"plannedMonths"` // planned duration of the handover, 1 to 60
	Goal          personal.Text  `json:"goal"`
	Reason        personal.Text  `json:"reason"`
	Contact       Contact        `json:"contact"`
	Deputy        *Contact       `json:"deputy,omitzero"`
	Documents     []Document     `json:"documents,omitzero"`
	Remark        personal.Text  `json:"remark,omitzero"`
}

// Situation is what the application form asks about the person's entitlements (concept 6.2.3).
type Situation struct {
	SocialCounselling   bool `json:"socialCounselling"`   // in social counselling
	EconomicAssistance  bool `json:"economicAssistance"`  // receives economic social assistance (WSH)
	RegisteredJobseeker bool `json:"registeredJobseeker"` // registered at the unemployment office
	UnemploymentBenefit bool `json:"unemploymentBenefit"` // receives unemployment benefit (ALE)
	DisabilityMeasures  bool `json:"disabilityMeasures"`  // in counselling or a measure of the disability insurance
}

// Consent is the legal ground on which data leave the assigning agency (AVG Art. 35a).
type Consent struct {
	Kind    Code `json:"kind"` // CONSENT: the person agreed; INFORMED: the person was told
	GivenOn Date `json:"givenOn"`
}

// Name returns application-submitted.
func (ApplicationSubmitted) Name() Name { return "application-submitted" }

// Validate checks the form's obligatory fields and I5: no application without its legal ground.
func (m ApplicationSubmitted) Validate() error {
	var c check
	c.text("assigning", string(m.Assigning), 1, 64)
	if m.Receiving != "" {
		c.text("receiving", string(m.Receiving), 1, 64)
	}
	c.code("process", m.Process, true)
	c.code("targetGroup", m.TargetGroup, true)
	c.date("appliedOn", m.AppliedOn)
	c.within("person.", m.Person.validate)
	c.declarations(m.Declarations)
	c.code("consent.kind", m.Consent.Kind, true)
	c.date("consent.givenOn", m.Consent.GivenOn)
	c.must(m.Consent.GivenOn == "" || m.AppliedOn == "" || m.Consent.GivenOn <= m.AppliedOn, "consent.givenOn", "consent-after-application", "the consent was given after the application")
	c.must(m.PlannedMonths >= 1 && m.PlannedMonths <= 60, "plannedMonths", "out-of-range", "the planned duration is 1 to 60 months")
	c.personal("goal", m.Goal, 1, remarkLimit)
	c.personal("reason", m.Reason, 1, remarkLimit)
	c.within("contact.", m.Contact.validate)
	if m.Deputy != nil {
		c.within("deputy.", m.Deputy.validate)
	}
	c.documents(m.Documents)
	c.personal("remark", m.Remark, 0, remarkLimit)
	return c.Err()
}

// ApplicationWithdrawn takes the application back before the case has moved.
type ApplicationWithdrawn struct {
	WithdrawnOn Date          `json:"withdrawnOn"`
	Reason      Code          `json:"reason"`
	Remark      personal.Text `json:"remark,omitzero"`
}

// Name returns application-withdrawn.
func (ApplicationWithdrawn) Name() Name { return "application-withdrawn" }

// Validate checks the obligatory fields.
func (m ApplicationWithdrawn) Validate() error {
	var c check
	c.date("withdrawnOn", m.WithdrawnOn)
	c.code("reason", m.Reason, true)
	c.personal("remark", m.Remark, 0, remarkLimit)
	return c.Err()
}

// ClarificationRequested asks the assigning agency about its application (Rücksprache).
type ClarificationRequested struct {
	Question personal.Text `json:"question"`
	AnswerBy Date          `json:"answerBy,omitzero"`
	Remark   personal.Text `json:"remark,omitzero"`
}

// Name returns clarification-requested.
func (ClarificationRequested) Name() Name { return "clarification-requested" }

// Validate checks the obligatory fields.
func (m ClarificationRequested) Validate() error {
	var c check
	c.personal("question", m.Question, 1, remarkLimit)
	c.day("answerBy", m.AnswerBy)
	c.personal("remark", m.Remark, 0, remarkLimit)
	return c.Err()
}

// ClarificationAnswered answers it.
type ClarificationAnswered struct {
	Answer    personal.Text `json:"answer"`
	Documents []Document    `json:"documents,omitzero"`
	Remark    personal.Text `json:"remark,omitzero"`
}

// Name returns clarification-answered.
func (ClarificationAnswered) Name() Name { return "clarification-answered" }

// Validate checks the obligatory fields.
func (m ClarificationAnswered) Validate() error {
	var c check
	c.personal("answer", m.Answer, 1, remarkLimit)
	c.documents(m.Documents)
	c.personal("remark", m.Remark, 0, remarkLimit)
	return c.Err()
}

// Decisions on an application.
const (
	Accepted Code = "ACCEPTED"
	Rejected Code = "REJECTED"
)

// ApplicationDecided is the receiving agency's answer; it stays a human decision.
type ApplicationDecided struct {
	Decision  Code          `json:"decision"`
	Reason    Code          `json:"reason,omitzero"` // obligatory when rejected
	DecidedOn Date          `json:"decidedOn"`
	Contact   *Contact      `json:"contact,omitzero"` // the future case lead
	Remark    personal.Text `json:"remark,omitzero"`
}

// Name returns application-decided.
func (ApplicationDecided) Name() Name { return "application-decided" }

// Validate checks the obligatory fields.
func (m ApplicationDecided) Validate() error {
	var c check
	c.must(m.Decision == Accepted || m.Decision == Rejected, "decision", "unknown-code", "the decision is ACCEPTED or REJECTED")
	c.code("reason", m.Reason, m.Decision == Rejected)
	c.date("decidedOn", m.DecidedOn)
	if m.Contact != nil {
		c.within("contact.", m.Contact.validate)
	}
	c.personal("remark", m.Remark, 0, remarkLimit)
	return c.Err()
}

// ConsentWithdrawn stops the flow of data and leads to the end of the case.
type ConsentWithdrawn struct {
	WithdrawnOn Date          `json:"withdrawnOn"`
	Remark      personal.Text `json:"remark,omitzero"`
}

// Name returns consent-withdrawn.
func (ConsentWithdrawn) Name() Name { return "consent-withdrawn" }

// Validate checks the obligatory fields.
func (m ConsentWithdrawn) Validate() error {
	var c check
	c.date("withdrawnOn", m.WithdrawnOn)
	c.personal("remark", m.Remark, 0, remarkLimit)
	return c.Err()
}

// participants checks a meeting's list of participants.
func (c *check) participants(ps []Participant) {
	c.must(len(ps) >= 2 && len(ps) <= 20, "participants", "out-of-range", "a meeting has 2 to 20 participants")
	for i, p := range ps {
		c.within(fmt.Sprintf("participants[%d].", i), p.validate)
	}
}
