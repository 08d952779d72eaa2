package httpx

import (
	"context"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/go-resty/resty/v2"
)

// Client sends requests to one configured address. Its methods may be called concurrently.
type Client struct {
	config   Config
	base     *url.URL
	timeout  time.Duration
	maxBytes int64
	resty    *resty.Client
}

// Request is one request.
type Request struct {
	// Op names the operation in errors: "klib.apply".
	Op     string
	Method string
	// Path holds the segments after the configured URL, unescaped. Empty segments, "." and ".." are refused.
	Path   []string
	Query  url.Values
	Header http.Header
	// Body is sent as it is; name its type in Header. A request with [Request.Write] has one.
	Body []byte
	// Write says that the request has an effect: a failure after sending is then of kind Doubt, otherwise of kind Retry.
	Write bool
	// IdempotencyKey is sent as the header Idempotency-Key; only for native systems of mode A. The client does not resend with it either.
	IdempotencyKey string
}

// Response is a complete answer.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
}

// New makes a client. timeout bounds each request from the first connection to the last byte of the answer. Errors are of kind Stop.
func New(c Config, timeout time.Duration) (*Client, error) {
	if err := c.Check().Err(); err != nil {
		return nil, fault.Wrap(fault.Stop, "httpx.new", err)
	}
	base, err := url.Parse(c.URL)
	if err != nil || timeout <= 0 {
		return nil, fault.New(fault.Stop, "httpx.new", "config", "the address or the timeout cannot be used")
	}
	conf, err := c.TLS.tlsConfig()
	if err != nil {
		return nil, err
	}
	client := &Client{config: c, base: base, timeout: timeout, maxBytes: c.MaxAnswerBytes, resty: newResty(transport(hostport(base), conf))}
	if client.maxBytes == 0 {
		client.maxBytes = DefaultMaxAnswerBytes
	}
	return client, nil
}

// Close exists for adapters that hand it on: a connection ends with its request, so there is nothing to close. It may be called twice.
func (*Client) Close() error { return nil }

// Do sends the request once. Without an error the answer is complete and its status is neither a redirect nor 401 or 403;
// any other status is the caller's to judge. Errors:
//   - Retry: nothing was sent (no address, no connection, TLS failed, ctx ended before), or the request was a reading;
//   - Doubt: a write was sent, and there is no complete answer or a redirect;
//   - Stop: 401 or 403, or the credentials cannot be read;
//   - Park: the request itself cannot be sent, such as a path segment "..".
//
// With an error the response holds the status if there was one.
func (c *Client) Do(ctx context.Context, r Request) (Response, error) {
	target, err := c.target(r)
	if err != nil {
		return Response{}, err
	}
	authorization, err := c.config.authorization(r.Op)
	if err != nil {
		return Response{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	var sent atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { sent.Store(true) }})
	answer, err := c.prepare(r, authorization).SetContext(ctx).Execute(r.Method, target)
	if err != nil {
		return Response{}, c.failure(r, sent.Load(), err)
	}
	return c.read(r, answer.RawResponse)
}

// target returns the URL of the request. Segments are escaped, so that none can leave the configured path or host.
func (c *Client) target(r Request) (string, error) {
	for _, segment := range r.Path {
		if segment == "" || segment == "." || segment == ".." {
			return "", fault.New(fault.Park, r.Op, "path-segment", "an id cannot stand in the path of an address").
				Hint("look at the id that the native system gave; it is empty, \".\" or \"..\"")
		}
	}
	escaped := make([]string, len(r.Path))
	for i, segment := range r.Path {
		escaped[i] = url.PathEscape(segment)
	}
	target := strings.TrimSuffix(c.base.String(), "/")
	if len(escaped) > 0 {
		target += "/" + strings.Join(escaped, "/")
	}
	if len(r.Query) > 0 {
		target += "?" + r.Query.Encode()
	}
	return target, nil
}

func (c *Client) prepare(r Request, authorization string) *resty.Request {
	request := c.resty.R().SetHeaderMultiValues(r.Header)
	request.SetHeader("User-Agent", "einmal").SetHeader("Accept-Encoding", "identity")
	if authorization != "" {
		request.SetHeader("Authorization", authorization)
	}
	request.Header.Del("Idempotency-Key")
	request.Header.Del("X-Idempotency-Key")
	if r.IdempotencyKey != "" {
		request.SetHeader("Idempotency-Key", r.IdempotencyKey)
	}
	if r.Body != nil {
		request.SetBody(r.Body)
	}
	return request
}

// read takes the whole answer and judges what every HTTP interface has in common.
func (c *Client) read(r Request, answer *http.Response) (Response, error) {
	defer func() { _ = answer.Body.Close() }()
	response := Response{Status: answer.StatusCode, Header: answer.Header}
	body, err := io.ReadAll(io.LimitReader(answer.Body, c.maxBytes+1))
	switch encoding := answer.Header.Get("Content-Encoding"); {
	case answer.StatusCode == http.StatusUnauthorized || answer.StatusCode == http.StatusForbidden:
		return response, c.refused(r, answer.StatusCode)
	case answer.StatusCode >= 300 && answer.StatusCode < 400 && answer.StatusCode != http.StatusNotModified:
		return response, c.unclear(r, "redirected", "the native system answered with a redirect, which is not followed", nil).
			Hint("configure the address that it redirects to")
	case err != nil:
		return response, c.failure(r, true, err)
	case int64(len(body)) > c.maxBytes:
		return response, c.unclear(r, "answer-too-large", "the answer is larger than maxAnswerBytes", nil)
	case encoding != "" && encoding != "identity":
		return response, c.unclear(r, "answer-encoded", "the answer is compressed although that was not asked for", nil)
	}
	response.Body = body
	return response, nil
}
