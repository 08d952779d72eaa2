package tutoris

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"strconv"

	"github.com/beevik/etree"

	contract "github.com/einmal-hub/einmal/contracts/native/tutoris"
	"github.com/einmal-hub/einmal/contracts/strict"
	"github.com/einmal-hub/einmal/mocks/core"
)

// documents returns the hashes that a content names.
func documents(content *etree.Element) []string {
	var all []string
	for _, d := range strict.Children(content, contract.Namespace, "beilage") {
		all = append(all, own(d, "sha256"))
	}
	return all
}

// fetch takes the documents that a content names from the folder of documents; ErrNoDocument when one is not there, or is another.
func (m *Mock) fetch(content *etree.Element) error {
	for _, d := range strict.Children(content, contract.Namespace, "beilage") {
		f, err := m.root.Open(contract.Documents + "/" + own(d, "sha256"))
		if errors.Is(err, fs.ErrNotExist) {
			return core.ErrNoDocument
		}
		if err != nil {
			return fmt.Errorf("tutoris: open a document: %w", err)
		}
		info, err := f.Stat()
		switch {
		case err != nil:
		case strconv.FormatInt(info.Size(), 10) != own(d, "groesse"):
			err = core.ErrNoDocument
		default:
			err = m.store.PutDocument(own(d, "sha256"), f)
		}
		if err = errors.Join(err, f.Close()); errors.Is(err, core.ErrDocument) {
			return core.ErrNoDocument
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// publish puts the documents of entries into the folder of documents, before an export names them. One that was lost is missing there, too.
func (m *Mock) publish(entries []entry) error {
	for _, e := range entries {
		for _, hash := range e.Documents {
			name := contract.Documents + "/" + hash
			content, err := m.store.OpenDocument(hash)
			if errors.Is(err, core.ErrNoDocument) {
				continue
			}
			if err != nil {
				return fmt.Errorf("tutoris: open a document: %w", err)
			}
			b, err := io.ReadAll(content)
			if err = errors.Join(err, content.Close()); err != nil {
				return fmt.Errorf("tutoris: read a document: %w", err)
			}
			if _, err := m.root.Lstat(name); err == nil {
				continue
			}
			if err := m.put(file{contract.Documents, hash, string(b), nil}); err != nil {
				return err
			}
		}
	}
	return nil
}

// LoseDocument removes a document here and in the folder of documents, for tests: entries go on naming it.
func (m *Mock) LoseDocument(hash string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	err := m.store.LoseDocument(hash)
	if err == nil {
		err = m.root.Remove(contract.Documents + "/" + hash)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func (m *Mock) loseByHTTP(w http.ResponseWriter, r *http.Request) {
	if err := m.LoseDocument(r.PathValue("hash")); err != nil {
		http.Error(w, core.ErrNoDocument.Error(), http.StatusNotFound)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
