package clerks

import (
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/mocks/core"
)

// work is what happens while the receiving agency leads, up to the closing note.
func (s *script) work() {
	s.exempt()
	var after []handover.Name
	if s.Process != "OPTIMA_IV" {
		after = s.costs()
	}
	if s.happens("hint", 20) {
		s.says(handover.Receiving, "sanction-hint")
		if s.happens("revise", s.Habits.Revise) {
			s.revises(handover.ActionRecall)
		}
	}
	if s.happens("extra", 15) {
		s.extra()
	}
	if s.happens("review", 55) {
		s.review(75)
	}
	if s.Process == "OPTIMA_IV" { // no measure of the IV without a closer examination (concept 3.2.2), so never in or before the transfer meeting
		after = s.costs()
	}
	if s.happens("open", 0) {
		return
	}
	s.end(after)
}

// exempt is the agreement on exemption from the search for work: always signed when an unemployment office hands over to a social service (concept 3.2.3), and at times when it
// hands over to the IV (concept 3.3.1).
func (s *script) exempt() {
	if s.handover.From == "ALV" && (s.handover.To == "SH" || s.happens("exemption", 50)) {
		s.says(handover.Assigning, "job-search-exemption-signed")
	}
}

// end is the closing note, with what comes only after it. An outcome that was ticked wrongly is put right.
func (s *script) end(after []handover.Name) {
	if s.happens("consent-ends", 8) {
		s.says(s.either(), "consent-withdrawn", func(f *core.Facts) { f.WithdrawnOn = later(f.StartOfCaseWork, 70) })
		s.says(handover.Receiving, "case-closed", func(f *core.Facts) { f.ClosureReason = "CONSENT_WITHDRAWN" })
		return
	}
	if s.happens("revise", s.Habits.Revise) {
		meant := s.facts.Outcome
		s.says(handover.Receiving, "case-closed", func(f *core.Facts) {
			f.Outcome = map[string]string{"SUCCESSFUL": "PARTIAL", "PARTIAL": "SUCCESSFUL", "NOT_IMPLEMENTED": "OTHER", "OTHER": "NOT_IMPLEMENTED"}[f.Outcome]
		})
		s.revises(handover.ActionCorrection, func(f *core.Facts) { f.Outcome = meant })
	} else {
		s.says(handover.Receiving, "case-closed")
	}
	for _, n := range after {
		s.says(handover.Receiving, n)
	}
}

// extra is a meeting that the assigning agency asks for, unless it thinks better of it.
func (s *script) extra() {
	s.says(handover.Assigning, "extra-meeting-requested")
	if s.happens("revise", s.Habits.Revise) {
		s.revises(handover.ActionRecall)
		return
	}
	s.review(50)
}

// costs is one measure with its approval. What comes only after the closing note is returned.
func (s *script) costs() (after []handover.Name) {
	if !s.happens("costs", 60) {
		return nil
	}
	s.says(handover.Receiving, "cost-approval-requested")
	if s.happens("revise", s.Habits.Revise) {
		s.facts.AmountCents += 12_500
		s.facts.InvoiceCents = s.facts.AmountCents
		amount := s.facts.AmountCents
		s.revises(handover.ActionCorrection, func(f *core.Facts) { f.AmountCents = amount })
	}
	if s.happens("remind", 30) {
		s.says(handover.Receiving, "cost-approval-reminder", func(f *core.Facts) { f.ReturnBy = later(f.StartOfCaseWork, 25) })
	}
	if s.happens("refuse", 20) {
		s.says(handover.Assigning, "cost-approval-refused")
		s.facts.ClosureReason = "COST_APPROVAL_REFUSED"
		return nil
	}
	s.sign()
	s.says(handover.Receiving, "measure-ordered")
	rest := []handover.Name{"measure-completed", "invoice-forwarded"}
	if s.happens("later", 25) {
		return rest
	}
	for _, n := range rest {
		s.says(handover.Receiving, n)
	}
	return nil
}

// sign is the signed approval; one that the wrong person signed is taken back and signed again.
func (s *script) sign() {
	s.says(handover.Assigning, "cost-approval-signed")
	if s.happens("revise", s.Habits.Revise) {
		s.revises(handover.ActionRecall)
		s.says(handover.Assigning, "cost-approval-signed", func(f *core.Facts) { f.SignedBy = f.Contact.Name })
	}
}

// review is a review meeting so many days after the start of the case work.
func (s *script) review(days int) {
	held := later(s.facts.StartOfCaseWork, days)
	s.schedule("review-meeting-scheduled", handover.Receiving, days)
	s.says(handover.Receiving, "review-meeting-recorded", func(f *core.Facts) {
		f.HeldOn, f.NextReviewOn = held, later(held, 60)
		if s.happens("last", 30) {
			f.Continue, f.NextReviewOn = false, ""
		}
	})
}
