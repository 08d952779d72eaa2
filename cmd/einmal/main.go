// Command einmal is the gateway and everything that belongs to it: run, check, demo, mocks, play, engines, parked, late, reconcile, ledger, sim, adapter.
//
// This package knows flags, signals, exit codes and what is printed, and nothing else; the process itself is package gateway. One file a subcommand.
// Exit codes: 0 ok, 1 failed, 2 wrong usage or configuration, 3 the environment (files, network, brokers) does not allow it.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/gateway/claims"
)

func main() { os.Exit(run(os.Args[1:])) }

// Exit codes.
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 2
	exitEnvironment = 3
)

// run executes one command. The first SIGINT or SIGTERM ends its context, so that it drains; after that the signals have their usual effect, so
// that a second one ends the process at once.
func run(args []string) int {
	ctx, stop := untilSignal(context.Background())
	defer stop()
	claims.Quiet()
	root := newRoot()
	root.SetArgs(args)
	return exitCode(root.ExecuteContext(ctx))
}

// untilSignal returns a context that the first SIGINT or SIGTERM ends. By then the signals have their usual effect again; with signal.NotifyContext one that came in between would be swallowed, and
// whoever cannot wait would wait for the whole grace.
func untilSignal(parent context.Context) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancel(parent)
	came, ended := make(chan os.Signal, 2), make(chan struct{})
	signal.Notify(came, os.Interrupt, syscall.SIGTERM)
	go func() {
		defer close(ended)
		select {
		case <-came:
		case <-ctx.Done():
		}
		signal.Stop(came)
		cancel()
		select {
		case again := <-came:
			if self, err := os.FindProcess(os.Getpid()); err == nil {
				_ = self.Signal(again) // to ourselves: nothing can be said of a failure that the grace does not say
			}
		default:
		}
	}()
	return ctx, func() { cancel(); <-ended }
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "einmal",
		Short: "Record a handover once; einmal writes it, exactly once, into every system that must know it",
		Long: `einmal ("once") is a gateway between the IT systems of agencies that hand cases over to each other.

Start with 'einmal demo': it plays handovers between mock systems in one process and proves, from the systems' own
journals, that each was recorded once in each system.`,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(newDemo(), newRun(), newCheck(), newMocks(), newPlay(), newEngines(), newParked(), newLate(), newReceipts(), newReconcile(), newLedger(), newSim(), newAdapter())
	mark(root)
	return root
}

// ranError is an error of a command that began. What fails before one begins is a wrong command line: an unknown command, a missing flag, an argument too many.
type ranError struct{ error }

func (e ranError) Unwrap() error { return e.error }

// mark makes a command and all below it mark their errors.
func mark(c *cobra.Command) {
	if run := c.RunE; run != nil {
		c.RunE = func(cmd *cobra.Command, args []string) error {
			if err := run(cmd, args); err != nil {
				return ranError{err}
			}
			return nil
		}
	}
	for _, below := range c.Commands() {
		mark(below)
	}
}

// usageError is a wrong command line.
type usageError struct{ error }

// failedError is a result that was printed already: the work was done and its result is "no".
type failedError struct{ error }

// exitCode prints an error, once, and says how the process ends.
func exitCode(err error) int {
	var ran ranError
	var usage usageError
	var failed failedError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &failed):
		return exitFailed
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(os.Stderr, "einmal: stopped before the end")
		return exitFailed
	}
	report(err)
	switch {
	case !errors.As(err, &ran), errors.As(err, &usage):
		return exitUsage
	case isFindings(err):
		return exitUsage
	case fault.KindOf(err) == fault.Stop, fault.KindOf(err) == fault.Retry:
		return exitEnvironment
	default:
		return exitFailed
	}
}

func isFindings(err error) bool {
	var findings fault.Findings
	return errors.As(err, &findings)
}

// report writes an error for a person: every finding on a line of its own, then what to do.
func report(err error) {
	var findings fault.Findings
	if errors.As(err, &findings) {
		for _, f := range findings {
			fmt.Fprintln(os.Stderr, f.String())
		}
		return
	}
	fmt.Fprintln(os.Stderr, "einmal: "+err.Error())
}
