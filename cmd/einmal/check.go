package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/spf13/cobra"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/gateway"
)

func newCheck() *cobra.Command {
	var file string
	var asJSON bool
	c := &cobra.Command{
		Use:   "check --config FILE",
		Short: "Check a configuration and try every connection",
		Long: `Check a configuration file: every finding at once, each with file, line, path and the next step. If the file is in order, the key
file is verified (and made, when there is none) and every connection is tried: brokers and topics, Redis, each native system.

Exit code 0: everything is in order. 2: the configuration is wrong. 3: something cannot be reached or used.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			out := cmd.OutOrStdout()
			g, _, err := newGateway(file)
			if err != nil {
				return checkFindings(out, err, asJSON)
			}
			return checkProbes(out, file, g.Check(cmd.Context()), asJSON)
		},
	}
	c.Flags().StringVarP(&file, "config", "c", defaultConfig, "configuration file")
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return c
}

// checkFindings shows what is wrong with the file itself.
func checkFindings(out io.Writer, err error, asJSON bool) error {
	var findings fault.Findings
	if asJSON && errors.As(err, &findings) {
		_ = printJSON(out, map[string]any{"ok": false, "findings": findings})
	}
	return err
}

// checkProbes shows what came of every try.
func checkProbes(out io.Writer, file string, probes []gateway.Probe, asJSON bool) error {
	ok := true
	for _, p := range probes {
		ok = ok && p.OK
	}
	if asJSON {
		if err := printJSON(out, map[string]any{"ok": ok, "config": file, "probes": probes}); err != nil {
			return err
		}
	} else {
		printProbes(out, file, probes)
	}
	if !ok {
		return fault.New(fault.Stop, "check", "not-in-order", "something that the gateway needs cannot be used").Hint("see the lines marked FAIL")
	}
	return nil
}

func printProbes(out io.Writer, file string, probes []gateway.Probe) {
	fmt.Fprintf(out, "%-5s %-18s %s\n", "ok", "config", file)
	for _, p := range probes {
		mark := "ok"
		if !p.OK {
			mark = "FAIL"
		}
		fmt.Fprintf(out, "%-5s %-18s %s\n", mark, p.What, p.Detail)
		for _, f := range p.Findings {
			fmt.Fprintf(out, "%-24s %s\n", "", f.String())
		}
		if p.Next != "" {
			fmt.Fprintf(out, "%-24s -> %s\n", "", p.Next)
		}
	}
}

// printJSON writes one JSON object on lines of its own.
func printJSON(out io.Writer, v any) error {
	b, err := json.Marshal(v, jsontext.WithIndent("  "), json.Deterministic(true))
	if err != nil {
		return err
	}
	_, err = out.Write(append(b, '\n'))
	return err
}
