package avam

import (
	"strings"

	"github.com/beevik/etree"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	contract "github.com/einmal-hub/einmal/contracts/native/avam"
	"github.com/einmal-hub/einmal/mocks/core"
	"github.com/einmal-hub/einmal/mocks/ech0058"
)

// template is what the clerk chooses for one message: the kind of entry, whose office says it, and what she fills in.
type template struct {
	kind   native.Kind
	sender func(core.Facts) handover.OrganisationID
	fill   func(form, core.Facts)
}

// form is a part of a content that is being filled in.
type form struct{ ech0058.Form }

// part opens a group of fields.
func (f form) part(field string) form { return form{f.Part(field)} }

// adviser fills an employee in, unless there is none.
func (f form) adviser(field string, c *core.Contact) {
	if c == nil {
		return
	}
	p := f.part(field)
	p.Put("name", c.Name)
	p.Put("phone", c.Phone)
	p.Put("mail", c.Email)
}

func (f form) validity(from, to string) {
	p := f.part("validity")
	p.Put("from", from)
	p.Put("to", to)
}

// Compose returns what a clerk of AVAM enters for a message when she knows the facts: the kind of entry and its content. An unknown message gives
// nothing. Sender, number and date of the header are those of the form; the desk stamps its own over them.
func Compose(n handover.Name, facts core.Facts) (native.Kind, []byte) {
	t, known := templates()[n]
	if !known {
		return "", nil
	}
	kind, _ := contract.KindOf(t.kind)
	doc := etree.NewDocument()
	doc.WriteSettings.CanonicalText = true
	root := doc.CreateElement(kind.Root)
	root.CreateAttr("xmlns", contract.Namespace)
	content := form{ech0058.Form{El: root}}
	content.part("deliveryHeader").Frame(ech0058.Says{
		HeaderNamespace: contract.HeaderNamespace, MessageType: string(t.kind), Kind: t.kind, Sender: t.sender(facts), Manufacturer: "SECO", Product: "AVAM (mock)",
		Action: actionOf(t.kind, facts),
	}, facts)
	t.fill(content, facts)
	content.Put("note", facts.Remark)
	b, err := doc.WriteToBytes()
	if err != nil {
		return "", nil
	}
	return t.kind, b
}

// assigning and receiving say which office acts.
func assigning(f core.Facts) handover.OrganisationID { return f.Assigning }
func receiving(f core.Facts) handover.OrganisationID { return f.Receiving }

// ours is the party whose system this is, for messages that either may send: the unemployment office, or the assigning one of two.
func ours(f core.Facts) handover.OrganisationID {
	if unemployment(f.Receiving) && !unemployment(f.Assigning) {
		return f.Receiving
	}
	return f.Assigning
}

// gateway is the sender of what no clerk says.
func gateway(core.Facts) handover.OrganisationID { return handover.Gateway }

// actionOf is the action of the frame: the check of an application is a report.
func actionOf(kind native.Kind, f core.Facts) string {
	switch {
	case kind != checkKind:
		return ""
	case f.CheckOutcome == string(handover.Returned):
		return ech0058.ActionReportNegative
	default:
		return ech0058.ActionReportPositive
	}
}

func unemployment(o handover.OrganisationID) bool { return strings.HasPrefix(string(o), "rav-") }
