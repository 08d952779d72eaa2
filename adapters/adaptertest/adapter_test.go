package adaptertest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"sync/atomic"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
)

// flaws are the ways in which the adapter of these tests can be wrong; without any it is right.
type flaws struct {
	resends, believes, retriesDoubt, follows, followsReading, triesAgain      bool
	retriesRefusal, retriesForbidden, doubtsDial, stopsRejection              bool
	showsToken, showsAnswer                                                   bool
	searchSaysNothing, searchShowsOne, searchShowsAll, searchWaits            bool
	skips, remembers, tooMany, backwards, moves, forgetsReference, givesCases bool
	sendsAfterEnd, mixesUp, countsFromTheEnd                                  bool
	leaks, closesOnce, pingsAlways, verifiesAll, noFinder, noBounds           bool
	putsAnything, putsHalf, putsLater, believesPut, doubtsPut, putsAfterEnd   bool
	opensAnything, opensOther, retriesMissing, forgetsDocuments               bool
	movesNoDocuments, writesAsNew, readsAsNew, refersToNothing                bool
	overtakes                                                                 bool
	mode                                                                      adapters.Mode
}

// client is an adapter for the register.
type client struct {
	flaws
	register *register
	how      Connection
	position atomic.Int64
	last     atomic.Pointer[native.Receipt]
	closed   atomic.Bool
}

func (r *register) connect(how Connection, f flaws) adapters.System {
	c := &client{flaws: f, register: r, how: how}
	s := adapters.System{
		Source: c, Sink: c, Documents: c, Webhook: c, Ping: c.ping, Close: c.close,
		Abilities: adapters.Abilities{Mode: adapters.ModeB, Contract: "register/1", Bounds: adapters.Bounds{Request: 1, Lookup: 1}},
	}
	if r.joining {
		s.Abilities.Mode = adapters.ModeA
	} else if !f.noFinder {
		s.Finder = c
	}
	if f.mode != "" {
		s.Abilities.Mode = f.mode
	}
	if f.noBounds {
		s.Abilities.Bounds = adapters.Bounds{}
	}
	if f.movesNoDocuments {
		s.Documents = nil
	}
	if f.leaks {
		go func() { select {} }()
	}
	return s
}

// judge turns what the wire said into a kind.
func (c *client) judge(err error, write bool) error {
	doubt := fault.Retry
	if write && !c.retriesDoubt {
		doubt = fault.Doubt
	}
	var kind fault.Kind
	switch {
	case err == nil:
		return nil
	case errors.Is(err, errDial):
		kind = map[bool]fault.Kind{false: fault.Retry, true: fault.Doubt}[c.doubtsDial]
	case errors.Is(err, errForbidden):
		kind = map[bool]fault.Kind{false: fault.Stop, true: fault.Retry}[c.retriesForbidden]
	case errors.Is(err, errReject):
		kind = map[bool]fault.Kind{false: fault.Retry, true: fault.Stop}[c.stopsRejection]
	case errors.Is(err, errUnknown):
		kind = map[bool]fault.Kind{false: fault.Refuse, true: fault.Retry}[c.retriesRefusal]
	default:
		kind = doubt
	}
	f := fault.New(kind, "register.call", "register", "the register did not answer as it should")
	if c.showsToken {
		f = f.Hint("look at the token " + token)
	}
	if c.showsAnswer {
		f = f.Because(err)
	}
	return f
}

func (c *client) Apply(ctx context.Context, e native.Entry) (native.Receipt, error) {
	if ctx.Err() != nil && !c.sendsAfterEnd {
		return native.Receipt{}, fault.Wrap(fault.Retry, "register.apply", ctx.Err())
	}
	if c.forgetsDocuments {
		e.Documents = nil
	}
	if c.writesAsNew {
		e.Action, e.Refers = "", ""
	}
	if c.refersToNothing {
		e.Refers = ""
	}
	before := c.register.Count(e.Reference)
	var rec native.Record
	send := func() error {
		return c.register.exchange(ctx, c.how, true, func() (err error) { rec, err = c.register.write(e); return err })
	}
	err := send()
	again := c.resends && (errors.Is(err, errCut) || errors.Is(err, errBroken)) || c.follows && errors.Is(err, errElsewhere) || c.triesAgain && errors.Is(err, errReject)
	if again {
		err = send()
	}
	if c.believes && rec.ID != "" {
		err = nil
	}
	if err != nil {
		return native.Receipt{}, c.judge(err, true)
	}
	receipt := native.Receipt{Record: rec.ID, Case: rec.Case, Joined: c.register.joining && before > 0}
	if c.givesCases {
		receipt.Case = "C-9"
	}
	if first := c.last.Load(); c.mixesUp && first != nil {
		receipt = *first
	}
	c.last.CompareAndSwap(nil, &receipt)
	return receipt, nil
}

