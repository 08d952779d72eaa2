package seal_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/gateway/seal"
)

// newKeys returns fresh keys and the path of their file.
func newKeys(t testing.TB) (*seal.Keys, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "einmal.key")
	require.NoError(t, seal.Create(path))
	k, err := seal.Load(path)
	require.NoError(t, err)
	return k, path
}

// sealed seals and fails the test if that fails.
func sealed(t testing.TB, k *seal.Keys, plain, associated string) []byte {
	t.Helper()
	b, err := k.Seal([]byte(plain), []byte(associated))
	require.NoError(t, err)
	return b
}

func TestWhatWasSealedOpensAgain(t *testing.T) {
	k, _ := newKeys(t)
	rapid.Check(t, func(t *rapid.T) {
		plain := rapid.SliceOf(rapid.Byte()).Draw(t, "plain")
		associated := rapid.SliceOf(rapid.Byte()).Draw(t, "associated")
		b, err := k.Seal(plain, associated)
		require.NoError(t, err)
		got, err := k.Open(b, associated)
		require.NoError(t, err)
		require.True(t, bytes.Equal(plain, got))
	})
}

func TestAPayloadCannotBeMovedToAnotherEnvelope(t *testing.T) {
	k, _ := newKeys(t)
	rapid.Check(t, func(t *rapid.T) {
		one := rapid.SliceOf(rapid.Byte()).Draw(t, "one")
		other := rapid.SliceOf(rapid.Byte()).Filter(func(b []byte) bool { return !bytes.Equal(b, one) }).Draw(t, "other")
		b, err := k.Seal([]byte("payload"), one)
		require.NoError(t, err)
		_, err = k.Open(b, other)
		require.Equal(t, "not-authentic", fault.CodeOf(err))
		require.Equal(t, fault.Park, fault.KindOf(err))
	})
}

func TestEveryFlippedBitIsFound(t *testing.T) {
	k, _ := newKeys(t)
	for _, plain := range []string{"", "a", "ab", "abc", `{"person":{"lastName":"Muster"}}`} { // every remainder of base64
		b := sealed(t, k, plain, "envelope")
		for i := range b {
			for bit := range 8 {
				changed := bytes.Clone(b)
				changed[i] ^= 1 << bit
				_, err := k.Open(changed, []byte("envelope"))
				require.Errorf(t, err, "bit %d of byte %d of %s", bit, i, b)
				require.Equal(t, fault.Park, fault.KindOf(err))
				require.Contains(t, []string{"not-authentic", "sealed-format", "unknown-key"}, fault.CodeOf(err))
			}
		}
	}
}

func TestASealedValueCutShortIsFound(t *testing.T) {
	k, _ := newKeys(t)
	b := sealed(t, k, "payload", "envelope")
	for n := range len(b) {
		_, err := k.Open(b[:n], []byte("envelope"))
		require.Error(t, err)
	}
}

func TestTheSamePayloadNeverLooksTheSame(t *testing.T) {
	k, _ := newKeys(t)
	first, second := sealed(t, k, "payload", "envelope"), sealed(t, k, "payload", "envelope")
	require.NotEqual(t, first, second)
}

func TestASealedValueShowsNothingOfItsContent(t *testing.T) {
	k, _ := newKeys(t)
	b := sealed(t, k, "756.9217.0769.85", "envelope")
	require.NotContains(t, string(b), "756")
	require.Regexp(t, `^\{"v":1,"kid":"k1","ct":"[A-Za-z0-9+/=]+"\}$`, string(b))
}

func TestWhatThisVersionDoesNotSealIsNotGuessedAt(t *testing.T) {
	k, _ := newKeys(t)
	for _, value := range []string{
		``, `null`, `{}`, `[]`, `{"v":2,"kid":"k1","ct":""}`, `{"v":1,"kid":"k1","ct":"AAAA","more":1}`, `{"v":1,"kid":"k1","ct":"!"}`,
		`{"v":1,"kid":"k1","kid":"k1","ct":"AAAA"}`, `{"v":1,"KID":"k1","ct":"AAAA"}`, "plain text",
	} {
		_, err := k.Open([]byte(value), nil)
		require.Equal(t, "sealed-format", fault.CodeOf(err), value)
	}
	_, err := k.Open([]byte(`{"v":1,"kid":"k1","ct":""}`), nil)
	require.Equal(t, "not-authentic", fault.CodeOf(err), "too short for a nonce")
}

// keyFile is the key file as an operator sees it.
type keyFile struct {
	Identity string              `json:"identity"`
	Sealing  []map[string]string `json:"sealing"`
}

func readFile(t testing.TB, path string) keyFile {
	t.Helper()
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	var f keyFile
	require.NoError(t, json.Unmarshal(b, &f))
	return f
}

