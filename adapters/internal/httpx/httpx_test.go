package httpx

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"log" //nolint:depguard // httptest takes no other logger; it only swallows what the test server says
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// secretMark stands in every part of a request and an answer that must not be printed.
const secretMark = "7569217076985"

func newClient(t *testing.T, c Config) *Client {
	t.Helper()
	client, err := New(c, 5*time.Second)
	require.NoError(t, err)
	t.Cleanup(func() { _ = client.Close() })
	return client
}

func serve(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

func write() Request {
	return Request{
		Op: "test.apply", Method: http.MethodPost, Path: []string{secretMark}, Query: url.Values{"q": {secretMark}},
		Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(`{"ahv":"` + secretMark + `"}`), Write: true,
	}
}

func reading() Request {
	return Request{Op: "test.read", Method: http.MethodGet, Path: []string{secretMark}, Query: url.Values{"q": {secretMark}}}
}

// raw accepts connections, reads one request from each and writes what answer says; "" cuts the connection.
func raw(t *testing.T, answer func(n int64) string) (address string, requests *atomic.Int64) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	requests = new(atomic.Int64)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			talk(conn, requests, answer)
		}
	}()
	t.Cleanup(func() { _ = l.Close(); <-done })
	return "http://" + l.Addr().String(), requests
}

// talk answers every request on a connection until an answer is "" or says close.
func talk(conn net.Conn, requests *atomic.Int64, answer func(n int64) string) {
	defer func() { _ = conn.Close() }()
	buffer := make([]byte, 64<<10)
	for {
		if n, err := conn.Read(buffer); n == 0 || err != nil {
			return
		}
		text := answer(requests.Add(1))
		_, _ = io.WriteString(conn, text)
		if text == "" || strings.Contains(text, "Connection: close") {
			return
		}
	}
}

func TestDo_FailureKindsAndSilence(t *testing.T) {
	full := "HTTP/1.1 %s\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
	for name, c := range map[string]struct {
		answer          string
		write, read     fault.Kind
		code            string
		statusOnFailure int
	}{
		"cut after the request":        {answer: "", write: fault.Doubt, read: fault.Retry, code: "connection-cut"},
		"201 whose body is cut":        {answer: "HTTP/1.1 201 Created\r\nContent-Length: 500\r\nConnection: close\r\n\r\n{\"x\":\"" + secretMark, write: fault.Doubt, read: fault.Retry, code: "connection-cut", statusOnFailure: 201},
		"an answer that is not HTTP":   {answer: "220 smtp " + secretMark + "\r\nConnection: close\r\n\r\n", write: fault.Doubt, read: fault.Retry, code: "not-http"},
		"a malformed header":           {answer: "HTTP/1.1 201 Created\r\n" + secretMark + "\r\nConnection: close\r\n\r\n", write: fault.Doubt, read: fault.Retry, code: "not-http"},
		"two different lengths":        {answer: "HTTP/1.1 201 Created\r\nContent-Length: 1\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}", write: fault.Doubt, read: fault.Retry, code: "not-http"},
		"endless headers":              {answer: "HTTP/1.1 201 Created\r\nX: " + strings.Repeat("x", 128<<10) + "\r\nConnection: close\r\n\r\n", write: fault.Doubt, read: fault.Retry, code: "not-http"},
		"401":                          {answer: strings.Replace(full, "%s", "401 Unauthorized", 1), write: fault.Stop, read: fault.Stop, code: "unauthorized", statusOnFailure: 401},
		"403":                          {answer: strings.Replace(full, "%s", "403 Forbidden", 1), write: fault.Stop, read: fault.Stop, code: "forbidden", statusOnFailure: 403},
		"an encoding nobody asked for": {answer: "HTTP/1.1 201 Created\r\nContent-Encoding: br\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}", write: fault.Doubt, read: fault.Retry, code: "answer-encoded", statusOnFailure: 201},
	} {
		t.Run(name, func(t *testing.T) {
			address, _ := raw(t, func(int64) string { return c.answer })
			client := newClient(t, Config{URL: address})
			got, err := client.Do(t.Context(), write())
			requireFault(t, err, c.write, c.code)
			require.Equal(t, c.statusOnFailure, got.Status)
			_, err = client.Do(t.Context(), reading())
			requireFault(t, err, c.read, c.code)
		})
	}
}

