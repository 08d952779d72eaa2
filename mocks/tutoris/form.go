package tutoris

import (
	"strconv"
	"strings"

	"github.com/beevik/etree"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	contract "github.com/einmal-hub/einmal/contracts/native/tutoris"
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

func (f form) part(field string) form { return form{f.Part(field)} }

// yes fills in ja or nein.
func (f form) yes(field string, v bool) {
	if v {
		f.Put(field, "J")
		return
	}
	f.Put(field, "N")
}

// employee fills an employee in, unless there is none.
func (f form) employee(field string, c *core.Contact) {
	if c == nil {
		return
	}
	p := f.part(field)
	p.Put("name", c.Name)
	p.Put("telefon", c.Phone)
	p.Put("mail", c.Email)
}

// documents names the documents that belong to the entry.
func (f form) documents(facts core.Facts) {
	for _, d := range facts.Documents {
		p := f.part("beilage")
		p.Put("titel", d.Name)
		p.Put("medientyp", d.MediaType)
		p.Put("groesse", strconv.FormatInt(d.Size(), 10))
		p.Put("sha256", d.SHA256())
	}
}

// Compose returns what a clerk of Tutoris enters for a message when she knows the facts: the kind of entry and its content. An unknown message gives
// nothing. Sender, number and date of the frame are those of the form; the desk stamps its own over them.
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
	content.part("kopf").Frame(ech0058.Says{
		HeaderNamespace: contract.HeaderNamespace, MessageType: string(t.kind), Kind: t.kind, Sender: t.sender(facts),
		Manufacturer: "Tutoris", Product: "Tutoris (mock)", Action: actionOf(t.kind, facts),
	}, facts)
	t.fill(content, facts)
	content.Put("bemerkung", facts.Remark)
	b, err := doc.WriteToBytes()
	if err != nil {
		return "", nil
	}
	return t.kind, b
}

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

// gateway is the sender of what no clerk says.
func gateway(core.Facts) handover.OrganisationID { return handover.Gateway }

// assigning and receiving say which office acts.
func assigning(f core.Facts) handover.OrganisationID { return f.Assigning }
func receiving(f core.Facts) handover.OrganisationID { return f.Receiving }

// ours is the party whose system this is, for messages that either may send.
func ours(f core.Facts) handover.OrganisationID {
	if strings.HasPrefix(string(f.Receiving), "sd-") && !strings.HasPrefix(string(f.Assigning), "sd-") {
		return f.Receiving
	}
	return f.Assigning
}
