package httpx

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"syscall"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/go-json-experiment/json"
)

// failure judges a request that has no complete answer. sent says whether bytes may have left.
func (c *Client) failure(r Request, sent bool, err error) error {
	code, text := reason(err)
	if !sent {
		return fault.New(fault.Retry, r.Op, code, text+"; nothing was sent").Because(cause(err)).Hint(c.nextStep(code))
	}
	return c.unclear(r, code, text+"; the request may have been sent", cause(err)).Hint(c.nextStep(code))
}

// unclear is a request that was sent and whose effect nobody knows.
func (c *Client) unclear(r Request, code, text string, because error) *fault.Error {
	kind := fault.Retry
	if r.Write {
		kind = fault.Doubt
	}
	e := fault.New(kind, r.Op, code, text)
	if because != nil {
		e = e.Because(because)
	}
	return e
}

// refused is 401 or 403: the native system looked at the credentials and did nothing else.
func (c *Client) refused(r Request, status int) error {
	if status == 401 {
		return fault.New(fault.Stop, r.Op, "unauthorized", "the native system does not accept the credentials (401)").
			Hint("renew the token or password file; it is read for every request")
	}
	return fault.New(fault.Stop, r.Op, "forbidden", "the credentials do not permit this (403)").
		Hint("ask the operator of the native system for the right")
}

// reason names a failure in words of this package. The text of the original error is not used: it may hold the address with its
// query, or bytes of the answer.
func reason(err error) (code, text string) {
	var dns *net.DNSError
	var dial *net.OpError
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout", "the native system did not answer in time"
	case errors.Is(err, context.Canceled):
		return "cancelled", "the request was given up"
	case errors.As(err, &dns):
		return "dns", "the name of the native system's host cannot be resolved"
	case isTLS(err):
		return "tls", "no trusted connection to the native system"
	case errors.As(err, &dial) && dial.Op == "dial":
		return "unreachable", "the native system cannot be reached"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.As(err, &dial), errors.Is(err, net.ErrClosed):
		return "connection-cut", "the connection was cut before the answer was complete"
	default:
		return "not-http", "the answer is not what HTTP describes"
	}
}

func isTLS(err error) bool {
	var verification *tls.CertificateVerificationError
	var alert tls.AlertError
	var record tls.RecordHeaderError
	return errors.As(err, &verification) || errors.As(err, &alert) || errors.As(err, &record) ||
		errors.Is(err, errClientCertificate) || errors.Is(err, http.ErrSchemeMismatch)
}

// cause keeps what is safe to print of an error: its class, an operating system's error, a certificate's fault.
func cause(err error) error {
	for _, known := range []error{context.DeadlineExceeded, context.Canceled, errClientCertificate, errForeignHost, io.ErrUnexpectedEOF, io.EOF} {
		if errors.Is(err, known) {
			return known
		}
	}
	var errno syscall.Errno
	var alert tls.AlertError
	var authority x509.UnknownAuthorityError
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	var dns *net.DNSError
	switch {
	case errors.As(err, &errno):
		return errno
	case errors.As(err, &alert):
		return alert
	case errors.As(err, &authority):
		return errors.New("the certificate is signed by an authority that is not trusted")
	case errors.As(err, &host):
		return errors.New("the certificate is for another host")
	case errors.As(err, &invalid):
		return errors.New("the certificate is not valid: expired, not yet valid, or not for servers")
	case errors.As(err, &dns) && dns.IsNotFound:
		return errors.New("no such host")
	default:
		return nil
	}
}

// nextStep is what the operator looks at first. The host comes from the configuration.
func (c *Client) nextStep(code string) string {
	switch code {
	case "dns", "unreachable":
		return "see whether " + hostport(c.base) + " is right and up"
	case "tls":
		return "compare the certificate of " + hostport(c.base) + " with tls.caFile and tls.serverName"
	default:
		return ""
	}
}

// MediaType returns the media type of the answer in lower case without parameters, or "" when there is none.
func (r Response) MediaType() string {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		return ""
	}
	return media
}

// ProblemCode returns the member "code" of an answer that is an RFC 9457 problem document, or "" for any other answer. A code is
// 1 to 60 lower case letters, digits and hyphens, with four digits at most: it stands in logs, in metrics and in the ledger, and more digits are a number of
// somebody or something. Whatever else stands there is not taken.
func (r Response) ProblemCode() string {
	var problem struct {
		Code string `json:"code"`
	}
	if r.MediaType() != "application/problem+json" || json.Unmarshal(r.Body, &problem) != nil {
		return ""
	}
	if len(problem.Code) > 60 {
		return ""
	}
	digits := 0
	for _, b := range []byte(problem.Code) {
		if b >= '0' && b <= '9' {
			digits++
		}
		if (b < 'a' || b > 'z') && (b < '0' || b > '9') && b != '-' {
			return ""
		}
	}
	if digits > 4 {
		return ""
	}
	return problem.Code
}
