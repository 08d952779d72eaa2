package gateway_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/mocks/core"
	"github.com/einmal-hub/einmal/mocks/world"
)

// ways are how a system can be away.
func ways() map[string]func(http.ResponseWriter) {
	return map[string]func(http.ResponseWriter){
		"it says that it has not processed anything": func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = w.Write([]byte(`{"type":"about:blank","title":"busy","status":503,"code":"nicht-verarbeitet"}`))
		},
		"a proxy answers for it":   func(w http.ResponseWriter) { http.Error(w, "<html>Wartung</html>", http.StatusBadGateway) },
		"it cuts every connection": func(http.ResponseWriter) { panic(http.ErrAbortHandler) },
	}
}

// One destination is away while everything else is played; when it comes back everything arrives there, once and in order.
func TestI3ADestinationThatIsAwayHoldsBackNothingElse(t *testing.T) {
	t.Parallel()
	for name, answer := range ways() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, core.Faults{})
			f := s.front()
			f.set(func(id handover.SystemID, w http.ResponseWriter, _ *http.Request) bool {
				if id != world.KLIB {
					return false
				}
				answer(w)
				return true
			}, nil)
			g := s.gateway()
			// The office hands over to the social service, whose system is away; office and platform go on with what needs no answer from there.
			var affairs []*affair
			var markers [][]string
			for i := range 4 {
				a := s.affair(i).between("rav-luzern", "sd-kriens")
				first := a.enters(world.AVAM, "rav-luzern", "application-submitted")
				a.appears(first, world.CASEnet)
				second := a.enters(world.CASEnet, "sd-kriens", "clarification-requested")
				a.appears(second, world.AVAM)
				third := a.enters(world.AVAM, "rav-luzern", "clarification-answered")
				a.appears(third, world.CASEnet)
				affairs, markers = append(affairs, a), append(markers, []string{first, second, third})
			}
			require.Empty(t, s.world.Store(world.KLIB).After(0, 0))
			require.Equal(t, len(affairs)*3, g.Stats().Open)
			f.set(nil, nil)
			for i, a := range affairs {
				a.inOrder(markers[i]...)
			}
			g.clean()
		})
	}
}

// The whole network is gone again and again while the world is played.
func TestI7TheNetworkGoesAndComesBack(t *testing.T) {
	t.Parallel()
	s := newStage(t, world.BadDay(51))
	f := s.front()
	p := plan(t, 51, 10)
	g := s.gateway()
	play := s.begin(p, 15)
	gone := 0
	for play.next() {
		f.shut()
		f.open()
		gone++
	}
	require.GreaterOrEqual(t, gone, 3)
	g.clean()
	s.once(p)
}

// Fault 4: no notification ever comes; what was entered is found by reading.
func TestI1ANotificationThatNeverComesIsNotNeeded(t *testing.T) {
	t.Parallel()
	s := newStage(t, core.Faults{})
	p := plan(t, 52, 6)
	g := s.gateway()
	s.world.SetWebhookURL("")
	s.play(p)
	g.clean()
	s.once(p)
}
