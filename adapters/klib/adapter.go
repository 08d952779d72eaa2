package klib

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/adapters/internal/httpx"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
)

// contract is the version of contracts/native/klib that this adapter speaks.
const contract = "klib/1"

// Factory makes connections to KLIB systems.
type Factory struct{}

var _ adapters.Factory = Factory{}

// Type returns "klib".
func (Factory) Type() string { return "klib" }

// DefaultConfig returns a *[Config] with generous bounds.
func (Factory) DefaultConfig() any { return defaults() }

// New makes the system; cfg is a *[Config]. It connects nothing.
func (Factory) New(id handover.SystemID, cfg any) (adapters.System, error) {
	c, ok := cfg.(*Config)
	if !ok {
		return adapters.System{}, fault.New(fault.Stop, "klib.new", "config", "the configuration is not one of KLIB")
	}
	if err := c.Check().Err(); err != nil {
		return adapters.System{}, fault.Wrap(fault.Stop, "klib.new", err)
	}
	client, err := httpx.New(c.Config, c.Bounds.Request)
	if err != nil {
		return adapters.System{}, fault.Wrap(fault.Stop, "klib.new", err)
	}
	s := &system{id: id, client: client, config: *c}
	return adapters.System{
		Source: s, Sink: s, Finder: s, Documents: s, Ping: s.ping, Close: client.Close,
		Abilities: adapters.Abilities{Mode: adapters.ModeB, Bounds: c.Bounds, Contract: contract},
	}, nil
}

// system is one connected KLIB.
type system struct {
	id     handover.SystemID
	client *httpx.Client
	config Config
	quiet  quiet // belongs to Read, which is not called concurrently
}

var (
	_ adapters.Source    = (*system)(nil)
	_ adapters.Sink      = (*system)(nil)
	_ adapters.Finder    = (*system)(nil)
	_ adapters.Documents = (*system)(nil)
)

// op names an operation on this system in errors.
func (s *system) op(what string) string { return string(s.id) + "." + what }

// get sends a reading below /api/v1. header may be nil.
func (s *system) get(ctx context.Context, op string, query url.Values, header http.Header, path ...string) (httpx.Response, error) {
	h := http.Header{"Accept": {"application/json, application/problem+json"}}
	for name, values := range header {
		h[name] = values
	}
	return s.client.Do(ctx, httpx.Request{Op: op, Method: http.MethodGet, Path: append([]string{"api", "v1"}, path...), Query: query, Header: h})
}

// ping asks for the contract and the bounds of the system.
func (s *system) ping(ctx context.Context) error {
	op := s.op("ping")
	r, err := s.get(ctx, op, nil, nil, "status")
	if err != nil {
		return err
	}
	var says wireStatus
	switch {
	case r.Status == http.StatusNotFound, r.Status == http.StatusOK && (decode(r, &says) != nil || !says.ours()):
		return fault.New(fault.Stop, op, "contract", "what answers under this address does not follow the contract "+contract).
			Hint("compare the address with the system's own, without /api; ask its operator for the contract version")
	case r.Status != http.StatusOK:
		return unavailable(op, r)
	}
	return s.compareBounds(op, says)
}

// ours reports whether the status is one of this contract.
func (w wireStatus) ours() bool {
	return w.Vertrag == contract && w.Grenzen.VerarbeitungMS != nil && w.Grenzen.IndexMS != nil
}

// compareBounds stops when the configuration expects more of the system than it announces: the promise would not hold.
func (s *system) compareBounds(op string, says wireStatus) error {
	for _, b := range []struct {
		path       string
		configured time.Duration
		announced  int64
	}{
		{"bounds.processing", s.config.Bounds.Processing, *says.Grenzen.VerarbeitungMS},
		{"bounds.lookup", s.config.Bounds.Lookup, *says.Grenzen.IndexMS},
	} {
		announced := time.Duration(b.announced) * time.Millisecond
		if b.configured < announced {
			return fault.New(fault.Stop, op, "bounds", "the configured bound is shorter than what the system announces").At(b.path).
				Hint(fmt.Sprintf("set %s to at least %s", b.path, announced))
		}
	}
	return nil
}

// unavailable is an answer to a reading that holds nothing to read.
func unavailable(op string, r httpx.Response) error {
	code := r.ProblemCode()
	if code == "" {
		code = "status"
	}
	return fault.New(fault.Retry, op, code, "the system answered a reading with status "+strconv.Itoa(r.Status))
}
