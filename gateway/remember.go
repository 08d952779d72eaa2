package gateway

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/gateway/witness"
)

const (
	// markEvery is how often it is written down how far the ledger has come: the most that can be lost without being noticed.
	markEvery = time.Second
	// shapeEvery is, in marks, how often the brokers are asked for what changes seldom.
	shapeEvery = 10
)

// memory writes down, outside Kafka, how far the logs have come, and keeps Redis in step with the ledger.
type memory struct {
	g       *Gateway
	file    witness.File
	cluster string

	mu   sync.Mutex
	last []lastRecord // of each partition of the ledger, as it was read

	// What follows belongs to the one goroutine that uses it: the start, then run.
	saved    witness.Mark // in the file
	second   witness.Mark // in Redis, as it was when this process wrote it
	handover []int64
	parked   []int64
	redis    *views
}

// lastRecord is a record whose name is made when somebody asks for it.
type lastRecord struct {
	offset int64
	value  []byte
}

func newMemory(g *Gateway, cluster string) *memory {
	m := &memory{g: g, cluster: cluster, file: witness.FileFor(g.o.Config.Data, g.o.Config.Kafka.Prefix), last: make([]lastRecord, g.bus.Partitions())}
	m.redis = &views{g: g}
	return m
}

// saw notes a record of the ledger that was read.
func (m *memory) saw(partition int32, offset int64, value []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.last[partition] = lastRecord{offset, value}
}

// ask learns from the brokers how far the two other topics have come.
func (m *memory) ask(ctx context.Context) (err error) {
	t := m.g.bus.Topics()
	if m.handover, err = m.ends(ctx, t.Handover); err == nil {
		m.parked, err = m.ends(ctx, t.Parked)
	}
	return err
}

func (m *memory) ends(ctx context.Context, topic string) ([]int64, error) {
	ends := make([]int64, m.g.bus.Partitions())
	for p := range ends {
		var err error
		if ends[p], err = m.g.bus.End(ctx, topic, int32(p)); err != nil { //nolint:gosec // a number of partitions
			return nil, err
		}
	}
	return ends, nil
}

// mark is how far everything has come: the ledger as far as it was read here.
func (m *memory) mark() witness.Mark {
	k := witness.Mark{
		Cluster: m.cluster, Installation: m.g.view.Installation(), Era: m.g.view.Era(), At: now().UTC().Truncate(time.Second), Handover: m.handover, Parked: m.parked,
		Ledger: make([]int64, len(m.last)), Last: make([]witness.Record, len(m.last)), Beat: m.redis.beat,
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for p, r := range m.last {
		if r.value != nil {
			k.Ledger[p], k.Last[p] = r.offset+1, witness.Record{Offset: r.offset, Digest: witness.Digest(r.value)}
		}
	}
	return k
}

// run writes down what has come until ctx ends. It returns an error only for what must stop the gateway.
func (m *memory) run(ctx context.Context) error {
	defer m.redis.filling.Wait()
	m.redis.step(ctx)
	m.keep(ctx)
	tick := time.NewTicker(markEvery)
	defer tick.Stop()
	for n := 1; ; n++ {
		select {
		case <-tick.C:
		case <-ctx.Done():
			m.keep(context.WithoutCancel(ctx)) // what was written while the gateway stopped
			return nil
		}
		if n%shapeEvery == 0 {
			err := m.g.bus.Shape(ctx)
			if fault.KindOf(err) == fault.Stop {
				return err
			}
			if err = errors.Join(err, m.ask(ctx)); err != nil && ctx.Err() == nil {
				m.g.o.Log.DebugContext(ctx, "the brokers do not say how far the topics have come", slog.Any("error", err))
			}
		}
		m.redis.step(ctx)
		m.keep(ctx)
	}
}

// keep writes the mark into the file and, as the second witness, into Redis. A disk that is full makes the mark older, which is safe: it says less.
func (m *memory) keep(ctx context.Context) {
	k := m.mark()
	if !k.Same(m.saved) {
		if err := m.file.Save(k, false); err != nil {
			m.g.o.Log.ErrorContext(ctx, "how far the ledger has come cannot be written down; a loss from now on may go unnoticed", slog.Any("error", err))
		} else {
			m.saved = k
		}
	}
	if !m.redis.whole {
		m.second = witness.Mark{}
	}
	if m.redis.here && !k.Same(m.second) && m.testify(ctx, k, false) == nil {
		m.second = k
	}
}

// testify writes the mark into Redis, under the names of the place and of the installation. With replace nothing that stood there remains.
func (m *memory) testify(ctx context.Context, k witness.Mark, replace bool) error {
	var errs []error
	for _, name := range m.names(k.Installation) {
		mark := k
		if was, err := m.remembered(ctx, name); err == nil && was != nil && !replace {
			mark = k.Merge(*was)
		}
		b, err := mark.Encode()
		errs = append(errs, err, m.g.claims.Remember(ctx, name, b))
	}
	return errors.Join(errs...)
}

// names are those under which Redis remembers the ledger: by the place where it lies, which finds one that was emptied, and by the installation, which finds one that was moved.
func (m *memory) names(installation string) (all []string) {
	if m.cluster != "" {
		all = append(all, m.cluster+":"+m.g.o.Config.Kafka.Prefix)
	}
	if installation != "" {
		all = append(all, installation)
	}
	return all
}

// remembered reads a mark from Redis; nil when there is none, or none that can be read: Redis is only the second witness.
func (m *memory) remembered(ctx context.Context, name string) (*witness.Mark, error) {
	b, err := m.g.claims.Remembered(ctx, name)
	if err != nil || b == nil {
		return nil, err
	}
	k, err := witness.Decode(b)
	if err != nil {
		return nil, nil //nolint:nilerr,nilnil // as said
	}
	return &k, nil
}
