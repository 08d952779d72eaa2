package reconcile

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
)

// Kind says in what way ledger and native system differ.
type Kind string

// The kinds of differences.
const (
	// Missing: the ledger says that it stands, and it does not.
	Missing Kind = "missing"
	// Extra: it stands under a reference that the ledger never announced for this system, or whose entry provably left nothing or was withdrawn.
	Extra Kind = "extra"
	// Double: more than one record stands for one reference, or for one message at one destination.
	Double Kind = "double"
	// Drifted: it stands, but otherwise than the ledger says: under another number, in another case, as another kind.
	Drifted Kind = "drifted"
	// Unasked: nobody knows whether it stands, everything that could still happen has happened, and nobody was asked.
	Unasked Kind = "unasked"
)

// Kinds lists every kind.
func Kinds() []Kind { return []Kind{Missing, Extra, Double, Drifted, Unasked} }

// State says how far a finding has come.
type State string

// The states of a finding.
const (
	New      State = "new"      // nobody was asked about it
	Parked   State = "parked"   // it is before a person
	Accepted State = "accepted" // a person has decided about exactly this
)

// Stands is one record in a native system.
type Stands struct {
	Record native.RecordID `json:"record"`
	Case   native.CaseKey  `json:"case,omitzero"`
}

// Finding is one difference. It holds no personal data: numbers and references are opaque.
type Finding struct {
	// ID names exactly this difference: the same one gets the same id in every run, and another one another id.
	ID     string            `json:"id"`
	Kind   Kind              `json:"kind"`
	State  State             `json:"state"`
	System handover.SystemID `json:"system"`
	// Organisation is whose dossier it is about; empty on a shared platform and where the ledger does not know.
	Organisation handover.OrganisationID `json:"organisation,omitzero"`
	Case         handover.CaseID         `json:"case,omitzero"`
	Message      handover.MessageID      `json:"message,omitzero"`
	Name         handover.Name           `json:"name,omitzero"`
	Reference    native.Reference        `json:"reference"`
	// Announced says that the ledger announced the reference for this system and that nobody has withdrawn it.
	Announced bool `json:"announced,omitzero"`
	// Attempt is the last attempt that the ledger knows; 0: none.
	Attempt int `json:"attempt,omitzero"`
	// Ledger is where it stands by the ledger: one record, or several if it was given several numbers.
	Ledger []Stands `json:"ledger,omitzero"`
	// Native is where it stands in the native system.
	Native []Stands `json:"native,omitzero"`
	// Differs lists what has drifted: record, case, kind, organisation, case-reference, unreadable.
	Differs []string `json:"differs,omitzero"`
	// Since is when the ledger recorded what the finding is about; zero if it does not know.
	Since time.Time `json:"since,omitzero"`
	Text  string    `json:"text"`
	Next  string    `json:"next"`
}

// name gives the finding its id.
func (f *Finding) name() {
	h := sha256.New()
	fmt.Fprint(h, f.Kind, "|", f.System, "|", f.Reference, "|", f.Attempt, "|")
	for _, side := range [][]Stands{f.Ledger, f.Native} {
		all := make([]string, len(side))
		for i, s := range side {
			all[i] = string(s.Record) + "/" + string(s.Case)
		}
		slices.Sort(all)
		fmt.Fprint(h, strings.Join(all, ","), "|")
	}
	fmt.Fprint(h, strings.Join(f.Differs, ","))
	f.ID = hex.EncodeToString(h.Sum(nil)[:16])
}

// Status says whether a system could be compared.
type Status string

// The statuses of a system.
const (
	Compared      Status = "compared"
	NotComparable Status = "not comparable"
	Unreadable    Status = "unreadable" // its list could not be read
)

// Result is what came of one system.
type Result struct {
	System handover.SystemID `json:"system"`
	Status Status            `json:"status"`
	Why    string            `json:"why,omitzero"`  // it was not compared
	Next   string            `json:"next,omitzero"` // what to do then
	// Recorded is how many entries stand there by the ledger, and Listed how many records with a reference its list holds.
	Recorded int `json:"recorded"`
	Listed   int `json:"listed"`
	// InFlight is how many entries are too young to be compared, or changed while they were.
	InFlight int `json:"inFlight"`
	// Asked is how many unknown outcomes are before a person already.
	Asked int `json:"asked"`
	// Broken is how many records of its list could not be read.
	Broken   int          `json:"broken"`
	Findings map[Kind]int `json:"findings"` // all kinds, those of accepted ones left out
	Accepted int          `json:"accepted"` // findings that a person has accepted
}

// Report is what a comparison has found.
type Report struct {
	Began    time.Time `json:"began"`
	Ended    time.Time `json:"ended"`
	Systems  []Result  `json:"systems"`
	Findings []Finding `json:"findings"`
}

// Differs reports whether anything differs that no person has accepted.
func (r Report) Differs() bool {
	return slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.State != Accepted })
}

// Complete reports whether every system that can be compared was.
func (r Report) Complete() bool {
	return !slices.ContainsFunc(r.Systems, func(s Result) bool { return s.Status == Unreadable })
}

// order sorts by system, kind, reference.
func order(a, b Finding) int {
	return cmp.Or(cmp.Compare(a.System, b.System), cmp.Compare(slices.Index(Kinds(), a.Kind), slices.Index(Kinds(), b.Kind)), cmp.Compare(a.Reference, b.Reference),
		cmp.Compare(a.ID, b.ID))
}
