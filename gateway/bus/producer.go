package bus

import (
	"context"
	"sync"
	"time"

	"github.com/IBM/sarama"
	"github.com/einmal-hub/einmal/contracts/fault"
)

// reopenPause is the shortest time between two attempts to make a producer, so that many publishers do not storm a broker that is away.
const reopenPause = 200 * time.Millisecond

// MaxRecord is how large a record may be, with key and headers: a little less than what brokers take unless they are told otherwise.
const MaxRecord = 1_000_000

// Publish writes one record and waits until all in-sync replicas have it. It may be called from many goroutines; records that come together share a
// request. A nil value is a tombstone.
//
// Errors: Refuse, the brokers will never take this record and nothing was written; Retry, nothing was written; Doubt, nobody knows, because the answer was lost or
// ctx ended before it came. After Retry and Doubt publish the same record again: it may then be there twice.
func (b *Bus) Publish(ctx context.Context, topic string, partition int32, key string, headers map[string]string, value []byte) (Offset, error) {
	const op = "bus.publish"
	if key == "" {
		return Offset{}, fault.New(fault.Refuse, op, "no-key", "a record needs a key")
	}
	m := message(topic, partition, key, headers, value)
	if m.ByteSize(2) > MaxRecord {
		return Offset{}, publishing(sarama.ErrMessageSizeTooLarge)
	}
	if err := ctx.Err(); err != nil {
		return Offset{}, notSent(err)
	}
	g, err := b.producer.use(ctx)
	if err != nil {
		return Offset{}, fault.New(fault.Retry, op, "unreachable", "the brokers do not answer as they should").Because(err)
	}
	select {
	case g.async.Input() <- m:
		g.users.Done()
	case <-ctx.Done():
		g.users.Done()
		return Offset{}, notSent(ctx.Err())
	}
	select {
	case err = <-m.Metadata.(chan error):
	case <-ctx.Done():
		return Offset{}, publishing(ctx.Err())
	}
	if brokenProducer(err) {
		b.producer.retire(g, err)
	}
	if err != nil {
		return Offset{}, publishing(err)
	}
	return Offset{Partition: m.Partition, Offset: m.Offset}, nil
}

func notSent(err error) error {
	return fault.New(fault.Retry, "bus.publish", "not-sent", "the time was over before the record could be sent").Because(err)
}

// message builds sarama's form of a record, with the channel for its result. Offset starts at -1 because sarama leaves it as it is when a broker says that
// it has the record already.
func message(topic string, partition int32, key string, headers map[string]string, value []byte) *sarama.ProducerMessage {
	m := &sarama.ProducerMessage{Topic: topic, Partition: partition, Key: sarama.StringEncoder(key), Offset: -1, Metadata: make(chan error, 1)}
	if value != nil {
		m.Value = sarama.ByteEncoder(value)
	}
	for k, v := range headers {
		m.Headers = append(m.Headers, sarama.RecordHeader{Key: []byte(k), Value: []byte(v)})
	}
	return m
}

// producer holds the sarama producer in use and replaces it when it cannot go on.
type producer struct {
	open  func() (sarama.AsyncProducer, error)
	watch Watch
	owned sync.WaitGroup // everything that runs in the background

	mu      sync.Mutex
	current *generation
	opening chan struct{} // closed when the attempt that is under way is over; nil when there is none
	next    time.Time     // no attempt to open before
	last    error         // of the last attempt
	over    bool
}

// generation is one sarama producer with those who are handing a record to it. sarama closes the input channel at the end, so nobody may be sending
// by then.
type generation struct {
	async   sarama.AsyncProducer
	users   sync.WaitGroup
	drained chan struct{}
}

func newProducer(c Config, w Watch) *producer {
	return &producer{watch: w, open: func() (sarama.AsyncProducer, error) { return sarama.NewAsyncProducer(c.Brokers, c.producing()) }}
}

// use returns the generation in use, with the caller counted as its user, and waits for one if there is none.
func (p *producer) use(ctx context.Context) (*generation, error) {
	for {
		g, opening, err := p.get()
		if g != nil || err != nil {
			return g, err
		}
		select {
		case <-opening:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// get returns the generation in use, or the end of the attempt to make one, or the error of the last attempt when that was just now.
func (p *producer) get() (*generation, <-chan struct{}, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.over:
		return nil, nil, sarama.ErrClosedClient
	case p.current != nil:
		p.current.users.Add(1)
		return p.current, nil, nil
	case p.opening != nil:
		return nil, p.opening, nil
	case p.last != nil && time.Now().Before(p.next):
		return nil, nil, p.last
	}
	p.opening = make(chan struct{})
	p.owned.Go(p.reopen)
	return nil, p.opening, nil
}

// reopen makes a new generation.
func (p *producer) reopen() {
	async, err := p.open()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last, p.next = err, time.Now().Add(reopenPause)
	close(p.opening)
	p.opening = nil
	if err != nil {
		return
	}
	g := &generation{async: async, drained: make(chan struct{})}
	p.owned.Go(g.drain)
	if p.over {
		p.owned.Go(g.end)
		return
	}
	p.current = g
}

// drain gives every record its result, until sarama closes both channels.
func (g *generation) drain() {
	defer close(g.drained)
	done, failed := g.async.Successes(), g.async.Errors()
	for done != nil || failed != nil {
		select {
		case m, ok := <-done:
			if !ok {
				done = nil
				continue
			}
			m.Metadata.(chan error) <- known(m)
		case e, ok := <-failed:
			if !ok {
				failed = nil
				continue
			}
			e.Msg.Metadata.(chan error) <- e.Err
		}
	}
}

// known turns "the broker has it already" without an offset into an error: the record is there, but the caller waits for its place.
func known(m *sarama.ProducerMessage) error {
	if m.Offset < 0 {
		return sarama.ErrDuplicateSequenceNumber
	}
	return nil
}

// retire takes a generation out of use; its records still get their results.
func (p *producer) retire(g *generation, why error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.current != g {
		return
	}
	p.current = nil
	p.owned.Go(g.end)
	p.watch.trouble(fault.New(fault.Retry, "bus.producer", "replaced", "the producer could not go on and is replaced").Because(why))
}

func (g *generation) end() {
	g.users.Wait()
	g.async.AsyncClose()
	<-g.drained
}

// close ends the producer and waits for all of its goroutines.
func (p *producer) close() {
	p.mu.Lock()
	p.over = true
	if g := p.current; g != nil {
		p.current = nil
		p.owned.Go(g.end)
	}
	p.mu.Unlock()
	p.owned.Wait()
}
