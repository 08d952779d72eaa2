package world

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"slices"
	"time"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/mocks/clerks"
	"github.com/einmal-hub/einmal/mocks/core"
)

// Options say what a world is. The zero value is a world without faults, in memory, on a free port of the loopback, that asks for no credentials.
type Options struct {
	// Listen is the address, such as "127.0.0.1:8900"; empty: a free port of the loopback.
	Listen string
	// SFTP is the address of Tutoris's server; empty: a free port of the loopback.
	SFTP string
	// Dir holds the journals, one file for each system, and the folders of OSIV, Tutoris and the IV office; empty: memory only, and a temporary folder. Journals that are there are read back.
	Dir string
	// Faults are those of every system; each draws from a source of its own.
	Faults core.Faults
	// Credentials are what the native interfaces demand; empty ones are not demanded.
	Credentials Credentials
	// WebhookURL is where CASEnet sends its notifications; empty: nowhere, until SetWebhookURL.
	WebhookURL string
	// Clock tells the time; nil: time.Now.
	Clock func() time.Time
}

// Credentials are what the native interfaces demand of einmal.
type Credentials struct {
	KLIBToken                  string
	AVAMUsername, AVAMPassword string
	CASEnetToken               string
	TutorisUser                string // nobody is let in without
	TutorisPassword            string
	WebhookKeys                []string // sign CASEnet's notifications: whsec_... or whsk_...
}

// BadDay returns the faults of a bad day: one event in ten comes twice, one answer in twenty is lost after the commit, one request in twenty fails, some are
// slow or carried out late, some readings are answered by half, and searches lag behind.
func BadDay(seed int64) core.Faults {
	return core.Faults{
		Seed: seed, Duplicate: 0.10, LostAnswer: 0.05, Error: 0.04, ErrorInDoubt: 0.01, Slow: 0.03, Late: 0.01, Torn: 0.03,
		SlowBy: 150 * time.Millisecond, LateBy: 250 * time.Millisecond, LookupLag: 100 * time.Millisecond,
	}
}

// World is a running set of mocks. It is safe for concurrent use.
type World struct {
	url     string
	dir     string
	mocks   []mock
	webhook func(url string)
	sedex   string // OSIV's folder
	sftp    string // Tutoris's address
	// folder holds what is reached by files; a temporary one ends with the world.
	folder    string
	temporary bool
	server    *http.Server
	hangUp    context.CancelFunc
	done      chan struct{}
	err       error // why the server ended; read after done
}

// mock is one system of the world.
type mock struct {
	id      handover.SystemID
	handler http.Handler
	store   *core.Store
	dice    *core.Dice
	close   func() error
}

// Start opens the journals and listens. When it returns, every system answers. Stop must be called.
func Start(ctx context.Context, o Options) (*World, error) {
	if o.Listen == "" {
		o.Listen = "127.0.0.1:0"
	}
	w := &World{dir: o.Dir, done: make(chan struct{})}
	if err := w.open(o); err != nil {
		return nil, errors.Join(err, w.closeMocks())
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", o.Listen)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("listen for the mocks: %w", err), w.closeMocks())
	}
	w.url = "http://" + l.Addr().String()
	w.serve(context.WithoutCancel(ctx), l)
	return w, nil
}

func (w *World) serve(ctx context.Context, l net.Listener) {
	mux := http.NewServeMux()
	for _, m := range w.mocks {
		mux.Handle("/"+string(m.id)+"/", http.StripPrefix("/"+string(m.id), m.handler))
	}
	ctx, w.hangUp = context.WithCancel(ctx)
	w.server = &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second, BaseContext: func(net.Listener) context.Context { return ctx }}
	go func() {
		defer close(w.done)
		if err := w.server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			w.err = fmt.Errorf("serve the mocks: %w", err)
		}
	}()
}

// URL returns the address of everything, without a slash at the end.
func (w *World) URL() string { return w.url }

// URLs returns the address of each system; the native interface, /desk/ and /control/ stand behind it.
func (w *World) URLs() map[handover.SystemID]string {
	urls := map[handover.SystemID]string{}
	for _, m := range w.mocks {
		urls[m.id] = w.url + "/" + string(m.id)
	}
	return urls
}

// Systems returns what clerks need to work in this world.
func (w *World) Systems() map[handover.SystemID]clerks.System { return Systems(w.url) }

// Sedex returns the base folder of OSIV's sedex interface.
func (w *World) Sedex() string { return w.sedex }

// SFTP returns the address of Tutoris's server. Its host key stands in the file [KnownHosts] of [World.Folder].
func (w *World) SFTP() string { return w.sftp }

// Folder returns the folder of everything that is reached by files.
func (w *World) Folder() string { return w.folder }

// SetWebhookURL changes where CASEnet sends its notifications; empty: nowhere.
func (w *World) SetWebhookURL(url string) { w.webhook(url) }

// SetFaults changes the faults of every system; each draws from a source of its own.
func (w *World) SetFaults(f core.Faults) {
	for i, m := range w.mocks {
		m.dice.Set(seeded(f, i))
	}
}

// Dice returns a system's faults, for tests that script them; nil for a system that is not there.
func (w *World) Dice(id handover.SystemID) *core.Dice {
	for _, m := range w.mocks {
		if m.id == id {
			return m.dice
		}
	}
	return nil
}

// Store returns what a system keeps, for tests that enter what no desk would take; nil for a system that is not there.
func (w *World) Store(id handover.SystemID) *core.Store {
	for _, m := range w.mocks {
		if m.id == id {
			return m.store
		}
	}
	return nil
}

// Journals returns what stands in the systems: from the files if there are any, from memory otherwise.
func (w *World) Journals() (clerks.Journals, error) {
	if w.dir != "" {
		return clerks.ReadJournals(w.dir)
	}
	all := clerks.Journals{}
	for _, m := range w.mocks {
		all[m.id] = m.store.After(0, 0)
	}
	return all, nil
}

// Done is closed when the server has ended, by Stop or by itself.
func (w *World) Done() <-chan struct{} { return w.done }

// Stop takes no more requests, waits for those under way until ctx ends, carries out what is still to come late, and closes the journals. It
// returns what went wrong, also while serving. It may be called twice.
func (w *World) Stop(ctx context.Context) error {
	w.hangUp()
	for _, m := range w.mocks {
		m.dice.Close()
	}
	err := w.server.Shutdown(ctx)
	if err != nil {
		err = errors.Join(fmt.Errorf("stop the mocks: %w", err), w.server.Close())
	}
	<-w.done
	return errors.Join(w.err, err, w.closeMocks())
}

func (w *World) closeMocks() error {
	var errs []error
	for _, m := range slices.Backward(w.mocks) {
		if err := m.close(); err != nil {
			errs = append(errs, fmt.Errorf("close the mock %s: %w", m.id, err))
		}
	}
	if w.temporary {
		errs = append(errs, os.RemoveAll(w.folder))
	}
	return errors.Join(errs...)
}

// Systems returns what clerks need to work in the mocks that are served at an address, in this process or another one.
func Systems(url string) map[handover.SystemID]clerks.System {
	systems := map[handover.SystemID]clerks.System{}
	for id, form := range forms() {
		form.URL = url + "/" + string(id)
		systems[id] = form
	}
	return systems
}

// IDs returns the names of the systems in every world, sorted.
func IDs() []handover.SystemID { return slices.Sorted(maps.Keys(forms())) }
