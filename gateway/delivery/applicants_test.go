package delivery_test

import (
	"bytes"
	"maps"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/contracts/handover"
)

// drawer keeps applicants as a disk does.
type drawer struct {
	mu   sync.Mutex
	kept map[handover.CaseID][]byte
}

func (d *drawer) Kept() (map[handover.CaseID][]byte, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return maps.Clone(d.kept), nil
}

func (d *drawer) Keep(id handover.CaseID, sealed []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.kept[id] = sealed; sealed == nil {
		delete(d.kept, id)
	}
}

// annaAfterAStart lets a gateway learn of Anna's case, another one start with what is in the drawer and admit a stranger, and reports whether that one has read Anna's application from the bus again; then her
// second application must be noticed.
func annaAfterAStart(t *testing.T, r *rig, g *gateway, d *drawer, change func()) bool {
	t.Helper()
	enters(t, r, g, "c1", anna(t))
	place := g.ledger.Case("c1").Application.Offset
	enters(t, r, g, "c2", application())
	require.Contains(t, d.kept, handover.CaseID("c1"))
	g.stop()
	change()
	g = r.start(2)
	reads := func() int {
		r.memory.mu.Lock()
		defer r.memory.mu.Unlock()
		return r.memory.readAt[place]
	}
	before := reads()
	enters(t, r, g, "c3", application())
	again := reads() > before
	enters(t, r, g, "c4", anna(t, func(a *handover.ApplicationSubmitted) { a.PlannedMonths++ }))
	require.Equal(t, []string{"second-claim"}, codes(g))
	g.stop()
	return again
}

// I8: a gateway that starts knows who applies from its own disk and reads only the applications that it does not know from there; whatever that holds, it notices a second claim.
func TestI8_WhoAppliesIsKnownAfterAStartWhateverWasKept(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*drawer)
		again  bool // her application is read again
	}{
		"all is well":   {func(*drawer) {}, false},
		"it is lost":    {func(d *drawer) { clear(d.kept) }, true},
		"it is damaged": {func(d *drawer) { d.kept["c1"] = bytes.Repeat([]byte{1}, 80) }, true},
		"it is another's": {func(d *drawer) { // sealed for another case
			d.kept["c1"] = d.kept["c2"]
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(t *testing.T, r *rig, g *gateway) {
				d := &drawer{kept: map[handover.CaseID][]byte{}}
				r.applicants = d
				g.stop()
				g = r.start(0)
				enters(t, r, g, "c0", application()) // so that c2 is not the first to look
				require.Equal(t, tc.again, annaAfterAStart(t, r, g, d, func() { tc.change(d) }))
			})
		})
	}
}
