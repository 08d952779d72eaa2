package profile

import (
	"slices"
	"time"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
)

// How a deadline is counted.
const (
	CalendarDays handover.Code = "CALENDAR_DAYS" // the day it starts on does not count
	WorkingDays  handover.Code = "WORKING_DAYS"  // Monday to Friday; public holidays are not known and count
	Months       handover.Code = "MONTHS"        // of a period that begins on the day it starts on: its last day
)

// What happens beyond a deadline.
const (
	BeyondRemind handover.Code = "REMIND" // the other side is reminded
	BeyondReason handover.Code = "REASON" // only with a reason
)

// The deadlines that the program knows by name. A version without one has no such limit.
const (
	CostApprovalReturn handover.Code = "COST_APPROVAL_RETURN" // of the signed cost approval, from the day of the request
	ReviewMeeting      handover.Code = "REVIEW_MEETING"       // from the day that the last note names
	JobSearchExemption handover.Code = "JOB_SEARCH_EXEMPTION" // longest exemption, from its first day
)

// Deadline is a time that the process knows.
type Deadline struct {
	Scope  `yaml:",inline"`
	Code   handover.Code `yaml:"deadline"`
	Count  int           `yaml:"count"`
	Unit   handover.Code `yaml:"unit"`
	Beyond handover.Code `yaml:"beyond"`
	Start  Text          `yaml:"start"` // what it is counted from
	Source string        `yaml:"source"`
	Text   Text          `yaml:"text"`
}

// Deadline returns a deadline by its code.
func (v Version) Deadline(code handover.Code) (Deadline, bool) {
	i := slices.IndexFunc(v.Deadlines, func(d Deadline) bool { return d.Code == code })
	if i < 0 {
		return Deadline{}, false
	}
	return v.Deadlines[i], true
}

// Due returns the last day that is in time, counted from a day. The error is of kind Park: the day is none, or the result lies beyond 2100.
func (d Deadline) Due(from handover.Date) (handover.Date, error) {
	t, err := time.Parse(time.DateOnly, string(from))
	if err != nil {
		return "", fault.New(fault.Park, "profile.due", "date-format", "the day that the deadline starts on is none")
	}
	switch d.Unit {
	case WorkingDays:
		for range d.Count {
			t = t.AddDate(0, 0, 1)
			for t.Weekday() == time.Saturday || t.Weekday() == time.Sunday {
				t = t.AddDate(0, 0, 1)
			}
		}
	case Months:
		end, err := time.Parse(time.DateOnly, string(moved(from, d.Count)))
		if err != nil {
			return "", fault.New(fault.Park, "profile.due", "date-format", "the deadline ends on no day")
		}
		if end.Day() == t.Day() {
			end = end.AddDate(0, 0, -1) // from the 15th to the 14th; from 31 January to the end of a shorter month
		}
		t = end
	default:
		t = t.AddDate(0, 0, d.Count)
	}
	return handover.ParseDate(t.Format(time.DateOnly))
}
