package gateway_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/mocks/core"
)

// A notification waits until what it announces is durable. While its system cannot be read that takes long, and a stop does not wait for it.
func TestAStopDoesNotWaitForNotificationsThatWait(t *testing.T) {
	t.Parallel()
	s := newStage(t, core.Faults{})
	f := s.front()
	asked := make(chan struct{}, 100)
	f.judge = func(id handover.SystemID, w http.ResponseWriter, _ *http.Request) bool {
		if id != "casenet" {
			return false
		}
		select {
		case asked <- struct{}{}:
		default:
		}
		w.WriteHeader(http.StatusServiceUnavailable)
		return true
	}
	g := s.gateway()
	stopped := make(chan time.Time, 1)
	go func() {
		<-asked // the first reading
		<-asked // the one that the notification has caused, or one after it
		<-asked
		stopped <- time.Now()
		g.cancel()
	}()
	status, _ := g.send(sign(t, `{"type":"record.created"}`), "/webhooks/casenet")
	g.stop()
	require.Equal(t, http.StatusServiceUnavailable, status)
	require.Less(t, time.Since(<-stopped), notificationPatience/2)
}

// notificationPatience is how long a notification may wait.
const notificationPatience = 10 * time.Second
