package casenet

import (
	"fmt"
	"time"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/adapters/internal/httpx"
	"github.com/einmal-hub/einmal/contracts/fault"
)

// Config is the configuration of one CASEnet platform.
type Config struct {
	// Config is the address of the platform (without /api), the token, and TLS.
	httpx.Config `yaml:",inline"`
	// Webhook is about the platform's notifications; without it einmal polls only.
	Webhook WebhookConfig `yaml:"webhook"`
	// Bounds are the times within which the platform answers and executes. Lookup is not used: the platform is not searched.
	Bounds adapters.Bounds `yaml:"bounds"`
}

// WebhookConfig says how notifications are verified.
type WebhookConfig struct {
	// KeyFiles name files with one key each, "whsec_..." (HMAC) or "whpk_..." (Ed25519). Any key that holds is enough, so that keys can be
	// rotated: add the new one, change the platform, remove the old one. The files are read for every notification.
	KeyFiles []string `yaml:"keyFiles"`
}

// defaultBounds follow the contract: a request is executed within 60 seconds or not at all.
func defaultBounds() adapters.Bounds {
	return adapters.Bounds{Send: 10 * time.Second, Request: 20 * time.Second, Processing: time.Minute, Margin: 10 * time.Second}
}

// Check returns everything that is wrong with the configuration.
func (c *Config) Check() fault.Findings {
	fs := c.Config.Check()
	if c.TokenFile == "" {
		fs.Add("tokenFile", "missing", "the file with the platform's token is missing", "name a file that holds the token and nothing else")
	}
	if c.Username != "" {
		fs.Add("username", "not-supported", "CASEnet takes a token, no password", "set tokenFile instead of username and passwordFile")
	}
	for i, name := range c.Webhook.KeyFiles {
		if _, err := readKey(name); err != nil {
			fs.Add(fmt.Sprintf("webhook.keyFiles[%d]", i), "webhook-key", fmt.Sprintf("the file %q holds no usable key", name),
				"write one line into it: whsec_ and 24 to 64 bytes in base64, or whpk_ and an Ed25519 public key in base64")
		}
	}
	return append(fs, c.Bounds.Check()...)
}
