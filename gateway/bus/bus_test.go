package bus_test

import (
	"cmp"
	"context"
	"crypto/rand"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/gateway/bus"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/goleak"
	"pgregory.net/rapid"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		// sarama's metrics library starts one ticker for the whole process and never stops it.
		goleak.IgnoreTopFunction("github.com/rcrowley/go-metrics.(*meterArbiter).tick"),
		// sarama's circuit breaker sleeps for ten seconds when it opened, and ends then.
		goleak.IgnoreAnyFunction("github.com/eapache/go-resiliency/breaker.(*Breaker).timer"))
}

// broker is an embedded broker that can be stopped and started again on the same port and directory, or one that runs outside the test (make test-real) and is shared with others.
type broker struct {
	t       *testing.T
	outside string
	prefix  string // of the topics
	dir     string
	port    int
	opts    []kfake.Opt
	cluster *kfake.Cluster
}

// anyBroker is for tests that only need one: it is that of EINMAL_TEST_KAFKA, on topics of the test's own, or an embedded one.
func anyBroker(t *testing.T) *broker {
	if outside := os.Getenv("EINMAL_TEST_KAFKA"); outside != "" {
		return &broker{t: t, outside: outside, prefix: "b" + strings.ToLower(rand.Text())}
	}
	return startBroker(t)
}

// startBroker is for tests that stop the broker, look into it or let it misbehave.
func startBroker(t *testing.T, opts ...kfake.Opt) *broker {
	b := &broker{t: t, dir: t.TempDir(), opts: opts, prefix: "einmal"}
	b.start()
	t.Cleanup(b.stop)
	return b
}

func (b *broker) start() {
	opts := append([]kfake.Opt{kfake.NumBrokers(1), kfake.Ports(b.port), kfake.DataDir(b.dir), kfake.GroupMinSessionTimeout(time.Second)}, b.opts...)
	c, err := kfake.NewCluster(opts...)
	require.NoError(b.t, err)
	b.cluster = c
	_, port, err := net.SplitHostPort(c.ListenAddrs()[0])
	require.NoError(b.t, err)
	b.port, err = strconv.Atoi(port)
	require.NoError(b.t, err)
}

func (b *broker) stop() {
	if b.cluster != nil {
		b.cluster.Close()
	}
	b.cluster = nil
}

// config is what a single broker needs.
func (b *broker) config() bus.Config {
	at := cmp.Or(b.outside, net.JoinHostPort("127.0.0.1", strconv.Itoa(b.port)))
	return bus.Config{Brokers: []string{at}, Prefix: b.prefix, Partitions: 3, Replication: 1, MinInSync: 1, Session: 2 * time.Second}
}

func open(t *testing.T, c bus.Config, w bus.Watch) *bus.Bus {
	b, err := bus.Open(t.Context(), c, w)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, b.Close()) })
	return b
}

// admin changes topics behind the bus's back.
func admin(t *testing.T, b *broker) sarama.ClusterAdmin {
	s := sarama.NewConfig()
	s.Version = sarama.V2_8_0_0
	a, err := sarama.NewClusterAdmin(b.config().Brokers, s)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, a.Close()) })
	return a
}

// group is the consumer group of a test: a broker that several tests share remembers the members of each.
func group(b *bus.Bus) string { return b.Topics().Handover + "-group" }

// publish writes one record to the first partition of a topic.
func publish(t *testing.T, b *bus.Bus, topic, key, value string) bus.Offset {
	at, err := b.Publish(t.Context(), topic, 0, key, nil, []byte(value))
	require.NoError(t, err)
	return at
}

