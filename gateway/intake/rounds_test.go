package intake_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// waking is a call of Wake.
type waking struct {
	done chan struct{}
	err  error
}

func (g *gateway) waking(ctx context.Context) *waking {
	w := &waking{done: make(chan struct{})}
	g.running.Go(func() {
		defer close(w.done)
		w.err = g.Wake(ctx)
	})
	synctest.Wait()
	return w
}

// back reports whether Wake has returned once everything that can happen at once has happened.
func (w *waking) back() bool {
	synctest.Wait()
	select {
	case <-w.done:
		return true
	default:
		return false
	}
}

// I1: a notification is answered when what it announced is durable: after a round that began later, and succeeded.
// Fault 5.
func TestI1_WakeReturnsOnlyWhenARoundThatBeganAfterItHasSucceeded(t *testing.T) {
	try(t, func(t *testing.T, w *world, s *source) {
		s.door = make(chan struct{})
		g := w.start("klib", s)
		synctest.Wait() // the first round has seen that there is nothing
		s.enter(record("c", 1, "hint"))
		s.fail(1)
		wake := g.waking(t.Context())
		s.door <- struct{}{}
		require.False(t, wake.back(), "the first round began before")
		s.door <- struct{}{}
		require.False(t, wake.back(), "the second one failed")
		s.door <- struct{}{}
		require.True(t, wake.back())
		require.NoError(t, wake.err)
		asked, _ := s.readings()
		require.Len(t, asked, 3)
		require.Len(t, w.disk.names(""), 1)
		g.stop()
	})
}

// I1: what was announced may lie behind more than one page.
func TestI1_WakeReturnsOnlyWhenTheLastPageIsDurable(t *testing.T) {
	try(t, func(t *testing.T, w *world, s *source) {
		w.disk.slow = time.Millisecond
		g := w.open("klib", s, 2, true)
		synctest.Wait()
		for n := range 5 {
			s.enter(record("c", n+1, "hint"))
		}
		require.NoError(t, g.Wake(t.Context()))
		require.Len(t, w.disk.names(""), 5)
		g.stop()
	})
}

// Fault 11: however many notifications come while one reading is under way, they share the next one.
func TestAThousandNotificationsAtOnceAreOneReading(t *testing.T) {
	try(t, func(t *testing.T, w *world, s *source) {
		s.door = make(chan struct{})
		g := w.start("klib", s)
		synctest.Wait() // the first round has begun
		s.enter(record("c", 1, "hint"))
		var all []*waking
		for range 1000 {
			all = append(all, g.waking(t.Context()))
		}
		s.door <- struct{}{}
		require.False(t, all[0].back(), "the first round began before")
		s.door <- struct{}{}
		for _, one := range all {
			require.True(t, one.back())
			require.NoError(t, one.err)
		}
		asked, _ := s.readings()
		require.Len(t, asked, 2)
		require.Len(t, w.disk.names(""), 1)
		g.stop()
	})
}

func TestWakeReturnsWhenItsCallerGivesUp(t *testing.T) {
	try(t, func(t *testing.T, w *world, s *source) {
		s.fail(1000)
		g := w.start("klib", s)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		require.ErrorIs(t, g.Wake(ctx), context.DeadlineExceeded)
		g.stop()
	})
}

// While another gateway reads the system, this one reads nothing and keeps nobody waiting; it goes on from where that one was.
func TestWhileAnotherGatewayReadsThisOneDoesNot(t *testing.T) {
	try(t, func(t *testing.T, w *world, s *source) {
		w.redis.reader = true
		s.enter(record("c", 1, "hint"), record("c", 2, "hint"))
		g := w.start("klib", s)
		require.NoError(t, g.Wake(t.Context()))
		asked, _ := s.readings()
		require.Empty(t, asked)
		require.NoError(t, g.ledger.Advance(t.Context(), "klib", "1"))
		elapse(2 * poll)
		w.redis.set(func(r *redis) { r.reader = false })
		elapse(2 * poll)
		_, after := s.readings()
		require.EqualValues(t, "1", after[0])
		require.Len(t, w.disk.names(""), 1)
		g.stop()
	})
}

// I1: a system that does not answer is asked again, less and less often, from the same position, and at the usual pace when it answers.
func TestI1_AFailingSourceIsRetriedWithGrowingPausesAndNeverSkipped(t *testing.T) {
	try(t, func(t *testing.T, w *world, s *source) {
		s.enter(record("c", 1, "hint"))
		g := w.start("klib", s)
		synctest.Wait()
		s.mu.Lock()
		s.fails, s.asked, s.after = 8, nil, nil
		s.mu.Unlock()
		s.enter(record("c", 2, "hint"))
		elapse(5 * time.Minute)
		g.stop()
		var pauses []time.Duration
		for n := range 10 {
			pauses = append(pauses, s.asked[n+1].Sub(s.asked[n])/time.Second)
		}
		require.Equal(t, []time.Duration{2, 4, 8, 16, 30, 30, 30, 30, 1, 1}, pauses)
		for n := range 9 {
			require.EqualValues(t, "1", s.after[n])
		}
		require.Len(t, w.disk.names(""), 2)
	})
}
