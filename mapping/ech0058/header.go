// Package ech0058 fills the message frame of eCH-0058 from the envelope of a message and reads it back, for the mappings of systems whose entries carry one. The
// versions in use have these values in common. What a table says beside the payload ([table.Outside]) is named as in the standard.
//
// A recall or a correction names in referenceMessageId the native system's own number of the entry that it is about, in both directions: there is one rule for
// clerks and for writers, and the number that is read is the id under which the earlier record was read. The messageId of the earlier message, which the standard has in mind,
// was rejected: a clerk's form has numbers that appear nowhere else.
//
// The sender stands twice in what a clerk entered, in the frame of the wire and in the header. When the two differ the record is parked: taking either
// would let one of them decide unseen. Header values that say how a message travelled are dropped by name, in the table or here.
package ech0058

import (
	"strconv"
	"strings"
	"time"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/contracts/personal"
	"github.com/einmal-hub/einmal/contracts/strict"
	"github.com/einmal-hub/einmal/mapping"
	"github.com/einmal-hub/einmal/mapping/table"
)

// The names of the header's values in the table.
const (
	senderID           = "senderId"
	recipientID        = "recipientId"
	messageID          = "messageId"
	referenceMessageID = "referenceMessageId"
	businessProcessID  = "businessProcessId"
	messageDate        = "messageDate"
	action             = "action"
	testDeliveryFlag   = "testDeliveryFlag"
)

// Header is where and how one system keeps the frame.
type Header struct {
	System  string // the word in operations: "avam"
	Name    string // how people call the system: "AVAM"
	Element string // local name of the content's first child, which holds the frame; its fields have the prefix eCH-0058
	Kind    string // the field that holds the kind: messageType or subMessageType
	// Reports says that the check of an application is written as the report that it is in the words of the standard: action 8 for one that was returned, action 9 for one that was sent
	// on. The table's code list of actions then has the codes REPORT_NEGATIVE and REPORT_POSITIVE.
	Reports bool
}

// What the table's code list calls the actions of eCH-0058 that have a meaning here.
const (
	actionNew        = "NEW"
	actionRecall     = "RECALL"
	actionCorrection = "CORRECTION"
	reportNegative   = "REPORT_NEGATIVE"
	reportPositive   = "REPORT_POSITIVE"
)

func (h Header) path(field string) string { return h.Element + ".eCH-0058:" + field }

// Write makes the header of eCH-0058 from the envelope. id is the messageId, which is one for every attempt. The message's own time is the messageDate, so that every attempt to write it
// gives the same bytes. The action is written in the spelling of the table's code list.
func (h Header) Write(m handover.Message, at mapping.Placement, kind native.Kind, id string) (table.Outside, error) {
	does := h.actionOf(m)
	if does == "" || id == "" || m.ID == "" || m.Case == "" || m.Sender == "" || at.Organisation == "" || m.Time.IsZero() {
		return nil, fault.New(fault.Park, h.System+".from-handover", "envelope", "the envelope lacks what the header of eCH-0058 demands").
			Hint("this is a mistake of the sender's gateway")
	}
	o := table.Outside{
		senderID: {string(m.Sender)}, recipientID: {string(at.Organisation)}, messageID: {id}, businessProcessID: {string(m.Case)},
		h.Kind: {string(kind)}, "manufacturer": {"einmal-hub"}, "product": {"einmal"}, "productVersion": {"1"},
		messageDate: {m.Time.UTC().Format(time.RFC3339Nano)}, action: {does}, testDeliveryFlag: {strconv.FormatBool(m.Test)},
	}
	if m.Action != handover.ActionNew {
		if at.Earlier.Record == "" {
			return nil, fault.New(fault.Park, h.System+".from-handover", "earlier-entry", "the entry that is recalled or corrected does not stand at this place").
				At("referencemessageid").Hint("see to it that the earlier entry is recorded there, then let this one go on")
		}
		o[referenceMessageID] = []string{string(at.Earlier.Record)}
	}
	return o, nil
}

// actionOf returns the table's word for what a message does, "" when there is none.
func (h Header) actionOf(m handover.Message) string {
	checked, report := m.Payload.(handover.ApplicationChecked)
	switch {
	case m.Action == handover.ActionRecall:
		return actionRecall
	case m.Action == handover.ActionCorrection:
		return actionCorrection
	case m.Action != handover.ActionNew:
		return ""
	case !report || !h.Reports:
		return actionNew
	case checked.Outcome == handover.Returned:
		return reportNegative
	default:
		return reportPositive
	}
}

