package bus

import (
	"context"
	"errors"
	"time"

	"github.com/IBM/sarama"
	"github.com/einmal-hub/einmal/contracts/fault"
)

// Tail reads one partition from an offset on (or from [Oldest]) and calls fn with every record, in order, one at a time, in the caller's goroutine, until ctx
// ends or fn fails. It connects again by itself as often as needed and continues after the last record that fn was given.
//
// It returns nil when ctx ended, fn's error as it is, and an error of kind Stop when the log does not hold the offset where it has to go on: then records are lost.
func (b *Bus) Tail(ctx context.Context, topic string, partition int32, from int64, fn func(Record) error) error {
	t := &tail{bus: b, topic: topic, partition: partition, next: from, fn: fn}
	wait := pauses()
	for !ended(ctx) {
		before := t.next
		err := t.connect(ctx)
		if ended(ctx) && t.failed == nil {
			return nil
		}
		if t.failed != nil {
			return t.failed
		}
		// What was the oldest record when sarama asked may be gone when it fetches: a cleaner took it. Nothing has been read yet, so nothing is missed by asking again.
		moved := t.next == Oldest && fault.CodeOf(err) == rangeCode
		if fault.KindOf(err) == fault.Stop && !moved {
			return err
		}
		b.watch.trouble(err)
		if t.next != before {
			wait.Reset()
		}
		pause(ctx, wait.NextBackOff())
	}
	return nil
}

// pause waits, or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

type tail struct {
	bus       *Bus
	topic     string
	partition int32
	next      int64
	fn        func(Record) error
	failed    error // what fn returned
}

// connect reads over one connection until something fails or ctx ends. A new client for every connection forgets whatever the old one got wrong.
func (t *tail) connect(ctx context.Context) error {
	const op = "bus.tail"
	client, err := sarama.NewClient(t.bus.config.Brokers, t.bus.config.tailing())
	if err != nil {
		return asking(op, err)
	}
	consumer, err := sarama.NewConsumerFromClient(client)
	if err != nil {
		return asking(op, errors.Join(err, client.Close()))
	}
	part, err := consumer.ConsumePartition(t.topic, t.partition, t.next)
	if err == nil {
		err = t.read(ctx, part)
		part.AsyncClose()
		discard(part)
	}
	return asking(op, errors.Join(err, consumer.Close(), client.Close()))
}

// discard takes what a closing partition consumer still holds; it ends when sarama has closed both channels.
func discard(part sarama.PartitionConsumer) {
	for range part.Messages() { // records after t.next are read again by the next connection
	}
	for range part.Errors() { // the first error was reported; the rest follows from it
	}
}

func (t *tail) read(ctx context.Context, part sarama.PartitionConsumer) error {
	for {
		select {
		case m, ok := <-part.Messages():
			if !ok {
				return lastError(part)
			}
			if t.failed = t.fn(fromMessage(m)); t.failed != nil {
				return nil //nolint:nilerr // t.failed carries it
			}
			t.next = m.Offset + 1
		case e, ok := <-part.Errors():
			if ok {
				return e.Err
			}
			return nil
		case <-ctx.Done():
			return nil
		}
	}
}

// lastError returns why sarama closed a partition consumer: it tells before it closes.
func lastError(part sarama.PartitionConsumer) error {
	if e := <-part.Errors(); e != nil {
		return e.Err
	}
	return nil
}
