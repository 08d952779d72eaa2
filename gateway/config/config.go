// Package config reads the gateway's configuration file: YAML, strictly, with every finding at once, each with file, line, path and the next step.
//
// One file says everything; there are no flags or environment variables that change it, so what runs is what was checked. Secrets do not stand in it: it names
// files. Relative paths are relative to the folder of the file, so that a configuration and its secrets move together.
//
// Each adapter owns its part of the file: this package hands it over, decoded into the adapter's own type, and knows none of them by name. Rejected: a library that merges files,
// environment and flags (no answer to "where does this value come from"), and the YAML library's own strict mode (it loses the path).
package config

import (
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/handover"
)

// Config is the configuration of one gateway.
type Config struct {
	// Instance is this gateway's name among those of the installation: each its own, the same after a restart. With it a gateway that was killed takes its work up at
	// once when it starts again; without it that takes as long as kafka.session. Letters, digits and hyphens.
	Instance string `yaml:"instance"`
	// Listen is the address for notifications of native systems (webhooks): "host:port". Empty: no notifications are taken.
	Listen string `yaml:"listen"`
	// Admin is the address for health, metrics and parked messages. It has no login: bind it to an address that only operators reach.
	Admin string `yaml:"admin"`
	// Grace is how long a stop may take: what is under way is finished, nothing new is begun.
	Grace time.Duration `yaml:"grace"`
	// Data is the folder for the embedded engines, and for what this gateway remembers of the ledger outside Kafka and keeps of it for its next start (about 35 kB for a handover of ten messages). It must outlive the process. Two gateways may share one; give each an instance then, or only one of them keeps anything.
	Data string `yaml:"data"`
	// Keys is the file with the sealing keys and the identity secret. It must be the same for all gateways and is never to be lost: without it the bus cannot be read.
	Keys string `yaml:"keys"`

	Kafka     Kafka     `yaml:"kafka"`
	Redis     Redis     `yaml:"redis"`
	Telemetry Telemetry `yaml:"telemetry"`
	Log       Log       `yaml:"log"`
	Reconcile Reconcile `yaml:"reconcile"`
	Receipts  Receipts  `yaml:"receipts"`

	// Profile is the jurisdiction: the name of one that is part of the program ("lucerne"), or the path of a folder with one.
	Profile string `yaml:"profile"`
	// Directory is the file that says who is who: organisations, their systems, the municipalities that they serve. Its format is described in gateway/directory.
	Directory string `yaml:"directory"`
	// Systems are the native systems, by the name that messages carry as their source.
	Systems map[handover.SystemID]*System `yaml:"systems"`
}

// Kafka says where the bus is. Without brokers an embedded one is started.
type Kafka struct {
	Brokers     []string      `yaml:"brokers"`
	Version     string        `yaml:"version"`          // protocol version
	Prefix      string        `yaml:"prefix"`           // of the topics
	Partitions  int32         `yaml:"partitions"`       // that cases are spread over, in every topic; can never be changed afterwards
	Unused      int32         `yaml:"unusedPartitions"` // that somebody added to the topics; they stay empty
	Replication int16         `yaml:"replication"`      // replicas of every record
	MinInSync   int           `yaml:"minInSync"`        // replicas that have a record before it counts
	Session     time.Duration `yaml:"session"`          // after so long without a heartbeat another gateway takes over
	TLS         *TLS          `yaml:"tls"`
	SASL        *SASL         `yaml:"sasl"`
}

// SASL is a login at the brokers.
type SASL struct {
	Mechanism    string `yaml:"mechanism"` // PLAIN, SCRAM-SHA-256, SCRAM-SHA-512
	User         string `yaml:"user"`
	PasswordFile string `yaml:"passwordFile"`
}

// TLS says whom to trust and who we are.
type TLS struct {
	CA          string `yaml:"caFile"`     // file; empty: the system's authorities
	Certificate string `yaml:"certFile"`   // file; empty: no client certificate
	Key         string `yaml:"keyFile"`    // file
	ServerName  string `yaml:"serverName"` // empty: the host that is connected to
}

// Redis says where claims and views are kept. Without an address an embedded one is started.
type Redis struct {
	Address      string        `yaml:"address"`
	Username     string        `yaml:"username"`
	PasswordFile string        `yaml:"passwordFile"`
	Database     int           `yaml:"database"`
	Keep         time.Duration `yaml:"keep"` // how long views are kept
	TLS          *TLS          `yaml:"tls"`
}

