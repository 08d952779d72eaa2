package handover_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	h "github.com/einmal-hub/einmal/contracts/handover"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// conversation is a case as the gateway would keep it: its history, and where the case and its approvals stand.
type conversation struct {
	t         require.TestingT
	number    int // of the last message
	history   []h.Said
	state     h.State
	approvals map[string]h.ApprovalState
}

func begin(t require.TestingT) *conversation {
	return &conversation{t: t, approvals: map[string]h.ApprovalState{}}
}

func organisation(r h.Role) h.OrganisationID {
	return map[h.Role]h.OrganisationID{h.Assigning: "sd-kriens", h.Receiving: "rav-luzern", h.Checking: h.Gateway}[r]
}

// say tries a message, a recall or a correction, and remembers it when it is admitted. approval is the keyed name of the approval that it is about, or "".
func (c *conversation) say(by h.Role, p h.Payload, action h.Action, references h.MessageID, approval string) (h.MessageID, h.Refusal) {
	before := h.Standing{State: c.state, Approval: c.approvals[approval]}
	after := before
	var refusal h.Refusal
	m := h.Message{Envelope: h.Envelope{Name: p.Name(), Sender: organisation(by), Action: action, References: references}, Payload: p}
	if action == h.ActionNew {
		after.State, refusal = h.Next(before.State, by, p)
		if refusal == "" && approval != "" {
			after.Approval, refusal = h.NextApproval(before.Approval, p.Name())
		}
	} else {
		after, refusal = h.Revise(c.history, before, m, approval)
	}
	if refusal != "" {
		require.True(c.t, action == h.ActionNew || after == before, "a refused message changes nothing")
		return "", refusal
	}
	c.number++
	id := h.MessageID(fmt.Sprintf("m%d", c.number))
	s := h.Said{ID: id, Name: p.Name(), Sender: m.Sender, From: before.State, To: after.State}
	if approval != "" {
		s.Approval, s.ApprovalFrom, s.ApprovalTo = approval, before.Approval, after.Approval
		c.approvals[approval] = after.Approval
	}
	was := slices.Clone(c.history)
	history := h.Remember(c.history, s, action, references)
	require.Equal(c.t, was, c.history, "a history is not changed by going on from it")
	c.history, c.state = history, after.State
	return id, ""
}

// line is one thing said in a test: "recall m2 application-decided accepted" by somebody, about approval "1".
type line struct {
	by         h.Role
	name       h.Name
	when       string
	action     h.Action
	references h.MessageID
	approval   string
	refused    h.Refusal
}

func (c *conversation) play(lines []line) {
	for i, l := range lines {
		if l.action == "" {
			l.action = h.ActionNew
		}
		p, ok := variants(c.t, l.name)[l.when]
		require.True(c.t, ok, "%s has no variant %q", l.name, l.when)
		_, refusal := c.say(l.by, p, l.action, l.references, l.approval)
		require.Equal(c.t, l.refused, refusal, "line %d: %s of %s", i+1, l.action, l.name)
	}
}

const (
	a, r = h.Assigning, h.Receiving
	back = h.ActionRecall
	anew = h.ActionCorrection
)

// underWay brings a case to the agreed note: m1 to m4.
func underWay(more ...line) []line {
	return append([]line{
		{by: a, name: "application-submitted"}, {by: r, name: "application-decided", when: "accepted"},
		{by: a, name: "transfer-meeting-scheduled"}, {by: r, name: "transfer-meeting-recorded", when: "all agreed"},
	}, more...)
}

