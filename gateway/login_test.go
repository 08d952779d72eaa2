package gateway_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/einmal-hub/einmal/mocks/core"
	"github.com/einmal-hub/einmal/mocks/world"
)

// guarded lets every gateway of the stage use a broker that wants a login, asks for it again all the time, and does not let anybody in while the returned value is true.
func (s *stage) guarded() *atomic.Bool {
	s.t.Helper()
	s.engines() // for its Redis
	const mechanism, user, password = "SCRAM-SHA-256", "gate", "geheim"
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.GroupMinSessionTimeout(time.Second), kfake.EnableSASL(), kfake.Superuser(mechanism, user, password),
		kfake.BrokerConfigs(map[string]string{"connections.max.reauth.ms": "400"}))
	require.NoError(s.t, err)
	s.after = append(s.after, cluster.Close)
	var expired atomic.Bool
	cluster.ControlKey(kmsg.SASLAuthenticate.Int16(), func(req kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		answer := req.ResponseKind().(*kmsg.SASLAuthenticateResponse)
		answer.ErrorCode = kerr.SaslAuthenticationFailed.Code
		return answer, nil, expired.Load()
	})
	s.kafka = cluster.ListenAddrs()[0]
	file := filepath.Join(s.dir, "kafka.password")
	require.NoError(s.t, os.WriteFile(file, []byte(password), 0o600))
	s.rewrite = func(yaml string) string {
		login := fmt.Sprintf(", sasl: {mechanism: %s, user: %s, passwordFile: %s}", mechanism, user, file)
		return strings.Replace(yaml, ", session: 2s", ", session: 2s"+login, 1)
	}
	return &expired
}

// says waits until the gateway's metrics hold a line that begins like this.
func (g *running) says(line string) {
	g.t.Helper()
	require.Eventually(g.t, func() bool {
		_, metrics := g.admin(http.MethodGet, "/metrics", nil)
		return strings.Contains(metrics, "\n"+line)
	}, patience, tick, line)
}

// The login at the brokers expires again and again while the world is played: the gateway waits, an alarm can be set on it, and everything stands once when it is right again.
// Fault 21.
func TestI7ALoginAtTheBrokersThatExpiresIsWaitedOut(t *testing.T) {
	t.Parallel()
	s := newStage(t, world.BadDay(71))
	expired := s.guarded()
	g := s.gateway()
	p := plan(t, 71, 6)
	play := s.begin(p, 15)
	times := 0
	for play.next() {
		expired.Store(true)
		if times++; times == 1 {
			g.says(`einmal_bus_troubles_total{einmal_operation="bus.consume",einmal_reason="forbidden"}`)
		}
		expired.Store(false)
	}
	require.GreaterOrEqual(t, times, 2)
	g.clean()
	s.once(p)
}

// A native system lets the gateway in no longer, because its token has been replaced: reading and writing there wait, and say so; everything else goes on; and with the new token in its file
// everything goes on without a restart, once and in order.
// Fault 21, at a native system.
func TestI7ALoginThatANativeSystemRefusesIsWaitedOut(t *testing.T) {
	t.Parallel()
	s := newStage(t, core.Faults{})
	g := s.gateway()
	token := func(t string) {
		require.NoError(s.t, os.WriteFile(filepath.Join(s.dir, "klib.token"), []byte(t), 0o600))
	}
	a, b := s.affair(1), s.affair(2)
	markers := []string{a.enters(world.KLIB, "sd-kriens", "application-submitted")}
	a.appears(markers[0], everywhere()...)

	token("replaced")
	markers = append(markers, a.enters(world.AVAM, "rav-luzern", "clarification-requested"))
	news := b.enters(world.KLIB, "sd-kriens", "application-submitted")
	a.appears(markers[1], world.CASEnet)
	g.says(`einmal_attempts_total{einmal_destination="klib/sd-kriens",einmal_outcome="stop"}`)
	g.says(`einmal_read_failures_total{einmal_reason="unauthorized",einmal_system="klib"}`)
	g.waits(0)
	require.Len(t, a.stands(world.KLIB), 1)

	token(secrets()["klib.token"])
	a.inOrder(markers...)
	b.appears(news, everywhere()...)
	g.clean()
}
