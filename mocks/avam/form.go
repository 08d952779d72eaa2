package avam

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/beevik/etree"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	contract "github.com/einmal-hub/einmal/contracts/native/avam"
	"github.com/einmal-hub/einmal/mocks/core"
)

// template is what the clerk chooses for one message: the kind of entry, whose office says it, and what she fills in.
type template struct {
	kind   native.Kind
	sender func(core.Facts) handover.OrganisationID
	fill   func(form, core.Facts)
}

// form is a part of a content that is being filled in. Fields are written in the order of the calls, which is the order of the schema.
type form struct{ el *etree.Element }

// put fills a field in, unless it was left empty.
func (f form) put(field, text string) { put(f.el, field, text) }

func (f form) flag(field string, v bool) { f.put(field, strconv.FormatBool(v)) }

// code writes a code in AVAM's own spelling. A code that AVAM does not know is left out, and the desk refuses the form.
func (f form) code(field, canonical string, list map[string]string) { f.put(field, list[canonical]) }

// part opens a group of fields.
func (f form) part(field string) form { return form{f.el.CreateElement(field)} }

// adviser fills an employee in, unless there is none.
func (f form) adviser(field string, c *core.Contact) {
	if c == nil {
		return
	}
	p := f.part(field)
	p.put("name", c.Name)
	p.put("phone", c.Phone)
	p.put("mail", c.Email)
}

func (f form) validity(from, to string) {
	p := f.part("validity")
	p.put("from", from)
	p.put("to", to)
}

// francs writes centimes as francs with both decimals.
func (f form) francs(cents int64) { f.put("chf", fmt.Sprintf("%d.%02d", cents/100, cents%100)) }

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
	header(root, t.kind, t.sender(facts), facts)
	t.fill(form{root}, facts)
	put(root, "note", facts.Remark)
	b, err := doc.WriteToBytes()
	if err != nil {
		return "", nil
	}
	return t.kind, b
}

// header writes the message frame of eCH-0058 that AVAM puts before what the clerk fills in.
func header(root *etree.Element, kind native.Kind, sender handover.OrganisationID, facts core.Facts) {
	h := root.CreateElement("deliveryHeader")
	h.CreateAttr("xmlns:h", contract.HeaderNamespace)
	put(h, "h:senderId", string(sender))
	for _, party := range []handover.OrganisationID{facts.Assigning, facts.Receiving} {
		if party != sender {
			put(h, "h:recipientId", string(party))
		}
	}
	put(h, "h:messageId", "F-"+string(kind))
	put(h, "h:messageType", string(kind))
	application := h.CreateElement("h:sendingApplication")
	put(application, "h:manufacturer", "SECO")
	put(application, "h:product", "AVAM (mock)")
	put(application, "h:productVersion", "1")
	put(h, "h:subject", "OPTIMA")
	put(h, "h:messageDate", time.Date(2026, 3, 2, 8, 30, 0, 0, time.UTC).Format(time.RFC3339))
	put(h, "h:action", "1")
	put(h, "h:testDeliveryFlag", "false")
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

func unemployment(o handover.OrganisationID) bool { return strings.HasPrefix(string(o), "rav-") }
