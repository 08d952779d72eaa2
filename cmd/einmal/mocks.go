package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/mocks/core"
	"github.com/einmal-hub/einmal/mocks/world"
)

// mockCredentials are what the mocks demand. They are published in deploy/examples/mock-secrets, where the sample configuration takes them from.
func mockCredentials() world.Credentials {
	return world.Credentials{
		KLIBToken: "mock-klib-token", AVAMUsername: "einmal", AVAMPassword: "mock-avam-password", CASEnetToken: "mock-casenet-token",
		TutorisUser: "einmal", TutorisPassword: "mock-tutoris-password",
		WebhookKeys: []string{"whsec_" + mockWebhookSecret},
	}
}

const mockWebhookSecret = "swfbKm1bJiJvrhMUb3eMnNTCh7fuJauiGxOxZ9VjGho="

func newMocks() *cobra.Command {
	o := world.Options{Credentials: mockCredentials()}
	var faults bool
	var seed int64
	c := &cobra.Command{
		Use:   "mocks --listen ADDR --journal DIR",
		Short: "Run the mock native systems: klib, tutoris, avam, osiv, ivdossier and casenet",
		Long: `Run mock native systems that follow contracts/native to the letter. Each keeps a journal of every record, written through to the disk before it
answers; the journals are the truth of every test. What a clerk does in a system is under /<system>/desk/, faults are under /<system>/control/.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.Dir == "" {
				return usageError{fmt.Errorf("name a folder for the journals with --journal")}
			}
			if err := os.MkdirAll(o.Dir, 0o700); err != nil {
				return fault.Wrap(fault.Stop, "mocks", err)
			}
			if faults {
				o.Faults = world.BadDay(seed)
			} else {
				o.Faults = core.Faults{Seed: seed}
			}
			return serveMocks(cmd, o)
		},
	}
	c.Flags().StringVar(&o.Listen, "listen", "127.0.0.1:8490", "address")
	c.Flags().StringVar(&o.SFTP, "sftp", "127.0.0.1:8491", "address of the SFTP server of tutoris")
	c.Flags().StringVar(&o.Dir, "journal", "", "folder for the journals, and for the files of osiv, tutoris and ivdossier; what is there is read back")
	c.Flags().StringVar(&o.WebhookURL, "webhook", "http://127.0.0.1:8480/webhooks/casenet", "where casenet sends its notifications")
	c.Flags().BoolVar(&faults, "faults", false, "repeat events, lose answers, fail and be slow")
	c.Flags().Int64Var(&seed, "seed", 1, "seed of the faults")
	return c
}

// serveMocks runs until the command's context ends.
func serveMocks(cmd *cobra.Command, o world.Options) error {
	w, err := world.Start(cmd.Context(), o)
	if err != nil {
		return fault.Wrap(fault.Stop, "mocks", err)
	}
	for _, id := range world.IDs() {
		fmt.Fprintf(cmd.OutOrStdout(), "%-8s %s\n", id, w.URLs()[id])
	}
	fmt.Fprintf(cmd.OutOrStdout(), "%-8s %s\n%-8s %s\n%-8s %s, host key in %s\n", "sedex", w.Sedex(), "dossier", w.Dossier(), "sftp", w.SFTP(), world.KnownHosts(w.Folder()))
	select {
	case <-cmd.Context().Done():
	case <-w.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(cmd.Context()), 10*time.Second)
	defer cancel()
	return w.Stop(grace)
}
