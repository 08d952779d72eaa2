package handover

import (
	"time"

	"github.com/einmal-hub/einmal/contracts/fault"
)

// Action is the eCH-0058 action of a message. A recall or a correction refers to an earlier message and is
// never a duplicate of it.
type Action string

const (
	// ActionNew is eCH-0058 action 1.
	ActionNew Action = "new"
	// ActionRecall is eCH-0058 action 3 (Widerruf).
	ActionRecall Action = "recall"
	// ActionCorrection is eCH-0058 action 4.
	ActionCorrection Action = "correction"
)

// Envelope is the open part of a message. It holds no personal data: everything in it may stand in a Kafka header,
// a log line and a span.
type Envelope struct {
	ID       MessageID      // CloudEvents id
	Source   SystemID       // the native system that the message was entered in
	Name     Name           // CloudEvents type without prefix and version
	Case     CaseID         // CloudEvents subject and Kafka key
	Time     time.Time      // when it was entered in the native system; UTC, to the millisecond
	Sender   OrganisationID // the organisation that says it
	Parties  Parties        // the case's parties; set on the message that opens a case, empty otherwise
	Sequence uint64         // position among what this source said of this case, from 1
	// References is the message that this one answers, recalls or corrects (eCH-0058 referenceMessageId).
	References MessageID
	Action     Action
	Test       bool   // eCH-0058 testDeliveryFlag: never to be written into a productive native system
	Trace      string // W3C traceparent of the span that read the native record; not part of the associated data
	// Record is the native system's own number of what was entered there, by which its sender finds it; opaque, not part of the associated data, and empty on messages of earlier versions.
	Record string
}

// Message is one message of the catalogue.
type Message struct {
	Envelope
	Payload Payload
}

// Validate reports every finding of envelope and payload as [fault.Findings].
func (m Message) Validate() error {
	var f check
	f.text("id", string(m.ID), 1, 36)
	f.text("source", string(m.Source), 1, 36)
	f.text("subject", string(m.Case), 1, 36)
	f.text("senderorganisation", string(m.Sender), 1, 64)
	f.must(!m.Time.IsZero(), "time", "missing", "the time of entry is missing")
	f.must(m.Sequence > 0, "sequence", "missing", "the sequence in the case is missing")
	f.text("referencemessageid", string(m.References), 0, 36)
	f.must(m.Action == ActionNew || m.References != "", "referencemessageid", "missing", "a recall or correction names the message that it is about")
	switch m.Action {
	case ActionNew, ActionRecall, ActionCorrection:
	default:
		f.Add("action", "unknown-code", "the action is not known", "use new, recall or correction")
	}
	if m.Payload == nil {
		f.Add("data", "missing", "the payload is missing", "")
		return f.Err()
	}
	f.must(inCatalogue(m.Payload), "data", "unknown-message", "the payload is not a value of the catalogue")
	f.must(m.Payload.Name() == m.Name, "type", "type-mismatch", "the envelope names another message than the payload is")
	f.must((m.Sender == Gateway) == (m.Name == ApplicationChecked{}.Name()), "senderorganisation", "not-by-this-party", "einmal itself, and nobody else, checks applications")
	m.parties(&f)
	f.within("data.", m.Payload.Validate)
	return f.Err()
}

// parties checks that the message that opens a case names its organisations, the same ones outside and inside, and that no other message names any. The receiving one may be
// left out, inside or altogether: the directory then says who it is, or nobody is.
func (m Message) parties(f *check) {
	if !Opens(m.Name) {
		f.must(m.Parties == Parties{}, "assigningorganisation", "unexpected", "only the message that opens a case names its parties")
		return
	}
	f.text("assigningorganisation", string(m.Parties.Assigning), 1, 64)
	if m.Parties.Receiving != "" {
		f.text("receivingorganisation", string(m.Parties.Receiving), 1, 64)
	}
	f.must(m.Parties.Assigning != m.Parties.Receiving, "receivingorganisation", "same-organisation", "a case cannot be handed over to oneself")
	if a, ok := m.Payload.(ApplicationSubmitted); ok {
		f.must(m.Parties.Assigning == a.Assigning && (a.Receiving == "" || m.Parties.Receiving == a.Receiving),
			"assigningorganisation", "parties-differ", "envelope and application name different parties")
	}
}

// Payload is the content of one message: one Go type for each entry of [Catalogue].
type Payload interface {
	// Name returns the message's name.
	Name() Name
	// Validate reports every finding, with paths relative to the payload, as [fault.Findings].
	Validate() error
}

var _ error = fault.Findings(nil)
