package delivery

import (
	"context"

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
	j.m = worded(j.m, a, k, j.To)
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
	c.refer(j, &at)
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
func worded(m handover.Message, a ledger.Admission, k ledger.Case, to ledger.Destination) handover.Message {
	form, ok := m.Payload.(handover.ApplicationSubmitted)
	switch {
	case !ok:
		return m
	case a.Opening != nil && a.Opening.Check != nil && to == a.Origin:
		return answer(m, form.Remark, *a.Opening)
	case form.Receiving == "":
		form.Receiving = k.Parties.Receiving
		m.Payload, m.Parties = form, k.Parties
	}
	return m
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
func answer(m handover.Message, remark personal.Text, o ledger.Opening) handover.Message {
	p := handover.ApplicationChecked{Outcome: o.Check.Outcome, Profile: o.Profile, Remark: remark}
	for _, f := range o.Check.Findings {
		p.Findings = append(p.Findings, handover.RuleFinding{
			Rule: f.Rule, Severity: f.Severity, Reason: f.Reason, Source: f.Source, Text: personal.Text(f.Text), Hint: personal.Text(f.Hint),
		})
	}
	e := m.Envelope
	e.Name, e.Sender, e.Action, e.References, e.Parties = p.Name(), handover.Gateway, handover.ActionNew, m.ID, handover.Parties{}
	return handover.Message{Envelope: e, Payload: p}
}

// refer finds the entry that a recall or a correction is about. A corrected application that was returned before has never stood here: it is a new one.
func (c *claim) refer(j *job, at *mapping.Placement) {
	if j.m.Action == handover.ActionNew {
		return
	}
	earlier := c.Reference(j.m.References, j.To)
	ref, announced := c.o.Ledger.Ref(earlier)
	switch {
	case ref.Done:
		at.Earlier = mapping.Earlier{Record: ref.Native, Reference: earlier}
	case !announced && handover.Opens(j.m.Name):
		j.m.Action, j.m.References = handover.ActionNew, ""
	}
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
