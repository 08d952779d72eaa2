package seal

import (
	"bytes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/einmal-hub/einmal/contracts/fault"
)

// keyBytes is the length of every secret.
const keyBytes = 32

// file is the key file.
type file struct {
	Identity []byte `json:"identity"` // base64; never to be changed
	Sealing  []key  `json:"sealing"`  // the first one seals, all of them open
}

type key struct {
	ID      string    `json:"id"`
	Key     []byte    `json:"key"` // base64
	Created time.Time `json:"created"`
}

// Create writes a new key file that only its owner can read. It never overwrites one: code key-file-exists. The file appears with its whole content
// or not at all, so that of several gateways that start at the same time none reads half of it.
func Create(path string) error {
	f := file{Identity: random(), Sealing: []key{{ID: "k1", Key: random(), Created: time.Now().UTC().Truncate(time.Second)}}}
	b, err := json.Marshal(f, jsontext.WithIndent("  "))
	if err != nil {
		return fault.Wrap(fault.Stop, "seal.create", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return unwritable("the folder of the key file cannot be made", err)
	}
	draft, err := writeDraft(filepath.Dir(path), append(b, '\n'))
	if err != nil {
		return unwritable("the key file cannot be written", err)
	}
	err = os.Link(draft, path) // unlike Rename, it fails if there is a file
	err = errors.Join(err, os.Remove(draft), syncFolder(filepath.Dir(path)))
	if errors.Is(err, fs.ErrExist) {
		return stop("key-file-exists", "there is a key file already", "keep it: without it nothing on the bus can be read")
	}
	if err != nil {
		return unwritable("the key file cannot be written", err)
	}
	return nil
}

// writeDraft writes a file that only its owner can read, under a name of its own, and returns the name.
func writeDraft(folder string, b []byte) (string, error) {
	out, err := os.CreateTemp(folder, ".key-*") // with permissions 0600
	if err != nil {
		return "", err
	}
	_, err = out.Write(b)
	if err = errors.Join(err, out.Sync(), out.Close()); err != nil {
		return "", errors.Join(err, os.Remove(out.Name()))
	}
	return out.Name(), nil
}

// syncFolder makes the names in a folder durable.
func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

func unwritable(text string, err error) error {
	return stop("key-file-unwritable", text, "check the permissions of its folder").Because(reason(err))
}

func random() []byte {
	b := make([]byte, keyBytes)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	return b
}

// Load reads a key file. Errors are of kind Stop: key-file-missing, key-file-open-to-others, key-file-malformed.
func Load(path string) (*Keys, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, stop("key-file-missing", "there is no key file", "run 'einmal check', which makes one, or copy that of another gateway of this installation")
	}
	if err != nil {
		return nil, stop("key-file-unreadable", "the key file cannot be read", "check its permissions").Because(reason(err))
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, stop("key-file-open-to-others", "others than the owner can read the key file", "run chmod 600 on it, and change the keys if somebody did read it")
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, stop("key-file-unreadable", "the key file cannot be read", "check its permissions").Because(reason(err))
	}
	return parse(b)
}

// LoadOrCreate is Load, after Create if there is no file. created tells whether it made one.
func LoadOrCreate(path string) (k *Keys, created bool, err error) {
	if err := Create(path); err == nil {
		created = true
	} else if fault.CodeOf(err) != "key-file-exists" {
		return nil, false, err
	}
	k, err = Load(path)
	return k, created, err
}

func parse(b []byte) (*Keys, error) {
	var f file
	if err := json.Unmarshal(bytes.TrimSpace(b), &f, json.RejectUnknownMembers(true)); err != nil {
		return nil, malformed("it is not the JSON that 'einmal check' writes")
	}
	if len(f.Identity) != keyBytes {
		return nil, malformed("the identity secret does not have 32 bytes")
	}
	if len(f.Sealing) == 0 {
		return nil, malformed("it holds no sealing key")
	}
	x := &secrets{identity: f.Identity, first: f.Sealing[0].ID, sealing: map[string]cipher.AEAD{}}
	for _, s := range f.Sealing {
		if s.ID == "" || x.sealing[s.ID] != nil {
			return nil, malformed("a sealing key has no id, or two have the same")
		}
		if len(s.Key) != keyBytes {
			return nil, malformed("a sealing key does not have 32 bytes")
		}
		aead, err := aeadOf(s.Key)
		if err != nil {
			return nil, malformed("a sealing key cannot be used")
		}
		x.sealing[s.ID] = aead
	}
	return &Keys{secrets: func() *secrets { return x }}, nil
}

func malformed(text string) error {
	return stop("key-file-malformed", "the key file is damaged: "+text, "restore it from the backup; do not make a new one for an installation that has messages")
}

func stop(code, text, next string) *fault.Error {
	return fault.New(fault.Stop, "seal.load", code, text).Hint(next)
}

// reason is the cause of an error of the file system without the path.
func reason(err error) error {
	var number syscall.Errno
	if errors.As(err, &number) {
		return number
	}
	return errors.New("the file system says no")
}
