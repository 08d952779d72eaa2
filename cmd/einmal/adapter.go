package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/user"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/einmal-hub/einmal/adapters"
	adaptersall "github.com/einmal-hub/einmal/adapters/all"
	"github.com/einmal-hub/einmal/adapters/measure"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/gateway"
	"github.com/einmal-hub/einmal/gateway/config"
	mappingall "github.com/einmal-hub/einmal/mapping/all"
)

func newAdapter() *cobra.Command {
	c := &cobra.Command{Use: "adapter", Short: "Find out what a native system does"}
	c.AddCommand(newVerify())
	return c
}

// verification is what the command line says.
type verification struct {
	gateway.Verification
	file, form, out    string
	system, office     string
	asJSON, onlyIntent bool
}

func newVerify() *cobra.Command {
	v := verification{}
	c := &cobra.Command{
		Use:   "verify --config FILE --system NAME --out RECORD",
		Short: "Measure by experiment in which mode and with which bounds a native system can be used",
		Long: `Write test entries into one configured native system through its own adapter, and find out what it does: with the same reference again, at once and
later; with references that look alike; with requests that are cut at random moments; how soon an entry is found; how late a request is still
executed; whether what comes back is whole and unchanged. The verdict is the best mode (A, B, C) that nothing rules out, with the longest times that were seen.

What will be written, and where, is said first; --dry-run ends there. Every entry says TEST, its reference and case id begin with 7e577e57; a gateway that reads the
system leaves such entries alone. A system that is not configured with test: true is measured only with --yes-write-into-productive.

With --out the result is kept as a verification record. Name it in the configuration (systems.NAME.verified): the gateway then refuses a better mode and
shorter bounds than were measured. A record of a test instance also bears the productive instance of the same type that is configured beside it.

Exit code 0: the system may be used as it is configured. 1: it may not; the findings say what to change. 2: the command line or the configuration is
wrong. 3: the system cannot be reached, or refuses the test form.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return v.run(cmd) },
	}
	f := c.Flags()
	f.StringVarP(&v.file, "config", "c", defaultConfig, "configuration file")
	f.StringVar(&v.system, "system", "", "name of the system in the configuration")
	f.StringVar(&v.office, "organisation", "", "whose dossier is written into (default: the first of the directory that works in the system)")
	f.StringVar(&v.form, "form", "", "file with an application (JSON of application-submitted) to use instead of an invented one")
	f.StringVar(&v.out, "out", "", "file for the verification record")
	f.StringVar(&v.By, "by", "", "who measures (default: the user of this process)")
	f.IntVar(&v.Options.Samples, "samples", 100, "entries whose way into the search is timed")
	f.IntVar(&v.Options.Cuts, "cuts", 30, "requests that are cut at random moments")
	f.IntVar(&v.Options.Parallel, "parallel", 4, "requests at once")
	f.DurationVar(&v.Options.Watch, "watch", 0, "how long late executions are looked for; never shorter than the bounds in mode B (default: twice the bounds)")
	f.DurationVar(&v.Options.Memory, "memory", 0, "how old the first reference is when it is written and searched again (default: as old as it is at the end)")
	f.Uint64Var(&v.Options.Seed, "seed", 0, "seed of references and moments; one that was used on a system before is known there (default: a random one)")
	f.BoolVar(&v.Productive, "yes-write-into-productive", false, "write into a system that is not configured as a test instance")
	f.BoolVar(&v.onlyIntent, "dry-run", false, "say what would be written, and write nothing")
	f.BoolVar(&v.asJSON, "json", false, "print JSON")
	return c
}

func (v *verification) run(cmd *cobra.Command) error {
	m, err := v.prepare()
	if m != nil {
		if err := v.announce(cmd, m.Intents); err != nil {
			return err
		}
	}
	switch {
	case m != nil && v.onlyIntent:
		return nil
	case m != nil && err != nil: // it could, but it may not
		return usageError{err}
	case err != nil:
		return err
	}
	record, err := m.Run(cmd.Context())
	if err != nil {
		v.left(cmd.ErrOrStderr(), record.Report.Written)
		return stopped(cmd.Context(), err)
	}
	if err := v.keep(record); err != nil {
		return err
	}
	if v.asJSON {
		err = printJSON(cmd.OutOrStdout(), record)
	} else {
		err = v.print(cmd.OutOrStdout(), record.Report)
	}
	if err == nil && !record.Report.Fits() {
		return failedError{errors.New("the system may not be used as it is configured")}
	}
	return err
}

// stopped keeps 1 for a verdict: an error is one of the environment unless the command was asked to stop.
func stopped(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return fault.Wrap(fault.Stop, "verify", err)
}

// prepare reads everything that is named.
func (v *verification) prepare() (*gateway.Measurement, error) {
	o := v.Options
	if v.system == "" || o.Samples < 1 || o.Samples > 10_000 || o.Cuts < 1 || o.Cuts > 1000 || o.Parallel < 1 || o.Parallel > 64 || o.Watch < 0 || o.Memory < 0 {
		return nil, usageError{errors.New("name a system with --system; samples are 1 to 10000, cuts 1 to 1000, parallel 1 to 64, and times are not negative")}
	}
	v.System, v.Organisation, v.Program = handover.SystemID(v.system), handover.OrganisationID(v.office), program()
	if err := v.readForm(); err != nil {
		return nil, usageError{err}
	}
	if u, err := user.Current(); err == nil {
		v.By = cmp.Or(v.By, u.Username)
	}
	v.Options.Tell = func(line string) { fmt.Fprintln(os.Stderr, time.Now().Format(time.TimeOnly), line) }
	factories := adaptersall.Factories()
	cfg, err := config.Load(v.file, factories)
	if err != nil {
		return nil, everything(cfg, err)
	}
	mappers, err := mappingall.Mappers()
	if err != nil {
		return nil, err
	}
	m, err := gateway.PrepareVerification(gateway.Options{Config: cfg, Factories: factories, Mappers: mappers, Log: slog.New(slog.DiscardHandler)}, v.Verification)
	if code := fault.CodeOf(err); !isFindings(err) && slices.Contains([]string{"unknown-system", "unknown-organisation", "no-other-agency", "no-form"}, code) {
		return m, usageError{err}
	}
	return m, err
}

func (v *verification) readForm() error {
	if v.form == "" {
		return nil
	}
	b, err := os.ReadFile(v.form)
	if err != nil {
		return err
	}
	p, err := handover.DecodePayload(handover.ApplicationSubmitted{}.Name(), b)
	if err != nil {
		return err
	}
	if form, ok := p.(handover.ApplicationSubmitted); ok {
		v.Form = &form
	}
	return nil
}

// program is the version of einmal, as far as the build knows it.
func program() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "einmal"
	}
	version := "einmal " + info.Main.Version
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && !strings.Contains(version, s.Value[:min(12, len(s.Value))]) {
			version += " " + s.Value
		}
	}
	return version
}

// announce says what will be written, and where. It goes to standard error, beside the result, unless it is the result.
func (v *verification) announce(cmd *cobra.Command, i gateway.Intents) error {
	out := cmd.ErrOrStderr()
	if v.onlyIntent {
		out = cmd.OutOrStdout()
		if v.asJSON {
			return printJSON(out, i)
		}
	}
	kind := "NOT a test instance"
	if i.Test {
		kind = "a test instance"
	}
	fmt.Fprintf(out, "System %s (%s), %s:\n", i.System, i.Type, kind)
	for _, s := range i.Settings {
		fmt.Fprintf(out, "  %s\n", s)
	}
	fmt.Fprintf(out, "At most %d references are written, some up to four times and by intent as double records; %d of them open a case. In the name of %s.\n", i.Entries, i.Cases, i.Organisation)
	fmt.Fprintf(out, "Every text says TEST, every reference and case id begins with 7e577e57. ")
	if i.Marked {
		fmt.Fprintln(out, "Each is marked as a test delivery.")
	} else {
		fmt.Fprintln(out, "They are NOT marked as test deliveries: the system has no word for one, or is no test instance.")
	}
	fmt.Fprintf(out, "Nothing is deleted. The waiting alone takes at least %s.\n\n", time.Duration(i.Least))
	return nil
}

// left says what a measurement that did not come to its end has written.
func (v *verification) left(out io.Writer, w measure.Written) {
	if len(w.References) > 0 {
		fmt.Fprintf(out, "Written before it ended: %d references, the first %s, and %d cases. They can be deleted.\n", len(w.References), w.References[0], len(w.Cases))
	}
}

// keep writes the record, whole or not at all.
func (v *verification) keep(r measure.Record) error {
	if v.out == "" {
		return nil
	}
	b, err := r.Encode()
	if err != nil {
		return err
	}
	draft, err := os.CreateTemp(filepath.Dir(v.out), ".verified-*")
	if err != nil {
		return fault.Wrap(fault.Stop, "verify.record", err)
	}
	defer func() { _ = os.Remove(draft.Name()) }()
	_, err = draft.Write(b)
	if err = errors.Join(err, draft.Sync(), draft.Close()); err == nil {
		err = os.Rename(draft.Name(), v.out)
	}
	return fault.Wrap(fault.Stop, "verify.record", err)
}

func (v *verification) print(out io.Writer, r measure.Report) error {
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "RESULT\tRULES OUT\tEXPERIMENT\tSEEN")
	for _, f := range r.Findings {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", f.Result, modes(f), f.Experiment, f.Saw)
	}
	fmt.Fprintln(w, "\n\tMODE\tREQUEST\tPROCESSING\tLOOKUP\tANSWER")
	for _, line := range []struct {
		name string
		measure.Terms
	}{{"configured", r.Configured}, {"measured", r.Measured}} {
		fmt.Fprintf(w, "%s\t%s", line.name, line.Mode)
		for _, t := range []measure.Span{line.Request, line.Processing, line.Lookup, line.Answer} {
			fmt.Fprintf(w, "\t%s", time.Duration(t).Round(time.Millisecond))
		}
		fmt.Fprintln(w)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(out, "\n%d requests under %d references, %d searches.\n", r.Requests, len(r.Written.References), r.Searches)
	if r.Fits() {
		fmt.Fprintf(out, "The system may be used as it is configured, in mode %s.\n", r.Configured.Mode)
	} else {
		fmt.Fprintln(out, "THE SYSTEM MAY NOT BE USED AS IT IS CONFIGURED:")
	}
	if r.Measured.Mode < r.Configured.Mode { // A is before B
		fmt.Fprintf(out, "It did what mode %s needs, but its adapter does not rely on that.\n", r.Measured.Mode)
	}
	for _, f := range r.Findings {
		if f.Next != "" && (f.Result != measure.Holds || r.Fits()) {
			fmt.Fprintf(out, "- %s: %s\n  -> %s\n", f.Experiment, f.Saw, f.Next)
		}
	}
	return nil
}

// modes are what a finding rules out, in one word.
func modes(f measure.Finding) string {
	words := make([]string, 0, 3)
	for _, m := range f.RulesOut {
		words = append(words, string(m))
	}
	switch {
	case f.Bound != "":
		return "the bound"
	case len(words) == len([]adapters.Mode{adapters.ModeA, adapters.ModeB, adapters.ModeC}):
		return "any use"
	case len(words) == 0:
		return "-"
	}
	return strings.Join(words, ", ")
}