func (c *client) PutDocument(ctx context.Context, d handover.Document, content io.Reader) error {
	if ctx.Err() != nil && !c.putsAfterEnd {
		return fault.Wrap(fault.Retry, "register.put", ctx.Err())
	}
	b, err := io.ReadAll(content)
	switch {
	case err != nil && c.putsHalf:
		c.register.file(d.SHA256, b)
		return fault.Wrap(fault.Retry, "register.put", err)
	case err != nil:
		return fault.Wrap(fault.Retry, "register.put", err)
	case !c.putsAnything && (hashOf(b) != d.SHA256 || int64(len(b)) != d.Size):
		return fault.New(fault.Refuse, "register.put", "content", "the content is not that of the hash")
	}
	err = c.register.exchange(ctx, c.how, true, func() error {
		if !c.putsLater {
			c.register.file(d.SHA256, b)
		}
		return nil
	})
	if c.believesPut && errors.Is(err, errCut) {
		return nil
	}
	return c.judge(err, c.doubtsPut)
}

func (c *client) OpenDocument(ctx context.Context, hash string) (io.ReadCloser, error) {
	var content []byte
	err := c.register.exchange(ctx, c.how, false, func() error {
		c.register.mu.Lock()
		defer c.register.mu.Unlock()
		content = c.register.papers[hash]
		if c.opensOther {
			for _, other := range c.register.papers {
				if content == nil || len(other) < len(content) {
					content = other
				}
			}
		}
		return nil
	})
	switch {
	case err != nil:
		return nil, c.judge(err, false)
	case content == nil && c.retriesMissing:
		return nil, fault.New(fault.Retry, "register.open", adapters.DocumentMissing, "the document is not there")
	case content == nil && !c.opensAnything:
		return nil, fault.New(fault.Park, "register.open", adapters.DocumentMissing, "the document is not there")
	}
	return io.NopCloser(bytes.NewReader(content)), nil
}

func (c *client) Find(ctx context.Context, ref native.Reference) ([]native.Receipt, error) {
	var receipts []native.Receipt
	err := c.register.exchange(ctx, c.how, false, func() error {
		c.register.mu.Lock()
		defer c.register.mu.Unlock()
		found := c.register.having(ref)
		if c.register.lagging && !c.searchWaits {
			found = nil
		}
		if c.searchWaits && len(found) == 0 {
			return errBroken
		}
		if c.searchShowsAll {
			found = c.register.records
		}
		for _, rec := range found {
			receipts = append(receipts, native.Receipt{Record: rec.ID, Case: rec.Case})
		}
		return nil
	})
	if err != nil {
		receipts = nil
	}
	if c.searchSaysNothing {
		err = nil
	}
	if c.searchShowsOne && len(receipts) > 1 {
		receipts = receipts[:1]
	}
	return receipts, c.judge(err, false)
}

func (c *client) Read(ctx context.Context, after native.Position, limit int) (adapters.Batch, error) {
	from, _ := strconv.Atoi(string(after))
	if from < 0 {
		from += len(c.register.from(0, most))
	}
	if c.remembers {
		from = int(c.position.Load())
	}
	if c.skips && from == 3 {
		from = 4
	}
	if c.tooMany {
		limit++
	}
	var records []native.Record
	act := func() error {
		records = c.register.from(from, min(limit, max(0, c.register.whole()-from)))
		if c.overtakes && len(records) == 0 {
			records = c.register.from(from+1, limit)
		}
		for i := range records {
			if c.readsAsNew {
				records[i].Action, records[i].Refers = "", ""
			}
		}
		return nil
	}
	err := c.register.exchange(ctx, c.how, false, act)
	if c.followsReading && errors.Is(err, errElsewhere) {
		err = act()
	}
	if err != nil && c.moves {
		return adapters.Batch{Next: native.Position(strconv.Itoa(from + 1))}, nil
	}
	if err != nil {
		return adapters.Batch{}, c.judge(err, false)
	}
	return c.batch(after, from, records), nil
}

func (c *client) batch(after native.Position, from int, records []native.Record) adapters.Batch {
	b := adapters.Batch{Records: records, Next: after}
	if len(records) > 0 {
		b.Next = native.Position(strconv.Itoa(from + len(records)))
		c.position.Store(int64(from + len(records)))
	}
	if left := from + len(records) - len(c.register.from(0, most)); c.countsFromTheEnd && left < 0 {
		b.Next = native.Position(strconv.Itoa(left))
	}
	for i := range records {
		if c.forgetsReference {
			records[i].Reference = ""
		}
	}
	if c.backwards && len(records) > 1 {
		records[0], records[1] = records[1], records[0]
	}
	return b
}

func (c *client) Verify(http.Header, []byte) error {
	if c.verifiesAll {
		return nil
	}
	return fault.New(fault.Refuse, "register.verify", "signature", "the notification is not signed")
}

func (c *client) ping(ctx context.Context) error {
	if c.pingsAlways {
		return nil
	}
	return c.judge(c.register.exchange(ctx, c.how, false, func() error { return nil }), false)
}

func (c *client) close() error {
	if c.closed.Swap(true) && c.closesOnce {
		return errors.New("closed already")
	}
	return nil
}
