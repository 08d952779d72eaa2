package osiv

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"slices"
	"strconv"

	"github.com/beevik/etree"

	"github.com/einmal-hub/einmal/adapters/internal/xmlframe"
	"github.com/einmal-hub/einmal/contracts/handover"
	contract "github.com/einmal-hub/einmal/contracts/native/osiv"
	"github.com/einmal-hub/einmal/contracts/strict"
)

// attachment is a document as a message frame names it, as far as the carrier needs it; what people call it is the mapping's business.
type attachment struct {
	hash string
	size int64
}

// errDiffers: a content is missing, or does not have the size or the hash of its document.
var errDiffers = errors.New("the content is not that of the document")

// copy copies a content and holds it against size and hash.
func (a attachment) copy(to io.Writer, content io.Reader) error {
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(to, sum), io.LimitReader(content, a.size+1))
	if err == nil && (n != a.size || hex.EncodeToString(sum.Sum(nil)) != a.hash) {
		err = errDiffers
	}
	return err
}

// attachments returns the documents that the frame of a content names, in order.
func attachments(content *etree.Element) ([]attachment, error) {
	frame, err := strict.Child(content, contract.Namespace, "meldungsrahmen")
	if err != nil {
		return nil, err
	}
	var all []attachment
	for _, el := range strict.Children(frame, contract.HeaderNamespace, "attachment") {
		inner, err := xmlframe.Only(el)
		if err == nil && !strict.Is(inner, contract.Namespace, "anhang") {
			err = xmlframe.Unexpected(inner)
		}
		if err != nil {
			return nil, err
		}
		hash, err1 := strict.Child(inner, contract.Namespace, "sha256")
		size, err2 := strict.Child(inner, contract.Namespace, "groesse")
		if err := errors.Join(err1, err2); err != nil {
			return nil, err
		}
		n, err := strconv.ParseInt(size.Text(), 10, 32)
		a := attachment{hash: hash.Text(), size: n}
		if err != nil || n < 1 || n > contract.MaxAttachment || !isHash(a.hash) || slices.ContainsFunc(all, func(b attachment) bool { return a.hash == b.hash }) {
			return nil, xmlframe.Broken("attachment", "the name of a document has no size or hash of the contract, or stands there twice").At(strict.PathOf(inner))
		}
		all = append(all, a)
	}
	return all, nil
}

// same reports whether an entry's documents are those that its content names.
func same(named []attachment, documents []handover.Document) bool {
	return slices.EqualFunc(named, documents, func(a attachment, d handover.Document) bool { return a.hash == d.SHA256 && a.size == d.Size })
}

// match holds the enclosed documents against those that the message names: each is there, and no other.
func (p parts) match(named []attachment) error {
	for _, a := range named {
		f := p.enclosed[a.hash]
		switch {
		case f == nil:
			return lacking("attachment-missing", "a document that the message names is not in its payload")
		case f.UncompressedSize64 != uint64(a.size): //nolint:gosec // from 1 to 20 MiB
			return lacking("attachment-differs", "a document in the payload has another size than the message says")
		}
	}
	if len(p.enclosed) != len(named) {
		return lacking("attachment-unnamed", "the payload holds a document that its message does not name")
	}
	return nil
}

// lacking is the reason why an entry does not go on without its documents.
func lacking(code, text string) error {
	return xmlframe.Broken(code, text).Hint("ask the IV office to send the entry again with its documents")
}
