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

// The folders of the sedex interface, below one base, and beside them the one in which einmal keeps documents under their hashes.
const (
	Outbox    = "outbox"
	Inbox     = "inbox"
	Receipts  = "receipts"
	Processed = "processed"
	Documents = "documents"
)

// Names in the payload. Every payload holds exactly one message; a document in the folder of its attachments is named by its SHA-256.
const (
	MessageFile       = "message_1.xml"
	AttachmentsFolder = "attachments_1/"
)

// Classes of messages in an envelope.
const (
	ClassMessage  = "0"
	ClassResponse = "1"
)

// Actions of eCH-0058. A negative or positive report is a business report, or the check of an application.
const (
	ActionNew        = "1"
	ActionRecall     = "3"
	ActionCorrection = "4"
	ActionNegative   = "8"
	ActionPositive   = "9"
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
	ReasonUnknownEntry   = "unbekannterEintrag"
	ReasonNoAttachment   = "fehlenderAnhang"
	ReasonRule           = "regel"
)

// Limits of the contract.
const (
	MaxEnvelope    = 16 << 10  // bytes of one envelope or receipt
	MaxPayload     = 404 << 20 // bytes of one ZIP file
	MaxMessage     = 1 << 20   // bytes of message_1.xml, unpacked
	MaxContent     = 256 << 10 // bytes of one content element
	MaxAttachment  = 20 << 20  // bytes of one document, unpacked
	MaxAttachments = 20        // documents of one message
	MaxMembers     = 22        // members of one ZIP file: the message, the folder, and the documents in it
)

// Kind is one kind of entry.
type Kind struct {
	Code  native.Kind // art, and subMessageType of the message frame
	Root  string      // local name of the content element
	Opens bool        // opens a case; the others need one
	// Documents says that it may have attachments.
	Documents bool
}

// Kinds returns the 22 kinds in the order of their codes.
func Kinds() []Kind {
	return []Kind{
		{"000101", "zusammenarbeitsgesuch", true, true},
		{"000102", "gesuchsrueckzug", false, false},
		{"000103", "rueckfrage", false, false},
		{"000104", "rueckfrageantwort", false, true},
		{"000105", "gesuchsentscheid", false, false},
		{"000106", "uebergabetermin", false, false},
		{"000107", "uebergabeprotokoll", false, true},
		{"000108", "befreiungsvereinbarung", false, true},
		{"000109", "kostenanfrage", false, false},
		{"000110", "kostengutsprache", false, true},
		{"000111", "kostenablehnung", false, false},
		{"000112", "kostenerinnerung", false, false},
		{"000113", "massnahmenauftrag", false, false},
		{"000114", "massnahmenende", false, false},
		{"000115", "rechnungsweiterleitung", false, true},
		{"000116", "wahrnehmung", false, false},
		{"000117", "standorttermin", false, false},
		{"000118", "standortprotokoll", false, false},
		{"000119", "zusatzgespraech", false, false},
		{"000120", "abschluss", false, true},
		{"000121", "einwilligungswiderruf", false, false},
		{"000122", "gesuchspruefung", false, false},
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
