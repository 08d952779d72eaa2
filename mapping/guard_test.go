package mapping_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/mapping"
)

type panicking struct{}

func (panicking) ToHandover(native.Record) (mapping.Draft, error) { panic("Meier, Rosa") }

func (panicking) FromHandover(handover.Message, mapping.Placement) (native.Entry, error) {
	panic("Meier, Rosa")
}

func TestGuard_APanicIsAReasonToParkWithoutItsValue(t *testing.T) {
	g := mapping.Guard(panicking{})
	_, reading := g.ToHandover(native.Record{})
	_, writing := g.FromHandover(handover.Message{}, mapping.Placement{})
	for _, err := range []error{reading, writing} {
		require.Equal(t, fault.Park, fault.KindOf(err))
		require.Equal(t, "panic", fault.CodeOf(err))
		require.NotContains(t, err.Error(), "Meier")
	}
}
