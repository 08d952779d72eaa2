// Package native holds what adapters and mappings say to each other through the gateway: a record as it was read from a native
// system, an entry as it is to be written into one. The body stays in the native system's own wire format, byte for
// byte; only a mapping looks into it.
//
// The published contract of each native system lies in the folder of its name below this one. No public interface exists for the case
// data of CASEnet, AVAM, OSIV, KLIB or Tutoris: these contracts are einmal's own, modelled on the Swiss standards.
package native

import (
	"strings"
	"time"

	"github.com/einmal-hub/einmal/contracts/handover"
)

// RecordID is a native system's own id of one record. Opaque.
type RecordID string

// CaseKey is a native system's own id of one case. Opaque.
type CaseKey string

// Kind is a native system's own word for what a record is.
type Kind string

// Reference is einmal's name for one record in one native system. It is opaque, at most 36 characters of [0-9a-f-], the same
// for every attempt to write that record, and different for every other record.
type Reference string

// MeasuredPrefix begins every reference under which a system is measured (adapters/measure): "TEST", twice, in hexadecimal digits. The references of handovers are made with a secret; one
// of them begins so in four thousand million.
const MeasuredPrefix = "7e577e57-"

// Measured reports whether a reference is that of an entry with which a system was measured: the prefix, and the version 0, which no UUID of a handover has.
func (r Reference) Measured() bool {
	return len(r) == 36 && strings.HasPrefix(string(r), MeasuredPrefix) && r[14] == '0'
}

// Position is a place in the stream of a native system's records, in that system's own notation. The empty position is
// the beginning. Only the adapter that made it can read it.
type Position string

// Record is one thing that was entered in a native system, as its adapter read it. Records are immutable: a native system that lets its
// staff change an entry reports the change as a record of its own.
type Record struct {
	ID   RecordID
	Kind Kind
	Case CaseKey
	// Organisation is whose clerk entered it; empty when the wire format says it in the body.
	Organisation handover.OrganisationID
	// CaseReference is the case id that einmal gave when it opened the case there; empty for a case that was opened by a clerk.
	CaseReference handover.CaseID
	// Reference is set when einmal wrote the record; empty for everything that a person entered.
	Reference Reference
	Sequence  uint64    // position in its native case, from 1
	At        time.Time // when it was entered
	// Action is empty for a new entry. A recall or a correction (eCH-0058 actions 3 and 4) names in Refers the record that it is about; systems that say both in the body leave
	// them empty here.
	Action handover.Action
	Refers RecordID
	Body   []byte // wire format of the native system; holds personal data
}

// Entry is one thing to be written into a native system.
type Entry struct {
	Reference Reference
	Kind      Kind
	// Case is the native case to write into; empty opens a new case.
	Case CaseKey
	// CaseReference is einmal's id of the case. It comes with every entry; what counts is the one with which the native case was opened.
	CaseReference handover.CaseID
	// Organisation is whose dossier it goes into: the party of the case that works in this system.
	Organisation handover.OrganisationID
	// Action and Refers are as in [Record]; Refers is the native record, in the same case, that is recalled or corrected.
	Action handover.Action
	Refers RecordID
	// Documents are what the body names; each is stored in the native system ([adapters.Documents]) before the entry is written.
	Documents []handover.Document
	Body      []byte // wire format; holds personal data
}

// Receipt is a native system's proof that an entry stands in it.
type Receipt struct {
	Record RecordID
	Case   CaseKey
	Joined bool // it stood there already: the native system recognised the reference
}
