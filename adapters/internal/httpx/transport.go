package httpx

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/go-resty/resty/v2"
)

// Limits of a connection.
const (
	maxHeaderBytes = 64 << 10
	dialTimeout    = 10 * time.Second
	// expectTimeout is how long an upload waits to be asked for its body before it sends it unasked.
	expectTimeout = time.Second
)

// errForeignHost is what a connection to any other address than the configured one ends with. It cannot happen unless this package is wrong.
var errForeignHost = errors.New("the address is not the configured one")

// transport returns a transport to one address: a new connection for every request, no proxy, no HTTP/2 (it resends by rules of its own), no
// transparent decompression.
func transport(pinned string, conf *tls.Config) *http.Transport {
	dialer := &net.Dialer{Timeout: dialTimeout}
	http1 := new(http.Protocols)
	http1.SetHTTP1(true)
	return &http.Transport{
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			if addr != pinned {
				return nil, errForeignHost
			}
			return dialer.DialContext(ctx, network, addr)
		},
		Proxy:                  nil,
		Protocols:              http1,
		TLSClientConfig:        conf,
		DisableCompression:     true,
		DisableKeepAlives:      true,
		MaxResponseHeaderBytes: maxHeaderBytes,
		ExpectContinueTimeout:  expectTimeout,
	}
}

// tlsConfig reads the certificate authorities once; the client's own certificate is read for every handshake.
func (t TLS) tlsConfig() (*tls.Config, error) {
	conf := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: t.ServerName}
	if t.CAFile != "" {
		pem, err := os.ReadFile(t.CAFile)
		if err != nil {
			return nil, fault.New(fault.Stop, "httpx.new", "tls-file", "the file of certificate authorities cannot be read").At("tls.caFile")
		}
		conf.RootCAs = x509.NewCertPool()
		if !conf.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fault.New(fault.Stop, "httpx.new", "tls-file", "the file of certificate authorities holds no certificate").At("tls.caFile")
		}
	}
	if t.CertFile != "" {
		conf.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			pair, err := tls.LoadX509KeyPair(t.CertFile, t.KeyFile)
			if err != nil {
				return nil, errClientCertificate
			}
			return &pair, nil
		}
	}
	return conf, nil
}

var errClientCertificate = errors.New("the client certificate cannot be read")

// newResty returns a resty client that does nothing by itself: no retry, redirect, cookie, log or guess.
func newResty(t *http.Transport) *resty.Client {
	client := resty.NewWithClient(&http.Client{Transport: t})
	client.SetRetryCount(0)
	client.SetRedirectPolicy(resty.RedirectPolicyFunc(func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }))
	client.SetDoNotParseResponse(true)
	client.SetLogger(silence{})
	client.SetDisableWarn(true)
	client.SetPreRequestHook(func(_ *resty.Client, r *http.Request) error {
		r.GetBody = nil // without it net/http cannot send a body again
		return nil
	})
	return client
}

// silence drops what resty would print: adapters never log.
type silence struct{}

func (silence) Errorf(string, ...any) {}
func (silence) Warnf(string, ...any)  {}
func (silence) Debugf(string, ...any) {}
