package handover_test

import (
	"reflect"
	"slices"
	"testing"

	h "github.com/einmal-hub/einmal/contracts/handover"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func approvalStates() []h.ApprovalState {
	return []h.ApprovalState{
		h.NoApproval, h.ApprovalRequested, h.ApprovalSigned, h.ApprovalRefused, h.MeasureInProgress, h.MeasureEnded, h.MeasureInvoiced,
	}
}

func TestApprovalsMoveAsTheTableSaysAndNoOtherWay(t *testing.T) {
	for _, from := range approvalStates() {
		for _, p := range h.Catalogue() {
			want, refusal := from, h.RefusedApproval
			for _, line := range h.ApprovalTransitions() {
				if line.From == from && line.Message == p.Name() {
					require.Equal(t, h.RefusedApproval, refusal, "no two lines apply at once: %v", line)
					want, refusal = line.To, ""
				}
			}
			to, got := h.NextApproval(from, p.Name())
			require.Equal(t, refusal, got)
			require.Equal(t, want, to)
		}
	}
}

func TestEveryMessageWithAnApprovalMovesOne(t *testing.T) {
	moves := map[h.Name]bool{}
	for _, line := range h.ApprovalTransitions() {
		moves[line.Message] = true
	}
	for _, zero := range h.Catalogue() {
		p := example(t, zero.Name())
		field := reflect.ValueOf(p).FieldByName("Approval")
		require.Equal(t, field.IsValid(), moves[p.Name()], p.Name())
		if field.IsValid() {
			require.NotEmpty(t, h.ApprovalOf(p))
			require.Equal(t, field.String(), h.ApprovalOf(p))
		} else {
			require.Empty(t, h.ApprovalOf(p), p.Name())
		}
	}
}

// TestP10NoMeasureWithoutASignedApproval holds the table against the rules in words, for anything that may be said.
func TestP10NoMeasureWithoutASignedApproval(t *testing.T) {
	var names []h.Name
	for _, p := range h.Catalogue() {
		names = append(names, p.Name())
	}
	rapid.Check(t, func(t *rapid.T) {
		state := h.NoApproval
		var said []h.Name
		for _, n := range rapid.SliceOfN(rapid.SampledFrom(names), 1, 60).Draw(t, "messages") {
			next, refusal := h.NextApproval(state, n)
			if refusal != "" {
				require.Equal(t, state, next, "a refused message changes nothing")
				continue
			}
			if before, needed := map[h.Name]h.Name{
				"cost-approval-reminder": "cost-approval-requested", "cost-approval-signed": "cost-approval-requested", "cost-approval-refused": "cost-approval-requested",
				"measure-ordered": "cost-approval-signed", "measure-completed": "measure-ordered", "invoice-forwarded": "measure-completed",
			}[n]; needed {
				require.Contains(t, said, before)
			}
			require.True(t, !slices.Contains(said, n) || n == "cost-approval-reminder" || n == "invoice-forwarded", "said once")
			require.NotContains(t, said, h.Name("cost-approval-refused"), "what was refused is asked for anew")
			said, state = append(said, n), next
		}
	})
}
