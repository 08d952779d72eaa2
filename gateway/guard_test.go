package gateway

import (
	"context"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/native"
)

// breaking panics with a person's name whatever it is asked.
type breaking struct{}

func (breaking) Read(context.Context, native.Position, int) (adapters.Batch, error) {
	panic("Meier, Rosa")
}

func (breaking) Apply(context.Context, native.Entry) (native.Receipt, error) { panic("Meier, Rosa") }

func (breaking) Find(context.Context, native.Reference) ([]native.Receipt, error) {
	panic("Meier, Rosa")
}

func (breaking) Verify(http.Header, []byte) error { panic("Meier, Rosa") }

// A panic in an adapter is an error of the kind that says what is known after it: nobody knows what a write that broke down has sent.
// Fault 41.
func TestAPanicInAnAdapterIsAnErrorThatSaysWhatIsKnown(t *testing.T) {
	s := guarded(adapters.System{Source: breaking{}, Sink: breaking{}, Finder: breaking{}, Webhook: breaking{}})
	_, read := s.Source.Read(t.Context(), "", 1)
	_, applied := s.Sink.Apply(t.Context(), native.Entry{})
	_, found := s.Finder.Find(t.Context(), "")
	for _, tc := range []struct {
		err  error
		kind fault.Kind
	}{{read, fault.Retry}, {applied, fault.Doubt}, {found, fault.Retry}, {s.Webhook.Verify(nil, nil), fault.Refuse}} {
		require.Equal(t, tc.kind, fault.KindOf(tc.err))
		require.Equal(t, "panic", fault.CodeOf(tc.err))
		require.NotContains(t, tc.err.Error(), "Meier")
	}
}
