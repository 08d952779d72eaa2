package main_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/stretchr/testify/require"
)

const (
	patience = 90 * time.Second // how long a test waits for what must come; never a condition of success
	tick     = 20 * time.Millisecond
)

// output is what a process has written so far.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

func (o *output) tail(n int) string {
	lines := strings.Split(strings.TrimSpace(o.String()), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

// process is one run of the program.
type process struct {
	t      testing.TB
	name   string
	cmd    *exec.Cmd
	out    *output
	errors *output
	ended  chan struct{}
}

// start starts the program; it is killed when the test ends.
func start(t testing.TB, args ...string) *process {
	t.Helper()
	return startIn(t, nil, args...)
}

// startIn is start with more in the environment.
func startIn(t testing.TB, environment []string, args ...string) *process {
	t.Helper()
	return startProgram(t, args[0], environment, binary, args...)
}

// startProgram is startIn for any program.
func startProgram(t testing.TB, name string, environment []string, program string, args ...string) *process {
	t.Helper()
	p := &process{t: t, name: name, cmd: exec.Command(program, args...), out: &output{}, errors: &output{}, ended: make(chan struct{})} //nolint:gosec // it is killed below
	p.cmd.Stdout, p.cmd.Stderr, p.cmd.Env = p.out, p.errors, append(os.Environ(), environment...)
	require.NoError(t, p.cmd.Start())
	go func() {
		defer close(p.ended)
		_ = p.cmd.Wait() // the state says how it ended
	}()
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("%s, the end of its output:\n%s\n%s", p.name, p.out.tail(40), p.errors.tail(300))
		}
	})
	return p
}

// kill ends the process without warning, as kill -9 does.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may have ended
	<-p.ended
}

func (p *process) signal(s syscall.Signal) {
	p.t.Helper()
	require.NoError(p.t, p.cmd.Process.Signal(s))
}

// code waits for the end and returns the exit code; -1 when a signal ended it.
func (p *process) code() int {
	p.t.Helper()
	return p.codeWithin(patience)
}

// codeWithin is code for what may take longer than other things.
func (p *process) codeWithin(limit time.Duration) int {
	p.t.Helper()
	select {
	case <-p.ended:
	case <-time.After(limit):
		require.Fail(p.t, p.name+" does not end")
	}
	return p.cmd.ProcessState.ExitCode()
}

// says waits until the process has written a text.
func (p *process) says(text string) {
	p.t.Helper()
	require.Eventually(p.t, func() bool {
		return strings.Contains(p.out.String(), text) || strings.Contains(p.errors.String(), text)
	}, patience, tick, "%s does not say %q", p.name, text)
}

// run runs the program to its end.
func run(t testing.TB, args ...string) (code int, out, errors string) {
	t.Helper()
	p := start(t, args...)
	code = p.code()
	return code, p.out.String(), p.errors.String()
}

// ports hands out every port once, below those that the system takes for outgoing connections: a port that was free a moment ago must still be
// free when the process that it is for listens.
var ports atomic.Int32

// free returns a free address of the loopback that no other test of this run gets.
func free(t testing.TB) string {
	t.Helper()
	first := 11000 + os.Getpid()%80*250
	for {
		address := fmt.Sprintf("127.0.0.1:%d", first+int(ports.Add(1)))
		l, err := net.Listen("tcp", address)
		if err != nil {
			continue
		}
		require.NoError(t, l.Close())
		return address
	}
}

// town is everything as processes of their own: mocks, engines, gateway.
type town struct {
	t                         testing.TB
	dir, config               string
	mocksAt, kafkaAt, redisAt string
	sftpAt                    string
	listenAt, adminAt         string
	mocks, engines, gateway   *process
	ownEngines                bool
	faults                    bool
	seed                      int64
}

