package gateway

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/contracts/handover"
)

// What is asked for before the others are taken is taken with them and leaves nothing behind: to compare no system by its name would be to compare all.
func TestWhatIsComparedEarlyIsOnlyWhatWasAskedFor(t *testing.T) {
	e := newEarly()
	e.ask("klib")
	<-e.asked
	e.ask("avam", "klib")
	require.Equal(t, []handover.SystemID{"avam", "klib"}, e.take())
	require.Empty(t, e.asked, "there is nothing left to be woken for")
	e.ask("avam")
	<-e.asked
	require.Equal(t, []handover.SystemID{"avam"}, e.take())
}
