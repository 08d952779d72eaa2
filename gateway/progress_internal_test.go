package gateway

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/gateway/admin"
	"github.com/einmal-hub/einmal/gateway/ledger"
)

// said is what is logged; it may be asked while something is.
type said struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *said) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(b)
}

func (s *said) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// A gateway that reads a long ledger is not ready, says how far it has come, to who asks and in its log, and goes on only at the end.
func TestAGatewayThatReadsALongLedgerSaysHowFarItIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log said
		g := &Gateway{view: ledger.NewView(2, nil)}
		g.o.Log = slog.New(slog.NewTextHandler(&log, nil))
		asked := admin.Early(g, http.NotFoundHandler())
		ready := func() string {
			r := httptest.NewRecorder()
			asked.ServeHTTP(r, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/readyz", nil))
			require.Equal(t, http.StatusServiceUnavailable, r.Code)
			b, err := io.ReadAll(r.Body)
			require.NoError(t, err)
			return string(b)
		}
		ends := []int64{10, 30}
		ended := make(chan error, 1)
		go func() {
			ended <- g.await(t.Context(), newStack(g.o.Log), ends, func() error {
				for p, end := range ends {
					if err := g.view.WaitFor(t.Context(), int32(p), end-1); err != nil {
						return err
					}
				}
				return nil
			})
		}()
		read := func(partition int32, from, to int64) {
			for offset := from; offset < to; offset++ {
				g.view.Apply(partition, offset, time.Now(), []byte("{}"))
			}
		}
		synctest.Wait()
		require.Contains(t, ready(), "the ledger is being read: 0 %")
		read(0, 0, 10)
		require.Contains(t, ready(), "the ledger is being read: 25 %")
		<-time.After(progressEvery + time.Second)
		require.Contains(t, log.String(), `msg="reading the ledger" percent=25`)
		read(1, 0, 29)
		<-time.After(progressEvery)
		require.Contains(t, log.String(), "percent=97")
		require.Contains(t, ready(), "97 %")
		require.Empty(t, ended, "one record is still to be read")
		read(1, 29, 30)
		require.NoError(t, <-ended)
		require.NotContains(t, ready(), "is being read")
	})
}
