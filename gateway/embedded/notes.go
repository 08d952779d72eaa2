package embedded

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/einmal-hub/einmal/contracts/fault"
)

// keptErrors bounds what is remembered of a broker whose disk keeps failing.
const keptErrors = 100

// notes takes what the broker would write into a log. Its texts name topics, groups and files of the broker, never a record.
type notes struct {
	tell       func(error)
	notWritten func() // a batch of the request that the broker works on
	mu         sync.Mutex
	kept       []error
}

// Logf implements kfake.Logger. It keeps errors and warnings: kfake reports a failed write as a warning.
func (n *notes) Logf(level kfake.LogLevel, format string, args ...any) {
	if level > kfake.LogLevelWarn {
		return
	}
	if strings.HasPrefix(format, failedWrite) {
		n.notWritten()
	}
	err := fault.New(fault.Retry, "embedded.broker", "broker-trouble", fmt.Sprintf(format, args...))
	if n.tell != nil {
		n.tell(err)
	}
	if level != kfake.LogLevelError {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.kept) < keptErrors {
		n.kept = append(n.kept, err)
	}
}

// errors returns the errors so far.
func (n *notes) errors() []error {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.kept)
}
