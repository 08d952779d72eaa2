package main

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/einmal-hub/einmal/gateway/receipts"
)

func newReceipts() *cobra.Command {
	client := &adminClient{}
	var caseID, organisation, number, since string
	var outcomes []string
	var asJSON bool
	c := &cobra.Command{
		Use:   "receipts",
		Short: "List what has become of messages, at each place where they must stand",
		Long: `List what has become of messages, at each place where they must stand: recorded under a number, returned by the rules, parked with a question, held behind another message, dropped
by a person, or pending. It is read from the ledger at the moment of asking. The organisations that the configuration names below receipts.senders read the same of their own messages
at the address that native systems reach (deploy/README.md).`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			q, err := receiptsQuery(map[string]string{"case": caseID, "organisation": organisation, "number": number}, since, outcomes, time.Now())
			if err != nil {
				return err
			}
			all := []receipts.Receipt{}
			for more := true; more; {
				var page receipts.Page
				if err := client.do(cmd.Context(), http.MethodGet, "/receipts?"+q.Encode(), nil, &page); err != nil {
					return err
				}
				all, more = append(all, page.Receipts...), page.More
				q.Set("after", page.Next)
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), all)
			}
			return printReceipts(cmd.OutOrStdout(), all, "no receipts")
		},
	}
	f := c.Flags()
	f.StringVar(&client.base, "admin", "http://127.0.0.1:8481", "admin address of a running gateway")
	f.StringVar(&caseID, "case", "", "of one case, by einmal's id of it")
	f.StringVar(&organisation, "organisation", "", "of the messages of one organisation, by its id in the directory")
	f.StringVar(&number, "number", "", "of a record or a case, by its number in a native system, on either side")
	f.StringVar(&since, "since", "", "that have become so since a time (2026-03-02T08:30:00Z), or in a time until now (24h)")
	f.StringSliceVar(&outcomes, "outcome", nil, "only these: pending, recorded, returned, parked, held, withdrawn")
	f.BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

// receiptsQuery is what is asked of the gateway.
func receiptsQuery(filters map[string]string, since string, outcomes []string, now time.Time) (url.Values, error) {
	q := url.Values{}
	for name, value := range filters {
		if value != "" {
			q.Set(name, value)
		}
	}
	for _, o := range outcomes {
		q.Add("outcome", strings.ToUpper(o))
	}
	if since == "" {
		return q, nil
	}
	at, err := time.Parse(time.RFC3339, since)
	if err != nil {
		ago, err := time.ParseDuration(since)
		if err != nil || ago < 0 {
			return nil, usageError{fmt.Errorf("--since %q is neither a time such as 2026-03-02T08:30:00Z nor a duration such as 24h", since)}
		}
		at = now.Add(-ago)
	}
	q.Set("since", at.UTC().Format(time.RFC3339))
	return q, nil
}

func printReceipts(out io.Writer, all []receipts.Receipt, none string) error {
	if len(all) == 0 {
		_, err := fmt.Fprintln(out, none)
		return err
	}
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "SINCE\tSENDER\tENTERED IN\tMESSAGE\tAT\tOUTCOME\tAS\tCASE\tWHY")
	for _, r := range all {
		name := string(r.Name)
		if r.Action != "" {
			name += " (" + string(r.Action) + ")"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", r.Since.Format(time.DateTime), r.Sender, enteredAs(r), name, r.At, r.Outcome,
			strings.TrimSpace(string(r.RecordCase)+" "+string(r.Record)), r.Case, why(r))
	}
	return w.Flush()
}

// enteredAs says where a person finds what was entered.
func enteredAs(r receipts.Receipt) string {
	words := []string{string(r.Entered.System), string(r.Entered.Case), string(r.Entered.Record)}
	if r.Entered.Record == "" && r.Entry > 0 {
		words[2] = fmt.Sprintf("entry %d", r.Entry)
	}
	return strings.Join(slices.DeleteFunc(words, func(w string) bool { return w == "" }), " ")
}

// why says what a person is asked, and what a person has decided.
func why(r receipts.Receipt) string {
	var words []string
	if r.Reason != nil {
		words = append(words, r.Reason.Code+": "+r.Reason.Text)
	}
	if r.By != nil {
		words = append(words, strings.ToLower(string(r.By.Verdict))+" by "+r.By.Person+": "+r.By.Why)
	}
	return strings.ReplaceAll(strings.Join(words, "; "), "\n", " | ")
}
