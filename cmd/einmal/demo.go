package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	adaptersall "github.com/einmal-hub/einmal/adapters/all"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/gateway"
	"github.com/einmal-hub/einmal/gateway/config"
	"github.com/einmal-hub/einmal/gateway/telemetry"
	mappingall "github.com/einmal-hub/einmal/mapping/all"
	"github.com/einmal-hub/einmal/mocks/clerks"
	"github.com/einmal-hub/einmal/mocks/core"
	"github.com/einmal-hub/einmal/mocks/world"
)

//go:embed demo.yaml
var demoConfig string

//go:embed demo-directory.yaml
var demoDirectory string

// demo is the whole world in one process.
type demo struct {
	playOptions
	once   bool
	faults bool
	data   string
	admin  string

	out      io.Writer
	recorder *telemetry.Recorder
	world    *world.World
	gateway  *gateway.Gateway
	address  gateway.Addresses
}

func newDemo() *cobra.Command {
	d := &demo{}
	c := &cobra.Command{
		Use:   "demo",
		Short: "Play handovers between mock systems in one process, and prove that each was recorded once",
		Long: `The whole world in one process: an embedded broker and Redis, the mock systems of the social services (klib, tutoris), the unemployment offices (avam), the disability
insurance (osiv, ivdossier) and the shared platform (casenet), the gateway between them, and clerks who act in the mocks: they hand over cases of every target group in
every direction, and apply for what the rules do not admit. The mocks misbehave on purpose: events come twice, answers are lost after the record was
written, requests fail or are carried out late.

At the end the proof is read from the mocks' own journals. With --once the command then ends, with exit code 0 only if nothing is double or lost; otherwise
mocks and gateway stay up for playing until Ctrl-C.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := d.check(); err != nil {
				return err
			}
			d.out = cmd.OutOrStdout()
			return d.run(cmd.Context())
		},
	}
	d.flags(c)
	c.Flags().BoolVar(&d.once, "once", false, "end after the proof")
	c.Flags().BoolVar(&d.faults, "faults", true, "let the mocks misbehave")
	c.Flags().StringVar(&d.data, "data", "", "folder for journals, log and engines; empty: a temporary one")
	c.Flags().StringVar(&d.admin, "admin", "127.0.0.1:0", "admin address of the gateway")
	return c
}

// run builds the world, plays, proves, and takes the world down again.
func (d *demo) run(ctx context.Context) error {
	cleanup, err := d.folder()
	if err != nil {
		return err
	}
	defer cleanup()
	plan, err := d.draw()
	if err != nil {
		return err
	}
	stop, err := d.start(ctx)
	if err != nil {
		return err
	}
	err = d.act(ctx, plan)
	return errors.Join(err, stop())
}

// folder makes the demo's folder; a temporary one is removed at the end.
func (d *demo) folder() (func(), error) {
	if d.data != "" {
		return func() {}, fault.Wrap(fault.Stop, "demo", os.MkdirAll(d.data, 0o700))
	}
	dir, err := os.MkdirTemp("", "einmal-demo-")
	if err != nil {
		return nil, fault.Wrap(fault.Stop, "demo", err)
	}
	d.data = dir
	return func() { _ = os.RemoveAll(dir) }, nil
}

// start starts mocks and gateway, and returns when messages flow.
func (d *demo) start(ctx context.Context) (stop func() error, err error) {
	faults := core.Faults{Seed: d.seed}
	if d.faults {
		faults = world.BadDay(d.seed)
	}
	credentials := mockCredentials()
	d.world, err = world.Start(ctx, world.Options{Dir: d.data, Faults: faults, Credentials: credentials})
	if err != nil {
		return nil, fault.Wrap(fault.Stop, "demo", err)
	}
	stopWorld := func() error {
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		return d.world.Stop(grace)
	}
	log, err := os.Create(filepath.Join(d.data, "einmal.log"))
	if err != nil {
		return nil, errors.Join(fault.Wrap(fault.Stop, "demo", err), stopWorld())
	}
	stopGateway, err := d.startGateway(ctx, telemetry.NewLogger(log, "debug", "text"), credentials)
	if err != nil {
		return nil, errors.Join(err, stopWorld(), log.Close())
	}
	return func() error { return errors.Join(stopGateway(), stopWorld(), log.Close()) }, nil
}

func (d *demo) startGateway(ctx context.Context, log *slog.Logger, credentials world.Credentials) (stop func() error, err error) {
	cfg, err := d.config(credentials)
	if err != nil {
		return nil, err
	}
	mappers, err := mappingall.Mappers()
	if err != nil {
		return nil, err
	}
	d.recorder = telemetry.NewRecorder(500)
	started := make(chan gateway.Addresses, 1)
	d.gateway, err = gateway.New(gateway.Options{
		Config: cfg, Factories: adaptersall.Factories(), Mappers: mappers, Log: log,
		Processors: []sdktrace.SpanProcessor{d.recorder}, Started: func(a gateway.Addresses) { started <- a },
	})
	if err != nil {
		return nil, err
	}
	running, cancel := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan error, 1)
	go func() { ended <- d.gateway.Run(running) }()
	select {
	case d.address = <-started:
		d.world.SetWebhookURL("http://" + d.address.Listen.String() + "/webhooks/casenet")
		return func() error { cancel(); return <-ended }, nil
	case err := <-ended:
		cancel()
		return nil, err
	case <-ctx.Done():
		cancel()
		return nil, errors.Join(ctx.Err(), <-ended)
	}
}

// config fills in the demo's configuration.
func (d *demo) config(c world.Credentials) (config.Config, error) {
	for name, secret := range map[string]string{
		"klib.token": c.KLIBToken, "tutoris.password": c.TutorisPassword, "avam.password": c.AVAMPassword, "casenet.token": c.CASEnetToken, "casenet.webhook": c.WebhookKeys[0],
	} {
		if err := os.WriteFile(filepath.Join(d.data, name), []byte(secret+"\n"), 0o600); err != nil {
			return config.Config{}, fault.Wrap(fault.Stop, "demo", err)
		}
	}
	dir, err := filepath.Abs(d.data)
	if err != nil {
		return config.Config{}, fault.Wrap(fault.Stop, "demo", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "directory.yaml"), []byte(demoDirectory), 0o600); err != nil {
		return config.Config{}, fault.Wrap(fault.Stop, "demo", err)
	}
	text := strings.NewReplacer("${data}", dir, "${sedex}", d.world.Sedex(), "${dossier}", d.world.Dossier(), "${sftp}", d.world.SFTP(), "${knownHosts}", world.KnownHosts(d.world.Folder()), "${mocks}", d.world.URL(), "${admin}", d.admin).Replace(demoConfig)
	return config.Parse("demo.yaml", []byte(text), adaptersall.Factories())
}

// act plays the plan and shows the proof.
func (d *demo) act(ctx context.Context, plan clerks.Plan) error {
	fmt.Fprintf(d.out, "einmal demo: %d handovers, %d messages, seed %d, faults %s; data in %s\n\n",
		len(plan.Handovers), plan.Steps(), d.seed, map[bool]string{true: "on", false: "off"}[d.faults], d.data)
	if err := d.play(ctx, d.out, plan, d.world.Systems()); err != nil {
		return err
	}
	d.settle(ctx)
	journals, err := d.world.Journals()
	if err != nil {
		return err
	}
	d.showTrace()
	stats := d.gateway.Stats()
	systems := d.world.Systems()
	concluded := d.conclude(d.out, journals, clerks.Check(plan, journals, systems), systems, stats.Parked+stats.Held)
	if d.once {
		return concluded
	}
	d.invite()
	<-ctx.Done()
	return concluded
}

// settle waits until the gateway has nothing open, and then as long as the mocks may still carry something out: a double entry must have its chance.
func (d *demo) settle(ctx context.Context) {
	for range 100 {
		if d.gateway.Stats().Open == 0 {
			break
		}
		pause(ctx, 100*time.Millisecond)
	}
	pause(ctx, time.Second)
}

func pause(ctx context.Context, t time.Duration) {
	select {
	case <-time.After(t):
	case <-ctx.Done():
	}
}

// showTrace prints the way of one message: of those that were recorded, one with the most steps.
func (d *demo) showTrace() {
	best := telemetry.TraceInfo{}
	for _, t := range d.recorder.Traces() {
		if t.Has(telemetry.AttrOutcome, "recorded") && t.Spans > best.Spans {
			best = t
		}
	}
	if best.ID != "" {
		fmt.Fprintf(d.out, "\nThe way of one message, from the native record to the records that it caused:\n%s", d.recorder.Waterfall(best.ID))
	}
}

// invite says what can be played with.
func (d *demo) invite() {
	fmt.Fprintf(d.out, `
Mocks and gateway stay up until Ctrl-C:
  dossier folder     %[4]s: a register, and a document for each note
  desk of a clerk    curl %[1]s/klib/desk/cases?contains=M0001
  journal            curl %[1]s/casenet/control/journal
  health, figures    curl http://%[2]s/readyz http://%[2]s/status
  metrics            curl http://%[2]s/metrics
  parked messages    einmal parked list --admin http://%[2]s
  log                %[3]s
`, d.world.URL(), d.address.Admin, filepath.Join(d.data, "einmal.log"), d.world.Dossier())
}
