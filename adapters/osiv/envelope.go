package osiv

import (
	"strconv"
	"time"

	"github.com/beevik/etree"

	"github.com/einmal-hub/einmal/adapters/internal/xmlframe"
	contract "github.com/einmal-hub/einmal/contracts/native/osiv"
	"github.com/einmal-hub/einmal/contracts/strict"
)

// envelope is what an envelope of eCH-0090 version 1 says.
type envelope struct {
	id, class, reference string
	messageType          uint64
	sender, recipient    string
	sent                 time.Time
}

// readEnvelope reads an envelope strictly. Recipients beyond one, loop-back and test data do not belong to this exchange.
func readEnvelope(b []byte) (envelope, error) {
	f, err := opened(b, "envelope", contract.EnvelopeNamespace, "1.0")
	if err != nil {
		return envelope{}, err
	}
	v := envelope{id: f.Text("messageId"), messageType: f.Number("messageType"), class: f.Text("messageClass"), reference: f.Optional("referenceMessageId")}
	v.sender, v.recipient = f.Text("senderId"), f.Text("recipientId")
	_ = f.Moment("eventDate")
	v.sent = f.Moment("messageDate")
	return v, f.Done()
}

// receipt is what a receipt of eCH-0090 version 2 says.
type receipt struct {
	id          string
	code        int
	at          time.Time
	messageType uint64
	sender      string
}

func readReceipt(b []byte) (receipt, error) {
	f, err := opened(b, "receipt", contract.ReceiptNamespace, "2.0")
	if err != nil {
		return receipt{}, err
	}
	v := receipt{at: f.Moment("eventDate"), code: int(f.Number("statusCode") % 1000)} //nolint:gosec // below 1000
	_ = f.Element("statusInfo")
	v.id, v.messageType = f.Text("messageId"), f.Number("messageType")
	_ = f.Text("messageClass")
	v.sender = f.Text("senderId")
	_ = f.Text("recipientId")
	return v, f.Done()
}

// opened begins to read a document of one namespace and version.
func opened(b []byte, name, namespace, version string) (*xmlframe.Frame, error) {
	if len(b) > contract.MaxEnvelope {
		return nil, xmlframe.Broken("too-large", "the file is larger than the contract allows")
	}
	root, err := strict.XML(b)
	if err != nil {
		return nil, err
	}
	if !strict.Is(root, namespace, name) || root.SelectAttrValue("version", "") != version {
		return nil, xmlframe.Broken("unexpected-root", "the file is not what its name says, or of another version").At(strict.PathOf(root))
	}
	return xmlframe.Read(root, namespace, "version"), nil
}

// writeEnvelope writes the envelope of a message that is handed over now.
func (e *exchange) writeEnvelope(id string) ([]byte, error) {
	doc, root := document("envelope", contract.EnvelopeNamespace)
	root.CreateAttr("version", "1.0")
	now := e.now().UTC().Truncate(time.Second).Format(time.RFC3339)
	for _, v := range [][2]string{
		{"messageId", id}, {"messageType", strconv.Itoa(e.config.MessageType)}, {"messageClass", contract.ClassMessage},
		{"senderId", e.config.Sender}, {"recipientId", e.config.Recipient}, {"eventDate", now}, {"messageDate", now},
	} {
		root.CreateElement(v[0]).SetText(v[1])
	}
	return doc.WriteToBytes()
}

func document(name, namespace string) (*etree.Document, *etree.Element) {
	doc := etree.NewDocument()
	doc.WriteSettings = xmlframe.Canonical()
	doc.CreateProcInst("xml", `version="1.0" encoding="UTF-8"`)
	root := doc.CreateElement(name)
	root.CreateAttr("xmlns", namespace)
	return doc, root
}
