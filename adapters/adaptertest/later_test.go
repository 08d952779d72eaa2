package adaptertest

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/stretchr/testify/require"
)

// lateFlaws are the ways in which an adapter for a system that answers later can be wrong.
type lateFlaws struct{ believes, forgets, doubles, waitsLoudly, swallows, showsAll, answersOnce, loses bool }

// post is the register behind a carrier: what is handed over arrives when Carry is called, and answers lie in a box.
type post struct {
	*register
	lateFlaws
	mu      sync.Mutex
	waiting []native.Entry
	box     map[native.Reference]error // nil: recorded
}

func (p *post) Connect(_ T, how Connection) adapters.System {
	c := &courier{post: p, how: how}
	s := p.connect(how, flaws{})
	s.Sink, s.Finder = c, c
	s.Abilities.Bounds.Answer = 1
	return s
}

func (p *post) Carry() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, e := range p.waiting {
		_, err := p.write(e)
		p.box[e.Reference] = err
	}
	p.waiting = nil
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
	if c.how == Unreachable {
		return native.Receipt{}, fault.New(fault.Retry, "post.apply", "folder", "the folder is not there")
	}
	if ctx.Err() != nil {
		return native.Receipt{}, fault.New(fault.Retry, "post.apply", "ended", "the time is over")
	}
	c.post.mu.Lock()
	defer c.post.mu.Unlock()
	if c.post.believes {
		return native.Receipt{Record: "R", Case: "C"}, nil
	}
	if c.post.doubles {
		c.post.joining = false
	}
	if !c.post.loses || len(c.post.waiting) == 0 {
		c.post.waiting = append(c.post.waiting, e)
	}
	return native.Receipt{}, fault.New(fault.Doubt, "post.apply", "handed-over", "nobody knows yet")
}

func (c *courier) Find(_ context.Context, ref native.Reference) ([]native.Receipt, error) {
	if c.how == Unreachable {
		return nil, fault.New(fault.Retry, "post.find", "folder", "the folder is not there")
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
	return found
}

func postDriver(f lateFlaws) Driver {
	return Driver{
		Start: func(T) Native {
			return &post{register: &register{joining: true}, lateFlaws: f, box: map[native.Reference]error{}}
		},
		Lacks: []Fault{Rejected, Silent, Forbidden},
	}
}

func TestARightAdapterForASystemThatAnswersLaterHoldsEveryRule(t *testing.T) {
	Run(t, postDriver(lateFlaws{}))
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
	} {
		t.Run(name, func(t *testing.T) {
			for _, r := range rules() {
				if strings.Contains(r.name, test.rule) {
					said := failure(func(t T) { start(t, postDriver(test.flaws)).hold(r) })
					require.NotEmpty(t, said, "the rule %q lets it pass", r.name)
					require.NotContains(t, said, "panic", r.name)
					return
				}
			}
			require.Fail(t, "no such rule", test.rule)
		})
	}
}
