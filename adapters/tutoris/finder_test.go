package tutoris

import (
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// narrow is a line to a server that breaks whenever so many bytes have come back.
func narrow(t *testing.T, target string, bytes int64) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var all sync.WaitGroup
	t.Cleanup(func() { require.NoError(t, l.Close()); all.Wait() })
	all.Go(func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", target)
			if err != nil {
				_ = near.Close()
				continue
			}
			all.Go(func() { _, _ = io.Copy(far, near); _ = far.Close() })
			all.Go(func() { _, _ = io.CopyN(near, far, bytes); _, _ = near.Close(), far.Close() })
		}
	})
	return l.Addr().String()
}

// Results are kept for months, and a call has its time: one that cannot read all of them in it must not begin anew for ever.
func TestWhatWasReadOfTheResultsStaysKnown(t *testing.T) {
	v := open(t)
	const nights = 12
	var last = entry("application-submitted", nights, "")
	for n := range nights {
		v.handOver(t, entry("application-submitted", n+1, ""))
		v.night(t)
	}
	known, err := os.ReadFile(v.config.KnownHostsFile)
	require.NoError(t, err)
	far := narrow(t, v.config.Address, 7<<10)
	plain := func(address string) string {
		host, port, err := net.SplitHostPort(address)
		require.NoError(t, err)
		return "[" + host + "]:" + port
	}
	hosts := filepath.Join(t.TempDir(), "known_hosts")
	require.NoError(t, os.WriteFile(hosts, []byte(strings.ReplaceAll(string(known), plain(v.config.Address), plain(far))), 0o600))
	system := v.with(t, func(c *Config) { c.Address, c.KnownHostsFile = far, hosts })
	calls := 0
	for {
		found, err := system.Finder.Find(t.Context(), last.Reference)
		if calls++; err == nil {
			require.Len(t, found, 1)
			break
		}
		require.Less(t, calls, 4*nights, "%v", err)
	}
	require.Greater(t, calls, 1, "the line was wide enough for all of them")
}
