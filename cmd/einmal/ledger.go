package main

import (
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/gateway"
)

func newLedger() *cobra.Command {
	var file string
	var asJSON bool
	c := &cobra.Command{
		Use:   "ledger --config FILE",
		Short: "Compare the ledger with what is remembered of it outside Kafka, and accept a loss",
		Long: `Read the ledger and compare it with what this host's data folder and Redis remember of it. A ledger that ends earlier, lies in another
cluster, belongs to another installation, or in which another record stands where the last one was has lost something: no gateway starts on it.

Nothing is written, except that missing topics are made. With embedded engines the gateway must not run.

Exit code 0: by all that is remembered the ledger is whole. 1: it has lost something. 3: something cannot be reached.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			g, _, err := newGateway(file)
			if err != nil {
				return err
			}
			s, err := g.InspectLedger(cmd.Context())
			if err != nil {
				return err
			}
			if err := showStanding(cmd.OutOrStdout(), s, asJSON); err != nil {
				return err
			}
			if len(s.Findings()) > 0 {
				return failedError{fault.New(fault.Stop, "ledger", "ledger-set-back", "the ledger has lost something")}
			}
			return nil
		},
	}
	c.PersistentFlags().StringVarP(&file, "config", "c", defaultConfig, "configuration file")
	c.PersistentFlags().BoolVar(&asJSON, "json", false, "print one JSON object")
	c.AddCommand(newLedgerAccept(&file, &asJSON))
	return c
}

func newLedgerAccept(file *string, asJSON *bool) *cobra.Command {
	var person, why string
	c := &cobra.Command{
		Use:   "accept --config FILE --why REASON",
		Short: "Say that what the ledger has lost is lost for good: gateways start again, and look first",
		Long: `Write into the ledger that a person knows what it has lost, once, for all gateways. Stop every gateway first.

From then on nothing is believed to be unsent because the ledger does not say it was sent. Native systems are read again from their beginning.
What was entered before, and is not recorded by what is left of the ledger, is

  in mode A  sent under the same reference: the native system refuses or joins a second one
  in mode B  searched by its reference first, when everything under way has come to its end
  in mode C  put before a person, one by one

It is a command and not a setting, because a setting that stays would accept the next loss unseen.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			g, _, err := newGateway(*file)
			if err != nil {
				return err
			}
			s, err := g.AcceptLedger(cmd.Context(), person, why)
			if err != nil {
				return err
			}
			if err := showStanding(cmd.OutOrStdout(), s, *asJSON); err != nil || *asJSON {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), "accepted: start the gateways, then watch 'einmal parked list', and run 'einmal reconcile' when nothing is open any more")
			return err
		},
	}
	c.Flags().StringVar(&why, "why", "", "the reason, for the record (required)")
	c.Flags().StringVar(&person, "person", os.Getenv("USER"), "who accepts it")
	_ = c.MarkFlagRequired("why") // the flag exists
	return c
}

func showStanding(out io.Writer, s gateway.Standing, asJSON bool) error {
	if asJSON {
		return printJSON(out, s)
	}
	name := s.Installation
	if name == "" {
		name = "none yet"
	}
	fmt.Fprintf(out, "ledger     installation %s, cluster %s, %d records, losses accepted: %d\n", name, s.Cluster, s.Records, s.Era)
	if len(s.Witnesses) == 0 {
		fmt.Fprintln(out, "remembered nothing, neither in the data folder nor in Redis")
	}
	for _, w := range s.Witnesses {
		mark := "ok"
		if len(w.Findings) > 0 {
			mark = "LOSS"
		}
		fmt.Fprintf(out, "%-10s %s, written %s\n", mark, w.Witness, w.Mark.At.UTC().Format("2006-01-02 15:04:05Z"))
		for _, f := range w.Findings {
			fmt.Fprintf(out, "%-10s %s: %s\n", "", f.Path, f.Text)
		}
	}
	return nil
}
