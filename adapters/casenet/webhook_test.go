package casenet

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/einmal-hub/einmal/contracts/fault"
)

var (
	moment    = time.Unix(1767225600, 0)
	vectorKey = "whsec_ZWlubWFsIGNhc2VuZXQgY29udHJhY3QgZXhhbXBsZSE="
	vectorMAC = "v1,pC5nqMl3L9fEEik7bmyNAWOpDd2umU5rwZLfAkGRqh4="
	vector    = []byte(`{"type":"record.created","recordId":"R-2026-000017"}`)
)

func keyFile(t testing.TB, key string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "key")
	require.NoError(t, os.WriteFile(name, []byte(key+"\n"), 0o600))
	return name
}

func verifierOf(t testing.TB, at time.Time, keys ...string) verifier {
	t.Helper()
	v := verifier{op: "casenet.webhook", now: func() time.Time { return at }}
	for _, k := range keys {
		v.keyFiles = append(v.keyFiles, keyFile(t, k))
	}
	return v
}

func headers(id, stamp, signature string) http.Header {
	h := http.Header{}
	for name, value := range map[string]string{"Webhook-Id": id, "Webhook-Timestamp": stamp, "Webhook-Signature": signature} {
		if value != "" {
			h.Set(name, value)
		}
	}
	return h
}

func mac(t testing.TB, key, id, stamp string, body []byte) string {
	t.Helper()
	secret, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(key, "whsec_"))
	require.NoError(t, err)
	m := hmac.New(sha256.New, secret)
	m.Write([]byte(id + "." + stamp + "."))
	m.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(m.Sum(nil))
}

