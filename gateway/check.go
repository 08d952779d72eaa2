package gateway

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/gateway/bus"
	"github.com/einmal-hub/einmal/gateway/claims"
	"github.com/einmal-hub/einmal/gateway/seal"
)

// Probe is one thing that Check has tried.
type Probe struct {
	What     string         `json:"what"` // "kafka", "redis", "keys", "system klib"
	OK       bool           `json:"ok"`
	Detail   string         `json:"detail"` // what was found, or what is wrong
	Next     string         `json:"next,omitzero"`
	Took     time.Duration  `json:"-"`
	Findings fault.Findings `json:"findings,omitzero"`
}

// probePatience is how long one connection may take.
const probePatience = 10 * time.Second

// Check tries everything that Run needs: the key file (made when there is none), the brokers and their topics, Redis, and every native system. It
// always tries all of them. It changes nothing else, except that missing topics are made.
func (g *Gateway) Check(ctx context.Context) []Probe {
	probes := []Probe{g.checkKeys()}
	c := g.o.Config
	if len(c.Kafka.Brokers) == 0 {
		probes = append(probes, Probe{What: "kafka", OK: true, Detail: "embedded, data in " + c.Data})
	} else {
		probes = append(probes, probe(ctx, "kafka", g.checkKafka))
	}
	if c.Redis.Address == "" {
		probes = append(probes, Probe{What: "redis", OK: true, Detail: "embedded"})
	} else {
		probes = append(probes, probe(ctx, "redis", g.checkRedis))
	}
	for _, k := range g.connected {
		name := "system " + string(k.id)
		if k.system.Ping == nil {
			probes = append(probes, k.said(Probe{What: name, OK: true, Detail: "cannot be tried without effect"}))
			continue
		}
		probes = append(probes, k.said(probe(ctx, name, func(ctx context.Context) (string, error) {
			return fmt.Sprintf("answers; mode %s, a doubt settles within %s", k.system.Abilities.Mode, k.system.Abilities.Bounds.Settle()), k.system.Ping(ctx)
		})))
	}
	return probes
}

func (g *Gateway) checkKeys() Probe {
	_, created, err := seal.LoadOrCreate(g.o.Config.Keys)
	p := Probe{What: "keys", OK: err == nil, Detail: "the key file is in order: " + g.o.Config.Keys}
	if created {
		p.Detail = "a new key file was made: " + g.o.Config.Keys
		p.Next = "back it up now, apart from the data: without it nothing on the bus can be read"
	}
	return p.failed(placed(err, g.o.Config.Keys))
}

func (g *Gateway) checkKafka(ctx context.Context) (string, error) {
	c, err := busConfig(g.o.Config.Kafka, "")
	if err != nil {
		return "", err
	}
	b, err := bus.Open(ctx, c, bus.Watch{})
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("the brokers answer; the topics are in order, %d partitions", b.Partitions()), b.Close()
}

func (g *Gateway) checkRedis(ctx context.Context) (string, error) {
	o, err := redisOptions(g.o.Config.Redis)
	if err != nil {
		return "", err
	}
	c := claims.Open(o, "check")
	return "answers", errors.Join(c.Ping(ctx), c.Close())
}

// probe tries one thing within its patience.
func probe(ctx context.Context, what string, try func(context.Context) (string, error)) Probe {
	ctx, cancel := context.WithTimeout(ctx, probePatience)
	defer cancel()
	began := now()
	detail, err := try(ctx)
	p := Probe{What: what, OK: err == nil, Detail: detail, Took: now().Sub(began)}
	return p.failed(err)
}

// failed fills in what an error says.
func (p Probe) failed(err error) Probe {
	if err == nil {
		return p
	}
	p.Detail = err.Error()
	var f *fault.Error
	if errors.As(err, &f) && f.Text != "" {
		p.Detail, p.Next = f.Text, f.Next
		if f.Path != "" {
			p.Detail += " (" + f.Path + ")"
		}
		if f.Err != nil {
			p.Detail += ": " + f.Err.Error()
		}
	}
	errors.As(err, &p.Findings)
	return p
}
