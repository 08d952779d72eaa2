package adaptertest

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/stretchr/testify/require"
)

// lateFlaws are the ways in which an adapter for a system that answers later can be wrong.
type lateFlaws struct {
	believes, forgets, doubles, waitsLoudly, swallows, showsAll, answersOnce, loses bool
	retriesDoubt, resends, guesses, searchSaysNothing, showsOne, looksNot           bool
}

// post is the register behind a carrier: what is handed over arrives when Carry is called, and answers lie in a box.
type post struct {
	*register
	lateFlaws
	mu      sync.Mutex
	waiting []native.Entry
	box     map[native.Reference]error // nil: recorded
	strange Fault                      // what happens to the next entry that is carried
}

func (p *post) Connect(_ T, how Connection) adapters.System {
	c := &courier{post: p, how: how}
	s := p.connect(how, flaws{})
	if !p.joining {
		s.Abilities.Mode = adapters.ModeC
	}
	s.Sink, s.Finder = c, c
	s.Abilities.Bounds.Answer = 1
	return s
}

func (p *post) Carry() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, e := range p.waiting {
		_, err := p.write(e)
		if p.strange == Doubled {
			_, err = p.write(e)
		}
		if p.strange != Forgotten {
			p.box[e.Reference] = err
		}
		p.strange = ""
	}
	p.waiting = nil
	return nil
}

func (p *post) Script(f Fault) <-chan struct{} {
	if f != Doubled && f != Forgotten {
		return p.register.Script(f)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.strange = f
	return nil
}

// courier is the adapter.
type courier struct {
	post  *post
	how   Connection
	mu    sync.Mutex
	asked map[native.Reference]bool
}

func (c *courier) Apply(ctx context.Context, e native.Entry) (native.Receipt, error) {
	if ctx.Err() != nil {
		return native.Receipt{}, fault.New(fault.Retry, "post.apply", "ended", "the time is over")
	}
	if r, known := c.stands(e.Reference); known && !c.post.joining {
		return r, nil
	}
	if c.post.believes {
		return native.Receipt{Record: "R", Case: "C"}, nil
	}
	err := c.post.exchange(ctx, c.how, true, func() error { c.put(e); return nil })
	if c.post.resends && errors.Is(err, errCut) {
		c.put(e)
	}
	switch {
	case errors.Is(err, errForbidden):
		return native.Receipt{}, fault.New(fault.Stop, "post.apply", "forbidden", "not let in")
	case errors.Is(err, errDial), errors.Is(err, errReject), err != nil && c.post.retriesDoubt:
		return native.Receipt{}, fault.New(fault.Retry, "post.apply", "rejected", "nothing was handed over")
	case err != nil:
		return native.Receipt{}, fault.New(fault.Doubt, "post.apply", "cut", "nobody knows whether it was handed over")
	}
	return native.Receipt{}, fault.New(fault.Doubt, "post.apply", "handed-over", "nobody knows yet")
}

// stands looks for a record that was reported already.
func (c *courier) stands(ref native.Reference) (native.Receipt, bool) {
	c.post.mu.Lock()
	defer c.post.mu.Unlock()
	err, answered := c.post.box[ref]
	if !answered || err != nil || c.post.looksNot {
		return native.Receipt{}, false
	}
	r := c.receipts(ref)[0]
	r.Joined = true
	return r, true
}

func (c *courier) put(e native.Entry) {
	c.post.mu.Lock()
	defer c.post.mu.Unlock()
	if c.post.doubles {
		c.post.joining = false
	}
	if !c.post.loses || len(c.post.waiting) == 0 {
		c.post.waiting = append(c.post.waiting, e)
	}
}

func (c *courier) Find(ctx context.Context, ref native.Reference) ([]native.Receipt, error) {
	switch err := c.post.exchange(ctx, c.how, false, func() error { return nil }); {
	case err != nil && c.post.searchSaysNothing:
		return nil, nil
	case err != nil:
		return nil, fault.New(fault.Retry, "post.find", "folder", "the folder cannot be read")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.asked == nil {
		c.asked = map[native.Reference]bool{}
	}
	again := c.asked[ref]
	c.asked[ref] = true
	c.post.mu.Lock()
	defer c.post.mu.Unlock()
	err, answered := c.post.box[ref]
	switch {
	case !answered && c.post.waitsLoudly:
		return nil, fault.New(fault.Retry, "post.find", "outstanding", "there is no answer yet")
	case !answered && c.post.guesses:
		return c.receipts(ref), nil
	case !answered && !c.post.showsAll, again && answered && c.post.answersOnce, c.post.forgets:
		return nil, nil
	case err != nil && !c.post.swallows:
		return nil, fault.New(fault.Refuse, "post.find", "unknown-case", "there is no such case")
	}
	return c.receipts(ref), nil
}

func (c *courier) receipts(ref native.Reference) []native.Receipt {
	var found []native.Receipt
	for _, r := range c.post.records {
		if r.Reference == ref || c.post.showsAll {
			found = append(found, native.Receipt{Record: r.ID, Case: r.Case})
		}
	}
	if c.post.showsOne && len(found) > 1 {
		return found[:1]
	}
	return found
}

func postDriver(joining bool, f lateFlaws) Driver {
	return Driver{Start: func(T) Native {
		return &post{register: &register{joining: joining}, lateFlaws: f, box: map[native.Reference]error{}}
	}}
}

func TestARightAdapterForASystemThatAnswersLaterHoldsEveryRule(t *testing.T) {
	t.Run("mode A", func(t *testing.T) { Run(t, postDriver(true, lateFlaws{})) })
	t.Run("mode C", func(t *testing.T) { Run(t, postDriver(false, lateFlaws{})) })
}

func TestEveryWrongAdapterForASystemThatAnswersLaterFails(t *testing.T) {
	for name, test := range map[string]struct {
		flaws lateFlaws
		rule  string
	}{
		"takes handing over for a record":        {lateFlaws{believes: true}, "handed over is not"},
		"never learns the outcome":               {lateFlaws{forgets: true}, "handed over is not"},
		"takes an outstanding answer for an end": {lateFlaws{waitsLoudly: true}, "handed over is not"},
		"is recorded twice":                      {lateFlaws{doubles: true}, "I2 handing over again"},
		"swallows a refusal":                     {lateFlaws{swallows: true}, "a refusal comes"},
		"shows what others wrote":                {lateFlaws{showsAll: true}, "its own and nothing else"},
		"tells an outcome once":                  {lateFlaws{answersOnce: true}, "a new process"},
		"loses what comes at once":               {lateFlaws{loses: true}, "many may hand over"},
		"takes a cut connection for a retry":     {lateFlaws{retriesDoubt: true}, "whatever becomes of the connection"},
		"hands over again after a cut":           {lateFlaws{resends: true}, "whatever becomes of the connection"},
		"guesses what nobody reported":           {lateFlaws{guesses: true}, "stays open"},
		"takes a failed search for an empty one": {lateFlaws{searchSaysNothing: true}, "a later search that fails"},
		"shows one of two":                       {lateFlaws{showsOne: true}, "stands twice"},
		"does not look before it hands over":     {lateFlaws{looksNot: true}, "mode C: what is reported"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, r := range rules() {
				if strings.Contains(r.name, test.rule) {
					said := failure(func(t T) { start(t, postDriver(test.rule == "I2 handing over again", test.flaws)).hold(r) })
					require.NotEmpty(t, said, "the rule %q lets it pass", r.name)
					require.NotContains(t, said, "panic", r.name)
					return
				}
			}
			require.Fail(t, "no such rule", test.rule)
		})
	}
}
