package gateway_test

import (
	"flag"
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/einmal-hub/einmal/gateway/claims"
)

func TestMain(m *testing.M) {
	claims.Quiet()
	// These tests mostly wait: for doubts to settle, for partitions to change hands. More of them at once than there are processors.
	flag.Parse()
	if err := flag.Set("test.parallel", "6"); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	goleak.VerifyTestMain(m,
		// sarama's metrics library starts one ticker for the whole process and never stops it.
		goleak.IgnoreTopFunction("github.com/rcrowley/go-metrics.(*meterArbiter).tick"),
		// sarama's circuit breaker sleeps for ten seconds when it opened, and ends then.
		goleak.IgnoreAnyFunction("github.com/eapache/go-resiliency/breaker.(*Breaker).timer"))
}
