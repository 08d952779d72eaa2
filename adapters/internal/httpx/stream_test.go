package httpx

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/stretchr/testify/require"
)

func upload() Request {
	return Request{Op: "test.put", Method: http.MethodPut, Path: []string{secretMark}, Header: http.Header{"Content-Type": {"application/octet-stream"}}}
}

func TestUpload_SendsTheContentWithItsLength(t *testing.T) {
	var length atomic.Int64
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		length.Store(r.ContentLength)
		b, err := io.ReadAll(r.Body)
		if err != nil || string(b) != "content" || r.Header.Get("Authorization") != "" {
			w.WriteHeader(http.StatusTeapot)
			return
		}
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, "{}")
	})
	r, err := newClient(t, Config{URL: url}).Upload(t.Context(), upload(), strings.NewReader("content"), 7)
	require.NoError(t, err)
	require.Equal(t, http.StatusCreated, r.Status)
	require.Equal(t, "{}", string(r.Body))
	require.EqualValues(t, 7, length.Load())
}

func TestUpload_WhoNeedsNoBodyGetsNone(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	content := &counted{from: bytes.NewReader(make([]byte, 1<<20))}
	r, err := newClient(t, Config{URL: url}).Upload(t.Context(), upload(), content, 1<<20)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, r.Status)
	require.Zero(t, content.read.Load())
}

type counted struct {
	from io.Reader
	read atomic.Int64
}

func (c *counted) Read(b []byte) (int, error) {
	n, err := c.from.Read(b)
	c.read.Add(int64(n))
	return n, err
}

func TestUpload_ABodyThatDoesNotComeWholeIsNotTakenForOne(t *testing.T) {
	var whole atomic.Int64
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err == nil {
			whole.Add(1)
		}
		w.WriteHeader(http.StatusCreated)
	})
	client := newClient(t, Config{URL: url})
	changed := fault.New(fault.Park, "test", "changed", "changed")
	for _, content := range []string{"", "cont", "conten", "content"} {
		_, err := client.Upload(t.Context(), upload(), io.MultiReader(strings.NewReader(content), failing{changed}), 7)
		require.ErrorIs(t, err, changed)
		require.Equal(t, fault.Park, fault.KindOf(err), "an error of the content comes back as it is")
	}
	for _, content := range []string{"", "cont", "content ", "content and more"} {
		for _, slow := range []bool{false, true} {
			var from io.Reader = strings.NewReader(content)
			if slow {
				from = iotest.OneByteReader(from)
			}
			_, err := client.Upload(t.Context(), upload(), from, 7)
			require.Equal(t, fault.Refuse, fault.KindOf(err), "%v", err)
			require.Equal(t, "document-size", fault.CodeOf(err))
		}
	}
	require.Zero(t, whole.Load())
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestUpload_FailuresAreThoseOfEveryRequest(t *testing.T) {
	for name, c := range map[string]struct {
		answer string
		kind   fault.Kind
		code   string
	}{
		"cut":      {"", fault.Retry, "connection-cut"},
		"401":      {"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", fault.Stop, "unauthorized"},
		"redirect": {"HTTP/1.1 307 Temporary Redirect\r\nLocation: /x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", fault.Retry, "redirected"},
	} {
		t.Run(name, func(t *testing.T) {
			address, requests := raw(t, func(int64) string { return c.answer })
			client := newClient(t, Config{URL: address})
			_, err := client.Upload(t.Context(), upload(), strings.NewReader(secretMark), int64(len(secretMark)))
			requireFault(t, err, c.kind, c.code)
			require.EqualValues(t, 1, requests.Load(), "sent once")
			_, _, err = client.Download(t.Context(), reading(), 10)
			requireFault(t, err, c.kind, c.code)
		})
	}
	client := newClient(t, Config{URL: "http://127.0.0.1:1"})
	_, err := client.Upload(t.Context(), upload(), strings.NewReader("x"), 1)
	requireFault(t, err, fault.Retry, "unreachable")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = client.Upload(ctx, upload(), strings.NewReader("x"), 1)
	requireFault(t, err, fault.Retry, "cancelled")
	r := upload()
	r.Path = []string{".."}
	_, err = client.Upload(t.Context(), r, strings.NewReader("x"), 1)
	requireFault(t, err, fault.Park, "path-segment")
}

