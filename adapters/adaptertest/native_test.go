package adaptertest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
)

// What a wire can say in place of an answer.
var (
	errDial      = errors.New("nothing listens there")
	errForbidden = errors.New("not let in")
	errReject    = errors.New("rejected before any write")
	errUnknown   = errors.New("no such case")
	errCut       = errors.New("the connection was cut")
	errBroken    = errors.New(Leak)
	errElsewhere = errors.New("sent elsewhere")
	errEndless   = errors.New("the answer does not end")
	errHalf      = errors.New("half an answer")
)

const token = "canary-token"

// register is a native system in memory, with a wire that the tests can break.
type register struct {
	joining bool // mode A
	lagging bool
	mu      sync.Mutex
	records []native.Record
	halves  int // so many records at the end begin with one that is not whole yet; 0: all are whole
	papers  map[string][]byte
	queue   []scripted
}

// file keeps a document.
func (r *register) file(hash string, content []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.papers == nil {
		r.papers = map[string][]byte{}
	}
	r.papers[hash] = content
}

func (r *register) Attach(content []byte) error {
	r.file(hashOf(content), content)
	_, err := r.Enter(0)
	return err
}

func (r *register) Naming(n int, in native.CaseKey, d handover.Document) native.Entry {
	e := r.Entry(n, in)
	e.Documents = []handover.Document{d}
	return e
}

func hashOf(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

func (r *register) Count(ref native.Reference) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.having(ref))
}

func (r *register) having(ref native.Reference) []native.Record {
	var found []native.Record
	for _, rec := range r.records {
		if rec.Reference == ref {
			found = append(found, rec)
		}
	}
	return found
}

func (r *register) Enter(n int) (native.RecordID, error) {
	rec, err := r.write(native.Entry{Kind: "note", Body: []byte(strconv.Itoa(n))})
	return rec.ID, err
}

// EnterByHalves implements [Files].
func (r *register) EnterByHalves() (ids []native.RecordID, complete func() error, err error) {
	for n := range 2 {
		rec, err := r.write(native.Entry{Kind: "note", Case: r.from(0, 1)[0].Case, Body: []byte(strconv.Itoa(n))})
		if err != nil {
			return nil, nil, err
		}
		ids = append(ids, rec.ID)
	}
	whole := func(halves int) error {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.halves = halves
		return nil
	}
	return ids, func() error { return whole(0) }, whole(len(ids))
}

// whole is how many records may be read.
func (r *register) whole() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.records) - r.halves
}

func (*register) Entry(n int, in native.CaseKey) native.Entry {
	return native.Entry{
		Reference: native.Reference(fmt.Sprintf("%08x", n+1)), Kind: "note", Case: in, CaseReference: "case", Organisation: "sd", Body: []byte(strconv.Itoa(n)),
	}
}

func (r *register) Script(f Fault) <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	met := make(chan struct{})
	if f == Lagging {
		r.lagging = true
		return met
	}
	r.queue = append(r.queue, scripted{fault: f, met: met})
	return met
}

func (r *register) write(e native.Entry) (native.Record, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if found := r.having(e.Reference); r.joining && e.Reference != "" && len(found) > 0 {
		return found[0], nil
	}
	for _, d := range e.Documents {
		if r.papers[d.SHA256] == nil {
			return native.Record{}, errUnknown
		}
	}
	n := len(r.records) + 1
	in, sequence := e.Case, uint64(1)
	for _, rec := range r.records {
		if rec.Case == in && in != "" {
			sequence++
		}
	}
	if in == "" {
		in = native.CaseKey(fmt.Sprintf("C-%d", n))
	} else if sequence == 1 {
		return native.Record{}, errUnknown
	}
	rec := native.Record{
		ID: native.RecordID(fmt.Sprintf("R-%d", n)), Kind: e.Kind, Case: in, Organisation: "sd", CaseReference: e.CaseReference, Reference: e.Reference,
		Sequence: sequence, At: time.Unix(int64(n), 0), Action: e.Action, Refers: e.Refers, Body: e.Body,
	}
	r.records = append(r.records, rec)
	return rec, nil
}

func (r *register) from(n, limit int) []native.Record {
	r.mu.Lock()
	defer r.mu.Unlock()
	n = min(n, len(r.records))
	return slices.Clone(r.records[n:min(len(r.records), n+limit)])
}

func (r *register) fate(write bool) (scripted, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.queue) == 0 || r.queue[0].fault == Rejected && !write {
		return scripted{}, false
	}
	first := r.queue[0]
	r.queue = r.queue[1:]
	close(first.met)
	return first, true
}

// exchange is the wire: it lets act happen or not, and what the client hears of it or not.
func (r *register) exchange(ctx context.Context, how Connection, write bool, act func() error) error {
	switch {
	case how == Unreachable:
		return errDial
	case how == WrongCredentials:
		return errForbidden
	}
	s, wrong := r.fate(write)
	if !wrong {
		return act()
	}
	switch s.fault {
	case Rejected:
		return errReject
	case Failed:
		return errBroken
	case Redirected:
		return errElsewhere
	case Silent:
		<-ctx.Done()
		return ctx.Err()
	}
	_ = act()
	return map[Fault]error{LostAnswer: errCut, Late: errCut, Torn: errHalf, Endless: errEndless}[s.fault]
}
