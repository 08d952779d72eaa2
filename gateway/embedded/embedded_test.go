package embedded

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/gateway/bus"
)

const (
	patience = 30 * time.Second // how long a test waits for what must come; never a condition of success
	tickTest = 20 * time.Millisecond
	// inDir makes the test binary run the engines on a folder instead of the tests, so that they can be killed.
	inDir, inSync = "EINMAL_TEST_ENGINES_DIR", "EINMAL_TEST_ENGINES_SYNC"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(inDir); dir != "" {
		os.Exit(runEngines(dir, os.Getenv(inSync) != ""))
	}
	goleak.VerifyTestMain(m,
		// sarama's metrics library starts one ticker for the whole process and never stops it.
		goleak.IgnoreTopFunction("github.com/rcrowley/go-metrics.(*meterArbiter).tick"),
		// sarama's circuit breaker sleeps for ten seconds when it opened, and ends then.
		goleak.IgnoreAnyFunction("github.com/eapache/go-resiliency/breaker.(*Breaker).timer"))
}

func start(t *testing.T, o Options) *Engines {
	e, err := Start(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, e.Close()) })
	return e
}

func open(t *testing.T, brokers ...string) *bus.Bus {
	b, err := bus.Open(t.Context(), bus.Config{Brokers: brokers, Partitions: 3, Replication: 1, MinInSync: 1}, bus.Watch{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, b.Close()) })
	return b
}

// read returns the values of a partition by key, and fails when a key comes twice.
func read(t *testing.T, b *bus.Bus, topic string, partition int32) map[string]string {
	got := map[string]string{}
	end, err := b.End(t.Context(), topic, partition)
	require.NoError(t, err)
	if end == 0 {
		return got
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	require.NoError(t, b.Tail(ctx, topic, partition, bus.Oldest, func(r bus.Record) error {
		if _, twice := got[r.Key]; twice {
			return fmt.Errorf("the key %s came twice", r.Key)
		}
		got[r.Key] = string(r.Value)
		if r.Offset == end-1 {
			cancel()
		}
		return nil
	}))
	return got
}

func TestARestartOnTheSameFolderKeepsRecordsSettingsAndOffsets(t *testing.T) {
	dir := t.TempDir()
	e := start(t, Options{Dir: dir})
	b := open(t, e.Brokers()...)
	for i := range 10 {
		_, err := b.Publish(t.Context(), b.Topics().Handover, 1, fmt.Sprint(i), nil, []byte("v"))
		require.NoError(t, err)
	}
	consumeUpTo(t, b, 4)
	require.NoError(t, b.Close())
	require.NoError(t, e.Close())

	e = start(t, Options{Dir: dir})
	b = open(t, e.Brokers()...) // checks the settings of the topics
	require.Len(t, read(t, b, b.Topics().Handover, 1), 10)
	require.EqualValues(t, 5, consumeUpTo(t, b, 9), "the group goes on after what it had done")
}

// consumeUpTo does the records of partition 1 up to an offset and returns where the group began.
func consumeUpTo(t *testing.T, b *bus.Bus, last int64) (from int64) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	require.NoError(t, b.Consume(ctx, "group", b.Topics().Handover, func(ctx context.Context, c bus.Claim) error {
		if c.Partition != 1 {
			<-ctx.Done()
			return nil
		}
		from = c.From
		for r := range c.Records {
			if r.Offset <= last {
				c.Done(r.Offset)
			}
			if r.Offset == last {
				cancel()
			}
		}
		return nil
	}))
	return from
}

func TestASecondProcessOnTheFolderIsSentAway(t *testing.T) {
	dir := t.TempDir()
	e := start(t, Options{Dir: dir})
	_, err := Start(t.Context(), Options{Dir: dir})
	require.Equal(t, fault.Stop, fault.KindOf(err))
	require.Equal(t, "data-in-use", fault.CodeOf(err))
	require.ErrorContains(t, err, "stop it")
	require.NoError(t, e.Close())
	require.NoError(t, e.Close(), "twice is harmless")
	start(t, Options{Dir: dir})
}