func TestDownload_IsReadWhileItComesAndNoFurtherThanItsLimit(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Query().Get("q") {
		case "missing":
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, `{"code":"unknown"}`)
		case "encoded":
			w.Header().Set("Content-Encoding", "gzip")
		default:
			_, _ = io.WriteString(w, "0123456789")
		}
	})
	client := newClient(t, Config{URL: url})
	r := reading()
	response, body, err := client.Download(t.Context(), r, 4)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, response.Status)
	b, err := io.ReadAll(body)
	require.NoError(t, err)
	require.Equal(t, "01234", string(b), "one byte more than the limit, so that its reader can tell")
	require.NoError(t, body.Close())
	r.Query.Set("q", "missing")
	response, body, err = client.Download(t.Context(), r, 4)
	require.NoError(t, err)
	require.Nil(t, body)
	require.Equal(t, "unknown", response.ProblemCode())
	r.Query.Set("q", "encoded")
	_, body, err = client.Download(t.Context(), r, 4)
	requireFault(t, err, fault.Retry, "answer-encoded")
	require.Nil(t, body)
}

func TestDownload_ACutBodyIsAnError(t *testing.T) {
	address, _ := raw(t, func(int64) string {
		return "HTTP/1.1 200 OK\r\nContent-Length: 500\r\nConnection: close\r\n\r\n" + secretMark
	})
	_, body, err := newClient(t, Config{URL: address}).Download(t.Context(), reading(), 1000)
	require.NoError(t, err)
	_, err = io.ReadAll(body)
	requireFault(t, err, fault.Retry, "connection-cut")
	require.NoError(t, body.Close())
}

// zeros is so many bytes that stand in no memory.
type zeros int64

func (z *zeros) Read(b []byte) (int, error) {
	if *z == 0 {
		return 0, io.EOF
	}
	n := min(len(b), int(*z))
	clear(b[:n])
	*z -= zeros(n)
	return n, nil
}

func TestStreams_AreNeverWholeInMemory(t *testing.T) {
	const size = 64 << 20
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPut {
			_, _ = io.Copy(io.Discard, r.Body)
			w.WriteHeader(http.StatusCreated)
			return
		}
		z := zeros(size)
		_, _ = io.Copy(w, &z)
	})
	client := newClient(t, Config{URL: url})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	z := zeros(size)
	_, err := client.Upload(t.Context(), upload(), &z, size)
	require.NoError(t, err)
	_, body, err := client.Download(t.Context(), reading(), size)
	require.NoError(t, err)
	n, err := io.Copy(io.Discard, body)
	require.NoError(t, errors.Join(err, body.Close()))
	require.EqualValues(t, size, n)
	runtime.ReadMemStats(&after)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(8<<20))
}

func TestDownload_AReadingMayHaveABody(t *testing.T) {
	var bodies atomic.Int64
	client := newClient(t, Config{URL: serve(t, func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		require.NoError(t, err)
		require.Equal(t, "which", string(b))
		require.EqualValues(t, len(b), r.ContentLength)
		bodies.Add(1)
		_, _ = io.WriteString(w, "this one")
	})})
	r := reading()
	r.Method, r.Body = http.MethodPost, []byte("which")
	_, body, err := client.Download(t.Context(), r, 100)
	require.NoError(t, err)
	b, err := io.ReadAll(body)
	require.NoError(t, err)
	require.NoError(t, body.Close())
	require.Equal(t, "this one", string(b))
	require.EqualValues(t, 1, bodies.Load(), "sent once")
}
