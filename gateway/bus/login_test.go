package bus_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"testing"
	"time"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/gateway/bus"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kfake"
)

// identity returns a server's and a client's TLS configuration for 127.0.0.1.
func identity(t *testing.T) (server, client *tls.Config) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	cert := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, cert, cert, key.Public(), key)
	require.NoError(t, err)
	parsed, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	roots := x509.NewCertPool()
	roots.AddCert(parsed)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, &tls.Config{RootCAs: roots}
}

// Fault 21.
func TestLoginsWorkOverTLS(t *testing.T) {
	for _, mechanism := range []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"} {
		t.Run(mechanism, func(t *testing.T) {
			server, client := identity(t)
			br := startBroker(t, kfake.EnableSASL(), kfake.Superuser(mechanism, "gate", "geheim"), kfake.TLS(server))
			c := br.config()
			c.TLS, c.SASL = client, bus.SASL{Mechanism: mechanism, User: "gate", Password: "geheim"}
			b := open(t, c, bus.Watch{})
			publish(t, b, b.Topics().Handover, "case", "x")

			c.SASL.Password = "falsch"
			_, err := bus.Open(t.Context(), c, bus.Watch{})
			require.Error(t, err)
			require.ErrorContains(t, err, "login")
			require.NotContains(t, err.Error(), "falsch")
			require.Contains(t, []fault.Kind{fault.Stop, fault.Retry}, fault.KindOf(err))
		})
	}
}
