package main_test

import (
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// link is a line of the network between two processes: connections through it can be cut, refused, slowed down, made deaf in one direction, and one of
// them can be stopped in the middle of an exchange. It knows nothing of what is said on it.
type link struct {
	name    string
	address string // where it listens
	target  string
	watch   func(c *call, head []byte) caught // looks at the first bytes of a client; nil: nobody looks
	alive   sync.WaitGroup

	mu    sync.Mutex
	calls map[*call]struct{}
	shut  bool
	lag   time.Duration
	deaf  direction
}

// direction is one of the two directions of a link.
type direction int

const (
	both       direction = iota // neither is deaf
	toTarget                    // what the client says is lost
	fromTarget                  // what the target says is lost
)

// caught is what becomes of a connection when its first bytes are known.
type caught int32

const (
	pass       caught = iota
	holdAsked         // the first bytes are kept back until the call goes on
	holdAnswer        // everything that the target answers is kept back until the call goes on
)

// call is one connection through a link.
type call struct {
	client, target net.Conn
	held           atomic.Int32  // a caught
	goOn           chan struct{} // closed when what is held may go on
	ended          chan struct{}
	once, went     sync.Once
	spoke          atomic.Bool // the client has said something
	answered       atomic.Bool // the target has, and it is held
}

// end cuts both sides; what is under way between them is lost. It may be called twice.
func (c *call) end() {
	c.once.Do(func() {
		close(c.ended)
		_ = c.client.Close()
		_ = c.target.Close()
	})
}

// release lets a held call go on.
func (c *call) release() { c.went.Do(func() { close(c.goOn) }) }

// newLink lays a link to a target that need not be there yet. It ends with the test.
func newLink(t testing.TB, name, target string) *link {
	t.Helper()
	l := &link{name: name, target: target, calls: map[*call]struct{}{}}
	var listener net.Listener
	var err error
	for range 10 { // somebody may take an address that was free a moment ago
		l.address = free(t)
		if listener, err = net.Listen("tcp", l.address); err == nil {
			break
		}
	}
	require.NoError(t, err)
	l.alive.Go(func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return // it was closed below
			}
			l.alive.Go(func() { l.connect(c) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		l.change(func() { l.shut = true })
		l.cut()
		l.alive.Wait()
	})
	return l
}

func (l *link) change(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f()
}

// connect serves one client to its end.
func (l *link) connect(client net.Conn) {
	target, err := net.Dial("tcp", l.target)
	if err != nil {
		_ = client.Close()
		return
	}
	c := &call{client: client, target: target, goOn: make(chan struct{}), ended: make(chan struct{})}
	var refused bool
	l.change(func() {
		if refused = l.shut; !refused {
			l.calls[c] = struct{}{}
		}
	})
	if refused {
		c.end()
		return
	}
	var two sync.WaitGroup
	two.Go(func() { l.carry(c, client, target, toTarget) })
	two.Go(func() { l.carry(c, target, client, fromTarget) })
	two.Wait()
	c.end()
	l.change(func() { delete(l.calls, c) })
}

// carry hands on what one side says to the other.
func (l *link) carry(c *call, from, to net.Conn, way direction) {
	b := make([]byte, 32<<10)
	for {
		n, err := from.Read(b)
		if n > 0 && !l.pass(c, way, b[:n]) {
			continue
		}
		if n > 0 {
			if _, err := to.Write(b[:n]); err != nil {
				c.end()
				return
			}
		}
		if errors.Is(err, io.EOF) {
			_ = to.(*net.TCPConn).CloseWrite() // the other side may still be answering
			return
		}
		if err != nil {
			c.end()
			return
		}
	}
}

// pass waits as long as the link is slow or the call is held, and reports whether the bytes are to go on.
func (l *link) pass(c *call, way direction, b []byte) bool {
	if way == toTarget && l.watch != nil && c.spoke.CompareAndSwap(false, true) {
		how := l.watch(c, b)
		c.held.Store(int32(how))
		if how == holdAsked {
			c.stay()
		}
	}
	if way == fromTarget && c.held.Load() == int32(holdAnswer) {
		c.answered.Store(true)
		c.stay()
	}
	var lag time.Duration
	var lost bool
	l.change(func() { lag, lost = l.lag, l.deaf == way })
	if lag > 0 {
		c.wait(time.After(lag))
	}
	return !lost && !c.over()
}

// over reports whether the call has ended: what was held then must not slip through before the connections are closed.
func (c *call) over() bool {
	select {
	case <-c.ended:
		return true
	default:
		return false
	}
}

// wait waits for a moment, or for the end of the call.
func (c *call) wait(moment <-chan time.Time) {
	select {
	case <-moment:
	case <-c.ended:
	}
}

// stay waits until the call may go on, or has ended.
func (c *call) stay() {
	select {
	case <-c.goOn:
	case <-c.ended:
	}
}

// cut ends every connection that there is; new ones are taken.
func (l *link) cut() {
	l.change(func() {
		for c := range l.calls {
			c.end()
		}
	})
}

// refuse ends every connection and takes no new ones until heal.
func (l *link) refuse() {
	l.change(func() { l.shut = true })
	l.cut()
}

// heal makes the link as it was. Connections in which something was lost end.
func (l *link) heal() {
	var torn bool
	l.change(func() { torn, l.shut, l.lag, l.deaf = l.deaf != both, false, 0, both })
	if torn {
		l.cut()
	}
}
