package bus

import (
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/stretchr/testify/require"
)

// Fault 13.
func TestTheProducerNeitherLosesNorDoubles(t *testing.T) {
	s := Config{Brokers: []string{"x:1"}}.withDefaults().producing()
	require.NoError(t, s.Validate())
	require.True(t, s.Producer.Idempotent)
	require.Equal(t, sarama.WaitForAll, s.Producer.RequiredAcks)
	require.Equal(t, 1, s.Net.MaxOpenRequests)
	require.GreaterOrEqual(t, s.Producer.Retry.Max, 100)
	require.False(t, s.Metadata.AllowAutoTopicCreation)
}

// Fault 39: the defaults would skip records and commit unfinished ones.
func TestTheGroupNeverSkipsAndNeverCommitsByItself(t *testing.T) {
	s := Config{Brokers: []string{"x:1"}}.withDefaults().grouping()
	require.NoError(t, s.Validate())
	require.Equal(t, sarama.OffsetOldest, s.Consumer.Offsets.Initial)
	require.False(t, s.Consumer.Group.ResetInvalidOffsets)
	require.False(t, s.Consumer.Offsets.AutoCommit.Enable)
	require.GreaterOrEqual(t, s.Consumer.Group.Session.Timeout, 10*s.Consumer.MaxWaitTime)
	require.Greater(t, s.Net.ReadTimeout, s.Consumer.Group.Rebalance.Timeout, "the answer to a join takes that long")
}

func TestRetriesWaitLongerAndLongerUpToHalfASecond(t *testing.T) {
	require.Equal(t, 40*time.Millisecond, retryPause(1, 100))
	require.Equal(t, 500*time.Millisecond, retryPause(5, 100))
	require.Equal(t, 500*time.Millisecond, retryPause(100, 100))
}

func TestErrorsOfTheBrokersHaveTheKindThatTheirCureNeeds(t *testing.T) {
	for _, c := range []struct {
		kind  fault.Kind
		code  string
		given error
	}{
		{fault.Stop, "forbidden", opening("x", sarama.ErrSASLAuthenticationFailed)},
		{fault.Stop, "version", opening("x", sarama.ErrUnsupportedVersion)},
		{fault.Retry, "unreachable", opening("x", sarama.ErrOutOfBrokers)},
		{fault.Stop, "offset-out-of-range", asking("x", sarama.ErrOffsetOutOfRange)},
		{fault.Retry, "forbidden", asking("x", sarama.ErrTopicAuthorizationFailed)},
		{fault.Retry, "unreachable", asking("x", sarama.ErrNotLeaderForPartition)},
		{fault.Refuse, "too-large", publishing(sarama.ErrMessageSizeTooLarge)},
		{fault.Refuse, "invalid-record", publishing(sarama.ErrInvalidRecord)},
		{fault.Doubt, "forbidden", publishing(sarama.ErrTopicAuthorizationFailed)},
		{fault.Doubt, "unconfirmed", publishing(sarama.ErrRequestTimedOut)},
		{fault.Doubt, "unconfirmed", publishing(sarama.ErrNotLeaderForPartition)},
		{fault.Doubt, "unconfirmed", publishing(sarama.ErrDuplicateSequenceNumber)},
	} {
		require.Equal(t, c.kind, fault.KindOf(c.given), c.given)
		require.Equal(t, c.code, fault.CodeOf(c.given), c.given)
	}
	require.NoError(t, asking("x", nil))
	require.NoError(t, opening("x", nil))
}
