package main_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
)

// fleet is a town with several gateways, in which every process has a line of its own to every other one, and Redis is a process of its own. The gateway of the town
// itself is not used.
type fleet struct {
	*town
	members []*member
	kafka   *link            // in front of the broker; nil when the broker is somebody else's
	links   map[string]*link // all of them, by name
	prefix  string           // of the topics
	store   *store
	disk    *disk
}

// member is one gateway.
type member struct {
	fleet             *fleet
	name, config      string
	listenAt, adminAt string
	native            *link // to the mocks

	process *process
	lives   []*process
	began   time.Time
	told    bool     // to end
	fell    []string // how it ended without having been told, or otherwise than it should
}

// kill ends the gateway without warning, and notes one that has ended before: whatever goes wrong around it, it goes on.
func (m *member) kill() {
	select {
	case <-m.process.ended:
		if code := m.process.code(); !m.told || code != 0 {
			m.fell = append(m.fell, fmt.Sprintf("%s, in its life %d, ended with code %d: %s", m.name, len(m.lives), code, m.process.errors.tail(3)))
		}
	default:
		m.process.kill()
	}
}

// newFleet prepares so many gateways; nothing runs yet. With EINMAL_TEST_KAFKA the broker is that one (deploy/local/engines.sh), and is left in peace.
func newFleet(t testing.TB, gateways int) *fleet {
	t.Helper()
	f := &fleet{town: newTown(t, true), links: map[string]*link{}, prefix: "einmal"}
	behind := f.listenAt
	f.listenAt = f.link("webhooks", behind).address
	kafkaAt := f.kafkaAt
	if foreign := os.Getenv("EINMAL_TEST_KAFKA"); foreign != "" {
		f.kafkaAt, f.prefix = foreign, fmt.Sprintf("chaos-%d", time.Now().UnixNano())
	} else {
		f.kafka = f.link("kafka", kafkaAt)
	}
	f.disk = newDisk(t, filepath.Join(f.dir, "engines"))
	f.store = &store{t: t, dir: filepath.Join(f.dir, "engines", "redis"), address: f.redisAt}
	text, err := os.ReadFile(f.config)
	require.NoError(t, err)
	f.seed, f.faults = 41, true
	for n := range gateways {
		f.members = append(f.members, f.member(n+1, string(text), kafkaAt, behind))
	}
	return f
}

func (f *fleet) link(name, target string) *link {
	f.t.Helper()
	l := newLink(f.t, name, target)
	f.links[name] = l
	return l
}

// member writes one gateway's configuration. The first one takes the notifications.
func (f *fleet) member(n int, text, kafkaAt, listenAt string) *member {
	f.t.Helper()
	m := &member{fleet: f, name: fmt.Sprintf("gateway-%d", n), listenAt: listenAt, adminAt: free(f.t)}
	if n > 1 {
		m.listenAt = free(f.t)
	}
	m.config = filepath.Join(f.dir, m.name+".yaml")
	m.native = f.link(fmt.Sprintf("native-%d", n), f.mocksAt)
	sftp := f.link(fmt.Sprintf("sftp-%d", n), f.sftpAt).address
	kafka := f.kafkaAt
	if f.kafka != nil {
		kafka = f.kafka.address
	}
	known := filepath.Join(f.dir, "journals", "tutoris.known_hosts")
	text = strings.NewReplacer(
		"instance: gateway-1", "instance: "+m.name, "replication: 1,", "replication: 1, session: 3s, partitions: 6, prefix: "+f.prefix+",",
		listenAt, m.listenAt, f.town.adminAt, m.adminAt, f.mocksAt, m.native.address, f.sftpAt, sftp, kafkaAt, kafka,
		f.redisAt, f.link(fmt.Sprintf("redis-%d", n), f.redisAt).address, known, known+"-"+m.name,
		"send: 1s, request: 3s, processing: 700ms", "send: 1s, request: 3s, processing: 1500ms",
		"    type: tutoris\n    poll: 100ms", "    type: tutoris\n    poll: 500ms", // each reading lists all exports, and there is one with every night
		"      look: 1s\n", "      look: 1s\n      settle: 10s\n", // a file that a killed Tutoris has left is waited for
	).Replace(text)
	require.NoError(f.t, os.WriteFile(m.config, []byte(text), 0o600))
	return m
}

// open starts mocks and engines, and makes the key file.
func (f *fleet) open() {
	f.t.Helper()
	f.startMocks()
	for n, m := range f.members {
		// The same server under the address of this gateway's line.
		b, err := os.ReadFile(filepath.Join(f.dir, "journals", "tutoris.known_hosts"))
		require.NoError(f.t, err)
		name := func(address string) string { h, p, _ := strings.Cut(address, ":"); return "[" + h + "]:" + p }
		line := strings.Replace(string(b), name(f.sftpAt), name(f.links[fmt.Sprintf("sftp-%d", n+1)].address), 1)
		require.NotEqual(f.t, string(b), line)
		require.NoError(f.t, os.WriteFile(filepath.Join(f.dir, "journals", "tutoris.known_hosts-"+m.name), []byte(line), 0o600))
	}
	f.startBroker()
	f.store.start()
	f.config = f.members[0].config
	f.checked()
}

func (f *fleet) startBroker() {
	f.t.Helper()
	if f.kafka == nil {
		return
	}
	f.engines = start(f.t, "engines", "--data", filepath.Join(f.dir, "engines", "broker"), "--kafka", f.kafka.target, "--advertise", f.kafka.address, "--redis", free(f.t))
	f.engines.says("redis")
}

