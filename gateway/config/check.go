package config

import (
	"maps"
	"net"
	"net/url"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/handover"
)

// idForm is the form of ids of systems and organisations: they stand in addresses, keys and references, where other characters have a meaning.
const idForm = `^[a-z0-9][a-z0-9-]{0,35}$`

func (d *document) check(c *Config) {
	if c.Instance != "" && !regexp.MustCompile(idForm).MatchString(c.Instance) {
		d.report("instance", "malformed", "this is not a name", "use lower case letters, digits and hyphens, at most 36, such as gateway-1")
	}
	d.address("listen", c.Listen, false)
	d.address("admin", c.Admin, true)
	if c.Grace < time.Second || c.Grace > 10*time.Minute {
		d.report("grace", "out-of-range", "the grace is not within 1s and 10m", "30s suits most installations")
	}
	if e := c.Reconcile.Every; e != 0 && (e < time.Minute || e > 31*24*time.Hour) {
		d.report("reconcile.every", "out-of-range", "the time between two comparisons is not within 1m and 744h", "24h suits most installations; 0s switches them off")
	}
	d.receipts(c)
	d.kafka(c.Kafka)
	d.redis(c.Redis)
	d.endpoint("telemetry.otlp.endpoint", c.Telemetry.OTLP.Endpoint)
	d.oneOf("log.level", c.Log.Level, "debug", "info", "warn", "error")
	d.oneOf("log.format", c.Log.Format, "json", "text")
	d.jurisdiction(c)
}

// receipts checks what can be said without the directory.
func (d *document) receipts(c *Config) {
	r := c.Receipts
	if r.Within < time.Second || r.Within > 31*24*time.Hour {
		d.report("receipts.within", "out-of-range", "the bound is not within 1s and 744h", "15m suits most installations")
	}
	if len(r.Contact) > 200 || strings.ContainsAny(r.Contact, "\r\n") {
		d.report("receipts.contact", "malformed", "the contact is longer than a line of 200 bytes", "write a name and a telephone number")
	}
	if len(r.Senders) > 0 && c.Listen == "" {
		d.report("receipts.senders", "missing", "nobody can read receipts without an address that is listened on", "set listen, or leave senders out")
	}
	for _, id := range slices.Sorted(maps.Keys(r.Senders)) {
		path, s := "receipts.senders."+string(id), r.Senders[id]
		if s == nil || s.PasswordFile == "" {
			d.report(path+".passwordFile", "missing", "the sender has no password", "name a file with a password of its own, such as one that openssl rand -hex 32 has made")
			continue
		}
		d.password(path+".passwordFile", s.PasswordFile)
	}
}

// password reports a file that holds none that is long enough.
func (d *document) password(path, name string) {
	b, err := os.ReadFile(name)
	switch {
	case err != nil:
		d.readable(path, name)
	case len(strings.TrimSpace(string(b))) < ShortestPassword:
		d.report(path, "too-short", "the password has less than "+strconv.Itoa(ShortestPassword)+" characters", "make one with openssl rand -hex 32")
	}
}

// kafka checks what can be said without the brokers; what depends on them is found when they are asked.
func (d *document) kafka(k Kafka) {
	for i, b := range k.Brokers {
		d.address("kafka.brokers["+strconv.Itoa(i)+"]", b, true)
	}
	if k.Partitions < 1 || k.Partitions > 1000 {
		d.report("kafka.partitions", "out-of-range", "the number of partitions is not within 1 and 1000", "12 suits most installations")
	}
	if k.Unused < 0 {
		d.report("kafka.unusedPartitions", "out-of-range", "the number of unused partitions is below zero", "leave it out")
	}
	if k.Replication < 0 {
		d.report("kafka.replication", "out-of-range", "the number of replicas is below zero", "use 3, or 1 with a single broker")
	}
	if k.MinInSync < 0 {
		d.report("kafka.minInSync", "out-of-range", "the number of replicas is below zero", "use one less than replication, or 1 with a single broker")
	}
	if k.Session < time.Second || k.Session > 5*time.Minute {
		d.report("kafka.session", "out-of-range", "the session is not within 1s and 5m", "10s suits most installations")
	}
	d.certificates("kafka.tls", k.TLS)
	if k.SASL == nil {
		return
	}
	d.oneOf("kafka.sasl.mechanism", k.SASL.Mechanism, "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
	if k.SASL.User == "" || k.SASL.PasswordFile == "" {
		d.report("kafka.sasl", "missing", "user and passwordFile belong together", "set both, or leave sasl out")
	}
	d.readable("kafka.sasl.passwordFile", k.SASL.PasswordFile)
}

func (d *document) redis(r Redis) {
	if r.Address != "" {
		d.address("redis.address", r.Address, true)
	}
	if r.Keep < 24*time.Hour {
		d.report("redis.keep", "out-of-range", "views are kept for less than a day", "use 168h")
	}
	if r.Database < 0 {
		d.report("redis.database", "out-of-range", "the number of the database is below zero", "leave it out for 0")
	}
	d.readable("redis.passwordFile", r.PasswordFile)
	d.certificates("redis.tls", r.TLS)
}

func (d *document) certificates(path string, t *TLS) {
	if t == nil {
		return
	}
	if (t.Certificate == "") != (t.Key == "") {
		d.report(path, "missing", "certFile and keyFile belong together", "set both or none")
	}
	d.readable(path+".caFile", t.CA)
	d.readable(path+".certFile", t.Certificate)
	d.readable(path+".keyFile", t.Key)
}

// readable reports a file that is not there; an empty name means "not set".
func (d *document) readable(path, name string) {
	if name == "" {
		return
	}
	if info, err := os.Stat(name); err != nil || info.IsDir() {
		d.report(path, "file", "the file cannot be read", "correct the name, or let einmal's user read it; relative names are relative to this file's folder")
	}
}

func (d *document) address(path, value string, required bool) {
	if value == "" && !required {
		return
	}
	_, port, err := net.SplitHostPort(value)
	if n, e := strconv.ParseUint(port, 10, 16); err != nil || e != nil || n > 65535 {
		d.report(path, "malformed", "this is not an address", "write host:port, such as 127.0.0.1:8480")
	}
}

func (d *document) endpoint(path, value string) {
	if value == "" {
		return
	}
	if !strings.Contains(value, "://") {
		value = "https://" + value
	}
	if u, err := url.Parse(value); err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") {
		d.report(path, "malformed", "this is not the address of a collector", "write https://host:4318")
	}
}

