package clerks

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/mocks/core"
)

// script writes the steps of one handover. Chances are in percent; they are set so that a plan of a hundred shows every message.
type script struct {
	*rand.Rand
	flow
	directory
	handover Handover
	facts    core.Facts
}

func (s *script) chance(percent int) bool { return s.IntN(100) < percent }

// says adds a step; change alters what she enters without altering what is known later.
func (s *script) says(r handover.Role, n handover.Name, change ...func(*core.Facts)) {
	h := &s.handover
	step := Step{
		Marker: fmt.Sprintf("[M%04d-%02d]", h.Number, len(h.Steps)+1), Name: n, Role: r, Organisation: h.Parties.Assigning, Facts: s.facts,
	}
	if r == handover.Receiving {
		step.Organisation = h.Parties.Receiving
	}
	step.System = s.home(step.Organisation)
	if s.IntN(s.OneByHandIn) == 0 {
		step.System = s.Shared
	}
	for _, c := range change {
		c(&step.Facts)
	}
	step.Facts.Remark = strings.TrimSpace(step.Marker + " " + step.Facts.Remark)
	h.Steps = append(h.Steps, step)
}

// write lets the case go its way.
func (s *script) write() {
	s.says(handover.Assigning, "application-submitted")
	if s.chance(25) {
		s.says(handover.Receiving, "clarification-requested")
		if s.chance(85) {
			s.says(handover.Assigning, "clarification-answered")
		}
	}
	if s.chance(6) {
		s.withdraw()
		return
	}
	if !s.decide() {
		return
	}
	if s.chance(90) {
		s.says(handover.Assigning, "transfer-meeting-scheduled")
	}
	if s.chance(5) {
		s.withdraw()
		return
	}
	if s.meet() {
		s.work()
	}
}

// withdraw ends the case before it has begun.
func (s *script) withdraw() {
	if s.chance(40) {
		s.says(s.either(), "consent-withdrawn")
		return
	}
	s.says(handover.Assigning, "application-withdrawn")
}

func (s *script) either() handover.Role {
	if s.chance(50) {
		return handover.Assigning
	}
	return handover.Receiving
}

// decide reports whether the application is accepted.
func (s *script) decide() bool {
	if s.chance(12) {
		s.says(handover.Receiving, "application-decided", func(f *core.Facts) {
			f.Decision, f.RejectionReason, f.Lead = string(handover.Rejected), s.Rejections[s.IntN(len(s.Rejections))], nil
		})
		return false
	}
	s.says(handover.Receiving, "application-decided")
	return true
}

// meet reports whether everybody agreed to the note of the transfer meeting.
func (s *script) meet() bool {
	if s.chance(8) {
		s.says(handover.Receiving, "transfer-meeting-recorded", func(f *core.Facts) {
			f.Participants = append([]core.Participant(nil), f.Participants...)
			f.Participants[0].Agreed, f.CanAndWantsWork, f.StartOfCaseWork, f.NextReviewOn = false, false, "", ""
		})
		return false
	}
	s.says(handover.Receiving, "transfer-meeting-recorded")
	return true
}

// work is what happens while the receiving agency leads, up to the closing note.
func (s *script) work() {
	if s.Exemption {
		s.says(handover.Assigning, "job-search-exemption-signed")
	}
	after := s.costs()
	if s.chance(20) {
		s.says(handover.Receiving, "sanction-hint")
	}
	if s.chance(15) {
		s.says(handover.Assigning, "extra-meeting-requested")
		s.review(50)
	}
	if s.chance(55) {
		s.review(75)
	}
	if s.chance(8) {
		s.says(s.either(), "consent-withdrawn", func(f *core.Facts) { f.WithdrawnOn = later(f.StartOfCaseWork, 70) })
		s.says(handover.Receiving, "case-closed", func(f *core.Facts) { f.ClosureReason = "CONSENT_WITHDRAWN" })
		return
	}
	s.says(handover.Receiving, "case-closed")
	for _, n := range after {
		s.says(handover.Receiving, n)
	}
}

// costs is one measure with its approval. What comes only after the closing note is returned.
func (s *script) costs() (after []handover.Name) {
	if !s.chance(60) {
		return nil
	}
	s.says(handover.Receiving, "cost-approval-requested")
	if s.chance(30) {
		s.says(handover.Receiving, "cost-approval-reminder", func(f *core.Facts) { f.ReturnBy = later(f.StartOfCaseWork, 25) })
	}
	if s.chance(20) {
		s.says(handover.Assigning, "cost-approval-refused")
		s.facts.ClosureReason = "COST_APPROVAL_REFUSED"
		return nil
	}
	s.says(handover.Assigning, "cost-approval-signed")
	s.says(handover.Receiving, "measure-ordered")
	rest := []handover.Name{"measure-completed", "invoice-forwarded"}
	if s.chance(25) {
		return rest
	}
	for _, n := range rest {
		s.says(handover.Receiving, n)
	}
	return nil
}

// review is a review meeting so many days after the start of the case work.
func (s *script) review(days int) {
	held := later(s.facts.StartOfCaseWork, days)
	s.says(handover.Receiving, "review-meeting-scheduled", func(f *core.Facts) { f.MeetingAt = f.MeetingAt.AddDate(0, 0, days) })
	s.says(handover.Receiving, "review-meeting-recorded", func(f *core.Facts) {
		f.HeldOn, f.NextReviewOn = held, later(held, 60)
		if s.chance(30) {
			f.Continue, f.NextReviewOn = false, ""
		}
	})
}

// later returns the day so many days after another one.
func later(day string, days int) string {
	t, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return ""
	}
	return t.AddDate(0, 0, days).Format(time.DateOnly)
}