func requireFault(t *testing.T, err error, kind fault.Kind, code string) {
	t.Helper()
	require.Error(t, err)
	require.Equal(t, kind, fault.KindOf(err), "kind of: %v", err)
	require.Equal(t, code, fault.CodeOf(err), "code of: %v", err)
	require.NotContains(t, err.Error(), secretMark)
}

func TestDo_NothingSentIsRetryForWrites(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	closed := "http://" + l.Addr().String()
	require.NoError(t, l.Close())
	untrusted := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	untrusted.Config.ErrorLog = log.New(io.Discard, "", 0)
	untrusted.StartTLS()
	t.Cleanup(untrusted.Close)
	plain := serve(t, func(http.ResponseWriter, *http.Request) {})
	for name, c := range map[string]struct{ url, code string }{
		"refused":                      {closed, "unreachable"},
		"no such host":                 {"https://klib.invalid", "dns"},
		"a certificate nobody trusts":  {untrusted.URL, "tls"},
		"TLS spoken to a plain server": {strings.Replace(plain, "http://", "https://", 1), "tls"},
		"a context that had ended":     {plain, "cancelled"},
	} {
		t.Run(name, func(t *testing.T) {
			client := newClient(t, Config{URL: c.url})
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if c.code == "cancelled" {
				cancel()
			}
			_, err := client.Do(ctx, write())
			requireFault(t, err, fault.Retry, c.code)
		})
	}
}

func TestDo_ContextEndAfterSendingIsDoubtForWrites(t *testing.T) {
	arrived, release := make(chan struct{}, 2), make(chan struct{})
	address := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.ReadAll(r.Body)
		arrived <- struct{}{}
		<-release
	})
	t.Cleanup(func() { close(release) })
	client := newClient(t, Config{URL: address})
	for kind, request := range map[fault.Kind]Request{fault.Doubt: write(), fault.Retry: reading()} {
		ctx, cancel := context.WithCancel(t.Context())
		go func() { <-arrived; cancel() }()
		_, err := client.Do(ctx, request)
		requireFault(t, err, kind, "cancelled")
		require.ErrorIs(t, err, context.Canceled)
	}
}

// Fault 70.
func TestDo_TimeoutIsDoubtAndCoversTheBody(t *testing.T) {
	release := make(chan struct{})
	address := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusCreated)
		w.(http.Flusher).Flush()
		<-release
	})
	t.Cleanup(func() { close(release) })
	client, err := New(Config{URL: address}, 50*time.Millisecond)
	require.NoError(t, err)
	_, err = client.Do(t.Context(), write())
	requireFault(t, err, fault.Doubt, "timeout")
}

// The native system executes the first request of a connection, answers it, and then cuts the connection on the next request: the
// situation in which net/http by itself sends a POST with an Idempotency-Key again.
// Fault 64.
func TestDo_AWriteIsNeverSentTwice(t *testing.T) {
	const answer = "HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}"
	for name, key := range map[string]string{"without key": "", "with idempotency key": "k-1"} {
		t.Run(name, func(t *testing.T) {
			address, requests := raw(t, func(n int64) string {
				if n == 1 {
					return answer
				}
				return ""
			})
			client := newClient(t, Config{URL: address})
			request := write()
			request.IdempotencyKey = key
			_, err := client.Do(t.Context(), request)
			require.NoError(t, err)
			_, err = client.Do(t.Context(), request)
			requireFault(t, err, fault.Doubt, "connection-cut")
			require.EqualValues(t, 2, requests.Load())
		})
	}
}

// Fault 64.
func TestDo_EveryRequestHasItsOwnConnection(t *testing.T) {
	seen := make(chan string, 4)
	address := serve(t, func(_ http.ResponseWriter, r *http.Request) { seen <- r.RemoteAddr })
	client := newClient(t, Config{URL: address})
	connections := map[string]bool{}
	for _, r := range []Request{reading(), reading(), write(), write()} {
		_, err := client.Do(t.Context(), r)
		require.NoError(t, err)
		connections[<-seen] = true
	}
	require.Len(t, connections, 4)
}

