package seal_test

import (
	"bytes"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/gateway/seal"
)

// BenchmarkSeal measures a payload of 4 KB, an application as it usually is, and the id of a message.
func BenchmarkSeal(b *testing.B) {
	keys, _, err := seal.LoadOrCreate(filepath.Join(b.TempDir(), "key"))
	require.NoError(b, err)
	plain, associated := bytes.Repeat([]byte("Angaben "), 512), bytes.Repeat([]byte("a"), 300)
	sealed, err := keys.Seal(plain, associated)
	require.NoError(b, err)
	b.Run("seal", func(b *testing.B) {
		b.SetBytes(int64(len(plain)))
		for b.Loop() {
			if _, err := keys.Seal(plain, associated); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("open", func(b *testing.B) {
		b.SetBytes(int64(len(plain)))
		for b.Loop() {
			if _, err := keys.Open(sealed, associated); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("derive-id", func(b *testing.B) {
		for b.Loop() {
			_ = keys.DeriveID("message", "klib", "4711")
		}
	})
}
