package ivdossier

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"os"
	"sync"
	"time"
	_ "time/tzdata" // the clocks of the contract are part of the program, not of the machine

	"github.com/xuri/excelize/v2"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	contract "github.com/einmal-hub/einmal/contracts/native/ivdossier"
)

// Type is the word for this adapter in the configuration.
const Type = "ivdossier"

// Factory makes the adapters of this package. It implements [adapters.Factory].
type Factory struct{}

// Type returns "ivdossier".
func (Factory) Type() string { return Type }

// DefaultConfig returns a new *[Config].
func (Factory) DefaultConfig() any { return defaults() }

// New returns a system in mode A. It opens nothing; errors are of kind Stop.
func (Factory) New(id handover.SystemID, cfg any) (adapters.System, error) {
	c, ok := cfg.(*Config)
	if !ok {
		return adapters.System{}, fault.New(fault.Stop, Type+".new", "config", "the configuration is not one of this adapter").At("systems." + string(id))
	}
	if err := c.Check().Err(); err != nil {
		return adapters.System{}, fault.Wrap(fault.Stop, Type+".new", err)
	}
	e, err := newExchange(c, time.Now)
	if err != nil {
		return adapters.System{}, fault.Wrap(fault.Stop, Type+".new", err)
	}
	return e.system(), nil
}

func newExchange(c *Config, now func() time.Time) (*exchange, error) {
	forms, err := contract.Load()
	if err != nil {
		return nil, err
	}
	zone, err := time.LoadLocation(contract.Zone)
	if err != nil {
		return nil, err
	}
	return &exchange{config: *c, now: now, flush: (*os.File).Sync, forms: forms, zone: zone, index: newIndex(), seen: map[string]weighed{}, looked: map[string]looked{}, versions: map[string]state{}, room: boundsOfRegister()}, nil
}

func (e *exchange) system() adapters.System {
	return adapters.System{
		Source: e, Sink: e, Finder: e, Documents: e, Ping: e.ping, Close: func() error { return nil },
		Abilities: adapters.Abilities{Mode: adapters.ModeA, Bounds: e.config.Bounds, Contract: Type + "/1"},
	}
}

// exchange is the exchange with one dossier folder. What it remembers is only what it has read in the folder before.
type exchange struct {
	config Config
	now    func() time.Time
	forms  *contract.Forms
	zone   *time.Location
	meet   func(op, name string) error // tests let the file system fail here; nil: never
	flush  func(*os.File) error        // makes a file or the names in a folder durable

	zip func(io.Writer) excelize.ZipWriter // packs workbooks; nil: with compression

	mu       sync.Mutex
	index    *index
	names    namer
	seen     map[string]weighed // documents that need not be read again, by their place
	looked   map[string]looked  // files that documents name, by their place
	held     map[string]bool    // folders of cases in which something waits, during one reading
	versions map[string]state   // of the register, by their place
	settled  settled            // the last register that needed nothing more
	room     bounds             // of the register
	full     uint64             // the first version that would be larger than that; 0: none
}

// open opens the folder for one piece of work. A folder that is not there may come back; one that may not be entered needs a person.
func (e *exchange) open(op string) (*disk, error) {
	d := &disk{meet: e.meet, flush: e.flush}
	err := d.met("open", "")
	if err == nil {
		d.root, err = os.OpenRoot(e.config.Folder)
	}
	if err != nil {
		return nil, unusable(op, err)
	}
	return d, nil
}

// enter opens the folder for work on the entries: it makes what is missing in it, and brings the index up to date. The caller holds mu.
func (e *exchange) enter(ctx context.Context, op string) (*disk, error) {
	if err := ended(ctx, op); err != nil {
		return nil, err
	}
	d, err := e.open(op)
	if err != nil {
		return nil, err
	}
	for _, folder := range []string{
		contract.Cases, contract.NewCases, contract.Blank, contract.Shelved, contract.Machinery, drafts, entries, journal, aside, states, kept,
	} {
		if err = d.folder(folder); err != nil {
			break
		}
	}
	if err == nil {
		err = e.learn(d)
	}
	if err == nil {
		e.names, err = e.namer(d)
	}
	if err == nil {
		err = e.complete(d)
	}
	if err != nil {
		d.close()
		return nil, unusable(op, err)
	}
	return d, nil
}

// unusable is a failure of the file system before anything was committed. A failure that says more about itself is kept.
func unusable(op string, err error) error {
	var known *fault.Error
	if errors.As(err, &known) {
		return err
	}
	err = bare(err)
	if errors.Is(err, fs.ErrPermission) {
		return fault.New(fault.Stop, op, "permission", "the dossier folder may not be used").Hint("give einmal's user the right to read and write in it").Because(err)
	}
	return fault.New(fault.Retry, op, "folder", "the dossier folder cannot be used at present").Hint("see whether it is mounted and has room").Because(err)
}

// ended is the error of a call whose context has ended before anything was committed.
func ended(ctx context.Context, op string) error {
	if ctx.Err() == nil {
		return nil
	}
	return fault.New(fault.Retry, op, "ended", "the time for this call is over").Because(ctx.Err())
}

// ping tries that the folder is there, can be written to, and knows hard links. What it writes it removes.
func (e *exchange) ping(ctx context.Context) error {
	const op = Type + ".ping"
	if err := ended(ctx, op); err != nil {
		return err
	}
	d, err := e.open(op)
	if err != nil {
		return err
	}
	defer d.close()
	from, to := ".einmal-"+rand.Text(), ".einmal-"+rand.Text()
	if err := d.root.WriteFile(from, nil, 0o600); err != nil {
		return unusable(op, err)
	}
	linked := d.root.Link(from, to)
	removed := errors.Join(d.root.Remove(from), ignoreMissing(d.root.Remove(to)))
	if linked != nil {
		return fault.New(fault.Stop, op, "no-links", "the dossier folder does not lie on a file system with hard links").
			Hint("put it on a local disk, or on a share that knows hard links")
	}
	if removed != nil {
		return unusable(op, removed)
	}
	return nil
}
