package bus_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	testifyassert "github.com/stretchr/testify/assert" //nolint:depguard // require.EventuallyWithT hands it out
	"github.com/stretchr/testify/require"
)

type assert = testifyassert.CollectT

const (
	patience = 30 * time.Second // how long a test waits for what must come; never a condition of success
	tick     = 20 * time.Millisecond
)

// printed returns v in every form in which it could get into a log.
func printed(t *testing.T, v any) []string {
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "v", v)
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "v", v)
	asJSON, err := json.Marshal(v)
	require.NoError(t, err)
	return []string{fmt.Sprint(v), fmt.Sprintf("%+v", v), fmt.Sprintf("%#v", v), string(asJSON), log.String()}
}

// bag collects values from several goroutines.
type bag[T any] struct {
	mu  sync.Mutex
	all []T
}

func (b *bag[T]) add(v T) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.all = append(b.all, v)
}

func (b *bag[T]) list() []T {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]T(nil), b.all...)
}

// await waits until the bag holds n values.
func (b *bag[T]) await(t *testing.T, n int) []T {
	require.Eventually(t, func() bool { return len(b.list()) >= n }, patience, tick)
	return b.list()
}

// pauseShortly gives others the processor while something is waited for.
func pauseShortly(ctx context.Context) {
	timer := time.NewTimer(time.Millisecond)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
