package gateway

import (
	"log/slog"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/gateway/claims"
	"github.com/einmal-hub/einmal/gateway/config"
	"github.com/einmal-hub/einmal/gateway/ledger"
)

// Millions of entries take minutes. What Redis does not take for a moment is written again; nothing begins anew.
func TestViews_AMomentOfWeaknessDoesNotEndTheFilling(t *testing.T) {
	redis := miniredis.RunT(t)
	log := &paper{view: ledger.NewView(1, nil)}
	l := ledger.New(log, log.view, time.Now)
	const handovers = 600 // twelve parts
	for n := range handovers {
		handOver(t, l, n)
	}
	g := &Gateway{view: log.view, claims: claims.Open(claims.Options{Address: redis.Addr(), Keep: 24 * time.Hour}, ledger.Nonce())}
	g.o.Log, g.o.Config = slog.New(slog.DiscardHandler), config.Config{Redis: config.Redis{Keep: 24 * time.Hour}}
	g.claims.Use(ledger.Nonce(), 0)
	v := &views{g: g}
	v.fill(t.Context())
	require.Eventually(t, func() bool { return v.written.Load() > 0 }, time.Minute, time.Millisecond)
	redis.SetError("LOADING Redis is loading the dataset in memory")
	time.AfterFunc(300*time.Millisecond, func() { redis.SetError("") })
	v.filling.Wait()
	whole, err := g.claims.Filled(t.Context())
	require.NoError(t, err)
	require.True(t, whole)
	require.EqualValues(t, 22*handovers, v.written.Load())
	require.NoError(t, g.claims.Close())
}
