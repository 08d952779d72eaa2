// Package claims keeps in Redis what saves useless work: who is working on a reference, which native records have been seen,
// what is done, and which native case a case is. None of it decides anything: the ledger does. A Redis that is down, wiped, or set back
// to an older state costs time and changes no outcome, so every answer here is advice, and a failure is the answer "I do not know".
//
// All keys start with the random name of the installation (see ledger.Install), so that a Redis that belongs to another installation
// says nothing here. Keys and values hold no personal data.
//
// Rejected: using claims as locks (a lease proves nothing after a pause), and waiting for Redis (the ledger alone is enough to go on).
package claims

import (
	"context"
	"crypto/tls"
	"errors"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
	"github.com/sony/gobreaker/v2"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
)

// Options say how Redis is reached.
type Options struct {
	Address  string
	Username string
	Password string
	Database int
	TLS      *tls.Config
	// Keep is how long seen and done views and cross-references are kept; at least a day.
	Keep time.Duration
	// Failed is called with the operation of every failed command.
	Failed func(op string)
}

// Claims is the view in Redis. It is safe for concurrent use.
type Claims struct {
	db      *redis.Client
	breaker *gobreaker.CircuitBreaker[any]
	prefix  atomic.Pointer[string]
	missed  atomic.Bool // a view was not written
	owner   string
	keep    time.Duration
	failed  func(string)
}

// claimScript takes a claim that nobody holds and extends the caller's own. One step, so that a claim that ends between looking and taking gives
// no wrong answer.
const claimScript = `local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1`

// releaseScript deletes a claim only if it is still the caller's.
const releaseScript = `if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0`

// Open prepares the connection; it connects when first used. owner is the random name of this process.
func Open(o Options, owner string) *Claims {
	c := &Claims{owner: owner, keep: o.Keep, failed: o.Failed}
	if c.failed == nil {
		c.failed = func(string) {}
	}
	c.db = redis.NewClient(&redis.Options{
		Addr: o.Address, Username: o.Username, Password: o.Password, DB: o.Database, TLSConfig: o.TLS,
		// Advice that comes late is worth nothing: a Redis that does not answer is left alone until the breaker tries it again.
		MaxRetries: -1, DialerRetries: 1,
		DialTimeout: time.Second, ReadTimeout: time.Second, WriteTimeout: time.Second,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}, // a hosted product's own commands
	})
	c.breaker = gobreaker.NewCircuitBreaker[any](gobreaker.Settings{
		Timeout:     time.Second,
		ReadyToTrip: func(n gobreaker.Counts) bool { return n.ConsecutiveFailures >= 3 },
		IsSuccessful: func(err error) bool {
			return err == nil || errors.Is(err, redis.Nil) || errors.Is(err, context.Canceled)
		},
	})
	return c
}

// Quiet keeps the Redis library from printing beside the log: what goes wrong comes back as an error and counts in a metric. It is a setting of the whole
// process; call it once, before the first Open.
func Quiet() { redis.SetLogger(quiet{}) }

type quiet struct{}

// Printf drops a line of the library.
func (quiet) Printf(context.Context, string, ...any) {}

// Use sets the installation whose keys are used, and how many losses of its ledger a person has accepted: what was advised before one may rest on what was lost. Before it is called every answer
// is "I do not know".
func (c *Claims) Use(installation string, era int) {
	p := "einmal:" + installation + ":"
	if era > 0 {
		p += strconv.Itoa(era) + ":"
	}
	c.prefix.Store(&p)
}

// Ping tries the connection. Errors are of kind Retry.
func (c *Claims) Ping(ctx context.Context) error {
	return fault.Wrap(fault.Retry, "claims.ping", c.db.Ping(ctx).Err())
}

// Close ends the connections.
func (c *Claims) Close() error { return c.db.Close() }

// try runs a command unless Redis has just failed, and reports failures to the metric.
func (c *Claims) try(op string, f func(prefix string) (any, error)) (any, bool) {
	prefix := c.prefix.Load()
	if prefix == nil {
		return nil, false
	}
	v, err := c.breaker.Execute(func() (any, error) { return f(*prefix) })
	if errors.Is(err, redis.Nil) || errors.Is(err, context.Canceled) {
		return nil, false
	}
	if err != nil {
		c.failed(op)
		return nil, false
	}
	return v, true
}

// Claim says that this process works on something for a while; claiming again what it holds begins the while anew. It returns false only when another
// process certainly works on it; a Redis that is away claims nothing and forbids nothing.
func (c *Claims) Claim(ctx context.Context, what string, lease time.Duration) bool {
	v, ok := c.try("claim", func(p string) (any, error) {
		return c.db.Eval(ctx, claimScript, []string{p + "claim:" + what}, c.owner, max(lease.Milliseconds(), 1)).Int()
	})
	return !ok || v.(int) == 1
}

// Release gives a claim back, if it is still this process's.
func (c *Claims) Release(ctx context.Context, what string) {
	c.try("release", func(p string) (any, error) {
		return c.db.Eval(ctx, releaseScript, []string{p + "claim:" + what}, c.owner).Result()
	})
}

// Seen reports whether a message with that fingerprint is on the bus already. false may mean "I do not know".
func (c *Claims) Seen(ctx context.Context, id handover.MessageID, print string) bool {
	v, ok := c.try("seen", func(p string) (any, error) { return c.db.Get(ctx, p+"seen:"+string(id)).Result() })
	return ok && v.(string) == print
}

// SetSeen remembers that a message is on the bus. Call it only after the bus has confirmed.
func (c *Claims) SetSeen(ctx context.Context, id handover.MessageID, print string) {
	c.try("set-seen", func(p string) (any, error) {
		return nil, c.db.Set(ctx, p+"seen:"+string(id), print, c.keep).Err()
	})
}

// SetDone shows that an entry stands in a native system, and which native case the case is there. Call it only after the ledger's
// DONE is durable.
func (c *Claims) SetDone(ctx context.Context, id handover.CaseID, to string, ref native.Reference, r native.Receipt) {
	_, ok := c.try("set-done", func(p string) (any, error) {
		pipe := c.db.Pipeline()
		pipe.Set(ctx, p+DoneKey(string(ref)), string(r.Record), c.keep)
		pipe.Set(ctx, p+CaseKey(string(id), to), string(r.Case), c.keep)
		_, err := pipe.Exec(ctx)
		return nil, err
	})
	if !ok {
		c.missed.Store(true)
	}
}

// Missed reports whether something that was recorded is not shown since it was asked last: Redis did not take it in time.
func (c *Claims) Missed() bool { return c.missed.Swap(false) }
