package adaptertest

import (
	"context"
	"net/http"
	"time"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func aboutSystems() []rule {
	return []rule{
		{name: "the abilities fit together", hold: abilitiesFit},
		{name: "ping tells whether the connection can be used", hold: pings},
		{name: "close may be called twice and leaves no goroutine", hold: closes},
		{name: "a notification without a signature is refused", hold: verifies, needs: func(s adapters.System) bool { return s.Webhook != nil }},
	}
}

// longestRequest is what the gateway allows: a request must end before the bus gives its partition to another gateway.
const longestRequest = 25 * time.Second

func abilitiesFit(s *session) {
	a := s.system.Abilities
	require.Contains(s.T, []adapters.Mode{adapters.ModeA, adapters.ModeB, adapters.ModeC}, a.Mode)
	require.True(s.T, s.system.Source != nil || s.system.Sink != nil, "a system is read from or written into")
	require.NotNil(s.T, s.system.Ping)
	require.NotNil(s.T, s.system.Close)
	if _, keeps := s.native.(Archive); keeps {
		require.NotNil(s.T, s.system.Documents, "the native system keeps documents (Archive), and the adapter moves none")
	}
	require.NotEmpty(s.T, a.Contract, "what is measured is measured of one version of the contract")
	if s.system.Sink == nil {
		return
	}
	require.Positive(s.T, a.Bounds.Request, "a request has a bound")
	require.LessOrEqual(s.T, a.Bounds.Request, longestRequest, "the gateway does not start with a longer one")
	if a.Bounds.Asynchronous() {
		require.NotNil(s.T, s.system.Finder, "a system that answers later needs a search")
	}
	if a.Mode == adapters.ModeB {
		require.NotNil(s.T, s.system.Finder, "mode B needs a search")
		require.Greater(s.T, a.Bounds.Settle(), a.Bounds.Request, "what a lookup proves holds only after every bound")
	}
}

func pings(s *session) {
	require.NoError(s.T, s.system.Ping(s.Context()))
	if s.has(Forbidden) {
		s.failed(s.connect(WrongCredentials).Ping(s.Context()), fault.Stop)
	}
	s.failed(s.connect(Unreachable).Ping(s.Context()), fault.Retry, fault.Stop)
}

func closes(s *session) {
	before := goleak.IgnoreCurrent()
	system := s.native.Connect(s.T, Right)
	s.use(s.Context(), system)
	require.NoError(s.T, system.Close())
	require.NoError(s.T, system.Close())
	require.NoError(s.T, goleak.Find(before))
}

// use calls everything once, with an answer that is cut in between.
func (s *session) use(ctx context.Context, system adapters.System) {
	s.Helper()
	require.NoError(s.T, system.Ping(ctx))
	if system.Source != nil {
		_, err := system.Source.Read(ctx, "", 10)
		require.NoError(s.T, err)
	}
	if system.Sink != nil {
		s.native.Script(LostAnswer)
		_, err := system.Sink.Apply(ctx, s.native.Entry(1, ""))
		s.failed(err, fault.Doubt, fault.Unclassified)
	}
	if system.Finder != nil {
		_, err := system.Finder.Find(ctx, s.native.Entry(1, "").Reference)
		require.NoError(s.T, err)
	}
}

func verifies(s *session) {
	s.failed(s.system.Webhook.Verify(http.Header{}, []byte("{}")), fault.Refuse)
	forged := http.Header{"Webhook-Id": {"1"}, "Webhook-Timestamp": {"1"}, "Webhook-Signature": {"v1,AAAA"}, "Authorization": {"Bearer x"}}
	s.failed(s.system.Webhook.Verify(forged, []byte("{}")), fault.Refuse)
}
