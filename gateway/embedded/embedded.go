// Package embedded starts the engines that make a gateway run without anything else on the machine: a broker that speaks the Kafka protocol and keeps its log
// on disk (franz-go's kfake), and a Redis (miniredis, in memory: what is in Redis can be thrown away at any time).
//
// The gateway's own clients talk to them over loopback, so there is no second implementation of bus or claims. They are for demonstrations and tests, one process each; production is Apache
// Kafka and Redis. The broker survives kill -9; it survives a power cut only with SyncWrites.
//
// Rejected: an in-memory bus behind an interface (it would be a second implementation that production never runs).
package embedded

import (
	"context"
	"crypto/rand"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/gofrs/flock"
	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/einmal-hub/einmal/contracts/fault"
)

// tick is how often Redis's clock is moved on: miniredis does not do that by itself.
const tick = 250 * time.Millisecond

// Options say where the engines listen and keep their data.
type Options struct {
	Dir        string // folder for the broker's log; empty keeps it in memory
	KafkaAddr  string // host:port; empty takes a free port of 127.0.0.1
	Advertise  string // host:port that clients are told to reach the broker at, when something stands between them and it; empty: where it listens
	RedisAddr  string // host:port; empty takes a free port of 127.0.0.1
	SyncWrites bool   // write every batch through to the disk
	// Trouble is told what the broker could not do with its disk: a full disk, an end of the log that was torn off. It may be nil, and must return at once.
	Trouble func(error)
}

// Engines are the running engines.
type Engines struct {
	broker   *kfake.Cluster
	notes    *notes
	repeated *repeated
	redis    *miniredis.Miniredis
	lock     *flock.Flock
	cancel   context.CancelFunc
	running  sync.WaitGroup
	once     sync.Once
	closed   error
}

// Start starts both engines; they run until Close, also when ctx has ended. It fails with kind Stop: data-in-use when another process runs on the folder, address-in-use, data-unusable.
func Start(ctx context.Context, o Options) (*Engines, error) {
	e := &Engines{repeated: &repeated{failed: map[writer]failed{}}}
	e.notes = &notes{tell: o.Trouble, notWritten: e.repeated.notWritten}
	if err := e.hold(o.Dir); err != nil {
		return nil, err
	}
	if err := e.startBroker(o); err != nil {
		return nil, errors.Join(err, e.Close())
	}
	if err := e.startRedis(ctx, o); err != nil {
		return nil, errors.Join(err, e.Close())
	}
	return e, nil
}

// hold takes the folder for this process: two brokers on one log would destroy it.
func (e *Engines) hold(dir string) error {
	if dir == "" {
		return nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return stop("data-unusable", "the folder for the data cannot be made", "check its name and permissions").At(dir).Because(err)
	}
	lock := flock.New(filepath.Join(dir, "lock"))
	held, err := lock.TryLock()
	if err != nil {
		return stop("data-unusable", "the folder for the data cannot be locked", "use a folder on a local disk").At(dir).Because(err)
	}
	if !held {
		return stop("data-in-use", "another process runs on the folder for the data", "stop it, or choose another folder").At(dir)
	}
	e.lock = lock
	return nil
}

func (e *Engines) startBroker(o Options) (err error) {
	cluster, err := clusterID(o.Dir)
	if err != nil {
		return err
	}
	opts := []kfake.Opt{
		kfake.NumBrokers(1), kfake.ClusterID(cluster), kfake.WithLogger(e.notes),
		// A broker for one machine lets a process that was killed go sooner than the default of 6 s.
		kfake.GroupMinSessionTimeout(time.Second),
		// The default of one hour keeps compaction from ever happening in a demonstration.
		kfake.BrokerConfigs(map[string]string{"log.cleaner.backoff.ms": "15000"}),
		kfake.ListenFn(func(network, address string) (net.Listener, error) {
			if o.KafkaAddr != "" {
				address = o.KafkaAddr
			}
			l, err := (&net.ListenConfig{}).Listen(context.Background(), network, address)
			return advertised{l, o.Advertise}.orPlain(), err
		}),
	}
	if o.Dir != "" {
		opts = append(opts, kfake.DataDir(filepath.Join(o.Dir, "kafka")))
	}
	if o.SyncWrites {
		opts = append(opts, kfake.SyncWrites())
	}
	if e.broker, err = kfake.NewCluster(opts...); err != nil {
		return startFault("the embedded broker", err)
	}
	e.repeated.watch(e.broker)
	return nil
}

