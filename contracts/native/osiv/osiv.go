// Package osiv is the published contract of the disability insurance's system (IV, OSIV) as Go values: names, limits, codes and the schema files. README.md
// says what is promised, the schemas beside it say how it is written.
//
// No public interface exists for OSIV's case data. This contract is einmal's own: the file interface of sedex with envelopes of eCH-0090, a ZIP with
// one message in the frame of eCH-0058 V4 as the exchange of AHV, IV and tax offices uses it, and persons of eCH-0044 V4.
//
// OSIV can hold only persons with an IV registration (P7). The contract makes the registration a mandatory element of the application, so that
// an entry for anybody else cannot even be written down; see [Registered].
//
// Rejected: counting a sedex receipt as the proof of a record (it proves delivery to the other adapter, never processing), and the technical
// protocol receipts of older versions of the message format, which the standard itself has given up.
package osiv

import (
	"embed"
	"io/fs"

	"github.com/beevik/etree"

	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/contracts/strict"
)

// The namespaces of the contract. They are compared by URI; a prefix means nothing.
const (
	Namespace         = "urn:einmal-hub:osiv:1"
	HeaderNamespace   = "http://www.ech.ch/xmlns/eCH-0058/4"
	PersonNamespace   = "http://www.ech.ch/xmlns/eCH-0044/4"
	EnvelopeNamespace = "http://www.ech.ch/xmlns/eCH-0090/1"
	ReceiptNamespace  = "http://www.ech.ch/xmlns/eCH-0090/2"
)

// The folders of the sedex interface, below one base.
const (
	Outbox    = "outbox"
	Inbox     = "inbox"
	Receipts  = "receipts"
	Processed = "processed"
)

// Names in the payload. Every payload holds exactly one message; the attachments folder is empty in this version.
const (
	MessageFile       = "message_1.xml"
	AttachmentsFolder = "attachments_1/"
)

// Classes of messages in an envelope.
const (
	ClassMessage  = "0"
	ClassResponse = "1"
)

// Actions of eCH-0058 in a business report.
const (
	ActionNegative = "8"
	ActionPositive = "9"
)

// The IV registration of an application: its procedure is running (laufend) or closed (erledigt).
const (
	RegistrationRunning = "L"
	RegistrationClosed  = "E"
)

// Why OSIV refused an entry.
const (
	ReasonUnknownCase    = "unbekanntesGeschaeft"
	ReasonInvalidContent = "ungueltigerInhalt"
	ReasonOpening        = "eroeffnend"
	ReasonNotOpening     = "nichtEroeffnend"
	ReasonNotRegistered  = "keineAnmeldung"
	ReasonRule           = "regel"
)

// Limits of the contract.
const (
	MaxEnvelope = 16 << 10 // bytes of one envelope or receipt
	MaxPayload  = 4 << 20  // bytes of one ZIP file
	MaxMessage  = 1 << 20  // bytes of message_1.xml, unpacked
	MaxContent  = 64 << 10 // bytes of one content element
	MaxMembers  = 8        // members of one ZIP file
)

// Kind is one kind of entry.
type Kind struct {
	Code  native.Kind // art, and subMessageType of the message frame
	Root  string      // local name of the content element
	Opens bool        // opens a case; the others need one
}

// Kinds returns the 21 kinds in the order of their codes.
func Kinds() []Kind {
	return []Kind{
		{"000101", "zusammenarbeitsgesuch", true}, {"000102", "gesuchsrueckzug", false}, {"000103", "rueckfrage", false},
		{"000104", "rueckfrageantwort", false}, {"000105", "gesuchsentscheid", false}, {"000106", "uebergabetermin", false},
		{"000107", "uebergabeprotokoll", false}, {"000108", "befreiungsvereinbarung", false}, {"000109", "kostenanfrage", false},
		{"000110", "kostengutsprache", false}, {"000111", "kostenablehnung", false}, {"000112", "kostenerinnerung", false},
		{"000113", "massnahmenauftrag", false}, {"000114", "massnahmenende", false}, {"000115", "rechnungsweiterleitung", false},
		{"000116", "wahrnehmung", false}, {"000117", "standorttermin", false}, {"000118", "standortprotokoll", false},
		{"000119", "zusatzgespraech", false}, {"000120", "abschluss", false}, {"000121", "einwilligungswiderruf", false},
	}
}

// KindOf returns the kind with a code.
func KindOf(code native.Kind) (Kind, bool) {
	for _, k := range Kinds() {
		if k.Code == code {
			return k, true
		}
	}
	return Kind{}, false
}

// Registered reports whether a content says that the person has an IV registration, or is of a kind that opens no case. It is the last guard of P7:
// what it denies must never be handed over to OSIV.
func Registered(content *etree.Element) bool {
	if !strict.Is(content, Namespace, "zusammenarbeitsgesuch") {
		return true
	}
	el, err := strict.Child(content, Namespace, "ivAnmeldung")
	if err != nil {
		return false
	}
	switch el.Text() {
	case RegistrationRunning, RegistrationClosed:
		return true
	}
	return false
}

//go:embed *.xsd
var schemas embed.FS

// Schemas returns the schema files of the contract.
func Schemas() fs.FS { return schemas }
