package handover

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
	at := -1
	for i, s := range history {
		if s.ID == m.References {
			at = i
		}
	}
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