// Faults 19 and 32.
func TestMissingTopicsAreCreatedAsThePromisesNeed(t *testing.T) {
	br := anyBroker(t)
	b := open(t, br.config(), bus.Watch{})
	require.Equal(t, bus.Topics{Handover: br.prefix + ".handover", Ledger: br.prefix + ".ledger", Parked: br.prefix + ".parked"}, b.Topics())
	for topic, cleanup := range map[string]string{b.Topics().Handover: "delete", b.Topics().Ledger: "compact", b.Topics().Parked: "delete"} {
		entries, err := admin(t, br).DescribeConfig(sarama.ConfigResource{Type: sarama.TopicResource, Name: topic}) //nolint:staticcheck // as the product asks
		require.NoError(t, err)
		got := map[string]string{}
		for _, e := range entries {
			got[e.Name] = e.Value
		}
		require.Equal(t, cleanup, got["cleanup.policy"], topic)
		require.Equal(t, "LogAppendTime", got["message.timestamp.type"], topic)
		if cleanup == "delete" {
			require.Equal(t, "-1", got["retention.ms"], topic)
		}
	}
	open(t, br.config(), bus.Watch{}) // a second time changes nothing
}

// Faults 19 and 20.
func TestUnfitTopicsStopTheStartWithAllFindings(t *testing.T) {
	br := anyBroker(t)
	a := admin(t, br)
	week := "604800000"
	require.NoError(t, a.CreateTopic(br.prefix+".handover", &sarama.TopicDetail{NumPartitions: 2, ReplicationFactor: 1, ConfigEntries: map[string]*string{"retention.ms": &week}}, false))
	require.NoError(t, a.CreateTopic(br.prefix+".ledger", &sarama.TopicDetail{NumPartitions: 3, ReplicationFactor: 1}, false))
	var err error
	require.Eventually(t, func() bool { // Apache Kafka describes a topic a moment after it has made it, kfake at once
		_, err = bus.Open(t.Context(), br.config(), bus.Watch{})
		return fault.KindOf(err) != fault.Retry
	}, patience, tick)
	require.Equal(t, fault.Stop, fault.KindOf(err))
	require.ErrorContains(t, err, br.prefix+".handover: the topic has 2 partitions and the configuration says 3")
	require.ErrorContains(t, err, br.prefix+`.handover: retention.ms is "604800000"`)
	require.ErrorContains(t, err, br.prefix+`.ledger: cleanup.policy is "delete"`)
}

// Fault 19.
func TestTooFewReplicasStopTheStart(t *testing.T) {
	br := anyBroker(t)
	open(t, br.config(), bus.Watch{})
	c := br.config()
	c.Replication, c.MinInSync = 3, 2
	_, err := bus.Open(t.Context(), c, bus.Watch{})
	require.Equal(t, fault.Stop, fault.KindOf(err))
	require.ErrorContains(t, err, "fewer than 3 replicas")
	require.ErrorContains(t, err, "min.insync.replicas")
}

func TestConfigurationFindingsComeAllAtOnce(t *testing.T) {
	_, err := bus.Open(t.Context(), bus.Config{Prefix: "a.b", Version: "1.0.0", SASL: bus.SASL{Mechanism: "PLAIN", User: "u"}, Session: time.Millisecond, MinInSync: 9}, bus.Watch{})
	require.Equal(t, fault.Stop, fault.KindOf(err))
	for _, part := range []string{"brokers:", "prefix:", "version:", "sasl:", "sasl.mechanism:", "session:", "minInSync:"} {
		require.ErrorContains(t, err, part)
	}
}

func TestBrokersThatAreAwayAreARetry(t *testing.T) {
	br := startBroker(t)
	br.stop()
	_, err := bus.Open(t.Context(), br.config(), bus.Watch{})
	require.Equal(t, fault.Retry, fault.KindOf(err))
}

func TestACaseHasTheSamePartitionAsSaramasHash(t *testing.T) {
	br := anyBroker(t)
	c := br.config()
	c.Partitions = 7
	b := open(t, c, bus.Watch{})
	rapid.Check(t, func(rt *rapid.T) {
		key := rapid.String().Draw(rt, "case")
		want, err := sarama.NewHashPartitioner("").Partition(&sarama.ProducerMessage{Key: sarama.StringEncoder(key)}, 7)
		require.NoError(rt, err)
		require.Equal(rt, want, b.PartitionOf(key))
	})
}

