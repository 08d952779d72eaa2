package table

import (
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
)

// Content is what a native document says: the payload, and what stands beside it.
type Content struct {
	Payload handover.Payload
	Outside Outside
}

// Read translates the content of a native record. The payload is complete but not validated. It fails with a [fault.Error] of kind Park; where
// the document could be taken apart, the cause is [fault.Findings] with every finding and its native path.
func (t *Table) Read(kind native.Kind, body []byte) (Content, error) {
	op := t.system + ".to-handover"
	m := t.messages[t.NameOf(kind)]
	if m == nil {
		return Content{}, fault.New(fault.Park, op, "unknown-kind", "the table has no message for this kind of record").
			Hint("add the kind to the table, or keep such records out of the interface")
	}
	root, doc, err := t.decode(body)
	if err != nil {
		return Content{}, fault.Wrap(fault.Park, op, err)
	}
	if root != m.root {
		return Content{}, fault.New(fault.Park, op, "unexpected-root", "the root element is not the one of this kind of record").At(clipped(root))
	}
	outside := Outside{}
	target, findings := m.carry(doc, canonicalSide, t.format == formatXML, outside)
	if len(findings) > 0 {
		return Content{}, guess(op, findings)
	}
	payload, err := m.payload(target)
	if err != nil {
		return Content{}, guess(op, err)
	}
	return Content{Payload: payload, Outside: outside}, nil
}

func guess(op string, findings error) error {
	return fault.New(fault.Park, op, "", "the content cannot be translated without guessing").Because(findings)
}

func (t *Table) decode(body []byte) (string, *node, error) {
	if t.format == formatXML {
		return decodeXML(body, t.namespaces)
	}
	doc, err := decodeJSON(body)
	return "", doc, err
}

// Write translates a message into a native document. Values beside the payload come from c.Outside; what the table does not name there is
// not used. Findings name canonical paths, or native ones for values beside the payload.
func (t *Table) Write(c Content) (native.Kind, []byte, error) {
	op := t.system + ".from-handover"
	m := t.messages[c.Payload.Name()]
	if m == nil {
		return "", nil, fault.New(fault.Park, op, "unknown-message", "the table has no kind of record for this message")
	}
	b, err := handover.EncodePayload(c.Payload)
	if err != nil {
		return "", nil, fault.Wrap(fault.Park, op, err)
	}
	doc, err := decodeJSON(b)
	if err != nil {
		return "", nil, fault.Wrap(fault.Park, op, err)
	}
	target, findings := m.carry(doc, nativeSide, false, c.Outside)
	if len(findings) > 0 {
		return "", nil, guess(op, findings)
	}
	body, err := t.encode(m, target)
	if err != nil {
		return "", nil, fault.New(fault.Park, op, "encode", "the native document cannot be written")
	}
	return native.Kind(m.kind), body, nil
}

func (t *Table) encode(m *message, doc *node) ([]byte, error) {
	if t.format == formatXML {
		return encodeXML(m.root, doc, t.namespaces)
	}
	return encodeJSON(doc)
}

// ToHandover is Read for systems that have nothing beside the payload.
func (t *Table) ToHandover(kind native.Kind, body []byte) (handover.Payload, error) {
	c, err := t.Read(kind, body)
	return c.Payload, err
}

// FromHandover is Write for systems that have nothing beside the payload.
func (t *Table) FromHandover(p handover.Payload) (native.Kind, []byte, error) {
	return t.Write(Content{Payload: p})
}
