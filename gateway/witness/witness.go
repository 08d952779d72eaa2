// Package witness remembers, outside Kafka, how far the ledger had come, and says whether a ledger that is found is that one and nothing of it is missing.
//
// The promise of modes B and C rests on the ledger's memory of what was announced. A ledger that was restored from an older backup, lost acknowledged records with its brokers, or belongs to
// another cluster looks like any other; whoever starts on it without noticing sends a second time (fault 33). What is remembered is a [Mark]; it lies in a file on the gateway's own
// disk and, as a second witness, in Redis. Either may be missing, and either may be older than the ledger: a mark is a lower bound, and only what has become less is suspicious.
//
// Seen is: a log that ends earlier, another record at the place of the last one, another cluster, another installation, fewer accepted losses. Not seen is a loss of the last second (the
// file is written that often), and one behind which more was written before anybody looked, if compaction has removed the record that is compared.
//
// Rejected: a copy of the ledger on another disk (a second log whose loss means the same), and to trust the committed offsets of the consumer group (they lie in the same brokers and are
// restored with them).
package witness

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/einmal-hub/einmal/contracts/fault"
)

// version is that of the marks this package writes.
const version = 1

// Mark is how far the logs of an installation had come.
type Mark struct {
	V            int       `json:"v"`
	Cluster      string    `json:"cluster"`      // the brokers' name for themselves
	Installation string    `json:"installation"` // the random name of the installation
	Era          int       `json:"era"`          // how many losses a person had accepted
	At           time.Time `json:"at"`           // UTC
	// Ledger, Handover and Parked are, for each partition, the offset after the last record.
	Ledger   []int64 `json:"ledger"`
	Handover []int64 `json:"handover"`
	Parked   []int64 `json:"parked"`
	// Last are the last records of the ledger's partitions; the zero value when it is not known.
	Last []Record `json:"last"`
	// Beat is how often gateways had told Redis that they live; see gateway/claims.
	Beat int64 `json:"beat,omitzero"`
}

// Record is one record of the ledger.
type Record struct {
	Offset int64  `json:"offset"`
	Digest string `json:"digest,omitzero"` // see [Digest]
}

// Digest returns a short name for what a record holds.
func Digest(value []byte) string {
	sum := sha256.Sum256(value)
	return hex.EncodeToString(sum[:12])
}

// Encode writes a mark.
func (m Mark) Encode() ([]byte, error) {
	m.V = version
	b, err := json.Marshal(m, jsontext.WithIndent("  "))
	return b, fault.Wrap(fault.Stop, "witness.encode", err)
}

// Decode reads a mark. Names that a newer gateway has added are ignored; another version is an error.
func Decode(b []byte) (Mark, error) {
	var m Mark
	if err := json.Unmarshal(b, &m); err != nil || m.V != version {
		return Mark{}, fault.New(fault.Stop, "witness.decode", "mark-unreadable", "what is remembered of the ledger cannot be read")
	}
	return m, nil
}

// Merge returns the later of two marks of the same ledger: of the same era the greater offset of each partition. The beat is that of the first one. Marks of two ledgers are not merged; the first one is returned.
func (m Mark) Merge(o Mark) Mark {
	if m.Installation != o.Installation || m.Era == o.Era && m.Cluster != o.Cluster {
		return m
	}
	beat := m.Beat
	if m.Era < o.Era {
		m, o = o, m
	}
	if m.Beat = beat; m.Era != o.Era {
		return m
	}
	m.Last = slices.Clone(m.Last)
	for p, r := range o.Last {
		if p < len(m.Last) && r.Offset > m.Last[p].Offset {
			m.Last[p] = r
		}
	}
	m.Ledger, m.Handover, m.Parked = greater(m.Ledger, o.Ledger), greater(m.Handover, o.Handover), greater(m.Parked, o.Parked)
	if o.At.After(m.At) {
		m.At = o.At
	}
	return m
}

func greater(a, b []int64) []int64 {
	out := slices.Clone(a)
	for i, n := range b {
		if i < len(out) {
			out[i] = max(out[i], n)
		} else {
			out = append(out, n)
		}
	}
	return out
}

