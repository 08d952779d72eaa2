// Package gateway wires the parts into one process and is the only place where adapters, mappings, bus, ledger and Redis meet.
//
//	native A -> adapters/A -> mapping/A -> intake -> bus (Kafka), key = case id
//	native B <- adapters/B <- mapping/B <- delivery <- bus; ledger (Kafka) says what is done, claims (Redis) save work
//
// [Gateway.Run] is the whole process: it starts what messages need first and what brings messages last, and stops the other way round. It touches no
// flags, signals or exit codes, so tests run the same process on free ports. Without brokers and Redis in the configuration embedded engines are started, and
// the same clients talk to them over loopback: there is no second implementation of anything.
package gateway

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/gateway/bus"
	"github.com/einmal-hub/einmal/gateway/claims"
	"github.com/einmal-hub/einmal/gateway/config"
	"github.com/einmal-hub/einmal/gateway/delivery"
	"github.com/einmal-hub/einmal/gateway/ledger"
	"github.com/einmal-hub/einmal/gateway/seal"
	"github.com/einmal-hub/einmal/gateway/shelf"
	"github.com/einmal-hub/einmal/gateway/telemetry"
	"github.com/einmal-hub/einmal/mapping"
)

// Options are what a gateway is made of.
type Options struct {
	Config    config.Config
	Factories []adapters.Factory
	Mappers   map[string]mapping.Mapper // by adapter type
	Log       *slog.Logger
	// Processors receive every span, beside the exporter of the configuration.
	Processors []sdktrace.SpanProcessor
	// Started is called once, when messages flow.
	Started func(Addresses)
}

// Addresses are where a running gateway listens; nil for what is not configured.
type Addresses struct {
	Listen net.Addr
	Admin  net.Addr
}

// Gateway is one gateway process. Run it once.
type Gateway struct {
	o         Options
	connected []connection
	rules     *rules
	ready     atomic.Bool

	telemetry *telemetry.Telemetry
	keys      *seal.Keys
	bus       *bus.Bus
	view      *ledger.View
	ledger    *ledger.Ledger
	claims    *claims.Claims
	waker     *waker
	memory    *memory
	shelf     *shelf.Shelf // nil: none can be kept
	unshelved atomic.Bool  // the shelf takes nothing at present
	delivery  atomic.Pointer[delivery.Delivery]
	admin     *gate
	reading   atomic.Pointer[reading]
	comparing sync.Mutex // one comparison at a time
	early     *early
	addresses Addresses
}

// New connects nothing yet. It fails (kind Stop) for a configuration that cannot be right.
func New(o Options) (*Gateway, error) {
	connected, err := connect(o.Config, o.Factories, o.Mappers)
	rules, err2 := loadRules(o.Config)
	if found := append(findingsOf(err, "systems"), findingsOf(err2, "")...); len(found) > 0 {
		return nil, fault.Wrap(fault.Stop, "gateway.new", found)
	}
	if found := speechless(connected, rules.profile, handover.Date(now().Format(time.DateOnly))); len(found) > 0 {
		return nil, fault.Wrap(fault.Stop, "gateway.new", found)
	}
	cautious(connected)
	return &Gateway{o: o, connected: connected, rules: rules, waker: newWaker(), early: newEarly()}, nil
}

// Run starts the gateway and returns when ctx has ended and everything has stopped, or when it cannot go on. What is under way when ctx ends is
// finished within the configured grace; what is not finished then goes on at the next start.
func (g *Gateway) Run(ctx context.Context) error {
	s := newStack(g.o.Log)
	err := g.start(ctx, s)
	if err == nil {
		g.ready.Store(true)
		if g.o.Started != nil {
			g.o.Started(g.addresses)
		}
		select {
		case <-ctx.Done():
		case err = <-s.fatal:
		}
	} else if ctx.Err() != nil {
		err = nil // it was asked to stop while it was starting
	}
	g.ready.Store(false)
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), g.o.Config.Grace)
	defer cancel()
	return errors.Join(err, s.stop(grace))
}

// start starts the stages in the order in which they need each other.
func (g *Gateway) start(ctx context.Context, s *stack) error {
	return g.startStages(ctx, s, g.holdShelf, g.startTelemetry, g.startAdmin, g.startKeys, g.startEngines, g.startBus, g.startClaims, g.startLedger, g.startSystems, g.startFlow,
		g.startReconciliation, g.startEarly, g.openAdmin)
}

func (*Gateway) startStages(ctx context.Context, s *stack, stages ...func(context.Context, *stack) error) error {
	for _, stage := range stages {
		if err := stage(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// now is the gateway's clock.
func now() time.Time { return time.Now() }
