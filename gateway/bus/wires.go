package bus

import (
	"net"
	"sync"
	"time"
)

// wires are the connections of one client. sarama waits for the answers to its requests when it is closed, and the answer to a join comes only when all other
// members have joined, which can take as long as a rebalance. Cutting the connections ends such a wait at once.
type wires struct {
	dialer net.Dialer
	mu     sync.Mutex
	open   map[net.Conn]bool
	cut    bool
}

func newWires(timeout time.Duration) *wires {
	return &wires{dialer: net.Dialer{Timeout: timeout, KeepAlive: 30 * time.Second}, open: map[net.Conn]bool{}}
}

// Dial connects; sarama puts TLS on top of it.
func (w *wires) Dial(network, address string) (net.Conn, error) {
	c, err := w.dialer.Dial(network, address)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.cut {
		_ = c.Close() // nobody will use it
		return nil, net.ErrClosed
	}
	w.open[c] = true
	return wire{Conn: c, wires: w}, nil
}

// cutAll closes every connection, those to come included.
func (w *wires) cutAll() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cut = true
	for c := range w.open {
		_ = c.Close() // that it breaks is the purpose
	}
}

// wire is one connection.
type wire struct {
	net.Conn
	wires *wires
}

// Close closes the connection and forgets it.
func (c wire) Close() error {
	c.wires.mu.Lock()
	delete(c.wires.open, c.Conn)
	c.wires.mu.Unlock()
	return c.Conn.Close()
}
