package tutoris

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"strings"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/einmal-hub/einmal/contracts/fault"
	contract "github.com/einmal-hub/einmal/contracts/native/tutoris"
)

// link is one connection to the server, for one call. When the context of the call ends, so does the connection.
type link struct {
	op     string
	ctx    context.Context // of the call
	conn   net.Conn
	client *ssh.Client
	files  *sftp.Client
	stop   func() bool
}

// dial connects. Errors are of kind Retry or Stop.
func (e *exchange) dial(ctx context.Context, op string) (*link, error) {
	if err := ended(ctx, op); err != nil {
		return nil, err
	}
	config, refused, err := e.client(op)
	if err != nil {
		return nil, err
	}
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", e.config.Address)
	if err != nil {
		return nil, unreachable(op, err)
	}
	l := &link{op: op, ctx: ctx, conn: conn}
	l.stop = context.AfterFunc(ctx, func() { _ = conn.Close() })
	if err := l.open(e.config.Address, config); err != nil {
		l.close()
		return nil, refused.explain(ctx, op, err)
	}
	return l, nil
}

func (l *link) open(address string, config *ssh.ClientConfig) error {
	shell, channels, requests, err := ssh.NewClientConn(l.conn, address, config)
	if err != nil {
		return err
	}
	l.client = ssh.NewClient(shell, channels, requests)
	l.files, err = sftp.NewClient(l.client)
	return err
}

// close ends the connection. What goes wrong with it then concerns nobody.
func (l *link) close() {
	l.stop()
	_ = l.conn.Close() // first: what follows would wait for a server that does not answer
	if l.files != nil {
		_ = l.files.Close()
	}
	if l.client != nil {
		_ = l.client.Close()
		_ = l.client.Wait()
	}
}

func unreachable(op string, err error) error {
	return fault.New(fault.Retry, op, "unreachable", "the SFTP server cannot be reached at present").Because(err)
}

// handshake notes what happened while a connection was opened, because the library tells wrong credentials only in words.
type handshake struct {
	host  error // why the host key was refused
	known bool  // the host key is known; what goes wrong after that is about credentials, unless the network is the cause
}

// explain classifies a connection that could not be opened. The server's own words are not repeated.
func (h *handshake) explain(ctx context.Context, op string, err error) error {
	var lost *net.OpError
	var none *ssh.AlgorithmNegotiationError
	switch {
	case h.host != nil:
		return h.host
	case ctx.Err() != nil:
		return ended(ctx, op)
	case errors.As(err, &lost), errors.Is(err, io.EOF), errors.Is(err, net.ErrClosed):
		return fault.New(fault.Retry, op, "handshake", "the connection to the SFTP server broke while it was opened")
	case errors.As(err, &none):
		return fault.New(fault.Stop, op, "algorithms", "the SFTP server has no host key of a kind that is known, or no other method in common with einmal").
			Hint("ask the operator of Tutoris for the host key, and write it into knownHostsFile")
	case !h.known:
		return fault.New(fault.Retry, op, "handshake", "what answers at the address does not speak SSH as it should")
	}
	return fault.New(fault.Stop, op, "credentials", "the SFTP server does not let einmal in, or has no SFTP for it").
		Hint("see whether user and key or password are those that the operator of Tutoris gave")
}

// client makes the configuration of one connection. The files are read anew every time, so that they can be replaced while einmal runs.
func (e *exchange) client(op string) (*ssh.ClientConfig, *handshake, error) {
	h := &handshake{}
	check, err := knownhosts.New(e.config.KnownHostsFile)
	if err != nil {
		return nil, nil, fault.New(fault.Stop, op, "known-hosts", "the file with the keys of the server cannot be used").
			Hint("write the host key that the operator gave into knownHostsFile, as a line of known_hosts")
	}
	method, err := e.method(op)
	if err != nil {
		return nil, nil, err
	}
	config := &ssh.ClientConfig{
		User: e.config.User, Auth: []ssh.AuthMethod{method}, HostKeyAlgorithms: algorithms(check, e.config.Address),
		HostKeyCallback: func(name string, remote net.Addr, key ssh.PublicKey) error {
			if err := check(name, remote, key); err != nil {
				h.host = refuseHost(op, err, key)
				return h.host
			}
			h.known = true
			return nil
		},
	}
	return config, h, nil
}

// refuseHost says which key was refused and what to do. A fingerprint is no secret.
func refuseHost(op string, err error, key ssh.PublicKey) error {
	shown := key.Type() + " " + ssh.FingerprintSHA256(key)
	var unknown *knownhosts.KeyError
	if errors.As(err, &unknown) && len(unknown.Want) == 0 {
		return fault.New(fault.Stop, op, "host-key-unknown", "the host key of the SFTP server is not known: "+shown).
			Hint("ask the operator of Tutoris for the fingerprint; if it is this one, write the key into knownHostsFile (ssh-keyscan shows the line)")
	}
	return fault.New(fault.Stop, op, "host-key-changed", "the host key of the SFTP server is not the one that is known: "+shown).
		Hint("somebody may stand between; do not replace the key before the operator of Tutoris has confirmed the new fingerprint")
}

// algorithms returns those of the known keys of an address: without them a server with several keys could show one that nobody wrote down. Nil, which is the
// library's choice, when no key is known.
func algorithms(check ssh.HostKeyCallback, address string) []string {
	var known *knownhosts.KeyError
	if err := check(address, &net.TCPAddr{}, nobody{}); !errors.As(err, &known) {
		return nil
	}
	var all []string
	for _, k := range known.Want {
		if k.Key.Type() == ssh.KeyAlgoRSA {
			all = append(all, ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256)
			continue
		}
		all = append(all, k.Key.Type())
	}
	return all
}

