package delivery

import (
	"context"
	"errors"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/gateway/ledger"
)

// caseOf returns where a case stands. What a gateway of an earlier version did not write down of it is read on the bus: such a case goes on by the rules that hold for its application. An error is a
// reason to park, unless ctx has ended.
func (c *claim) caseOf(ctx context.Context, id handover.CaseID) (ledger.Case, error) {
	k := c.o.Ledger.Case(id)
	if len(k.Older) == 0 {
		return k, nil
	}
	c.fillIn(ctx, id, &k)
	if k.Opening.Profile != "" {
		return k, nil
	}
	m, err := c.messageAt(ctx, id, k.Application)
	if err != nil {
		return k, err
	}
	_, k.Opening, err = c.o.Rules.Open(m)
	k.Opening.Check = nil // it was sent on
	return k, fault.Wrap(fault.Park, "delivery.gate", err)
}

// fillIn adds to the history of a case which cost approvals it is about, and where they stand. A message that cannot be read is about none.
func (c *claim) fillIn(ctx context.Context, id handover.CaseID, k *ledger.Case) {
	k.Approvals = map[string]handover.ApprovalState{}
	for i := range k.History {
		s := &k.History[i]
		if place, older := k.Older[s.ID]; older {
			if m, err := c.messageAt(ctx, id, place); err == nil && handover.ApprovalOf(m.Payload) != "" {
				s.Approval = c.approval(m)
				s.ApprovalFrom, s.ApprovalTo = k.Approvals[s.Approval], whatever(s.Name)
			}
		}
		if s.Approval != "" && !s.Recalled {
			k.Approvals[s.Approval] = s.ApprovalTo
		}
	}
}

// whatever is where a cost approval stands after a message, whatever was said of it before: the earlier version did not ask.
func whatever(n handover.Name) handover.ApprovalState {
	for _, t := range handover.ApprovalTransitions() {
		if t.Message == n {
			return t.To
		}
	}
	return handover.NoApproval
}

// messageAt reads a message of a case again. An error is of kind Park: it cannot be read; or ctx has ended.
func (c *claim) messageAt(ctx context.Context, id handover.CaseID, place ledger.Place) (handover.Message, error) {
	var r Record
	var gone error
	err := c.persist(ctx, "delivery.read-again", func() (err error) {
		r, err = c.o.Bus.ReadAt(ctx, c.o.Bus.PartitionOf(id), place.Offset)
		if fault.KindOf(err) == fault.Park {
			gone, err = err, nil
		}
		return err
	})
	if err != nil || gone != nil {
		return handover.Message{}, fault.Wrap(fault.Park, "delivery.read-again", errors.Join(err, gone))
	}
	m, _, err := c.open(r)
	if err == nil && m.Case != id {
		err = fault.New(fault.Park, "delivery.read-again", "other-case", "at this place on the bus lies a message of another case").
			Hint("the bus is not the one that the ledger was written with")
	}
	return m, err
}
