// Package tutoris is the published contract of Tutoris, a system of municipal social services, as Go values: names, limits, codes and the schema files. README.md
// says what is promised, the schemas beside it say how it is written.
//
// No public interface exists for the case data of Tutoris. This contract is einmal's own: files over SFTP that are read at night, with the message frame of eCH-0058 V5
// and persons of eCH-0044 V4.
//
// One file holds one entry. Rejected: files with many entries. A file is taken whole or not at all, and what is proven about it is proven about everything in it:
// one file that is cut off, or taken twice, would put all its entries in doubt, and each of them would have to wait for a person. The night gathers the files anyway.
//
// Rejected: to count a file that has disappeared from the folder as recorded. Whoever takes it away may still refuse it, or lose it.
package tutoris

import (
	"embed"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"github.com/einmal-hub/einmal/contracts/native"
)

// The namespaces of the contract. They are compared by URI; a prefix means nothing.
const (
	Namespace       = "urn:einmal-hub:tutoris:1"
	HeaderNamespace = "http://www.ech.ch/xmlns/eCH-0058/5"
	PersonNamespace = "http://www.ech.ch/xmlns/eCH-0044/4"
)

// The folders, below one base.
const (
	Inbox   = "eingang"  // what a writer hands over
	Archive = "archiv"   // what Tutoris has taken
	Results = "ergebnis" // what became of it
	Outbox  = "ausgang"  // what the staff entered

	// Documents holds the documents that entries name, in both directions: a file is named by the SHA-256 of its bytes.
	Documents = "dokumente"
)

// Why Tutoris refused an entry.
const (
	ReasonUnknownCase    = "unbekanntesDossier"
	ReasonInvalidContent = "ungueltigerInhalt"
	ReasonOpening        = "eroeffnend"
	ReasonNotOpening     = "nichtEroeffnend"
	ReasonUnknownEntry   = "unbekannterEintrag"
	ReasonNoDocument     = "fehlendeBeilage"
	ReasonRule           = "regel"
)

// The actions of eCH-0058 that a content's frame can have.
const (
	ActionNew        = "1"
	ActionRecall     = "3" // Widerruf
	ActionCorrection = "4"
	ActionNegative   = "8" // the check of an application that was returned
	ActionPositive   = "9" // the check of one that was sent on
)

// Limits of the contract.
const (
	MaxFile     = 1 << 20   // bytes of one file
	MaxContent  = 256 << 10 // bytes of one content element
	MaxDocument = 20 << 20  // bytes of one document
	MaxEntries  = 500       // entries of one export
	MaxReceipts = 2000      // receipts of one result
	MaxAttempt  = 999       // files with one reference
)

// Kind is one kind of entry.
type Kind struct {
	Code  native.Kind // art, and messageType of the message frame
	Root  string      // local name of the content element
	Opens bool        // opens a case; the others need one
}

// Kinds returns the 22 kinds in the order of their codes.
func Kinds() []Kind {
	return []Kind{
		{"TU01", "antrag", true}, {"TU02", "antragsrueckzug", false}, {"TU03", "ruecksprache", false},
		{"TU04", "ruecksprachenantwort", false}, {"TU05", "antragsentscheid", false}, {"TU06", "uebergabeeinladung", false},
		{"TU07", "uebergabenotiz", false}, {"TU08", "suchbefreiung", false}, {"TU09", "gutspracheantrag", false},
		{"TU10", "gutsprache", false}, {"TU11", "gutspracheablehnung", false}, {"TU12", "gutsprachemahnung", false},
		{"TU13", "auftragsbestaetigung", false}, {"TU14", "massnahmenabschluss", false}, {"TU15", "rechnung", false},
		{"TU16", "feststellung", false}, {"TU17", "standorteinladung", false}, {"TU18", "standortnotiz", false},
		{"TU19", "sondergespraech", false}, {"TU20", "fallabschluss", false}, {"TU21", "vollmachtswiderruf", false},
		{"TU22", "antragspruefung", false},
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

// Delivery names the file of one attempt to hand an entry over.
type Delivery struct {
	Reference native.Reference
	Attempt   int // from 1
}

// File returns the name of the file.
func (d Delivery) File() string { return fmt.Sprintf("lieferung_%s_%d.xml", d.Reference, d.Attempt) }

// ParseDelivery reads the name of a delivery's file. Other names, among them those of files that are still being written, are none.
func ParseDelivery(name string) (Delivery, bool) {
	parts, ok := between(name, "lieferung_")
	if !ok || len(parts) != 2 || len(parts[0]) < 1 || len(parts[0]) > 36 || strings.Trim(parts[0], "0123456789abcdef-") != "" {
		return Delivery{}, false
	}
	n, err := strconv.Atoi(parts[1])
	d := Delivery{Reference: native.Reference(parts[0]), Attempt: n}
	return d, err == nil && n >= 1 && n <= MaxAttempt && d.File() == name
}

// between returns what stands between the beginning of a name and its ending, taken apart at the underscores. The names of years are read at every look into a folder, so this costs little.
func between(name, prefix string) ([]string, bool) {
	rest, begins := strings.CutPrefix(name, prefix)
	rest, ends := strings.CutSuffix(rest, ".xml")
	return strings.Split(rest, "_"), begins && ends
}

// ResultFile returns the name of the file with the results of a run.
func ResultFile(run uint64) string { return fmt.Sprintf("ergebnis_%010d.xml", run) }

// ParseResult reads the name of a file with results.
func ParseResult(name string) (run uint64, ok bool) {
	parts, ok := between(name, "ergebnis_")
	if !ok || len(parts) != 1 {
		return 0, false
	}
	run, err := strconv.ParseUint(parts[0], 10, 64)
	return run, err == nil && run > 0 && ResultFile(run) == name
}

// Export names a file with the entries from one export number to another, both included, that was written in a run.
type Export struct{ From, To, Run uint64 }

// File returns the name of the file.
func (e Export) File() string {
	return fmt.Sprintf("export_%010d_%010d_%010d.xml", e.From, e.To, e.Run)
}

// ParseExport reads the name of an export's file.
func ParseExport(name string) (Export, bool) {
	parts, ok := between(name, "export_")
	if !ok || len(parts) != 3 {
		return Export{}, false
	}
	var n [3]uint64
	for i := range n {
		v, err := strconv.ParseUint(parts[i], 10, 64)
		if err != nil || v == 0 {
			return Export{}, false
		}
		n[i] = v
	}
	e := Export{From: n[0], To: n[1], Run: n[2]}
	return e, e.File() == name && e.From <= e.To && e.To-e.From < MaxEntries
}

//go:embed *.xsd
var schemas embed.FS

// Schemas returns the schema files of the contract.
func Schemas() fs.FS { return schemas }
