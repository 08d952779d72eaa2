package ledger

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/go-json-experiment/json"
)

// Kind says what a ledger record records.
type Kind string

// The kinds of ledger records.
const (
	Install Kind = "INSTALL"    // the random name of this installation; the first one counts
	Keyring Kind = "KEYRING"    // the mark of the key file that ids are derived with; the first one counts
	Bind    Kind = "BIND"       // the native case that a case was opened from
	Admit   Kind = "ADMIT"      // a message has its place in its case; the first one with that number counts
	Intent  Kind = "INTENT"     // somebody wants to send attempt n; the first one counts
	Void    Kind = "VOID"       // attempt n provably left nothing
	Done    Kind = "DONE"       // the reference stands in the native system
	Park    Kind = "PARK"       // a person must look, or the message waits behind one where a person must look
	Ruling  Kind = "RULING"     // what the person decided; the first one for a parking counts
	Cursor  Kind = "CURSOR"     // how far a native system was read
	Differs Kind = "DIFFERENCE" // the ledger and a native system's own list differ; a person decides
	Layout  Kind = "LAYOUT"     // over how many partitions the cases are spread; the first one counts
	SetBack Kind = "SETBACK"    // a person knows that records of the ledger were lost; see setback.go
)

// version is that of the records this package writes. Records of other versions are left alone, and so is every case that one of them names: what it says may be that somebody sends. For
// that each version keeps the fields v and case. What the records of a version mean together belongs to the version, too: two gateways that count another ADMIT are two ledgers.
// What an older gateway may not know about, and may go on without, comes as a new kind or a new field of the same version.
const version = 1

// foreign is what can be read of a record of any version.
type foreign struct {
	V    int             `json:"v"`
	Case handover.CaseID `json:"case"`
}

// Destination is a place that a message is recorded in: the dossier of an organisation in a system, or the one case on a shared
// platform (Organisation empty). The zero Destination is the gate, where a message gets its place in its case.
type Destination struct {
	System       handover.SystemID       `json:"system"`
	Organisation handover.OrganisationID `json:"organisation,omitzero"`
}

// Gate is the destination of messages that are not admitted yet.
var Gate Destination //nolint:gochecknoglobals // a constant: the zero value with a name

// String returns "system/organisation", "system" or "gate".
func (d Destination) String() string {
	switch {
	case d == Gate:
		return "gate"
	case d.Organisation == "":
		return string(d.System)
	default:
		return string(d.System) + "/" + string(d.Organisation)
	}
}

// Place is where the sealed message lies.
type Place struct {
	Topic  Topic `json:"topic"`
	Offset int64 `json:"offset"` // in the partition of the case
}

// Topic names one of the two topics that hold sealed content.
type Topic string

// The topics that hold sealed content.
const (
	OnBus    Topic = "handover" // canonical messages
	OnParked Topic = "parked"   // native records that could not be translated
)

// Reason says why a message is parked, for a person. It holds no personal data.
type Reason struct {
	Code string `json:"code"`
	Text string `json:"text"`
	Path string `json:"path,omitzero"`
	Next string `json:"next,omitzero"`
}

// ReasonOf makes a reason of an error: the innermost sentence that was written for a person, and every finding.
func ReasonOf(err error) Reason {
	r := Reason{Code: fault.CodeOf(err), Text: err.Error()}
	for e := err; e != nil; {
		var f *fault.Error
		if !errors.As(e, &f) {
			break
		}
		if f.Text != "" {
			r.Text, r.Path, r.Next = f.Text, f.Path, f.Next
		}
		e = f.Err
	}
	var findings fault.Findings
	if errors.As(err, &findings) && len(findings) > 0 {
		r.Text, r.Path = findings.Error(), findings[0].Path
		if r.Code == "unclassified" {
			r.Code = findings[0].Code
		}
	}
	return r
}

// Verdict is what a person decides about a parked message.
type Verdict string

// The verdicts.
const (
	Retry    Verdict = "RETRY"    // go on with it: admit it, or send it once more
	Found    Verdict = "FOUND"    // it stands in the native system, under this number
	Withdraw Verdict = "WITHDRAW" // drop it; the receipt says so and why, and the person who decides tells a sender that reads none
	Accept   Verdict = "ACCEPT"   // a difference: leave it as it is
)

