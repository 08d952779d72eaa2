package core

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/einmal-hub/einmal/contracts/handover"
)

// Errors of documents.
var (
	// ErrNoDocument: the document does not stand here; an entry that names it is not written.
	ErrNoDocument = errors.New("the document does not stand here")
	// ErrDocument: the content is not that of the hash, or too long; nothing was stored.
	ErrDocument = errors.New("the content is not that of the hash, or empty, or longer than 20 MiB")
)

// cabinet holds the documents of one system by their hash, each in a file of its own; without a folder in memory. It is safe for concurrent use.
type cabinet struct {
	dir string

	mu   sync.RWMutex
	held map[string][]byte // the content is nil when it stands in a file
}

// DocumentsName returns the name of the folder with a system's documents.
func DocumentsName(system handover.SystemID) string { return string(system) + ".documents" }

// openCabinet reads back what stands in the folder. What was being stored when the program ended is thrown away: nobody was told that it stands.
func openCabinet(dir string, system handover.SystemID) (*cabinet, error) {
	c := &cabinet{held: map[string][]byte{}}
	if dir == "" {
		return c, nil
	}
	c.dir = filepath.Join(dir, DocumentsName(system))
	if err := os.MkdirAll(c.dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder for documents: %w", err)
	}
	names, err := namesIn(c.dir)
	if err != nil {
		return nil, fmt.Errorf("read the folder for documents: %w", err)
	}
	for _, name := range names {
		switch {
		case isHash(name):
			c.held[name] = nil
		case strings.HasPrefix(name, "part-"):
			if err := os.Remove(filepath.Join(c.dir, name)); err != nil {
				return nil, fmt.Errorf("clear the folder for documents: %w", err)
			}
		}
	}
	return c, nil
}

// namesIn returns the names in a folder, in no order.
func namesIn(dir string) ([]string, error) {
	d, err := os.Open(dir) //nolint:gosec // the folder is the caller's choice
	if err != nil {
		return nil, err
	}
	names, err := d.Readdirnames(-1)
	return names, errors.Join(err, d.Close())
}

func isHash(name string) bool {
	return len(name) == hex.EncodedLen(sha256.Size) && strings.Trim(name, "0123456789abcdef") == ""
}

// PutDocument stores a content under its hash, durable when it returns. Storing it again changes nothing. The error is ErrDocument when the content is not
// that of the hash.
func (s *Store) PutDocument(hash string, content io.Reader) error {
	b, err := io.ReadAll(io.LimitReader(content, handover.DocumentLimit+1))
	if err != nil {
		return fmt.Errorf("read a document: %w", err)
	}
	sum := sha256.Sum256(b)
	if len(b) == 0 || len(b) > handover.DocumentLimit || hex.EncodeToString(sum[:]) != hash {
		return ErrDocument
	}
	return s.cabinet.put(hash, b)
}

// OpenDocument returns a content; the caller closes it. The error is ErrNoDocument when it does not stand here.
func (s *Store) OpenDocument(hash string) (io.ReadCloser, error) { return s.cabinet.open(hash) }

// HasDocument reports whether a content stands here.
func (s *Store) HasDocument(hash string) bool { return s.cabinet.has(hash) }

// LoseDocument removes a content, for tests: entries go on naming it. The error is ErrNoDocument when it does not stand here.
func (s *Store) LoseDocument(hash string) error {
	c := s.cabinet
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, held := c.held[hash]; !held {
		return ErrNoDocument
	}
	delete(c.held, hash)
	if c.dir == "" {
		return nil
	}
	return ignoreMissing(os.Remove(filepath.Join(c.dir, hash)))
}

// Documents returns the hashes of all contents, sorted.
func (s *Store) Documents() []string {
	s.cabinet.mu.RLock()
	defer s.cabinet.mu.RUnlock()
	var all []string
	for hash := range s.cabinet.held {
		all = append(all, hash)
	}
	slices.Sort(all)
	return all
}

func (c *cabinet) has(hash string) bool {
	c.mu.RLock()
	defer c.mu.RUnlock()
	_, held := c.held[hash]
	return held
}

func (c *cabinet) open(hash string) (io.ReadCloser, error) {
	c.mu.RLock()
	b, held := c.held[hash]
	c.mu.RUnlock()
	switch {
	case !held:
		return nil, ErrNoDocument
	case c.dir == "":
		return io.NopCloser(bytes.NewReader(b)), nil
	}
	f, err := os.Open(filepath.Join(c.dir, hash)) //nolint:gosec // what is held is a hash
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNoDocument
	}
	return f, err
}

func (c *cabinet) put(hash string, b []byte) error {
	if c.has(hash) {
		return nil
	}
	if c.dir != "" {
		if err := c.file(hash, b); err != nil {
			return err
		}
		b = nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.held[hash] = b
	return nil
}

// file writes a content so that it stands whole or not at all.
func (c *cabinet) file(hash string, b []byte) error {
	f, err := os.CreateTemp(c.dir, "part-")
	if err != nil {
		return fmt.Errorf("store a document: %w", err)
	}
	_, err = f.Write(b)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = errors.Join(os.Rename(f.Name(), filepath.Join(c.dir, hash)), syncFolder(c.dir))
	}
	if err != nil {
		return errors.Join(fmt.Errorf("store a document: %w", err), ignoreMissing(os.Remove(f.Name())))
	}
	return nil
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
