package casenet

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/fault"
)

// Limits of Standard Webhooks 1.0 and of the contract.
const (
	tolerance     = 5 * time.Minute
	maxSignatures = 20
	maxKeyBytes   = 8 << 10
)

// verifier checks notifications per Standard Webhooks 1.0. The small library for it was rejected: it takes ids with a full stop, which makes
// "a.b" + "." + "c" and "a" + "." + "b.c" the same signed bytes.
type verifier struct {
	op       string
	keyFiles []string
	now      func() time.Time
}

var _ adapters.Webhook = verifier{}

// Verify checks id, time and signature over the body as it arrived; see [adapters.Webhook].
func (v verifier) Verify(header http.Header, body []byte) error {
	id, ok1 := single(header, "webhook-id")
	stamp, ok2 := single(header, "webhook-timestamp")
	signatures, ok3 := single(header, "webhook-signature")
	if !ok1 || !ok2 || !ok3 || !isID(id) {
		return v.refuse("webhook-header", "the notification lacks a header of Standard Webhooks, repeats one, or its id is malformed")
	}
	if !v.recent(stamp) {
		return v.refuse("webhook-timestamp", "the notification's timestamp is malformed or more than 5 minutes off").Hint("compare the clocks of both sides")
	}
	keys, err := readKeys(v.keyFiles)
	if err != nil {
		return v.refuse("webhook-keys", "the keys for notifications cannot be read").Hint("run einmal check; it names the file")
	}
	signed := []byte(id + "." + stamp + "." + string(body))
	if !keys.hold(signed, signatures) {
		return v.refuse("webhook-signature", "no signature of the notification holds with any configured key").
			Hint("compare the keys of both sides; the body must reach einmal byte for byte")
	}
	return nil
}

func (v verifier) refuse(code, text string) *fault.Error {
	return fault.New(fault.Refuse, v.op, code, text)
}

// single returns a header that must be there exactly once.
func single(h http.Header, name string) (string, bool) {
	values := h.Values(name)
	if len(values) != 1 || values[0] == "" {
		return "", false
	}
	return values[0], true
}

// recent reports whether the timestamp is plain digits within the tolerance, in both directions.
func (v verifier) recent(stamp string) bool {
	for _, b := range []byte(stamp) {
		if b < '0' || b > '9' {
			return false
		}
	}
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || len(stamp) > 12 {
		return false
	}
	return v.now().Sub(time.Unix(seconds, 0)).Abs() <= tolerance
}

// keys are the secrets and public keys of one platform.
type keys struct {
	secrets [][]byte
	publics []ed25519.PublicKey
}

// hold reports whether one of the signatures holds with one of the keys. All pairs are tried, so that the time says nothing about which held.
func (k keys) hold(signed []byte, signatures string) bool {
	list := strings.Split(signatures, " ")
	if len(list) > maxSignatures {
		return false
	}
	held := false
	for _, s := range list {
		version, encoded, _ := strings.Cut(s, ",")
		signature, err := base64.StdEncoding.Strict().DecodeString(encoded)
		if err != nil {
			continue
		}
		switch version {
		case "v1":
			held = k.holdsHMAC(signed, signature) || held
		case "v1a":
			held = k.holdsEd25519(signed, signature) || held
		}
	}
	return held
}

func (k keys) holdsHMAC(signed, signature []byte) bool {
	held := false
	for _, secret := range k.secrets {
		mac := hmac.New(sha256.New, secret)
		mac.Write(signed)
		held = hmac.Equal(mac.Sum(nil), signature) || held
	}
	return held
}

func (k keys) holdsEd25519(signed, signature []byte) bool {
	held := false
	for _, public := range k.publics {
		held = ed25519.Verify(public, signed, signature) || held
	}
	return held
}

// readKeys reads every key; one that cannot be read fails all, because a key that is silently missing looks like an attack.
func readKeys(files []string) (keys, error) {
	var all keys
	for _, name := range files {
		k, err := readKey(name)
		if err != nil {
			return keys{}, err
		}
		all.secrets = append(all.secrets, k.secrets...)
		all.publics = append(all.publics, k.publics...)
	}
	return all, nil
}

// errKey says no more than that: what a key file holds is not for messages.
var errKey = errors.New("the file holds no key for webhooks")

func readKey(name string) (keys, error) {
	f, err := os.Open(name)
	if err != nil {
		return keys{}, errKey
	}
	defer func() { _ = f.Close() }()
	b, err := io.ReadAll(io.LimitReader(f, maxKeyBytes+1))
	if err != nil || len(b) > maxKeyBytes {
		return keys{}, errKey
	}
	return parseKey(strings.TrimSpace(string(b)))
}

func parseKey(s string) (keys, error) {
	kind, encoded, _ := strings.Cut(s, "_")
	key, err := base64.StdEncoding.Strict().DecodeString(encoded)
	switch {
	case err != nil:
		return keys{}, errKey
	case kind == "whsec" && len(key) >= 24 && len(key) <= 64:
		return keys{secrets: [][]byte{key}}, nil
	case kind == "whpk" && len(key) == ed25519.PublicKeySize:
		return keys{publics: []ed25519.PublicKey{key}}, nil
	default:
		return keys{}, errKey
	}
}
