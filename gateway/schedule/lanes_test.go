package schedule_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/einmal-hub/einmal/gateway/schedule"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestTasksOfALaneRunInOrderAndOneAtATime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tasks := rapid.SliceOfN(rapid.IntRange(0, 4), 1, 200).Draw(t, "lanes")
		var lanes schedule.Lanes
		got, want := make([][]int, 5), make([][]int, 5)
		busy := make([]atomic.Int32, 5)
		var broken atomic.Bool
		for i, lane := range tasks {
			want[lane] = append(want[lane], i)
			lanes.Go(fmt.Sprint(lane), func() {
				if busy[lane].Add(1) > 1 {
					broken.Store(true)
				}
				got[lane] = append(got[lane], i) // the race detector sees two at a time as well
				busy[lane].Add(-1)
			})
		}
		lanes.Wait()
		require.False(t, broken.Load())
		require.Equal(t, want, got)
		require.Zero(t, lanes.Active())
	})
}

func TestALaneThatWaitsHoldsBackNoOther(t *testing.T) {
	var lanes schedule.Lanes
	person := make(chan struct{})
	lanes.Go("waits", func() { <-person })
	after := false
	lanes.Go("waits", func() { after = true })
	var others sync.WaitGroup
	for i := range 100 {
		others.Add(1)
		lanes.Go(fmt.Sprint("case ", i), others.Done)
	}
	others.Wait() // ends although the first lane still waits
	require.False(t, after)
	close(person)
	lanes.Wait()
	require.True(t, after)
}

func TestATaskMayPutAnotherIntoItsOwnLane(t *testing.T) {
	var lanes schedule.Lanes
	var order []int
	lanes.Go("case", func() {
		lanes.Go("case", func() { order = append(order, 2) })
		order = append(order, 1)
	})
	lanes.Wait()
	require.Equal(t, []int{1, 2}, order)
}

func TestATaskPutInByATaskIsWaitedFor(t *testing.T) {
	var lanes schedule.Lanes
	var ran atomic.Int32
	var spread func(depth int)
	spread = func(depth int) {
		ran.Add(1)
		if depth < 6 {
			lanes.Go(fmt.Sprint(depth, "a"), func() { spread(depth + 1) })
			lanes.Go(fmt.Sprint(depth, "b"), func() { spread(depth + 1) })
		}
	}
	lanes.Go("gate", func() { spread(0) })
	lanes.Wait()
	require.Equal(t, int32(127), ran.Load())
}

func TestGoReturnsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var lanes schedule.Lanes
		hold := make(chan struct{})
		for range 10 {
			lanes.Go("case", func() { <-hold })
		}
		synctest.Wait()
		require.Equal(t, 1, lanes.Active())
		close(hold)
		lanes.Wait()
		require.Zero(t, lanes.Active())
	})
}

func TestNothingIsLostWhenALaneEndsWhileATaskComes(t *testing.T) {
	var lanes schedule.Lanes
	var ran atomic.Int64
	var writers sync.WaitGroup
	for range 8 {
		writers.Go(func() {
			for range 2000 {
				lanes.Go("case", func() { ran.Add(1) })
			}
		})
	}
	writers.Wait()
	lanes.Wait()
	require.Equal(t, int64(16000), ran.Load())
}
