package osiv

import (
	"context"
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"sync"
	"time"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	contract "github.com/einmal-hub/einmal/contracts/native/osiv"
)

// Type is the word for this adapter in the configuration.
const Type = "osiv"

// Factory makes the adapters of this package. It implements [adapters.Factory].
type Factory struct{}

// Type returns "osiv".
func (Factory) Type() string { return Type }

// DefaultConfig returns a new *[Config].
func (Factory) DefaultConfig() any { return defaults() }

// New returns a system in mode A that answers later. It opens nothing; errors are of kind Stop.
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
	e := &exchange{config: *c, now: now}
	return adapters.System{
		Source: e, Sink: e, Finder: e, Documents: e, Ping: e.ping, Close: func() error { return nil },
		Abilities: adapters.Abilities{Mode: adapters.ModeA, Bounds: c.Bounds, Contract: contract.Namespace},
	}
}

// exchange is the exchange of files with one OSIV. What it remembers is only what it has read in the folders before.
type exchange struct {
	config Config
	now    func() time.Time
	meet   func(name string) error // tests let the reading of an envelope fail here; nil: never

	mu    sync.Mutex
	shelf shelf
	inbox watch
}

// open opens the folders for one piece of work. A folder that is not there may come back; one that may not be entered needs a person.
func (e *exchange) open(op string) (*os.Root, error) {
	root, err := os.OpenRoot(e.config.Folder)
	if err != nil {
		return nil, unusable(op, err)
	}
	return root, nil
}

// unusable is a failure of the file system before anything was handed over.
func unusable(op string, err error) error {
	err = bare(err)
	if errors.Is(err, fs.ErrPermission) {
		return fault.New(fault.Stop, op, "permission", "the sedex folders may not be used").Hint("give einmal's user the right to read and write in them").Because(err)
	}
	return fault.New(fault.Retry, op, "folder", "the sedex folders cannot be used at present").Hint("see whether they are mounted and have room").Because(err)
}

// ended is the error of a call whose context has ended before anything was handed over.
func ended(ctx context.Context, op string) error {
	if ctx.Err() == nil {
		return nil
	}
	return fault.New(fault.Retry, op, "ended", "the time for this call is over").Because(ctx.Err())
}

// ping tries that the folders are there, can be written to, and know hard links. What it writes it removes.
func (e *exchange) ping(ctx context.Context) error {
	const op = Type + ".ping"
	if err := ended(ctx, op); err != nil {
		return err
	}
	root, err := e.open(op)
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }()
	for _, folder := range []string{contract.Outbox, contract.Inbox, contract.Receipts, contract.Processed} {
		if _, err := root.Stat(folder); err != nil {
			return unusable(op, err)
		}
	}
	if err := root.MkdirAll(contract.Documents, 0o700); err != nil {
		return unusable(op, err)
	}
	name := ".ping-" + rand.Text()
	from, to := contract.Outbox+"/"+name, contract.Processed+"/"+name
	if err := root.WriteFile(from, nil, 0o600); err != nil {
		return unusable(op, err)
	}
	linked := root.Link(from, to)
	removed := errors.Join(root.Remove(from), ignoreMissing(root.Remove(to)))
	if linked != nil {
		return fault.New(fault.Stop, op, "no-links", "the sedex folders do not lie on one file system with hard links").
			Hint("put outbox, inbox, receipts and processed on one local disk, or on a share that knows hard links")
	}
	if removed != nil {
		return unusable(op, removed)
	}
	return nil
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