func TestVerify_PublishedVectorsHold(t *testing.T) {
	require.NoError(t, verifierOf(t, moment, vectorKey).Verify(headers("evt-R-2026-000017", "1767225600", vectorMAC), vector))
	// From the test suite of the Standard Webhooks libraries.
	standard := verifierOf(t, time.Unix(1614265330, 0), "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	h := headers("msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
	require.NoError(t, standard.Verify(h, []byte(`{"test": 2432232314}`)))
}

func TestVerify_RefusesWhatIsNotSignedForThisMomentAndThisBody(t *testing.T) {
	other := "whsec_" + base64.StdEncoding.EncodeToString([]byte("another platform's key, 32 bytes"))
	dotted := "evt.R"
	stamp := "1767225600"
	for name, c := range map[string]struct {
		header http.Header
		body   []byte
		code   string
	}{
		"no headers":              {http.Header{}, vector, "webhook-header"},
		"no signature":            {headers("evt-R-2026-000017", stamp, ""), vector, "webhook-header"},
		"no id":                   {headers("", stamp, vectorMAC), vector, "webhook-header"},
		"full stop in the id":     {headers(dotted, stamp, mac(t, vectorKey, dotted, stamp, vector)), vector, "webhook-header"},
		"id too long":             {headers(strings.Repeat("a", 65), stamp, vectorMAC), vector, "webhook-header"},
		"no timestamp":            {headers("evt-R-2026-000017", "", vectorMAC), vector, "webhook-header"},
		"timestamp no number":     {headers("evt-R-2026-000017", "now", vectorMAC), vector, "webhook-timestamp"},
		"timestamp signed":        {headers("evt-R-2026-000017", "+1767225600", vectorMAC), vector, "webhook-timestamp"},
		"timestamp beyond time":   {headers("evt-R-2026-000017", "99999999999999999999", vectorMAC), vector, "webhook-timestamp"},
		"other id":                {headers("evt-R-2026-000018", stamp, vectorMAC), vector, "webhook-signature"},
		"other timestamp":         {headers("evt-R-2026-000017", "1767225601", vectorMAC), vector, "webhook-signature"},
		"other body":              {headers("evt-R-2026-000017", stamp, vectorMAC), []byte(`{}`), "webhook-signature"},
		"re-serialised body":      {headers("evt-R-2026-000017", stamp, vectorMAC), []byte(`{"type": "record.created", "recordId": "R-2026-000017"}`), "webhook-signature"},
		"empty body":              {headers("evt-R-2026-000017", stamp, vectorMAC), nil, "webhook-signature"},
		"signature cut":           {headers("evt-R-2026-000017", stamp, vectorMAC[:len(vectorMAC)-4]), vector, "webhook-signature"},
		"signature empty":         {headers("evt-R-2026-000017", stamp, "v1,"), vector, "webhook-signature"},
		"signature not base64":    {headers("evt-R-2026-000017", stamp, "v1,%%%"), vector, "webhook-signature"},
		"algorithm none":          {headers("evt-R-2026-000017", stamp, "none,"), vector, "webhook-signature"},
		"unknown version":         {headers("evt-R-2026-000017", stamp, "v2"+vectorMAC[2:]), vector, "webhook-signature"},
		"HMAC passed as Ed25519":  {headers("evt-R-2026-000017", stamp, "v1a"+vectorMAC[2:]), vector, "webhook-signature"},
		"another platform's key":  {headers("evt-R-2026-000017", stamp, mac(t, other, "evt-R-2026-000017", stamp, vector)), vector, "webhook-signature"},
		"more signatures than 20": {headers("evt-R-2026-000017", stamp, strings.Repeat("v1,AAAA ", 20)+vectorMAC), vector, "webhook-signature"},
	} {
		t.Run(name, func(t *testing.T) {
			err := verifierOf(t, moment, vectorKey).Verify(c.header, c.body)
			require.Equal(t, fault.Refuse, fault.KindOf(err))
			require.Equal(t, c.code, fault.CodeOf(err))
		})
	}
}

func TestVerify_RepeatedHeaderIsRefused(t *testing.T) {
	for _, name := range []string{"Webhook-Id", "Webhook-Timestamp", "Webhook-Signature"} {
		h := headers("evt-R-2026-000017", "1767225600", vectorMAC)
		h.Add(name, h.Get(name))
		require.Equal(t, "webhook-header", fault.CodeOf(verifierOf(t, moment, vectorKey).Verify(h, vector)))
	}
}

func TestVerify_FiveMinutesInBothDirections(t *testing.T) {
	h := headers("evt-R-2026-000017", "1767225600", vectorMAC)
	for shift, code := range map[time.Duration]string{
		0: "", 5 * time.Minute: "", -5 * time.Minute: "", 5*time.Minute + time.Second: "webhook-timestamp", -5*time.Minute - time.Second: "webhook-timestamp",
		6 * time.Minute: "webhook-timestamp", -6 * time.Minute: "webhook-timestamp", 365 * 24 * time.Hour: "webhook-timestamp",
	} {
		err := verifierOf(t, moment.Add(shift), vectorKey).Verify(h, vector)
		if code == "" {
			require.NoError(t, err, shift)
			continue
		}
		require.Equal(t, code, fault.CodeOf(err), shift)
	}
}

func TestVerify_AnyKeyThatHoldsIsEnoughAndAnOldOneIsNot(t *testing.T) {
	next := "whsec_" + base64.StdEncoding.EncodeToString([]byte("the next key of this platform, 1"))
	id, stamp := "evt-1", "1767225600"
	with := func(signatures ...string) http.Header { return headers(id, stamp, strings.Join(signatures, " ")) }
	before, after := mac(t, vectorKey, id, stamp, vector), mac(t, next, id, stamp, vector)
	during := verifierOf(t, moment, vectorKey, next)
	require.NoError(t, during.Verify(with(before), vector))
	require.NoError(t, during.Verify(with(after), vector))
	require.NoError(t, during.Verify(with("v9,unknown", after, before), vector))
	done := verifierOf(t, moment, next)
	require.NoError(t, done.Verify(with(before, after), vector))
	require.Equal(t, "webhook-signature", fault.CodeOf(done.Verify(with(before), vector)))
}

func TestVerify_KeysAreReadAnewForEveryNotification(t *testing.T) {
	v := verifierOf(t, moment, vectorKey)
	h := headers("evt-R-2026-000017", "1767225600", vectorMAC)
	require.NoError(t, v.Verify(h, vector))
	next := "whsec_" + base64.StdEncoding.EncodeToString([]byte("the next key of this platform, 1"))
	require.NoError(t, os.WriteFile(v.keyFiles[0], []byte(next), 0o600))
	require.Equal(t, "webhook-signature", fault.CodeOf(v.Verify(h, vector)))
	require.NoError(t, os.Remove(v.keyFiles[0]))
	err := v.Verify(h, vector)
	require.Equal(t, "webhook-keys", fault.CodeOf(err))
	require.Equal(t, fault.Refuse, fault.KindOf(err))
}

func TestVerify_Ed25519(t *testing.T) {
	public, private, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	v := verifierOf(t, moment, "whpk_"+base64.StdEncoding.EncodeToString(public))
	id, stamp := "evt-1", "1767225600"
	signature := "v1a," + base64.StdEncoding.EncodeToString(ed25519.Sign(private, []byte(id+"."+stamp+"."+string(vector))))
	require.NoError(t, v.Verify(headers(id, stamp, "v1,AAAA "+signature), vector))
	require.Error(t, v.Verify(headers("evt-2", stamp, signature), vector))
	// The public key is no secret: it must not serve as one.
	forged := mac(t, "whsec_"+base64.StdEncoding.EncodeToString(public), id, stamp, vector)
	require.Error(t, v.Verify(headers(id, stamp, forged), vector))
}

func TestVerify_AnyChangedByteIsRefused(t *testing.T) {
	v := verifierOf(t, moment, vectorKey)
	rapid.Check(t, func(r *rapid.T) {
		body := rapid.SliceOfN(rapid.Byte(), 1, 64).Draw(r, "body")
		stamp := strconv.FormatInt(moment.Unix(), 10)
		h := headers("evt-1", stamp, mac(t, vectorKey, "evt-1", stamp, body))
		require.NoError(r, v.Verify(h, body))
		i := rapid.IntRange(0, len(body)-1).Draw(r, "at")
		body[i] ^= rapid.ByteRange(1, 255).Draw(r, "change")
		require.Error(r, v.Verify(h, body))
	})
}

// A comparison that stops at the first differing byte tells an attacker how far she is. Secret bytes meet only hmac.Equal and ed25519.Verify.
func TestVerify_ComparesInConstantTime(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "webhook.go", nil, 0)
	require.NoError(t, err)
	compared := map[string]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			if x, ok := n.X.(*ast.Ident); ok {
				compared[x.Name+"."+n.Sel.Name] = true
			}
		case *ast.BinaryExpr:
			for _, side := range []ast.Expr{n.X, n.Y} {
				if id, ok := side.(*ast.Ident); ok && (n.Op == token.EQL || n.Op == token.NEQ) {
					require.NotContains(t, []string{"signature", "secret", "mac", "encoded"}, id.Name)
				}
			}
		}
		return true
	})
	require.True(t, compared["hmac.Equal"])
	require.False(t, compared["bytes.Equal"] || compared["slices.Equal"] || compared["reflect.DeepEqual"] || compared["strings.Compare"])
}

func FuzzVerify(f *testing.F) {
	v := verifierOf(f, moment, vectorKey)
	f.Add("evt-R-2026-000017", "1767225600", vectorMAC, vector)
	f.Add("evt-1", "0", "v1a,AAAA v1,", []byte{})
	f.Add("a.b", "-1", " ", []byte("{"))
	f.Fuzz(func(t *testing.T, id, stamp, signature string, body []byte) {
		err := v.Verify(headers(id, stamp, signature), body)
		if err == nil {
			require.Contains(t, signature, mac(t, vectorKey, id, stamp, body), "only what was signed is taken")
			return
		}
		require.Equal(t, fault.Refuse, fault.KindOf(err))
	})
}

func FuzzParseKey(f *testing.F) {
	f.Add(vectorKey)
	f.Add("whpk_AAAA")
	f.Fuzz(func(t *testing.T, s string) {
		k, err := parseKey(s)
		require.Equal(t, err == nil, len(k.secrets)+len(k.publics) == 1)
	})
}
