package gateway

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/einmal-hub/einmal/contracts/fault"
)

// serve listens on an address and answers with handler until the stack stops it: no new connections, open requests end within the grace.
func serve(ctx context.Context, s *stack, name, address string, handler http.Handler) (net.Addr, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fault.New(fault.Stop, "gateway.listen", "address-in-use", "the address for "+name+" cannot be listened on").
			Because(err).Hint("choose another address in the configuration, or stop the program that uses it")
	}
	server := &http.Server{
		Handler: handler, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: 60 * time.Second,
		IdleTimeout: 60 * time.Second, MaxHeaderBytes: 64 << 10,
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			s.fail(fault.Wrap(fault.Stop, "gateway.serve", err))
		}
	}()
	s.push(name, func(grace context.Context) error {
		err := server.Shutdown(grace)
		if err != nil {
			_ = server.Close()
		}
		<-ended
		return err
	})
	return l.Addr(), nil
}
