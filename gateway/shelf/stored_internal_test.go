package shelf

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/gateway/ledger"
)

// FuzzDecode: what lies on a disk may be anything. It is what was written, or damaged, and never something else.
func FuzzDecode(f *testing.F) {
	for _, r := range []ledger.Stored{
		{}, {Partition: 5, Offset: 1 << 40, At: time.Date(2026, 11, 1, 8, 0, 0, 7, time.UTC), Value: []byte(`{"v":1}`)},
	} {
		f.Add(encode(r))
	}
	f.Add([]byte{0, 0, 0, 0})
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0x80})
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := decode(b)
		if err != nil {
			return
		}
		again, err := decode(encode(r))
		require.NoError(t, err)
		require.Equal(t, r, again)
	})
}
