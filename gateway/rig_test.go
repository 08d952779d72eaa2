package gateway_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	mathrand "math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/einmal-hub/einmal/adapters"
	adaptersall "github.com/einmal-hub/einmal/adapters/all"
	"github.com/einmal-hub/einmal/gateway"
	"github.com/einmal-hub/einmal/gateway/config"
	"github.com/einmal-hub/einmal/gateway/embedded"
	"github.com/einmal-hub/einmal/gateway/seal"
	"github.com/einmal-hub/einmal/gateway/telemetry"
	"github.com/einmal-hub/einmal/mapping"
	mappingall "github.com/einmal-hub/einmal/mapping/all"
	"github.com/einmal-hub/einmal/mocks/clerks"
	"github.com/einmal-hub/einmal/mocks/core"
	"github.com/einmal-hub/einmal/mocks/world"
)

const (
	patience = 60 * time.Second // how long a test waits for what must come; never a condition of success
	quiet    = 2 * patience     // how long nothing may move in a play before it counts as lost; gateways may be starting again and again meanwhile
	tick     = 20 * time.Millisecond
)

// settings is the configuration of every gateway in these tests. The bounds are as short as the mocks' faults allow, so that a doubt settles soon.
const settings = `
listen: 127.0.0.1:0
admin: 127.0.0.1:0
grace: 30s
data: %[1]s/engines
keys: %[1]s/einmal.key
kafka: {partitions: 4%[3]s}
%[4]s
log: {level: debug, format: text}
profile: lucerne
directory: testdata/directory.yaml
systems:
  klib:
    type: klib
    mode: B
    poll: 50ms
    config:
      url: %[2]s/klib
      tokenFile: %[1]s/klib.token
      bounds: {send: 1s, request: 3s, processing: 700ms, lookup: 200ms, margin: 300ms}
  avam:
    type: avam
    mode: B
    poll: 50ms
    config:
      url: %[2]s/avam/soap
      username: einmal
      passwordFile: %[1]s/avam.password
      bounds: {send: 1s, request: 3s, processing: 700ms, lookup: 200ms, margin: 300ms}
  casenet:
    type: casenet
    mode: A
    poll: 500ms
    config:
      url: %[2]s/casenet
      tokenFile: %[1]s/casenet.token
      webhook: {keyFiles: ["%[1]s/casenet.webhook"]}
      bounds: {send: 1s, request: 3s, processing: 700ms, margin: 300ms}
`

// secrets are what the mocks demand, by the file that the configuration names.
func secrets() map[string]string {
	return map[string]string{
		"klib.token": "klib-secret", "avam.password": "avam-secret", "casenet.token": "casenet-secret",
		"casenet.webhook": "whsec_swfbKm1bJiJvrhMUb3eMnNTCh7fuJauiGxOxZ9VjGho=",
	}
}

// stage is a world of mocks with everything that a gateway between them needs.
type stage struct {
	t     testing.TB
	dir   string
	world *world.World
	// native is where the gateways reach the mocks; the world itself unless a test puts something in between.
	native string
	// kafka and redis are those of the configuration; empty: the gateway brings its own. prefix is that of the topics.
	kafka, redis, prefix string
	// database is that of Redis.
	database int
	log      *logbook
	mu       sync.Mutex
	running  []*running
	last     *embedded.Engines
	after    []func() // what ends after the gateways
	// rewrite changes the configuration; nil: as it is.
	rewrite func(yaml string) string
	// factories and mappers are those of systems that only the test knows.
	factories []adapters.Factory
	mappers   map[string]mapping.Mapper
}

// newStage starts a world on a folder of its own.
func newStage(t testing.TB, faults core.Faults) *stage {
	t.Helper()
	s := &stage{t: t, dir: t.TempDir(), log: &logbook{}, prefix: "einmal"}
	s.realEngines()
	for name, secret := range secrets() {
		require.NoError(t, os.WriteFile(filepath.Join(s.dir, name), []byte(secret+"\n"), 0o600))
	}
	c := secrets()
	w, err := world.Start(t.Context(), world.Options{Dir: s.dir, Faults: faults, Credentials: world.Credentials{
		KLIBToken: c["klib.token"], AVAMUsername: "einmal", AVAMPassword: c["avam.password"], CASEnetToken: c["casenet.token"],
		WebhookKeys: []string{c["casenet.webhook"]},
	}})
	require.NoError(t, err)
	s.world, s.native = w, w.URL()
	t.Cleanup(func() {
		s.end()
		if t.Failed() {
			t.Log(s.log.tail(60))
		}
	})
	return s
}

