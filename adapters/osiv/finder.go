package osiv

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/native"
	contract "github.com/einmal-hub/einmal/contracts/native/osiv"
)

const opFind = Type + ".find"

// outcome is everything that is known about a reference.
type outcome struct {
	recorded []native.Receipt
	refused  *answer
	given    map[string]receipt // by the keys of their files
}

// Find returns the records that OSIV has reported for a reference; see [adapters.Finder]. No receipts and no error: the answer is outstanding. An error of kind Refuse: OSIV, or the
// carrier, has refused the message, and nothing was recorded. Retry with the code undelivered: the carrier has given the message up, nothing was recorded,
// and it may be handed over again. Stop: the carrier takes nothing from this participant.
func (e *exchange) Find(ctx context.Context, ref native.Reference) ([]native.Receipt, error) {
	if err := ended(ctx, opFind); err != nil {
		return nil, err
	}
	root, err := e.open(opFind)
	if err != nil {
		return nil, err
	}
	defer func() { _ = root.Close() }()
	known, err := e.outcome(root, ref)
	switch {
	case err != nil:
		return nil, unusable(opFind, err)
	case len(known.recorded) > 0:
		return known.recorded, nil
	case known.refused != nil:
		return nil, refused(opFind, *known.refused)
	}
	return nil, judge(known.given)
}

// judge says what the receipts of one message mean. Only what sedex says last counts, and nothing that it says is a record.
func judge(given map[string]receipt) error {
	var last receipt
	for _, r := range given {
		if r.code == contract.CodeDelivered || r.code == contract.CodeDuplicate {
			return nil
		}
		if passing(r.code) {
			continue
		}
		if last.code == 0 || r.at.After(last.at) {
			last = r
		}
	}
	if last.code == 0 {
		return nil
	}
	entry, known := contract.ReceiptCodeOf(last.code)
	if !known {
		return fault.New(fault.Retry, opFind, "unknown-receipt", "sedex gave a receipt with a code that its documentation does not list").
			Hint("ask the operator of the sedex client what became of the message")
	}
	switch entry.Effect {
	case contract.Refused:
		return fault.New(fault.Refuse, opFind, "carrier-refused", "sedex did not take the message over: "+entry.Meaning).Hint("put it right, then let it be sent again")
	case contract.Barred:
		return fault.New(fault.Stop, opFind, "carrier-barred", "sedex takes nothing from this participant: "+entry.Meaning).
			Hint("ask the operator of the sedex client for the registration, the rights or the certificate")
	default:
		return fault.New(fault.Retry, opFind, "undelivered", "sedex gave the message up: "+entry.Meaning)
	}
}

// passing reports whether a code only tells that a message is on its way.
func passing(code int) bool {
	entry, known := contract.ReceiptCodeOf(code)
	return known && entry.Effect == contract.Pending
}

// outcome reads everything that has come for a reference.
func (e *exchange) outcome(root *os.Root, ref native.Reference) (outcome, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	var o outcome
	if _, err := e.take(root); err != nil {
		return o, err
	}
	if err := e.file(root); err != nil {
		return o, err
	}
	names, err := list(root, about(string(ref)))
	if err != nil {
		return o, ignoreMissing(err)
	}
	for _, n := range numbersOf(names) {
		a, read := e.shelf.items[n]
		if !read {
			if _, a, _, err = e.load(root, n, false); err != nil && fault.KindOf(err) != fault.Park {
				return o, err
			}
		}
		o.learn(a, ref)
	}
	o.given, err = receiptsOf(root, ref, names)
	return o, err
}

func (o *outcome) learn(a answer, ref native.Reference) {
	switch {
	case !a.report || a.ref != ref:
	case a.refusal != "":
		o.refused = &a
	case !slices.Contains(o.recorded, a.receipt):
		o.recorded = append(o.recorded, a.receipt)
	}
}

// receiptsOf returns the carrier's receipts of one message, by their keys, without those that were set aside. names is what lies in its folder.
func receiptsOf(root *os.Root, ref native.Reference, names []string) (map[string]receipt, error) {
	given, past := map[string]receipt{}, map[string]bool{}
	for _, name := range names {
		if k, ok := cut(name, "past_"); ok {
			past[k] = true
		}
		k, ok := cut(name, "receipt_")
		if !ok {
			continue
		}
		b, err := read(root, about(string(ref))+"/"+name)
		if errors.Is(err, fs.ErrNotExist) {
			continue // another gateway has set it aside since
		}
		if err != nil {
			return nil, err
		}
		if r, err := readReceipt(b); err == nil && r.id == string(ref) { // only what was readable is filed; somebody may have changed it
			given[k] = r
		}
	}
	for k := range past {
		delete(given, k)
	}
	return given, nil
}

func cut(name, prefix string) (string, bool) {
	rest, ok1 := strings.CutPrefix(name, prefix)
	k, ok2 := strings.CutSuffix(rest, ".xml")
	return k, ok1 && ok2
}

// file moves the receipts of this exchange to those of their messages, under the key of their bytes. Others, and half-written ones, are left alone.
func (e *exchange) file(root *os.Root) error {
	names, err := list(root, contract.Receipts)
	if err != nil || len(names) == 0 {
		return err
	}
	form := regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}\.xml$`)
	for _, file := range names {
		if !form.MatchString(file) {
			continue
		}
		name := contract.Receipts + "/" + file
		b, err := read(root, name)
		if err != nil {
			continue // gone, or not a file of this contract
		}
		r, err := readReceipt(b)
		if err != nil || r.sender != e.config.Sender || r.messageType != uint64(e.config.MessageType) { //nolint:gosec // checked to be positive
			continue
		}
		if err := folderOf(root, about(r.id)); err != nil {
			return err
		}
		if err := ignoreMissing(root.Rename(name, about(r.id)+"/receipt_"+key(b)+".xml")); err != nil {
			return err
		}
	}
	return nil
}

// retire sets the receipts of an earlier attempt aside before the message is handed over again: they say nothing about the new one.
func retire(root *os.Root, given map[string]receipt) error {
	for k, r := range given {
		if r.code == contract.CodeDelivered || r.code == contract.CodeDuplicate {
			continue
		}
		folder := about(r.id)
		if err := ignoreMissing(root.Rename(folder+"/receipt_"+k+".xml", folder+"/past_"+k+".xml")); err != nil {
			return err
		}
	}
	return nil
}
