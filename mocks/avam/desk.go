package avam

import (
	"bytes"
	"crypto/rand"
	"io"
	"net/http"
	"time"

	"github.com/beevik/etree"
	"github.com/go-json-experiment/json"

	"github.com/einmal-hub/einmal/contracts/handover"
	contract "github.com/einmal-hub/einmal/contracts/native/avam"
	"github.com/einmal-hub/einmal/contracts/strict"
	"github.com/einmal-hub/einmal/mocks/core"
)

// desk is the clerk's screen. AVAM knows who is logged in and what time it is: it stamps the header of what she typed.
func (m *Mock) desk() http.Handler {
	desk := core.Desk(m.store, m.Validate)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, contract.MaxMessage))
			if err != nil {
				http.Error(w, "the request did not arrive whole", http.StatusBadRequest)
				return
			}
			r.Body = io.NopCloser(bytes.NewReader(m.stamped(b)))
		}
		desk.ServeHTTP(w, r)
	})
}

// stamped completes the header in what a clerk typed. What it cannot read it leaves as it is, for the desk to refuse.
func (m *Mock) stamped(b []byte) []byte {
	var typed core.Typed
	if err := strict.JSON(b, &typed); err != nil {
		return b
	}
	root, err := strict.XML([]byte(typed.Body))
	if err != nil {
		return b
	}
	header := child(root, contract.Namespace, "deliveryHeader")
	if header == nil {
		return b
	}
	stamp(header, typed.Organisation, m.options.Clock())
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
func stamp(header *etree.Element, who handover.OrganisationID, now time.Time) {
	for local, text := range map[string]string{
		"senderId": string(who), "messageId": "F" + rand.Text(), "messageDate": now.UTC().Format(time.RFC3339),
	} {
		if el := child(header, contract.HeaderNamespace, local); el != nil {
			el.SetText(text)
		}
	}
}
