package avam

import (
	"time"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/adapters/internal/httpx"
	"github.com/einmal-hub/einmal/contracts/fault"
)

// Config connects one AVAM. The URL is the address of the SOAP service; username and passwordFile are its credentials.
type Config struct {
	httpx.Config `yaml:",inline"`
	// Bounds are the times within which this AVAM does what it does. processing and lookup may not be shorter than what was measured there.
	Bounds adapters.Bounds `yaml:"bounds"`
}

// Defaults: the contract's bounds for processing and lookup, and the client's own for the rest.
func defaults() *Config {
	return &Config{Bounds: adapters.Bounds{
		Send: 5 * time.Second, Request: 15 * time.Second, Processing: 30 * time.Second, Lookup: 30 * time.Second, Margin: 5 * time.Second,
	}}
}

// Check returns everything that is wrong with the configuration.
func (c *Config) Check() fault.Findings {
	fs := c.Config.Check()
	if c.Username == "" && c.PasswordFile == "" {
		fs.Add("username", "missing", "AVAM demands basic authentication", "set username and passwordFile")
	}
	return append(fs, c.Bounds.Check()...)
}