// nobody is a key that no server has; it is only shown to the list of known ones.
type nobody struct{}

func (nobody) Type() string                        { return "none" }
func (nobody) Marshal() []byte                     { return []byte("none") }
func (nobody) Verify([]byte, *ssh.Signature) error { return errors.New("no key") }

// maxSecret bounds a password or key file; a larger one is another file.
const maxSecret = 64 << 10

// method is how einmal shows who it is.
func (e *exchange) method(op string) (ssh.AuthMethod, error) {
	if e.config.KeyFile != "" {
		b, err := secret(op, e.config.KeyFile)
		if err != nil {
			return nil, err
		}
		key, err := ssh.ParsePrivateKey(b)
		if err != nil {
			return nil, fault.New(fault.Stop, op, "key-file", "the file with the private key cannot be used").
				Hint("write a private key in the format of OpenSSH, without a passphrase, into keyFile (ssh-keygen -t ed25519)")
		}
		return ssh.PublicKeys(key), nil
	}
	b, err := secret(op, e.config.PasswordFile)
	if err != nil {
		return nil, err
	}
	return ssh.Password(strings.TrimRight(string(b), "\r\n")), nil
}

func secret(op, name string) ([]byte, error) {
	bad := fault.New(fault.Stop, op, "credential-file", "the file with the key or password cannot be used").Hint("make it readable for einmal's user, and for nobody else")
	f, err := os.Open(name)
	if err != nil {
		return nil, bad
	}
	defer func() { _ = f.Close() }()
	b, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
	if err != nil || len(b) > maxSecret || len(b) == 0 {
		return nil, bad
	}
	return b, nil
}

// unusable is a failure of the server before anything was handed over.
func (l *link) unusable(err error) error {
	var status *sftp.StatusError
	var classified *fault.Error
	switch {
	case errors.As(err, &classified):
		return err
	case l.ctx.Err() != nil:
		return ended(l.ctx, l.op)
	case errors.Is(err, fs.ErrNotExist):
		return fault.New(fault.Stop, l.op, "folder", "a folder of the contract is not there").Hint("see folder in the configuration: it holds eingang, archiv, ergebnis, ausgang and dokumente")
	case errors.Is(err, fs.ErrPermission):
		return fault.New(fault.Stop, l.op, "permission", "the folders may not be used").Hint("ask the operator of Tutoris for the right to read the five folders and to write into eingang and dokumente")
	case errors.As(err, &status):
		return fault.New(fault.Retry, l.op, "sftp", fmt.Sprintf("the SFTP server says that it failed (status %d)", status.Code)).Hint("see whether it has room")
	}
	return fault.New(fault.Retry, l.op, "connection", "the connection to the SFTP server broke")
}

// names lists the regular files in a folder.
func (l *link) names(folder string) (map[string]stamp, error) {
	infos, err := l.files.ReadDirContext(l.ctx, folder)
	if err != nil {
		return nil, err
	}
	all := map[string]stamp{}
	for _, i := range infos {
		if i.Mode().IsRegular() {
			all[i.Name()] = stamp{size: i.Size(), changed: i.ModTime()}
		}
	}
	return all, nil
}

// stamp tells whether a file has changed.
type stamp struct {
	size    int64
	changed time.Time
}

// tooLarge: a file is larger than the contract allows, or does not end.
func tooLarge() error {
	return fault.New(fault.Park, Type+".file", "too-large", "the file is larger than the contract allows")
}

// read reads a file to its end, or to the limit of the contract.
func (l *link) read(name string) ([]byte, error) {
	f, err := l.files.Open(name)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(bufio.NewReaderSize(io.LimitReader(f, contract.MaxFile+1), 32<<10)) // each reading is a round trip
	closed := f.Close()
	switch {
	case len(b) > contract.MaxFile:
		return nil, tooLarge()
	case err != nil:
		return nil, err
	}
	return b, closed
}

// write writes a new file and sees that all of it is there. It returns when that was, by the clock of the server.
func (l *link) write(name string, b []byte) (time.Time, error) {
	f, err := l.files.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL)
	if err != nil {
		return time.Time{}, err
	}
	if _, err = f.Write(b); err != nil {
		return time.Time{}, errors.Join(err, f.Close())
	}
	return l.finish(f, name, int64(len(b)))
}

// finish makes a file durable where the server knows how, closes it, and sees that all of it is there. It returns when it was written, by the clock of the server.
func (l *link) finish(f *sftp.File, name string, size int64) (time.Time, error) {
	var err error
	if _, durable := l.files.HasExtension("fsync@openssh.com"); durable {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return time.Time{}, err
	}
	info, err := l.files.Stat(name)
	if err != nil {
		return time.Time{}, err
	}
	if info.Size() != size {
		return time.Time{}, fault.New(fault.Retry, l.op, "short", "the SFTP server keeps less of a file than was written").Hint("see whether it has room")
	}
	return info.ModTime(), nil
}

// rename gives a file its name: in one step where the server knows how, otherwise as the protocol has it from the beginning.
func (l *link) rename(from, to string) error {
	if _, atomic := l.files.HasExtension("posix-rename@openssh.com"); atomic {
		return l.files.PosixRename(from, to)
	}
	return l.files.Rename(from, to)
}

// exists looks whether a file is there.
func (l *link) exists(name string) (bool, error) {
	_, err := l.files.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}
