package klib

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/mocks/core"
)

// document answers with the bytes of a document.
func (m *Mock) document(w http.ResponseWriter, r *http.Request) {
	content, err := m.store.OpenDocument(r.PathValue("sha256"))
	if err != nil {
		refuse(w, http.StatusNotFound, "dokument-unbekannt", nil)
		return
	}
	defer func() { _ = content.Close() }()
	b, err := io.ReadAll(content)
	if err != nil {
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	_, _ = w.Write(b)
}

// file stores a document.
func (m *Mock) file(w http.ResponseWriter, r *http.Request) {
	hash := r.PathValue("sha256")
	body := &whole{from: r.Body}
	switch err := m.filed(hash, r, body); {
	case body.torn:
		http.Error(w, "the document did not arrive whole", http.StatusBadRequest)
	case errors.Is(err, errStands):
		w.WriteHeader(http.StatusOK)
	case errors.Is(err, errUnreadable):
		refuse(w, http.StatusUnprocessableEntity, "unlesbar", nil)
	case errors.Is(err, core.ErrDocument) && body.read == 0:
		refuse(w, http.StatusUnprocessableEntity, "leer", nil)
	case errors.Is(err, core.ErrDocument) && body.read > handover.DocumentLimit:
		refuse(w, http.StatusUnprocessableEntity, "zu-gross", nil)
	case errors.Is(err, core.ErrDocument):
		refuse(w, http.StatusUnprocessableEntity, "pruefsumme", nil)
	case err != nil:
		http.Error(w, "internal error", http.StatusInternalServerError)
	default:
		w.WriteHeader(http.StatusCreated)
	}
}

var (
	errStands     = errors.New("the document stands here already")
	errUnreadable = errors.New("no hash, or another content type")
)

func (m *Mock) filed(hash string, r *http.Request, body io.Reader) error {
	switch {
	case len(hash) != 64 || strings.Trim(hash, "0123456789abcdef") != "" || r.Header.Get("Content-Type") != "application/octet-stream":
		return errUnreadable
	case m.store.HasDocument(hash):
		return errStands
	}
	return m.store.PutDocument(hash, body)
}

// whole counts a body and remembers whether it broke off.
type whole struct {
	from io.Reader
	read int64
	torn bool
}

func (w *whole) Read(b []byte) (int, error) {
	n, err := w.from.Read(b)
	w.read += int64(n)
	w.torn = w.torn || err != nil && !errors.Is(err, io.EOF)
	return n, err
}
