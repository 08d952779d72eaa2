// Package ech0058 is what the mocks of systems have in common whose entries carry the message frame of eCH-0058: the screen at which a clerk types, and
// the forms that she fills in. The versions that are used differ in their namespace only.
package ech0058

import (
	"bytes"
	"crypto/rand"
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
}

// Handler serves the desk of mocks/core with stamped frames. Mount it at /desk/ as it is.
func (s Screen) Handler() http.Handler {
	desk := core.Desk(s.Store, s.Validate)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, strict.MaxBytes))
			if err != nil {
				http.Error(w, "the request did not arrive whole", http.StatusBadRequest)
				return
			}
			r.Body = io.NopCloser(bytes.NewReader(s.stamped(b)))
		}
		desk.ServeHTTP(w, r)
	})
}

// stamped completes the header in what a clerk typed. What it cannot read it leaves as it is, for the desk to refuse.
func (s Screen) stamped(b []byte) []byte {
	var typed core.Typed
	if err := strict.JSON(b, &typed); err != nil {
		return b
	}
	root, err := strict.XML([]byte(typed.Body))
	if err != nil {
		return b
	}
	header := Child(root, s.Namespace, s.Element)
	if header == nil {
		return b
	}
	s.stamp(header, typed.Organisation)
	doc := etree.NewDocument()
	doc.WriteSettings.CanonicalText = true
	doc.SetRoot(root)
	body, err := doc.WriteToString()
	if err != nil {
		return b
	}
	typed.Body = body
	if b, err = json.Marshal(typed); err != nil {
		return nil
	}
	return b
}

// stamp sets who says it, under which number, and when.
func (s Screen) stamp(header *etree.Element, who handover.OrganisationID) {
	for local, text := range map[string]string{
		"senderId": string(who), "messageId": "F" + rand.Text(), "messageDate": s.Clock().UTC().Format(time.RFC3339),
	} {
		if el := Child(header, s.HeaderNamespace, local); el != nil {
			el.SetText(text)
		}
	}
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
