package casenet

import (
	"context"
	"net/http"
	"time"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/adapters/internal/httpx"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/go-json-experiment/json"
)

// contract is the version of contracts/native/casenet that this adapter speaks.
const contract = "casenet/1"

// Factory makes connections to CASEnet platforms.
type Factory struct{}

var _ adapters.Factory = Factory{}

// Type returns "casenet".
func (Factory) Type() string { return "casenet" }

// DefaultConfig returns a *[Config] with the contract's times.
func (Factory) DefaultConfig() any { return &Config{Bounds: defaultBounds()} }

// New makes the system; cfg is a *[Config]. It connects nothing.
func (Factory) New(id handover.SystemID, cfg any) (adapters.System, error) {
	c, ok := cfg.(*Config)
	if !ok {
		return adapters.System{}, fault.New(fault.Stop, "casenet.new", "config", "the configuration is not one of CASEnet")
	}
	if err := c.Check().Err(); err != nil {
		return adapters.System{}, fault.Wrap(fault.Stop, "casenet.new", err)
	}
	client, err := httpx.New(c.Config, c.Bounds.Request)
	if err != nil {
		return adapters.System{}, fault.Wrap(fault.Stop, "casenet.new", err)
	}
	p := &platform{id: id, client: client}
	s := adapters.System{
		Source: p, Sink: p, Documents: p, Ping: p.ping, Close: client.Close,
		Abilities: adapters.Abilities{Mode: adapters.ModeA, Bounds: c.Bounds, Contract: contract, Shared: true},
	}
	if len(c.Webhook.KeyFiles) > 0 {
		s.Webhook = verifier{op: p.op("webhook"), keyFiles: c.Webhook.KeyFiles, now: time.Now}
	}
	return s, nil
}

// platform is one connected CASEnet. It holds no state but its connections.
type platform struct {
	id     handover.SystemID
	client *httpx.Client
}

var (
	_ adapters.Source    = (*platform)(nil)
	_ adapters.Sink      = (*platform)(nil)
	_ adapters.Documents = (*platform)(nil)
)

// op names an operation on this platform in errors.
func (p *platform) op(what string) string { return string(p.id) + "." + what }

// ping asks for the platform's contract.
func (p *platform) ping(ctx context.Context) error {
	op := p.op("ping")
	r, err := p.client.Do(ctx, httpx.Request{Op: op, Method: http.MethodGet, Path: []string{"api", "platform"}, Header: accept()})
	if err != nil {
		return err
	}
	var says struct {
		Contract string `json:"contract"`
	}
	switch {
	case r.Status == http.StatusOK && r.MediaType() == jsonType && json.Unmarshal(r.Body, &says) == nil && says.Contract == contract:
		return nil
	case r.Status == http.StatusOK || r.Status == http.StatusNotFound:
		return fault.New(fault.Stop, op, "contract", "what answers under this address does not follow the contract "+contract).
			Hint("compare the address with the platform's own, without /api; ask its operator for the contract version")
	default:
		return unavailable(op, r)
	}
}

const (
	jsonType    = "application/json"
	problemType = "application/problem+json"
)

func accept() http.Header { return http.Header{"Accept": {jsonType + ", " + problemType}} }

// unavailable is an answer to a reading that holds nothing to read.
func unavailable(op string, r httpx.Response) error {
	code := r.ProblemCode()
	if code == "" {
		code = "status"
	}
	return fault.New(fault.Retry, op, code, "the platform answered a reading with status "+statusText(r.Status))
}