// Record is one record of the ledger. Which fields are set depends on its kind.
type Record struct {
	V       int                `json:"v"`
	Kind    Kind               `json:"kind"`
	Case    handover.CaseID    `json:"case,omitzero"`
	Message handover.MessageID `json:"message,omitzero"`
	To      Destination        `json:"to,omitzero"`
	Ref     native.Reference   `json:"ref,omitzero"`
	Attempt int                `json:"attempt,omitzero"`
	Nonce   string             `json:"nonce,omitzero"`
	// Searched says that a VOID rests on a search after everything had settled, not on the native system's answer.
	Searched bool `json:"searched,omitzero"`

	Native     native.RecordID `json:"native,omitzero"`     // DONE, RULING found
	NativeCase native.CaseKey  `json:"nativeCase,omitzero"` // DONE, BIND, RULING found
	// As is the native system's word for what the record is; DONE.
	As native.Kind `json:"as,omitzero"`

	Admission *Admission `json:"admission,omitzero"` // ADMIT
	Parking   *Parking   `json:"parking,omitzero"`   // PARK
	Decision  *Decision  `json:"decision,omitzero"`  // RULING
	// Difference is what DIFFERENCE records.
	Difference *Difference `json:"difference,omitzero"`

	Mark       string `json:"mark,omitzero"`       // KEYRING
	Partitions int32  `json:"partitions,omitzero"` // LAYOUT
	// Era is how often the ledger had been set back, as its writer knew it: INTENT, VOID, SETBACK.
	Era int `json:"era,omitzero"`
	// Acceptance is who knows of a loss; SETBACK.
	Acceptance *Acceptance `json:"acceptance,omitzero"`

	System   handover.SystemID `json:"system,omitzero"`   // CURSOR
	Position native.Position   `json:"position,omitzero"` // CURSOR
}

// Admission is a message's place in its case.
type Admission struct {
	Number  uint64           `json:"number"` // 1 for the first admitted message of the case
	Place   Place            `json:"place"`
	Print   string           `json:"print"` // keyed fingerprint of the payload
	State   handover.State   `json:"state"` // of the case after this message
	Parties handover.Parties `json:"parties"`
	To      []Destination    `json:"to"`
	// Origin is the dossier that the message was entered in, and Sequence its place there: what was said last of this case in that dossier.
	Origin   Destination   `json:"origin"`
	Sequence uint64        `json:"sequence"`
	Name     handover.Name `json:"name"`
	// Record is the native system's own number of what was entered, and Entered when that was (UTC), as the native system dates it; both are for those who look for it.
	Record  native.RecordID `json:"record,omitzero"`
	Entered time.Time       `json:"entered,omitzero"`
	Test    bool            `json:"test,omitzero"` // the message is a test delivery, and so is its case
	// Said is the message in the history of its case. A view holds it there only: [View.Admission] returns nil.
	Said *handover.Said `json:"said,omitzero"`
	// Approval is where the cost approval that it is about stands after it.
	Approval handover.ApprovalState `json:"approval,omitzero"`
	// Revises is the message that it recalls or corrects, and Action which of the two; both empty for a new one.
	Revises handover.MessageID `json:"revises,omitzero"`
	Action  handover.Action    `json:"action,omitzero"`
	// Expects is what somebody waits for since this message; nil: nothing.
	Expects *Expected `json:"expects,omitzero"`
	// Opening is what is settled when a case is opened; nil for every other message, but for the first one in a case that a gateway of an earlier version opened.
	Opening *Opening `json:"opening,omitzero"`
	// Withdrawn says that a person dropped the message before it had a place; the other fields are empty then, but for Action and Revises, as far as they are known.
	Withdrawn bool `json:"-"`
}

// Expected is something that is to come by a day: the answer to a cost approval, the next review meeting.
type Expected struct {
	Deadline handover.Code `json:"deadline"` // of the profile
	By       handover.Date `json:"by"`       // the last day that is in time
}

// Opening is what is settled for a whole case with its application: later changes of directory and profile concern later cases.
type Opening struct {
	// Profile is the version of the rules that the application was judged by: "lucerne/regular-2025".
	Profile string `json:"profile"`
	// Works says in which system the dossier of each party stands.
	Works map[handover.OrganisationID]handover.SystemID `json:"works"`
	// During and After say how the assigning agency leads its own procedure while the other one leads, and afterwards; of the profile's code list "procedure".
	During handover.Code `json:"during,omitzero"`
	After  handover.Code `json:"after,omitzero"`
	// Check is what the rules have against the application; nil: nothing.
	Check *Check `json:"check,omitzero"`
	// Beside are other cases of the person and topic that had not ended when a person said that both are meant.
	Beside []handover.CaseID `json:"beside,omitzero"`
}

// Returned reports whether the rules did not admit the application: nothing of it has left the dossier that it was entered in.
func (o Opening) Returned() bool { return o.Check != nil && o.Check.Outcome == handover.Returned }

