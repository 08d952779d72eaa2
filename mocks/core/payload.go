package core

import (
	"fmt"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/personal"
)

// Payload returns what the facts say in einmal's own words: the yardstick for tests. A mock's Compose must not use it, because a witness
// that asks the accused proves nothing. It fails for an unknown message and for facts that no clerk could know, such as a wrong AHV number.
func (f Facts) Payload(n handover.Name) (handover.Payload, error) {
	for _, build := range []func(handover.Name) handover.Payload{f.beginning, f.meeting, f.costs, f.ending} {
		if p := build(n); p != nil {
			return p, p.Validate()
		}
	}
	if n == (handover.ApplicationSubmitted{}).Name() {
		p, err := f.application()
		if err != nil {
			return nil, err
		}
		return p, p.Validate()
	}
	return nil, fmt.Errorf("no such message: %s", n)
}

func (f Facts) application() (handover.ApplicationSubmitted, error) {
	p, err := f.Person.payload()
	if err != nil {
		return handover.ApplicationSubmitted{}, err
	}
	return handover.ApplicationSubmitted{
		Assigning: f.Assigning, Receiving: f.Receiving, Process: handover.Code(f.Process), TargetGroup: handover.Code(f.TargetGroup),
		AppliedOn: handover.Date(f.AppliedOn), Person: p, Situation: handover.Situation(f.Situation),
		Declarations:  f.declarations(),
		Consent:       handover.Consent{Kind: handover.Code(f.ConsentKind), GivenOn: handover.Date(f.ConsentGivenOn)},
		PlannedMonths: f.PlannedMonths, Goal: personal.Text(f.Goal), Reason: personal.Text(f.Reason),
		Contact: f.Contact.payload(), Deputy: f.Deputy.optional(), Documents: f.documents(), Remark: personal.Text(f.Remark),
	}, nil
}

func (f Facts) declarations() []handover.Declaration {
	var ds []handover.Declaration
	for _, d := range f.Declarations {
		ds = append(ds, handover.Declaration{Item: handover.Code(d.Item), Answer: handover.Code(d.Answer), Number: d.Number, On: handover.Date(d.On)})
	}
	return ds
}

func (p Person) payload() (handover.Person, error) {
	ahv, err := personal.ParseAHV(p.AHV)
	if err != nil {
		return handover.Person{}, err
	}
	born, err := personal.ParseDate(p.DateOfBirth)
	if err != nil {
		return handover.Person{}, err
	}
	return handover.Person{
		AHV: ahv, OfficialName: personal.Text(p.OfficialName), FirstName: personal.Text(p.FirstName), DateOfBirth: born, Sex: handover.Code(p.Sex),
		Address: handover.Address{
			Street: personal.Text(p.Street), HouseNumber: personal.Text(p.HouseNumber), Zip: personal.Text(p.Zip), Town: personal.Text(p.Town),
			Municipality: p.Municipality,
		},
		Phone: personal.Text(p.Phone), Email: personal.Text(p.Email), Language: handover.Code(p.Language),
	}, nil
}

func (k Contact) payload() handover.Contact {
	return handover.Contact{Name: personal.Text(k.Name), Phone: personal.Text(k.Phone), Email: personal.Text(k.Email)}
}

func (k *Contact) optional() *handover.Contact {
	if k == nil {
		return nil
	}
	c := k.payload()
	return &c
}

func (f Facts) beginning(n handover.Name) handover.Payload {
	remark := personal.Text(f.Remark)
	switch n {
	case handover.ApplicationWithdrawn{}.Name():
		return handover.ApplicationWithdrawn{WithdrawnOn: handover.Date(f.WithdrawnOn), Reason: handover.Code(f.WithdrawalReason), Remark: remark}
	case handover.ClarificationRequested{}.Name():
		return handover.ClarificationRequested{Question: personal.Text(f.Question), AnswerBy: handover.Date(f.AnswerBy), Remark: remark}
	case handover.ClarificationAnswered{}.Name():
		return handover.ClarificationAnswered{Answer: personal.Text(f.Answer), Documents: f.documents(), Remark: remark}
	case handover.ApplicationDecided{}.Name():
		return handover.ApplicationDecided{
			Decision: handover.Code(f.Decision), Reason: handover.Code(f.RejectionReason), DecidedOn: handover.Date(f.DecidedOn),
			Contact: f.Lead.optional(), Remark: remark,
		}
	case handover.JobSearchExemptionSigned{}.Name():
		return handover.JobSearchExemptionSigned{
			From: handover.Date(f.ExemptFrom), To: handover.Date(f.ExemptTo), SignedOn: handover.Date(f.ExemptionSignedOn),
			ExtensionReason: personal.Text(f.ExtensionReason), Documents: f.documents(), Remark: remark,
		}
	}
	return nil
}

