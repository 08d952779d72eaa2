package httpx

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log" //nolint:depguard // httptest takes no other logger; it only swallows what the test server says
	"math/big"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/stretchr/testify/require"
)

// authority signs certificates for one test.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	file string
}

func newAuthority(t *testing.T) authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return authority{cert: cert, key: key, file: file(t, "ca.pem", pemOf("CERTIFICATE", der))}
}

func pemOf(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

// issue returns files of a certificate for a name and its key.
func (a authority) issue(t *testing.T, name string, until time.Time) (cert, key string, pair tls.Certificate) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name}, NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: until,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &k.PublicKey, a.key)
	require.NoError(t, err)
	keyDER, err := x509.MarshalECPrivateKey(k)
	require.NoError(t, err)
	certPEM, keyPEM := pemOf("CERTIFICATE", der), pemOf("EC PRIVATE KEY", keyDER)
	pair, err = tls.X509KeyPair([]byte(certPEM), []byte(keyPEM))
	require.NoError(t, err)
	return file(t, "cert.pem", certPEM), file(t, "key.pem", keyPEM), pair
}

func (a authority) serve(t *testing.T, pair tls.Certificate, clients bool) string {
	t.Helper()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.TLS = &tls.Config{Certificates: []tls.Certificate{pair}}
	if clients {
		s.TLS.ClientAuth = tls.RequireAndVerifyClientCert
		s.TLS.ClientCAs = x509.NewCertPool()
		s.TLS.ClientCAs.AddCert(a.cert)
	}
	s.StartTLS()
	t.Cleanup(s.Close)
	return s.URL
}

// Fault 74.
func TestTLS_OnlyTheConfiguredAuthorityAndNameAreTrusted(t *testing.T) {
	ours, other := newAuthority(t), newAuthority(t)
	_, _, good := ours.issue(t, "klib.example", time.Now().Add(time.Hour))
	_, _, expired := ours.issue(t, "klib.example", time.Now().Add(-time.Hour))
	for name, c := range map[string]struct {
		pair tls.Certificate
		conf TLS
		ok   bool
	}{
		"right":             {good, TLS{CAFile: ours.file, ServerName: "klib.example"}, true},
		"another authority": {good, TLS{CAFile: other.file, ServerName: "klib.example"}, false},
		"another name":      {good, TLS{CAFile: ours.file, ServerName: "avam.example"}, false},
		"expired":           {expired, TLS{CAFile: ours.file, ServerName: "klib.example"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			client := newClient(t, Config{URL: ours.serve(t, c.pair, false), TLS: c.conf})
			_, err := client.Do(t.Context(), write())
			if c.ok {
				require.NoError(t, err)
				return
			}
			requireFault(t, err, fault.Retry, "tls")
		})
	}
}

func TestTLS_ClientCertificate(t *testing.T) {
	ours := newAuthority(t)
	_, _, server := ours.issue(t, "klib.example", time.Now().Add(time.Hour))
	cert, key, _ := ours.issue(t, "einmal.example", time.Now().Add(time.Hour))
	address := ours.serve(t, server, true)
	conf := TLS{CAFile: ours.file, ServerName: "klib.example", CertFile: cert, KeyFile: key}
	_, err := newClient(t, Config{URL: address, TLS: conf}).Do(t.Context(), write())
	require.NoError(t, err)

	conf.CertFile, conf.KeyFile = "", ""
	_, err = newClient(t, Config{URL: address, TLS: conf}).Do(t.Context(), reading())
	require.Equal(t, fault.Retry, fault.KindOf(err))
}

func TestConfig_CheckFindsEverythingAtOnce(t *testing.T) {
	token := file(t, "token", "x")
	for name, c := range map[string]struct {
		config Config
		codes  []string
	}{
		"right":                 {Config{URL: "https://klib.example/base", TokenFile: token}, nil},
		"plain to this machine": {Config{URL: "http://127.0.0.1:8080"}, nil},
		"plain, permitted":      {Config{URL: "http://mocks:8080", AllowPlainHTTP: true}, nil},
		"plain elsewhere":       {Config{URL: "http://klib.example"}, []string{"url: plain-http"}},
		"nothing":               {Config{}, []string{"url: missing"}},
		"no scheme":             {Config{URL: "klib.example"}, []string{"url: url"}},
		"user in the address":   {Config{URL: "https://u:p@klib.example"}, []string{"url: url"}},
		"query in the address":  {Config{URL: "https://klib.example?x=1"}, []string{"url: url"}},
		"not ASCII":             {Config{URL: "https://zürich.example"}, []string{"url: url"}},
		"much": {
			Config{URL: "ftp://x", TokenFile: "/none/token", Username: "u", MaxAnswerBytes: -1, TLS: TLS{CAFile: "/none/ca", CertFile: token}},
			[]string{"url: url", "tokenFile: two-credentials", "username: missing", "tokenFile: file", "tls.certFile: missing", "tls.caFile: file", "maxAnswerBytes: out-of-range"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var codes []string
			for _, f := range c.config.Check() {
				codes = append(codes, f.Path+": "+f.Code)
				require.NotEmpty(t, f.Next)
			}
			require.Equal(t, c.codes, codes)
			_, err := New(c.config, time.Second)
			require.Equal(t, c.codes == nil, err == nil)
		})
	}
}

func TestNew_RefusesAFileThatHoldsNoAuthority(t *testing.T) {
	_, err := New(Config{URL: "https://klib.example", TLS: TLS{CAFile: file(t, "ca.pem", "no certificate")}}, time.Second)
	require.Equal(t, fault.Stop, fault.KindOf(err))
}
