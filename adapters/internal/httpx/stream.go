package httpx

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"

	"github.com/einmal-hub/einmal/contracts/fault"
)

// StreamTimeout bounds an exchange with a streamed body, unless the timeout of other requests is longer: 20 MiB take 3 minutes over a line of 1 Mbit/s.
const StreamTimeout = 5 * time.Minute

// Upload sends a request once, with a body of size bytes that is read from content while it is sent, and returns the complete answer. The request asks first (Expect:
// 100-continue), so that a system which needs no body, or refuses, can say so before it has one. Errors are those of [Client.Do] with two more: an error of
// content comes back as it is, and it ends the request before its last byte; a content of another size ends it too, as an error of kind Refuse. r.Body is not used.
func (c *Client) Upload(ctx context.Context, r Request, content io.Reader, size int64) (Response, error) {
	ctx, cancel := context.WithTimeout(ctx, max(c.timeout, StreamTimeout))
	defer cancel()
	body := &measured{from: content, left: size}
	answer, sent, err := c.roundTrip(ctx, r, body, size)
	switch {
	case body.failed() != nil:
		if err == nil {
			_ = answer.Body.Close()
		}
		return Response{}, body.failed()
	case err != nil && body.differs():
		return Response{}, fault.New(fault.Refuse, r.Op, "document-size", "the content does not have the size that it is announced with; nothing was stored")
	case err != nil:
		return Response{}, c.judge(r, sent, err)
	}
	return c.read(r, answer)
}

// Download sends a reading once. An answer with status 200 is returned with its body, of which at most most+1 bytes can be read, and which the caller closes; errors of the body are of
// kind Retry. Any other answer is complete in the response, and the body is nil. Errors are those of [Client.Do]. A wire on which readings are requests with a body gives a small one in r.Body.
func (c *Client) Download(ctx context.Context, r Request, most int64) (Response, io.ReadCloser, error) {
	ctx, cancel := context.WithTimeout(ctx, max(c.timeout, StreamTimeout))
	var body io.Reader
	if r.Body != nil {
		body = io.MultiReader(bytes.NewReader(r.Body)) // of no type that net/http could rewind to send it again
	}
	answer, sent, err := c.roundTrip(ctx, r, body, int64(len(r.Body))) //nolint:bodyclose // whoever reads the body closes it
	if err != nil {
		cancel()
		return Response{}, nil, c.judge(r, sent, err)
	}
	if encoding := answer.Header.Get("Content-Encoding"); answer.StatusCode != http.StatusOK || encoding != "" && encoding != "identity" {
		defer cancel()
		response, err := c.read(r, answer)
		return response, nil, err
	}
	stream := &download{Reader: io.LimitReader(answer.Body, most+1), body: answer.Body, cancel: cancel, judge: func(err error) error { return c.failure(r, true, err) }}
	return Response{Status: answer.StatusCode, Header: answer.Header}, stream, nil
}

// judge is failure for errors that may have been judged already.
func (c *Client) judge(r Request, sent bool, err error) error {
	var judged *fault.Error
	if errors.As(err, &judged) {
		return judged
	}
	return c.failure(r, sent, err)
}

// roundTrip sends one request with net/http itself: resty reads a body into memory. sent says whether bytes may have left.
func (c *Client) roundTrip(ctx context.Context, r Request, body io.Reader, size int64) (answer *http.Response, sent bool, err error) {
	target, err := c.target(r)
	if err != nil {
		return nil, false, err
	}
	authorization, err := c.config.authorization(r.Op)
	if err != nil {
		return nil, false, err
	}
	var given atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { given.Store(true) }})
	request, err := http.NewRequestWithContext(ctx, r.Method, target, body)
	if err != nil {
		return nil, false, fault.New(fault.Park, r.Op, "request", "the request cannot be made")
	}
	for name, values := range r.Header {
		request.Header[name] = values
	}
	request.Header.Set("User-Agent", "einmal")
	request.Header.Set("Accept-Encoding", "identity")
	if authorization != "" {
		request.Header.Set("Authorization", authorization)
	}
	if body != nil {
		request.ContentLength = size
		request.Header.Set("Expect", "100-continue")
	}
	answer, err = c.resty.GetClient().Do(request)
	return answer, given.Load(), err
}

// measured is a content on its way out. It remembers why it ended, whatever the transport makes of it. The transport reads it in a goroutine of its own.
type measured struct {
	from io.Reader
	left int64
	err  atomic.Pointer[error]
	off  atomic.Bool
}

// Read gives the last byte away only when the content has ended well: whoever receives the announced length takes it for the whole.
func (m *measured) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	n, err := m.from.Read(b)
	m.left -= int64(n)
	if m.left == 0 && err == nil {
		err = m.ended()
	}
	switch {
	case err != nil && !errors.Is(err, io.EOF):
		m.err.Store(&err)
	case m.left < 0, err != nil && m.left > 0:
		m.off.Store(true)
		err = io.ErrUnexpectedEOF
	default:
		return n, err
	}
	return max(0, n-1+int(min(m.left, 0))), err
}

// ended demands the end after the announced length.
func (m *measured) ended() error {
	var more [1]byte
	for {
		n, err := m.from.Read(more[:])
		m.left -= int64(n)
		if n > 0 || err != nil {
			return err
		}
	}
}

// failed returns the error of the content itself.
func (m *measured) failed() error {
	if err := m.err.Load(); err != nil {
		return *err
	}
	return nil
}

// differs reports whether the content turned out shorter or longer than announced.
func (m *measured) differs() bool { return m.off.Load() }

// download is a body that is being read.
type download struct {
	io.Reader
	body   io.Closer
	cancel context.CancelFunc
	judge  func(error) error
}

func (d *download) Read(b []byte) (int, error) {
	n, err := d.Reader.Read(b)
	if err != nil && !errors.Is(err, io.EOF) {
		err = d.judge(err)
	}
	return n, err
}

func (d *download) Close() error {
	defer d.cancel()
	return d.body.Close()
}
