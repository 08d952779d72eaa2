package main

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/einmal-hub/einmal/gateway/ledger"
	"github.com/einmal-hub/einmal/gateway/receipts"
)

func newLate() *cobra.Command {
	client := &adminClient{}
	var asJSON bool
	c := &cobra.Command{
		Use:   "late",
		Short: "List what has not come in time: cost approvals, review meetings, receipts",
		Long: `List what was to come by a day that is over, the longest overdue first: cost approvals that were not returned, review meetings of which no
note was recorded. The deadlines are those of the jurisdiction profile; einmal itself reminds nobody, that is the agencies' business.

Then list the messages of which nothing is known at a place after the bound of the configuration (receipts.within, and the time within which a doubt settles in that system): their senders have no
receipt. That is the operators' business: the system does not answer, or a gateway does not run.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			late := []ledger.Late{}
			if err := client.do(cmd.Context(), http.MethodGet, "/late", nil, &late); err != nil {
				return err
			}
			waiting := []receipts.Receipt{}
			if err := client.do(cmd.Context(), http.MethodGet, "/receipts/late", nil, &waiting); err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), struct {
					Deadlines []ledger.Late      `json:"deadlines"`
					Receipts  []receipts.Receipt `json:"receipts"`
				}{late, waiting})
			}
			if err := printLate(cmd.OutOrStdout(), late); err != nil || len(waiting) == 0 {
				return err
			}
			fmt.Fprintln(cmd.OutOrStdout(), "\nwithout a receipt:")
			return printReceipts(cmd.OutOrStdout(), waiting, "")
		},
	}
	c.Flags().StringVar(&client.base, "admin", "http://127.0.0.1:8481", "admin address of a running gateway")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func printLate(out io.Writer, late []ledger.Late) error {
	if len(late) == 0 {
		_, err := fmt.Fprintln(out, "nothing is late")
		return err
	}
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "WAS DUE\tDEADLINE\tASSIGNING\tRECEIVING\tSTANDS IN\tCASE")
	for _, l := range late {
		var at []string
		for _, e := range l.Entered {
			at = append(at, string(e.System)+" "+string(e.Case))
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", l.By, l.Deadline, l.Parties.Assigning, l.Parties.Receiving, strings.Join(at, ", "), l.Case)
	}
	return w.Flush()
}