func TestDo_AReadingIsNotSentTwiceEither(t *testing.T) {
	address, requests := raw(t, func(n int64) string {
		if n == 1 {
			return "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
		}
		return ""
	})
	client := newClient(t, Config{URL: address})
	_, err := client.Do(t.Context(), reading())
	require.NoError(t, err)
	_, err = client.Do(t.Context(), reading())
	requireFault(t, err, fault.Retry, "connection-cut")
	require.EqualValues(t, 2, requests.Load())
}

// Fault 65.
func TestDo_ServerErrorsAreNotRetried(t *testing.T) {
	var calls atomic.Int64
	address := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		calls.Add(1)
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	got, err := newClient(t, Config{URL: address}).Do(t.Context(), write())
	require.NoError(t, err)
	require.Equal(t, http.StatusServiceUnavailable, got.Status)
	require.EqualValues(t, 1, calls.Load())
}

// Faults 62 and 63.
func TestDo_RedirectsAreNotFollowed(t *testing.T) {
	var followed atomic.Int64
	other := serve(t, func(http.ResponseWriter, *http.Request) { followed.Add(1) })
	for _, status := range []int{301, 302, 303, 307, 308} {
		var calls atomic.Int64
		address := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			calls.Add(1)
			w.Header().Set("Location", other+"/"+secretMark)
			w.WriteHeader(status)
		})
		client := newClient(t, Config{URL: address})
		_, err := client.Do(t.Context(), write())
		requireFault(t, err, fault.Doubt, "redirected")
		_, err = client.Do(t.Context(), reading())
		requireFault(t, err, fault.Retry, "redirected")
		require.EqualValues(t, 2, calls.Load())
	}
	require.Zero(t, followed.Load())
}

func TestDo_NotModifiedIsNoRedirect(t *testing.T) {
	address := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotModified) })
	got, err := newClient(t, Config{URL: address}).Do(t.Context(), reading())
	require.NoError(t, err)
	require.Equal(t, http.StatusNotModified, got.Status)
}

func TestDo_ProxyOfTheEnvironmentIsIgnored(t *testing.T) {
	var proxied atomic.Int64
	proxy := serve(t, func(http.ResponseWriter, *http.Request) { proxied.Add(1) })
	t.Setenv("HTTP_PROXY", proxy)
	t.Setenv("HTTPS_PROXY", proxy)
	_, err := newClient(t, Config{URL: "http://klib.invalid", AllowPlainHTTP: true}).Do(t.Context(), write())
	requireFault(t, err, fault.Retry, "dns")
	require.Zero(t, proxied.Load())
}

// Fault 70.
func TestDo_AnswerIsBounded(t *testing.T) {
	address := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		chunk := bytes.Repeat([]byte("x"), 1<<16)
		for {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	})
	client := newClient(t, Config{URL: address, MaxAnswerBytes: 1 << 20})
	_, err := client.Do(t.Context(), write())
	requireFault(t, err, fault.Doubt, "answer-too-large")
	_, err = client.Do(t.Context(), reading())
	requireFault(t, err, fault.Retry, "answer-too-large")
}

func TestDo_AnswerAtTheBoundIsTaken(t *testing.T) {
	address := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "1234") })
	got, err := newClient(t, Config{URL: address, MaxAnswerBytes: 4}).Do(t.Context(), reading())
	require.NoError(t, err)
	require.Equal(t, "1234", string(got.Body))
}

func TestDo_CompressedAnswerIsNotUnpacked(t *testing.T) {
	address := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		_, _ = z.Write(make([]byte, 1<<20))
		_ = z.Close()
	})
	_, err := newClient(t, Config{URL: address}).Do(t.Context(), reading())
	requireFault(t, err, fault.Retry, "answer-encoded")
}

