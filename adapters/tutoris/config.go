package tutoris

import (
	"net"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/fault"
)

// Config connects one Tutoris over SFTP.
type Config struct {
	// Address is host and port of the SFTP server, such as "sftp.example.org:22".
	Address string `yaml:"address"`
	// User is the account there.
	User string `yaml:"user"`
	// PasswordFile holds the password, KeyFile a private key in the format of OpenSSH, without a passphrase; one of them. Both are read with every connection.
	PasswordFile string `yaml:"passwordFile"`
	KeyFile      string `yaml:"keyFile"`
	// KnownHostsFile holds the keys of the server in the format of OpenSSH. A server whose key does not stand there is refused.
	KnownHostsFile string `yaml:"knownHostsFile"`
	// Folder holds the five folders of the contract on the server; "." is the folder in which the account begins.
	Folder string `yaml:"folder"`
	// Begin is the first export number that is read; what was entered before it is none of einmal's business.
	Begin uint64 `yaml:"begin"`
	// Settle is how long a file may be missing or half-written before it is put before a person.
	Settle time.Duration `yaml:"settle"`
	// Look is how old may be what was seen in the folder of results: so many waiting entries do not each look there.
	Look time.Duration `yaml:"look"`
	// Bounds are the times within which Tutoris does what it does; answer is how long the result may take.
	Bounds adapters.Bounds `yaml:"bounds"`
}

func defaults() *Config {
	return &Config{Folder: ".", Begin: 1, Settle: 30 * time.Minute, Look: 15 * time.Second, Bounds: adapters.Bounds{
		Send: 5 * time.Second, Request: 20 * time.Second, Margin: time.Minute, Answer: 60 * time.Hour,
	}}
}

// Check returns everything that is wrong with the configuration.
func (c *Config) Check() fault.Findings {
	var fs fault.Findings
	host, port, err := net.SplitHostPort(c.Address)
	if n, notNumber := strconv.Atoi(port); err != nil || host == "" || notNumber != nil || n < 1 || n > 65535 {
		fs.Add("address", "address", "the address is missing or has no host and port", `write host and port, such as "sftp.example.org:22"`)
	}
	if c.User == "" {
		fs.Add("user", "missing", "the account is missing", "write the account that the operator of Tutoris gave")
	}
	if (c.PasswordFile == "") == (c.KeyFile == "") {
		fs.Add("keyFile", "credentials", "there is no key and no password, or both", "set keyFile or passwordFile")
	}
	if c.KnownHostsFile == "" {
		fs.Add("knownHostsFile", "missing", "the file with the keys of the server is missing", "ask the operator for the host key, write it into a file in the format of known_hosts, and name that file")
	}
	if c.Folder == "" || path.Clean(c.Folder) != c.Folder || c.Folder == ".." || strings.HasPrefix(c.Folder, "../") {
		fs.Add("folder", "folder", "the folder is missing, not written plainly, or leads out of the account", `write the folder that holds eingang, archiv, ergebnis, ausgang and dokumente; "." is the one in which the account begins`)
	}
	if c.Begin < 1 {
		fs.Add("begin", "out-of-range", "export numbers begin with 1", "write the first export number that is to be read")
	}
	if c.Settle < time.Second || c.Settle > 24*time.Hour {
		fs.Add("settle", "out-of-range", "the time is shorter than a second or longer than a day", "write how long a file may take to be written, such as 30m")
	}
	if c.Look < 0 || c.Look > time.Hour {
		fs.Add("look", "out-of-range", "the time is negative or longer than an hour", "write how often the results are looked at, such as 15s")
	}
	if c.Bounds.Answer <= 0 {
		fs.Add("bounds.answer", "missing", "Tutoris answers later, but the time for it is missing", "write how long a result may take, nights without a window included, such as 60h")
	}
	return append(fs, c.Bounds.Check()...)
}
