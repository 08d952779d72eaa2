package osiv

import (
	"path/filepath"
	"regexp"
	"time"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/fault"
)

// Config connects one OSIV through one sedex client.
type Config struct {
	// Folder is the base of the sedex interface: outbox, inbox, receipts and processed lie below it. An absolute path.
	Folder string `yaml:"folder"`
	// Sender and Recipient are the sedex participants of this side and of the IV office, such as "T3-CH-1".
	Sender    string `yaml:"sender"`
	Recipient string `yaml:"recipient"`
	// MessageType is the sedex message type that both are registered for.
	MessageType int `yaml:"messageType"`
	// Settle is how long a half-written or single file may wait in the inbox before it is put before a person. Pairs that came together with it, or later, wait as long: it may come before them.
	Settle time.Duration `yaml:"settle"`
	// Bounds are the times within which carrier and OSIV do what they do; answer is how long the business report may take.
	Bounds adapters.Bounds `yaml:"bounds"`
}

func defaults() *Config {
	return &Config{Settle: 10 * time.Minute, Bounds: adapters.Bounds{
		Send: 5 * time.Second, Request: 20 * time.Second, Margin: time.Minute, Answer: 72 * time.Hour,
	}}
}

// participant is the form of a sedex participant id (eCH-0090).
const participant = `^(T?[1-9]-[0-9A-Z]+-[0-9]+|T?0-sedex-[0-9])$`

// Check returns everything that is wrong with the configuration.
func (c *Config) Check() fault.Findings {
	var fs fault.Findings
	if !filepath.IsAbs(c.Folder) {
		fs.Add("folder", "missing", "the base of the sedex interface is missing or not an absolute path", "write the folder that holds outbox, inbox, receipts and processed")
	}
	form := regexp.MustCompile(participant)
	for _, p := range []struct{ path, id string }{{"sender", c.Sender}, {"recipient", c.Recipient}} {
		if !form.MatchString(p.id) {
			fs.Add(p.path, "participant", "the value is not a sedex participant id", "write the id as the operator of sedex gave it, such as 3-CH-1")
		}
	}
	if c.Sender == c.Recipient && c.Sender != "" {
		fs.Add("recipient", "same-participant", "sender and recipient are the same participant", "write the participant id of the IV office")
	}
	if c.MessageType < 1 || c.MessageType > 2699999 {
		fs.Add("messageType", "out-of-range", "a sedex message type lies between 1 and 2699999", "write the message type that both participants are registered for")
	}
	if c.Settle < time.Second || c.Settle > 24*time.Hour {
		fs.Add("settle", "out-of-range", "the time is shorter than a second or longer than a day", "write how long a file may take to be written, such as 10m")
	}
	if c.Bounds.Answer <= 0 {
		fs.Add("bounds.answer", "missing", "OSIV answers later, but the time for it is missing", "write how long a business report may take, such as 72h")
	}
	return append(fs, c.Bounds.Check()...)
}
