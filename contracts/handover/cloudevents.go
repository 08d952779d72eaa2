package handover

import (
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/einmal-hub/einmal/contracts/fault"
)

// The names of the Kafka headers: CloudEvents 1.0, Kafka protocol binding, binary mode. traceparent is W3C Trace Context and stays outside
// the associated data, because it may be rewritten on the way.
const (
	headerPrefix = "ce_"
	traceHeader  = "traceparent"
	// ContentType is that of a sealed payload on the bus.
	ContentType = "application/vnd.einmal.sealed+json"
)

const timeLayout = "2006-01-02T15:04:05.000Z"

// Headers returns the envelope as CloudEvents headers for Kafka in binary mode.
func (e Envelope) Headers() map[string]string {
	h := map[string]string{
		"ce_specversion": "1.0", "ce_id": string(e.ID), "ce_source": "urn:einmal:" + string(e.Source),
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
	return h
}

// ParseHeaders is the inverse of Headers. It refuses (kind Park) other versions of CloudEvents or of the message and missing or malformed
// attributes; it ignores headers that are not CloudEvents attributes.
func ParseHeaders(h map[string]string) (Envelope, error) {
	bad := func(name string) (Envelope, error) {
		return Envelope{}, fault.New(fault.Park, "handover.parse-headers", "envelope", "a header of the message is missing or malformed").
			At(name).Hint("find the program that wrote it: einmal's own gateways never do")
	}
	source, ok := strings.CutPrefix(h["ce_source"], "urn:einmal:")
	if !ok || h["ce_specversion"] != "1.0" {
		return bad("ce_source")
	}
	name, ok := strings.CutPrefix(h["ce_type"], TypePrefix)
	if !ok {
		return bad("ce_type")
	}
	name, ok = strings.CutSuffix(name, "."+Version)
	if !ok {
		return bad("ce_type")
	}
	at, err := time.Parse(timeLayout, h["ce_time"])
	if err != nil {
		return bad("ce_time")
	}
	seq, err := strconv.ParseUint(h["ce_sequence"], 10, 64)
	if err != nil {
		return bad("ce_sequence")
	}
	test, err := strconv.ParseBool(h["ce_testdelivery"])
	if err != nil {
		return bad("ce_testdelivery")
	}
	if h["ce_id"] == "" || h["ce_subject"] == "" {
		return bad("ce_id")
	}
	return Envelope{
		ID: MessageID(h["ce_id"]), Source: SystemID(source), Name: Name(name), Case: CaseID(h["ce_subject"]), Time: at,
		Sender: OrganisationID(h["ce_senderorganisation"]), Sequence: seq, References: MessageID(h["ce_referencemessageid"]),
		Parties: Parties{Assigning: OrganisationID(h["ce_assigningorganisation"]), Receiving: OrganisationID(h["ce_receivingorganisation"])},
		Action:  Action(h["ce_action"]), Test: test, Trace: h[traceHeader],
	}, nil
}

// AssociatedData returns the bytes that bind a sealed payload to its envelope: every CloudEvents header with its length, in
// the order of the names. Whoever changes one of them makes the payload unreadable.
func (e Envelope) AssociatedData() []byte {
	h := e.Headers()
	names := make([]string, 0, len(h))
	for n := range h {
		if strings.HasPrefix(n, headerPrefix) {
			names = append(names, n)
		}
	}
	sort.Strings(names)
	var b []byte
	for _, n := range names {
		b = appendField(appendField(b, n), h[n])
	}
	return b
}

func appendField(b []byte, s string) []byte {
	b = strconv.AppendInt(b, int64(len(s)), 10)
	return append(append(b, ':'), s...)
}
