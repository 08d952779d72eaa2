package ledger

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/contracts/fault"
)

// The first key file counts: with another one the same native records would get other ids, and everything would be recorded a second time.
func TestI2_AnotherKeyFileStopsTheGateway(t *testing.T) {
	p := newPages(t)
	_, err := p.ledger().Install(t.Context())
	require.NoError(t, err)
	require.NoError(t, p.ledger().Belong(t.Context(), "first"))
	require.NoError(t, p.ledger().Belong(t.Context(), "first"), "after a restart")
	for _, compacted := range []bool{false, true} {
		p.view = p.again(compacted)
		err = p.ledger().Belong(t.Context(), "second")
		require.Equal(t, fault.Stop, fault.KindOf(err))
		require.Equal(t, "other-key-file", fault.CodeOf(err))
		require.NoError(t, p.ledger().Belong(t.Context(), "first"))
	}
}

// Two gateways that start at the same time with a key file each: one of them stops.
func TestI2_OfTwoKeyFilesTheFirstInTheLedgerCounts(t *testing.T) {
	p := newPages(t)
	p.add(Record{Kind: Keyring, Nonce: "a", Mark: "first"})
	p.add(Record{Kind: Keyring, Nonce: "b", Mark: "second"})
	require.NoError(t, p.ledger().Belong(t.Context(), "first"))
	require.Equal(t, "other-key-file", fault.CodeOf(p.ledger().Belong(t.Context(), "second")))
}
