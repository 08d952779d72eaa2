// Package adapters is the contract between einmal and a native system: what an adapter does, what it must never do, and how it is found.
//
// An adapter moves records and entries between the gateway and one native system, in that system's wire format. It knows addresses,
// credentials, protocols and status codes, and nothing of meaning: it never looks into a person, never decides whether something is
// allowed, never translates. Translation is the mapping's work; the two meet only in the gateway.
//
// What an adapter leaves out, because the gateway does it once for all: retries, waiting, rate limits, spans, metrics, logging and the memory of
// what was sent. An adapter that retried by itself would break "recorded once"; the HTTP client in adapters/internal/httpx therefore cannot.
//
// Adapters are listed in adapters/all; there is no registration by init. Abilities are declared as optional interfaces
// ([Finder], [Documents], [Webhook]) and as data ([Abilities]), and are measured by adaptertest, not believed.
//
// A system of mode A needs no Finder: what is in doubt is sent again and joined. A system without Documents takes part in everything but messages with
// documents, which are parked.
package adapters

import (
	"context"
	"io"
	"net/http"
	"time"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
)

// Mode is how a native system helps to record something once. It is found by experiment, never by a vendor's word.
type Mode string

const (
	// ModeA: the native system refuses or joins a second record with the same reference.
	ModeA Mode = "A"
	// ModeB: the native system can be searched by reference, within known bounds of time.
	ModeB Mode = "B"
	// ModeC: neither; every doubt goes to a person.
	ModeC Mode = "C"
)

// Bounds are the times within which a native system does what it does. In mode B the promise holds within them.
type Bounds struct {
	Send       time.Duration // longest wait between the ledger's INTENT and the request; einmal does not send later than that
	Request    time.Duration // timeout of one request
	Processing time.Duration // longest time after which the native system still executes a request that it received
	Lookup     time.Duration // longest time until a record can be found by its reference
	Margin     time.Duration // for clocks that differ
	// Answer is how long a system may take that answers later; 0 for one that answers at once. Apply then hands the entry over and returns Doubt with the code
	// [HandedOver], and the outcome is learnt by Find, which returns an error of kind Refuse for an entry that the system has refused. It needs a [Finder].
	Answer time.Duration
}

// Asynchronous reports whether the system answers later.
func (b Bounds) Asynchronous() bool { return b.Answer > 0 }

// Settle is how long after an INTENT a lookup that finds nothing proves that nothing was written.
func (b Bounds) Settle() time.Duration {
	return b.Send + b.Request + b.Processing + b.Answer + b.Lookup + b.Margin
}

// Check returns every time that is missing, negative or longer than a bound can sensibly be. Paths start with "bounds.".
func (b Bounds) Check() fault.Findings {
	var fs fault.Findings
	for _, t := range []struct {
		name         string
		value, least time.Duration
	}{
		{"send", b.Send, time.Millisecond}, {"request", b.Request, time.Millisecond},
		{"processing", b.Processing, 0}, {"lookup", b.Lookup, 0}, {"margin", b.Margin, 0},
	} {
		if t.value < t.least || t.value > longestBound {
			fs.Add("bounds."+t.name, "out-of-range", "the time is negative, nothing, or longer than a day", "write what was measured, with its unit, such as 20s")
		}
	}
	if b.Answer < 0 || b.Answer > longestAnswer {
		fs.Add("bounds.answer", "out-of-range", "the time is negative or longer than 60 days", "write how long the system may take to answer, with its unit, such as 72h")
	}
	return fs
}

const (
	// longestBound is a day: a native system that executes later than that has no bounds.
	longestBound = 24 * time.Hour
	// longestAnswer covers sedex, which gives an undelivered message up after 30 days.
	longestAnswer = 60 * 24 * time.Hour
)

// Abilities is what an adapter declares of its native system.
type Abilities struct {
	Mode   Mode
	Bounds Bounds
	// Contract is the version of the native contract that the adapter speaks, such as "klib/1". What was measured with one version says nothing about another.
	Contract string
	// Shared is true for a platform where one case is kept once for all parties, such as CASEnet, and false for
	// a system where every organisation has its own dossier.
	Shared bool
}

// Source reads what was entered in a native system.
type Source interface {
	// Read returns the records after a position, oldest first, at most limit, and the position after the last of them. No record is ever
	// skipped; one may come twice, also in a batch that stays at its position and says that there is more. An empty batch with the same
	// position means that there is nothing new. Read may be called again with any
	// earlier position. It is not called concurrently.
	//
	// A record that the adapter cannot take apart is returned in Batch.Broken with its raw bytes, so that it is parked and the stream goes on. Errors
	// are of kind Retry or Stop. A position that the native system does not know, because it was set back to an older state, is an error of kind Stop with the
	// code [PositionUnknown]; the gateway then reads everything again from the beginning.
	Read(ctx context.Context, after native.Position, limit int) (Batch, error)
}