// end stops what still runs: the gateways first, then the mocks, which carry out what is still to come late.
func (s *stage) end() {
	s.mu.Lock()
	all := s.running
	s.mu.Unlock()
	for _, g := range all {
		g.stop()
	}
	for _, f := range s.after {
		f()
	}
	require.NoError(s.t, s.world.Stop(context.Background()))
	if s.last != nil {
		require.NoError(s.t, s.last.Close())
	}
}

// realEngines lets every gateway use the engines that the environment names (make test-real), on topics of the stage's own. Tests that stop or
// wipe engines start their own all the same.
func (s *stage) realEngines() {
	s.kafka, s.redis = os.Getenv("EINMAL_TEST_KAFKA"), os.Getenv("EINMAL_TEST_REDIS")
	if s.kafka == "" {
		return
	}
	s.prefix = "t" + strings.ToLower(rand.Text())
	_, _, err := seal.LoadOrCreate(filepath.Join(s.dir, "einmal.key"))
	require.NoError(s.t, err)
}

// shared makes sure that there are engines which outlive a gateway and can be looked into.
func (s *stage) shared() {
	s.t.Helper()
	if s.kafka == "" {
		s.engines()
	}
}

// engines starts engines of the stage's own and lets every gateway use them.
func (s *stage) engines() *embedded.Engines {
	s.t.Helper()
	s.kafka, s.redis, s.prefix = "", "", "einmal"
	e := s.enginesAgain()
	s.kafka, s.redis = e.Brokers()[0], e.RedisAddr()
	_, _, err := seal.LoadOrCreate(filepath.Join(s.dir, "einmal.key"))
	require.NoError(s.t, err)
	return e
}

// enginesAgain starts the engines on the folder and the addresses that they had before, if any. They are closed when gateways and clerks have ended.
func (s *stage) enginesAgain() *embedded.Engines {
	s.t.Helper()
	e, err := embedded.Start(s.t.Context(), embedded.Options{Dir: filepath.Join(s.dir, "own-engines"), KafkaAddr: s.kafka, RedisAddr: s.redis})
	require.NoError(s.t, err)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last = e
	return e
}

// config returns the gateway's configuration.
func (s *stage) config() config.Config {
	s.t.Helper()
	kafka, redis := ", session: 2s", ""
	switch {
	case s.prefix != "einmal":
		// Beside a broker of its own the machine is too busy for a short session.
		kafka = fmt.Sprintf(", brokers: [%q], prefix: %s, replication: 1, minInSync: 1, session: 10s", s.kafka, s.prefix)
	case s.kafka != "":
		kafka = fmt.Sprintf(", brokers: [%q], replication: 1, minInSync: 1, session: 2s", s.kafka)
	}
	if s.redis != "" {
		redis = fmt.Sprintf("redis: {address: %q, database: %d}", s.redis, s.database)
	}
	yaml := fmt.Sprintf(settings, s.dir, s.native, kafka, redis)
	if s.rewrite != nil {
		yaml = s.rewrite(yaml)
	}
	c, err := config.Parse("test.yaml", []byte(yaml), s.types())
	require.NoError(s.t, err)
	return c
}

// types lists what kinds of native system there are: those of the program, and those that only the test knows.
func (s *stage) types() []adapters.Factory { return append(adaptersall.Factories(), s.factories...) }

// running is a gateway that runs.
type running struct {
	*gateway.Gateway
	t         testing.TB
	addresses gateway.Addresses
	spans     *telemetry.Recorder
	cancel    context.CancelFunc
	ended     chan struct{}
	err       error // read after ended
}

// options returns what a gateway of this stage is made of.
func (s *stage) options() gateway.Options {
	s.t.Helper()
	mappers, err := mappingall.Mappers()
	require.NoError(s.t, err)
	maps.Copy(mappers, s.mappers)
	return gateway.Options{
		Config: s.config(), Factories: s.types(), Mappers: mappers, Log: telemetry.NewLogger(s.log, "debug", "text"),
	}
}

