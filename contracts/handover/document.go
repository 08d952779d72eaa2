package handover

import (
	"encoding/hex"
	"fmt"
	"log/slog"
	"strings"

	"github.com/einmal-hub/einmal/contracts/personal"
)

// DocumentLimit is the most bytes that one document holds: 20 MiB.
const DocumentLimit = 20 << 20

// documentsLimit is the most documents of one message.
const documentsLimit = 20

// Document is a document that belongs to a message. Its content never travels in a message: it is fetched from the native system that the message was entered in and
// stored in the one that is written to, under its hash, before the message is recorded there. So no entry stands without its documents, and a document that
// was changed meanwhile is noticed.
type Document struct {
	Name      personal.Text `json:"name"`      // as people call it: "Arbeitsvertrag.pdf"; never used as the name of a file
	MediaType string        `json:"mediaType"` // "application/pdf"
	Size      int64         `json:"size"`      // bytes, 1 to 20 MiB
	SHA256    string        `json:"sha256"`    // of the content: 64 hexadecimal digits in lower case
}

// LogValue masks the document: the hash of a known document names it.
func (Document) LogValue() slog.Value { return slog.StringValue("***") }

// Format masks the whole document for every verb.
func (Document) Format(s fmt.State, _ rune) { personal.WriteMask(s) }

func (d Document) validate() error {
	var c check
	c.text("name", d.Name.Reveal(), 1, 200)
	c.must(mediaType(d.MediaType), "mediaType", "media-type", "the type is not written as type/subtype in lower case")
	c.must(d.Size >= 1 && d.Size <= DocumentLimit, "size", "out-of-range", "a document holds 1 byte to 20 MiB")
	raw, err := hex.DecodeString(d.SHA256)
	c.must(err == nil && len(raw) == 32 && strings.ToLower(d.SHA256) == d.SHA256, "sha256", "hash-format", "the hash is 64 hexadecimal digits in lower case")
	return c.Err()
}

// mediaType reports whether s is a type and a subtype in lower case, without parameters (RFC 6838, 4.2), of at most 100 characters.
func mediaType(s string) bool {
	kind, sub, ok := strings.Cut(s, "/")
	return ok && len(s) <= 100 && restrictedName(kind) && restrictedName(sub)
}

func restrictedName(s string) bool {
	return s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789!#$&^_.+-") == "" && strings.Trim(s[:1], "abcdefghijklmnopqrstuvwxyz0123456789") == ""
}

// documents checks the list of documents. An empty list is left out, so that none has one spelling.
func (c *check) documents(ds []Document) {
	c.must(ds == nil || len(ds) >= 1 && len(ds) <= documentsLimit, "documents", "out-of-range", "there are 1 to 20 documents, or the list is left out")
	seen := map[string]bool{}
	for i, d := range ds {
		path := fmt.Sprintf("documents[%d].", i)
		c.within(path, d.validate)
		c.must(!seen[d.SHA256], path+"sha256", "repeated-document", "the same content is listed twice")
		seen[d.SHA256] = true
	}
}

// DocumentsOf returns the documents that belong to a payload; nil for one that has none.
func DocumentsOf(p Payload) []Document {
	switch p := p.(type) {
	case ApplicationSubmitted:
		return p.Documents
	case ClarificationAnswered:
		return p.Documents
	case TransferMeetingRecorded:
		return p.Documents
	case JobSearchExemptionSigned:
		return p.Documents
	case CostApprovalSigned:
		return p.Documents
	case InvoiceForwarded:
		return p.Documents
	case CaseClosed:
		return p.Documents
	}
	return nil
}
