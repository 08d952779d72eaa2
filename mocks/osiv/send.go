package osiv

import (
	"context"
	"crypto/rand"
	"fmt"
	"strconv"
	"time"

	"github.com/beevik/etree"

	contract "github.com/einmal-hub/einmal/contracts/native/osiv"
	"github.com/einmal-hub/einmal/contracts/strict"
	"github.com/einmal-hub/einmal/mocks/core"
	"github.com/einmal-hub/einmal/mocks/ech0058"
)

// receipt writes a receipt for an envelope, which may be unreadable. With a duplicate fault an older, weaker receipt comes after it.
func (m *Mock) receipt(envelope *etree.Element, code int) error {
	codes := []int{code}
	if m.dice.Strike(core.OpEvent, core.FaultDuplicate) != "" {
		codes = append(codes, code, 601)
	}
	for _, c := range codes {
		if err := m.writeReceipt(envelope, c); err != nil {
			return err
		}
	}
	return nil
}

func (m *Mock) writeReceipt(envelope *etree.Element, code int) error {
	doc, root := document("receipt", contract.ReceiptNamespace)
	root.CreateAttr("version", "2.0")
	f := ech0058.Form{El: root}
	known, _ := contract.ReceiptCodeOf(code)
	f.Put("eventDate", m.options.Clock().Format(time.RFC3339Nano))
	f.Put("statusCode", strconv.Itoa(code))
	f.Put("statusInfo", known.Meaning)
	for _, v := range []struct{ local, otherwise string }{
		{"messageId", "0"}, {"messageType", strconv.Itoa(m.options.MessageType)}, {"messageClass", contract.ClassMessage},
		{"senderId", m.options.Einmal}, {"recipientId", m.options.OSIV},
	} {
		value := ech0058.Value(envelope, contract.EnvelopeNamespace, v.local)
		if value == "" {
			value = v.otherwise
		}
		f.Put(v.local, value)
	}
	text, err := doc.WriteToString()
	if err != nil {
		return fmt.Errorf("osiv: write a receipt: %w", err)
	}
	return m.put(contract.Receipts+"/receipt_"+rand.Text()+".xml", text)
}

// reporting sends a business report.
func (m *Mock) reporting(r report) func(context.Context) error {
	return func(context.Context) error {
		doc, root := document("eventReport", contract.HeaderNamespace)
		action := contract.ActionPositive
		if r.reason != "" {
			action = contract.ActionNegative
		}
		id := rand.Text()
		m.reportHeader(ech0058.Form{El: root}.Part("header"), id, r.reference, action)
		info := ech0058.Form{El: root}.Part("info")
		if r.reason != "" {
			n := info.Part("negativeReport")
			n.Put("notice", "nicht erfasst")
			d := n.Part("data").Part("os:ablehnung")
			d.El.CreateAttr("xmlns:os", contract.Namespace)
			d.Put("os:grund", r.reason)
			d.Put("os:pfad", r.path)
		} else {
			p := info.Part("positiveReport")
			p.Put("notice", "erfasst")
			d := p.Part("data").Part("os:eintrag")
			d.El.CreateAttr("xmlns:os", contract.Namespace)
			d.Put("os:eintragsnummer", string(r.record))
			d.Put("os:geschaeft", string(r.of))
		}
		if err := m.send(doc, nil, id, r.reference); err != nil {
			return err
		}
		return m.told.note("report", r.reference)
	}
}

// reportHeader writes the frame of a report.
func (m *Mock) reportHeader(h ech0058.Form, id, reference, action string) {
	h.Put("senderId", m.options.OSIV)
	h.Put("recipientId", m.options.Einmal)
	h.Put("messageId", id)
	h.Put("referenceMessageId", reference)
	h.Put("messageType", contract.Namespace)
	a := h.Part("sendingApplication")
	a.Put("manufacturer", "IV")
	a.Put("product", "OSIV (mock)")
	a.Put("productVersion", "1")
	h.Put("messageDate", m.options.Clock().Format(time.RFC3339Nano))
	h.Put("action", action)
	h.Put("testDeliveryFlag", "false")
}

// publish sends what clerks entered since the last round.
func (m *Mock) publish() error {
	for _, e := range m.store.After(m.sent, 0) {
		if e.By == core.ByClerk {
			if err := m.tell(e); err != nil {
				return err
			}
		}
		m.sent = e.Number
	}
	return nil
}

func (m *Mock) tell(e core.Entry) error {
	doc, root := document("meldung", contract.Namespace)
	f := ech0058.Form{El: root}
	f.Put("eintragsnummer", string(e.ID))
	f.Put("geschaeft", string(e.Case))
	f.Put("laufnummer", strconv.FormatUint(e.Sequence, 10))
	f.Put("fallreferenz", string(e.CaseReference))
	f.Put("stelle", string(e.Organisation))
	f.Put("art", string(e.Kind))
	f.Put("erfasstAm", e.At.Format(time.RFC3339Nano))
	content, err := strict.XML(e.Body)
	if err != nil {
		return fmt.Errorf("osiv: an entry cannot be read: %w", err)
	}
	f.Part("inhalt").El.AddChild(content)
	number := strconv.FormatUint(e.Number, 10)
	if err := m.send(doc, e.Documents, "IVE-"+number, ""); err != nil {
		return err
	}
	return m.told.note("entry", number)
}

func document(name, namespace string) (*etree.Document, *etree.Element) {
	doc := etree.NewDocument()
	doc.WriteSettings.CanonicalText = true
	doc.CreateProcInst("xml", `version="1.0" encoding="UTF-8"`)
	root := doc.CreateElement(name)
	root.CreateAttr("xmlns", namespace)
	return doc, root
}

// send puts a message with its documents into einmal's inbox. The base name is the receiving side's own.
func (m *Mock) send(doc *etree.Document, hashes []string, id, reference string) error {
	b, err := doc.WriteToBytes()
	if err != nil {
		return fmt.Errorf("osiv: write a message: %w", err)
	}
	payload, err := m.packed(b, hashes)
	if err != nil {
		return err
	}
	envelope, err := m.envelope(id, reference)
	if err != nil {
		return err
	}
	times := 1
	if m.dice.Strike(core.OpEvent, core.FaultDuplicate) != "" {
		times = 2
	}
	for range times {
		if err := m.drop(pair{rand.Text()}, envelope, string(payload)); err != nil {
			return err
		}
	}
	return nil
}

// envelope writes an envelope; its date is later than that of every one before.
func (m *Mock) envelope(id, reference string) (string, error) {
	now := m.options.Clock().UTC().Truncate(time.Microsecond)
	if !now.After(m.last) {
		now = m.last.Add(time.Microsecond)
	}
	m.last = now
	doc, root := document("envelope", contract.EnvelopeNamespace)
	root.CreateAttr("version", "1.0")
	class := contract.ClassMessage
	if reference != "" {
		class = contract.ClassResponse
	}
	f := ech0058.Form{El: root}
	f.Put("messageId", id)
	f.Put("messageType", strconv.Itoa(m.options.MessageType))
	f.Put("messageClass", class)
	f.Put("referenceMessageId", reference)
	f.Put("senderId", m.options.OSIV)
	f.Put("recipientId", m.options.Einmal)
	f.Put("eventDate", now.Format(time.RFC3339Nano))
	f.Put("messageDate", now.Format(time.RFC3339Nano))
	return doc.WriteToString()
}
