package config

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"sort"
	"strings"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/fault"
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
	root, ok := d.read(text)
	if !ok {
		return c, fault.Wrap(fault.Stop, "config.load", d.Findings)
	}
	if root != nil {
		d.index("", root)
		if !d.decode("", root, &c) {
			return c, fault.Wrap(fault.Stop, "config.load", d.Findings)
		}
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
	paths := []*string{&c.Data, &c.Keys, &c.Redis.PasswordFile, &c.Directory}
	if strings.ContainsRune(c.Profile, '/') {
		paths = append(paths, &c.Profile)
	}
	if c.Kafka.SASL != nil {
		paths = append(paths, &c.Kafka.SASL.PasswordFile)
	}
	for _, t := range []*TLS{c.Kafka.TLS, c.Redis.TLS} {
		if t != nil {
			paths = append(paths, &t.CA, &t.Certificate, &t.Key)
		}
	}
	for _, s := range c.Receipts.Senders {
		if s != nil {
			paths = append(paths, &s.PasswordFile)
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
		if !f.IsExported() && !f.Anonymous {
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
		case field.Kind() == reflect.Slice:
			for j := range field.Len() {
				resolveFiles(dir, field.Index(j))
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
