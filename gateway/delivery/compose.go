package delivery

import (
	"context"
	"slices"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/personal"
	"github.com/einmal-hub/einmal/gateway/ledger"
	"github.com/einmal-hub/einmal/mapping"
)

// compose translates the message for its destination. A message that cannot be translated is never announced in the ledger.
func (c *claim) compose(ctx context.Context, j *job) error {
	if j.sink == nil {
		return fault.New(fault.Park, "delivery.compose", "unknown-system", "no system of this name is configured to be written into").
			Hint("add the system to the configuration and let the message go on")
	}
	k := c.o.Ledger.Case(j.Case)
	a, _ := c.o.Ledger.Admission(j.Message)
	m, err := c.worded(j.m, a, k, j.To)
	if err != nil {
		return err
	}
	j.m = m
	j.m.Action, j.m.References = revised(j.m.Envelope, a)
	if err := c.warn(j, k.Opening.Profile); err != nil {
		return err
	}
	at := mapping.Placement{
		Reference: j.Ref, System: j.To.System, Organisation: j.To.Organisation, Now: c.o.Now(), Parties: k.Parties,
	}
	if at.Organisation == "" {
		at.Organisation = j.m.Sender // on a shared platform an entry is made for whoever says it
	}
	at.Role = at.Parties.RoleOf(at.Organisation)
	if err := c.refer(j, k.History, &at); err != nil {
		return err
	}
	if j.To.Organisation != "" && at.Role == handover.Assigning {
		at.Procedure = procedure(j.m, k.Opening)
	}
	if err := c.locate(ctx, j, &at); err != nil {
		return err
	}
	entry, err := j.sink.Mapper.FromHandover(j.m, at)
	if err != nil {
		return fault.Wrap(fault.Park, "delivery.map", err)
	}
	j.entry, j.Kind = entry, entry.Kind
	return nil
}

// worded returns what is said at a destination. The dossier that an application was entered in gets the answer of the rules; everybody else gets the application with the
// receiving organisation that was found for it.
func (c *claim) worded(m handover.Message, a ledger.Admission, k ledger.Case, to ledger.Destination) (handover.Message, error) {
	form, ok := m.Payload.(handover.ApplicationSubmitted)
	switch {
	case !ok:
		return m, nil
	case a.Opening != nil && a.Opening.Check != nil && to == a.Origin:
		findings, err := c.openCheck(*a.Opening.Check, m)
		return answer(m, form.Remark, *a.Opening, findings), err
	case form.Receiving == "":
		form.Receiving = k.Parties.Receiving
		m.Payload, m.Parties = form, k.Parties
	}
	return m, nil
}

// warn says in the entry that it may be a duplicate, when a person has had it sent once more although it may stand already. In mode A it cannot become one, and the native system may compare what it
// gets with what it has.
func (c *claim) warn(j *job, profile string) (err error) {
	if ref, _ := c.o.Ledger.Ref(j.Ref); ref.Repeated && j.sink.Abilities.Mode != adapters.ModeA {
		j.m.Payload, err = handover.Marked(j.m.Payload, c.o.Rules.Repeated(profile))
	}
	return err
}

// answer is what the rules say to an application, in einmal's own name.
func answer(m handover.Message, remark personal.Text, o ledger.Opening, findings []ledger.Finding) handover.Message {
	p := handover.ApplicationChecked{Outcome: o.Check.Outcome, Profile: o.Profile, Remark: remark}
	for _, f := range findings {
		p.Findings = append(p.Findings, handover.RuleFinding{
			Rule: f.Rule, Severity: f.Severity, Reason: f.Reason, Source: f.Source, Text: personal.Text(f.Text), Hint: personal.Text(f.Hint),
		})
	}
	e := m.Envelope
	e.Name, e.Sender, e.Action, e.References, e.Parties = p.Name(), handover.Gateway, handover.ActionNew, m.ID, handover.Parties{}
	return handover.Message{Envelope: e, Payload: p}
}

// revised is what a message does to an earlier one, and to which: as it was admitted, which may be another one than it names, because what it names was dropped.
func revised(e handover.Envelope, a ledger.Admission) (handover.Action, handover.MessageID) {
	switch {
	case e.Sender == handover.Gateway: // an answer is new, whatever the application was
		return e.Action, e.References
	case a.Action == "":
		return handover.ActionNew, ""
	}
	return a.Action, a.Revises
}

// refer finds the entry that a recall or a correction is about: the wording that it names, or if that does not stand at the place, the last one before it that does. A correction of what never stood
// there, because it was returned or dropped, is new there.
func (c *claim) refer(j *job, history []handover.Said, at *mapping.Placement) error {
	if j.m.Action == handover.ActionNew {
		return nil
	}
	perhaps := false
	for _, id := range wordings(history, j.m) {
		earlier := c.Reference(id, j.To)
		ref, _ := c.o.Ledger.Ref(earlier)
		if ref.Done {
			at.Earlier = mapping.Earlier{Record: ref.Native, Reference: earlier}
			return nil
		}
		perhaps = perhaps || ref.Attempt > 0 && !ref.Void
	}
	switch {
	case j.m.Action == handover.ActionRecall:
		return nothingToRecall("delivery.compose", "the message that is recalled does not stand here: a person has dropped it")
	case !perhaps:
		j.m.Action, j.m.References = handover.ActionNew, ""
	}
	return nil // the mapping says what it lacks
}

// wordings are the ids under which what a message revises was said before it: the one that it names, and then the others, the last one first.
func wordings(history []handover.Said, m handover.Message) []handover.MessageID {
	ids := []handover.MessageID{m.References}
	said, _ := handover.Earlier(history, m.References)
	all := append(slices.Clone(said.Wordings), said.ID)
	if own := slices.Index(all, m.ID); own >= 0 {
		all = all[:own]
	}
	slices.Reverse(all)
	return append(ids, all...)
}

// nothingToRecall lets a recall wait whose original is not there.
func nothingToRecall(op, text string) error {
	return fault.New(fault.Park, op, "nothing-to-recall", text).Hint("see to it that nobody acts on it, and withdraw this message")
}

// procedure is how the assigning agency leads its own procedure after a message; empty when the message changes nothing about it (concept 3.3).
func procedure(m handover.Message, o ledger.Opening) handover.Code {
	recalled := m.Action == handover.ActionRecall
	switch p := m.Payload.(type) {
	case handover.TransferMeetingRecorded:
		switch {
		case p.Agreed() && !recalled:
			return o.During
		case p.Agreed() || m.Action == handover.ActionCorrection:
			return o.After
		}
	case handover.CaseClosed:
		if recalled {
			return o.During
		}
		return o.After
	}
	return ""
}

// locate finds the native case that an entry goes into, unless it opens one.
func (c *claim) locate(ctx context.Context, j *job, at *mapping.Placement) error {
	if handover.Opens(j.m.Name) && j.m.Action == handover.ActionNew {
		return nil
	}
	key, known := c.o.Ledger.NativeCase(j.Case, j.To)
	if !known {
		_ = c.persist(ctx, "delivery.sync", func() error { return c.o.Ledger.Sync(ctx, j.Case) })
		key, known = c.o.Ledger.NativeCase(j.Case, j.To)
	}
	if !known {
		return fault.New(fault.Park, "delivery.compose", "native-case-unknown", "the case has no counterpart in the native system").
			Hint("look for the opening of the case at this destination; it is parked or was withdrawn")
	}
	at.Case = key
	return nil
}