func TestRecallsAndCorrections(t *testing.T) {
	const submitted, decided, scheduled, recorded = h.Name("application-submitted"), h.Name("application-decided"), h.Name("transfer-meeting-scheduled"), h.Name("transfer-meeting-recorded")
	const requested, signed, reminder, invoice = h.Name("cost-approval-requested"), h.Name("cost-approval-signed"), h.Name("cost-approval-reminder"), h.Name("invoice-forwarded")
	for name, test := range map[string]struct {
		lines    []line
		state    h.State
		approval h.ApprovalState // of approval "1"
	}{
		"a recalled application is withdrawn": {lines: []line{{by: a, name: submitted}, {by: a, name: submitted, action: back, references: "m1"}}, state: h.Withdrawn},
		"a recalled application is withdrawn after the check": {lines: []line{
			{by: a, name: submitted}, {by: h.Checking, name: "application-checked", when: "forward"}, {by: a, name: submitted, action: back, references: "m1"}}, state: h.Withdrawn},
		"a withdrawn application cannot be recalled again": {lines: []line{
			{by: a, name: submitted}, {by: a, name: submitted, action: back, references: "m1"}, {by: a, name: submitted, action: back, references: "m1", refused: h.RefusedReference}}, state: h.Withdrawn},
		"a recall cannot be recalled": {lines: []line{
			{by: a, name: submitted}, {by: a, name: submitted, action: back, references: "m1"}, {by: a, name: submitted, action: back, references: "m2", refused: h.RefusedReference}}, state: h.Withdrawn},
		"a recall cannot be corrected": {lines: []line{
			{by: a, name: submitted}, {by: a, name: submitted, action: back, references: "m1"}, {by: a, name: submitted, action: anew, references: "m2", refused: h.RefusedReference}}, state: h.Withdrawn},
		"a decided application cannot be recalled": {lines: []line{
			{by: a, name: submitted}, {by: r, name: decided, when: "accepted"}, {by: a, name: submitted, action: back, references: "m1", refused: h.RefusedSuperseded}}, state: h.AcceptedState},
		"a decided application cannot be corrected": {lines: []line{
			{by: a, name: submitted}, {by: r, name: decided, when: "rejected"}, {by: a, name: submitted, action: anew, references: "m1", refused: h.RefusedSuperseded}}, state: h.RejectedState},
		"an application that is asked about cannot be corrected": {lines: []line{
			{by: a, name: submitted}, {by: r, name: "clarification-requested"}, {by: a, name: submitted, action: anew, references: "m1", refused: h.RefusedSuperseded}}, state: h.Clarification},
		"a corrected application stays under review": {lines: []line{{by: a, name: submitted}, {by: a, name: submitted, action: anew, references: "m1"}}, state: h.UnderReview},
		"a corrected application can be decided": {lines: []line{
			{by: a, name: submitted}, {by: a, name: submitted, action: anew, references: "m1"}, {by: r, name: decided, when: "accepted"}}, state: h.AcceptedState},
		"nothing is recalled before it is said":  {lines: []line{{by: a, name: submitted, action: back, references: "m1", refused: h.RefusedReference}}},
		"nothing is recalled that names nothing": {lines: []line{{by: a, name: submitted}, {by: a, name: submitted, action: back, refused: h.RefusedReference}}, state: h.UnderReview},
		"the other party recalls nothing":        {lines: []line{{by: a, name: submitted}, {by: r, name: submitted, action: back, references: "m1", refused: h.RefusedReference}}, state: h.UnderReview},
		"another message recalls nothing": {lines: []line{
			{by: a, name: submitted}, {by: a, name: "application-withdrawn", action: back, references: "m1", refused: h.RefusedReference}}, state: h.UnderReview},
		"einmal's own answer is not revised": {lines: []line{
			{by: a, name: submitted}, {by: h.Checking, name: "application-checked", when: "forward"},
			{by: h.Checking, name: "application-checked", when: "returned", action: anew, references: "m2", refused: h.RefusedState}}, state: h.UnderReview},
		"accepted corrected to rejected": {lines: []line{
			{by: a, name: submitted}, {by: r, name: decided, when: "accepted"}, {by: r, name: decided, when: "rejected", action: anew, references: "m2"}}, state: h.RejectedState},
		"and back, naming the first": {lines: []line{
			{by: a, name: submitted}, {by: r, name: decided, when: "accepted"}, {by: r, name: decided, when: "rejected", action: anew, references: "m2"},
			{by: r, name: decided, when: "accepted", action: anew, references: "m2"}}, state: h.AcceptedState},
		"and back, naming the correction": {lines: []line{
			{by: a, name: submitted}, {by: r, name: decided, when: "accepted"}, {by: r, name: decided, when: "rejected", action: anew, references: "m2"},
			{by: r, name: decided, when: "accepted", action: anew, references: "m3"}}, state: h.AcceptedState},
		"a recalled correction takes the whole message back": {lines: []line{
			{by: a, name: submitted}, {by: r, name: decided, when: "accepted"}, {by: r, name: decided, when: "rejected", action: anew, references: "m2"},
			{by: r, name: decided, when: "rejected", action: back, references: "m3"}, {by: r, name: decided, when: "accepted", action: back, references: "m2", refused: h.RefusedReference}}, state: h.UnderReview},
		"a correction after the next step is too late": {lines: []line{
			{by: a, name: submitted}, {by: r, name: decided, when: "accepted"}, {by: a, name: scheduled}, {by: r, name: decided, when: "rejected", action: anew, references: "m2", refused: h.RefusedSuperseded}},
			state: h.TransferMeetingPlanned},
		"a recall after the next step is too late, until that is recalled": {lines: []line{
			{by: a, name: submitted}, {by: r, name: decided, when: "accepted"}, {by: a, name: scheduled}, {by: r, name: decided, when: "accepted", action: back, references: "m2", refused: h.RefusedSuperseded},
			{by: a, name: scheduled, action: back, references: "m3"}, {by: r, name: decided, when: "accepted", action: back, references: "m2"}}, state: h.UnderReview},
		"of two appointments the first is recalled": {lines: []line{
			{by: a, name: submitted}, {by: r, name: decided, when: "accepted"}, {by: a, name: scheduled}, {by: a, name: scheduled}, {by: a, name: scheduled, action: back, references: "m3"}},
			state: h.TransferMeetingPlanned},
		"of two appointments both are recalled": {lines: []line{
			{by: a, name: submitted}, {by: r, name: decided, when: "accepted"}, {by: a, name: scheduled}, {by: a, name: scheduled}, {by: a, name: scheduled, action: back, references: "m3"},
			{by: a, name: scheduled, action: back, references: "m4"}}, state: h.AcceptedState},
		"an appointment is corrected after the meeting": {lines: []line{
			{by: a, name: submitted}, {by: r, name: decided, when: "accepted"}, {by: a, name: scheduled}, {by: a, name: scheduled}, {by: r, name: recorded, when: "all agreed"},
			{by: a, name: scheduled, action: anew, references: "m4"}, {by: a, name: scheduled, action: anew, references: "m3", refused: h.RefusedSuperseded}}, state: h.Active},
		"a withdrawal is recalled": {lines: []line{
			{by: a, name: submitted}, {by: a, name: "application-withdrawn"}, {by: a, name: "application-withdrawn", action: back, references: "m2"}}, state: h.UnderReview},
		"the agreed note is recalled":                    {lines: underWay(line{by: r, name: recorded, when: "all agreed", action: back, references: "m4"}), state: h.TransferMeetingPlanned},
		"the note is corrected to not agreed":            {lines: underWay(line{by: r, name: recorded, when: "somebody did not agree", action: anew, references: "m4"}), state: h.NotEstablished},
		"case work rests on the note":                    {lines: underWay(line{by: r, name: "sanction-hint"}, line{by: r, name: recorded, when: "all agreed", action: back, references: "m4", refused: h.RefusedSuperseded}), state: h.Active},
		"case work rests on the agreement":               {lines: underWay(line{by: r, name: "sanction-hint"}, line{by: r, name: recorded, when: "somebody did not agree", action: anew, references: "m4", refused: h.RefusedSuperseded}), state: h.Active},
		"case work does not rest on the words":           {lines: underWay(line{by: r, name: "sanction-hint"}, line{by: r, name: recorded, when: "all agreed", action: anew, references: "m4"}), state: h.Active},
		"recalled case work is none":                     {lines: underWay(line{by: r, name: "sanction-hint"}, line{by: r, name: "sanction-hint", action: back, references: "m5"}, line{by: r, name: recorded, when: "all agreed", action: back, references: "m4"}), state: h.TransferMeetingPlanned},
		"a hint is corrected after the end":              {lines: underWay(line{by: r, name: "sanction-hint"}, line{by: r, name: "case-closed"}, line{by: r, name: "sanction-hint", action: anew, references: "m5"}, line{by: r, name: "sanction-hint", action: back, references: "m5"}), state: h.Closed},
		"the end is recalled":                            {lines: underWay(line{by: r, name: "case-closed"}, line{by: r, name: "measure-completed"}, line{by: r, name: "case-closed", action: back, references: "m5"}), state: h.Active},
		"the end is recalled, and what follows too":      {lines: underWay(line{by: r, name: "case-closed"}, line{by: r, name: invoice}, line{by: r, name: "case-closed", action: back, references: "m5"}, line{by: r, name: invoice, action: back, references: "m6"}), state: h.Active},
		"a withdrawn consent is given again":             {lines: underWay(line{by: a, name: "consent-withdrawn"}, line{by: a, name: "consent-withdrawn", action: back, references: "m5"}), state: h.Active},
		"a request for approval is recalled":             {lines: underWay(line{by: r, name: requested, approval: "1"}, line{by: r, name: requested, approval: "1", action: back, references: "m5"}), state: h.Active},
		"a reminder falls with its request":              {lines: underWay(line{by: r, name: requested, approval: "1"}, line{by: r, name: reminder, approval: "1"}, line{by: r, name: requested, approval: "1", action: back, references: "m5"}, line{by: a, name: signed, approval: "1", refused: h.RefusedApproval}), state: h.Active},
		"a recalled request is made again":               {lines: underWay(line{by: r, name: requested, approval: "1"}, line{by: r, name: requested, approval: "1", action: back, references: "m5"}, line{by: r, name: requested, approval: "1"}), state: h.Active, approval: h.ApprovalRequested},
		"a request is corrected":                         {lines: underWay(line{by: r, name: requested, approval: "1"}, line{by: r, name: requested, approval: "1", action: anew, references: "m5"}), state: h.Active, approval: h.ApprovalRequested},
		"a signature rests on the request":               {lines: underWay(line{by: r, name: requested, approval: "1"}, line{by: a, name: signed, approval: "1"}, line{by: r, name: requested, approval: "1", action: anew, references: "m5", refused: h.RefusedSuperseded}, line{by: r, name: requested, approval: "1", action: back, references: "m5", refused: h.RefusedSuperseded}), state: h.Active, approval: h.ApprovalSigned},
		"a signature on another approval does not":       {lines: underWay(line{by: r, name: requested, approval: "1"}, line{by: r, name: requested, approval: "2"}, line{by: a, name: signed, approval: "2"}, line{by: r, name: requested, approval: "1", action: back, references: "m5"}), state: h.Active},
		"a request is not moved to another number":       {lines: underWay(line{by: r, name: requested, approval: "1"}, line{by: r, name: requested, approval: "2", action: anew, references: "m5", refused: h.RefusedReference}), state: h.Active, approval: h.ApprovalRequested},
		"a signature is recalled before the order":       {lines: underWay(line{by: r, name: requested, approval: "1"}, line{by: a, name: signed, approval: "1"}, line{by: a, name: signed, approval: "1", action: back, references: "m6"}, line{by: r, name: "measure-ordered", approval: "1", refused: h.RefusedApproval}), state: h.Active, approval: h.ApprovalRequested},
		"a signature is not recalled after it":           {lines: underWay(line{by: r, name: requested, approval: "1"}, line{by: a, name: signed, approval: "1"}, line{by: r, name: "measure-ordered", approval: "1"}, line{by: a, name: signed, approval: "1", action: back, references: "m6", refused: h.RefusedSuperseded}), state: h.Active, approval: h.MeasureInProgress},
		"the first of two invoices is recalled":          {lines: underWay(invoiced(line{by: r, name: invoice, approval: "1"}, line{by: r, name: invoice, approval: "1", action: back, references: "m9"})...), state: h.Active, approval: h.MeasureInvoiced},
		"both invoices are recalled, the last one first": {lines: underWay(invoiced(line{by: r, name: invoice, approval: "1"}, line{by: r, name: invoice, approval: "1", action: back, references: "m10"}, line{by: r, name: invoice, approval: "1", action: back, references: "m9"})...), state: h.Active, approval: h.MeasureEnded},
		"both invoices are recalled":                     {lines: underWay(invoiced(line{by: r, name: invoice, approval: "1"}, line{by: r, name: invoice, approval: "1", action: back, references: "m9"}, line{by: r, name: invoice, approval: "1", action: back, references: "m10"})...), state: h.Active, approval: h.MeasureEnded},
	} {
		t.Run(name, func(t *testing.T) {
			c := begin(t)
			c.play(test.lines)
			require.Equal(t, test.state, c.state)
			require.Equal(t, test.approval, c.approvals["1"])
		})
	}
}

