package bus

import (
	"context"
	"errors"

	"github.com/IBM/sarama"
	"github.com/einmal-hub/einmal/contracts/fault"
)

const (
	// fetchVersion is the newest that Kafka 2.1 and the oldest that Kafka 4 understands.
	fetchVersion = 4
	// fetchBytes is what comes with the batch that is asked for: little, because after a start thousands of records are read one by one. The first batch comes whole, however large it is (KIP-74).
	fetchBytes = 16 << 10
	// fetchWait is in milliseconds: there is nothing to wait for.
	fetchWait = 1
)

// ReadAt reads the one record at an offset. An offset beyond the end, before the beginning or compacted away is an error of kind Park with code
// "no-record"; everything else is Retry.
func (b *Bus) ReadAt(ctx context.Context, topic string, partition int32, offset int64) (Record, error) {
	const op = "bus.read-at"
	if err := ctx.Err(); err != nil {
		return Record{}, fault.Wrap(fault.Retry, op, err)
	}
	block, err := b.fetch(topic, partition, offset)
	if err != nil && !isAny(err, sarama.ErrOffsetOutOfRange) { // another leader, or a connection that had ended
		if err = b.client.RefreshMetadata(topic); err == nil {
			block, err = b.fetch(topic, partition, offset)
		}
	}
	if isAny(err, sarama.ErrOffsetOutOfRange) {
		return Record{}, noRecord(op)
	}
	if err != nil {
		return Record{}, asking(op, err)
	}
	return pick(block, Record{Topic: topic, Partition: partition, Offset: offset})
}

func (b *Bus) fetch(topic string, partition int32, offset int64) (*sarama.FetchResponseBlock, error) {
	leader, err := b.client.Leader(topic, partition)
	if err != nil {
		return nil, err
	}
	req := &sarama.FetchRequest{Version: fetchVersion, MinBytes: 1, MaxBytes: fetchBytes, MaxWaitTime: fetchWait}
	req.AddBlock(topic, partition, offset, fetchBytes, -1)
	resp, err := leader.Fetch(req)
	if err != nil {
		return nil, errors.Join(err, leader.Close()) // the next question connects anew
	}
	block := resp.GetBlock(topic, partition)
	if block == nil {
		return nil, sarama.ErrIncompleteResponse
	}
	if block.Err != sarama.ErrNoError {
		return nil, block.Err
	}
	return block, nil
}

// pick finds the record with the offset of r in what was fetched and fills r.
func pick(block *sarama.FetchResponseBlock, r Record) (Record, error) {
	for _, set := range block.RecordsSet {
		batch := set.RecordBatch
		if batch == nil || batch.Control {
			continue
		}
		for _, rec := range batch.Records {
			if batch.FirstOffset+rec.OffsetDelta != r.Offset {
				continue
			}
			r.Key, r.Headers, r.Value, r.Time = string(rec.Key), headersOf(rec.Headers), rec.Value, batch.MaxTimestamp.UTC()
			if !batch.LogAppendTime {
				r.Time = batch.FirstTimestamp.Add(rec.TimestampDelta).UTC()
			}
			return r, nil
		}
	}
	return Record{}, noRecord("bus.read-at")
}

func noRecord(op string) error {
	return fault.New(fault.Park, op, "no-record", "there is no record at this offset").Hint("it was compacted away, or the log was shortened")
}
