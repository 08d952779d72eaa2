//go:build linux || darwin

package embedded

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/stretchr/testify/require"
)

// I1: a batch meets a full disk, and the answer that says so is lost: the producer sends the same batch again. It must not be confirmed unless it is there.
// Fault 23.
func TestI1_ABatchThatWasNotWrittenIsNotTakenForARepetition(t *testing.T) {
	d := newDisk(t)
	e, err := Start(t.Context(), Options{Dir: filepath.Join(d.dir, "engines")})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, e.Close()) })
	b := open(t, e.Brokers()...)
	topic := b.Topics().Ledger
	config := sarama.NewConfig()
	config.Version = sarama.V2_8_0_0
	broker := sarama.NewBroker(e.Brokers()[0])
	require.NoError(t, broker.Open(config))
	t.Cleanup(func() { require.NoError(t, broker.Close()) })
	id, err := broker.InitProducerID(&sarama.InitProducerIDRequest{Version: 1, TransactionTimeout: time.Minute})
	require.NoError(t, err)
	produce := func(sequence int32, key string) sarama.KError {
		request := &sarama.ProduceRequest{RequiredAcks: sarama.WaitForAll, Timeout: 1000, Version: 3}
		request.AddBatch(topic, 0, &sarama.RecordBatch{
			Version: 2, ProducerID: id.ProducerID, ProducerEpoch: id.ProducerEpoch, FirstSequence: sequence, FirstTimestamp: time.Now(), MaxTimestamp: time.Now(), Codec: sarama.CompressionNone,
			Records: []*sarama.Record{{Key: []byte(key), Value: []byte(valueOf(key))}},
		})
		response, err := broker.Produce(request)
		require.NoError(t, err)
		return response.Blocks[topic][0].Err
	}
	require.Equal(t, sarama.ErrNoError, produce(0, "first"))
	require.Equal(t, sarama.ErrNoError, produce(0, "first"), "what is there is confirmed again")
	d.fill()
	require.NotEqual(t, sarama.ErrNoError, produce(1, "second"))
	d.empty()
	require.NotEqual(t, sarama.ErrNoError, produce(1, "second"), "it was confirmed, and is not there")
	require.NotContains(t, read(t, b, topic, 0), "second")
	require.Equal(t, sarama.ErrNoError, produce(2, "third"))
	require.Equal(t, map[string]string{"first": valueOf("first"), "third": valueOf("third")}, read(t, b, topic, 0))
}