// clusterID returns the random name that a folder's broker has, as every cluster has one: whoever remembers it knows whether this is still the same log. It is kept beside the log.
func clusterID(dir string) (string, error) {
	if dir == "" {
		return rand.Text(), nil
	}
	path := filepath.Join(dir, "cluster-id")
	b, err := os.ReadFile(path)
	if err == nil && len(b) > 0 {
		return strings.TrimSpace(string(b)), nil
	}
	id := rand.Text()
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		err = os.WriteFile(path, []byte(id+"\n"), 0o600)
	}
	if err != nil {
		return "", stop("data-unusable", "the name of the embedded broker cannot be kept", "check the folder's permissions and free space").At(path).Because(err)
	}
	return id, nil
}

// advertised is a listener that says that it is somewhere else.
type advertised struct {
	net.Listener
	at string
}

func (a advertised) orPlain() net.Listener {
	if a.Listener == nil || a.at == "" {
		return a.Listener
	}
	return a
}

// Addr is what the broker tells its clients.
func (a advertised) Addr() net.Addr { return place(a.at) }

// place is an address as it was written.
type place string

func (place) Network() string  { return "tcp" }
func (p place) String() string { return string(p) }

func (e *Engines) startRedis(ctx context.Context, o Options) error {
	e.redis = miniredis.NewMiniRedis()
	address := o.RedisAddr
	if address == "" {
		address = "127.0.0.1:0"
	}
	if err := e.redis.StartAddr(address); err != nil {
		e.redis = nil
		return startFault("the embedded Redis", err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	e.cancel = cancel
	e.running.Go(func() { e.age(ctx) })
	return nil
}

// age lets keys expire.
func (e *Engines) age(ctx context.Context) {
	t := time.NewTicker(tick)
	defer t.Stop()
	last := time.Now()
	for {
		select {
		case now := <-t.C:
			e.redis.FastForward(now.Sub(last))
			last = now
		case <-ctx.Done():
			return
		}
	}
}

// Brokers returns the broker's address, as clients are told.
func (e *Engines) Brokers() []string { return e.broker.ListenAddrs() }

// RedisAddr returns Redis's address.
func (e *Engines) RedisAddr() string { return e.redis.Addr() }

// Close stops the engines and gives the folder back. It returns what the broker could not save: records are on the disk since they were acknowledged, but the
// next start may have more to repair. It may be called more than once and returns the same.
func (e *Engines) Close() error {
	e.once.Do(func() { e.closed = e.close() })
	return e.closed
}

func (e *Engines) close() (err error) {
	if e.cancel != nil {
		e.cancel()
	}
	e.running.Wait()
	if e.redis != nil {
		e.redis.Close()
	}
	if e.broker != nil {
		before := e.notes.errors()
		e.broker.Close()
		err = errors.Join(e.notes.errors()[len(before):]...)
	}
	if e.lock != nil {
		err = errors.Join(err, e.lock.Unlock())
	}
	return fault.Wrap(fault.Retry, "embedded.close", err)
}

func startFault(what string, err error) error {
	var op *net.OpError
	if errors.As(err, &op) || strings.Contains(err.Error(), "address already in use") {
		return stop("address-in-use", what+" cannot listen on its address", "choose another address, or stop the program that uses it").Because(err)
	}
	return stop("data-unusable", what+" cannot use its data", "check the folder's permissions and free space").Because(err)
}

func stop(code, text, next string) *fault.Error {
	return fault.New(fault.Stop, "embedded.start", code, text).Hint(next)
}
