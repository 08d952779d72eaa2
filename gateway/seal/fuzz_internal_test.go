package seal

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/contracts/fault"
)

func FuzzOpen(f *testing.F) {
	path := filepath.Join(f.TempDir(), "einmal.key")
	require.NoError(f, Create(path))
	k, err := Load(path)
	require.NoError(f, err)
	good, err := k.Seal([]byte("payload"), []byte("envelope"))
	require.NoError(f, err)
	f.Add(good)
	f.Add([]byte(`{"v":1,"kid":"k1","ct":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}`))
	f.Add([]byte(`{"v":1,"kid":"","ct":null}`))
	f.Fuzz(func(t *testing.T, value []byte) {
		plain, err := k.Open(value, []byte("envelope"))
		if err == nil {
			require.True(t, bytes.Equal(value, good) && string(plain) == "payload", "a value that nobody sealed opens: %s", value)
			return
		}
		require.Equal(t, fault.Park, fault.KindOf(err))
	})
}

func FuzzParse(f *testing.F) {
	path := filepath.Join(f.TempDir(), "einmal.key")
	require.NoError(f, Create(path))
	good, err := os.ReadFile(path)
	require.NoError(f, err)
	f.Add(good)
	f.Add([]byte(`{"identity":"","sealing":[{"id":"k1","key":"AA=="}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		k, err := parse(text)
		if err != nil {
			require.Equal(t, "key-file-malformed", fault.CodeOf(err))
			return
		}
		b, err := k.Seal([]byte("payload"), nil)
		require.NoError(t, err)
		plain, err := k.Open(b, nil)
		require.NoError(t, err)
		require.Equal(t, "payload", string(plain))
	})
}
