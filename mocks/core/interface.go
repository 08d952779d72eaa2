package core

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strconv"
)

// bodyLimit is how much of a request is read before its fate is decided. The rest still reaches the handler.
const bodyLimit = 32 << 20

// Interface puts the faults of the dice before a native interface. write tells which requests write; reject answers "rejected before any write" in
// the system's own wire form. Reads only become slow, are rejected, or are answered by half. A request whose body has arrived is carried out even if its client
// goes away, as real servers do.
func Interface(d *Dice, write func(*http.Request) bool, reject func(http.ResponseWriter), next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hangup := r.Context().Done()
		r, err := arrived(r)
		if err != nil {
			http.Error(w, "the request did not arrive whole", http.StatusBadRequest)
			return
		}
		t := d.draw(write(r))
		if t.slow > 0 {
			d.wait(t.slow, nil)
		}
		switch t.fault {
		case FaultError:
			reject(w)
		case FaultLostAnswer:
			next.ServeHTTP(newDeaf(), r)
			cut()
		case FaultErrorInDoubt:
			if t.heads {
				next.ServeHTTP(newDeaf(), r)
			}
			http.Error(w, "internal error", http.StatusInternalServerError)
		case FaultLate:
			d.later(t.lateBy, func() { next.ServeHTTP(newDeaf(), r) })
			if t.heads {
				d.wait(t.lateBy, hangup)
			}
			cut()
		case FaultTorn:
			half(w, r, next)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// half promises the whole answer, sends the first half of it, and ends the connection.
func half(w http.ResponseWriter, r *http.Request, next http.Handler) {
	whole := &kept{deaf: newDeaf(), status: http.StatusOK}
	next.ServeHTTP(whole, r)
	for name, values := range whole.header {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Length", strconv.Itoa(whole.body.Len()+1))
	w.WriteHeader(whole.status)
	_, _ = w.Write(whole.body.Bytes()[:whole.body.Len()/2])
	_ = http.NewResponseController(w).Flush()
	cut()
}

// kept is an answer that is kept back.
type kept struct {
	*deaf
	status int
	body   bytes.Buffer
}

func (k *kept) Write(b []byte) (int, error) { return k.body.Write(b) }
func (k *kept) WriteHeader(status int)      { k.status = status }

// cut ends the connection without an answer; a panic with this value is how net/http does it, and it is caught there.
func cut() { panic(http.ErrAbortHandler) }

// arrived reads the body and cuts the request loose from its client, so that it can be carried out after the client has gone.
func arrived(r *http.Request) (*http.Request, error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, bodyLimit))
	if err != nil {
		return nil, err
	}
	rest := r.Body
	if len(body) < bodyLimit {
		rest = http.NoBody
	}
	loose := r.Clone(context.WithoutCancel(r.Context()))
	loose.Body = io.NopCloser(io.MultiReader(bytes.NewReader(body), rest))
	return loose, nil
}

// deaf is a client that does not hear the answer.
type deaf struct{ header http.Header }

func newDeaf() *deaf { return &deaf{header: http.Header{}} }

func (d *deaf) Header() http.Header       { return d.header }
func (*deaf) Write(b []byte) (int, error) { return len(b), nil }
func (*deaf) WriteHeader(int)             {}
