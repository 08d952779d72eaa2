package gateway_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/contracts/handover"
)

// front stands between the gateway and the mocks, as a network and as native servers of somebody else's making would: it can be gone, and it can answer what it
// wants. The clerks' desks are not behind it.
type front struct {
	t       testing.TB
	address string
	proxy   *httputil.ReverseProxy

	mu     sync.Mutex
	server *http.Server
	ended  chan struct{}
	// judge answers a request in the place of a native system; it returns false for what the system shall answer itself.
	judge func(handover.SystemID, http.ResponseWriter, *http.Request) bool
	// alter changes what a native system answers.
	alter func(handover.SystemID, []byte) []byte
}

// front puts a front before the stage's mocks.
func (s *stage) front() *front {
	s.t.Helper()
	target, err := url.Parse(s.world.URL())
	require.NoError(s.t, err)
	f := &front{t: s.t, address: "127.0.0.1:0"}
	transport := &http.Transport{}
	f.proxy = &httputil.ReverseProxy{
		Transport: transport, ModifyResponse: f.modify,
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) },
		// A native system that cuts the connection is seen as one that does.
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
	f.open()
	s.native = "http://" + f.address
	s.after = append(s.after, func() { f.shut(); transport.CloseIdleConnections() })
	return f
}

// open listens, on the same address as before.
func (f *front) open() {
	f.t.Helper()
	var lc net.ListenConfig
	l, err := lc.Listen(context.Background(), "tcp", f.address)
	require.NoError(f.t, err)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.address = l.Addr().String()
	server, ended := &http.Server{Handler: f}, make(chan struct{}) //nolint:gosec // a test's own server
	f.server, f.ended = server, ended
	go func() {
		defer close(ended)
		_ = server.Serve(l) // it ends when it is shut
	}()
}

// shut refuses connections and cuts those that there are. It may be called twice.
func (f *front) shut() {
	f.mu.Lock()
	server, ended := f.server, f.ended
	f.server = nil
	f.mu.Unlock()
	if server != nil {
		_ = server.Close()
		<-ended
	}
}

// set changes how the front behaves; nil: as the native systems do.
func (f *front) set(judge func(handover.SystemID, http.ResponseWriter, *http.Request) bool, alter func(handover.SystemID, []byte) []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.judge, f.alter = judge, alter
}

func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	judge := f.judge
	f.mu.Unlock()
	if judge != nil && judge(systemOf(r.URL.Path), w, r) {
		return
	}
	f.proxy.ServeHTTP(w, r)
}

// modify lets alter have an answer's body.
func (f *front) modify(resp *http.Response) error {
	f.mu.Lock()
	alter := f.alter
	f.mu.Unlock()
	if alter == nil {
		return nil
	}
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	_ = resp.Body.Close()
	b = alter(systemOf(resp.Request.URL.Path), b)
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(b)), int64(len(b))
	resp.Header.Set("Content-Length", strconv.Itoa(len(b)))
	return nil
}

func systemOf(path string) handover.SystemID {
	first, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	return handover.SystemID(first)
}
