package avam

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/beevik/etree"

	contract "github.com/einmal-hub/einmal/contracts/native/avam"
	"github.com/einmal-hub/einmal/contracts/strict"
	"github.com/einmal-hub/einmal/mocks/core"
	"github.com/einmal-hub/einmal/mocks/ech0058"
	"github.com/einmal-hub/einmal/mocks/xsd"
)

// documentText bounds the base64 text of a document with the white space that may stand in it.
const documentText = 2 * contract.MaxDocument

// lineLength is how long the lines are in which AVAM writes base64: readers have to know white space.
const lineLength = 76

// arrived reads a request. Where it stores a document the document's text is taken out and an empty one left in its place, so that the rest goes through the strict gate.
func arrived(r *http.Request) (message, document []byte, err error) {
	if r.Header.Get("SOAPAction") != `"`+contract.Action(contract.StoreDocument)+`"` {
		b, err := io.ReadAll(io.LimitReader(r.Body, contract.MaxMessage+1))
		return b, nil, err
	}
	b, err := io.ReadAll(io.LimitReader(r.Body, contract.MaxMessage+documentText))
	if err != nil {
		return nil, nil, err
	}
	before, text, opens := bytes.Cut(b, []byte("content>"))
	end := bytes.IndexByte(text, '<')
	if !opens || end < 0 {
		return b, nil, nil
	}
	return bytes.Join([][]byte{before, text[end:]}, []byte("content>")), text[:end], nil
}

// storeDocument carries out the operation of that name.
func (m *Mock) storeDocument(request *etree.Element, text []byte, response *etree.Element) error {
	content, err := base64.StdEncoding.Strict().DecodeString(strings.Join(strings.Fields(string(text)), ""))
	if err != nil {
		return refused(contract.ReasonInvalidContent, xsd.Wrong(ech0058.Child(request, contract.Namespace, "content"), "is not base64"))
	}
	hash := own(request, "sha256")
	err = m.store.PutDocument(hash, bytes.NewReader(content))
	if errors.Is(err, core.ErrDocument) {
		return refused(contract.ReasonWrongDocument, nil)
	}
	put(response, "sha256", hash)
	put(response, "size", strconv.Itoa(len(content)))
	return err
}

// fetchDocument carries out the operation of that name.
func (m *Mock) fetchDocument(request, response *etree.Element) error {
	b, err := m.document(own(request, "sha256"))
	if errors.Is(err, core.ErrNoDocument) {
		return &failure{status: http.StatusInternalServerError, code: contract.FaultUnknownDoc}
	}
	text := base64.StdEncoding.EncodeToString(b)
	var lines strings.Builder
	for len(text) > lineLength {
		lines.WriteString(text[:lineLength] + "\n")
		text = text[lineLength:]
	}
	put(response, "content", lines.String()+text)
	return err
}

func (m *Mock) document(hash string) ([]byte, error) {
	content, err := m.store.OpenDocument(hash)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(content)
	return b, errors.Join(err, content.Close())
}

// documents returns the hashes that a content names.
func documents(content *etree.Element) []string {
	var all []string
	for _, d := range strict.Children(content, contract.Namespace, "document") {
		all = append(all, own(d, "sha256"))
	}
	return all
}

// documentsStand checks that what a content names was stored, and with that size.
func (m *Mock) documentsStand(content *etree.Element) error {
	for _, d := range strict.Children(content, contract.Namespace, "document") {
		b, err := m.document(own(d, "sha256"))
		switch {
		case errors.Is(err, core.ErrNoDocument), err == nil && strconv.Itoa(len(b)) != own(d, "size"):
			return refused(contract.ReasonMissingDocument, xsd.Wrong(d, "does not stand here"))
		case err != nil:
			return err
		}
	}
	return nil
}
