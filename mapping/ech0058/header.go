// Package ech0058 fills the message frame of eCH-0058 from the envelope of a message and reads it back, for the mappings of systems whose entries carry one. The
// versions in use have these values in common. What a table says beside the payload ([table.Outside]) is named as in the standard.
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
}

func (h Header) path(field string) string { return h.Element + ".eCH-0058:" + field }

// Write makes the header of eCH-0058 from the envelope. id is the messageId, which is one for every attempt. The message's own time is the messageDate, so that every attempt to write it
// gives the same bytes. The action is written in the spelling of the table's code list.
func (h Header) Write(m handover.Message, at mapping.Placement, kind native.Kind, id string) (table.Outside, error) {
	actions := map[handover.Action]string{handover.ActionNew: "NEW", handover.ActionRecall: "RECALL", handover.ActionCorrection: "CORRECTION"}
	if actions[m.Action] == "" || id == "" || m.ID == "" || m.Case == "" || m.Sender == "" || at.Organisation == "" || m.Time.IsZero() {
		return nil, fault.New(fault.Park, h.System+".from-handover", "envelope", "the envelope lacks what the header of eCH-0058 demands").
			Hint("this is a mistake of the sender's gateway")
	}
	o := table.Outside{
		senderID: {string(m.Sender)}, recipientID: {string(at.Organisation)}, messageID: {id}, businessProcessID: {string(m.Case)},
		h.Kind: {string(kind)}, "manufacturer": {"einmal-hub"}, "product": {"einmal"}, "productVersion": {"1"},
		messageDate: {m.Time.UTC().Format(time.RFC3339Nano)}, action: {actions[m.Action]}, testDeliveryFlag: {strconv.FormatBool(m.Test)},
	}
	if m.References != "" {
		o[referenceMessageID] = []string{string(m.References)}
	}
	return o, nil
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
	case "RECALL":
		d.Action = handover.ActionRecall
	case "CORRECTION":
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
