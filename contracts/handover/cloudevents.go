package handover

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/einmal-hub/einmal/contracts/fault"
)

// The names of the Kafka headers: CloudEvents 1.0, Kafka protocol binding, binary mode. traceparent is W3C Trace Context and stays outside
// the associated data, because it may be rewritten on the way; so does sourcerecord, which gateways of an earlier version do not know. Neither decides anything.
const (
	headerPrefix = "ce_"
	traceHeader  = "traceparent"
	recordHeader = "sourcerecord"
	sourcePrefix = "urn:einmal:"
	// ContentType is that of a sealed payload on the bus.
	ContentType = "application/vnd.einmal.sealed+json"
)

const timeLayout = "2006-01-02T15:04:05.000Z"

// Headers returns the envelope as CloudEvents headers for Kafka in binary mode.
func (e Envelope) Headers() map[string]string {
	h := map[string]string{
		"ce_specversion": "1.0", "ce_id": string(e.ID), "ce_source": sourcePrefix + string(e.Source),
		"ce_type": e.Name.Type(), "ce_subject": string(e.Case), "ce_time": e.Time.UTC().Format(timeLayout),
		"ce_sequence": strconv.FormatUint(e.Sequence, 10), "ce_senderorganisation": string(e.Sender),
		"ce_action": string(e.Action), "ce_testdelivery": strconv.FormatBool(e.Test), "content-type": ContentType,
	}
	set := func(name, value string) {
		if value != "" {
			h[name] = value
		}
	}
	set("ce_referencemessageid", string(e.References))
	set("ce_assigningorganisation", string(e.Parties.Assigning))
	set("ce_receivingorganisation", string(e.Parties.Receiving))
	set(traceHeader, e.Trace)
	set(recordHeader, e.Record)
	return h
}

// Unknown reports whether headers are those of a message of einmal's that this catalogue does not have: of another version, or of a name that came later. A newer gateway understands it.
func Unknown(h map[string]string) bool {
	name, ours := strings.CutPrefix(h["ce_type"], TypePrefix)
	at := strings.LastIndex(name, ".v")
	if !ours || at < 1 {
		return false
	}
	if _, err := strconv.ParseUint(name[at+2:], 10, 16); err != nil {
		return false
	}
	return name[at+1:] != Version || !slices.ContainsFunc(Catalogue(), func(p Payload) bool { return p.Name() == Name(name[:at]) })
}

// ParseHeaders is the inverse of Headers. It refuses (kind Park) other versions of CloudEvents or of the message, missing attributes, and
// attributes in any other spelling than that of Headers, so that equal envelopes have equal headers; it ignores headers that
// are not attributes of an envelope.
func ParseHeaders(h map[string]string) (Envelope, error) {
	for _, name := range []string{"ce_source", "ce_type", "ce_id", "ce_subject", "ce_senderorganisation", "ce_action"} {
		if h[name] == "" {
			return Envelope{}, badHeader(name)
		}
	}
	at, err := time.Parse(timeLayout, h["ce_time"])
	if err != nil {
		return Envelope{}, badHeader("ce_time")
	}
	seq, err := strconv.ParseUint(h["ce_sequence"], 10, 64)
	if err != nil {
		return Envelope{}, badHeader("ce_sequence")
	}
	name := strings.TrimSuffix(strings.TrimPrefix(h["ce_type"], TypePrefix), "."+Version)
	e := Envelope{
		ID: MessageID(h["ce_id"]), Source: SystemID(strings.TrimPrefix(h["ce_source"], sourcePrefix)), Name: Name(name),
		Case: CaseID(h["ce_subject"]), Time: at, Sender: OrganisationID(h["ce_senderorganisation"]), Sequence: seq,
		References: MessageID(h["ce_referencemessageid"]),
		Parties:    Parties{Assigning: OrganisationID(h["ce_assigningorganisation"]), Receiving: OrganisationID(h["ce_receivingorganisation"])},
		Action:     Action(h["ce_action"]), Test: h["ce_testdelivery"] == "true", Trace: h[traceHeader], Record: h[recordHeader],
	}
	return e, e.spelt(h)
}

// spelt reports the first header, in the order of the names, that Headers would write in another way.
func (e Envelope) spelt(h map[string]string) error {
	if e.Source == "" {
		return badHeader("ce_source")
	}
	if e.Name == "" {
		return badHeader("ce_type")
	}
	want := e.Headers()
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if h[name] != want[name] {
			return badHeader(name)
		}
	}
	return nil
}

func badHeader(name string) error {
	return fault.New(fault.Park, "handover.parse-headers", "envelope", "a header of the message is missing or malformed").
		At(name).Hint("find the program that wrote it: einmal's own gateways never do")
}

// AssociatedData returns the bytes that bind a sealed payload to its envelope: every CloudEvents header with its length, in
// the order of the names. Whoever changes one of them makes the payload unreadable.
func (e Envelope) AssociatedData() []byte {
	h := e.Headers()
	var b []byte
	for _, n := range slices.Sorted(maps.Keys(h)) {
		if strings.HasPrefix(n, headerPrefix) {
			b = appendField(appendField(b, n), h[n])
		}
	}
	return b
}

func appendField(b []byte, s string) []byte {
	b = strconv.AppendInt(b, int64(len(s)), 10)
	return append(append(b, ':'), s...)
}
