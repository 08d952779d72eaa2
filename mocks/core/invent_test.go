package core_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/encoding/charmap"
	"pgregory.net/rapid"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/personal"
	"github.com/einmal-hub/einmal/mocks/core"
)

func TestInvent_EveryMessageIsValid(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := core.Invent(rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0)))
		for _, m := range handover.Catalogue() {
			p, err := f.Payload(m.Name())
			require.NoError(t, err, m.Name())
			require.Equal(t, m.Name(), p.Name())
			b, err := handover.EncodePayload(p)
			require.NoError(t, err)
			_, err = charmap.ISO8859_1.NewEncoder().Bytes(b)
			require.NoError(t, err, "invented texts are Latin-1")
			again, err := handover.DecodePayload(m.Name(), b)
			require.NoError(t, err)
			require.NoError(t, again.Validate())
		}
	})
}

func TestInvent_SameSeedGivesSameFacts(t *testing.T) {
	first := core.Invent(rand.New(rand.NewPCG(7, 0)))
	require.Equal(t, first, core.Invent(rand.New(rand.NewPCG(7, 0))))
	require.NotEqual(t, first, core.Invent(rand.New(rand.NewPCG(8, 0))))
}

func TestAHV_IsAccepted(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 0))
	for range 1000 {
		_, err := personal.ParseAHV(core.AHV(rng))
		require.NoError(t, err)
	}
}

func TestPayload_UnknownMessageIsRefused(t *testing.T) {
	_, err := core.Invent(rand.New(rand.NewPCG(1, 0))).Payload("no-such-message")
	require.ErrorContains(t, err, "no-such-message")
}
