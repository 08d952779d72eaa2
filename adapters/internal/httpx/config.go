package httpx

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"

	"github.com/einmal-hub/einmal/contracts/fault"
)

// DefaultMaxAnswerBytes is the largest answer that is read unless the configuration says otherwise.
const DefaultMaxAnswerBytes = 4 << 20

// Config is the part of an adapter's configuration that every HTTP interface has. Embed it inline.
type Config struct {
	// URL is the address of the interface: scheme, host, and a path before the interface's own paths if there is one.
	URL string `yaml:"url"`
	// AllowPlainHTTP permits http:// to another machine. To this machine it is always permitted.
	AllowPlainHTTP bool `yaml:"allowPlainHTTP"`
	// TokenFile holds the bearer token. It is read for every request, so that it can be replaced while einmal runs.
	TokenFile string `yaml:"tokenFile"`
	// Username and PasswordFile are for basic authentication, instead of TokenFile. The file is read for every request.
	Username     string `yaml:"username"`
	PasswordFile string `yaml:"passwordFile"`
	// TLS is about https:// only.
	TLS TLS `yaml:"tls"`
	// MaxAnswerBytes is the largest answer that is read; 0 means [DefaultMaxAnswerBytes].
	MaxAnswerBytes int64 `yaml:"maxAnswerBytes"`
}

// TLS says whom the client trusts and how it shows who it is. TLS 1.2 is the least; verification cannot be switched off.
type TLS struct {
	// CAFile holds the only certificate authorities that are trusted (PEM). Empty: those of the machine.
	CAFile string `yaml:"caFile"`
	// CertFile and KeyFile are the client's certificate and key (PEM). They are read for every handshake.
	CertFile string `yaml:"certFile"`
	KeyFile  string `yaml:"keyFile"`
	// ServerName is the name that the certificate must carry, if it is not the host of the URL.
	ServerName string `yaml:"serverName"`
}

// Check returns everything that is wrong with the configuration, files that cannot be read included.
func (c Config) Check() fault.Findings {
	var fs fault.Findings
	c.checkURL(&fs)
	c.checkCredentials(&fs)
	c.TLS.check(&fs)
	if c.MaxAnswerBytes < 0 || c.MaxAnswerBytes > 1<<30 {
		fs.Add("maxAnswerBytes", "out-of-range", "the largest answer lies between 1 byte and 1 GiB", "leave it out for 4 MiB")
	}
	return fs
}

func (c Config) checkURL(fs *fault.Findings) {
	if c.URL == "" {
		fs.Add("url", "missing", "the address of the interface is missing", "set it, such as https://klib.example")
		return
	}
	u, err := url.Parse(c.URL)
	switch {
	case err != nil || u.Hostname() == "" || (u.Scheme != "https" && u.Scheme != "http") || !ascii(u.Host):
		fs.Add("url", "url", "the address is not an http or https URL with an ASCII host", "set it, such as https://klib.example")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		fs.Add("url", "url", "the address holds a user, a query or a fragment", "name credentials in their own fields; leave the rest out")
	case u.Scheme == "http" && !loopback(u.Hostname()) && !c.AllowPlainHTTP:
		fs.Add("url", "plain-http", "the address is not encrypted and leads to another machine", "use https, or set allowPlainHTTP if the line is protected otherwise")
	}
}

func (c Config) checkCredentials(fs *fault.Findings) {
	if c.TokenFile != "" && (c.Username != "" || c.PasswordFile != "") {
		fs.Add("tokenFile", "two-credentials", "a token and a password are both set", "set only one of them")
	}
	if (c.Username == "") != (c.PasswordFile == "") {
		fs.Add("username", "missing", "user name and password file belong together", "set both or none")
	}
	readable(fs, "tokenFile", c.TokenFile)
	readable(fs, "passwordFile", c.PasswordFile)
}

func (t TLS) check(fs *fault.Findings) {
	if (t.CertFile == "") != (t.KeyFile == "") {
		fs.Add("tls.certFile", "missing", "client certificate and key belong together", "set certFile and keyFile, or none")
	}
	readable(fs, "tls.caFile", t.CAFile)
	readable(fs, "tls.certFile", t.CertFile)
	readable(fs, "tls.keyFile", t.KeyFile)
}

// readable adds a finding unless the file can be opened; an empty name means "not set".
func readable(fs *fault.Findings, path, name string) {
	if name == "" {
		return
	}
	if info, err := os.Stat(name); err != nil || info.IsDir() {
		fs.Add(path, "file", fmt.Sprintf("the file %q cannot be read", name), "correct the name, or let einmal's user read it")
	}
}

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// hostport returns the only address that a client of this URL may connect to.
func hostport(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return net.JoinHostPort(u.Hostname(), port)
}
