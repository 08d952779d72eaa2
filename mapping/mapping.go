// Package mapping translates between the wire format of a native system and the canonical messages. Mappings are pure: no
// input or output, no clock, no context, no memory. What a mapping does is data (a table of fields and code lists), so
// that the same table is the program, the documentation and the source of the test that no field vanishes (I4).
//
// Rejected: hand-written conversions for each message and system. They are written twice (there and back), drift apart, and nobody
// can list which field they drop.
package mapping

import (
	"time"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
)

// Draft is a message as far as the native record tells it. The gateway adds the ids and the trace.
type Draft struct {
	Payload handover.Payload
	// Sender is the organisation that says it.
	Sender handover.OrganisationID
	// References is the native record that this one recalls or corrects; empty for ActionNew.
	References native.RecordID
	Action     handover.Action
	Test       bool
}

// Placement is what a mapping needs to know about the place that a message is written to.
type Placement struct {
	Reference    native.Reference
	System       handover.SystemID
	Organisation handover.OrganisationID // whose dossier
	Role         handover.Role           // that organisation's role in the case
	Parties      handover.Parties
	Case         native.CaseKey // empty: the message opens a case there
	Now          time.Time      // the moment of writing, for formats that want one
	// Earlier is the entry at this place that the message recalls or corrects; empty for a new message.
	Earlier Earlier
	// Procedure is how the organisation leads its own procedure (Verfahrensführung) after the message, of the profile's code list "procedure": REDUCED or SUSPENDED while the other
	// agency leads, FULL when the case has come back. Empty: the message changes nothing about it.
	Procedure handover.Code
}

// Earlier names an entry that einmal wrote at the same place.
type Earlier struct {
	Record    native.RecordID
	Reference native.Reference
}

// Mapper translates for one type of native system. Its methods may be called concurrently. Errors are [fault.Error] of
// kind Park, or [fault.Findings] inside one, and name fields of the native format, never values.
//
// A new entry has the empty action in a [native.Record] and a [native.Entry], and [handover.ActionNew] in a [Draft] and a message. A mapping that has no row for a message parks it.
type Mapper interface {
	// ToHandover translates a record that a person entered. Every field of the record is mapped, dropped by name in the table, or an error.
	ToHandover(r native.Record) (Draft, error)
	// FromHandover translates a valid message into the entry for a place. Every field of the message is mapped, dropped by name in the table, or an error.
	FromHandover(m handover.Message, at Placement) (native.Entry, error)
}

// Coded is what every mapping of the program is (a table's Mapper is one): a mapping whose code lists can be replaced: the fields of a native system are those of its type, but the words in them are those of a jurisdiction, or of one
// installation.
type Coded interface {
	Mapper
	// WithCodes returns the mapping with other code lists. data is YAML with the key "codes", as in the mapping's table; each list in it replaces the one of its name as a whole.
	// file is the name that findings carry. The error is a [fault.Error] of kind Stop with all findings, each with its line.
	WithCodes(file string, data []byte) (Mapper, error)
	// Codes returns the codes that have a word in the native system at a place of a message, such as "participants[].part", or at a value beside it, such as "procedure". It
	// reports false when the mapping has no code list there, because the place is not written.
	Codes(n handover.Name, path string) ([]handover.Code, bool)
}
