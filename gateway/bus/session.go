package bus

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/IBM/sarama"
	"github.com/einmal-hub/einmal/contracts/fault"
)

// member is this process's part in a group over one connection.
type member struct {
	bus       *Bus
	group     string
	topic     string
	handle    Handler
	stop      context.CancelCauseFunc
	progress  atomic.Bool // something was done
	trouble   atomic.Bool // something went wrong
	fenced    atomic.Bool // another member has this one's name
	inSession atomic.Bool // claims are held, or being given back
}

// session is one time of membership between two changes of members. It implements sarama.ConsumerGroupHandler.
type session struct {
	member *member
	commit sync.WaitGroup
	quit   context.CancelFunc

	mu     sync.Mutex
	claims []*claimed
}

// claimed is a claim with what is needed for its lag.
type claimed struct {
	sarama.ConsumerGroupClaim
	member  *member
	session sarama.ConsumerGroupSession
	next    atomic.Int64 // first offset that is not done
	mu      sync.Mutex
	over    bool // the handler has returned
}

// Setup starts the regular commit.
func (s *session) Setup(cs sarama.ConsumerGroupSession) error {
	s.member.inSession.Store(true)
	ctx, quit := context.WithCancel(cs.Context())
	s.quit = quit
	s.commit.Go(func() {
		tick := time.NewTicker(commitEvery)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				cs.Commit()
				s.tellLag()
			case <-ctx.Done():
				return
			}
		}
	})
	return nil
}

// Cleanup commits for the last time, after all handlers have returned.
func (s *session) Cleanup(cs sarama.ConsumerGroupSession) error {
	defer s.member.inSession.Store(false)
	if s.quit != nil {
		s.quit()
	}
	s.commit.Wait()
	cs.Commit()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.claims {
		s.member.bus.watch.lag(s.member.group, c.Partition(), -1)
	}
	return nil
}

func (s *session) tellLag() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.claims {
		s.member.bus.watch.lag(s.member.group, c.Partition(), max(0, c.HighWaterMarkOffset()-c.next.Load()))
	}
}

// ConsumeClaim runs the handler on one claim.
func (s *session) ConsumeClaim(cs sarama.ConsumerGroupSession, c sarama.ConsumerGroupClaim) error {
	if used, unused := s.member.bus.config.Partitions, s.member.bus.config.Unused; c.Partition() >= used {
		if c.Partition() >= used+unused {
			s.member.stop(partitionsChanged("bus.consume").Hint("see the operator's manual, \"Partitions\""))
		}
		<-cs.Context().Done() // nothing lies there
		return nil
	}
	mine := s.add(cs, c)
	ctx, cancel := context.WithCancel(cs.Context())
	records := make(chan Record)
	var pump sync.WaitGroup
	pump.Go(func() {
		defer cancel() // the claim is over when sarama closes its channel, also when the session goes on
		defer close(records)
		forward(ctx, c.Messages(), records)
	})
	err := s.member.handle(ctx, Claim{Topic: c.Topic(), Partition: c.Partition(), From: mine.next.Load(), Records: records, Done: mine.done})
	gaveUp := ctx.Err() == nil
	mine.end()
	cancel()
	pump.Wait()
	s.judge(err, gaveUp)
	return nil // told already; sarama would only hand it to the listener of errors
}

// add notes a claim. A group that never committed starts at the oldest record, whose offset has to be asked for.
func (s *session) add(cs sarama.ConsumerGroupSession, c sarama.ConsumerGroupClaim) *claimed {
	mine := &claimed{ConsumerGroupClaim: c, member: s.member, session: cs}
	from := c.InitialOffset()
	if from < 0 {
		from, _ = s.member.bus.Begin(cs.Context(), c.Topic(), c.Partition()) // 0 if it cannot be had: a lag too large, nothing else
	}
	mine.next.Store(from)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.claims = append(s.claims, mine)
	return mine
}

// judge decides what a handler's return means.
func (s *session) judge(err error, gaveUp bool) {
	switch {
	case fault.KindOf(err) == fault.Stop:
		s.member.stop(err)
	case err != nil && (gaveUp || !errors.Is(err, context.Canceled)):
		s.member.tell(fault.Wrap(fault.Retry, "bus.consume", err))
	case gaveUp:
		s.member.tell(fault.New(fault.Retry, "bus.consume", "claim-given-up", "a handler returned before its claim ended"))
	}
}

// forward copies until the claim or ctx ends. sarama's channel alone can block while it connects again.
func forward(ctx context.Context, from <-chan *sarama.ConsumerMessage, to chan<- Record) {
	for {
		select {
		case m, ok := <-from:
			if !ok {
				return
			}
			select {
			case to <- fromMessage(m):
			case <-ctx.Done():
				return
			}
		case <-ctx.Done():
			return
		}
	}
}

// done marks what is complete.
func (c *claimed) done(offset int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over || offset+1 <= c.next.Load() {
		return
	}
	c.next.Store(offset + 1)
	c.session.MarkOffset(c.Topic(), c.Partition(), offset+1, "")
	c.member.progress.Store(true)
}

func (c *claimed) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.over = true
}
