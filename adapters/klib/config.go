package klib

import (
	"time"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/adapters/internal/httpx"
	"github.com/einmal-hub/einmal/contracts/fault"
)

// maxPageSize is the largest page that the contract knows.
const maxPageSize = 500

// Config is the configuration of one KLIB.
type Config struct {
	// Config is the address of the system (without /api), the token, and TLS.
	httpx.Config `yaml:",inline"`
	// PageSize is the most entries that are asked for at once, 1 to 500.
	PageSize int `yaml:"pageSize"`
	// Bounds are the times within which the system answers, executes and can be searched. The promise "recorded once" rests on them:
	// processing and lookup may not be shorter than what the system announces in its status, and were better measured.
	Bounds adapters.Bounds `yaml:"bounds"`
}

func defaults() *Config {
	return &Config{PageSize: 100, Bounds: adapters.Bounds{
		Send: 5 * time.Second, Request: 15 * time.Second, Processing: 30 * time.Second, Lookup: 10 * time.Second, Margin: 5 * time.Second,
	}}
}

// Check returns everything that is wrong with the configuration.
func (c *Config) Check() fault.Findings {
	fs := c.Config.Check()
	if c.TokenFile == "" {
		fs.Add("tokenFile", "missing", "the file with the system's token is missing", "name a file that holds the token and nothing else")
	}
	if c.Username != "" {
		fs.Add("username", "not-supported", "KLIB takes a token, no password", "set tokenFile instead of username and passwordFile")
	}
	if c.PageSize < 1 || c.PageSize > maxPageSize {
		fs.Add("pageSize", "out-of-range", "a page has 1 to 500 entries", "leave it out for 100")
	}
	return append(fs, c.Bounds.Check()...)
}
