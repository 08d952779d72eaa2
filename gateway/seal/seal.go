// Package seal encrypts what lies on the bus, and derives the ids that must not be guessed.
//
// A payload is sealed with AES-256-GCM under a key from a local file; the message's envelope is the associated data, so a payload cannot be moved to another message. The nonce is random
// (96 bits), which is safe for the 2^32 messages that NIST SP 800-38D allows for one key: far more than there are handovers. All keys of the file open, the first one seals, so keys are
// changed by putting a new one before the others.
//
// The identity secret is apart from the sealing keys, because it can never be changed: message and case ids, references and fingerprints are derived from it with HMAC-SHA-256.
//
// Rejected: a keyset library (its file format and its dependencies weigh more than these lines, and the standard library has the cipher), a hash without a secret for fingerprints (so
// little text can be guessed).
package seal

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"

	"github.com/go-json-experiment/json"

	"github.com/einmal-hub/einmal/contracts/fault"
)

// Keys seals, opens and derives. It is safe for concurrent use and prints as a mask.
type Keys struct {
	// secrets is a function because fmt prints the fields of fields that it cannot call a formatter on, and of a function only its address.
	secrets func() *secrets
}

type secrets struct {
	identity []byte
	first    string
	sealing  map[string]cipher.AEAD
}

// sealed is the value on the bus.
type sealed struct {
	V   int    `json:"v"`
	KID string `json:"kid"`
	CT  []byte `json:"ct"` // nonce, ciphertext and tag
}

// String hides the keys.
func (Keys) String() string { return "keys(***)" }

// GoString hides the keys.
func (k Keys) GoString() string { return k.String() }

// Format hides the keys from every verb.
func (k Keys) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, k.String()) }

// LogValue hides the keys.
func (k Keys) LogValue() slog.Value { return slog.StringValue(k.String()) }

// Seal encrypts plain and binds it to the associated data.
func (k Keys) Seal(plain, associated []byte) ([]byte, error) {
	x := k.secrets()
	b, err := json.Marshal(sealed{V: 1, KID: x.first, CT: x.sealing[x.first].Seal(nil, nil, plain, associated)})
	return b, fault.Wrap(fault.Stop, "seal.seal", err)
}

// Open decrypts. Errors are of kind Park: sealed-format, unknown-key, or not-authentic when the payload or the associated data were changed.
func (k Keys) Open(value, associated []byte) ([]byte, error) {
	s, ok := unpack(value)
	if !ok {
		return nil, fault.New(fault.Park, "seal.open", "sealed-format", "the payload is not sealed as this version seals").
			Hint("find the program that wrote it: einmal's own gateways never do")
	}
	aead, known := k.secrets().sealing[s.KID]
	if !known {
		return nil, fault.New(fault.Park, "seal.open", "unknown-key", "the payload was sealed with a key that is not in the key file").
			Hint("put the missing key into the key file of this gateway and let the message go on")
	}
	plain, err := aead.Open(nil, nil, s.CT, associated)
	if err != nil {
		return nil, fault.New(fault.Park, "seal.open", "not-authentic", "the payload or its envelope was changed after it was sealed").
			Hint("find out who can write to the bus")
	}
	return plain, nil
}

// unpack reads a sealed value as Seal writes it, to the letter: JSON and base64 have several spellings of the same bytes, and the tag does
// not cover the spelling.
func unpack(value []byte) (sealed, bool) {
	var s sealed
	if err := json.Unmarshal(value, &s, json.RejectUnknownMembers(true)); err != nil || s.V != 1 {
		return sealed{}, false
	}
	again, err := json.Marshal(s)
	return s, err == nil && bytes.Equal(again, value)
}

// DeriveID returns 36 characters in the form of a UUID (version 8, RFC 9562), the same for the same label and parts, and not to be
// guessed without the identity secret.
func (k Keys) DeriveID(label string, parts ...string) string {
	sum := k.derive(label, parts)
	b := sum[:16]
	b[6] = b[6]&0x0f | 0x80
	b[8] = b[8]&0x3f | 0x80
	h := hex.EncodeToString(b)
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// derive is HMAC-SHA-256 over the length and bytes of every part, so that parts cannot run into each other.
func (k Keys) derive(label string, parts []string) [32]byte {
	mac := hmac.New(sha256.New, k.secrets().identity)
	for _, p := range append([]string{label}, parts...) {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(p)))
		mac.Write(n[:])
		mac.Write([]byte(p))
	}
	return [32]byte(mac.Sum(nil))
}

func aeadOf(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}
