package casenet

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/mocks/core"
)

// document answers with the bytes of a document.
func (m *Mock) document(w http.ResponseWriter, r *http.Request) {
	content, err := m.store.OpenDocument(r.PathValue("sha256"))
	if err != nil {
		refuse(w, problem{Status: http.StatusNotFound, Code: "document-unknown", Title: "No document has this hash"})
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
	_, _ = w.Write(b) // a client that has gone needs no answer
}

// file stores a document, with the checks in the order of the contract.
func (m *Mock) file(w http.ResponseWriter, r *http.Request) {
	hash := r.PathValue("sha256")
	mismatch := problem{Status: http.StatusUnprocessableEntity, Code: "hash-mismatch", Title: "The bytes do not have the hash of the address"}
	switch {
	case r.Header.Get("Content-Type") != "application/octet-stream":
		refuse(w, problem{Status: http.StatusUnsupportedMediaType, Code: "media-type", Title: "The body is not application/octet-stream"})
		return
	case len(hash) != 64 || strings.Trim(hash, "0123456789abcdef") != "":
		refuse(w, mismatch)
		return
	case m.store.HasDocument(hash):
		refuse(w, problem{Status: http.StatusConflict, Code: "document-exists", Title: "The document stands here already"})
		return
	}
	body := &counted{from: r.Body}
	err := m.store.PutDocument(hash, body)
	switch {
	case errors.Is(err, core.ErrDocument) && body.read > handover.DocumentLimit:
		refuse(w, problem{Status: http.StatusRequestEntityTooLarge, Code: "too-large", Title: "The document is larger than 20 MiB"})
	case errors.Is(err, core.ErrDocument):
		refuse(w, mismatch)
	case err != nil:
		notProcessed(w)
	default:
		w.WriteHeader(http.StatusCreated)
	}
}

// counted is a body whose bytes are counted.
type counted struct {
	from io.Reader
	read int64
}

func (c *counted) Read(b []byte) (int, error) {
	n, err := c.from.Read(b)
	c.read += int64(n)
	return n, err
}

// said is what the platform looks for in a content beside its form.
type said struct {
	ApplicantProcedure string `json:"applicantProcedure"`
	Documents          []struct {
		SHA256 string `json:"sha256"`
	} `json:"documents"`
}

func lookInto(content []byte) said {
	var s said
	if json.Unmarshal(content, &s) != nil {
		return said{}
	}
	return s
}

// named returns the hashes of the documents that a content names.
func named(content []byte) []string {
	var hashes []string
	for _, d := range lookInto(content).Documents {
		hashes = append(hashes, d.SHA256)
	}
	return hashes
}

// typed checks what a clerk enters: what einmal alone writes has no place on her screen, and what she names she has attached before.
func (m *Mock) typed(kind native.Kind, body []byte) error {
	if err := m.Validate(kind, body); err != nil {
		return err
	}
	if kind == "assessment" || lookInto(body).ApplicantProcedure != "" {
		return fmt.Errorf("kind: %s is written by einmal alone", kind)
	}
	for _, hash := range named(body) {
		if !m.store.HasDocument(hash) {
			return core.ErrNoDocument
		}
	}
	return nil
}

// state shows how the applicant leads its own procedure in a case, in the platform's words.
func (m *Mock) state(w http.ResponseWriter, r *http.Request) {
	entries, known := m.store.Case(native.CaseKey(r.PathValue("case")))
	if !known {
		refuse(w, problem{Status: http.StatusNotFound, Code: "case-unknown", Title: "No case has this id"})
		return
	}
	led := "full"
	for _, e := range entries {
		if says := lookInto(e.Body).ApplicantProcedure; says != "" {
			led = says
		}
	}
	send(w, http.StatusOK, "application/json", map[string]string{"procedure": led})
}