// invoiced brings approval 1 to its first invoice: m5 to m9.
func invoiced(more ...line) []line {
	return append([]line{
		{by: r, name: "cost-approval-requested", approval: "1"}, {by: a, name: "cost-approval-signed", approval: "1"}, {by: r, name: "measure-ordered", approval: "1"},
		{by: r, name: "measure-completed", approval: "1"}, {by: r, name: "invoice-forwarded", approval: "1"},
	}, more...)
}

func TestAnEarlierWordingIsFound(t *testing.T) {
	c := begin(t)
	c.play([]line{{by: a, name: "application-submitted"}, {by: a, name: "application-submitted", action: anew, references: "m1"}, {by: a, name: "application-submitted", action: anew, references: "m1"}})
	for _, id := range []h.MessageID{"m1", "m2", "m3"} {
		s, found := h.Earlier(c.history, id)
		require.True(t, found)
		require.Equal(t, h.Said{ID: "m3", Name: "application-submitted", Sender: "sd-kriens", To: h.UnderReview, Wordings: []h.MessageID{"m1", "m2"}}, s)
	}
	for _, id := range []h.MessageID{"", "m4"} {
		_, found := h.Earlier(c.history, id)
		require.False(t, found)
	}
}

// The gateway remembers an application that the rules do not admit as one that opened a returned case; a correction of it is judged again.
func TestAReturnedApplicationIsCorrected(t *testing.T) {
	history := h.Remember(nil, h.Said{ID: "m1", Name: "application-submitted", Sender: "sd-kriens", To: h.ReturnedState}, h.ActionNew, "")
	m := h.Message{Envelope: h.Envelope{Name: "application-submitted", Sender: "sd-kriens", Action: anew, References: "m1"}, Payload: example(t, "application-submitted")}
	after, refusal := h.Revise(history, h.Standing{State: h.ReturnedState}, m, "")
	require.Empty(t, refusal)
	require.Equal(t, h.UnderReview, after.State)
	m.Action = back
	after, refusal = h.Revise(history, h.Standing{State: h.ReturnedState}, m, "")
	require.Empty(t, refusal)
	require.Equal(t, h.Withdrawn, after.State)
}

