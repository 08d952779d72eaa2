package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/einmal-hub/einmal/gateway/embedded"
)

func newEngines() *cobra.Command {
	var o embedded.Options
	c := &cobra.Command{
		Use:   "engines --data DIR",
		Short: "Run the embedded broker and Redis as a process of their own",
		Long: `Run the embedded engines (a broker that speaks the Kafka protocol, with its log on disk, and a Redis in memory) as a process of their
own, for tests that kill the gateway or the engines. They are for tests and demonstrations, never for production.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			e, err := embedded.Start(cmd.Context(), o)
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "kafka %v\nredis %s\n", e.Brokers(), e.RedisAddr())
			<-cmd.Context().Done()
			return e.Close()
		},
	}
	c.Flags().StringVar(&o.Dir, "data", "", "folder for the broker's log; empty keeps it in memory")
	c.Flags().StringVar(&o.KafkaAddr, "kafka", "127.0.0.1:9092", "address of the broker")
	c.Flags().StringVar(&o.Advertise, "advertise", "", "address that clients are told to reach the broker at, when a proxy stands in front of it")
	c.Flags().StringVar(&o.RedisAddr, "redis", "127.0.0.1:6379", "address of Redis")
	c.Flags().BoolVar(&o.SyncWrites, "sync", false, "write every record through to the disk (survives a power cut)")
	return c
}
