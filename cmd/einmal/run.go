package main

import (
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/spf13/cobra"

	adaptersall "github.com/einmal-hub/einmal/adapters/all"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/gateway"
	"github.com/einmal-hub/einmal/gateway/config"
	"github.com/einmal-hub/einmal/gateway/telemetry"
	mappingall "github.com/einmal-hub/einmal/mapping/all"
)

// defaultConfig is the file that is read when none is named.
const defaultConfig = "einmal.yaml"

func newRun() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use:   "run --config FILE",
		Short: "Run the gateway until SIGTERM",
		Long: `Run the gateway.

Brokers and Redis come from the configuration; what is not set there is started in this process, with its data on disk. The first
SIGTERM or SIGINT lets it finish what is under way, within the configured grace; a second one ends it at once. Either is safe, and
so is kill -9: the next start goes on where it was.`,
		Example: "  einmal mocks --listen 127.0.0.1:8490 --journal /tmp/journals\n  einmal run --config deploy/examples/lucerne.yaml",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			g, log, err := newGateway(file)
			if err != nil {
				return err
			}
			log.Info("einmal is starting", slog.String("config", file))
			if err := g.Run(cmd.Context()); err != nil {
				return err
			}
			log.Info("einmal has stopped")
			return nil
		},
	}
	c.Flags().StringVarP(&file, "config", "c", defaultConfig, "configuration file")
	return c
}

// everything adds what is wrong with profile and directory to what is wrong with the configuration that names them, so that all findings come at once.
func everything(cfg config.Config, err error) error {
	var findings fault.Findings
	if !errors.As(err, &findings) {
		return err
	}
	return fault.Wrap(fault.KindOf(err), "config.load", append(findings, gateway.CheckRules(cfg)...))
}

// newGateway makes the gateway of a configuration file.
func newGateway(file string) (*gateway.Gateway, *slog.Logger, error) {
	factories := adaptersall.Factories()
	cfg, err := config.Load(file, factories)
	if err != nil {
		return nil, nil, everything(cfg, err)
	}
	mappers, err := mappingall.Mappers()
	if err != nil {
		return nil, nil, err
	}
	log := telemetry.NewLogger(os.Stderr, cfg.Log.Level, cfg.Log.Format)
	g, err := gateway.New(gateway.Options{
		Config: cfg, Factories: factories, Mappers: mappers, Log: log,
		Started: func(a gateway.Addresses) {
			log.Info("messages flow", slog.String("notifications", fmt.Sprint(a.Listen)), slog.String("admin", fmt.Sprint(a.Admin)))
		},
	})
	return g, log, err
}
