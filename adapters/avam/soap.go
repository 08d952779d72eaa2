package avam

import (
	"context"
	"net/http"

	"github.com/beevik/etree"
	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/adapters/internal/httpx"
	"github.com/einmal-hub/einmal/adapters/internal/xmlframe"
	"github.com/einmal-hub/einmal/contracts/fault"
	contract "github.com/einmal-hub/einmal/contracts/native/avam"
	"github.com/einmal-hub/einmal/contracts/strict"
)

// service is one AVAM as a SOAP client sees it. It keeps no state beside its connections.
type service struct{ client *httpx.Client }

// call is one SOAP call.
type call struct {
	op        string // for errors
	operation string // of the contract
	write     bool
	fill      func(request *etree.Element) // adds the children of the request; nil for none
}

// call sends the request once and returns the answer's element. Its errors are those of [adapters.Sink] for a write, and Retry or Stop for a reading.
func (s *service) call(ctx context.Context, c call) (*etree.Element, error) {
	response, err := s.send(ctx, c)
	if err != nil {
		return nil, err
	}
	return c.judge(response)
}

func (s *service) send(ctx context.Context, c call) (httpx.Response, error) {
	request, err := c.request()
	if err != nil {
		return httpx.Response{}, err
	}
	return s.client.Do(ctx, request)
}

// request is the call as it goes over the wire.
func (c call) request() (httpx.Request, error) {
	body, err := c.envelope()
	return httpx.Request{
		Op: c.op, Method: http.MethodPost, Body: body, Write: c.write,
		Header: http.Header{
			"Content-Type": {"text/xml; charset=utf-8"},
			"Accept":       {"text/xml"},
			"Soapaction":   {`"` + contract.Action(c.operation) + `"`},
		},
	}, err
}

// envelope writes the request.
func (c call) envelope() ([]byte, error) {
	doc := etree.NewDocument()
	doc.WriteSettings = xmlframe.Canonical()
	doc.CreateProcInst("xml", `version="1.0" encoding="UTF-8"`)
	envelope := doc.CreateElement("soap:Envelope")
	envelope.CreateAttr("xmlns:soap", contract.SOAPNamespace)
	request := envelope.CreateElement("soap:Body").CreateElement("av:" + c.operation)
	request.CreateAttr("xmlns:av", contract.Namespace)
	if c.fill != nil {
		c.fill(request)
	}
	b, err := doc.WriteToBytes()
	if err != nil || len(b) > contract.MaxMessage {
		return nil, fault.New(fault.Refuse, c.op, "too-large", "the message is larger than the contract of AVAM allows")
	}
	return b, nil
}

// judge turns a complete HTTP answer into the answer's element or an error of the right kind.
func (c call) judge(r httpx.Response) (*etree.Element, error) {
	if r.MediaType() != "text/xml" {
		return nil, unreadable(c.op, c.write, fault.New(fault.Park, c.op, "media-type", "the answer is not text/xml"))
	}
	inner, err := unwrap(r.Body)
	if err != nil {
		return nil, unreadable(c.op, c.write, err)
	}
	switch {
	case r.Status == http.StatusInternalServerError && strict.Is(inner, contract.SOAPNamespace, "Fault"):
		return nil, c.faulted(inner)
	case r.Status == http.StatusOK && strict.Is(inner, contract.Namespace, c.operation+"Response"):
		return inner, nil
	default:
		return nil, unreadable(c.op, c.write, fault.New(fault.Park, c.op, "soap", "status and body of the answer do not belong together"))
	}
}

// unwrap returns the one element in the body of an envelope.
func unwrap(b []byte) (*etree.Element, error) {
	root, err := strict.XML(b)
	if err != nil {
		return nil, err
	}
	if !strict.Is(root, contract.SOAPNamespace, "Envelope") {
		return nil, xmlframe.Unexpected(root)
	}
	body, err := xmlframe.Only(root)
	if err != nil {
		return nil, err
	}
	if !strict.Is(body, contract.SOAPNamespace, "Body") {
		return nil, xmlframe.Unexpected(body)
	}
	return xmlframe.Only(body)
}

// faulted turns a SOAP fault that was sent with its own status into an error. Without a known code it proves nothing.
func (c call) faulted(el *etree.Element) error {
	code, reason, err := detail(el)
	if err != nil {
		return unreadable(c.op, c.write, err)
	}
	switch {
	case code == contract.FaultNotProcessed:
		return fault.New(fault.Retry, c.op, "not-processed", "AVAM rejected the request before any work was done")
	case code == contract.FaultUnauthorised:
		return fault.New(fault.Stop, c.op, "unauthorised", "AVAM does not accept the credentials").Hint("renew the password file, or ask AVAM's operator for the right")
	case code == contract.FaultRefused && c.write:
		return fault.New(fault.Refuse, c.op, reasonCode(reason), "AVAM refused the entry")
	case code == contract.FaultRefused && c.operation == contract.StoreDocument:
		return fault.New(fault.Refuse, c.op, reasonCode(reason), "AVAM refused the document")
	case code == contract.FaultUnknownDoc && c.operation == contract.FetchDocument:
		return missing()
	case code == contract.FaultUnknownMark && c.operation == contract.GetChanges:
		return fault.New(fault.Stop, c.op, adapters.PositionUnknown, "AVAM does not know the mark up to which it was read: it was set back to an older state").
			Hint("find out with AVAM's operator what is missing there before einmal goes on")
	default:
		return unreadable(c.op, c.write, fault.New(fault.Park, c.op, "fault-code", "the fault has no code that the contract knows for this operation"))
	}
}

// detail reads code and reason of a fault.
func detail(el *etree.Element) (code, reason string, err error) {
	outer, err := strict.Child(el, "", "detail")
	if err != nil {
		return "", "", err
	}
	inner, err := xmlframe.Only(outer)
	if err != nil {
		return "", "", err
	}
	if !strict.Is(inner, contract.Namespace, "fault") {
		return "", "", xmlframe.Unexpected(inner)
	}
	f := xmlframe.Read(inner, contract.Namespace)
	code = f.Text("code")
	reason = f.Optional("reason")
	_ = f.Optional("path")
	return code, reason, f.Done()
}

// reasonCode makes a refusal's reason a code of einmal. Only words of the contract are taken.
func reasonCode(reason string) string {
	known := map[string]string{
		contract.ReasonUnknownCase: "unknown-case", contract.ReasonInvalidContent: "invalid-content", contract.ReasonOpening: "opening",
		contract.ReasonNotOpening: "not-opening", contract.ReasonUnknownEntry: "unknown-entry", contract.ReasonMissingDocument: "missing-document",
		contract.ReasonWrongDocument: "document-differs", contract.ReasonRule: "rule",
	}
	if code, ok := known[reason]; ok {
		return code
	}
	return "refused"
}

// unreadable is an answer that is not what the contract describes: doubt for a write, retry for a reading.
func unreadable(op string, write bool, err error) error {
	kind := fault.Retry
	if write {
		kind = fault.Doubt
	}
	return fault.New(kind, op, "answer", "the answer is not what AVAM's contract describes").Because(err)
}
