package gateway

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/gateway/ledger"
)

// I1: a case's organisation works in a system that this gateway does not have: during a roll-out, or when it was taken out of the configuration. What must stand there waits for a person;
// left out, nobody would ever miss it.
func TestI1_ASystemThatIsNotConfiguredIsNotLeftOut(t *testing.T) {
	d := places{systems: map[handover.SystemID]place{"klib": {write: true}, "register": {}, "casenet": {shared: true, write: true}}, order: []handover.SystemID{"casenet", "klib", "register"}}
	e := handover.Envelope{Source: "klib", Sender: "sd"}
	p := handover.Parties{Assigning: "sd", Receiving: "rav"}
	to, err := d.Destinations(e, p, map[handover.OrganisationID]handover.SystemID{"sd": "klib", "rav": "avam"})
	require.NoError(t, err)
	require.Equal(t, []ledger.Destination{{System: "avam", Organisation: "rav"}, {System: "casenet"}}, to)

	to, err = d.Destinations(e, p, map[handover.OrganisationID]handover.SystemID{"sd": "klib", "rav": "register"})
	require.NoError(t, err)
	require.Equal(t, []ledger.Destination{{System: "casenet"}}, to, "one that is only read is left out by the configuration's own word")
}
