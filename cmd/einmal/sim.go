package main

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/spf13/cobra"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/gateway/sim"
)

// simOptions are the flags of 'sim', and what is counted.
type simOptions struct {
	seeds   int
	from    uint64
	mode    string
	crowded bool
	history bool
	asJSON  bool
}

// simSum is the JSON object at the end.
type simSum struct {
	Runs     int      `json:"runs"`
	Bad      []uint64 `json:"bad"` // seeds of runs with findings
	Messages int      `json:"messages"`
	Requests int      `json:"requests"`
	Rulings  int      `json:"rulings"`
	Lives    int      `json:"lives"`
	Virtual  float64  `json:"virtual_h"`
	Elapsed  float64  `json:"elapsed_s"`
}

func newSim() *cobra.Command {
	var o simOptions
	c := &cobra.Command{
		Use:   "sim",
		Short: "Simulate days on which everything goes wrong, in virtual time, and check each",
		Long: `Play the gateway's own intake, ledger, delivery, scheduling and reconciliation in a simulated world: native systems that lose answers and execute late, a
broker that fails and repeats, a Redis that is wiped, gateways that are killed and stopped, operators who rule. A checker that shares no code with the
gateway then reads the native journals: nothing may be lost, recorded twice, out of order or without explanation.

Each seed is one day of a few cases, in virtual time: thousands a minute. A run with findings prints them, and its history; the same seed makes
it again:  einmal sim --from SEED --seeds 1 --history

Exit code 0 only if no run has findings.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.check(); err != nil {
				return err
			}
			return o.run(cmd)
		},
	}
	c.Flags().IntVar(&o.seeds, "seeds", 1000, "how many seeds")
	c.Flags().Uint64Var(&o.from, "from", 1, "first seed")
	c.Flags().StringVar(&o.mode, "mode", "", "mode of every native system: A, B or C; empty draws one for each")
	c.Flags().BoolVar(&o.crowded, "crowded", false, "three gateways work on the same few cases, and something goes wrong every second")
	c.Flags().BoolVar(&o.history, "history", false, "print the history of every run, not only of one with findings")
	c.Flags().BoolVar(&o.asJSON, "json", false, "print one JSON object as the last line")
	return c
}

func (o simOptions) check() error {
	switch {
	case o.seeds < 1:
		return usageError{errors.New("--seeds is at least 1")}
	case o.mode != "" && o.mode != "A" && o.mode != "B" && o.mode != "C":
		return usageError{errors.New("--mode is A, B or C")}
	}
	return nil
}

func (o simOptions) run(cmd *cobra.Command) error {
	out, began, told := cmd.OutOrStdout(), time.Now(), time.Now()
	sum := simSum{Bad: []uint64{}}
	sim.Sweep(cmd.Context(), sim.Options{Seed: o.from, Mode: adapters.Mode(o.mode), Crowded: o.crowded}, o.seeds, func(r sim.Result) bool {
		sum.add(r)
		o.show(out, r, len(sum.Bad))
		if time.Since(told) > 2*time.Second {
			told = time.Now()
			fmt.Fprintf(out, "  %d of %d runs, %d with findings\n", sum.Runs, o.seeds, len(sum.Bad))
		}
		return true
	})
	sum.Elapsed = time.Since(began).Seconds()
	return o.conclude(out, sum)
}

func (s *simSum) add(r sim.Result) {
	s.Runs++
	s.Messages, s.Requests, s.Rulings, s.Lives = s.Messages+r.Messages, s.Requests+r.Requests, s.Rulings+r.Rulings, s.Lives+r.Lives
	s.Virtual += r.Virtual.Hours()
	if len(r.Findings) > 0 {
		s.Bad = append(s.Bad, r.Seed)
	}
}

// show prints the findings of a run, and the history if it was asked for or is the first that explains a finding.
func (o simOptions) show(out io.Writer, r sim.Result, bad int) {
	if o.history || (len(r.Findings) > 0 && bad == 1) {
		for _, line := range r.History {
			fmt.Fprintln(out, line)
		}
	}
	for _, f := range r.Findings {
		fmt.Fprintf(out, "seed %d: %s\n", r.Seed, f)
	}
}

func (o simOptions) conclude(out io.Writer, s simSum) error {
	fmt.Fprintf(out, "%d runs in %.1f s (%.0f a minute, %.0f hours of virtual time): %d messages, %d requests, %d rulings, %d lives of gateways; %d runs with findings\n",
		s.Runs, s.Elapsed, float64(s.Runs)/s.Elapsed*60, s.Virtual, s.Messages, s.Requests, s.Rulings, s.Lives, len(s.Bad))
	if o.asJSON {
		b, err := json.Marshal(s)
		if err != nil {
			return err
		}
		fmt.Fprintln(out, string(b))
	}
	if len(s.Bad) > 0 {
		return failedError{errors.New("runs with findings")}
	}
	return nil
}
