package bus

import (
	"time"

	"github.com/IBM/sarama"
)

const (
	// tailWait is how long a tail's fetch waits for news. The answer comes as soon as there is a record, and the tail has its connection to itself, so the wait
	// adds no delay: 0.1 ms from publish to tail with 25 ms and with 250 ms alike. A longer one asks less often when nothing happens, and bounds how long the
	// end of a tail takes.
	tailWait = 250 * time.Millisecond
	// groupWait is the same for a group. Heartbeats and commits wait behind it on the same connection, so the session has to be much longer.
	groupWait = 100 * time.Millisecond
	// rebalanceWait is how long a handler may take to end after its claim was revoked before the group goes on without this process.
	rebalanceWait = 30 * time.Second
)

// common returns what every client has in common. sarama's defaults are not repeated.
func (c Config) common() *sarama.Config {
	s := sarama.NewConfig()
	s.ClientID = c.ClientID
	s.Version, _ = sarama.ParseKafkaVersion(c.Version) // checked before
	// A misspelt topic must be an error, not a new topic with one replica.
	s.Metadata.AllowAutoTopicCreation = false
	// New leaders are learnt from errors; this is for brokers that were added or moved.
	s.Metadata.RefreshFrequency = time.Minute
	// Short, so that a broker that is away is noticed and told; all callers try again.
	s.Net.DialTimeout = 5 * time.Second
	s.Net.ReadTimeout = 15 * time.Second
	s.Net.WriteTimeout = 15 * time.Second
	s.Net.TLS.Enable = c.TLS != nil
	s.Net.TLS.Config = c.TLS
	if c.SASL.Mechanism != "" {
		s.Net.SASL.Enable = true
		s.Net.SASL.Mechanism = sarama.SASLMechanism(c.SASL.Mechanism)
		s.Net.SASL.User = c.SASL.User
		s.Net.SASL.Password = c.SASL.Password
		s.Net.SASL.SCRAMClientGeneratorFunc = newScram(c.SASL.Mechanism)
	}
	return s
}

// producing returns the settings of the producer. Weakening one of the first four loses or doubles records without an error.
func (c Config) producing() *sarama.Config {
	s := c.common()
	// Without it a retry after a lost answer writes the record twice: 55 records for 50 sends in a trial.
	s.Producer.Idempotent = true
	// The default is the leader alone; its death would lose acknowledged records.
	s.Producer.RequiredAcks = sarama.WaitForAll
	// Idempotence needs it, and more would reorder on retries (sarama #2619, #2860). Batches form while one request is under way,
	// so a lone record is sent at once and many share a request; a linger would only slow the lone one.
	s.Net.MaxOpenRequests = 1
	// High: retries keep order and idempotence, giving up does neither. Trials exhausted 20 with two dozen changes of leader, because sarama
	// counts them for the partition and not for the message.
	s.Producer.Retry.Max = 100
	s.Producer.Retry.BackoffFunc = retryPause
	// Several refused or lost answers within one publish still fit a caller's timeout.
	s.Producer.Timeout = 10 * time.Second
	s.Producer.Return.Successes = true
	s.Producer.Return.Errors = true
	s.Producer.Compression = sarama.CompressionNone
	// The caller names the partition, so that ledger and message of a case are in partitions of equal number.
	s.Producer.Partitioner = sarama.NewManualPartitioner
	return s
}

// retryPause grows from 20 ms to 500 ms.
func retryPause(retries, _ int) time.Duration {
	return min(20*time.Millisecond<<min(retries, 5), 500*time.Millisecond)
}

// tailing returns the settings of a tail.
func (c Config) tailing() *sarama.Config {
	s := c.common()
	s.Consumer.MaxWaitTime = tailWait
	s.Consumer.Return.Errors = true
	// The tail reconnects with its own pauses; a long one here would only delay the error.
	s.Consumer.Retry.Backoff = 50 * time.Millisecond
	return s
}

// grouping returns the settings of the consumer group.
func (c Config) grouping() *sarama.Config {
	s := c.common()
	s.Consumer.MaxWaitTime = groupWait
	s.Consumer.Return.Errors = true
	// A new or forgotten group starts at the beginning and finds in the ledger what is done. The default would skip what it has not seen.
	s.Consumer.Offsets.Initial = sarama.OffsetOldest
	// A committed offset outside the log means a lost or exchanged log: stop and ask, never jump. The default jumps.
	s.Consumer.Group.ResetInvalidOffsets = false
	// Only this package commits, and only what the handler declared done.
	s.Consumer.Offsets.AutoCommit.Enable = false
	s.Consumer.Group.Session.Timeout = c.Session
	s.Consumer.Group.Heartbeat.Interval = c.Session / 4
	s.Consumer.Group.Rebalance.Timeout = rebalanceWait
	// A member with a name of its own takes its partitions back at once when it comes again after a crash (KIP-345); without a name they lie
	// idle until its former self's session is over.
	s.Consumer.Group.InstanceId = c.Instance
	// An answer to a join comes when all others have joined, which takes up to the rebalance's time.
	s.Net.ReadTimeout = rebalanceWait + 15*time.Second
	// Range is the oldest strategy, and with one topic as even as any. The cooperative one is half a year old.
	s.Consumer.Group.Rebalance.GroupStrategies = []sarama.BalanceStrategy{sarama.NewBalanceStrategyRange()}
	return s
}
