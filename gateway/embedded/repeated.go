package embedded

import (
	"slices"
	"sync"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// repeated refuses a batch again that the broker could not write. kfake notes the sequence of a batch before it writes it, and takes the repetition of one that met a full disk, after its answer was lost, for one that it has:
// it would be confirmed and stand nowhere. Whoever gets the error publishes it anew. It is safe for concurrent use.
type repeated struct {
	mu      sync.Mutex
	current []batch // of the request that the broker works on; it works on one at a time
	failed  map[writer]failed
}

// writer is a producer at a partition.
type writer struct {
	topic     string
	partition int32
	producer  int64
}

// failed are the last batches of a writer that were not written, as many as kfake remembers of a writer.
type failed struct {
	epoch     int16
	sequences []int32
}

// remembered is how many batches of a writer kfake compares a new one with.
const remembered = 5

// batch names one batch.
type batch struct {
	writer
	epoch    int16
	sequence int32
}

// notWritten is told that the broker could not write something of the request that it works on.
func (r *repeated) notWritten() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, b := range r.current {
		f := r.failed[b.writer]
		if f.epoch != b.epoch {
			f = failed{epoch: b.epoch}
		}
		f.sequences = append(f.sequences, b.sequence)
		f.sequences = f.sequences[max(0, len(f.sequences)-remembered):]
		r.failed[b.writer] = f
	}
}

// refuse answers a request with a batch that was not written before.
func (r *repeated) refuse(request kmsg.Request) (kmsg.Response, error, bool) { //nolint:revive // the order is kfake's
	produce, ok := request.(*kmsg.ProduceRequest)
	if !ok {
		return nil, nil, false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.current = batches(produce)
	if !slices.ContainsFunc(r.current, func(b batch) bool {
		f := r.failed[b.writer]
		return f.epoch == b.epoch && slices.Contains(f.sequences, b.sequence)
	}) {
		return nil, nil, false
	}
	return refusal(produce), nil, true
}

// batches names the batches of a request that bear a sequence.
func batches(request *kmsg.ProduceRequest) (all []batch) {
	for _, t := range request.Topics {
		for _, p := range t.Partitions {
			var b kmsg.RecordBatch
			if err := b.ReadFrom(p.Records); err == nil && b.ProducerID >= 0 {
				all = append(all, batch{writer{t.Topic + string(t.TopicID[:]), p.Partition, b.ProducerID}, b.ProducerEpoch, b.FirstSequence})
			}
		}
	}
	return all
}

// refusal answers everything in a request with the error that a failed write has.
func refusal(request *kmsg.ProduceRequest) kmsg.Response {
	response := request.ResponseKind().(*kmsg.ProduceResponse) //nolint:forcetypeassert // it is what the request says
	for _, t := range request.Topics {
		topic := kmsg.NewProduceResponseTopic()
		topic.Topic, topic.TopicID = t.Topic, t.TopicID
		for _, p := range t.Partitions {
			partition := kmsg.NewProduceResponseTopicPartition()
			partition.Partition, partition.ErrorCode, partition.BaseOffset = p.Partition, kerr.UnknownServerError.Code, -1
			topic.Partitions = append(topic.Partitions, partition)
		}
		response.Topics = append(response.Topics, topic)
	}
	return response
}

// watch lets the broker refuse what it could not write.
func (r *repeated) watch(broker *kfake.Cluster) {
	broker.ControlKey(int16(kmsg.Produce), func(request kmsg.Request) (kmsg.Response, error, bool) {
		broker.KeepControl()
		return r.refuse(request)
	})
}

// failedWrite is how kfake begins to say that a batch could not be written.
const failedWrite = "persist batch"
