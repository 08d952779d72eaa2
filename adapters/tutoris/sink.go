package tutoris

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/beevik/etree"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/native"
	contract "github.com/einmal-hub/einmal/contracts/native/tutoris"
	"github.com/einmal-hub/einmal/contracts/strict"
)

const opApply = Type + ".apply"

// Apply hands one entry over; see [adapters.Sink]. When a result says already that it is recorded, that is the answer; otherwise the answer is Doubt with the
// code handed-over, and Find tells more later. A file with the reference that still lies in the inbox is left as it is.
func (e *exchange) Apply(ctx context.Context, entry native.Entry) (native.Receipt, error) {
	content, err := examine(entry)
	if err != nil {
		return native.Receipt{}, err
	}
	l, err := e.dial(ctx, opApply)
	if err != nil {
		return native.Receipt{}, err
	}
	defer l.close()
	known, err := e.before(ctx, l, entry.Reference, content)
	if err != nil {
		return native.Receipt{}, l.unusable(err)
	}
	if len(known.recorded) > 0 {
		receipt := known.recorded[0]
		receipt.Joined = true
		return receipt, nil
	}
	lies, last, err := e.delivered(l, entry.Reference, known.refused.attempt)
	switch {
	case err != nil:
		return native.Receipt{}, l.unusable(err)
	case lies:
		return native.Receipt{}, handedOver()
	}
	d := contract.Delivery{Reference: entry.Reference, Attempt: last + 1}
	return native.Receipt{}, e.handOver(ctx, l, d, entry, content)
}

// examine refuses what the contract does not provide for, before a file is written.
func examine(entry native.Entry) (*etree.Element, error) {
	no := func(code, text string) (*etree.Element, error) {
		return nil, fault.New(fault.Refuse, opApply, code, text)
	}
	kind, known := contract.KindOf(entry.Kind)
	content, err := strict.XML(entry.Body)
	switch {
	case !reference(entry.Reference):
		return no("reference", "the reference cannot be one of Tutoris")
	case err != nil || !known || len(entry.Body) > contract.MaxContent || !strict.Is(content, contract.Namespace, kind.Root):
		return no("content", "the content is not the element of the namespace of Tutoris for its kind within 256 KiB")
	case kind.Opens && entry.Case != "" && entry.Action == "":
		return no("opening", "the entry opens a case, but names one")
	case entry.Case == "" && (!kind.Opens || entry.Action != ""):
		return no("not-opening", "the entry does not open a case, and names none")
	}
	return content, nil
}

// before returns what the results say about an entry that is to be handed over. When its message is younger than what the archive keeps, a file with its reference that was ever handed over still lies
// there, and tells which results can be about it; of an older one, all are read.
func (e *exchange) before(ctx context.Context, l *link, ref native.Reference, content *etree.Element) (outcome, error) {
	if e.young(content) {
		return e.lookSince(ctx, l, ref, 0)
	}
	return e.look(ctx, l, ref)
}

// archived is how long a file lies in the archive, at least (README section 3), less a day by which two clocks may differ.
const archived = 59 * 24 * time.Hour

// young reports whether a content was said so short a time ago that every file with it still lies where it was put.
func (e *exchange) young(content *etree.Element) bool {
	header, err := strict.Child(content, contract.Namespace, "kopf")
	if err != nil {
		return false
	}
	date, err := strict.Child(header, contract.HeaderNamespace, "messageDate")
	if err != nil {
		return false
	}
	said, err := time.Parse(time.RFC3339, date.Text())
	age := e.now().Sub(said)
	return err == nil && age < archived && age > -24*time.Hour
}

// delivered looks for the files with a reference that were handed over after an attempt of which the result is known: whether one lies in the inbox, and the number of the last one. The inbox, which
// holds what came since the last window, is looked at first, because that is the way a file goes. In the archive, which holds what was taken in months, one name after the other is looked for: attempts
// are counted without gaps, and one that was deleted there by its age, without ever having had a result, is none any more.
func (e *exchange) delivered(l *link, ref native.Reference, after int) (lies bool, last int, err error) {
	names, err := l.names(e.at(contract.Inbox))
	if err != nil {
		return false, 0, err
	}
	last = after
	for name := range names {
		if d, ok := contract.ParseDelivery(name); ok && d.Reference == ref {
			lies, last = true, max(last, d.Attempt)
		}
	}
	for {
		taken, err := l.exists(e.at(contract.Archive, contract.Delivery{Reference: ref, Attempt: last + 1}.File()))
		if !taken || err != nil {
			return lies, last, err
		}
		last++
	}
}

// handOver writes the file and renames it. Until it has its name, nothing was handed over.
func (e *exchange) handOver(ctx context.Context, l *link, d contract.Delivery, entry native.Entry, content *etree.Element) error {
	b, err := writeDelivery(d, entry, content)
	if err != nil || len(b) > contract.MaxFile || d.Attempt > contract.MaxAttempt {
		return fault.New(fault.Refuse, opApply, "too-large", "the entry cannot be written within the limits of the contract")
	}
	draft := e.at(contract.Inbox, fmt.Sprintf(".%s.%s.tmp", d.File(), rand.Text()))
	written, err := l.write(draft, b)
	if err != nil {
		cause := l.unusable(err)
		_ = l.files.Remove(draft)
		return cause
	}
	if err := ended(ctx, opApply); err != nil {
		_ = l.files.Remove(draft)
		return err
	}
	if err := l.rename(draft, e.at(contract.Inbox, d.File())); err != nil {
		return e.settle(ctx, draft, d)
	}
	if d.Attempt == 1 && e.hold(ctx) {
		e.note(d.Reference, written)
		e.release()
	}
	return handedOver()
}

func handedOver() error {
	return fault.New(fault.Doubt, opApply, "handed-over", "the file was handed to Tutoris; its result says later whether the entry is recorded")
}

// settle finds out what became of a renaming that was not confirmed. It removes the file under its first name: from then on nothing can rename it. If it stands
// under its name after that, it was handed over before; if it stands nowhere, it never was and never will be.
func (e *exchange) settle(ctx context.Context, draft string, d contract.Delivery) error {
	doubt := fault.New(fault.Doubt, opApply, "inbox", "nobody knows whether the file has got its name")
	l, err := e.dial(ctx, opApply)
	if err != nil {
		return doubt
	}
	defer l.close()
	removed := l.files.Remove(draft)
	if removed != nil && !errors.Is(removed, fs.ErrNotExist) {
		return doubt
	}
	for _, folder := range []string{contract.Inbox, contract.Archive} {
		switch there, err := l.exists(e.at(folder, d.File())); {
		case err != nil:
			return doubt
		case there:
			return handedOver()
		}
	}
	if removed != nil {
		return doubt // it was not there any more, and stands nowhere
	}
	return fault.New(fault.Retry, opApply, "not-renamed", "the file did not get its name, and was removed: nothing was handed over")
}
