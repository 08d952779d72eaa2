package bus

import (
	"time"

	"github.com/IBM/sarama"
)

// Oldest is the offset that stands for the first record that a partition still has.
const Oldest = sarama.OffsetOldest

// Record is one record of a topic. Headers with the same name twice keep the last value. Value is nil for a tombstone.
type Record struct {
	Topic     string
	Partition int32
	Offset    int64
	Key       string
	Headers   map[string]string // fits propagation.MapCarrier
	Value     []byte
	Time      time.Time // when the broker appended it, UTC
}

// Offset is where a record stands.
type Offset struct {
	Partition int32
	Offset    int64
}

func fromMessage(m *sarama.ConsumerMessage) Record {
	return Record{Topic: m.Topic, Partition: m.Partition, Offset: m.Offset, Key: string(m.Key), Headers: headersOf(m.Headers), Value: m.Value, Time: m.Timestamp.UTC()}
}

func headersOf(hs []*sarama.RecordHeader) map[string]string {
	out := make(map[string]string, len(hs))
	for _, h := range hs {
		out[string(h.Key)] = string(h.Value)
	}
	return out
}
