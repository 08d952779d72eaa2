package bus

import (
	"context"
	"errors"
	"hash/fnv"
	"sync"

	"github.com/IBM/sarama"
	"github.com/einmal-hub/einmal/contracts/fault"
)

// Bus is an open connection. It is safe for concurrent use.
type Bus struct {
	config   Config
	topics   Topics
	watch    Watch
	client   sarama.Client // for questions; nothing waits on it for news
	producer *producer
	close    sync.Once
	closed   error
}

// Open connects, creates the topics that are missing and checks those that are there. Errors are of kind Stop when the configuration, the rights or
// a topic are not what the promises need, with what to do, and of kind Retry when the brokers cannot be reached.
func Open(ctx context.Context, c Config, w Watch) (*Bus, error) {
	c = c.withDefaults()
	if err := c.check(); err != nil {
		return nil, err
	}
	w = w.seldom()
	client, err := sarama.NewClient(c.Brokers, c.common())
	if err != nil {
		return nil, opening("bus.open", err)
	}
	b := &Bus{config: c, topics: c.topics(), watch: w, client: client, producer: newProducer(c, w)}
	if err := b.ensureTopics(ctx); err != nil {
		return nil, errors.Join(opening("bus.open", err), b.Close())
	}
	return b, nil
}

// Close ends the producer and the connections. Let Tail and Consume end first, by their contexts; a Publish that is under way fails with kind
// Doubt. Close may be called more than once.
func (b *Bus) Close() error {
	b.close.Do(func() {
		b.producer.close()
		b.closed = fault.Wrap(fault.Retry, "bus.close", b.client.Close())
	})
	return b.closed
}

// Topics returns the names of the topics.
func (b *Bus) Topics() Topics { return b.topics }

// Partitions returns how many partitions each topic has.
func (b *Bus) Partitions() int32 { return b.config.Partitions }

// PartitionOf returns the partition of a case, the same in every topic and for ever: the FNV-1a hash that sarama's hash partitioner computes.
func (b *Bus) PartitionOf(caseID string) int32 { return partitionOf(caseID, b.config.Partitions) }

func partitionOf(caseID string, partitions int32) int32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(caseID)) // never fails
	n := int32(h.Sum32()) % partitions
	return max(n, -n)
}

// End returns the offset that the next record of a partition will have. It does not wait longer than the network's timeouts. Errors are of kind Retry.
func (b *Bus) End(ctx context.Context, topic string, partition int32) (int64, error) {
	return b.offset(ctx, topic, partition, sarama.OffsetNewest)
}

// Begin returns the offset of the first record that a partition still has. Errors are of kind Retry.
func (b *Bus) Begin(ctx context.Context, topic string, partition int32) (int64, error) {
	return b.offset(ctx, topic, partition, sarama.OffsetOldest)
}

func (b *Bus) offset(ctx context.Context, topic string, partition int32, which int64) (int64, error) {
	const op = "bus.offset"
	if err := ctx.Err(); err != nil {
		return 0, fault.Wrap(fault.Retry, op, err)
	}
	n, err := b.client.GetOffset(topic, partition, which)
	return n, asking(op, err)
}
