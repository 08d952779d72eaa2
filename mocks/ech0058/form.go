package ech0058

import (
	"cmp"
	"fmt"
	"strconv"
	"time"

	"github.com/beevik/etree"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/mocks/core"
)

// Form is a part of a content that is being filled in. Fields are written in the order of the calls, which is the order of the schema.
type Form struct{ El *etree.Element }

// Put fills a field in, unless it was left empty.
func (f Form) Put(field, text string) {
	if text != "" {
		f.El.CreateElement(field).SetText(text)
	}
}

// Flag fills in true or false.
func (f Form) Flag(field string, v bool) { f.Put(field, strconv.FormatBool(v)) }

// Code writes a code in the system's own spelling. A code that it does not know is left out, and the desk refuses the form.
func (f Form) Code(field, canonical string, list map[string]string) { f.Put(field, list[canonical]) }

// Part opens a group of fields.
func (f Form) Part(field string) Form { return Form{f.El.CreateElement(field)} }

// Amount writes centimes as francs with both decimals.
func (f Form) Amount(field string, cents int64) {
	f.Put(field, fmt.Sprintf("%d.%02d", cents/100, cents%100))
}

// Says is who says something, and under which words the system files it.
type Says struct {
	HeaderNamespace       string
	MessageType, SubType  string // SubType is empty in systems that have none
	Kind                  native.Kind
	Sender                handover.OrganisationID
	Manufacturer, Product string
	// Action is that of the frame; empty: 1, a new entry.
	Action string
	// Attach writes the names of attachments into the frame; nil: there are none.
	Attach func(Form)
}

// Frame writes the message frame that a system puts before what a clerk fills in, into an element that has no children yet.
func (f Form) Frame(s Says, facts core.Facts) {
	f.El.CreateAttr("xmlns:h", s.HeaderNamespace)
	f.Put("h:senderId", string(s.Sender))
	for _, party := range []handover.OrganisationID{facts.Assigning, facts.Receiving} {
		if party != s.Sender && (s.Sender != handover.Gateway || party == facts.Assigning) {
			f.Put("h:recipientId", string(party))
		}
	}
	f.Put("h:messageId", "F-"+string(s.Kind))
	f.Put("h:messageType", s.MessageType)
	f.Put("h:subMessageType", s.SubType)
	application := f.Part("h:sendingApplication")
	application.Put("h:manufacturer", s.Manufacturer)
	application.Put("h:product", s.Product)
	application.Put("h:productVersion", "1")
	f.Put("h:subject", "OPTIMA")
	f.Put("h:messageDate", time.Date(2026, 3, 2, 8, 30, 0, 0, time.UTC).Format(time.RFC3339))
	f.Put("h:action", cmp.Or(s.Action, actionNew))
	if s.Attach != nil {
		s.Attach(f)
	}
	f.Put("h:testDeliveryFlag", "false")
}
