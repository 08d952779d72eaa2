package bus

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"regexp"
	"time"

	"github.com/IBM/sarama"
	"github.com/einmal-hub/einmal/contracts/fault"
)

// Config says where the brokers are and how the topics have to be. Zero fields take the value that is right for a
// production cluster; an embedded broker needs Replication and MinInSync 1.
type Config struct {
	Brokers  []string    // host:port, at least one
	ClientID string      // how the brokers' logs name this process; "einmal" when empty
	Version  string      // protocol version, "2.8.0" when empty; at least 2.1.0
	TLS      *tls.Config // nil: no encryption
	SASL     SASL        // zero: no login

	// Instance is this process's name among those of the installation, unique and the same after a restart; empty: none.
	Instance string

	Prefix      string // of the topics; "einmal" when empty
	Partitions  int32  // that cases are spread over, in every topic; 12 when zero. Can never be changed afterwards
	Unused      int32  // that somebody added to the topics; they stay empty
	Replication int16  // at least so many replicas; 3 when zero
	MinInSync   int    // at least so many of them have a record before it counts; 2 when zero

	Session time.Duration // after so long without a heartbeat the group gives a process's partitions to others; 10 s when zero
}

// SASL is a login. It shows neither user nor password when it is printed or logged.
type SASL struct {
	Mechanism string // "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"; empty: no login
	User      string
	Password  string
}

// String returns the mechanism only.
func (s SASL) String() string { return "SASL(" + s.Mechanism + ")" }

// GoString returns the mechanism only.
func (s SASL) GoString() string { return s.String() }

// LogValue returns the mechanism only.
func (s SASL) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText returns the mechanism only, so that no encoder writes the password.
func (s SASL) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Topics are the full names of the three topics.
type Topics struct{ Handover, Ledger, Parked string }

const (
	defaultVersion = "2.8.0"
	longestSession = 5 * time.Minute
)

// withDefaults fills the zero fields.
func (c Config) withDefaults() Config {
	c.ClientID = or(c.ClientID, "einmal")
	c.Version = or(c.Version, defaultVersion)
	c.Prefix = or(c.Prefix, "einmal")
	c.Partitions = or(c.Partitions, 12)
	c.Replication = or(c.Replication, 3)
	c.MinInSync = or(c.MinInSync, 2)
	c.Session = or(c.Session, 10*time.Second)
	return c
}

func or[T comparable](v, fallback T) T {
	var zero T
	if v == zero {
		return fallback
	}
	return v
}

// topics returns the names for the prefix.
func (c Config) topics() Topics {
	return Topics{Handover: c.Prefix + ".handover", Ledger: c.Prefix + ".ledger", Parked: c.Prefix + ".parked"}
}

// check returns everything that is wrong, as an error of kind Stop.
func (c Config) check() error {
	var fs fault.Findings
	if len(c.Brokers) == 0 {
		fs.Add("brokers", "missing", "there is no broker", "list at least one host:port")
	}
	// The dot separates prefix and name; Kafka treats dot and underscore as equal in its metrics.
	if !regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-]{0,63}$`).MatchString(c.Prefix) {
		fs.Add("prefix", "malformed", "the prefix is not a name", "use letters, digits and hyphens, at most 64")
	}
	c.checkNumbers(&fs)
	c.checkVersion(&fs)
	c.checkLogin(&fs)
	if len(fs) == 0 {
		return nil
	}
	return fault.New(fault.Stop, "bus.open", "invalid-config", "the bus is not configured correctly").Because(fs)
}

func (c Config) checkNumbers(fs *fault.Findings) {
	if c.Partitions < 1 || c.Partitions > 1000 {
		fs.Add("partitions", "out-of-range", "the number of partitions is not within 1 and 1000", "12 suits most installations")
	}
	if c.Unused < 0 {
		fs.Add("unused", "out-of-range", "the number of unused partitions is below zero", "leave it out")
	}
	if c.Replication < 1 {
		fs.Add("replication", "out-of-range", "the number of replicas is less than 1", "use 3, or 1 with a single broker")
	}
	if c.MinInSync < 1 || c.MinInSync > int(c.Replication) {
		fs.Add("minInSync", "out-of-range", "minInSync is not within 1 and replication", "use one less than replication, or 1 with a single broker")
	}
	if c.Session < 10*groupWait || c.Session > longestSession {
		fs.Add("session", "out-of-range", fmt.Sprintf("the session is not within %s and %s", 10*groupWait, longestSession), "10s suits most installations")
	}
}

func (c Config) checkVersion(fs *fault.Findings) {
	v, err := sarama.ParseKafkaVersion(c.Version)
	switch {
	case err != nil:
		fs.Add("version", "malformed", "the version is not one of Kafka's", "write it as 2.8.0")
	case !v.IsAtLeast(sarama.V2_1_0_0):
		fs.Add("version", "too-old", "einmal needs Kafka 2.1.0 or newer", "update the brokers")
	case !sarama.MaxVersion.IsAtLeast(v):
		fs.Add("version", "too-new", "this einmal does not know the version", "use "+sarama.MaxVersion.String()+" or an older one; newer brokers understand it")
	}
}

func (c Config) checkLogin(fs *fault.Findings) {
	switch c.SASL.Mechanism {
	case "":
		return
	case sarama.SASLTypePlaintext, sarama.SASLTypeSCRAMSHA256, sarama.SASLTypeSCRAMSHA512:
	default:
		fs.Add("sasl.mechanism", "unknown", "the mechanism is not known", "use PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512")
	}
	if c.SASL.User == "" || c.SASL.Password == "" {
		fs.Add("sasl", "missing", "user or password is empty", "set both, or no mechanism")
	}
	if c.SASL.Mechanism == sarama.SASLTypePlaintext && c.TLS == nil {
		fs.Add("sasl.mechanism", "unsafe", "PLAIN would send the password readable", "use TLS or a SCRAM mechanism")
	}
}
