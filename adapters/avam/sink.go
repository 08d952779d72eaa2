package avam

import (
	"context"

	"github.com/beevik/etree"
	"github.com/einmal-hub/einmal/adapters/internal/xmlframe"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/native"
	contract "github.com/einmal-hub/einmal/contracts/native/avam"
	"github.com/einmal-hub/einmal/contracts/strict"
)

// Apply writes one entry; see [adapters.Sink]. A receipt for another case than the one that was asked for is doubt: something was written
// somewhere.
func (s *service) Apply(ctx context.Context, e native.Entry) (native.Receipt, error) {
	const op = Type + ".apply"
	content, err := strict.XML(e.Body)
	if err != nil || len(e.Body) > contract.MaxContent || content.NamespaceURI() != contract.Namespace {
		return native.Receipt{}, fault.New(fault.Refuse, op, "content", "the content is not one element of AVAM's namespace within 256 KiB").Because(err)
	}
	// What names a case is added to it, also a recall or correction of the application that opened it.
	c := call{op: op, operation: contract.AddEntry, write: true, fill: func(request *etree.Element) { fillEntry(request, e, content) }}
	if e.Case == "" {
		c.operation = contract.OpenCase
	}
	answer, err := s.call(ctx, c)
	if err != nil {
		return native.Receipt{}, err
	}
	receipt, err := readReceipt(answer)
	if err != nil {
		return native.Receipt{}, unreadable(op, true, err)
	}
	if e.Case != "" && receipt.Case != e.Case {
		return native.Receipt{}, fault.New(fault.Doubt, op, "other-case", "AVAM reports another case than the one that was written to")
	}
	return receipt, nil
}

// fillEntry adds the frame and the content to a request, in the contract's order.
func fillEntry(request *etree.Element, e native.Entry, content *etree.Element) {
	set(request, "reference", string(e.Reference))
	if e.Case == "" {
		set(request, "caseReference", string(e.CaseReference))
	} else {
		set(request, "caseId", string(e.Case))
	}
	set(request, "organisationId", string(e.Organisation))
	set(request, "kind", string(e.Kind))
	request.CreateElement("av:content").AddChild(content)
}

// set adds a child with a text. Names are constants: etree writes them unescaped.
func set(el *etree.Element, name, text string) { el.CreateElement("av:" + name).SetText(text) }

// Find searches by reference; see [adapters.Finder]. An incomplete search is an error.
func (s *service) Find(ctx context.Context, ref native.Reference) ([]native.Receipt, error) {
	const op = Type + ".find"
	answer, err := s.call(ctx, call{op: op, operation: contract.FindByReference, fill: func(request *etree.Element) { set(request, "reference", string(ref)) }})
	if err != nil {
		return nil, err
	}
	f := xmlframe.Read(answer, contract.Namespace)
	var found []native.Receipt
	for el := f.Next("match"); el != nil; el = f.Next("match") {
		receipt, err := readReceipt(el)
		if err != nil {
			return nil, unreadable(op, false, err)
		}
		found = append(found, receipt)
	}
	complete := f.Flag("complete")
	if err := f.Done(); err != nil {
		return nil, unreadable(op, false, err)
	}
	if !complete {
		return nil, fault.New(fault.Retry, op, "incomplete-search", "AVAM could not ask its whole index; the search proves nothing")
	}
	return found, nil
}

func readReceipt(el *etree.Element) (native.Receipt, error) {
	f := xmlframe.Read(el, contract.Namespace)
	receipt := native.Receipt{Record: native.RecordID(f.Text("entryId")), Case: native.CaseKey(f.Text("caseId"))}
	return receipt, f.Done()
}