// gateway starts a gateway and returns when messages flow.
func (s *stage) gateway(change ...func(*gateway.Options)) *running {
	s.t.Helper()
	o := s.options()
	g := &running{t: s.t, spans: telemetry.NewRecorder(0), ended: make(chan struct{})}
	o.Processors = []sdktrace.SpanProcessor{g.spans}
	started := make(chan struct{})
	o.Started = func(a gateway.Addresses) {
		g.addresses = a
		close(started)
	}
	for _, c := range change {
		c(&o)
	}
	var err error
	g.Gateway, err = gateway.New(o)
	require.NoError(s.t, err)
	ctx, cancel := context.WithCancel(context.Background())
	g.cancel = cancel
	go func() {
		defer close(g.ended)
		g.err = g.Run(ctx)
	}()
	s.mu.Lock()
	s.running = append(s.running, g)
	s.mu.Unlock()
	select {
	case <-started:
		s.world.SetWebhookURL("http://" + g.addresses.Listen.String() + "/webhooks/casenet")
	case <-g.ended:
		require.NoError(s.t, g.err, "the gateway did not start")
	}
	return g
}

// stop ends a gateway as SIGTERM would. It may be called twice.
func (g *running) stop() {
	g.t.Helper()
	g.cancel()
	<-g.ended
	require.NoError(g.t, g.err)
}

// settled waits until the gateway has nothing open.
func (g *running) settled() {
	g.t.Helper()
	require.Eventually(g.t, func() bool { return g.Stats().Open == 0 }, patience, tick, "the gateway still has something open")
}

// plan draws a plan whose documents are all small. How those that are larger than a message may be go their way, [TestI1I2I3EveryHandoverStandsOnceInEachSystemInOrder] shows:
// under the race detector each of them costs seconds.
func plan(t testing.TB, seed int64, handovers int) clerks.Plan {
	t.Helper()
	p := planWithScans(t, seed, handovers)
	for _, h := range p.Handovers {
		for n, step := range h.Steps {
			for i, d := range step.Facts.Documents {
				if d.Size() > 1<<20 {
					rng := mathrand.New(mathrand.NewPCG(uint64(seed), uint64(h.Number<<16|n<<8|i))) //nolint:gosec // repeatable
					step.Facts.Documents[i] = core.InventDocument(rng, d.Name, 20_000)
				}
			}
		}
	}
	return p
}

// planWithScans draws a plan as the clerks do.
func planWithScans(t testing.TB, seed int64, handovers int) clerks.Plan {
	t.Helper()
	p, err := clerks.NewPlan(seed, handovers, world.KLIB, world.AVAM, world.CASEnet)
	require.NoError(t, err)
	return p
}

// play lets the clerks act until the plan is played.
func (s *stage) play(p clerks.Plan, progress ...func(clerks.Progress)) {
	s.t.Helper()
	require.NoError(s.t, s.perform(p, progress...))
}

// perform is play for goroutines of a test. It fails when nothing has moved for a while.
func (s *stage) perform(p clerks.Plan, progress ...func(clerks.Progress)) error {
	o := clerks.PlayOptions{Plan: p, Systems: s.world.Systems(), Poll: 100 * time.Millisecond, Quiet: quiet}
	if len(progress) > 0 {
		o.Progress = progress[0]
	}
	outcome, err := clerks.Play(s.t.Context(), o)
	if err == nil && outcome.Stalled {
		err = errors.New("nothing moves any more")
	}
	return err
}

// once ends everything and demands that each message stands once in each system, by the mocks' journals.
func (s *stage) once(p clerks.Plan) clerks.Proof {
	s.t.Helper()
	s.end()
	journals, err := s.world.Journals()
	require.NoError(s.t, err)
	proof := clerks.Check(p, journals, s.world.Systems())
	require.Empty(s.t, proof.Findings)
	require.True(s.t, proof.Once(), "not every step was played")
	for _, id := range everywhere() {
		require.Equal(s.t, proof.Expected[id], proof.Records[id], id)
	}
	return proof
}

// clean demands that a gateway ended with everything delivered and nothing before a person.
func (g *running) clean() {
	g.t.Helper()
	g.settled()
	st := g.Stats()
	require.Zero(g.t, st.Parked)
	require.Zero(g.t, st.Held)
	require.Zero(g.t, st.Skipped)
}

// logbook is a log in memory.
type logbook struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logbook) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *logbook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (l *logbook) tail(n int) string {
	lines := strings.Split(strings.TrimSpace(l.String()), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
