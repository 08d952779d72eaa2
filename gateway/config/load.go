package config

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"sort"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
)

// Load reads and checks a configuration file. Errors are a [fault.Error] of kind Stop that wraps [fault.Findings].
func Load(file string, factories []adapters.Factory) (Config, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		var pathError *os.PathError
		cause := err
		if errors.As(err, &pathError) {
			cause = pathError.Err
		}
		f := fault.Findings{{File: file, Code: "unreadable", Text: "the configuration cannot be read: " + cause.Error(), Next: "name an existing file with --config"}}
		return Config{}, fault.Wrap(fault.Stop, "config.load", f)
	}
	return Parse(file, text, factories)
}

// Parse is Load for a text that has been read; file is used for findings and for relative paths.
func Parse(file string, text []byte, factories []adapters.Factory) (Config, error) {
	d := &document{file: file, lines: map[string]int{}}
	c := Default()
	var root yaml.Node
	if err := yaml.Unmarshal(text, &root); err != nil {
		d.typeError("", strings.TrimPrefix(err.Error(), "yaml: "))
		d.Findings[0].Code, d.Findings[0].Text, d.Findings[0].Next = "malformed", "this is not YAML", "check indentation, colons and quotes around this line"
		return c, fault.Wrap(fault.Stop, "config.load", d.Findings)
	}
	if len(root.Content) == 1 {
		d.index("", root.Content[0])
		d.decode("", root.Content[0], &c)
	}
	c.resolve(filepath.Dir(file))
	d.check(&c)
	d.systems(&c, factories, filepath.Dir(file))
	sort.SliceStable(d.Findings, func(i, j int) bool { return d.Findings[i].Line < d.Findings[j].Line })
	if len(d.Findings) > 0 {
		return c, fault.Wrap(fault.Stop, "config.load", d.Findings)
	}
	return c, nil
}

// resolve makes paths absolute or relative to the working directory, and gives the key file its default.
func (c *Config) resolve(dir string) {
	if c.Keys == "" {
		c.Keys = filepath.Join(c.Data, "einmal.key")
	}
	paths := []*string{&c.Data, &c.Keys, &c.Redis.PasswordFile}
	if c.Kafka.SASL != nil {
		paths = append(paths, &c.Kafka.SASL.PasswordFile)
	}
	for _, t := range []*TLS{c.Kafka.TLS, c.Redis.TLS} {
		if t != nil {
			paths = append(paths, &t.CA, &t.Certificate, &t.Key)
		}
	}
	for _, p := range paths {
		*p = below(dir, *p)
	}
}

// below makes a relative path relative to a folder.
func below(dir, path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

func (d *document) check(c *Config) {
	d.address("listen", c.Listen, false)
	d.address("admin", c.Admin, true)
	if c.Grace < time.Second || c.Grace > 10*time.Minute {
		d.report("grace", "out-of-range", "the grace is not within 1s and 10m", "30s suits most installations")
	}
	for i, b := range c.Kafka.Brokers {
		d.address("kafka.brokers["+strconv.Itoa(i)+"]", b, true)
	}
	if c.Redis.Address != "" {
		d.address("redis.address", c.Redis.Address, true)
	}
	if c.Redis.Keep < 24*time.Hour {
		d.report("redis.keep", "out-of-range", "views are kept for less than a day", "use 168h")
	}
	d.oneOf("log.level", c.Log.Level, "debug", "info", "warn", "error")
	d.oneOf("log.format", c.Log.Format, "json", "text")
	d.organisations(c)
}

func (d *document) address(path, value string, required bool) {
	if value == "" && !required {
		return
	}
	if _, port, err := net.SplitHostPort(value); err != nil || port == "" {
		d.report(path, "malformed", "this is not an address", "write host:port, such as 127.0.0.1:8480")
	}
}

func (d *document) oneOf(path, value string, allowed ...string) {
	for _, a := range allowed {
		if value == a {
			return
		}
	}
	d.report(path, "unknown-value", "the value is not known", "use "+strings.Join(allowed, ", "))
}

func (d *document) organisations(c *Config) {
	if len(c.Organisations) < 2 {
		d.report("organisations", "missing", "a handover needs two organisations", "list every office that hands cases over or takes them")
	}
	first := map[handover.OrganisationID]int{}
	for i, o := range c.Organisations {
		path := "organisations[" + strconv.Itoa(i) + "]"
		if o.ID == "" {
			d.report(path+".id", "missing", "the organisation has no id", "give it a short name in lower case, such as rav-luzern")
		}
		if j, twice := first[o.ID]; twice {
			d.report(path+".id", "repeated", "organisations["+strconv.Itoa(j)+"] has the same id", "give each organisation its own")
		}
		first[o.ID] = i
		if o.Agency == "" {
			d.report(path+".agency", "missing", "the organisation has no agency type", "use ALV, IV or SH")
		}
		if _, known := c.Systems[o.System]; !known {
			d.report(path+".system", "unknown-system", "no system of this name is configured", "use one of "+systemNames(c))
		}
	}
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
	for id, s := range c.Systems {
		path := "systems." + string(id)
		if s == nil {
			d.report(path, "missing", "the system is empty", "give it a type and a config")
			continue
		}
		f, known := byType[s.Type]
		if !known {
			d.report(path+".type", "unknown-type", "there is no adapter of this type", "use one of "+strings.Join(types, ", "))
			continue
		}
		d.figures(path, s)
		s.Adapter = f.DefaultConfig()
		if s.Config.Kind != 0 {
			d.decode(path+".config", &s.Config, s.Adapter)
		}
		resolveFiles(dir, reflect.ValueOf(s.Adapter))
		if checker, ok := s.Adapter.(adapters.Checker); ok {
			for _, f := range checker.Check() {
				d.report(join(path+".config", f.Path), f.Code, f.Text, f.Next)
			}
		}
	}
}

func (d *document) figures(path string, s *System) {
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

// resolveFiles makes the file settings of an adapter's configuration relative to dir.
func resolveFiles(dir string, v reflect.Value) {
	for v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return
		}
		v = v.Elem()
	}
	if v.Kind() != reflect.Struct {
		return
	}
	for i := range v.NumField() {
		f, field := v.Type().Field(i), v.Field(i)
		if !f.IsExported() {
			continue
		}
		name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		switch {
		case field.Kind() == reflect.String && namesFile(name):
			field.SetString(below(dir, field.String()))
		case field.Kind() == reflect.Slice && field.Type().Elem().Kind() == reflect.String && namesFile(name):
			for j := range field.Len() {
				field.Index(j).SetString(below(dir, field.Index(j).String()))
			}
		default:
			resolveFiles(dir, field)
		}
	}
}

// namesFile tells by a setting's name whether it names a file.
func namesFile(name string) bool {
	return strings.HasSuffix(name, "File") || strings.HasSuffix(name, "Files")
}

func systemNames(c *Config) string {
	var names []string
	for id := range c.Systems {
		names = append(names, string(id))
	}
	sort.Strings(names)
	return strings.Join(names, ", ")
}
