package osiv

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"regexp"

	"github.com/beevik/etree"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/native"
	contract "github.com/einmal-hub/einmal/contracts/native/osiv"
	"github.com/einmal-hub/einmal/contracts/strict"
)

const opApply = Type + ".apply"

// Apply hands one entry over; see [adapters.Sink]. When OSIV's report on the reference is here already, it is the answer; otherwise the answer is Doubt with the
// code handed-over, and Find tells more later. A pair with the reference that still lies in the outbox is left as it is.
func (e *exchange) Apply(ctx context.Context, entry native.Entry) (native.Receipt, error) {
	content, named, err := examine(entry)
	if err != nil {
		return native.Receipt{}, err
	}
	if err := ended(ctx, opApply); err != nil {
		return native.Receipt{}, err
	}
	root, err := e.open(opApply)
	if err != nil {
		return native.Receipt{}, err
	}
	defer func() { _ = root.Close() }()
	known, err := e.outcome(root, entry.Reference)
	switch {
	case err != nil:
		return native.Receipt{}, unusable(opApply, err)
	case len(known.recorded) > 0:
		receipt := known.recorded[0]
		receipt.Joined = true
		return receipt, nil
	case known.refused != nil:
		return native.Receipt{}, refused(opApply, *known.refused)
	}
	if err := retire(root, known.given); err != nil {
		return native.Receipt{}, unusable(opApply, err)
	}
	return native.Receipt{}, e.handOver(root, entry, content, named)
}

// examine refuses what OSIV's contract does not provide for, before a file is written. It returns the content and the documents that it names.
func examine(entry native.Entry) (*etree.Element, []attachment, error) {
	no := func(code, text string) (*etree.Element, []attachment, error) {
		return nil, nil, fault.New(fault.Refuse, opApply, code, text)
	}
	kind, known := contract.KindOf(entry.Kind)
	content, err := strict.XML(entry.Body)
	switch {
	case !regexp.MustCompile(`^[0-9a-f-]{1,36}$`).MatchString(string(entry.Reference)):
		return no("reference", "the reference cannot be a message id of sedex")
	case err != nil || !known || len(entry.Body) > contract.MaxContent || !strict.Is(content, contract.Namespace, kind.Root):
		return no("content", "the content is not the element of OSIV's namespace for its kind within 256 KiB")
	case !contract.Registered(content):
		return no(noRegistration, "OSIV can hold only persons with an IV registration, and the application does not say that there is one")
	case kind.Opens && entry.Case != "" && entry.Action == "":
		return no("opening", "the entry opens a case, but names one")
	case entry.Case == "" && (!kind.Opens || entry.Action != ""):
		return no("not-opening", "the entry does not open a case, and names none")
	}
	named, err := attachments(content)
	if err != nil || !same(named, entry.Documents) {
		return no("documents", "the documents that the content names are not those of the entry")
	}
	return content, named, nil
}

// handOver writes the pair: the data first, the envelope last. Until the envelope is in place nothing was handed over.
func (e *exchange) handOver(root *os.Root, entry native.Entry, content *etree.Element, named []attachment) error {
	base := string(entry.Reference)
	cover, data := contract.Outbox+"/envl_"+base+".xml", contract.Outbox+"/data_"+base+".zip"
	if _, err := root.Lstat(cover); err == nil {
		return handedOver()
	}
	message, err := writeMessage(entry, content)
	if err == nil && len(message) > contract.MaxMessage {
		err = errors.New("larger than 1 MiB")
	}
	if err != nil {
		return fault.New(fault.Refuse, opApply, "too-large", "the message cannot be written within the limits of the contract")
	}
	envelope, err := e.writeEnvelope(base)
	if err != nil {
		return fault.New(fault.Refuse, opApply, "envelope", "the envelope cannot be written")
	}
	if err := placeData(root, data, message, named); err != nil {
		return err
	}
	draft, err := draftOf(root, contract.Outbox, func(w io.Writer) error { _, err := w.Write(envelope); return err })
	if err != nil {
		return unusable(opApply, err)
	}
	if err := root.Rename(draft, cover); err != nil {
		return fault.New(fault.Doubt, opApply, "outbox", "nobody knows whether the envelope is in place").Because(bare(err))
	}
	if err := syncFolder(root, contract.Outbox); err != nil {
		return fault.New(fault.Doubt, opApply, "outbox", "nobody knows whether the envelope would outlast a loss of power").Because(bare(err))
	}
	return handedOver()
}

// placeData puts the whole payload in place, or none. A document that does not stand there, or is another, keeps the entry from being sent.
func placeData(root *os.Root, name string, message []byte, named []attachment) error {
	draft, err := draftOf(root, contract.Outbox, func(w io.Writer) error {
		return pack(w, message, named, func(a attachment) (io.ReadCloser, error) { return a.open(root) })
	})
	if errors.Is(err, errDiffers) {
		return fault.New(fault.Park, opApply, adapters.DocumentMissing, "a document of the entry does not stand whole among those to be sent; nothing was handed over").
			Hint("let the entry go on: its documents are then stored anew")
	}
	if err == nil {
		err = root.Rename(draft, name)
	}
	if err != nil {
		return unusable(opApply, err)
	}
	return nil
}

func handedOver() error {
	return fault.New(fault.Doubt, opApply, "handed-over", "the message was handed to sedex; OSIV reports later whether it is recorded")
}

// bare returns a file system error without the name of the file.
func bare(err error) error {
	var link *os.LinkError
	var path *fs.PathError
	switch {
	case errors.As(err, &link):
		return link.Err
	case errors.As(err, &path):
		return path.Err
	}
	return err
}
