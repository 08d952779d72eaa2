package all_test

import (
	"testing"
	"time"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/mapping"
	"github.com/einmal-hub/einmal/mapping/all"
	"github.com/einmal-hub/einmal/mapping/table"
	"github.com/stretchr/testify/require"
)

// Every system can be given the words of another jurisdiction, so that nothing of the first one is in Go code.
func TestEveryMappingTakesTheCodesOfAnotherPlace(t *testing.T) {
	mappers, err := all.Mappers()
	require.NoError(t, err)
	for name, subject := range subjects(t) {
		t.Run(name, func(t *testing.T) {
			coded, able := mappers[name].(mapping.Coded)
			require.True(t, able, "implement mapping.Coded")
			other, err := coded.WithCodes("codes.yaml", []byte("codes:\n  "+listOf(t, subject.Table)+": {SOMEWHERE_ELSE: \"9\"}\n"))
			require.NoError(t, err)
			withdrawn := handover.ApplicationWithdrawn{WithdrawnOn: "2026-03-02", Reason: "SOMEWHERE_ELSE"}
			require.Empty(t, refusal(other, withdrawn))
			require.Equal(t, "unknown-code", refusal(coded, withdrawn))
			_, err = coded.WithCodes("codes.yaml", []byte("codes:\n  no-such-list: {A: a}\n"))
			require.Equal(t, fault.Stop, fault.KindOf(err))
		})
	}
}

var moment = time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)

// listOf returns the name of the code list for the reason of a withdrawal.
func listOf(t *testing.T, words *table.Table) string {
	t.Helper()
	for _, r := range words.Rows("application-withdrawn") {
		if r.Canonical == "reason" {
			return r.List
		}
	}
	require.Fail(t, "the table has no reason of a withdrawal")
	return ""
}

// refusal returns the code of what keeps a mapping from writing a message, "" for nothing.
func refusal(m mapping.Mapper, p handover.Payload) string {
	_, err := m.FromHandover(
		handover.Message{Payload: p, Envelope: handover.Envelope{
			ID: "0195e1a2-3333-7000-8000-00000000000c", Source: "x", Name: p.Name(), Case: "0195e1a2-0000-7000-8000-000000000001", Time: moment, Sender: "a", Sequence: 1,
			Action: handover.ActionNew,
		}},
		mapping.Placement{Reference: "0195e1a2-1111-7000-8000-00000000000a", System: "y", Organisation: "a", Role: handover.Assigning, Case: "D1", Now: moment},
	)
	if err == nil {
		return ""
	}
	return fault.CodeOf(err)
}
