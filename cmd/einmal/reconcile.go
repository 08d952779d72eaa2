package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	adaptersall "github.com/einmal-hub/einmal/adapters/all"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/gateway/admin"
	"github.com/einmal-hub/einmal/gateway/config"
	"github.com/einmal-hub/einmal/gateway/reconcile"
)

// reconciliation is what the command line says.
type reconciliation struct {
	file, admin string
	systems     []string
	park, json  bool
}

func newReconcile() *cobra.Command {
	var r reconciliation
	c := &cobra.Command{
		Use:   "reconcile --config FILE",
		Short: "Compare the ledger with what stands in the native systems",
		Long: `Compare the ledger with each native system's own list, and say what differs: entries that are missing, extra, double or drifted, and
unknown outcomes that nobody was asked about. What cannot be compared is listed as such, and so is what is too young to be compared.

It reads with connections and credentials of its own (those of the configuration file, which may be another one than the gateway's) and writes
nothing. With --park what was found is put before a person by a running gateway, each difference once; see 'einmal parked list'. When the
configuration leaves the broker to the gateway, the running gateway compares.

Exit code 0: nothing differs. 1: something differs that no person has accepted. 3: a system, the brokers or the gateway cannot be reached.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return r.run(cmd) },
	}
	c.Flags().StringVarP(&r.file, "config", "c", defaultConfig, "configuration file")
	c.Flags().StringSliceVar(&r.systems, "system", nil, "compare only this system; may be repeated")
	c.Flags().BoolVar(&r.json, "json", false, "print JSON")
	c.Flags().BoolVar(&r.park, "park", false, "put what was found before a person")
	c.Flags().StringVar(&r.admin, "admin", "", "admin address of a running gateway (default: that of the configuration)")
	return c
}

func (r *reconciliation) run(cmd *cobra.Command) error {
	cfg, err := config.Load(r.file, adaptersall.Factories())
	if err != nil {
		return everything(cfg, err)
	}
	client := &adminClient{base: r.admin}
	if client.base == "" {
		client.base = "http://" + cfg.Admin
	}
	report, err := r.compare(cmd, cfg, client)
	switch {
	case fault.CodeOf(err) == "unknown-system":
		return usageError{err}
	case err != nil && len(report.Systems) == 0:
		return fault.Wrap(fault.Stop, "reconcile", err) // 1 is for what differs
	}
	asked := err // what was found is shown also when nobody could be asked about it
	if r.json {
		err = printJSON(cmd.OutOrStdout(), report)
	} else {
		err = printReport(cmd.OutOrStdout(), report)
	}
	switch {
	case err != nil:
		return err
	case asked != nil:
		return fault.Wrap(fault.Stop, "reconcile", asked)
	case !report.Complete():
		return fault.New(fault.Stop, "reconcile", "unreadable", "a system cannot be read, so nobody knows whether it differs").Hint("see the systems marked unreadable")
	case report.Differs():
		return failedError{errors.New("ledger and native systems differ")}
	}
	return nil
}

// findingsAtATime keeps a request within what the gateway reads: some hundred kilobytes.
const findingsAtATime = 500

// compare lets the running gateway compare when the broker is its own, and otherwise compares by itself.
func (r *reconciliation) compare(cmd *cobra.Command, cfg config.Config, client *adminClient) (report reconcile.Report, err error) {
	ctx := cmd.Context()
	only := make([]handover.SystemID, len(r.systems))
	for i, s := range r.systems {
		only[i] = handover.SystemID(s)
	}
	if len(cfg.Kafka.Brokers) == 0 {
		fmt.Fprintln(cmd.ErrOrStderr(), "the gateway at "+client.base+" compares")
		err = client.patient(ctx, "/reconciliations", admin.Reconciliation{Systems: only, Park: r.park}, &report)
		return report, err
	}
	g, _, err := newGateway(r.file)
	if err != nil {
		return report, err
	}
	progress, end := newProgress(cmd.ErrOrStderr())
	report, err = g.Compare(ctx, only, progress)
	end()
	if err != nil || !r.park {
		return report, err
	}
	asked := 0
	for part := range slices.Chunk(report.Findings, findingsAtATime) {
		var some admin.Asked
		if err := client.patient(ctx, "/differences", part, &some); err != nil {
			return report, err
		}
		asked += some.New
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "%d new differences wait for a person\n", asked)
	return report, nil
}

// newProgress returns a function that says how far a comparison is, at most twice a second, and one that ends the line.
func newProgress(out io.Writer) (tell func(reconcile.Progress), end func()) {
	ticks := make(chan reconcile.Progress)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		var last time.Time
		for p := range ticks {
			if time.Since(last) >= 500*time.Millisecond {
				last = time.Now()
				fmt.Fprintf(out, "%s: %d records read\n", p.What, p.Count)
			}
		}
	}()
	return func(p reconcile.Progress) { ticks <- p }, func() { close(ticks); <-ended }
}

// patient is do for what takes as long as it takes.
func (a *adminClient) patient(ctx context.Context, path string, in, out any) error {
	return a.send(ctx, http.MethodPost, path, in, out)
}

func printReport(out io.Writer, r reconcile.Report) error {
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprint(w, "SYSTEM\tSTATUS\tIN LEDGER\tIN ITS LIST\tIN FLIGHT\tASKED")
	for _, k := range reconcile.Kinds() {
		fmt.Fprint(w, "\t", strings.ToUpper(string(k)))
	}
	fmt.Fprintln(w, "\tACCEPTED")
	for _, s := range r.Systems {
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%d\t%d", s.System, s.Status, s.Recorded, s.Listed, s.InFlight, s.Asked)
		for _, k := range reconcile.Kinds() {
			fmt.Fprint(w, "\t", s.Findings[k])
		}
		fmt.Fprintln(w, "\t", s.Accepted)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, s := range r.Systems {
		if s.Why != "" {
			fmt.Fprintf(out, "%s: %s: %s; %s\n", s.System, s.Status, s.Why, s.Next)
		}
		if s.Broken > 0 {
			fmt.Fprintf(out, "%s: %d records of its list cannot be read\n", s.System, s.Broken)
		}
	}
	if len(r.Findings) == 0 {
		return nil
	}
	fmt.Fprintln(out)
	fmt.Fprintln(w, "KIND\tSTATE\tSYSTEM\tDOSSIER OF\tBY THE LEDGER\tIN THE SYSTEM\tMESSAGE\tSINCE\tREFERENCE\tWHAT")
	for _, f := range r.Findings {
		since := ""
		if !f.Since.IsZero() {
			since = f.Since.UTC().Format(time.DateTime)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", f.Kind, f.State, f.System, f.Organisation, numbers(f.Ledger), numbers(f.Native), f.Name, since, f.Reference, what(f))
	}
	return w.Flush()
}

func what(f reconcile.Finding) string {
	text := f.Text
	if len(f.Differs) > 0 {
		text += " (" + strings.Join(f.Differs, ", ") + ")"
	}
	return text + "; " + f.Next
}

// numbers lists records by their numbers: "D-2026-000012 E-2026-000345".
func numbers(all []reconcile.Stands) string {
	words := make([]string, len(all))
	for i, s := range all {
		words[i] = strings.TrimSpace(string(s.Case) + " " + string(s.Record))
	}
	if len(words) == 0 {
		return "-"
	}
	return strings.Join(words, ", ")
}
