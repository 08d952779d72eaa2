package bus

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/IBM/sarama"
	"github.com/einmal-hub/einmal/contracts/fault"
)

// commitEvery is how often done offsets are committed. What is done but not committed is read again after a crash and found done in the ledger.
const commitEvery = time.Second

// Claim is one partition that the group gave to this process.
type Claim struct {
	Topic     string
	Partition int32
	From      int64         // offset where the group goes on; the first record has this one or a later one
	Records   <-chan Record // in order; closed when the claim ends
	// Done declares that everything up to and including this offset is complete for good. It keeps the highest value, so it must only be called with a
	// watermark below which nothing is open. It may be called from any goroutine until the handler has returned; after that it does nothing.
	Done func(offset int64)
}

// Handler works on one claim. Its ctx ends when the claim is taken away or Consume ends; the handler must then come back within 30 seconds, and whatever it
// declared done by then is still committed. Several handlers run at the same time, one for each partition.
//
// A handler that returns before its ctx ends gives up: with an error of kind Stop Consume ends with that error; otherwise the group is joined anew and the records that are
// not done come again.
type Handler func(ctx context.Context, c Claim) error

// Consume takes part in a group's work on a topic until ctx ends. It joins again by itself after lost connections and changes of members. A group without
// committed offsets starts at the beginning.
//
// It returns nil when ctx ended, a handler's error of kind Stop, and an error of kind Stop when the log does not hold the offset where the group has to go on, when
// the brokers do not take the configured session, or when another process has this one's name.
func (b *Bus) Consume(ctx context.Context, group, topic string, h Handler) error {
	inner, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	wait, taken := pauses(), fences{within: max(time.Minute, 6*b.config.Session)}
	for !ended(inner) {
		m := &member{bus: b, group: group, topic: topic, handle: h, stop: cancel}
		err := m.take(inner)
		if ended(inner) {
			break
		}
		if m.progress.Load() {
			wait.Reset()
		}
		if isAny(err, sarama.ErrInvalidSessionTimeout) {
			return refusedSession(err)
		}
		if (m.fenced.Load() || isAny(err, sarama.ErrFencedInstancedId)) && taken.again(time.Now()) {
			return takenInstance()
		}
		b.watch.trouble(asking("bus.consume", err))
		pause(inner, wait.NextBackOff())
	}
	if ended(ctx) && fault.KindOf(context.Cause(inner)) != fault.Stop {
		return nil
	}
	return context.Cause(inner)
}

// take joins the group with a client of its own and works until an error or the end of ctx.
func (m *member) take(ctx context.Context) error {
	settings := m.bus.config.grouping()
	lines := newWires(settings.Net.DialTimeout)
	settings.Net.Proxy.Enable, settings.Net.Proxy.Dialer = true, lines
	g, err := sarama.NewConsumerGroup(m.bus.config.Brokers, m.group, settings)
	if err != nil {
		return err
	}
	// Between two sessions there is nothing to commit, only a join to wait for; a stop does not wait for it.
	defer context.AfterFunc(ctx, func() {
		if !m.inSession.Load() {
			lines.cutAll()
		}
	})()
	var told sync.WaitGroup
	told.Go(func() {
		for err := range g.Errors() {
			m.hear(err)
		}
	})
	for err == nil && !ended(ctx) && !m.trouble.Load() {
		err = g.Consume(ctx, []string{m.topic}, &session{member: m})
	}
	err = errors.Join(err, g.Close())
	told.Wait()
	return err
}

// hear takes what sarama gets over by itself, and stops for what it must not.
func (m *member) hear(err error) {
	if isAny(err, sarama.ErrOffsetOutOfRange) {
		m.stop(outOfRange("bus.consume"))
		return
	}
	if isAny(err, sarama.ErrFencedInstancedId) {
		m.fenced.Store(true)
	}
	m.tell(asking("bus.consume", err))
}

// tell passes trouble on, and makes the member leave when the session ends, so that it joins again after a pause.
func (m *member) tell(err error) {
	m.trouble.Store(true)
	m.bus.watch.trouble(err)
}

// fences are the moments at which the brokers gave this process's name to another member. Once is no proof that another process bears it: a request to join that was on its way while this process slept,
// or that a slow line had kept, comes from this process and is answered to nobody.
type fences struct {
	at     []time.Time
	within time.Duration
}

// again counts one more, and reports whether it is the tenth within a time in which two processes of one name throw each other out more often: they learn of it by a heartbeat, four of which go into a
// session.
func (f *fences) again(now time.Time) bool {
	f.at = slices.DeleteFunc(append(f.at, now), func(t time.Time) bool { return now.Sub(t) > f.within })
	return len(f.at) >= 10
}
