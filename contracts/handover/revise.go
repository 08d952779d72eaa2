package handover

import "slices"

// Said is one message of a case as its history remembers it: what a recall or a correction needs to know of it, and nothing personal. Histories are made by [Remember].
type Said struct {
	ID     MessageID      `json:"id"`
	Name   Name           `json:"name"`
	Sender OrganisationID `json:"sender"`
	// From and To are the case's states before and after it.
	From State `json:"from,omitzero"`
	To   State `json:"to"`
	// Approval is the keyed name of the cost approval that it was about, ApprovalFrom and ApprovalTo where that stood before and after it.
	Approval     string        `json:"approval,omitzero"`
	ApprovalFrom ApprovalState `json:"approvalFrom,omitzero"`
	ApprovalTo   ApprovalState `json:"approvalTo,omitzero"`
	// Recalled says that its sender has taken it back.
	Recalled bool `json:"-"`
	// Wordings are the ids of the earlier wordings that it has corrected; a recall or correction may name any of them.
	Wordings []MessageID `json:"-"`
}

func (s Said) moved() bool { return s.From != s.To }

func (s Said) movedApproval() bool { return s.Approval != "" && s.ApprovalFrom != s.ApprovalTo }

// Remember returns a history with one more message, which action says is new, recalls the message revised or corrects it; [Revise] has admitted it. A correction takes the place of
// what it corrects; what was said after a recalled message is remembered as if that had never been said. It does not change the history that it is given.
func Remember(history []Said, s Said, action Action, revised MessageID) []Said {
	all := append(make([]Said, 0, len(history)+1), history...)
	at := standsAt(all, revised)
	switch {
	case action == ActionRecall && at >= 0:
		all[at].Recalled = true
		replay(all[at].From, all[at+1:])
		replayApproval(all[at], all[at+1:])
		return all
	case action == ActionCorrection && at >= 0:
		all[at] = reworded(all[at], s)
		return all
	}
	return append(all, s)
}

// reworded gives a correction the place of what it corrects: what did not move the case does not move it now.
func reworded(old, s Said) Said {
	to := old.To
	if old.moved() {
		to = s.To
	}
	s.From, s.To, s.ApprovalFrom, s.ApprovalTo = old.From, to, old.ApprovalFrom, old.ApprovalTo
	s.Wordings = append(slices.Clone(old.Wordings), old.ID)
	return s
}

// Earlier returns the message of a history that a recall or a correction names; it may name an earlier wording.
func Earlier(history []Said, id MessageID) (Said, bool) {
	at := standsAt(history, id)
	if at < 0 {
		return Said{}, false
	}
	return history[at], true
}

// standsAt finds a message in a history by its id or by that of an earlier wording.
func standsAt(history []Said, id MessageID) int {
	return slices.IndexFunc(history, func(s Said) bool { return id != "" && (s.ID == id || slices.Contains(s.Wordings, id)) })
}

// Standing is where a case and one of its cost approvals stand.
type Standing struct {
	State    State
	Approval ApprovalState
}

// Revise returns where a case stands after a recall (eCH-0058 action 3, Widerruf) or a correction (action 4) of an earlier message, or why it may not be said.
// history is what was said in the case, now is where the case and the approval stand, approval is the keyed name of the approval in m.
//
// Only who said the message may revise it, with a message of the same name and about the same approval, and only as long as nothing rests on it: no later message that is still in force moved what it
// moved, and none was said that could not be said without it. A correction moves the case where the message would have moved it, had it been said so at once. Recalling the application ends the case as
// withdrawn. A recall that names a correction takes the message back as a whole; a recall itself cannot be revised: what was taken back is said again.
//
// A corrected application has to name the same parties as the case has; that is for the caller to check, who knows them.
func Revise(history []Said, now Standing, m Message, approval string) (Standing, Refusal) {
	at := standsAt(history, m.References)
	if at < 0 || history[at].Recalled || history[at].Sender != m.Sender || history[at].Name != m.Name || history[at].Approval != approval {
		return now, RefusedReference
	}
	old, later := history[at], slices.Clone(history[at+1:])
	if restsOn(later, old) {
		return now, RefusedSuperseded
	}
	if m.Action == ActionRecall {
		return undone(now, old, later)
	}
	return corrected(now, old, later, m.Payload)
}

// restsOn reports whether a later message moved what the old one moved.
func restsOn(later []Said, old Said) bool {
	return slices.ContainsFunc(later, func(s Said) bool {
		return !s.Recalled && (old.moved() && s.moved() || old.movedApproval() && s.movedApproval() && s.Approval == old.Approval)
	})
}

func undone(now Standing, old Said, later []Said) (Standing, Refusal) {
	next := now
	switch {
	case old.From == NoCase:
		next.State = Withdrawn
	case old.moved():
		state, ok := replay(old.From, later)
		if !ok {
			return now, RefusedSuperseded
		}
		next.State = state
	}
	if old.movedApproval() {
		next.Approval = replayApproval(old, later)
	}
	return next, ""
}

// corrected says the message again where the old one was said. What moved nothing may be corrected whatever has moved since: the table has no message of a party that in one state
// moves the case with one content and does not with another.
func corrected(now Standing, old Said, later []Said, p Payload) (Standing, Refusal) {
	to, refusal := again(old.From, p)
	if refusal != "" || to == old.To {
		return now, refusal
	}
	state, ok := replay(to, later)
	if !ok {
		return now, RefusedSuperseded
	}
	now.State = state
	return now, ""
}

// again returns where a message leads from a state, whoever of the two parties says it: the one who corrects is the one who was admitted with it.
func again(from State, p Payload) (State, Refusal) {
	for _, role := range []Role{Assigning, Receiving} {
		if to, refusal := Next(from, role, p); refusal == "" {
			return to, ""
		}
	}
	return from, RefusedState
}

// replay says messages again from another state, up to the first one that moves the case, and reports where the case stands then; false when one of them could not be said
// there.
func replay(state State, later []Said) (State, bool) {
	lines := Transitions()
	for i := range later {
		s := &later[i]
		if s.Recalled {
			continue
		}
		if s.moved() {
			return state, true
		}
		line := slices.IndexFunc(lines, func(t Transition) bool {
			return t.From == state && t.Message == s.Name && (t.When == "" || t.To == s.To)
		})
		if line < 0 {
			return state, false
		}
		s.From, s.To = state, lines[line].To
		state = s.To
	}
	return state, true
}

// replayApproval does the same for what was said of an approval, and skips what asks for nothing of its own: a reminder falls with its request.
func replayApproval(old Said, later []Said) ApprovalState {
	state := old.ApprovalFrom
	for i := range later {
		s := &later[i]
		if s.Recalled || s.Approval != old.Approval {
			continue
		}
		if s.movedApproval() {
			return state
		}
		if next, refusal := NextApproval(state, s.Name); refusal == "" {
			s.ApprovalFrom, s.ApprovalTo = state, next
			state = next
		}
	}
	return state
}
