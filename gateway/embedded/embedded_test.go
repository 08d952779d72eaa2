package embedded

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
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

// runEngines runs until it is killed, or until its parent is gone.
func runEngines(dir string, syncWrites bool) int {
	e, err := Start(context.Background(), Options{Dir: dir, SyncWrites: syncWrites})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println(e.Brokers()[0])
	_, _ = io.Copy(io.Discard, os.Stdin)
	return 0
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
	defer r.Close()
	require.NoError(t, r.Set(t.Context(), "claim", "x", 300*time.Millisecond).Err())
	require.NoError(t, r.Set(t.Context(), "longer", "x", time.Hour).Err())
	require.Eventually(t, func() bool { return r.Exists(t.Context(), "claim").Val() == 0 }, patience, tickTest)
	require.EqualValues(t, 1, r.Exists(t.Context(), "longer").Val())
}

// I7: the broker's process is killed while records are written; what it acknowledged is there afterwards, once.
func TestAKilledProcessLosesNothingAcknowledged(t *testing.T) {
	for _, syncWrites := range []bool{false, true} {
		t.Run(fmt.Sprintf("sync=%t", syncWrites), func(t *testing.T) {
			dir := t.TempDir()
			acked := map[string]string{}
			for round := range 3 {
				killedAfter(t, dir, syncWrites, round, acked)
			}
			e := start(t, Options{Dir: dir})
			b := open(t, e.Brokers()...)
			got := map[string]string{}
			for partition := range int32(3) {
				for k, v := range read(t, b, b.Topics().Ledger, partition) {
					got[k] = v
				}
			}
			require.NotEmpty(t, acked)
			for k, v := range acked {
				require.Equal(t, v, got[k])
			}
		})
	}
}

// killedAfter writes to engines in a process of their own and kills it in the middle. It adds to acked.
func killedAfter(t *testing.T, dir string, syncWrites bool, round int, acked map[string]string) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), inDir+"="+dir)
	if syncWrites {
		cmd.Env = append(cmd.Env, inSync+"=1")
	}
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	defer in.Close()
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	address, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	b, err := bus.Open(t.Context(), bus.Config{Brokers: []string{strings.TrimSpace(address)}, Partitions: 3, Replication: 1, MinInSync: 1}, bus.Watch{})
	require.NoError(t, err, address)

	var mu sync.Mutex
	var writers sync.WaitGroup
	enough := make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	for w := range 8 {
		writers.Go(func() {
			for i := 0; ; i++ {
				key := fmt.Sprintf("%d-%d-%d", round, w, i)
				if _, err := b.Publish(ctx, b.Topics().Ledger, int32(w)%3, key, nil, []byte("value "+key)); err != nil {
					return
				}
				mu.Lock()
				acked[key] = "value " + key
				if len(acked) == 200*(round+1) {
					close(enough)
				}
				mu.Unlock()
			}
		})
	}
	<-enough
	require.NoError(t, cmd.Process.Kill())
	cancel()
	writers.Wait()
	require.NoError(t, b.Close())
	require.Error(t, cmd.Wait())
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
	defer admin.Close()
	size := "512"
	require.NoError(t, admin.IncrementalAlterConfig(sarama.TopicResource, b.Topics().Ledger, map[string]sarama.IncrementalAlterConfigsEntry{
		"segment.bytes": {Operation: sarama.IncrementalAlterConfigsOperationSet, Value: &size},
	}, false))
}

// A power cut can tear the last write apart; the rest stays, and somebody is told.
func TestATornEndIsCutOffAndTold(t *testing.T) {
	dir := t.TempDir()
	e := start(t, Options{Dir: dir})
	b := open(t, e.Brokers()...)
	for i := range 10 {
		_, err := b.Publish(t.Context(), b.Topics().Ledger, 0, fmt.Sprint(i), nil, []byte("v"))
		require.NoError(t, err)
	}
	require.NoError(t, b.Close())
	require.NoError(t, e.Close())
	tear(t, dir)

	var mu sync.Mutex
	var told []error
	e = start(t, Options{Dir: dir, Trouble: func(err error) {
		mu.Lock()
		defer mu.Unlock()
		told = append(told, err)
	}})
	b = open(t, e.Brokers()...)
	require.Len(t, read(t, b, b.Topics().Ledger, 0), 9)
	mu.Lock()
	defer mu.Unlock()
	require.NotEmpty(t, told)
	require.ErrorContains(t, told[0], "corrupt")
}

// tear cuts the last bytes off the ledger's first partition.
func tear(t *testing.T, dir string) {
	var segment string
	require.NoError(t, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if info, _ := d.Info(); err == nil && strings.Contains(path, "ledger") && strings.HasSuffix(path, ".dat") && info.Size() > 0 {
			segment = path
		}
		return err
	}))
	info, err := os.Stat(segment)
	require.NoError(t, err)
	require.NoError(t, os.Truncate(segment, info.Size()-3))
}

func TestWhatTheBrokerCannotSaveIsReturnedByClose(t *testing.T) {
	dir := t.TempDir()
	e, err := Start(t.Context(), Options{Dir: dir})
	require.NoError(t, err)
	require.NoError(t, os.RemoveAll(filepath.Join(dir, "kafka")))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "kafka"), nil, 0o600))
	err = e.Close()
	require.Error(t, err)
	require.Equal(t, err, e.Close())
}
