package claims_test

import (
	"context"
	"crypto/rand"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/gateway/claims"
)

// realRedis names a Redis ("host:port") on which the same tests run. They use keys of their own and leave others alone.
const realRedis = "EINMAL_TEST_REDIS"

// server is a Redis behind a door that can be shut: the embedded one, or a real one.
type server struct {
	*door
	db           *redis.Client // round the door
	mini         *miniredis.Miniredis
	installation string
	failures     atomic.Int64
}

func newServer(t *testing.T) *server {
	t.Helper()
	s := &server{installation: rand.Text()}
	address := os.Getenv(realRedis)
	if address == "" {
		s.mini = miniredis.RunT(t)
		address = s.mini.Addr()
	}
	s.door = newDoor(t, address)
	s.db = redis.NewClient(&redis.Options{Addr: address})
	t.Cleanup(func() {
		s.wipe(t)
		require.NoError(t, s.db.Close())
	})
	return s
}

// open returns the claims of one process of the installation.
func (s *server) open(t *testing.T, owner string) *claims.Claims {
	t.Helper()
	c := claims.Open(claims.Options{Address: s.address(), Keep: 24 * time.Hour, Failed: func(string) { s.failures.Add(1) }}, owner)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	c.Use(s.installation, 0)
	return c
}

// keys returns the keys of the installation.
func (s *server) keys(t *testing.T) []string {
	t.Helper()
	keys, err := s.db.Keys(context.Background(), "*"+s.installation+"*").Result()
	require.NoError(t, err)
	return keys
}

// wipe is what a restart without persistence does to the installation.
func (s *server) wipe(t *testing.T) {
	t.Helper()
	for _, k := range s.keys(t) {
		require.NoError(t, s.db.Del(context.Background(), k).Err())
	}
}

// expire lets the lease of a claim end.
func (s *server) expire(t *testing.T, what string) {
	t.Helper()
	for _, k := range s.keys(t) {
		if strings.HasSuffix(k, what) {
			require.NoError(t, s.db.PExpire(context.Background(), k, -time.Millisecond).Err())
		}
	}
}

// lease returns how long a claim still lasts.
func (s *server) lease(t *testing.T, what string) time.Duration {
	t.Helper()
	for _, k := range s.keys(t) {
		if strings.HasSuffix(k, what) {
			left, err := s.db.PTTL(context.Background(), k).Result()
			require.NoError(t, err)
			return left
		}
	}
	return 0
}

// door passes connections on to a server while it is open.
type door struct {
	target string
	listen net.Listener
	served sync.WaitGroup

	mu   sync.Mutex
	shut bool
	open map[net.Conn]bool
}

func newDoor(t *testing.T, target string) *door {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	d := &door{target: target, listen: l, open: map[net.Conn]bool{}}
	d.served.Go(d.serve)
	t.Cleanup(func() {
		_ = l.Close()
		d.close()
		d.served.Wait()
	})
	return d
}

func (d *door) address() string { return d.listen.Addr().String() }

func (d *door) serve() {
	for {
		in, err := d.listen.Accept()
		if err != nil {
			return
		}
		out, err := net.Dial("tcp", d.target)
		if err != nil || !d.admit(in, out) {
			_ = in.Close()
			continue
		}
		for _, pair := range [][2]net.Conn{{in, out}, {out, in}} {
			d.served.Go(func() {
				_, _ = io.Copy(pair[0], pair[1])
				_, _ = pair[0].Close(), pair[1].Close()
			})
		}
	}
}

func (d *door) admit(in, out net.Conn) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.shut {
		_ = out.Close()
		return false
	}
	d.open[in], d.open[out] = true, true
	return true
}

// close ends all connections and admits no new ones.
func (d *door) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.shut = true
	for c := range d.open {
		_ = c.Close()
	}
	clear(d.open)
}

// reopen admits connections again.
func (d *door) reopen() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.shut = false
}
