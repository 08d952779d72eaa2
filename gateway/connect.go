package gateway

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"os"
	"sort"
	"strings"
	"time"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/adapters/measure"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/gateway/bus"
	"github.com/einmal-hub/einmal/gateway/claims"
	"github.com/einmal-hub/einmal/gateway/config"
	"github.com/einmal-hub/einmal/mapping"
)

// connection is one native system with everything that belongs to it.
type connection struct {
	id     handover.SystemID
	config *config.System
	system adapters.System
	mapper mapping.Mapper
	coded  mapping.Coded   // the mapper, if its code lists can be seen
	record *measure.Record // what was measured of the system; nil: nothing
}

// longestRequest is the most that one request may take: what is under way must end before the bus gives a partition to another gateway.
const longestRequest = 25 * time.Second

// connect makes a system of every configured one, in the order of their names. All findings come at once.
func connect(c config.Config, factories []adapters.Factory, mappers map[string]mapping.Mapper) ([]connection, error) {
	byType := map[string]adapters.Factory{}
	for _, f := range factories {
		byType[f.Type()] = f
	}
	var out []connection
	var findings fault.Findings
	for id, s := range c.Systems {
		path := "systems." + string(id)
		f, m := byType[s.Type], mappers[s.Type]
		if f == nil || m == nil {
			findings.Add(path+".type", "unknown-type", "there is no adapter with a mapping of this type", "")
			continue
		}
		m, found := coded(m, path, s.Codes)
		if findings = append(findings, found...); len(found) > 0 {
			continue
		}
		system, err := f.New(id, s.Adapter)
		if err != nil {
			findings.Add(path+".config", fault.CodeOf(err), err.Error(), "")
			continue
		}
		record, found := bear(c.Systems, id, &system.Abilities)
		findings = append(findings, found...)
		if system.Abilities.Bounds.Request <= 0 || system.Abilities.Bounds.Request > longestRequest {
			findings.Add(path+".config.bounds.request", "out-of-range", "the time for one request is not within 0 and 25s", "use 10s")
		}
		if needsFinder := system.Abilities.Mode == adapters.ModeB || system.Abilities.Bounds.Asynchronous(); needsFinder && system.Finder == nil {
			findings.Add(path+".type", "mode", "mode B, and a system that answers later, need an adapter that can search by reference", "")
		}
		c, _ := m.(mapping.Coded)
		out = append(out, connection{id: id, config: s, system: guarded(system), mapper: mapping.Guard(m), coded: c, record: record})
	}
	sort.Slice(out, func(i, j int) bool { return out[i].id < out[j].id })
	if len(findings) > 0 {
		return nil, fault.Wrap(fault.Stop, "gateway.connect", findings)
	}
	return out, nil
}

// coded puts the code lists of a file into a mapping; no file leaves it as it is.
func coded(m mapping.Mapper, path, file string) (mapping.Mapper, fault.Findings) {
	if file == "" {
		return m, nil
	}
	var found fault.Findings
	c, able := m.(mapping.Coded)
	data, err := os.ReadFile(file)
	switch {
	case !able:
		found.Add(path+".codes", "codes", "the mapping of this type has no code lists that can be replaced", "remove codes")
		return m, found
	case err != nil:
		found.Add(path+".codes", "unreadable", "the file with the code lists cannot be read", "correct the name, or let einmal's user read it")
		return m, found
	}
	other, err := c.WithCodes(file, data)
	if err != nil && !errors.As(err, &found) {
		found.Add(path+".codes", fault.CodeOf(err), err.Error(), "")
	}
	return other, found
}

// busConfig turns the configuration into the bus's, reading the files that it names.
func busConfig(k config.Kafka, instance string) (bus.Config, error) {
	c := bus.Config{
		Instance: instance,
		Brokers:  k.Brokers, Version: k.Version, Prefix: k.Prefix, Partitions: k.Partitions, Unused: k.Unused,
		Replication: k.Replication, MinInSync: k.MinInSync, Session: k.Session,
	}
	var err error
	if c.TLS, err = tlsConfig("kafka.tls", k.TLS); err != nil {
		return c, err
	}
	if k.SASL != nil {
		password, err := secret("kafka.sasl.passwordFile", k.SASL.PasswordFile)
		if err != nil {
			return c, err
		}
		c.SASL = bus.SASL{Mechanism: k.SASL.Mechanism, User: k.SASL.User, Password: password}
	}
	return c, nil
}

func redisOptions(r config.Redis) (claims.Options, error) {
	o := claims.Options{Address: r.Address, Username: r.Username, Database: r.Database, Keep: r.Keep}
	var err error
	if o.TLS, err = tlsConfig("redis.tls", r.TLS); err != nil {
		return o, err
	}
	o.Password, err = secret("redis.passwordFile", r.PasswordFile)
	return o, err
}

// secret reads a secret from a file; an empty name gives an empty secret.
func secret(path, file string) (string, error) {
	if file == "" {
		return "", nil
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return "", fault.New(fault.Stop, "gateway.secret", "secret-unreadable", "the file with the secret cannot be read").At(path).
			Hint("check that the file exists and that the gateway's user can read it")
	}
	return strings.TrimSpace(string(b)), nil
}

func tlsConfig(path string, t *config.TLS) (*tls.Config, error) {
	if t == nil {
		return nil, nil //nolint:nilnil // no TLS is configured
	}
	c := &tls.Config{ServerName: t.ServerName, MinVersion: tls.VersionTLS12}
	if t.CA != "" {
		pem, err := os.ReadFile(t.CA)
		c.RootCAs = x509.NewCertPool()
		if err != nil || !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, tlsFault(path+".caFile", "the certificates of the authorities cannot be read")
		}
	}
	if t.Certificate != "" || t.Key != "" {
		pair, err := tls.LoadX509KeyPair(t.Certificate, t.Key)
		if err != nil {
			return nil, tlsFault(path+".certFile", "the client certificate and its key cannot be read")
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}

func tlsFault(path, text string) error {
	return fault.New(fault.Stop, "gateway.tls", "certificate", text).At(path).Hint("name PEM files that exist and belong together")
}
