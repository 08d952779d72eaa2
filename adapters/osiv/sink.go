package osiv

import (
	"context"
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"regexp"

	"github.com/beevik/etree"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/native"
	contract "github.com/einmal-hub/einmal/contracts/native/osiv"
	"github.com/einmal-hub/einmal/contracts/strict"
)

const opApply = Type + ".apply"

// Apply hands one entry over; see [adapters.Sink]. When OSIV's report on the reference is here already, it is the answer; otherwise the answer is Doubt with the
// code handed-over, and Find tells more later. A pair with the reference that still lies in the outbox is left as it is.
func (e *exchange) Apply(ctx context.Context, entry native.Entry) (native.Receipt, error) {
	content, err := examine(entry)
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
	if err := e.retire(root, known.given); err != nil {
		return native.Receipt{}, unusable(opApply, err)
	}
	return native.Receipt{}, e.handOver(root, entry, content)
}

// examine refuses what OSIV's contract does not provide for, before a file is written.
func examine(entry native.Entry) (*etree.Element, error) {
	no := func(code, text string) (*etree.Element, error) {
		return nil, fault.New(fault.Refuse, opApply, code, text)
	}
	kind, known := contract.KindOf(entry.Kind)
	content, err := strict.XML(entry.Body)
	switch {
	case !regexp.MustCompile(`^[0-9a-f-]{1,36}$`).MatchString(string(entry.Reference)):
		return no("reference", "the reference cannot be a message id of sedex")
	case err != nil || !known || len(entry.Body) > contract.MaxContent || !strict.Is(content, contract.Namespace, kind.Root):
		return no("content", "the content is not the element of OSIV's namespace for its kind within 64 KiB")
	case !contract.Registered(content):
		return no(noRegistration, "OSIV can hold only persons with an IV registration, and the application does not say that there is one")
	case kind.Opens && entry.Case != "":
		return no("opening", "the entry opens a case, but names one")
	case !kind.Opens && entry.Case == "":
		return no("not-opening", "the entry does not open a case, and names none")
	}
	return content, nil
}

// handOver writes the pair: the data first, the envelope last. Until the envelope is in place nothing was handed over.
func (e *exchange) handOver(root *os.Root, entry native.Entry, content *etree.Element) error {
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
	payload, err := pack(message)
	if err != nil {
		return fault.New(fault.Refuse, opApply, "payload", "the message cannot be packed")
	}
	envelope, err := e.writeEnvelope(base)
	if err != nil {
		return fault.New(fault.Refuse, opApply, "envelope", "the envelope cannot be written")
	}
	if err := place(root, data, payload); err != nil {
		return unusable(opApply, err)
	}
	draft, err := draftOf(root, contract.Outbox, envelope)
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

// place puts a whole file in place, or none.
func place(root *os.Root, name string, b []byte) error {
	draft, err := draftOf(root, contract.Outbox, b)
	if err != nil {
		return err
	}
	return root.Rename(draft, name)
}

// draftOf writes a file under a name that the sedex client does not know, and makes it durable.
func draftOf(root *os.Root, folder string, b []byte) (string, error) {
	name := folder + "/.einmal-" + rand.Text() + ".part"
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", err
	}
	_, err = f.Write(b)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return "", errors.Join(err, root.Remove(name))
	}
	return name, nil
}