// Telemetry says where spans go. Metrics are served at the admin address.
type Telemetry struct {
	Service string `yaml:"service"` // service.name
	OTLP    OTLP   `yaml:"otlp"`
}

// OTLP is a collector of spans.
type OTLP struct {
	Endpoint string `yaml:"endpoint"` // "https://host:4318"; empty: spans are not exported
	Insecure bool   `yaml:"insecure"` // plain HTTP
}

// Reconcile says when the ledger is compared with what stands in the native systems. It is on by default: in mode B the promise "recorded once" rests on it, and a difference that nobody looks
// for is not known to be absent. A system in which something is read that stands twice, or otherwise than the ledger says, is compared within some minutes, unless comparisons are switched off.
type Reconcile struct {
	Every time.Duration `yaml:"every"` // between two comparisons, by whichever gateway comes first; 0: never
	// Park puts what is found before a person; without it the figures are in the metrics and the log only.
	Park bool `yaml:"park"`
}

// Receipts says how senders learn what has become of their messages.
type Receipts struct {
	// Within is the bound: a message of which nothing is known at a place after so long is late. A system that answers later has its own time on top.
	Within time.Duration `yaml:"within"`
	// Contact is whom senders ask about what waits or was dropped: a name, a telephone number. Empty: receipts do not say it.
	Contact string `yaml:"contact"`
	// Senders are the organisations of the directory that may read the receipts of their own messages, at the address of listen.
	Senders map[handover.OrganisationID]*Sender `yaml:"senders"`
}

// Sender is an organisation that reads its receipts.
type Sender struct {
	PasswordFile string `yaml:"passwordFile"` // at least [ShortestPassword] characters; it is read at every request, so it can be changed at any time
}

// ShortestPassword is how many characters the password of a sender has at least: nobody has to remember it.
const ShortestPassword = 24

// Log says what is logged. Logs go to standard error.
type Log struct {
	Level  string `yaml:"level"`  // debug, info, warn, error
	Format string `yaml:"format"` // json, text
}

// System is one native system.
type System struct {
	Type     string        `yaml:"type"`     // the adapter: "klib"
	Read     bool          `yaml:"read"`     // whether it is read; default true
	Write    bool          `yaml:"write"`    // whether it is written into; default true
	Poll     time.Duration `yaml:"poll"`     // pause between two readings that found nothing
	Page     int           `yaml:"page"`     // records of one reading
	Parallel int           `yaml:"parallel"` // requests in flight at once
	// Test says that this is a test instance: only it may receive test deliveries, and it receives nothing else's.
	Test bool `yaml:"test"`
	// Codes is a file with code lists that replace those of the system's mapping table: the words of another jurisdiction, or of this installation.
	Codes string `yaml:"codes"`
	// Mode is the mode in which the system is used: A, B or C, at best its adapter's. Empty: its adapter's with a record (Verified), and C, in which every doubt is put before a person, without one.
	// A worse one is for a system that was measured to do less than others of its type; whoever writes one without a record vouches for the system.
	Mode adapters.Mode `yaml:"mode"`
	// Verified is the verification record of this system, or of a test instance of it that is configured beside it: a file that 'einmal adapter verify' has written. The gateway does not start
	// in a better mode or with shorter bounds than were measured. Empty: nothing was measured, which the gateway says at every start.
	Verified string `yaml:"verified"`
	// Config is the adapter's own part.
	Config yaml.Node `yaml:"config"`

	// Adapter is Config, decoded into the type that the adapter's factory gave.
	Adapter any `yaml:"-"`
}

// Default returns a configuration with every default set.
func Default() Config {
	return Config{
		Admin: "127.0.0.1:8481", Grace: 30 * time.Second, Data: "einmal-data",
		Kafka:     Kafka{Version: "2.8.0", Prefix: "einmal", Partitions: 12, Session: 10 * time.Second},
		Redis:     Redis{Keep: 7 * 24 * time.Hour},
		Telemetry: Telemetry{Service: "einmal"},
		Log:       Log{Level: "info", Format: "json"},
		Reconcile: Reconcile{Every: 24 * time.Hour, Park: true},
		Receipts:  Receipts{Within: 15 * time.Minute},
	}
}

// UnmarshalYAML sets the defaults of a system before it is decoded.
func (s *System) UnmarshalYAML(n *yaml.Node) error {
	type plain System
	p := plain{Read: true, Write: true, Poll: 2 * time.Second, Page: 200, Parallel: 8}
	if err := n.Decode(&p); err != nil {
		return err
	}
	*s = System(p)
	return nil
}