// run starts a gateway; it returns before messages flow. With EINMAL_CHAOS_OLDER, the program of an earlier version, two versions work side by side: each gateway is upgraded with its second life, taken
// back with its third, and so on, the first one beginning with the earlier version.
func (m *member) run() {
	m.fleet.t.Helper()
	program, older := binary, os.Getenv("EINMAL_CHAOS_OLDER")
	if older != "" && (m.fleet.members[0] == m) == (len(m.lives)%2 == 0) {
		program = older
	}
	m.told = false
	m.process, m.began = startProgram(m.fleet.t, "run", nil, program, "run", "--config", m.config), time.Now()
	m.lives = append(m.lives, m.process)
}

// ready waits until messages flow through it.
func (m *member) ready() {
	m.fleet.t.Helper()
	require.Eventually(m.fleet.t, func() bool { return m.ask("/readyz", nil) == nil }, patience, tick, "%s does not become ready", m.name)
}

// ask reads what a gateway says at its admin address. It may be called from any goroutine.
func (m *member) ask(path string, into any) error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+m.adminAt+path, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	switch text, raw := into.(*string); {
	case err != nil:
		return err
	case resp.StatusCode != http.StatusOK:
		return fmt.Errorf("%s: status %d", path, resp.StatusCode)
	case raw:
		*text = string(b)
		return nil
	case into == nil:
		return nil
	}
	return json.Unmarshal(b, into, json.MatchCaseInsensitiveNames(true))
}

// store is Redis: the real one where there is one on this machine, the embedded one otherwise.
type store struct {
	t       testing.TB
	dir     string
	address string
	real    string
	process *process
	old     map[string]string // what was kept of an embedded one
}

func (s *store) start() {
	s.t.Helper()
	require.NoError(s.t, os.MkdirAll(s.dir, 0o700))
	s.real, _ = exec.LookPath("redis-server")
	if s.real == "" {
		s.process = start(s.t, "engines", "--kafka", free(s.t), "--redis", s.address)
	} else {
		_, port, _ := strings.Cut(s.address, ":")
		s.process = startProgram(s.t, "redis-server", nil, s.real, "--port", port, "--bind", "127.0.0.1", "--dir", s.dir, "--save", "", "--stop-writes-on-bgsave-error", "no", "--maxmemory-policy", "noeviction")
	}
	require.Eventually(s.t, func() bool {
		return s.do(func(c context.Context, db *redis.Client) error { return db.Ping(c).Err() }) == nil
	}, patience, tick)
}

// do asks Redis behind the gateways' back.
func (s *store) do(f func(context.Context, *redis.Client) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	db := redis.NewClient(&redis.Options{Addr: s.address})
	defer func() { _ = db.Close() }()
	return f(ctx, db)
}

// all returns every key with its value.
func (s *store) all() map[string]string {
	found := map[string]string{}
	_ = s.do(func(ctx context.Context, db *redis.Client) error {
		it := db.Scan(ctx, 0, "*", 1000).Iterator()
		for it.Next(ctx) {
			if v, err := db.Get(ctx, it.Val()).Result(); err == nil {
				found[it.Val()] = v
			}
		}
		return it.Err()
	})
	return found
}

func (s *store) wipe() {
	_ = s.do(func(ctx context.Context, db *redis.Client) error { return db.FlushAll(ctx).Err() })
}

// keep makes a backup.
func (s *store) keep() {
	if s.real == "" {
		s.old = s.all()
		return
	}
	_ = s.do(func(ctx context.Context, db *redis.Client) error { return db.Save(ctx).Err() })
	b, err := os.ReadFile(filepath.Join(s.dir, "dump.rdb"))
	if err == nil {
		err = os.WriteFile(filepath.Join(filepath.Dir(s.dir), "older.rdb"), b, 0o600)
	}
	_ = err // on a full disk there is no backup, and the restored Redis is empty
}

// restore puts the backup in the place of what there is: a Redis that was killed and comes up with an older state.
func (s *store) restore() {
	s.t.Helper()
	if s.real != "" {
		s.process.kill()
		_ = os.Rename(filepath.Join(filepath.Dir(s.dir), "older.rdb"), filepath.Join(s.dir, "dump.rdb"))
		s.start()
		return
	}
	s.wipe()
	_ = s.do(func(ctx context.Context, db *redis.Client) error {
		for k, v := range s.old {
			if err := db.Set(ctx, k, v, 10*time.Second).Err(); err != nil {
				return err
			}
		}
		return nil
	})
}

// disk is a small file system of its own, which can be full; where nothing may be mounted it is a plain folder, and never is.
type disk struct {
	dir     string
	mounted bool
}

func newDisk(t testing.TB, dir string) *disk {
	t.Helper()
	require.NoError(t, os.MkdirAll(dir, 0o700))
	d := &disk{dir: dir}
	d.mounted = mount("-t", "tmpfs", "-o", "size=2g,mode=700", "tmpfs", dir) == nil
	if !d.mounted {
		t.Log("nothing may be mounted here, so the disk is never full")
		return d
	}
	t.Cleanup(func() {
		if err := exec.Command("umount", "-l", dir).Run(); err != nil {
			t.Errorf("unmount %s: %v", dir, err)
		}
	})
	return d
}

func mount(args ...string) error { return exec.Command("mount", args...).Run() } //nolint:gosec // a test's own folder

// fill leaves no room; empty makes room again. What is written while it looks may make it look again.
func (d *disk) fill() (err error) {
	for range 100 {
		var st syscall.Statfs_t
		if err = syscall.Statfs(d.dir, &st); err != nil {
			return err
		}
		used := (st.Blocks - st.Bfree) * uint64(st.Bsize) //nolint:gosec // it is positive
		if err = mount("-o", fmt.Sprintf("remount,size=%d", max(used, 4096)), d.dir); err == nil {
			return nil
		}
	}
	return err
}

func (d *disk) empty() error { return mount("-o", "remount,size=2g", d.dir) }