func TestARecordIsReadAsItWasPublishedWithItsTrace(t *testing.T) {
	br := anyBroker(t)
	b := open(t, br.config(), bus.Watch{})
	headers := map[string]string{"ce_id": "0191-1"}
	span := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}, TraceFlags: trace.FlagsSampled})
	propagation.TraceContext{}.Inject(trace.ContextWithSpanContext(t.Context(), span), propagation.MapCarrier(headers))

	publish(t, b, b.Topics().Handover, "before", "x")
	at, err := b.Publish(t.Context(), b.Topics().Handover, 0, "case-1", headers, []byte("sealed"))
	require.NoError(t, err)
	require.Equal(t, bus.Offset{Partition: 0, Offset: 1}, at)

	r, err := b.ReadAt(t.Context(), b.Topics().Handover, 0, at.Offset)
	require.NoError(t, err)
	require.Equal(t, "case-1", r.Key)
	require.Equal(t, "sealed", string(r.Value))
	require.Equal(t, headers, r.Headers)
	require.Equal(t, time.UTC, r.Time.Location())
	require.False(t, r.Time.IsZero())
	got := trace.SpanContextFromContext(propagation.TraceContext{}.Extract(context.Background(), propagation.MapCarrier(r.Headers)))
	require.Equal(t, span.TraceID(), got.TraceID())
}

func TestReadAtSaysWhenThereIsNoRecord(t *testing.T) {
	br := anyBroker(t)
	b := open(t, br.config(), bus.Watch{})
	publish(t, b, b.Topics().Parked, "k", "v")
	for _, offset := range []int64{1, 2, 99} {
		_, err := b.ReadAt(t.Context(), b.Topics().Parked, 0, offset)
		require.Equal(t, fault.Park, fault.KindOf(err), "offset %d: %v", offset, err)
		require.Equal(t, "no-record", fault.CodeOf(err))
	}
}

// A record is asked for with little around it, and comes whole all the same.
func TestReadAtReadsALargeRecordWhole(t *testing.T) {
	br := anyBroker(t)
	b := open(t, br.config(), bus.Watch{})
	large := strings.Repeat("x", 900<<10)
	publish(t, b, b.Topics().Parked, "k", "small")
	at := publish(t, b, b.Topics().Parked, "k", large)
	publish(t, b, b.Topics().Parked, "k", "small")
	r, err := b.ReadAt(t.Context(), b.Topics().Parked, at.Partition, at.Offset)
	require.NoError(t, err)
	require.Equal(t, large, string(r.Value))
}

func TestReadAtAndEndFindTheBrokerAgainAfterARestart(t *testing.T) {
	br := startBroker(t)
	b := open(t, br.config(), bus.Watch{})
	at := publish(t, b, b.Topics().Parked, "k", "v")
	br.stop()
	_, err := b.ReadAt(t.Context(), b.Topics().Parked, 0, at.Offset)
	require.Equal(t, fault.Retry, fault.KindOf(err))
	br.start()
	require.EventuallyWithT(t, func(c *assert) {
		r, err := b.ReadAt(t.Context(), b.Topics().Parked, 0, at.Offset)
		require.NoError(c, err)
		require.Equal(c, "v", string(r.Value))
		end, err := b.End(t.Context(), b.Topics().Parked, 0)
		require.NoError(c, err)
		require.EqualValues(c, 1, end)
	}, patience, tick)
}

func TestThePasswordIsNeverPrinted(t *testing.T) {
	c := bus.Config{SASL: bus.SASL{Mechanism: "SCRAM-SHA-256", User: "gate", Password: "geheim-7"}}
	for _, text := range printed(t, c) {
		require.NotContains(t, text, "geheim-7")
		require.NotContains(t, text, "gate")
	}
}