func TestAnAddressThatIsTakenIsNamed(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	for what, o := range map[string]Options{"broker": {KafkaAddr: taken.Addr().String()}, "Redis": {RedisAddr: taken.Addr().String()}} {
		o.Dir = t.TempDir()
		_, err := Start(t.Context(), o)
		require.Equal(t, fault.Stop, fault.KindOf(err))
		require.Equal(t, "address-in-use", fault.CodeOf(err))
		require.ErrorContains(t, err, what)
		start(t, Options{Dir: o.Dir}) // the folder was given back
	}
}

func TestAFolderThatCannotBeUsedIsNamed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	for _, dir := range []string{file, filepath.Join(file, "below")} {
		_, err := Start(t.Context(), Options{Dir: dir})
		require.Equal(t, fault.Stop, fault.KindOf(err))
		require.Equal(t, "data-unusable", fault.CodeOf(err))
	}
}

func TestWithoutAFolderNothingIsKept(t *testing.T) {
	t.Chdir(t.TempDir())
	e := start(t, Options{})
	b := open(t, e.Brokers()...)
	_, err := b.Publish(t.Context(), b.Topics().Ledger, 0, "k", nil, []byte("v"))
	require.NoError(t, err)
	files, err := os.ReadDir(".")
	require.NoError(t, err)
	require.Empty(t, files)
}

func TestTheDataCanOnlyBeEnteredByTheOwner(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	start(t, Options{Dir: dir})
	info, err := os.Stat(dir)
	require.NoError(t, err)
	require.Zero(t, info.Mode().Perm()&0o077)
}

func TestKeysExpireInRedis(t *testing.T) {
	e := start(t, Options{})
	r := redis.NewClient(&redis.Options{Addr: e.RedisAddr()})
	defer func() { _ = r.Close() }()
	require.NoError(t, r.Set(t.Context(), "claim", "x", 300*time.Millisecond).Err())
	require.NoError(t, r.Set(t.Context(), "longer", "x", time.Hour).Err())
	require.Eventually(t, func() bool { return r.Exists(t.Context(), "claim").Val() == 0 }, patience, tickTest)
	require.EqualValues(t, 1, r.Exists(t.Context(), "longer").Val())
}

// Fault 28: nothing of the ledger disappears, because every record has a key of its own.
func TestCompactionOfTheLedgerKeepsEveryKey(t *testing.T) {
	dir := t.TempDir()
	e := start(t, Options{Dir: dir})
	b := open(t, e.Brokers()...)
	rollOften(t, b, e)
	want := map[string]string{}
	for i := range 200 {
		key := fmt.Sprintf("ref-%d|I|1|nonce", i)
		want[key] = fmt.Sprint(i)
		_, err := b.Publish(t.Context(), b.Topics().Ledger, 0, key, nil, []byte(want[key]))
		require.NoError(t, err)
	}
	e.broker.Compact()
	require.Equal(t, want, read(t, b, b.Topics().Ledger, 0))
	require.NoError(t, b.Close())
	require.NoError(t, e.Close())

	e = start(t, Options{Dir: dir})
	b = open(t, e.Brokers()...)
	require.Equal(t, want, read(t, b, b.Topics().Ledger, 0))
}

// rollOften makes the ledger's segments so small that compaction has something to do.
func rollOften(t *testing.T, b *bus.Bus, e *Engines) {
	s := sarama.NewConfig()
	s.Version = sarama.V2_8_0_0
	admin, err := sarama.NewClusterAdmin(e.Brokers(), s)
	require.NoError(t, err)
	defer func() { _ = admin.Close() }()
	size := "512"
	require.NoError(t, admin.IncrementalAlterConfig(sarama.TopicResource, b.Topics().Ledger, map[string]sarama.IncrementalAlterConfigsEntry{
		"segment.bytes": {Operation: sarama.IncrementalAlterConfigsOperationSet, Value: &size},
	}, false))
}
