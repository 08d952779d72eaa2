package osiv_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/mapping/mappingtest"
	"github.com/einmal-hub/einmal/mapping/osiv"
)

func TestConformance(t *testing.T) {
	fields, err := osiv.Table()
	require.NoError(t, err)
	mappingtest.Run(t, mappingtest.Subject{Table: fields, New: osiv.With, Fit: whoIsRegistered})
}

// whoIsRegistered makes an application one of a person with an IV registration: OSIV holds no others (P7).
func whoIsRegistered(p handover.Payload) handover.Payload {
	a, opens := p.(handover.ApplicationSubmitted)
	if !opens {
		return p
	}
	a.Declarations = slices.DeleteFunc(slices.Clone(a.Declarations), func(d handover.Declaration) bool { return d.Item == "IV_PROCEDURE" })
	a.Declarations = append(a.Declarations, handover.Declaration{Item: "IV_PROCEDURE", Answer: "RUNNING"})
	return a
}
