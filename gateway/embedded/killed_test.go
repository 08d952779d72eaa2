package embedded

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/gateway/bus"
)

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

// I7: the broker's process is killed while records are written; what it acknowledged is there afterwards, once.
// Fault 22.
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

// A power cut can tear the last write apart; the rest stays, and somebody is told.
// Fault 24.
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