// TestRandomRevisions: whatever is said, recalled and corrected, a case stands where it would stand if only what is in force had ever been said, in its last wording.
func TestRandomRevisions(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := begin(t)
		wording := map[h.MessageID]h.Payload{} // of every admitted message, in its last wording
		alias := map[h.MessageID]h.MessageID{}
		current := map[h.MessageID]h.MessageID{} // the id of its last wording
		var order []h.MessageID
		for range rapid.IntRange(1, 30).Draw(t, "length") {
			action := rapid.SampledFrom([]h.Action{h.ActionNew, h.ActionNew, h.ActionNew, h.ActionNew, h.ActionRecall, h.ActionCorrection}).Draw(t, "action")
			by, p, approval := draw(t, c.state)
			var references h.MessageID
			if action != h.ActionNew && len(c.history) > 0 {
				old := rapid.SampledFrom(c.history).Draw(t, "old")
				references = rapid.SampledFrom(append(slices.Clone(old.Wordings), old.ID)).Draw(t, "wording")
				if rapid.IntRange(0, 3).Draw(t, "fits") > 0 {
					by = h.Parties{Assigning: organisation(a), Receiving: organisation(r)}.RoleOf(old.Sender)
					all := variants(t, old.Name)
					p, approval = all[rapid.SampledFrom(slices.Sorted(maps.Keys(all))).Draw(t, "variant")], old.Approval
				}
			}
			id, refusal := c.say(by, p, action, references, approval)
			if refusal != "" {
				continue
			}
			root, known := alias[references]
			switch {
			case action == h.ActionNew:
				alias[id], wording[id], current[id], order = id, p, id, append(order, id)
			case action == h.ActionCorrection:
				require.True(t, known)
				alias[id], wording[root] = root, p
				current[root] = id
			default:
				require.True(t, known)
				order = slices.DeleteFunc(order, func(m h.MessageID) bool { return m == root })
				maps.DeleteFunc(alias, func(_, to h.MessageID) bool { return to == root })
				if p.Name() == "application-submitted" {
					require.Equal(t, h.Withdrawn, c.state)
					return
				}
			}
			said, again := map[h.MessageID]h.Said{}, begin(t)
			for _, s := range c.history {
				said[s.ID] = s
			}
			for _, id := range order {
				s := said[current[id]]
				require.False(t, s.Recalled)
				_, refusal := again.say(h.Parties{Assigning: organisation(a), Receiving: organisation(r)}.RoleOf(s.Sender), wording[id], h.ActionNew, "", s.Approval)
				require.True(t, refusal == "" || s.Name == "cost-approval-reminder" && refusal == h.RefusedApproval, "%s rests on something that was taken back: %s", s.Name, refusal)
			}
			require.Equal(t, again.state, c.state)
			for name, standing := range c.approvals {
				require.Equal(t, again.approvals[name], standing, name)
			}
		}
	})
}

// draw chooses a message, mostly one that may be said now, who says it, and the approval that it is about.
func draw(t *rapid.T, state h.State) (h.Role, h.Payload, string) {
	lines := slices.DeleteFunc(h.Transitions(), func(l h.Transition) bool { return l.From != state })
	if len(lines) == 0 || rapid.IntRange(0, 9).Draw(t, "anything") == 0 {
		lines = h.Transitions()
	}
	line := rapid.SampledFrom(lines).Draw(t, "line")
	by, p := line.Sender, variants(t, line.Message)[line.When]
	if by == h.NoRole {
		by = rapid.SampledFrom([]h.Role{a, r}).Draw(t, "by")
	}
	if h.ApprovalOf(p) == "" {
		return by, p, ""
	}
	return by, p, rapid.SampledFrom([]string{"1", "2"}).Draw(t, "approval")
}
