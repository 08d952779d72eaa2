package tutoris

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	mock "github.com/einmal-hub/einmal/mocks/tutoris"
)

func mockAnswer() (native.Kind, []byte) {
	return mock.Compose(handover.Name("clarification-answered"), facts(7))
}

// newKey makes a key pair: the private one in a file, and the line of the public one.
func newKey(t *testing.T) (path string, public ssh.PublicKey) {
	t.Helper()
	pub, private, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	block, err := ssh.MarshalPrivateKey(private, "")
	require.NoError(t, err)
	path = filepath.Join(t.TempDir(), "key")
	require.NoError(t, os.WriteFile(path, pem.EncodeToMemory(block), 0o600))
	public, err = ssh.NewPublicKey(pub)
	require.NoError(t, err)
	return path, public
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func TestAKeyOpensAsAPasswordDoes(t *testing.T) {
	path, public := newKey(t)
	m, err := mock.New(mock.Options{System: "tutoris", Folder: t.TempDir(), User: "einmal", AuthorizedKey: string(ssh.MarshalAuthorizedKey(public))})
	require.NoError(t, err)
	defer func() { require.NoError(t, m.Close()) }()
	c := defaults()
	c.Address, c.User, c.KeyFile, c.KnownHostsFile = m.Address(), "einmal", path, write(t, "known_hosts", m.KnownHost())
	require.NoError(t, connect(c, time.Now).Ping(t.Context()))
	c.KeyFile, _ = newKey(t)
	requireFault(t, connect(c, time.Now).Ping(t.Context()), fault.Stop, "credentials")
	c.KeyFile = write(t, "no-key", "-----BEGIN")
	requireFault(t, connect(c, time.Now).Ping(t.Context()), fault.Stop, "key-file")
	c.KeyFile = "/nowhere"
	requireFault(t, connect(c, time.Now).Ping(t.Context()), fault.Stop, "credential-file")
}

// A server is never believed because it answers: its key must be known.
func TestAServerWhoseKeyIsNotKnownIsRefusedWithItsFingerprint(t *testing.T) {
	v := open(t)
	_, other := newKey(t)
	require.NoError(t, v.system.Ping(t.Context()))
	line := v.mock.KnownHost()
	key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(line[strings.Index(line, " ")+1:]))
	require.NoError(t, err)
	for code, hosts := range map[string]string{
		"host-key-unknown": knownhosts.Line([]string{"elsewhere.example.org"}, other),
		"host-key-changed": knownhosts.Line([]string{v.mock.Address()}, other),
		"known-hosts":      "no line of known_hosts",
	} {
		system := v.with(t, func(c *Config) { c.KnownHostsFile = write(t, "known_hosts", hosts+"\n") })
		err := system.Ping(t.Context())
		requireFault(t, err, fault.Stop, code)
		if code != "known-hosts" {
			require.ErrorContains(t, err, ssh.FingerprintSHA256(key))
		}
		_, err = system.Sink.Apply(t.Context(), entry("application-submitted", 1, ""))
		requireFault(t, err, fault.Stop, code)
		_, err = system.Source.Read(t.Context(), "", 10)
		requireFault(t, err, fault.Stop, code)
	}
	require.Empty(t, v.names(t, "eingang"))
	system := v.with(t, func(c *Config) { c.KnownHostsFile = "/nowhere" })
	requireFault(t, system.Ping(t.Context()), fault.Stop, "known-hosts")
	revoked := v.with(t, func(c *Config) { c.KnownHostsFile = write(t, "known_hosts", "@revoked "+line+"\n") })
	require.Equal(t, fault.Stop, fault.KindOf(revoked.Ping(t.Context())))
}

// The key files are read with every connection: a password or a host key can be replaced while einmal runs.
func TestCredentialsAreReplacedWhileTheSystemRuns(t *testing.T) {
	v := open(t)
	require.NoError(t, os.WriteFile(v.config.PasswordFile, []byte("wrong"), 0o600))
	requireFault(t, v.system.Ping(t.Context()), fault.Stop, "credentials")
	require.NoError(t, os.WriteFile(v.config.PasswordFile, []byte(password), 0o600))
	require.NoError(t, v.system.Ping(t.Context()))
	require.NoError(t, os.WriteFile(v.config.PasswordFile, nil, 0o600))
	requireFault(t, v.system.Ping(t.Context()), fault.Stop, "credential-file")
}

// What is no SSH server is waited for: it may be a wrong address, or a proxy before a server that restarts.
func TestWhatDoesNotSpeakSSHIsAnErrorWithoutItsWords(t *testing.T) {
	v := open(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = l.Close() }()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = c.Write([]byte("HTTP/1.1 400 " + canary + "\r\n\r\n"))
			_ = c.Close()
		}
	}()
	system := v.with(t, func(c *Config) { c.Address = l.Addr().String() })
	err = system.Ping(t.Context())
	requireFault(t, err, fault.Retry, "handshake")
}