func writeFile(t testing.TB, f keyFile) string {
	t.Helper()
	b, err := json.Marshal(f)
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "einmal.key")
	require.NoError(t, os.WriteFile(path, b, 0o600))
	return path
}

func TestAKeyIsChangedByPuttingANewOneBeforeTheOthers(t *testing.T) {
	before, path := newKeys(t)
	old := sealed(t, before, "old", "envelope")
	_, other := newKeys(t)
	f, fresh := readFile(t, path), readFile(t, other).Sealing[0]
	fresh["id"] = "k2"
	f.Sealing = append([]map[string]string{fresh}, f.Sealing...)
	after, err := seal.Load(writeFile(t, f))
	require.NoError(t, err)

	got, err := after.Open(old, []byte("envelope"))
	require.NoError(t, err)
	require.Equal(t, "old", string(got), "what lies on the bus opens after the change")
	news := sealed(t, after, "new", "envelope")
	require.Contains(t, string(news), `"kid":"k2"`, "the first key seals")
	_, err = before.Open(news, []byte("envelope"))
	require.Equal(t, "unknown-key", fault.CodeOf(err), "a gateway without the new key says so")
	require.Equal(t, before.DeriveID("case", "klib", "1"), after.DeriveID("case", "klib", "1"), "ids do not change with the keys")
}

func TestDerivedIDsAreStable(t *testing.T) {
	f := keyFile{Identity: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", Sealing: []map[string]string{{
		"id": "k1", "key": "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=", "created": "2026-03-02T09:00:00Z",
	}}}
	k, err := seal.Load(writeFile(t, f))
	require.NoError(t, err)
	// Changing these would make every record of every installation news again.
	require.Equal(t, "6287c4cd-3dbc-8cd1-822e-3f784a1e67c9", k.DeriveID("message", "klib", "4711"))
	require.Equal(t, "193b4928-4a3f-8fab-abb3-0dafbfe5473e", k.DeriveID("case", "klib", "4711"))
}

func TestDerivedIDsAreUUIDsOfVersion8(t *testing.T) {
	k, _ := newKeys(t)
	form := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	rapid.Check(t, func(t *rapid.T) {
		label, parts := rapid.String().Draw(t, "label"), rapid.SliceOf(rapid.String()).Draw(t, "parts")
		id := k.DeriveID(label, parts...)
		require.Len(t, id, 36)
		require.Regexp(t, form, id)
		require.Equal(t, id, k.DeriveID(label, parts...))
	})
}

func TestPartsOfAnIDCannotRunIntoEachOther(t *testing.T) {
	k, _ := newKeys(t)
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringN(2, 20, -1).Draw(t, "text")
		at := rapid.IntRange(1, len(text)-1).Draw(t, "at")
		require.NotEqual(t, k.DeriveID("label", text), k.DeriveID("label", text[:at], text[at:]))
		require.NotEqual(t, k.DeriveID("label", text), k.DeriveID("label"+text[:at], text[at:]))
		require.NotEqual(t, k.DeriveID("label", text), k.DeriveID("label", text, ""))
	})
}

func TestAnotherInstallationDerivesOtherIDs(t *testing.T) {
	one, _ := newKeys(t)
	two, _ := newKeys(t)
	require.NotEqual(t, one.DeriveID("case", "klib", "4711"), two.DeriveID("case", "klib", "4711"))
}

func TestNoFormatterShowsAKey(t *testing.T) {
	k, path := newKeys(t)
	secret := readFile(t, path)
	holder := struct {
		Public *seal.Keys
		hidden *seal.Keys
		Value  seal.Keys
	}{k, k, *k}
	var out strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x", "%X", "%T", "%p", "%t", "%b", "%o", "%e", "%c", "%U", "%!"} {
		fmt.Fprintf(&out, verb+"\n", k)
		fmt.Fprintf(&out, verb+"\n", *k)
		fmt.Fprintf(&out, verb+"\n", []any{k, map[string]*seal.Keys{"k": k}})
		fmt.Fprintf(&out, verb+"\n", holder)
	}
	slog.New(slog.NewJSONHandler(&out, nil)).Info("keys", "keys", k, "value", *k)
	slog.New(slog.NewTextHandler(&out, nil)).Info("keys", "keys", k, "value", *k)
	b, err := json.Marshal(k) //nolint:staticcheck // that nothing comes out is what is tested
	require.NoError(t, err)
	out.Write(b)
	var raw []byte
	require.NoError(t, json.Unmarshal([]byte(`"`+secret.Identity+`"`), &raw))
	numbers := strings.Trim(fmt.Sprint(raw), "[]")
	for _, form := range []string{secret.Identity, numbers, fmt.Sprintf("%x", raw), fmt.Sprintf("%X", raw), numbers[:20], secret.Sealing[0]["key"]} {
		require.NotContains(t, out.String(), form)
	}
	require.Contains(t, out.String(), "keys(***)")
}