// PositionUnknown is the code of the error with which a Source says that the native system does not know a position.
const PositionUnknown = "position-unknown"

// Batch is one answer of a Source.
type Batch struct {
	Records []native.Record
	Broken  []Broken
	Next    native.Position
	// More is true when the next Read will return records at once.
	More bool
}

// Broken is something that a native system sent and that is not what its contract describes.
type Broken struct {
	ID     native.RecordID // as far as it is known; otherwise derived from the bytes, so that it is the same next time
	Raw    []byte          // holds personal data
	Reason error
}

// Sink writes into a native system.
type Sink interface {
	// Apply sends one entry, once, and reports what is known afterwards:
	//   - a receipt: the entry stands in the native system under that id;
	//   - an error of kind Retry: provably nothing was written (no connection, or an answer that the contract lists as
	//     "rejected before any write");
	//   - Refuse: the native system read it, wrote nothing and will say no again;
	//   - Park: the entry cannot be said on this interface, nothing was sent;
	//   - Stop: credentials or contract version are wrong, provably nothing was written;
	//   - anything else, above all Doubt: nobody knows.
	// Apply never sends a second time, follows no redirect, and gives up when ctx ends (kind Doubt if bytes were sent). It may be
	// called concurrently for different references.
	Apply(ctx context.Context, e native.Entry) (native.Receipt, error)
}

// Finder is the optional ability of a system that can be searched by reference; mode B needs it.
type Finder interface {
	// Find returns every record with the reference. No receipts and no error mean "not in the index now". A failed, partial or refused search
	// is an error (kind Retry), never an empty answer. An error of kind Refuse says that a system that answers later has refused what the last Apply of the reference
	// handed over; a refusal of an earlier one is not told any more.
	Find(ctx context.Context, ref native.Reference) ([]native.Receipt, error)
}

// Documents is the optional ability of a system that keeps documents. Contents are named by the SHA-256 of their bytes, in hexadecimal digits, so that
// storing one twice changes nothing and an interrupted one is simply stored again. Both methods may be called concurrently.
type Documents interface {
	// OpenDocument returns the content of a document that a record of this system names; the caller closes it. It does not check the hash. Errors are of kind Retry, of kind
	// Park with the code [DocumentMissing] when the system does not have it, or Stop.
	OpenDocument(ctx context.Context, sha256 string) (io.ReadCloser, error)
	// PutDocument stores a content of d.Size bytes with the hash d.SHA256 and returns when it is durable; it may return at once when it stands there already. An error from
	// content ends it and leaves nothing that can be found under the hash. Errors are of kind Retry, Refuse or Stop; a doubt is Retry, because repeating changes nothing.
	PutDocument(ctx context.Context, d handover.Document, content io.Reader) error
}

// HandedOver is the code of the doubt with which a system that answers later has taken an entry: all went well so far.
const HandedOver = "handed-over"

// DocumentMissing is the code of the error with which a system says that it does not have a document.
const DocumentMissing = "document-missing"

// Webhook is the optional ability of a system that tells when something new was entered. A notification carries no data that einmal
// uses: it only makes the gateway read at once instead of at the next poll, so a lost, repeated or reordered one changes nothing.
type Webhook interface {
	// Verify checks the signature over the raw body. Errors are of kind Refuse.
	Verify(header http.Header, body []byte) error
}

// System is one connected native system.
type System struct {
	Source    Source // nil: nothing is read from it
	Sink      Sink   // nil: nothing is written into it
	Finder    Finder
	Documents Documents // nil: messages with documents cannot be read from it or written into it
	Webhook   Webhook
	Abilities Abilities
	// Ping tries the connection and the credentials without any effect. Errors are of kind Retry or Stop and say what to do.
	Ping func(context.Context) error
	// Close ends what the system holds open. It may be called twice.
	Close func() error
}

// Factory makes systems of one type.
type Factory interface {
	// Type is the word in the configuration: "klib".
	Type() string
	// DefaultConfig returns a pointer to a new configuration with its defaults; the gateway decodes into it strictly and then calls
	// Check if it has that method.
	DefaultConfig() any
	// New connects nothing yet; it fails only for a configuration that cannot be right. cfg is what DefaultConfig returned.
	New(id handover.SystemID, cfg any) (System, error)
}

// Checker is implemented by configurations that can say what is wrong with them. Paths are relative to the configuration.
type Checker interface{ Check() fault.Findings }
