package ivdossier

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
	"strconv"
	"strings"
	"time"

	"github.com/xuri/excelize/v2"

	contract "github.com/einmal-hub/einmal/contracts/native/ivdossier"
	"github.com/einmal-hub/einmal/mocks/core"
)

func documentField(n int, field string) string {
	return fmt.Sprintf("%s[%d].%s", contract.ListDocuments, n, field)
}

// collect takes the documents that came with an entry: each lies beside it, whole, under the name that the entry says. The page loses those names, which mean nothing elsewhere.
func (m *Mock) collect(folder string, p *page) ([]string, error) {
	var hashes []string
	for n := 1; anything(*p, documentField(n, "")); n++ {
		name := p.text(documentField(n, contract.DocumentFile))
		b, err := os.ReadFile(filepath.Join(folder, name))
		if name == "" || filepath.Base(name) != name || err != nil {
			return nil, errors.New("ivdossier: an entry stands without one of its documents")
		}
		sum := p.text(documentField(n, contract.DocumentSum))
		if strconv.Itoa(len(b)) != p.text(documentField(n, contract.DocumentSize)) {
			return nil, errors.New("ivdossier: a document is not as long as its entry says")
		}
		if err := m.store.PutDocument(sum, bytes.NewReader(b)); err != nil {
			return nil, fmt.Errorf("ivdossier: a document is another one than its entry says: %w", err)
		}
		hashes = append(hashes, sum)
	}
	*p = slices.DeleteFunc(*p, func(w written) bool {
		return strings.HasPrefix(w.name, contract.ListDocuments+"[") && strings.HasSuffix(w.name, "]."+contract.DocumentFile)
	})
	return hashes, nil
}

// attachments are the files that a clerk saves beside a document.
type attachments map[string][]byte

// save saves the files as copies are saved: with the times of their originals.
func (a attachments) save() error {
	for path, b := range a {
		beside := filepath.Join(filepath.Dir(path), "~"+filepath.Base(path)+".tmp")
		before := time.Now().Add(-time.Hour)
		if err := errors.Join(os.WriteFile(beside, b, 0o600), os.Chtimes(beside, before, before), os.Rename(beside, path)); err != nil {
			return err
		}
	}
	return nil
}

// files returns what the clerk saves beside a document, and the document as she fills it in: she names the file, and the rest is einmal's work.
func (m *Mock) files(folder string, p page) (attachments, page, error) {
	files, filled := attachments{}, page{}
	for _, w := range p {
		if !strings.HasPrefix(w.name, contract.ListDocuments+"[") {
			filled = append(filled, w)
		}
	}
	for n := 1; anything(p, documentField(n, "")); n++ {
		in, err := m.store.OpenDocument(p.text(documentField(n, contract.DocumentSum)))
		if err != nil {
			return nil, nil, err
		}
		b, err := io.ReadAll(in)
		if err := errors.Join(err, in.Close()); err != nil {
			return nil, nil, err
		}
		name := p.text(documentField(n, contract.DocumentName))
		path, err := free(folder, fileName(name, m.forms.End(p.text(documentField(n, contract.DocumentType)))), b, files)
		if err != nil {
			return nil, nil, err
		}
		files[path] = b
		filled.put(documentField(n, contract.DocumentFile), filepath.Base(path))
		if filepath.Base(path) != name {
			filled.put(documentField(n, contract.DocumentName), name)
		}
	}
	return files, filled, nil
}

// fileName is what a clerk calls the file of a document: as the document is called, as far as a file can be.
func fileName(name, end string) string {
	name = strings.TrimLeft(strings.NewReplacer("/", "-", "\\", "-", "\x00", "").Replace(name), ".~")
	if !strings.EqualFold(filepath.Ext(name), end) {
		name += end
	}
	return name
}

// free finds a name that no other file has.
func free(folder, name string, b []byte, files attachments) (string, error) {
	end := filepath.Ext(name)
	for n := 1; ; n++ {
		path := filepath.Join(folder, name)
		if n > 1 {
			path = filepath.Join(folder, fmt.Sprintf("%s (%d)%s", strings.TrimSuffix(name, end), n, end))
		}
		there, err := os.ReadFile(path) //nolint:gosec // the mock's own folder
		missing := errors.Is(err, fs.ErrNotExist)
		if err != nil && !missing {
			return "", err
		}
		if _, taken := files[path]; !taken && (missing || bytes.Equal(there, b)) {
			return path, nil
		}
	}
}

// numberOf looks up in the register which number an entry has that a clerk recalls or corrects: that of einmal's document, or of the office's own under the name that it was saved
// under. It is empty while the register does not show it.
func (m *Mock) numberOf(e core.Entry) (string, error) {
	for number, id := range m.numbers {
		if id == e.Refers {
			return number, nil
		}
	}
	earlier, known := m.store.Entry(e.Refers)
	if !known {
		return "", core.ErrNoRecord
	}
	f, err := excelize.OpenFile(filepath.Join(m.options.Folder, contract.Register))
	if err != nil {
		return "", nil // it is not there yet, or is being replaced: she looks again later
	}
	defer func() { _ = f.Close() }()
	rows, err := f.GetRows(contract.HistorySheet)
	if err != nil {
		return "", err
	}
	name, folder := documentName(earlier), m.folders[e.Case]
	for _, row := range rows {
		if len(row) >= 7 && row[1] == folder && (row[6] == name || row[6] == "Kopie von "+name) {
			return row[0], nil
		}
	}
	return "", nil
}

// LoseDocument removes a document here and in the folder, for tests: entries go on naming it.
func (m *Mock) LoseDocument(hash string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.store.LoseDocument(hash); err != nil {
		return err
	}
	return filepath.WalkDir(m.options.Folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path) //nolint:gosec // the mock's own folder
		if sum := sha256.Sum256(b); err == nil && hex.EncodeToString(sum[:]) == hash {
			return os.Remove(path)
		}
		return nil
	})
}
