package adaptertest

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
)

// Between is an HTTP handler that stands between an adapter and a native system and lets exchanges go wrong. It knows every fault
// but [Rejected] and [Lagging], which are the native system's own. It may be used concurrently.
type Between struct {
	next    http.Handler
	running sync.WaitGroup
	mu      sync.Mutex
	queue   []scripted
}

type scripted struct {
	fault Fault
	met   chan struct{}
}

// NewBetween returns a handler that passes on what is not scripted.
func NewBetween(next http.Handler) *Between { return &Between{next: next} }

// Script makes the next request go wrong. The channel is closed when the request has arrived whole.
func (b *Between) Script(f Fault) <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	met := make(chan struct{})
	b.queue = append(b.queue, scripted{fault: f, met: met})
	return met
}

// Wait waits until every request that arrived is done with, the late ones too.
func (b *Between) Wait() {
	b.mu.Lock()   // what has arrived is counted
	b.mu.Unlock() //nolint:staticcheck // the lock orders arriving before waiting; nothing is done under it
	b.running.Wait()
}

// arrive counts a request and draws what goes wrong with it.
func (b *Between) arrive() (scripted, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.running.Add(1)
	if len(b.queue) == 0 {
		return scripted{}, false
	}
	first := b.queue[0]
	b.queue = b.queue[1:]
	return first, true
}

// ServeHTTP implements [http.Handler].
func (b *Between) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s, wrong := b.arrive()
	defer b.running.Done()
	if !wrong {
		b.next.ServeHTTP(w, r)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	close(s.met)
	loose := r.Clone(context.WithoutCancel(r.Context()))
	loose.Body = io.NopCloser(bytes.NewReader(body))
	b.goWrong(s.fault, w, r, loose)
}

func (b *Between) goWrong(f Fault, w http.ResponseWriter, r, loose *http.Request) {
	switch f {
	case Failed:
		http.Error(w, Leak, http.StatusInternalServerError)
	case LostAnswer:
		b.answer(loose)
		cut(w)
	case Late:
		cut(w)
		b.answer(loose)
	case Torn:
		torn(w, b.answer(loose))
	case Endless:
		endless(w, r, b.answer(loose))
	case Silent:
		<-r.Context().Done()
	case Redirected:
		w.Header().Set("Location", r.URL.RequestURI())
		w.WriteHeader(http.StatusTemporaryRedirect)
	}
}

// answer carries a request out and keeps the answer.
func (b *Between) answer(r *http.Request) *httptest.ResponseRecorder {
	recorded := httptest.NewRecorder()
	b.next.ServeHTTP(recorded, r)
	return recorded
}

// cut ends the connection without a word.
func cut(w http.ResponseWriter) {
	if connection, _, err := http.NewResponseController(w).Hijack(); err == nil {
		_ = connection.Close()
	}
}

// head sends the status and the headers of an answer, promising so many bytes more than its body has, or no length.
func head(w http.ResponseWriter, answer *httptest.ResponseRecorder, more int) []byte {
	for name, values := range answer.Header() {
		if name != "Content-Length" {
			w.Header()[name] = values
		}
	}
	if more > 0 {
		w.Header().Set("Content-Length", strconv.Itoa(answer.Body.Len()+more))
	}
	w.WriteHeader(answer.Code)
	return answer.Body.Bytes()
}

// torn promises more than it sends, and cuts in the middle.
func torn(w http.ResponseWriter, answer *httptest.ResponseRecorder) {
	body := head(w, answer, 1)
	_, _ = w.Write(body[:len(body)/2])
	_ = http.NewResponseController(w).Flush()
	cut(w)
}

// endless sends the whole answer and then blanks, which every format allows, until the client has enough.
func endless(w http.ResponseWriter, r *http.Request, answer *httptest.ResponseRecorder) {
	_, err := w.Write(head(w, answer, 0))
	blanks := bytes.Repeat([]byte(" "), 1<<16)
	for err == nil && r.Context().Err() == nil {
		_, err = w.Write(blanks)
	}
}