func TestDo_RequestAsItIsSent(t *testing.T) {
	token := file(t, "token", "first\n")
	var got *http.Request
	var body []byte
	address := serve(t, func(w http.ResponseWriter, r *http.Request) {
		got = r
		body, _ = io.ReadAll(r.Body)
		http.SetCookie(w, &http.Cookie{Name: "session", Value: "1"})
	})
	client := newClient(t, Config{URL: address + "/base/", TokenFile: token})
	request := write()
	request.Path = []string{"dossiers", "a/b?c#d %2e@x", "eintraege"}
	request.Header.Set("Idempotency-Key", "from an adapter that did not think")
	_, err := client.Do(t.Context(), request)
	require.NoError(t, err)
	require.Equal(t, "/base/dossiers/a%2Fb%3Fc%23d%20%252e@x/eintraege?q="+secretMark, got.RequestURI)
	require.Equal(t, "Bearer first", got.Header.Get("Authorization"))
	require.Equal(t, "identity", got.Header.Get("Accept-Encoding"))
	require.Equal(t, "application/json", got.Header.Get("Content-Type"))
	require.Equal(t, "einmal", got.Header.Get("User-Agent"))
	require.Empty(t, got.Header.Values("Idempotency-Key"))
	require.Equal(t, request.Body, body)

	require.NoError(t, os.WriteFile(token, []byte("second"), 0o600))
	_, err = client.Do(t.Context(), reading())
	require.NoError(t, err)
	require.Equal(t, "Bearer second", got.Header.Get("Authorization"), "a replaced token is used at once")
	require.Empty(t, got.Header.Values("Cookie"), "cookies are not kept")
}

func TestDo_BasicAuthentication(t *testing.T) {
	var user, password string
	address := serve(t, func(_ http.ResponseWriter, r *http.Request) { user, password, _ = r.BasicAuth() })
	client := newClient(t, Config{URL: address, Username: "einmal", PasswordFile: file(t, "password", "s3cret\n")})
	_, err := client.Do(t.Context(), reading())
	require.NoError(t, err)
	require.Equal(t, "einmal/s3cret", user+"/"+password)
}

func TestDo_CredentialFileThatCannotBeUsedSendsNothing(t *testing.T) {
	var calls atomic.Int64
	address := serve(t, func(http.ResponseWriter, *http.Request) { calls.Add(1) })
	for name, content := range map[string]string{"empty": " \n", "two lines": secretMark + "\n" + secretMark, "too large": strings.Repeat("x", 9000), "not ASCII": "zürich"} {
		t.Run(name, func(t *testing.T) {
			client := newClient(t, Config{URL: address, TokenFile: file(t, "token", content)})
			_, err := client.Do(t.Context(), write())
			requireFault(t, err, fault.Stop, "credential-file")
		})
	}
	gone := file(t, "token", "x")
	client := newClient(t, Config{URL: address, TokenFile: gone})
	require.NoError(t, os.Remove(gone))
	_, err := client.Do(t.Context(), write())
	requireFault(t, err, fault.Stop, "credential-file")
	require.Zero(t, calls.Load())
}

func TestDo_PathCannotLeaveTheConfiguredAddress(t *testing.T) {
	var got string
	address := serve(t, func(_ http.ResponseWriter, r *http.Request) { got = r.RequestURI })
	client := newClient(t, Config{URL: address + "/base"})
	for _, segment := range []string{"", ".", ".."} {
		request := write()
		request.Path = []string{"dossiers", segment}
		_, err := client.Do(t.Context(), request)
		requireFault(t, err, fault.Park, "path-segment")
	}
	for _, segment := range []string{"//other.example", "@other.example", "../../admin", "http://other.example/x"} {
		request := reading()
		request.Path, request.Query = []string{segment}, nil
		_, err := client.Do(t.Context(), request)
		require.NoError(t, err)
		require.True(t, strings.HasPrefix(got, "/base/"), got)
		require.NotContains(t, strings.TrimPrefix(got, "/base/"), "/")
	}
}

func TestResponse_ProblemCode(t *testing.T) {
	problem := func(contentType, body string) string {
		return Response{Header: http.Header{"Content-Type": {contentType}}, Body: []byte(body)}.ProblemCode()
	}
	require.Equal(t, "nicht-verarbeitet", problem("application/problem+json; charset=utf-8", `{"type":"about:blank","status":503,"code":"nicht-verarbeitet"}`))
	require.Empty(t, problem("application/json", `{"code":"nicht-verarbeitet"}`), "another media type")
	require.Empty(t, problem("text/html", `<html>`))
	require.Empty(t, problem("application/problem+json", `{"code":"a","code":"b"}`), "repeated member")
	require.Empty(t, problem("application/problem+json", `{"code":"Hans Muster"}`), "not a code")
	require.Empty(t, problem("application/problem+json", `{"code":"`+strings.Repeat("a", 61)+`"}`))
	require.Empty(t, problem("application/problem+json", ``))
}

func file(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	return path
}
