package handover

import "slices"

// Said is one message of a case as its history remembers it: what a recall or a correction needs to know of it, and nothing personal.
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

// Remember returns a history with one more message, which action says is new, recalls the message revised or corrects it. A correction takes the place of what it
// corrects. It does not change the history that it is given.
func Remember(history []Said, s Said, action Action, revised MessageID) []Said {
	all := slices.Clone(history)
	at := standsAt(all, revised)
	switch {
	case action == ActionRecall && at >= 0:
		all[at].Recalled = true
		return all
	case action == ActionCorrection && at >= 0:
		s.Wordings = append(slices.Clone(all[at].Wordings), all[at].ID)
		all[at] = s
		return all
	}
	return append(all, s)
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

// Revise returns where a case stands after a recall (eCH-0058 action 3, Widerruf) or a correction (action 4) of an earlier message. Only who said it may do so, with a message of the
// same name, and only as long as nothing rests on it: a message that moved the case or an approval can be revised until the next one that moves the same. Recalling the
// application ends the case as withdrawn. approval is the keyed name of the approval in the new message, which is that of the old one.
func Revise(history []Said, now Standing, m Message, approval string) (Standing, Refusal) {
	at := standsAt(history, m.References)
	if at < 0 || history[at].Recalled || history[at].Sender != m.Sender || history[at].Name != m.Name || history[at].Approval != approval {
		return now, RefusedReference
	}
	old := history[at]
	if restsOn(history[at+1:], old) {
		return now, RefusedSuperseded
	}
	if m.Action == ActionRecall {
		return undone(now, old), ""
	}
	return corrected(now, old, m.Payload)
}

// restsOn reports whether a later message moved what the old one moved.
func restsOn(later []Said, old Said) bool {
	for _, s := range later {
		if s.Recalled {
			continue
		}
		if old.From != old.To && s.From != s.To || old.Approval != "" && old.ApprovalFrom != old.ApprovalTo && s.Approval == old.Approval && s.ApprovalFrom != s.ApprovalTo {
			return true
		}
	}
	return false
}

func undone(now Standing, old Said) Standing {
	switch {
	case old.From == NoCase:
		now.State = Withdrawn
	case old.From != old.To:
		now.State = old.From
	}
	if old.Approval != "" && old.ApprovalFrom != old.ApprovalTo {
		now.Approval = old.ApprovalFrom
	}
	return now
}

// corrected says the message again where the old one was said. What did not move the case may be corrected whatever has moved since.
func corrected(now Standing, old Said, p Payload) (Standing, Refusal) {
	for _, role := range []Role{Assigning, Receiving} {
		next, refusal := Next(old.From, role, p)
		if refusal != "" {
			continue
		}
		if old.From != old.To || next != old.From {
			if now.State != old.To {
				return now, RefusedSuperseded
			}
			now.State = next
		}
		return now, ""
	}
	return now, RefusedState
}