func (d *document) oneOf(path, value string, allowed ...string) {
	if !slices.Contains(allowed, value) {
		d.report(path, "unknown-value", "the value is not known", suggest(value, allowed))
	}
}

func (d *document) id(path, id string) {
	if !regexp.MustCompile(idForm).MatchString(id) {
		d.report(path, "malformed", "this is not an id", "use lower-case letters, digits and hyphens, at most 36, such as rav-luzern")
	}
}

// jurisdiction checks that profile and directory are named; what stands in them is checked when they are read.
func (d *document) jurisdiction(c *Config) {
	if c.Profile == "" {
		d.report("profile", "missing", "no jurisdiction is named", "add profile: lucerne, or the path of a folder with a profile of your own")
	}
	if c.Directory == "" {
		d.report("directory", "missing", "no directory is named", "add directory: FILE; deploy/examples/directory-lucerne.yaml is one to start from")
	}
	d.readable("directory", c.Directory)
}

// systems decodes each adapter's part and lets it check itself.
func (d *document) systems(c *Config, factories []adapters.Factory, dir string) {
	if len(c.Systems) == 0 {
		d.report("systems", "missing", "no native system is configured", "add at least one")
	}
	byType := map[string]adapters.Factory{}
	var types []string
	for _, f := range factories {
		byType[f.Type()] = f
		types = append(types, f.Type())
	}
	for _, name := range systemNames(c) {
		path, s := "systems."+name, c.Systems[handover.SystemID(name)]
		d.id(path, name)
		if s == nil {
			d.report(path, "missing", "the system is empty", "give it a type and a config")
			continue
		}
		s.Codes, s.Verified = below(dir, s.Codes), below(dir, s.Verified)
		d.readable(path+".codes", s.Codes)
		d.figures(path, s)
		if f, known := byType[s.Type]; known {
			d.adapter(path+".config", s, f, dir)
			continue
		}
		d.report(path+".type", "unknown-type", "there is no adapter of this type", suggest(s.Type, types))
	}
}

// adapter decodes an adapter's part and lets it check itself.
func (d *document) adapter(path string, s *System, f adapters.Factory, dir string) {
	s.Adapter = f.DefaultConfig()
	if s.Config.Kind != 0 {
		d.decode(path, &s.Config, s.Adapter)
	}
	resolveFiles(dir, reflect.ValueOf(s.Adapter))
	if checker, ok := s.Adapter.(adapters.Checker); ok {
		for _, f := range checker.Check() {
			d.report(join(path, f.Path), f.Code, f.Text, f.Next)
		}
	}
}

func (d *document) figures(path string, s *System) {
	if s.Mode != "" {
		d.oneOf(path+".mode", string(s.Mode), string(adapters.ModeA), string(adapters.ModeB), string(adapters.ModeC))
	}
	if s.Poll < 10*time.Millisecond || s.Poll > time.Hour {
		d.report(path+".poll", "out-of-range", "the pause is not within 10ms and 1h", "2s suits most systems")
	}
	if s.Page < 1 || s.Page > 1000 {
		d.report(path+".page", "out-of-range", "the page is not within 1 and 1000 records", "200 suits most systems")
	}
	if s.Parallel < 1 || s.Parallel > 256 {
		d.report(path+".parallel", "out-of-range", "the requests at once are not within 1 and 256", "8 suits most systems")
	}
}

func systemNames(c *Config) []string {
	var names []string
	for id := range c.Systems {
		names = append(names, string(id))
	}
	slices.Sort(names)
	return names
}
