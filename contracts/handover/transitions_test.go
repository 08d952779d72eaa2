package handover_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	h "github.com/einmal-hub/einmal/contracts/handover"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

var (
	finals = []h.State{h.ReturnedState, h.RejectedState, h.NotEstablished, h.Closed, h.Withdrawn}
	active = []h.State{h.Active, h.ConsentEnded}
)

func states() []h.State {
	return []h.State{
		h.NoCase, h.UnderReview, h.Clarification, h.ReturnedState, h.RejectedState, h.AcceptedState, h.TransferMeetingPlanned,
		h.NotEstablished, h.Active, h.ConsentEnded, h.Closed, h.Withdrawn,
	}
}

// variants returns the payloads of a message between which the table distinguishes, by the condition that they meet.
func variants(t require.TestingT, n h.Name) map[string]h.Payload {
	switch p := example(t, n).(type) {
	case h.ApplicationDecided:
		yes := p
		yes.Decision, yes.Reason = h.Accepted, ""
		return map[string]h.Payload{"accepted": yes, "rejected": p}
	case h.ApplicationChecked:
		forward := p
		forward.Outcome, forward.Findings = h.Forward, p.Findings[1:]
		return map[string]h.Payload{"returned": p, "forward": forward}
	case h.TransferMeetingRecorded:
		no := p
		no.Participants = slices.Clone(p.Participants)
		no.Participants[1].Agreed = false
		return map[string]h.Payload{"all agreed": p, "somebody did not agree": no}
	default:
		return map[string]h.Payload{"": p}
	}
}

// markdown renders the table for the README, one row a line of the table.
func markdown() string {
	var b strings.Builder
	b.WriteString("| State | Message | Said by | Next state |\n|---|---|---|---|\n")
	for _, t := range h.Transitions() {
		by, when := "either party", ""
		if t.Sender != h.NoRole {
			by = t.Sender.String()
		}
		if t.When != "" {
			when = " (" + t.When + ")"
		}
		fmt.Fprintf(&b, "| %s | %s%s | %s | %s |\n", named(t.From), t.Message, when, by, named(t.To))
	}
	return b.String()
}

func named(s h.State) string {
	if s == h.NoCase {
		return "(no case)"
	}
	return string(s)
}

