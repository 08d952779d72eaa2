package avam

import (
	"context"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/adapters/internal/httpx"
	"github.com/einmal-hub/einmal/adapters/internal/xmlframe"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	contract "github.com/einmal-hub/einmal/contracts/native/avam"
)

// Type is the word for this adapter in the configuration.
const Type = "avam"

// Factory makes the adapters of this package. It implements [adapters.Factory].
type Factory struct{}

// Type returns "avam".
func (Factory) Type() string { return Type }

// DefaultConfig returns a new *[Config].
func (Factory) DefaultConfig() any { return defaults() }

// New returns a system in mode B. It connects nothing; errors are of kind Stop.
func (Factory) New(id handover.SystemID, cfg any) (adapters.System, error) {
	c, ok := cfg.(*Config)
	if !ok {
		return adapters.System{}, fault.New(fault.Stop, Type+".new", "config", "the configuration is not one of this adapter").At("systems." + string(id))
	}
	if err := c.Check().Err(); err != nil {
		return adapters.System{}, fault.Wrap(fault.Stop, Type+".new", err)
	}
	client, err := httpx.New(c.Config, c.Bounds.Request)
	if err != nil {
		return adapters.System{}, err
	}
	s := &service{client: client}
	return adapters.System{
		Source: s, Sink: s, Finder: s, Documents: s, Ping: s.ping, Close: client.Close,
		Abilities: adapters.Abilities{Mode: adapters.ModeB, Bounds: c.Bounds, Contract: Type + "/" + contract.Version},
	}, nil
}

// ping asks for the contract version.
func (s *service) ping(ctx context.Context) error {
	const op = Type + ".ping"
	answer, err := s.call(ctx, call{op: op, operation: contract.Ping})
	if err != nil {
		return err
	}
	f := xmlframe.Read(answer, contract.Namespace)
	version := f.Text("contractVersion")
	if err := f.Done(); err != nil {
		return unreadable(op, false, err)
	}
	if version != contract.Version {
		return fault.New(fault.Stop, op, "contract-version", "AVAM speaks another version of the contract").
			Hint("use the einmal release for that version; this one speaks version " + contract.Version)
	}
	return nil
}
