package seal_test

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/gateway/seal"
)

func TestOnlyTheOwnerCanReadAKeyFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "folder", "einmal.key")
	require.NoError(t, seal.Create(path))
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	folder, err := os.Stat(filepath.Dir(path))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o700), folder.Mode().Perm())
}

func TestAKeyFileThatOthersCanReadIsNotUsed(t *testing.T) {
	for _, mode := range []os.FileMode{0o640, 0o604, 0o620, 0o602, 0o610, 0o601, 0o644, 0o666, 0o777} {
		_, path := newKeys(t)
		require.NoError(t, os.Chmod(path, mode))
		_, err := seal.Load(path)
		require.Equal(t, "key-file-open-to-others", fault.CodeOf(err), mode)
	}
	_, path := newKeys(t)
	require.NoError(t, os.Chmod(path, 0o400))
	_, err := seal.Load(path)
	require.NoError(t, err, "read-only is safe")
}

func TestAKeyFileIsNeverOverwritten(t *testing.T) {
	_, path := newKeys(t)
	before, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, "key-file-exists", fault.CodeOf(seal.Create(path)))
	_, created, err := seal.LoadOrCreate(path)
	require.NoError(t, err)
	require.False(t, created)
	after, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, before, after)
}

func TestADamagedKeyFileIsNotReplacedByANewOne(t *testing.T) {
	path := filepath.Join(t.TempDir(), "einmal.key")
	require.NoError(t, os.WriteFile(path, nil, 0o600))
	_, created, err := seal.LoadOrCreate(path)
	require.Equal(t, "key-file-malformed", fault.CodeOf(err))
	require.False(t, created)
}

func TestGatewaysThatStartAtTheSameTimeAgreeOnOneKeyFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "einmal.key")
	const gateways = 16
	ids := make([]string, gateways)
	made := make([]bool, gateways)
	errs := make([]error, gateways)
	var all sync.WaitGroup
	for i := range gateways {
		all.Go(func() {
			var k *seal.Keys
			if k, made[i], errs[i] = seal.LoadOrCreate(path); errs[i] == nil {
				ids[i] = k.DeriveID("case", "klib", "1")
			}
		})
	}
	all.Wait()
	makers := 0
	for i := range gateways {
		require.NoError(t, errs[i])
		require.Equal(t, ids[0], ids[i])
		if made[i] {
			makers++
		}
	}
	require.Equal(t, 1, makers)
	left, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	require.Len(t, left, 1, "no draft is left behind")
}

func TestAMissingKeyFileIsSaidToBeMissing(t *testing.T) {
	_, err := seal.Load(filepath.Join(t.TempDir(), "none"))
	require.Equal(t, "key-file-missing", fault.CodeOf(err))
	require.Equal(t, fault.Stop, fault.KindOf(err))
}

func TestErrorsOfKeyFilesNameNoPath(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "secret-place")
	require.NoError(t, os.WriteFile(folder, nil, 0o600)) // a file where a folder should be
	for _, err := range []error{seal.Create(filepath.Join(folder, "einmal.key")), first(seal.Load(filepath.Join(folder, "einmal.key")))} {
		require.Equal(t, fault.Stop, fault.KindOf(err))
		require.NotContains(t, err.Error(), "secret-place")
	}
	require.NoError(t, os.Mkdir(folder+"2", 0o700))
	require.Equal(t, "key-file-unreadable", fault.CodeOf(first(seal.Load(folder+"2"))))
}

func first(_ *seal.Keys, err error) error { return err }

func TestEveryDamageOfAKeyFileIsSaid(t *testing.T) {
	long := base64.StdEncoding.EncodeToString(make([]byte, 32))
	short := base64.StdEncoding.EncodeToString(make([]byte, 31))
	sealing := `[{"id":"k1","key":"` + long + `","created":"2026-03-02T09:00:00Z"}]`
	for name, text := range map[string]string{
		"empty":              ``,
		"not JSON":           `identity: x`,
		"null":               `null`,
		"no identity":        `{"sealing":` + sealing + `}`,
		"identity too short": `{"identity":"` + short + `","sealing":` + sealing + `}`,
		"no sealing key":     `{"identity":"` + long + `","sealing":[]}`,
		"key without id":     `{"identity":"` + long + `","sealing":[{"key":"` + long + `"}]}`,
		"key too short":      `{"identity":"` + long + `","sealing":[{"id":"k1","key":"` + short + `"}]}`,
		"two of one id":      `{"identity":"` + long + `","sealing":[{"id":"k1","key":"` + long + `"},{"id":"k1","key":"` + long + `"}]}`,
		"unknown member":     `{"identity":"` + long + `","sealing":` + sealing + `,"more":1}`,
		"member twice":       `{"identity":"` + long + `","identity":"` + long + `","sealing":` + sealing + `}`,
		"something after it": `{"identity":"` + long + `","sealing":` + sealing + `}{}`,
	} {
		path := filepath.Join(t.TempDir(), "einmal.key")
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		_, err := seal.Load(path)
		require.Equal(t, "key-file-malformed", fault.CodeOf(err), name)
		require.NotContains(t, err.Error(), long, name)
	}
}