// newTown writes the sample configuration of deploy/examples with free addresses and short bounds; nothing runs yet.
func newTown(t testing.TB, ownEngines bool) *town {
	t.Helper()
	w := &town{t: t, dir: t.TempDir(), mocksAt: free(t), kafkaAt: free(t), redisAt: free(t), sftpAt: free(t), listenAt: free(t), adminAt: free(t), ownEngines: ownEngines, seed: 1}
	examples, err := filepath.Abs("../../deploy/examples")
	require.NoError(t, err)
	sample, err := os.ReadFile(filepath.Join(examples, "lucerne.yaml"))
	require.NoError(t, err)
	directory, err := filepath.Abs("demo-directory.yaml")
	require.NoError(t, err)
	changes := []string{
		"directory: directory-lucerne.yaml", "directory: " + directory,
		"127.0.0.1:8480", w.listenAt, "127.0.0.1:8481", w.adminAt, "127.0.0.1:8490", w.mocksAt, "127.0.0.1:8491", w.sftpAt,
		"/tmp/einmal-journals", filepath.Join(w.dir, "journals"),
		"mock-secrets/", examples + "/mock-secrets/", "../../einmal-data", filepath.Join(w.dir, "data"), "poll: 500ms", "poll: 100ms",
		"send: 2s, request: 5s, processing: 2s, lookup: 1s, margin: 1s", "send: 1s, request: 3s, processing: 700ms, lookup: 200ms, margin: 300ms",
		"send: 2s, request: 5s, margin: 1s, answer: 10s", "send: 1s, request: 3s, margin: 300ms, answer: 3s",
		"send: 2s, request: 5s, margin: 1s, answer: 30s", "send: 1s, request: 3s, margin: 300ms, answer: 15s",
		"send: 2s, request: 5s, margin: 1s}", "send: 1s, request: 3s, margin: 300ms}",
		"send: 2s, request: 5s, processing: 2s, margin: 1s", "send: 1s, request: 3s, processing: 700ms, margin: 300ms",
	}
	for i := 0; i < len(changes); i += 2 {
		require.Contains(t, string(sample), changes[i])
	}
	text := strings.NewReplacer(changes...).Replace(string(sample))
	if ownEngines {
		text += fmt.Sprintf("\nkafka: {brokers: [%q], replication: 1, minInSync: 1}\nredis: {address: %q}\n", w.kafkaAt, w.redisAt)
	}
	w.config = filepath.Join(w.dir, "einmal.yaml")
	require.NoError(t, os.WriteFile(w.config, []byte(text), 0o600))
	return w
}

// open starts mocks and engines, and makes the key file as an operator would.
func (w *town) open() {
	w.t.Helper()
	w.startMocks()
	if w.ownEngines {
		w.startEngines()
	}
	w.checked()
}

func (w *town) startMocks() {
	w.t.Helper()
	args := []string{"mocks", "--listen", w.mocksAt, "--sftp", w.sftpAt, "--journal", filepath.Join(w.dir, "journals"), "--webhook", "http://" + w.listenAt + "/webhooks/casenet", "--seed", fmt.Sprint(w.seed)}
	if w.faults {
		args = append(args, "--faults")
	}
	w.mocks = start(w.t, args...)
	w.mocks.says("klib")
}

// checked makes the key file as an operator would, and sees that everything answers.
func (w *town) checked() {
	w.t.Helper()
	var out, errors string
	tries := func() bool {
		var code int
		code, out, errors = run(w.t, "check", "--config", w.config)
		return code == 0
	}
	if w.faults { // on a bad day a connection may fail when it is tried
		require.Eventually(w.t, tries, patience, tick)
		return
	}
	require.True(w.t, tries(), out+errors)
}

func (w *town) startEngines() {
	w.t.Helper()
	w.engines = start(w.t, "engines", "--data", filepath.Join(w.dir, "engines"), "--kafka", w.kafkaAt, "--redis", w.redisAt)
	w.engines.says("redis")
}

// run starts the gateway; it returns before messages flow.
func (w *town) run() *process {
	w.t.Helper()
	w.gateway = start(w.t, "run", "--config", w.config)
	return w.gateway
}

// ready waits until the gateway says that messages flow.
func (w *town) ready() {
	w.t.Helper()
	require.Eventually(w.t, func() bool {
		r, err := http.NewRequestWithContext(context.Background(), http.MethodGet, "http://"+w.adminAt+"/readyz", nil)
		if err != nil {
			return false
		}
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			return false
		}
		_ = resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	}, patience, tick, "the gateway does not become ready")
}

// figures are what /status tells.
type figures struct{ Cases, Messages, Open, Parked, Held int }

func (w *town) status() figures {
	w.t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), http.MethodGet, "http://"+w.adminAt+"/status", nil)
	require.NoError(w.t, err)
	resp, err := http.DefaultClient.Do(r)
	require.NoError(w.t, err)
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	require.NoError(w.t, err)
	var f figures
	require.NoError(w.t, json.Unmarshal(b, &f, json.MatchCaseInsensitiveNames(true)))
	return f
}
