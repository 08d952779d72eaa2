package mapping_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/mapping"
)

// breaking panics with what it was given.
type breaking struct{}

func (breaking) ToHandover(r native.Record) (mapping.Draft, error) { panic(string(r.Body)) }

func (breaking) FromHandover(m handover.Message, _ mapping.Placement) (native.Entry, error) {
	panic(string(m.ID))
}

func TestAMappingThatBreaksDownIsAReasonToParkThatSaysNothingOfTheRecord(t *testing.T) {
	m := mapping.Guard(breaking{})
	_, reading := m.ToHandover(native.Record{Body: []byte("Muster")})
	_, writing := m.FromHandover(handover.Message{Envelope: handover.Envelope{ID: "Muster"}}, mapping.Placement{})
	for _, err := range []error{reading, writing} {
		require.Equal(t, fault.Park, fault.KindOf(err))
		require.Equal(t, "panic", fault.CodeOf(err))
		require.NotContains(t, err.Error(), "Muster")
	}
}
