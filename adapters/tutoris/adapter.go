package tutoris

import (
	"context"
	"crypto/rand"
	"path"
	"time"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	contract "github.com/einmal-hub/einmal/contracts/native/tutoris"
)

// Type is the word for this adapter in the configuration.
const Type = "tutoris"

// Factory makes the adapters of this package. It implements [adapters.Factory].
type Factory struct{}

// Type returns "tutoris".
func (Factory) Type() string { return Type }

// DefaultConfig returns a new *[Config].
func (Factory) DefaultConfig() any { return defaults() }

// New returns a system in mode C that answers later. It opens nothing; errors are of kind Stop.
func (Factory) New(id handover.SystemID, cfg any) (adapters.System, error) {
	c, ok := cfg.(*Config)
	if !ok {
		return adapters.System{}, fault.New(fault.Stop, Type+".new", "config", "the configuration is not one of this adapter").At("systems." + string(id))
	}
	if err := c.Check().Err(); err != nil {
		return adapters.System{}, fault.Wrap(fault.Stop, Type+".new", err)
	}
	return connect(c, time.Now), nil
}

func connect(c *Config, now func() time.Time) adapters.System {
	e := &exchange{config: *c, now: now, looking: make(chan struct{}, 1)}
	return adapters.System{
		Source: e, Sink: e, Finder: e, Documents: e, Ping: e.ping, Close: func() error { return nil },
		Abilities: adapters.Abilities{Mode: adapters.ModeC, Bounds: c.Bounds, Contract: contract.Namespace},
	}
}

// exchange is the exchange of files with one Tutoris. What it remembers is only what it has read on the server before.
type exchange struct {
	config Config
	now    func() time.Time

	looking chan struct{} // held by whoever reads the results; what follows is theirs
	results results
}

// at returns the name of a file, or of a folder, on the server.
func (e *exchange) at(parts ...string) string {
	return path.Join(append([]string{e.config.Folder}, parts...)...)
}

// ended is the error of a call whose context has ended before anything was handed over.
func ended(ctx context.Context, op string) error {
	if ctx.Err() == nil {
		return nil
	}
	return fault.New(fault.Retry, op, "ended", "the time for this call is over").Because(ctx.Err())
}

// ping tries that the server lets einmal in, that the folders are there, and that a file can be written and renamed. What it writes it removes; Tutoris does not
// see it, because its names begin with a dot.
func (e *exchange) ping(ctx context.Context) error {
	const op = Type + ".ping"
	l, err := e.dial(ctx, op)
	if err != nil {
		return err
	}
	defer l.close()
	for _, folder := range []string{contract.Inbox, contract.Results, contract.Outbox} {
		if _, err := l.names(e.at(folder)); err != nil {
			return l.unusable(err)
		}
	}
	if _, err := l.files.Stat(e.at(contract.Archive)); err != nil { // it holds what was taken in months, and is not listed
		return l.unusable(err)
	}
	for _, folder := range []string{contract.Inbox, contract.Documents} {
		if err := e.try(l, folder); err != nil {
			return l.unusable(err)
		}
	}
	return nil
}

// try writes, renames and removes a file in a folder.
func (e *exchange) try(l *link, folder string) error {
	from, to := e.at(folder, ".ping-"+rand.Text()), e.at(folder, ".ping-"+rand.Text())
	if _, err := l.write(from, []byte("ping")); err != nil {
		return err
	}
	if err := l.rename(from, to); err != nil {
		_ = l.files.Remove(from)
		return err
	}
	return l.files.Remove(to)
}

// reference is what Tutoris can take for a name.
func reference(r native.Reference) bool {
	_, ok := contract.ParseDelivery(contract.Delivery{Reference: r, Attempt: 1}.File())
	return ok
}
