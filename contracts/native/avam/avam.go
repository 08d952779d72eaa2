// Package avam is the published contract of the unemployment offices' system (RAV, AVAM) as Go values: names, limits and the schema files. README.md
// says what is promised, avam.wsdl and the schemas beside it say how it is written.
//
// No public interface exists for AVAM's case data. This contract is einmal's own: SOAP 1.1 as the federal systems of its time use it, with
// the message frame of eCH-0058 V5, persons of eCH-0044 V4, addresses of eCH-0010 V6 and municipality numbers of eCH-0007 V6.
//
// Rejected: the full eCH types (eCH-0044 demands a local person id that nobody can give when a case is opened from outside, and eCH-0011
// would bring the religion along), a SOAP header for the frame (a header is dropped by gateways that do not know it), and MTOM for documents: it saves a
// third of the bytes of a document, but for SOAP 1.1 it was never more than a submission to the W3C, it makes a second shape of every message that the toolkits
// on the way (proxies, XML firewalls, archives) have to know, and base64 text in the body can be sent and read as a stream too.
package avam

import (
	"embed"
	"io/fs"

	"github.com/einmal-hub/einmal/contracts/native"
)

// The namespaces of the contract. They are compared by URI; a prefix means nothing.
const (
	Namespace             = "urn:einmal-hub:avam:1"
	SOAPNamespace         = "http://schemas.xmlsoap.org/soap/envelope/"
	HeaderNamespace       = "http://www.ech.ch/xmlns/eCH-0058/5"
	PersonNamespace       = "http://www.ech.ch/xmlns/eCH-0044/4"
	AddressNamespace      = "http://www.ech.ch/xmlns/eCH-0010/6"
	MunicipalityNamespace = "http://www.ech.ch/xmlns/eCH-0007/6"
)

// Version is the contract version that ping reports.
const Version = "1"

// The operations: the local name of the request's element. The answer's element is the same name with "Response".
const (
	OpenCase        = "openCase"
	AddEntry        = "addEntry"
	GetChanges      = "getChanges"
	FindByReference = "findByReference"
	StoreDocument   = "storeDocument"
	FetchDocument   = "fetchDocument"
	Ping            = "ping"
)

// Action returns the SOAPAction of an operation, without quotes.
func Action(operation string) string { return Namespace + "/" + operation }

// The codes in the detail of a SOAP fault; README.md says what each one proves.
const (
	FaultNotProcessed = "notProcessed"
	FaultRefused      = "refused"
	FaultUnauthorised = "unauthorised"
	FaultUnknownMark  = "unknownMark"
	FaultUnknownDoc   = "unknownDocument"
)

// Why an entry or a document was refused.
const (
	ReasonUnknownCase     = "unknownCase"
	ReasonInvalidContent  = "invalidContent"
	ReasonOpening         = "opening"
	ReasonNotOpening      = "notOpening"
	ReasonUnknownEntry    = "unknownEntry"
	ReasonMissingDocument = "missingDocument"
	ReasonWrongDocument   = "wrongDocument"
	ReasonRule            = "rule"
)

// Limits of the contract.
const (
	MaxMessage  = 1 << 20   // bytes of one SOAP message, in either direction; of one with a document: without the document's base64 text
	MaxContent  = 256 << 10 // bytes of one content element
	MaxEntries  = 200       // entries in one answer of getChanges
	MaxDocument = 20 << 20  // bytes of one document
)

// Kind is one kind of entry.
type Kind struct {
	Code  native.Kind // in the frame and in messageType
	Root  string      // local name of the content element
	Opens bool        // opens a case; the others need one
}

// Kinds returns the 22 kinds in the order of their codes.
func Kinds() []Kind {
	return []Kind{
		{"OPT01", "application", true}, {"OPT02", "applicationWithdrawal", false}, {"OPT03", "inquiry", false}, {"OPT04", "inquiryReply", false},
		{"OPT05", "admissionDecision", false}, {"OPT06", "transferInvitation", false}, {"OPT07", "transferNote", false},
		{"OPT08", "exemptionAgreement", false}, {"OPT09", "costRequest", false}, {"OPT10", "costApproval", false}, {"OPT11", "costRefusal", false},
		{"OPT12", "costReminder", false}, {"OPT13", "measureOrder", false}, {"OPT14", "measureEnd", false}, {"OPT15", "invoice", false},
		{"OPT16", "observation", false}, {"OPT17", "reviewInvitation", false}, {"OPT18", "reviewNote", false},
		{"OPT19", "extraMeetingRequest", false}, {"OPT20", "closure", false}, {"OPT21", "consentWithdrawal", false},
		{"OPT22", "admissionCheck", false},
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

//go:embed avam.wsdl *.xsd
var schemas embed.FS

// Schemas returns the files of the contract: avam.wsdl and the schemas that it uses.
func Schemas() fs.FS { return schemas }
