package clerks

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/mocks/core"
)

// script writes the steps of one handover. Chances are in percent; the course says where chance does not decide.
type script struct {
	*rand.Rand
	play
	directory
	course   map[string]bool
	handover Handover
	facts    core.Facts
}

// happens draws whether something happens.
func (s *script) happens(what string, percent int) bool {
	drawn := s.IntN(100) < percent
	if settled, is := s.course[what]; is {
		return settled
	}
	return drawn
}

// says adds a step; change alters what she enters without altering what is known later.
func (s *script) says(r handover.Role, n handover.Name, change ...func(*core.Facts)) {
	h := &s.handover
	step := Step{Name: n, Role: r, Organisation: h.Parties.Assigning, Facts: s.facts}
	if r == handover.Receiving {
		step.Organisation = h.Parties.Receiving
	}
	step.Place = h.Home(step.Organisation)
	if s.IntN(s.OneByHandIn) == 0 {
		step.Place = Place{System: s.Shared}
	}
	step.Facts.Documents = s.attach(n)
	s.add(step, change)
}

// revises says the last step again, as a recall or as a correction, where it was entered.
func (s *script) revises(a handover.Action, change ...func(*core.Facts)) {
	step := s.last()
	step.Action, step.Refers, step.Answer = a, step.Marker, nil
	step.Facts.Remark = s.facts.Remark
	s.add(step, change)
}

func (s *script) last() Step { return s.handover.Steps[len(s.handover.Steps)-1] }

func (s *script) add(step Step, change []func(*core.Facts)) {
	h := &s.handover
	step.Marker = fmt.Sprintf("[M%04d-%02d]", h.Number, len(h.Steps)+1)
	for _, c := range change {
		c(&step.Facts)
	}
	step.Facts.Remark = strings.TrimSpace(step.Marker + " " + step.Facts.Remark)
	h.Steps = append(h.Steps, step)
}

// paper is what belongs to a message.
type paper struct {
	name       string
	obligatory bool
}

// papers returns what can be attached: what is signed has the signed paper with it, and an invoice is a paper (concept 3.2.1, 3.2.3, 5.2).
func papers() map[handover.Name]paper {
	return map[handover.Name]paper{
		"application-submitted":       {name: "Vollmacht.pdf"},
		"clarification-answered":      {name: "Bericht.pdf"},
		"transfer-meeting-recorded":   {name: "Eingliederungsstrategie.pdf"},
		"job-search-exemption-signed": {name: "Vereinbarung unterzeichnet.pdf", obligatory: true},
		"cost-approval-signed":        {name: "Kostengutsprache unterzeichnet.pdf", obligatory: true},
		"invoice-forwarded":           {name: "Rechnung.pdf", obligatory: true},
		"case-closed":                 {name: "Arbeitsvertrag.pdf"},
	}
}

// attach draws the documents of a message.
func (s *script) attach(n handover.Name) []core.Document {
	paper, may := papers()[n]
	if !may || !paper.obligatory && !s.happens("document", s.Habits.Document) {
		return nil
	}
	size := 1000 + s.IntN(20_000)
	if s.happens("scan", 0) {
		size += 1_200_000 // as a scanner makes them: more than a message may have
	}
	ds := []core.Document{core.InventDocument(s.Rand, paper.name, size)}
	if s.IntN(8) == 0 {
		ds = append(ds, core.InventDocument(s.Rand, "Beilage zu "+paper.name, 1000+s.IntN(60_000)))
	}
	return ds
}

// write lets the case go its way.
func (s *script) write() {
	s.apply()
	if s.Returned && !s.Mended {
		return
	}
	if s.Returned {
		s.mend()
	}
	if s.happens("clarify", 25) {
		s.says(handover.Receiving, "clarification-requested")
		if s.happens("answer", 85) {
			s.says(handover.Assigning, "clarification-answered")
		}
	}
	if s.happens("undecided", 0) {
		return
	}
	if s.happens("withdraw", 6) {
		s.withdraw()
		return
	}
	if !s.decide() {
		return
	}
	if s.happens("schedule", 90) {
		s.schedule("transfer-meeting-scheduled", handover.Assigning, 0)
	}
	if s.happens("give-up", 5) {
		s.withdraw()
		return
	}
	if s.meet() {
		s.work()
	}
}

// apply is the application. Who receives it may be left to the directory, if it is somebody else's business who is responsible.
func (s *script) apply() {
	leave := s.happens("leave", s.Habits.LeaveReceiver) && !s.Returned && s.handover.From != s.handover.To
	s.says(handover.Assigning, "application-submitted", func(f *core.Facts) {
		if leave || s.Leave {
			f.Receiving = ""
		}
	})
	if len(s.Finds) > 0 {
		s.handover.Steps[0].Answer = &Answer{Returned: s.Returned, Rules: slices.Sorted(slices.Values(s.Finds))}
	}
}

// taken is what an answer names when it takes back an earlier one.
const taken = "CLEARED"

// mend puts an application right that was returned. For everybody else it is the first that they hear of it; who applied is told that it goes on now.
func (s *script) mend() {
	i := slices.IndexFunc(s.Plays, func(p play) bool { return p.Name == s.Like })
	s.facts.ConsentKind = s.Plays[i].Consent[0]
	s.facts.Declarations = core.Declare(s.Rand, s.Plays[i].Declarations, s.facts.AppliedOn)
	s.revises(handover.ActionCorrection, func(f *core.Facts) { f.ConsentKind, f.Declarations = s.facts.ConsentKind, s.facts.Declarations })
	s.handover.Steps[len(s.handover.Steps)-1].Answer = &Answer{Rules: []string{taken}}
}

// withdraw ends the case before it has begun.
func (s *script) withdraw() {
	if s.happens("by-consent", 40) {
		s.says(s.either(), "consent-withdrawn")
		return
	}
	if s.last().Name == "application-submitted" && s.happens("recall", s.Habits.Revise) {
		s.revises(handover.ActionRecall)
		return
	}
	s.says(handover.Assigning, "application-withdrawn")
}

func (s *script) either() handover.Role {
	if s.IntN(2) == 0 {
		return handover.Assigning
	}
	return handover.Receiving
}

// decide reports whether the application is accepted.
func (s *script) decide() bool {
	if s.happens("reject", 12) {
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
	if s.happens("disagree", 8) {
		s.says(handover.Receiving, "transfer-meeting-recorded", func(f *core.Facts) {
			f.Participants = append([]core.Participant(nil), f.Participants...)
			f.Participants[0].Agreed, f.CanAndWantsWork, f.StartOfCaseWork, f.NextReviewOn = false, false, "", ""
		})
		return false
	}
	s.says(handover.Receiving, "transfer-meeting-recorded")
	return true
}

// schedule is the date of a meeting, and perhaps another one instead.
func (s *script) schedule(n handover.Name, r handover.Role, days int) {
	s.says(r, n, func(f *core.Facts) { f.MeetingAt = f.MeetingAt.AddDate(0, 0, days) })
	if s.happens("revise", s.Habits.Revise) {
		s.revises(handover.ActionCorrection, func(f *core.Facts) { f.MeetingAt = f.MeetingAt.AddDate(0, 0, 1) })
	}
}

// later returns the day so many days after another one.
func later(day string, days int) string {
	t, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return ""
	}
	return t.AddDate(0, 0, days).Format(time.DateOnly)
}
