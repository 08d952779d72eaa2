package ledger

import (
	"cmp"
	"slices"

	"github.com/einmal-hub/einmal/contracts/handover"
)

// expect notes what is waited for after a message, and what is not any more. What ends a wait is that its object moves: the approval is answered, a meeting is recorded, the case ends.
func (c *Case) expect(a Admission) {
	if handover.Ended(a.State) {
		c.Expected = nil
		return
	}
	subject := a.Said.Approval
	if subject == "" && a.Name != "review-meeting-recorded" && a.Name != "transfer-meeting-recorded" {
		return
	}
	delete(c.Expected, subject)
	if a.Expects == nil || a.Action == handover.ActionRecall || subject != "" && a.Approval != handover.ApprovalRequested {
		return
	}
	if c.Expected == nil {
		c.Expected = map[string]Expected{}
	}
	c.Expected[subject] = *a.Expects
}

// Late is something that was to come by a day that is over.
type Late struct {
	Expected
	Case    handover.CaseID  `json:"case"`
	Parties handover.Parties `json:"parties"`
	// Entered is the case's number in each system where it stands.
	Entered []Entered `json:"entered"`
}

// Late returns what has not come by a day, the longest overdue first.
func (v *View) Late(today handover.Date) []Late {
	v.mu.Lock()
	defer v.mu.Unlock()
	var all []Late
	for _, id := range v.overdue(today) {
		v.fetch(Record{Case: id})
		c := v.cases[id]
		for _, e := range c.Expected {
			if e.By < today {
				all = append(all, Late{Expected: e, Case: id, Parties: c.Parties, Entered: c.stands()})
			}
		}
	}
	slices.SortFunc(all, func(a, b Late) int {
		return cmp.Or(cmp.Compare(a.By, b.By), cmp.Compare(a.Case, b.Case), cmp.Compare(a.Deadline, b.Deadline))
	})
	return all
}

// overdue are the cases in which something has not come by a day.
func (v *View) overdue(today handover.Date) (all []handover.CaseID) {
	for id, r := range v.unended {
		if r.By != "" && r.By < today {
			all = append(all, id)
		}
	}
	return all
}

// stands lists the native cases of a case.
func (c *Case) stands() []Entered {
	var all []Entered
	for at, key := range c.Bindings {
		all = append(all, Entered{System: at.System, Case: key})
	}
	slices.SortFunc(all, func(a, b Entered) int { return cmp.Or(cmp.Compare(a.System, b.System), cmp.Compare(a.Case, b.Case)) })
	return all
}
