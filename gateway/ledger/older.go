package ledger

import (
	"slices"

	"github.com/einmal-hub/einmal/contracts/handover"
)

// earlier returns what a message said that was admitted by a gateway of an earlier version, which did not write it down: as far as the record and the table of states tell. What only the message itself
// tells, its cost approval, has to be read there; see [Case.Older].
func (c *Case) earlier(id handover.MessageID, a Admission) handover.Said {
	s := handover.Said{ID: id, Name: a.Name, Sender: a.Origin.Organisation, From: c.State, To: a.State}
	if s.Sender != "" {
		return s
	}
	lines := handover.Transitions()
	i := slices.IndexFunc(lines, func(t handover.Transition) bool { return t.From == s.From && t.Message == s.Name && t.To == s.To })
	if i < 0 {
		return s
	}
	switch lines[i].Sender {
	case handover.Assigning:
		s.Sender = a.Parties.Assigning
	case handover.Receiving:
		s.Sender = a.Parties.Receiving
	}
	return s
}
