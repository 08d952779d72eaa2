//go:build linux || darwin

package embedded

import (
	"context"
	"fmt"
	"math"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/gateway/bus"
)

// disk is a folder on a disk that can be full.
type disk struct {
	t   *testing.T
	dir string
	// limited says that nothing may be mounted here: no file can grow then, which is what a full disk is to a log.
	limited bool
}

func newDisk(t *testing.T) *disk {
	d := &disk{t: t, dir: t.TempDir()}
	if mount("-t", "tmpfs", "-o", "size=64m,mode=700", "tmpfs", d.dir) == nil {
		t.Cleanup(func() { require.NoError(t, exec.Command("umount", "-l", d.dir).Run()) }) //nolint:gosec // the test's own folder
		return d
	}
	d.limited = true
	signal.Ignore(syscall.SIGXFSZ) // a write that goes beyond the limit shall fail, and not the process
	t.Cleanup(func() {
		d.empty()
		signal.Reset(syscall.SIGXFSZ)
	})
	return d
}

func mount(args ...string) error { return exec.Command("mount", args...).Run() } //nolint:gosec // the test's own folder

// fill leaves no room; empty makes room again.
func (d *disk) fill() {
	d.t.Helper()
	if d.limited {
		d.limit(1)
		return
	}
	require.Eventually(d.t, func() bool { // what is written while it looks makes it look again
		var st syscall.Statfs_t
		require.NoError(d.t, syscall.Statfs(d.dir, &st))
		return mount("-o", fmt.Sprintf("remount,size=%d", (st.Blocks-st.Bfree)*uint64(st.Bsize)), d.dir) == nil //nolint:gosec // it is positive
	}, patience, time.Millisecond)
}

func (d *disk) empty() {
	d.t.Helper()
	if d.limited {
		d.limit(math.MaxUint64)
		return
	}
	require.NoError(d.t, mount("-o", "remount,size=64m", d.dir))
}

// limit is how large a file of this process can get.
func (d *disk) limit(bytes uint64) {
	var limit syscall.Rlimit
	require.NoError(d.t, syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit))
	limit.Cur = min(bytes, limit.Max)
	require.NoError(d.t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit))
}

// valueOf is what is written under a key: more than the room that a full disk still has at the end of a file.
func valueOf(key string) string { return key + strings.Repeat(".", 8<<10) }

// persistent publishes as the gateway does: what is not confirmed is published again, until it is.
type persistent struct {
	t     *testing.T
	bus   *bus.Bus
	tries atomic.Int64
}

func (p *persistent) publish(partition int32, key string) {
	for {
		ctx, cancel := context.WithTimeout(p.t.Context(), time.Second)
		_, err := p.bus.Publish(ctx, p.bus.Topics().Ledger, partition, key, nil, []byte(valueOf(key)))
		cancel()
		if err == nil || p.t.Context().Err() != nil {
			return
		}
		if kind := fault.KindOf(err); kind != fault.Doubt && kind != fault.Retry {
			p.t.Errorf("%s is not published again: %v", key, err)
			return
		}
		p.tries.Add(1)
	}
}

// I1: the broker's disk is full while records are written. Whoever writes waits, and somebody is told; whoever reads goes on; when there is room again everything is written, nothing that was
// confirmed is missing, and nothing is there twice, also after a restart.
// Fault 23.
func TestI1AFullDiskIsWaitedOutAndLosesNothing(t *testing.T) {
	d := newDisk(t)
	var troubled atomic.Int64
	o := Options{Dir: filepath.Join(d.dir, "engines"), Trouble: func(error) { troubled.Add(1) }}
	e, err := Start(t.Context(), o)
	require.NoError(t, err)
	b := open(t, e.Brokers()...)
	const writers, each = 6, 5
	p := &persistent{t: t, bus: b}
	want := map[int32]map[string]string{}
	write := func(round string) *sync.WaitGroup {
		var writing sync.WaitGroup
		for w := range writers {
			partition := int32(w % 3)
			for i := range each {
				if want[partition] == nil {
					want[partition] = map[string]string{}
				}
				key := fmt.Sprintf("%s-%d-%d", round, w, i)
				want[partition][key] = valueOf(key)
			}
			writing.Go(func() {
				for i := range each {
					p.publish(partition, fmt.Sprintf("%s-%d-%d", round, w, i))
				}
			})
		}
		return &writing
	}
	for round := range 3 {
		write(fmt.Sprint("before ", round)).Wait()
		d.fill()
		told, tried := troubled.Load(), p.tries.Load()
		writing := write(fmt.Sprint("full ", round))
		require.Eventually(t, func() bool { return troubled.Load() > told && p.tries.Load() >= tried+10 }, patience, time.Millisecond, "nobody waits, or nobody is told")
		require.Contains(t, read(t, b, b.Topics().Ledger, 0), "before 0-0-0", "whoever reads goes on")
		d.empty()
		writing.Wait()
	}
	for partition, all := range want {
		require.Equal(t, all, read(t, b, b.Topics().Ledger, partition))
	}
	require.NoError(t, b.Close())
	require.NoError(t, e.Close())
	e = start(t, o)
	b = open(t, e.Brokers()...)
	for partition, all := range want {
		require.Equal(t, all, read(t, b, b.Topics().Ledger, partition), "after a restart")
	}
}