// Check is the answer of the rules to an application.
type Check struct {
	Outcome handover.Code `json:"outcome"` // [handover.Returned] or [handover.Forward]
	// Findings say which rules do not hold, and so something about the person, often about her health: in the ledger they stand sealed only.
	Findings []Finding `json:"-"`
	Sealed   []byte    `json:"sealed"`
	// Cleared says that nothing is against the application any more: the answer only takes back what was said about an earlier wording.
	Cleared bool `json:"cleared,omitzero"`
}

// Finding is one rule that does not hold; see [handover.RuleFinding]. It holds words of the profile and of the directory only, nothing of the application.
type Finding struct {
	Rule     string        `json:"rule"`
	Severity handover.Code `json:"severity"`
	Reason   handover.Code `json:"reason,omitzero"`
	Source   string        `json:"source"`
	Text     string        `json:"text"`
	Hint     string        `json:"hint,omitzero"`
}

// Parking is a message that waits for a person, or behind one that does.
type Parking struct {
	Place  Place  `json:"place"`
	Reason Reason `json:"reason"`
	// Attempt is the attempt whose outcome is put before the person; 0 if it is about something else. The question counts only while it is the last attempt.
	Attempt int           `json:"attempt,omitzero"`
	Held    bool          `json:"held,omitzero"` // it waits behind another message and needs no ruling of its own
	Name    handover.Name `json:"name,omitzero"`
	At      time.Time     `json:"at"` // UTC
	// Origin and Sequence are the dossier that the message was entered in and its place there, as far as they are known: the order of one dossier's messages.
	Origin   Destination `json:"origin,omitzero"`
	Sequence uint64      `json:"sequence,omitzero"`
	Entered  Entered     `json:"entered,omitzero"`
	// Sender is who says it, as far as it is known.
	Sender handover.OrganisationID `json:"sender,omitzero"`
	// Action and Revises are what a message that waits at the gate does to an earlier one, and to which; no action: it is not known. A message that names it may come after a person has dropped it.
	Action  handover.Action    `json:"action,omitzero"`
	Revises handover.MessageID `json:"revises,omitzero"`
}

// Entered is where a person finds what was entered, in the native system's own numbers, as far as they are known.
type Entered struct {
	System handover.SystemID `json:"system,omitzero"`
	Case   native.CaseKey    `json:"case,omitzero"`
	Record native.RecordID   `json:"record,omitzero"`
}

// Decision is a person's ruling on one parking.
type Decision struct {
	Parking int64     `json:"parking"` // ledger offset of the PARK or DIFFERENCE record that it is about
	Verdict Verdict   `json:"verdict"`
	Person  string    `json:"person"` // the operator's account name
	Why     string    `json:"why"`
	At      time.Time `json:"at"` // UTC
}

// key returns the Kafka key. Compaction keeps the last record of a key, so only cursors share one: of everything else the first may have decided what came after it, even if the next one says the same.
func (r Record) key() string {
	parts := []string{string(r.Kind)}
	switch r.Kind {
	case Install, Keyring, Layout, SetBack:
		parts = append(parts, r.Nonce)
	case Bind:
		parts = append(parts, string(r.Case), r.To.String(), r.Nonce)
	case Admit:
		parts = append(parts, string(r.Message), strconv.FormatUint(r.Admission.Number, 10), r.Nonce)
	case Intent, Void:
		parts = append(parts, string(r.Ref), strconv.Itoa(r.Attempt), r.Nonce)
	case Done:
		parts = append(parts, string(r.Ref), r.Nonce)
	case Park, Ruling:
		parts = append(parts, string(r.Case), r.To.String(), string(r.Message), r.Nonce)
	case Cursor:
		parts = append(parts, string(r.System))
	case Differs:
		parts = append(parts, r.Difference.ID, r.Nonce)
	}
	return strings.Join(parts, "|")
}

func encode(r Record) ([]byte, error) {
	r.V = version
	b, err := json.Marshal(r)
	if err != nil {
		return nil, fault.Wrap(fault.Stop, "ledger.encode", err)
	}
	return b, nil
}

// decode reads a record. Records of another version are reported as such, never guessed at; of them only the case is returned.
func decode(b []byte) (Record, error) {
	var r Record
	err := json.Unmarshal(b, &r)
	if err == nil && r.V == version {
		return r, nil
	}
	var f foreign
	if e := json.Unmarshal(b, &f); e != nil || f.V == version || f.V == 0 {
		return Record{}, fault.Wrap(fault.Park, "ledger.decode", errors.Join(err, e))
	}
	return Record{Case: f.Case}, fault.New(fault.Park, "ledger.decode", "ledger-version", fmt.Sprintf("the ledger record has version %d", f.V))
}
