package avam

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"mime"
	"net/http"

	"github.com/beevik/etree"

	contract "github.com/einmal-hub/einmal/contracts/native/avam"
	"github.com/einmal-hub/einmal/contracts/strict"
	"github.com/einmal-hub/einmal/mocks/xsd"
)

// failure is a SOAP fault of the contract.
type failure struct {
	status             int
	code, reason, path string
}

// Error names the fault.
func (f *failure) Error() string { return f.code + " " + f.reason + " " + f.path }

func refused(reason string, because error) error {
	f := &failure{status: http.StatusInternalServerError, code: contract.FaultRefused, reason: reason}
	var at *xsd.Invalid
	if errors.As(because, &at) {
		f.path = at.Path[:min(len(at.Path), 200)]
	}
	return f
}

// soap serves one request.
func (m *Mock) soap(w http.ResponseWriter, r *http.Request) {
	if !m.admitted(r) {
		fail(w, &failure{status: http.StatusUnauthorized, code: contract.FaultUnauthorised})
		return
	}
	request, document, err := m.request(r)
	if err != nil {
		fail(w, err)
		return
	}
	response, err := m.dispatch(r, request, document)
	if err != nil {
		fail(w, err)
		return
	}
	send(w, http.StatusOK, response)
}

// admitted compares the credentials without telling by its time how much of them is right.
func (m *Mock) admitted(r *http.Request) bool {
	if m.options.Username == "" && m.options.Password == "" {
		return true
	}
	user, password, ok := r.BasicAuth()
	return ok && same(user, m.options.Username) && same(password, m.options.Password)
}

func same(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

// request reads the envelope and checks it by the schema, content included. The text of a document is returned beside it.
func (m *Mock) request(r *http.Request) (*etree.Element, []byte, error) {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != "text/xml" {
		return nil, nil, refused(contract.ReasonInvalidContent, nil)
	}
	b, document, err := arrived(r)
	if err != nil {
		return nil, nil, refused(contract.ReasonInvalidContent, nil)
	}
	root, err := strict.XML(b)
	if err != nil {
		return nil, nil, refused(contract.ReasonInvalidContent, nil)
	}
	el, err := unwrap(root)
	if err != nil {
		return nil, nil, refused(contract.ReasonInvalidContent, err)
	}
	if r.Header.Get("SOAPAction") != `"`+contract.Action(el.Tag)+`"` {
		return nil, nil, refused(contract.ReasonInvalidContent, nil)
	}
	if err := m.schema.Check(el); err != nil {
		return nil, nil, refused(contract.ReasonInvalidContent, err)
	}
	return el, document, nil
}

func unwrap(root *etree.Element) (*etree.Element, error) {
	if !strict.Is(root, contract.SOAPNamespace, "Envelope") {
		return nil, xsd.Wrong(root, "is not a SOAP 1.1 envelope")
	}
	body := root.ChildElements()
	if len(body) != 1 || !strict.Is(body[0], contract.SOAPNamespace, "Body") {
		return nil, xsd.Wrong(root, "holds more or less than one body")
	}
	if len(body[0].ChildElements()) != 1 {
		return nil, xsd.Wrong(body[0], "holds more or less than one element")
	}
	return body[0].ChildElements()[0], nil
}

// reject is the fault "rejected before any write".
func (m *Mock) reject(w http.ResponseWriter) {
	fail(w, &failure{status: http.StatusInternalServerError, code: contract.FaultNotProcessed})
}

// fail answers with a SOAP fault. An error that is none of the contract's leaves the outcome open, as it does in life.
func fail(w http.ResponseWriter, err error) {
	var f *failure
	if !errors.As(err, &f) {
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	el := etree.NewElement("s:Fault")
	el.CreateElement("faultcode").SetText("s:Server")
	el.CreateElement("faultstring").SetText("the request was not carried out")
	detail := el.CreateElement("detail").CreateElement("fault")
	detail.CreateAttr("xmlns", contract.Namespace)
	detail.CreateElement("code").SetText(f.code)
	put(detail, "reason", f.reason)
	put(detail, "path", f.path)
	if f.status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Basic realm="avam", charset="UTF-8"`)
	}
	send(w, f.status, el)
}

// put adds a child with a text, unless the text is empty.
func put(el *etree.Element, tag, text string) {
	if text != "" {
		el.CreateElement(tag).SetText(text)
	}
}

// send writes an envelope.
func send(w http.ResponseWriter, status int, inner *etree.Element) {
	doc := etree.NewDocument()
	doc.WriteSettings.CanonicalText = true
	doc.CreateProcInst("xml", `version="1.0" encoding="UTF-8"`)
	envelope := doc.CreateElement("s:Envelope")
	envelope.CreateAttr("xmlns:s", contract.SOAPNamespace)
	envelope.CreateElement("s:Body").AddChild(inner)
	w.Header().Set("Content-Type", "text/xml; charset=utf-8")
	w.WriteHeader(status)
	_, _ = doc.WriteTo(w)
}
