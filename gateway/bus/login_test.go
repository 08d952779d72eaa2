package bus_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"math/big"
	"net"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/gateway/bus"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
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

// logins lets a broker answer as Apache Kafka does to a login that has expired, or that somebody has taken away: it is asked for again within a session's lifetime, and refused with words.
type logins struct {
	refuse  atomic.Bool
	refused atomic.Int64
}

func (l *logins) guard(c *kfake.Cluster) {
	c.ControlKey(kmsg.SASLAuthenticate.Int16(), func(req kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		if !l.refuse.Load() {
			return nil, nil, false
		}
		l.refused.Add(1)
		answer := req.ResponseKind().(*kmsg.SASLAuthenticateResponse)
		answer.ErrorCode = kerr.SaslAuthenticationFailed.Code
		return answer, nil, true
	})
}

// A login at the brokers expires while everything works: nothing ends, somebody is told that it is the login, nothing that is published meanwhile counts as refused, and when the login is right again
// everything goes on where it was.
// Fault 21.
func TestALoginThatExpiresIsWaitedOut(t *testing.T) {
	br := startBroker(t, kfake.EnableSASL(), kfake.Superuser("SCRAM-SHA-256", "gate", "geheim"), kfake.BrokerConfigs(map[string]string{"connections.max.reauth.ms": "400"}))
	var login logins
	login.guard(br.cluster)
	config := br.config()
	config.SASL = bus.SASL{Mechanism: "SCRAM-SHA-256", User: "gate", Password: "geheim"}
	var told bag[error]
	b := open(t, config, bus.Watch{Trouble: told.add})
	about := func(op string) bool {
		return slices.ContainsFunc(told.list(), func(err error) bool {
			e := new(fault.Error)
			return errors.As(err, &e) && e.Op == op && e.Code == "forbidden"
		})
	}
	all := spread(t, b, 0, 9)
	var consumed bag[bus.Record]
	var tailed bag[string]
	c := consume(t, b, keep(&consumed))
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- b.Tail(ctx, b.Topics().Handover, 0, bus.Oldest, func(r bus.Record) error { tailed.add(string(r.Value)); return nil })
	}()
	consumed.await(t, 9)
	tailed.await(t, 3)

	login.refuse.Store(true)
	require.Eventually(t, func() bool { return about("bus.consume") && about("bus.tail") }, patience, tick, "nobody is told that the login is refused")
	lasting, give := context.WithCancel(t.Context())
	published := make(chan error, 1)
	go func() {
		_, err := b.Publish(lasting, b.Topics().Handover, 0, "case", nil, []byte("meanwhile"))
		published <- err
	}()
	more := login.refused.Load() + 20
	require.Eventually(t, func() bool { return login.refused.Load() >= more }, patience, tick, "it is not tried again")
	give()
	if err := <-published; err != nil {
		require.Contains(t, []fault.Kind{fault.Doubt, fault.Retry}, fault.KindOf(err), "to be published again")
	}
	require.Empty(t, c.ended, "the group has given up")
	require.Empty(t, ended, "the tail has given up")

	login.refuse.Store(false)
	all = append(all, spread(t, b, 9, 9)...)
	require.Eventually(t, func() bool { return subset(valuesOf(consumed.list()), all) }, patience, tick)
	require.Eventually(t, func() bool { return subset(tailed.list(), []string{"0", "3", "6", "9", "12", "15"}) }, patience, tick)
	c.stop()
	cancel()
	require.NoError(t, <-ended)
	for _, err := range told.list() {
		require.NotContains(t, err.Error(), "geheim")
	}
}

// A login that was never right stops the start when the brokers say so. One that hangs up without a word may only be restarting: that is waited for, with the hint that it may be the password.
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
			require.ErrorContains(t, err, "login")
			require.NotContains(t, err.Error(), "falsch")
			require.Equal(t, fault.Retry, fault.KindOf(err))

			var login logins
			login.guard(br.cluster)
			login.refuse.Store(true)
			_, err = bus.Open(t.Context(), c, bus.Watch{})
			require.ErrorContains(t, err, "password")
			require.NotContains(t, err.Error(), "falsch")
			require.Equal(t, fault.Stop, fault.KindOf(err))
			require.Equal(t, "forbidden", fault.CodeOf(err))
		})
	}
}