// Entry is the entry with a content that was written with such a header.
func (Header) Entry(m handover.Message, at mapping.Placement, kind native.Kind, body []byte) native.Entry {
	e := native.Entry{
		Reference: at.Reference, Kind: kind, Case: at.Case, CaseReference: m.Case, Organisation: at.Organisation,
		Documents: handover.DocumentsOf(m.Payload), Body: body,
	}
	if m.Action != handover.ActionNew {
		e.Action, e.Refers = m.Action, at.Earlier.Record
	}
	return e
}

// Read reads what the envelope needs from the header and holds the header against the frame. recipientId, messageId, the sending application and, for
// a new entry, referenceMessageId are dropped: they say how the entry travelled, and the gateway makes its own ids from the record.
func (h Header) Read(o table.Outside, r native.Record) (mapping.Draft, fault.Findings) {
	var fs fault.Findings
	differ := func(field, text string) {
		fs.Add(h.path(field), "contradiction", text, "correct it in "+h.Name+", or ask its operator")
	}
	d := mapping.Draft{Sender: handover.OrganisationID(o.Get(senderID)), Test: o.Get(testDeliveryFlag) == "true", Action: handover.ActionNew}
	if o.Get(h.Kind) != string(r.Kind) {
		differ(h.Kind, "the header names another kind than the frame")
	}
	if r.Reference == "" && r.Organisation != "" && d.Sender != r.Organisation {
		differ(senderID, "the header names another sender than the frame")
	}
	if id := o.Get(businessProcessID); id != "" && r.CaseReference != "" && id != string(r.CaseReference) {
		differ(businessProcessID, "the header names another case than the frame")
	}
	if !zoned(o.Get(messageDate)) {
		fs.Add(h.path(messageDate), "instant-format", "the moment has no offset from UTC or does not exist", "correct it in "+h.Name+", or ask its operator")
	}
	switch o.Get(action) {
	case actionRecall:
		d.Action = handover.ActionRecall
	case actionCorrection:
		d.Action = handover.ActionCorrection
	}
	if d.Action != handover.ActionNew {
		d.References = native.RecordID(o.Get(referenceMessageID))
		if d.References == "" {
			fs.Add(h.path(referenceMessageID), "missing", "a recall or correction does not say which entry it is about", "enter it again in "+h.Name+" on the entry that it is about")
		}
	}
	if !h.first(r.Body) {
		fs.Add(h.Element, "moved-header", "the header is not the first element of the content", "find out which program wrote the entry")
	}
	return d, fs
}

// Report holds the action against the payload where the check of an application is a report: nothing else is one, and it says in both places what became of the application.
func (h Header) Report(o table.Outside, p handover.Payload) fault.Findings {
	var fs fault.Findings
	does := o.Get(action)
	want := h.actionOf(handover.Message{Payload: p, Envelope: handover.Envelope{Action: handover.ActionNew}})
	if does != actionRecall && does != actionCorrection && does != want {
		fs.Add(h.path(action), "contradiction", "the action does not say the same as the content", "find out which program wrote the entry")
	}
	return fs
}

// first reports whether the header stands where the contract has it. A table does not know the order of elements.
func (h Header) first(body []byte) bool {
	root, err := strict.XML(body)
	if err != nil {
		return false
	}
	for first := range root.ChildElementsSeq() {
		return strict.Is(first, root.NamespaceURI(), h.Element)
	}
	return false
}

func zoned(s string) bool {
	_, err := time.Parse(time.RFC3339Nano, s)
	return err == nil
}

// Blanks reports names and parts of an address with line breaks, or with blanks at an end or twice in a row: the standards type them as
// xs:token, which allows a reader to remove such blanks without a word.
func (h Header) Blanks(p handover.Payload) fault.Findings {
	var fs fault.Findings
	a, ok := p.(handover.ApplicationSubmitted)
	if !ok {
		return nil
	}
	for _, v := range []struct {
		path string
		Text personal.Text
	}{
		{"person.officialName", a.Person.OfficialName}, {"person.firstName", a.Person.FirstName}, {"person.address.street", a.Person.Address.Street},
		{"person.address.houseNumber", a.Person.Address.HouseNumber}, {"person.address.town", a.Person.Address.Town},
	} {
		if s := v.Text.Reveal(); strings.Join(strings.FieldsFunc(s, xmlBlank), " ") != s {
			fs.Add(v.path, "blanks", "the value holds a line break, or blanks at an end or twice in a row, which "+h.Name+" would remove", "correct it where it was entered")
		}
	}
	return fs
}

func xmlBlank(r rune) bool { return r == ' ' || r == '\t' || r == '\n' || r == '\r' }
