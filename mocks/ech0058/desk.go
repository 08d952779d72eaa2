// Package ech0058 is what the mocks of systems have in common whose entries carry the message frame of eCH-0058: the screen at which a clerk types, and
// the forms that she fills in. The versions that are used differ in their namespace only.
package ech0058

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/beevik/etree"
	"github.com/go-json-experiment/json"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/contracts/strict"
	"github.com/einmal-hub/einmal/mocks/core"
)

// Screen is a clerk's screen. The system knows who is logged in and what time it is: it stamps the frame of what she typed.
type Screen struct {
	Store    *core.Store
	Validate func(native.Kind, []byte) error
	Clock    func() time.Time
	// Namespace and Element are the first child of a content, which holds the frame.
	Namespace, Element string
	// HeaderNamespace is that of the frame's values.
	HeaderNamespace string
	// Documents returns the hashes of the documents that a content names. Nil: the desk is told.
	Documents func(content *etree.Element) []string
	// Procedure is the element in which a content says how the office leads its own procedure. Empty: none does.
	Procedure string
}

func (s Screen) frame() Frame {
	return Frame{Namespace: s.Namespace, Element: s.Element, HeaderNamespace: s.HeaderNamespace}
}

// Handler serves the desk of mocks/core with stamped frames, and GET /desk/cases/CASE/state: how the office leads its own procedure, in the system's own code. A recall or correction of what can
// be neither recalled nor corrected is refused with 422. Mount it at /desk/ as it is.
func (s Screen) Handler() http.Handler {
	desk := core.Desk(s.Store, s.Validate)
	mux := http.NewServeMux()
	mux.Handle("/desk/", desk)
	mux.HandleFunc("POST /desk/entries", func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, strict.MaxBytes))
		if err != nil {
			http.Error(w, "the request did not arrive whole", http.StatusBadRequest)
			return
		}
		if b, err = s.stamped(b); err != nil {
			http.Error(w, err.Error(), http.StatusUnprocessableEntity)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(b))
		desk.ServeHTTP(w, r)
	})
	mux.HandleFunc("GET /desk/cases/{case}/state", func(w http.ResponseWriter, r *http.Request) {
		entries, known := s.Store.Case(native.CaseKey(r.PathValue("case")))
		if !known {
			http.Error(w, core.ErrNoCase.Error(), http.StatusNotFound)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.MarshalWrite(w, map[string]string{"procedure": s.frame().State(entries, s.Procedure)})
	})
	return mux
}

// errNotRevisable: the entry that a clerk wants to recall or correct cannot be.
var errNotRevisable = errors.New("the entry cannot be recalled or corrected by this office")

// stamped completes the header in what a clerk typed. What it cannot read it leaves as it is, for the desk to refuse.
func (s Screen) stamped(b []byte) ([]byte, error) {
	var typed core.Typed
	if err := strict.JSON(b, &typed); err != nil {
		return b, nil //nolint:nilerr // the desk refuses it and says why
	}
	root, err := strict.XML([]byte(typed.Body))
	if err != nil {
		return b, nil //nolint:nilerr // the desk refuses it and says why
	}
	header := Child(root, s.Namespace, s.Element)
	if header == nil {
		return b, nil
	}
	s.stamp(header, typed)
	asked := typed.Action
	typed.Action, typed.Refers = s.frame().Revises(root)
	write := core.Write{Case: typed.Case, Kind: typed.Kind, Refers: typed.Refers}
	if _, ok := s.frame().Revised(s.Store, write, root); (asked != "" || typed.Action != "") && !ok {
		return nil, errNotRevisable
	}
	if s.Documents != nil {
		typed.Documents = s.Documents(root)
	}
	doc := etree.NewDocument()
	doc.WriteSettings.CanonicalText = true
	doc.SetRoot(root)
	if typed.Body, err = doc.WriteToString(); err != nil {
		return nil, err
	}
	return json.Marshal(typed)
}

// stamp sets who says it, under which number, when, and what it does to which earlier entry.
func (s Screen) stamp(header *etree.Element, typed core.Typed) {
	does, known := map[handover.Action]string{handover.ActionRecall: actionRecall, handover.ActionCorrection: actionCorrection}[typed.Action]
	values := map[string]string{
		"senderId": string(typed.Organisation), "messageId": "F" + rand.Text(), "messageDate": s.Clock().UTC().Format(time.RFC3339),
	}
	if known {
		values["action"] = does
	}
	for local, text := range values {
		if el := Child(header, s.HeaderNamespace, local); el != nil {
			el.SetText(text)
		}
	}
	id := Child(header, s.HeaderNamespace, "messageId")
	if !known || id == nil {
		return
	}
	refers := etree.NewElement("referenceMessageId")
	refers.Space = id.Space
	refers.SetText(string(typed.Refers))
	if old := Child(header, s.HeaderNamespace, "referenceMessageId"); old != nil {
		header.RemoveChild(old)
	}
	header.InsertChildAt(id.Index()+1, refers)
}

// Child returns the child of that name, nil when there is none or several.
func Child(el *etree.Element, space, local string) *etree.Element {
	if el == nil {
		return nil
	}
	found, err := strict.Child(el, space, local)
	if err != nil {
		return nil
	}
	return found
}

// Value returns the text of a child, "" when there is none.
func Value(el *etree.Element, space, local string) string {
	if c := Child(el, space, local); c != nil {
		return c.Text()
	}
	return ""
}