// approvals renders the table of cost approvals in the same way.
func approvals() string {
	var b strings.Builder
	b.WriteString("| Cost approval | Message | Next |\n|---|---|---|\n")
	for _, t := range h.ApprovalTransitions() {
		from := string(t.From)
		if t.From == h.NoApproval {
			from = "(none)"
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", from, t.Message, t.To)
	}
	return b.String()
}

func TestTablesAreComplete(t *testing.T) {
	golden(t, "transitions.md", markdown())
	golden(t, "approvals.md", approvals())
}

func TestReadmeShowsTheTables(t *testing.T) {
	for name, table := range map[string]string{"transitions": markdown(), "approvals": approvals()} {
		const path = "../../README.md"
		begin, end := "<!-- "+name+" -->", "<!-- /"+name+" -->"
		readme, err := os.ReadFile(path)
		require.NoError(t, err)
		before, rest, ok := strings.Cut(string(readme), begin)
		require.True(t, ok, "README.md has no %s", begin)
		shown, after, ok := strings.Cut(rest, end)
		require.True(t, ok, "README.md has no %s", end)
		if *update {
			shown = "\n" + table
			require.NoError(t, os.WriteFile(path, []byte(before+begin+shown+end+after), 0o644))
		}
		require.Equal(t, table, strings.TrimLeft(shown, "\n"), "run go test ./contracts/handover -update")
	}
}

func TestEveryLineIsWalkedByItsSenderOnly(t *testing.T) {
	for _, line := range h.Transitions() {
		p, ok := variants(t, line.Message)[line.When]
		require.True(t, ok, "%s has no payload with %q", line.Message, line.When)
		for _, sender := range []h.Role{h.NoRole, h.Assigning, h.Receiving, h.Checking} {
			allowed := line.Sender == sender && sender != h.NoRole || line.Sender == h.NoRole && (sender == h.Assigning || sender == h.Receiving)
			to, refusal := h.Next(line.From, sender, p)
			if allowed {
				require.Empty(t, refusal, "%v", line)
				require.Equal(t, line.To, to)
			} else {
				want := h.RefusedSender
				if sender == h.Assigning && slices.Contains(active, line.From) {
					want = h.RefusedParallel // P4: the other one leads
				}
				require.Equal(t, want, refusal, "%v", line)
				require.Equal(t, line.From, to)
			}
		}
	}
}

func TestNoTwoLinesApplyAtOnce(t *testing.T) {
	seen := map[string]bool{}
	for _, line := range h.Transitions() {
		key := fmt.Sprint(line.From, line.Message, line.When)
		require.False(t, seen[key], key)
		seen[key] = true
		_, known := variants(t, line.Message)[line.When]
		require.True(t, known, "the conditions of one message exclude each other")
	}
}

// Revise relies on it: whether a party's message moves the case is said by the state, not by the content; and nothing that follows without moving the case may follow both ends.
func TestWhatAPartySaysMovesTheCaseOrDoesNot(t *testing.T) {
	for _, one := range h.Transitions() {
		for _, other := range h.Transitions() {
			if one.From != other.From || one.Message != other.Message || one.To == other.To || one.Sender == h.Checking {
				continue
			}
			require.NotEqual(t, one.From, one.To, "%v", one)
			for _, next := range h.Transitions() {
				follows := next.From == next.To && next.From == one.To
				require.False(t, follows && slices.ContainsFunc(h.Transitions(), func(l h.Transition) bool { return l.From == other.To && l.Message == next.Message }), "%v", next)
			}
		}
	}
}

func TestEveryMessageOfTheCatalogueStandsInTheTable(t *testing.T) {
	said := map[h.Name]bool{}
	for _, line := range h.Transitions() {
		said[line.Message] = true
	}
	require.Len(t, said, len(h.Catalogue()))
	for _, p := range h.Catalogue() {
		require.True(t, said[p.Name()], p.Name())
	}
}

func TestEveryStateIsReached(t *testing.T) {
	reached := map[h.State]bool{h.NoCase: true}
	for range states() {
		for _, line := range h.Transitions() {
			reached[line.To] = reached[line.To] || reached[line.From]
		}
	}
	for _, s := range states() {
		require.True(t, reached[s], s)
	}
	require.Len(t, reached, len(states()))
}

func TestEveryStateLeadsToAnEnd(t *testing.T) {
	ends := map[h.State]bool{}
	for _, s := range finals {
		ends[s] = true
	}
	for range states() {
		for _, line := range h.Transitions() {
			ends[line.From] = ends[line.From] || ends[line.To]
		}
	}
	for _, s := range states() {
		require.True(t, ends[s], s)
	}
}

func TestFinalStatesAreFinal(t *testing.T) {
	for _, line := range h.Transitions() {
		if slices.Contains(finals, line.From) {
			require.Equal(t, line.From, line.To, "%v", line)
		}
	}
	for _, s := range []h.State{h.ReturnedState, h.RejectedState, h.NotEstablished, h.Withdrawn} {
		for _, line := range h.Transitions() {
			require.NotEqual(t, s, line.From)
		}
	}
}

func TestACaseHasEndedInItsFinalStatesOnly(t *testing.T) {
	for _, s := range states() {
		require.Equal(t, slices.Contains(finals, s), h.Ended(s), s)
	}
}

func TestOnlyTheApplicationOpensACase(t *testing.T) {
	for _, line := range h.Transitions() {
		require.Equal(t, h.Opens(line.Message), line.From == h.NoCase, "%v", line)
		require.NotEqual(t, h.NoCase, line.To)
	}
}

func TestASecondApplicationIsRefused(t *testing.T) {
	for _, s := range states()[1:] {
		_, refusal := h.Next(s, h.Assigning, example(t, "application-submitted"))
		require.Equal(t, h.RefusedState, refusal)
	}
}

func TestWithdrawnConsentLeavesOnlyTheEnd(t *testing.T) {
	for _, line := range h.Transitions() {
		if line.From == h.ConsentEnded {
			require.Equal(t, h.Name("case-closed"), line.Message)
		}
	}
}

func TestLeadMovesWithTheAgreedNoteAndBack(t *testing.T) {
	for _, s := range states() {
		want := h.Assigning
		if slices.Contains(active, s) {
			want = h.Receiving
		}
		require.Equal(t, want, h.LeadIn(s), s)
	}
}

func TestUnsaidIsNotRefused(t *testing.T) {
	for name, p := range map[string]h.Payload{
		"undecided":           h.ApplicationDecided{Decision: "MAYBE"},
		"pointer to accepted": &h.ApplicationDecided{Decision: h.Accepted},
		"nothing":             nil,
	} {
		to, refusal := h.Next(h.UnderReview, h.Receiving, p)
		require.Equal(t, h.RefusedState, refusal, name)
		require.Equal(t, h.UnderReview, to, name)
	}
	_, refusal := h.Next(h.AcceptedState, h.Receiving, &h.TransferMeetingRecorded{})
	require.Equal(t, h.RefusedState, refusal)
}

func TestUnknownStateAllowsNothing(t *testing.T) {
	for _, p := range h.Catalogue() {
		_, refusal := h.Next("SOMEWHERE", h.Assigning, p)
		require.Equal(t, h.RefusedState, refusal)
	}
}

// TestRandomConversations holds the table against the rules that a reader would state without looking at it.
func TestRandomConversations(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		state, said := h.NoCase, map[string]int{}
		for range rapid.IntRange(1, 40).Draw(t, "length") {
			name := rapid.SampledFrom(h.Catalogue()).Draw(t, "message").Name()
			all := variants(t, name)
			when := rapid.SampledFrom(sortedKeys(all)).Draw(t, "variant")
			sender := rapid.SampledFrom([]h.Role{h.NoRole, h.Assigning, h.Receiving, h.Checking}).Draw(t, "sender")
			next, refusal := h.Next(state, sender, all[when])
			if refusal != "" {
				require.Equal(t, state, next, "a refused message changes nothing")
				continue
			}
			require.NotEqual(t, h.NoRole, sender, "only parties and einmal itself speak")
			require.Equal(t, name == "application-checked", sender == h.Checking, "einmal itself checks applications and says nothing else")
			require.False(t, slices.Contains(finals, state) && next != state, "what has ended stays ended")
			said[string(name)+when]++
			state = next
		}
		require.Equal(t, state != h.NoCase, said["application-submitted"] == 1, "a case has one application")
		if slices.Contains(append([]h.State{h.Closed}, active...), state) {
			require.Equal(t, 1, said["transfer-meeting-recordedall agreed"], "the lead moved with one agreed note")
			require.Equal(t, 1, said["application-decidedaccepted"], "on one accepted application")
		}
		require.LessOrEqual(t, said["case-closed"], 1)
	})
}

func sortedKeys(m map[string]h.Payload) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func TestRolesOfTheParties(t *testing.T) {
	p := h.Parties{Assigning: "a", Receiving: "b"}
	require.Equal(t, h.Assigning, p.RoleOf("a"))
	require.Equal(t, h.Receiving, p.RoleOf("b"))
	require.Equal(t, h.NoRole, p.RoleOf("c"))
	require.Equal(t, h.NoRole, h.Parties{}.RoleOf(""), "nobody is no party")
	require.Equal(t, h.Checking, p.RoleOf(h.Gateway))
	require.Equal(t, []string{"none", "assigning", "receiving", "einmal", "none"},
		[]string{h.NoRole.String(), h.Assigning.String(), h.Receiving.String(), h.Checking.String(), h.Role(9).String()})
}
