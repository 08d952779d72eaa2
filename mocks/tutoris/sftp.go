package tutoris

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/subtle"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// server is the SFTP server.
type server struct {
	mock     *Mock
	listener net.Listener
	config   *ssh.ServerConfig
	key      ssh.PublicKey
	running  sync.WaitGroup

	mu     sync.Mutex
	open   map[net.Conn]bool
	closed bool
}

var errForbidden = errors.New("wrong credentials")

// listen starts the SFTP server.
func (m *Mock) listen() (*server, error) {
	address := m.options.Listen
	if address == "" {
		address = "127.0.0.1:0"
	}
	signer, err := m.hostKey()
	if err != nil {
		return nil, err
	}
	config, err := m.admission()
	if err != nil {
		return nil, err
	}
	config.AddHostKey(signer)
	var lc net.ListenConfig
	l, err := lc.Listen(context.Background(), "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("tutoris: listen for SFTP: %w", err)
	}
	s := &server{mock: m, listener: l, config: config, key: signer.PublicKey(), open: map[net.Conn]bool{}}
	s.running.Go(s.accept)
	return s, nil
}

// hostKey returns the server's key: the one beside the journal, which is made the first time, or a new one without a journal.
func (m *Mock) hostKey() (ssh.Signer, error) {
	name := filepath.Join(m.options.Dir, string(m.options.System)+".hostkey")
	if m.options.Dir != "" {
		if b, err := os.ReadFile(name); err == nil { //nolint:gosec // the folder is the caller's choice
			return ssh.ParsePrivateKey(b)
		}
	}
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("tutoris: make a host key: %w", err)
	}
	if m.options.Dir != "" {
		block, err := ssh.MarshalPrivateKey(private, "")
		if err == nil {
			err = os.WriteFile(name, pem.EncodeToMemory(block), 0o600)
		}
		if err != nil {
			return nil, fmt.Errorf("tutoris: keep the host key: %w", err)
		}
	}
	return ssh.NewSignerFromKey(private)
}

// admission says who is let in.
func (m *Mock) admission() (*ssh.ServerConfig, error) {
	o := m.options
	var authorized []byte
	if o.AuthorizedKey != "" {
		key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(o.AuthorizedKey))
		if err != nil {
			return nil, fmt.Errorf("tutoris: read the authorized key: %w", err)
		}
		authorized = key.Marshal()
	}
	return &ssh.ServerConfig{
		PasswordCallback: func(c ssh.ConnMetadata, password []byte) (*ssh.Permissions, error) {
			if o.Password == "" || c.User() != o.User || subtle.ConstantTimeCompare(password, []byte(o.Password)) != 1 {
				return nil, errForbidden
			}
			return &ssh.Permissions{}, nil
		},
		PublicKeyCallback: func(c ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
			if authorized == nil || c.User() != o.User || !bytes.Equal(key.Marshal(), authorized) {
				return nil, errForbidden
			}
			return &ssh.Permissions{}, nil
		},
	}, nil
}

func (s *server) knownHost() string {
	return knownhosts.Line([]string{s.listener.Addr().String()}, s.key)
}

func (s *server) accept() {
	for {
		c, err := s.listener.Accept()
		if err != nil {
			return
		}
		if s.keep(c) {
			s.running.Go(func() {
				defer s.drop(c)
				s.serve(c)
			})
		}
	}
}

func (s *server) keep(c net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		_ = c.Close()
		return false
	}
	s.open[c] = true
	return true
}

func (s *server) drop(c net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, c)
	_ = c.Close()
}

// serve serves the SFTP subsystem on one connection until it ends.
func (s *server) serve(c net.Conn) {
	conn, channels, requests, err := ssh.NewServerConn(c, s.config)
	if err != nil {
		return
	}
	var all sync.WaitGroup
	defer all.Wait()
	all.Go(func() { ssh.DiscardRequests(requests) })
	for offered := range channels {
		if offered.ChannelType() != "session" {
			_ = offered.Reject(ssh.UnknownChannelType, "only sessions")
			continue
		}
		channel, in, err := offered.Accept()
		if err != nil {
			return
		}
		all.Go(func() { s.session(conn, channel, in) })
	}
}

func (s *server) session(conn ssh.Conn, channel ssh.Channel, in <-chan *ssh.Request) {
	var all sync.WaitGroup
	defer all.Wait()
	defer func() { _ = channel.Close() }()
	for r := range in {
		var subsystem struct{ Name string }
		ok := r.Type == "subsystem" && ssh.Unmarshal(r.Payload, &subsystem) == nil && subsystem.Name == "sftp"
		if r.WantReply {
			_ = r.Reply(ok, nil)
		}
		if !ok {
			continue
		}
		all.Go(func() {
			h := &files{mock: s.mock, conn: conn}
			served := sftp.NewRequestServer(channel, sftp.Handlers{FileGet: h, FilePut: h, FileCmd: h, FileList: h})
			_ = served.Serve() // however it ends, the connection is over
			_ = channel.Close()
		})
	}
}

func (s *server) close() {
	s.mu.Lock()
	s.closed = true
	_ = s.listener.Close()
	for c := range s.open {
		_ = c.Close()
	}
	s.mu.Unlock()
	s.running.Wait()
}
