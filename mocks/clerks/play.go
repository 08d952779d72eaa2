package clerks

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/mocks/core"
)

// System is a native system that clerks work in.
type System struct {
	URL string // what /desk/ stands behind, without a slash at the end
	// Compose is the system's form: what it records when a clerk has filled in these facts.
	Compose func(handover.Name, core.Facts) (native.Kind, []byte)
	// Compare reads contents, so that it can be told whether two say the same; nil: contents are not checked.
	Compare Leaves
}

// PlayOptions say how a plan is played.
type PlayOptions struct {
	Plan    Plan
	Systems map[handover.SystemID]System
	// Client talks to the desks; nil: one of its own. It must not have a timeout, because the desks are read by waiting.
	Client *http.Client
	// Concurrency is how many handovers are under way at the same time; 0: 64.
	Concurrency int
	// Enough is closed when no further handover is to be begun; nil: all of the plan are played. What was begun is played to its end.
	Enough <-chan struct{}
	// Poll is the pause after a desk could not be reached, and the interval of Progress; 0: one second.
	Poll time.Duration
	// Quiet is how long nothing may move, anywhere, before the clerks go home; 0: three minutes.
	// It must be longer than the gateway waits when it is in doubt about a write.
	Quiet time.Duration
	// Progress is called from one goroutine at a time, every Poll and at the end; nil: not at all.
	Progress func(Progress)
}

// Progress is how far a play has come.
type Progress struct {
	Handovers, HandoversDone int
	Messages, Entered        int           // steps of the plan, and those that were entered
	Records                  int           // markers that stand in systems
	Still                    time.Duration // since when nothing has moved
}

// Outcome says how a play ended.
type Outcome struct {
	Begun   int // the first so many handovers of the plan were begun
	Entered int
	Stalled bool // nothing moved for the quiet period: something is missing, and Check says what
}

// Play enters the plan, as far as there is not enough before, and returns when the last step of every handover stands in all its places and what is to be answered to applications was answered, or when nothing has moved for the quiet
// period. A desk or a gateway that is away for a while is waited for. What stands already is not entered again, so a play that was
// interrupted can be played on. Errors: ctx ended, or a native system refused what its own form had composed; a refusal ends its
// handover, not the play.
func Play(ctx context.Context, o PlayOptions) (Outcome, error) {
	o = o.withDefaults()
	if err := o.check(); err != nil {
		return Outcome{}, err
	}
	return newTheatre(o).play(ctx)
}

func (o PlayOptions) withDefaults() PlayOptions {
	if o.Client == nil {
		o.Client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64, IdleConnTimeout: longPoll}}
	}
	if o.Concurrency == 0 {
		o.Concurrency = 64
	}
	if o.Poll == 0 {
		o.Poll = time.Second
	}
	if o.Quiet == 0 {
		o.Quiet = 3 * time.Minute
	}
	if o.Progress == nil {
		o.Progress = func(Progress) {}
	}
	return o
}

func (o PlayOptions) check() error {
	for _, h := range o.Plan.Handovers {
		for _, id := range h.Systems() {
			if s, ok := o.Systems[id]; !ok || s.Compose == nil {
				return fmt.Errorf("the plan needs the system %s: name its address and its form", id)
			}
		}
	}
	return nil
}
