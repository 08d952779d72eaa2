package schedule_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/gateway/schedule"
)

func TestAPauseLastsAsLongAsItSays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		before := time.Now()
		require.NoError(t, schedule.Pause(t.Context(), time.Hour))
		require.Equal(t, time.Hour, time.Since(before))
	})
}

func TestAPauseEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		before := time.Now()
		require.ErrorIs(t, schedule.Pause(ctx, time.Hour), context.DeadlineExceeded)
		require.Equal(t, time.Minute, time.Since(before))
	})
}