// Same reports whether two marks say the same of the logs; when they were made, and the beat, say nothing of them.
func (m Mark) Same(o Mark) bool {
	return m.Cluster == o.Cluster && m.Installation == o.Installation && m.Era == o.Era && slices.Equal(m.Ledger, o.Ledger) &&
		slices.Equal(m.Handover, o.Handover) && slices.Equal(m.Parked, o.Parked) && slices.Equal(m.Last, o.Last)
}

// Found is the ledger as it is found.
type Found struct {
	Mark // without Last
	// Instead reports whether a person knows that the ledger stands where that of another installation was expected.
	Instead func(installation string) bool
	// RecordAt returns the digest of the ledger record at an offset; false when there is none, as after compaction.
	RecordAt func(partition int32, offset int64) (digest string, ok bool, err error)
}

// Compare returns everything in which the ledger that is found is less than what a witness ("the file ...", "Redis") remembers; nothing when it may be that ledger, grown. What was remembered before
// a loss that a person has accepted since says nothing. An error is that of RecordAt.
func Compare(witness string, was Mark, found Found) (fault.Findings, error) {
	var fs fault.Findings
	switch {
	case was.Installation != found.Installation && found.Installation == "":
		fs.Add("ledger", "ledger-empty", fmt.Sprintf("the ledger is empty, and %s remembers that of installation %s with %d records", witness, was.Installation, sum(was.Ledger)), "")
		return fs, nil
	case was.Installation != found.Installation:
		if !found.Instead(was.Installation) {
			fs.Add("ledger", "other-installation", fmt.Sprintf("the ledger is that of installation %s, and %s remembers that of %s", found.Installation, witness, was.Installation), "")
		}
		return fs, nil
	case was.Era < found.Era:
		return nil, nil
	case was.Era > found.Era:
		fs.Add("ledger", "era", fmt.Sprintf("%s remembers a loss that was accepted, and the ledger does not: it was set back behind that", witness), "")
	}
	if was.Cluster != found.Cluster {
		fs.Add("ledger", "other-cluster", fmt.Sprintf("the brokers are those of cluster %s, and %s remembers the ledger in cluster %s", found.Cluster, witness, was.Cluster), "")
	}
	shorter(&fs, witness, "ledger", was.Ledger, found.Ledger)
	shorter(&fs, witness, "handover", was.Handover, found.Handover)
	shorter(&fs, witness, "parked", was.Parked, found.Parked)
	return fs, replaced(&fs, witness, was, found)
}

// shorter finds the partitions that end earlier.
func shorter(fs *fault.Findings, witness, topic string, was, found []int64) {
	for p, n := range was {
		if p >= len(found) {
			fs.Add(fmt.Sprintf("%s[%d]", topic, p), "partition-missing", fmt.Sprintf("%s remembers a partition that is not there", witness), "")
		} else if found[p] < n {
			fs.Add(fmt.Sprintf("%s[%d]", topic, p), "shorter", fmt.Sprintf("it ends at %d, and %s remembers records up to %d: %d are lost", found[p], witness, n, n-found[p]), "")
		}
	}
}

// replaced finds the partitions in which another record stands where the last one was.
func replaced(fs *fault.Findings, witness string, was Mark, found Found) error {
	for p, r := range was.Last {
		if r.Digest == "" || p >= len(found.Ledger) || r.Offset >= found.Ledger[p] {
			continue
		}
		digest, ok, err := found.RecordAt(int32(p), r.Offset) //nolint:gosec // a number of partitions
		if err != nil {
			return err
		}
		if ok && digest != r.Digest {
			fs.Add(fmt.Sprintf("ledger[%d]", p), "replaced", fmt.Sprintf("another record stands at %d than %s remembers: what was there is lost, and something else was written since", r.Offset, witness), "")
		}
	}
	return nil
}

func sum(all []int64) (n int64) {
	for _, v := range all {
		n += v
	}
	return n
}
