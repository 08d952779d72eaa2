package measure

import (
	"crypto/sha256"
	"encoding"
	"encoding/hex"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/strict"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Format is the first thing that a record says.
const Format = "einmal-verification/1"

// Record is the verification record of one configured system: what was measured, of what, when, and by whom. It holds no secret and no value of a form.
type Record struct {
	Format      string            `json:"format"`
	System      handover.SystemID `json:"system"`
	Type        string            `json:"type"`
	Contract    string            `json:"contract"`    // the version of the native contract that the adapter speaks
	Program     string            `json:"program"`     // the version of einmal that measured
	Fingerprint string            `json:"fingerprint"` // of the adapter's configuration; see [Fingerprint]
	Test        bool              `json:"test"`        // it was measured on a test instance
	At          time.Time         `json:"at"`
	By          string            `json:"by"`
	Report      Report            `json:"report"`
}

// Encode returns the record as it stands in a file.
func (r Record) Encode() ([]byte, error) {
	b, err := json.Marshal(r, jsontext.WithIndent("  "), json.Deterministic(true))
	return append(b, '\n'), fault.Wrap(fault.Stop, "measure.record", err)
}

// ParseRecord reads a record. Errors are of kind Stop.
func ParseRecord(b []byte) (Record, error) {
	var r Record
	if err := strict.JSON(b, &r); err != nil {
		return Record{}, fault.New(fault.Stop, "measure.record", "record", "this is no verification record").Hint("write it anew with 'einmal adapter verify'").Because(err)
	}
	m := r.Report.Measured
	known := slices.Contains([]adapters.Mode{adapters.ModeA, adapters.ModeB, adapters.ModeC, None}, m.Mode)
	if r.Format != Format || !known || min(m.Request, m.Processing, m.Lookup, m.Answer) < 0 {
		return Record{}, fault.New(fault.Stop, "measure.record", "record", "the verification record is not one that this version of einmal can read").
			Hint("write it anew with 'einmal adapter verify'")
	}
	return r, nil
}

// LoadRecord reads a record from a file. Errors are of kind Stop.
func LoadRecord(file string) (Record, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return Record{}, fault.New(fault.Stop, "measure.record", "unreadable", "the file with the verification record cannot be read").
			Hint("correct the name, or write the record with 'einmal adapter verify'")
	}
	return ParseRecord(b)
}

// Permits returns what of a configuration the record does not bear: another type or contract, a better mode than was measured, a shorter time than was seen. Which configuration the
// record belongs to is for the caller to find out, by its fingerprint. Paths are relative to the system's configuration.
func (r Record) Permits(typ string, a adapters.Abilities) fault.Findings {
	const again = "measure again with 'einmal adapter verify'"
	var fs fault.Findings
	if r.Type != typ || r.Contract != a.Contract {
		fs.Add("verified", "other-contract", "the verification record is about another adapter, or about another version of the native contract", again)
		return fs
	}
	m := r.Report.Measured
	if worse(m.Mode, a.Mode) {
		next := "set mode: " + string(m.Mode) + ", or " + again
		if m.Mode == None {
			next = "see the findings in the record, and " + again
		}
		fs.Add("mode", "better-than-measured", fmt.Sprintf("the system is used in mode %s, and what was measured bears mode %s", a.Mode, m.Mode), next)
	}
	for _, b := range []struct {
		name       string
		configured time.Duration
		measured   Span
		rests      bool
	}{
		{"request", a.Bounds.Request, m.Request, true},
		{"processing", a.Bounds.Processing, m.Processing, a.Mode == adapters.ModeB},
		{"lookup", a.Bounds.Lookup, m.Lookup, a.Mode == adapters.ModeB},
		{"answer", a.Bounds.Answer, m.Answer, a.Bounds.Asynchronous()},
	} {
		if seen := time.Duration(b.measured); b.rests && b.configured < seen {
			fs.Add("config.bounds."+b.name, "shorter-than-measured", fmt.Sprintf("the bound is %s, and %s was measured", b.configured, rounded(seen)),
				"set it to more than that, better to twice as much")
		}
	}
	return fs
}

// Fingerprint identifies the configuration of an adapter: a SHA-256 over its type and every setting that is neither a bound, which a record compares one by one, nor the name of a file: secrets stand
// in files, and may be replaced. Which settings name files is told by their names, as when the configuration is read.
func Fingerprint(typ string, cfg any) string {
	lines := append(Settings(cfg), "type="+typ)
	sum := sha256.Sum256([]byte(strings.Join(lines, "\n")))
	return "sha256:" + hex.EncodeToString(sum[:])
}

// Settings lists what a fingerprint is made of, sorted: "url="https://klib.example"".
func Settings(cfg any) []string {
	var lines []string
	settings(&lines, "", reflect.ValueOf(cfg))
	slices.Sort(lines)
	return lines
}

// settings adds a line for every setting. Values are quoted, so that none can look like another line.
func settings(lines *[]string, path string, v reflect.Value) {
	for v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		if v.IsNil() {
			return
		}
		v = v.Elem()
	}
	_, worded := reflect.TypeAssert[encoding.TextMarshaler](v)
	switch {
	case v.Kind() == reflect.Struct && !worded:
		for i := range v.NumField() {
			field(lines, path, v.Type().Field(i), v.Field(i))
		}
	case v.Kind() == reflect.Slice:
		for i := range v.Len() {
			settings(lines, fmt.Sprintf("%s[%d]", path, i), v.Index(i))
		}
	case v.IsValid():
		*lines = append(*lines, fmt.Sprintf("%s=%q", path, fmt.Sprint(v.Interface())))
	}
}

func field(lines *[]string, path string, f reflect.StructField, v reflect.Value) {
	name, options, _ := strings.Cut(f.Tag.Get("yaml"), ",")
	if name == "" {
		name = strings.ToLower(f.Name)
	}
	switch {
	case !f.IsExported() || name == "-" || strings.HasSuffix(name, "File") || strings.HasSuffix(name, "Files") || v.Type() == reflect.TypeFor[adapters.Bounds]():
	case strings.Contains(options, "inline"):
		settings(lines, path, v)
	default:
		settings(lines, strings.TrimPrefix(path+"."+name, "."), v)
	}
}
