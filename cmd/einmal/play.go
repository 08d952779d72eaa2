package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/spf13/cobra"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/mocks/clerks"
	"github.com/einmal-hub/einmal/mocks/world"
)

// playOptions are what 'play' and 'demo' share.
type playOptions struct {
	plan        string
	handovers   int
	seed        int64
	concurrency int
	quiet       time.Duration
	asJSON      bool
}

func (o *playOptions) flags(c *cobra.Command) {
	c.Flags().StringVar(&o.plan, "plan", planDrawn, "what is played: '"+planDrawn+"' (every target group in every direction, and what the rules do not admit, in turns) or '"+planReport+
		"' (the 52 applications of the pilot, which end as its standard report)")
	c.Flags().IntVar(&o.handovers, "handovers", 40, "how many handovers are played; "+planReport+" has its own")
	c.Flags().Int64Var(&o.seed, "seed", 1, "seed of everything that is drawn by chance")
	c.Flags().IntVar(&o.concurrency, "concurrency", 64, "handovers under way at the same time")
	c.Flags().DurationVar(&o.quiet, "quiet", 2*time.Minute, "how long nothing may move before something counts as lost")
	c.Flags().BoolVar(&o.asJSON, "json", false, "print one JSON object as the last line")
}

// The plans that can be played.
const (
	planDrawn  = "drawn"
	planReport = "report-2022"
)

// draw makes the plan.
func (o *playOptions) draw() (clerks.Plan, error) {
	if o.plan == planReport {
		return clerks.ReportPlan(o.seed, world.IDs()...)
	}
	return clerks.NewPlan(o.seed, o.handovers, world.IDs()...)
}

func newPlay() *cobra.Command {
	var o playOptions
	var url string
	c := &cobra.Command{
		Use:   "play --mocks URL",
		Short: "Play handovers in running mocks, and prove from their journals what became of them",
		Long: `Let clerks act in mocks that 'einmal mocks' serves, while a gateway runs between them: handovers of every target group in every direction, from
application to closure, and applications that the rules do not admit. At the end the proof is read from the mocks' own journals.

Exit code 0 only if each message stands exactly once wherever it must, and nothing of a returned application has left.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.check(); err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			plan, err := o.draw()
			if err != nil {
				return err
			}
			systems := world.Systems(url)
			if err := o.play(cmd.Context(), out, plan, systems); err != nil {
				return err
			}
			urls := map[handover.SystemID]string{}
			for id, s := range systems {
				urls[id] = s.URL
			}
			journals, err := clerks.FetchJournals(cmd.Context(), http.DefaultClient, urls)
			if err != nil {
				return fault.New(fault.Stop, "play", "mocks-unreachable", "the mocks' journals cannot be read").Because(err).Hint("run einmal mocks, and name its address with --mocks")
			}
			return o.conclude(out, journals, clerks.Check(plan, journals, systems), systems, 0)
		},
	}
	c.Flags().StringVar(&url, "mocks", "http://127.0.0.1:8490", "address of the mocks")
	o.flags(c)
	return c
}

// check refuses what would prove nothing.
func (o *playOptions) check() error {
	switch {
	case o.plan != planDrawn && o.plan != planReport:
		return usageError{fmt.Errorf("--plan is %s or %s", planDrawn, planReport)}
	case o.handovers < 1:
		return usageError{errors.New("--handovers is at least 1")}
	case o.concurrency < 1:
		return usageError{errors.New("--concurrency is at least 1")}
	case o.quiet < time.Second:
		return usageError{errors.New("--quiet is at least 1s")}
	}
	return nil
}

// play lets the clerks act and shows how far they are.
func (o *playOptions) play(ctx context.Context, out io.Writer, plan clerks.Plan, systems map[handover.SystemID]clerks.System) error {
	last := time.Time{}
	_, err := clerks.Play(ctx, clerks.PlayOptions{
		Plan: plan, Systems: systems, Concurrency: o.concurrency, Quiet: o.quiet,
		Progress: func(p clerks.Progress) {
			if time.Since(last) < 900*time.Millisecond && p.HandoversDone < p.Handovers {
				return
			}
			last = time.Now()
			fmt.Fprintf(out, "  %4d of %d handovers complete, %5d of %d messages entered, %6d records\n",
				p.HandoversDone, p.Handovers, p.Entered, p.Messages, p.Records)
		},
	})
	return err
}

// result is the JSON object at the end.
type result struct {
	clerks.Proof
	Parked int          `json:"parked"`
	Report clerks.Table `json:"report,omitempty"` // as counted
}

// conclude prints the proof and says whether it is one.
func (o *playOptions) conclude(out io.Writer, journals clerks.Journals, proof clerks.Proof, systems map[handover.SystemID]clerks.System, parked int) error {
	fmt.Fprintln(out, "\nThe proof, read from the native systems' own journals:")
	if err := proof.Print(out); err != nil {
		return err
	}
	if parked > 0 {
		fmt.Fprintf(out, "%d messages are parked\n", parked)
	}
	counted, differs, err := o.report(out, journals, systems)
	if err != nil {
		return err
	}
	if o.asJSON {
		b, err := json.Marshal(result{Proof: proof, Parked: parked, Report: counted}, json.Deterministic(true))
		if err != nil {
			return err
		}
		fmt.Fprintln(out, string(b))
	}
	if !proof.Once() || parked > 0 {
		return failedError{fmt.Errorf("not every message stands once wherever it must")}
	}
	if len(differs) > 0 {
		return failedError{fmt.Errorf("the count is not the published report: %s", strings.Join(differs, ", "))}
	}
	return nil
}

// report counts the standard report from the journals and prints it beside the published one, if that is what was played.
func (o *playOptions) report(out io.Writer, journals clerks.Journals, systems map[handover.SystemID]clerks.System) (counted clerks.Table, differs []string, err error) {
	if o.plan != planReport {
		return nil, nil, nil
	}
	want, err := clerks.ReportTable()
	if err != nil {
		return nil, nil, err
	}
	if counted, err = clerks.Count(journals, systems); err != nil {
		return nil, nil, err
	}
	fmt.Fprintln(out, "\nThe standard report, counted from the native systems' own journals, beside the published one (01.10.2018 to 29.11.2022):")
	return counted, counted.Against(want), counted.Print(out, want)
}
