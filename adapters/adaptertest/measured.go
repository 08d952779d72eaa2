package adaptertest

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/adapters/measure"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/stretchr/testify/require"
)

func aboutMeasuring() []rule {
	return []rule{{name: "what is measured is no worse than what is declared", needs: func(s adapters.System) bool { return s.Sink != nil }, hold: measures}}
}

// measures runs the measurement that a vendor's test system is put through. Its clock stands still while requests run, so that no time decides: bounds are not judged here.
func measures(s *session) {
	declared, bounds := s.system.Abilities, &s.system.Abilities.Bounds
	bounds.Request, bounds.Processing, bounds.Lookup = 10*time.Second, 2*time.Second, time.Second
	if declared.Bounds.Asynchronous() {
		bounds.Answer = time.Hour
	}
	c := &clock{native: s.native, now: time.Unix(0, 0)}
	report, err := measure.Run(s.Context(), s.system, forms{s.native}, measure.Options{
		Samples: 6, Cuts: 6, Seed: 1, Now: c.Now, Pause: c.Pause, Watch: 2 * bounds.Settle(), Memory: time.Hour,
	})
	require.NoError(s.T, err)
	for _, f := range report.Findings {
		require.NotContains(s.T, f.RulesOut, declared.Mode, "%s: %s; %s", f.Experiment, f.Saw, f.Next)
		for _, secret := range append([]string{Leak}, s.driver.Secrets...) {
			require.NotContains(s.T, fmt.Sprint(f), secret, "I6: a finding holds what must not leave")
		}
	}
}

// clock goes on only while somebody waits; then the carrier does its work.
type clock struct {
	native Native
	mu     sync.Mutex
	now    time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Pause(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	if carrier, carries := c.native.(Carrier); carries {
		if err := carrier.Carry(); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// forms are the entries of a driver under other references.
type forms struct{ native Native }

func (f forms) Entry(n int, ref native.Reference, in native.CaseKey, documents ...handover.Document) (native.Entry, error) {
	e := f.native.Entry(n, in)
	if len(documents) > 0 {
		if archive, keeps := f.native.(Archive); keeps {
			e = archive.Naming(n, in, documents[0])
		}
	}
	e.Body = bytes.ReplaceAll(e.Body, []byte(e.Reference), []byte(ref))
	e.Reference = ref
	return e, nil
}

// Whole cannot tell: what a native system stamps into a content is its own business, and the mapping's to know.
func (forms) Whole(native.Entry, native.Record) error { return nil }