func (f Facts) meeting(n handover.Name) handover.Payload {
	remark := personal.Text(f.Remark)
	switch n {
	case handover.TransferMeetingScheduled{}.Name():
		return handover.TransferMeetingScheduled{At: handover.InstantOf(f.MeetingAt), Place: personal.Text(f.MeetingPlace), Remark: remark}
	case handover.ReviewMeetingScheduled{}.Name():
		return handover.ReviewMeetingScheduled{At: handover.InstantOf(f.MeetingAt), Place: personal.Text(f.MeetingPlace), Remark: remark}
	case handover.TransferMeetingRecorded{}.Name():
		return handover.TransferMeetingRecorded{
			HeldOn: handover.Date(f.HeldOn), Participants: f.participants(), CanAndWantsWork: f.CanAndWantsWork,
			StartOfCaseWork: handover.Date(f.StartOfCaseWork), NextReviewOn: handover.Date(f.NextReviewOn), Strategy: personal.Text(f.Strategy),
			Documents: f.documents(), Remark: remark,
		}
	case handover.ReviewMeetingRecorded{}.Name():
		return handover.ReviewMeetingRecorded{
			HeldOn: handover.Date(f.HeldOn), Participants: f.participants(), Continue: f.Continue, NextReviewOn: handover.Date(f.NextReviewOn),
			Measures: personal.Text(f.FurtherMeasures), Remark: remark,
		}
	case handover.ExtraMeetingRequested{}.Name():
		return handover.ExtraMeetingRequested{RequestedOn: handover.Date(f.ExtraRequestedOn), Reason: personal.Text(f.ExtraReason), Remark: remark}
	}
	return nil
}

func (f Facts) participants() []handover.Participant {
	var ps []handover.Participant
	for _, p := range f.Participants {
		ps = append(ps, handover.Participant{Name: personal.Text(p.Name), Part: handover.Code(p.Part), Agreed: p.Agreed})
	}
	return ps
}

func (f Facts) costs(n handover.Name) handover.Payload {
	remark := personal.Text(f.Remark)
	switch n {
	case handover.CostApprovalRequested{}.Name():
		return handover.CostApprovalRequested{
			Approval: f.Approval, Measure: personal.Text(f.Measure), Provider: personal.Text(f.Provider), From: handover.Date(f.MeasureFrom),
			To: handover.Date(f.MeasureTo), AmountCents: f.AmountCents, ReturnBy: handover.Date(f.ReturnBy), Remark: remark,
		}
	case handover.CostApprovalSigned{}.Name():
		return handover.CostApprovalSigned{
			Approval: f.Approval, SignedOn: handover.Date(f.ApprovalSignedOn), SignedBy: personal.Text(f.SignedBy), Documents: f.documents(), Remark: remark,
		}
	case handover.CostApprovalRefused{}.Name():
		return handover.CostApprovalRefused{
			Approval: f.Approval, RefusedOn: handover.Date(f.RefusedOn), Reason: handover.Code(f.RefusalReason), Remark: remark,
		}
	case handover.CostApprovalReminder{}.Name():
		return handover.CostApprovalReminder{Approval: f.Approval, ReturnBy: handover.Date(f.ReturnBy), Remark: remark}
	case handover.MeasureOrdered{}.Name():
		return handover.MeasureOrdered{
			Approval: f.Approval, OrderedOn: handover.Date(f.OrderedOn), From: handover.Date(f.MeasureFrom), To: handover.Date(f.MeasureTo), Remark: remark,
		}
	case handover.MeasureCompleted{}.Name():
		return handover.MeasureCompleted{
			Approval: f.Approval, CompletedOn: handover.Date(f.CompletedOn), Result: personal.Text(f.Result), Remark: remark,
		}
	case handover.InvoiceForwarded{}.Name():
		return handover.InvoiceForwarded{
			Approval: f.Approval, InvoicedOn: handover.Date(f.InvoicedOn), AmountCents: f.InvoiceCents, Documents: f.documents(), Remark: remark,
		}
	}
	return nil
}

func (f Facts) ending(n handover.Name) handover.Payload {
	remark := personal.Text(f.Remark)
	switch n {
	case handover.SanctionHint{}.Name():
		return handover.SanctionHint{ObservedOn: handover.Date(f.ObservedOn), Hint: personal.Text(f.Hint), Remark: remark}
	case handover.CaseClosed{}.Name():
		return handover.CaseClosed{
			ClosedOn: handover.Date(f.ClosedOn), Reason: handover.Code(f.ClosureReason), Outcome: handover.Code(f.Outcome),
			Documents: f.documents(), Remark: remark,
		}
	case handover.ApplicationChecked{}.Name():
		return handover.ApplicationChecked{Outcome: handover.Code(f.CheckOutcome), Profile: f.CheckProfile, Findings: f.findings(), Remark: remark}
	case handover.ConsentWithdrawn{}.Name():
		return handover.ConsentWithdrawn{WithdrawnOn: handover.Date(f.WithdrawnOn), Remark: remark}
	}
	return nil
}

func (f Facts) findings() []handover.RuleFinding {
	var all []handover.RuleFinding
	for _, r := range f.Findings {
		all = append(all, handover.RuleFinding{
			Rule: r.Rule, Severity: handover.Code(r.Severity), Reason: handover.Code(r.Reason), Source: r.Source, Text: personal.Text(r.Text), Hint: personal.Text(r.Hint),
		})
	}
	return all
}
