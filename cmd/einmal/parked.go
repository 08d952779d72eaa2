package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/spf13/cobra"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/gateway/ledger"
	"github.com/einmal-hub/einmal/gateway/parked"
)

// adminClient talks to the admin address of a running gateway.
type adminClient struct{ base string }

func newParked() *cobra.Command {
	client := &adminClient{}
	c := &cobra.Command{
		Use:   "parked",
		Short: "See the messages that wait for a person, and decide about them",
	}
	c.PersistentFlags().StringVar(&client.base, "admin", "http://127.0.0.1:8481", "admin address of a running gateway")
	c.AddCommand(newParkedList(client),
		newParkedRule(client, ledger.Retry, "retry ID", "Let a message go on: it is admitted, or sent once more"),
		newParkedRule(client, ledger.Found, "found ID --record NUMBER", "Say that the record stands in the native system, under this number"),
		newParkedRule(client, ledger.Withdraw, "withdraw ID", "Drop a message; its receipt says so, and why; tell a sender that reads none yourself"),
		newParkedRule(client, ledger.Accept, "accept ID", "Leave a difference between ledger and native system as it is"),
	)
	return c
}

func newParkedList(client *adminClient) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "list",
		Short: "List what waits, the longest waiting first",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var items []parked.Item
			if err := client.do(cmd.Context(), http.MethodGet, "/parked", nil, &items); err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), items)
			}
			return printParked(cmd.OutOrStdout(), items)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func printParked(out io.Writer, items []parked.Item) error {
	if len(items) == 0 {
		_, err := fmt.Fprintln(out, "nothing waits")
		return err
	}
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tSTATUS\tSINCE\tENTERED IN\tDESTINATION\tMESSAGE\tCASE\tREASON")
	for _, it := range items {
		reason := it.Reason.Code + ": " + it.Reason.Text
		if it.Reason.Next != "" {
			reason += "; " + it.Reason.Next
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", it.ID, it.Status, it.Since.Format(time.DateTime), entered(it), it.Destination, it.Name, it.Case,
			strings.ReplaceAll(reason, "\n", " | "))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	printRulings(out, items)
	return nil
}

// printRulings says once for each kind of difference that waits what can be decided about it, and what that would do.
func printRulings(out io.Writer, items []parked.Item) {
	shown := map[string]bool{}
	for _, it := range items {
		if it.Difference == nil {
			continue
		}
		title := fmt.Sprint("rulings on a difference of the kind ", it.Difference.Kind)
		if !it.Difference.Announced {
			title += " whose reference the ledger does not have"
		}
		if shown[title] {
			continue
		}
		shown[title] = true
		fmt.Fprintln(out, "\n"+title)
		for _, p := range it.Rulings {
			fmt.Fprintf(out, "  %-8s %s\n", strings.ToLower(string(p.Verdict)), p.Effect)
		}
	}
}

// entered says where a person finds what was entered: "klib D-2026-000012 E-2026-000345", or by its place in the case when its number is not known.
func entered(it parked.Item) string {
	words := []string{string(it.Entered.System), string(it.Entered.Case), string(it.Entered.Record)}
	if it.Entered.Record == "" && it.Sequence > 0 {
		words[2] = fmt.Sprintf("entry %d", it.Sequence)
	}
	return strings.Join(slices.DeleteFunc(words, func(w string) bool { return w == "" }), " ")
}

func newParkedRule(client *adminClient, verdict ledger.Verdict, use, short string) *cobra.Command {
	r := parked.Ruling{Verdict: verdict, Person: os.Getenv("USER")}
	var record, nativeCase string
	c := &cobra.Command{
		Use:   use,
		Short: short,
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			r.Record, r.Case = native.RecordID(record), native.CaseKey(nativeCase)
			return client.do(cmd.Context(), http.MethodPost, "/parked/"+url.PathEscape(args[0])+"/rulings", r, nil)
		},
	}
	c.Flags().StringVar(&r.Why, "why", "", "the reason, for the record and for the sender's receipt; nothing about a person (required)")
	c.Flags().StringVar(&r.Person, "person", r.Person, "who decides")
	_ = c.MarkFlagRequired("why") // the flag exists
	if verdict == ledger.Found {
		c.Flags().StringVar(&record, "record", "", "number of the record in the native system (required)")
		c.Flags().StringVar(&nativeCase, "case", "", "number of the case there, when the message opened it")
		_ = c.MarkFlagRequired("record") // the flag exists
	}
	return c
}

// do makes one request and reads the answer into out, or the problem into an error.
func (a *adminClient) do(ctx context.Context, method, path string, in, out any) error {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	return a.send(ctx, method, path, in, out)
}

// send is do without a limit of time.
func (a *adminClient) send(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, a.base+path, body)
	if err != nil {
		return usageError{err}
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fault.New(fault.Stop, "parked", "gateway-unreachable", "no gateway answers at this admin address").Because(err).Hint("name it with --admin")
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(io.LimitReader(resp.Body, 256<<20))
	if err != nil {
		return err
	}
	if resp.StatusCode >= http.StatusMultipleChoices {
		return problemOf(b)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(b, out)
}

func problemOf(b []byte) error {
	var p struct {
		Code, Detail, Next string
	}
	if err := json.Unmarshal(b, &p, json.MatchCaseInsensitiveNames(true)); err != nil {
		return errors.New("the gateway answered with an error that is not a problem description")
	}
	return fault.New(fault.Refuse, "parked", p.Code, p.Detail).Hint(p.Next)
}
