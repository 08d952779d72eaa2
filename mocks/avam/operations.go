package avam

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/beevik/etree"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	contract "github.com/einmal-hub/einmal/contracts/native/avam"
	"github.com/einmal-hub/einmal/contracts/strict"
	"github.com/einmal-hub/einmal/mocks/core"
	"github.com/einmal-hub/einmal/mocks/ech0058"
	"github.com/einmal-hub/einmal/mocks/xsd"
)

// answerBudget is how many bytes of contents one answer holds at most; the rest of the contract's 1 MiB is for the frame.
const answerBudget = 768 << 10

// dispatch carries out a valid request; document is the base64 text that came with it.
func (m *Mock) dispatch(r *http.Request, request *etree.Element, document []byte) (*etree.Element, error) {
	response := etree.NewElement(request.Tag + "Response")
	response.CreateAttr("xmlns", contract.Namespace)
	switch request.Tag {
	case contract.OpenCase, contract.AddEntry:
		return response, m.write(r, request, response)
	case contract.GetChanges:
		return response, m.changes(request, response)
	case contract.FindByReference:
		for _, e := range m.store.ByReference(native.Reference(own(request, "reference")), m.dice.LookupLag()) {
			receipt(response.CreateElement("match"), e)
		}
		put(response, "complete", "true")
	case contract.StoreDocument:
		return response, m.storeDocument(request, document, response)
	case contract.FetchDocument:
		return response, m.fetchDocument(request, response)
	case contract.Ping:
		put(response, "contractVersion", contract.Version)
	default:
		return nil, refused(contract.ReasonInvalidContent, nil)
	}
	return response, nil
}

func receipt(el *etree.Element, e core.Entry) {
	put(el, "entryId", string(e.ID))
	put(el, "caseId", string(e.Case))
}

// write carries out openCase and addEntry.
func (m *Mock) write(r *http.Request, request, response *etree.Element) error {
	kind, err := kindOf(native.Kind(own(request, "kind")))
	if err != nil {
		return refused(contract.ReasonInvalidContent, err)
	}
	content := ech0058.Child(request, contract.Namespace, "content").ChildElements()[0]
	w := core.Write{
		Case: native.CaseKey(own(request, "caseId")), CaseReference: handover.CaseID(own(request, "caseReference")), Kind: kind.Code,
		Organisation: handover.OrganisationID(own(request, "organisationId")), Reference: native.Reference(own(request, "reference")),
		Documents: documents(content), By: core.ByInterface,
	}
	w.Action, w.Refers = frame().Revises(content)
	opens := request.Tag == contract.OpenCase
	switch {
	case opens && !kind.Opens:
		return refused(contract.ReasonNotOpening, nil)
	case !opens && kind.Opens && w.Action == "":
		return refused(contract.ReasonOpening, nil)
	}
	if w.Body, err = m.body(kind.Code, request); err != nil {
		return refused(contract.ReasonInvalidContent, err)
	}
	if err := m.stands(w, content); err != nil {
		return err
	}
	e, _, err := m.store.Write(r.Context(), w)
	if err != nil {
		return failing(err)
	}
	receipt(response, e)
	return nil
}

// failing is the fault for an entry that the store did not take.
func failing(err error) error {
	switch {
	case errors.Is(err, core.ErrNoCase):
		return refused(contract.ReasonUnknownCase, nil)
	case errors.Is(err, core.ErrNoRecord):
		return refused(contract.ReasonUnknownEntry, nil)
	case errors.Is(err, core.ErrNoDocument):
		return refused(contract.ReasonMissingDocument, nil)
	default:
		return err
	}
}

// stands checks what an entry says of others: the one that it recalls or corrects, and its documents.
func (m *Mock) stands(w core.Write, content *etree.Element) error {
	if _, known := m.store.Case(w.Case); w.Case != "" && !known {
		return refused(contract.ReasonUnknownCase, nil)
	}
	if w.Action != "" {
		earlier, ok := frame().Revised(m.store, w, content)
		if !ok {
			return refused(contract.ReasonUnknownEntry, nil)
		}
		if before, err := strict.XML(earlier.Body); err != nil || own(before, "applicantOffice") != own(content, "applicantOffice") {
			return refused(contract.ReasonRule, nil)
		}
	}
	return m.documentsStand(content)
}

// body takes the content out of a request and checks what the schema cannot say.
func (m *Mock) body(kind native.Kind, request *etree.Element) ([]byte, error) {
	content := ech0058.Child(request, contract.Namespace, "content").ChildElements()[0]
	if err := rules(kind, content); err != nil {
		return nil, err
	}
	if err := m.sameCase(request, content); err != nil {
		return nil, err
	}
	b, err := alone(content)
	if err == nil && len(b) > contract.MaxContent {
		return nil, xsd.Wrong(content, "is larger than 256 KiB")
	}
	return b, err
}

// sameCase compares the header's case id with the one that the case was opened with.
func (m *Mock) sameCase(request, content *etree.Element) error {
	reference := own(request, "caseReference")
	if entries, ok := m.store.Case(native.CaseKey(own(request, "caseId"))); ok {
		reference = string(entries[0].CaseReference)
	}
	header := ech0058.Child(content, contract.Namespace, "deliveryHeader")
	process := ech0058.Value(header, contract.HeaderNamespace, "businessProcessId")
	if process != "" && reference != "" && process != reference {
		return xsd.Wrong(header, "names another case in businessProcessId")
	}
	return nil
}

// alone writes an element as a document with all declarations of namespaces that were in force around it.
func alone(el *etree.Element) ([]byte, error) {
	own := el.Copy()
	for outer := el.Parent(); outer != nil; outer = outer.Parent() {
		for _, a := range outer.Attr {
			if (a.Space == "xmlns" || a.Key == "xmlns") && own.SelectAttr(a.FullKey()) == nil && a.Value != contract.SOAPNamespace {
				own.CreateAttr(a.FullKey(), a.Value)
			}
		}
	}
	doc := etree.NewDocument()
	doc.WriteSettings.CanonicalText = true
	doc.SetRoot(own)
	return doc.WriteToBytes()
}

// changes answers with the entries after a mark. A mark is the number that the store gave in the order of commit. When the dice say so, the new
// mark stays below the last entry, and the entry comes again.
func (m *Mock) changes(request, response *etree.Element) error {
	mark, err1 := strconv.ParseUint(own(request, "mark"), 10, 64)
	most, err2 := strconv.Atoi(own(request, "max"))
	if err1 != nil || err2 != nil {
		return refused(contract.ReasonInvalidContent, nil)
	}
	if mark > uint64(m.store.Len()) { //nolint:gosec // a length is not negative
		return &failure{status: http.StatusInternalServerError, code: contract.FaultUnknownMark}
	}
	size := 0
	for _, e := range m.store.After(mark, most) {
		if size += len(e.Body); size > answerBudget {
			break
		}
		if err := describe(response.CreateElement("entry"), e); err != nil {
			return err
		}
		if mark = e.Number; m.again(mark) {
			mark--
			break
		}
	}
	put(response, "mark", strconv.FormatUint(mark, 10))
	put(response, "more", strconv.FormatBool(len(m.store.After(mark, 1)) > 0))
	return nil
}

// again decides whether an entry that is delivered now is to come once more.
func (m *Mock) again(number uint64) bool {
	if _, before := m.repeated.Load(number); before || !m.dice.Duplicate() {
		return false
	}
	m.repeated.Store(number, true)
	return true
}

// describe writes one entry.
func describe(el *etree.Element, e core.Entry) error {
	put(el, "number", strconv.FormatUint(e.Number, 10))
	receipt(el, e)
	put(el, "sequence", strconv.FormatUint(e.Sequence, 10))
	put(el, "kind", string(e.Kind))
	put(el, "organisationId", string(e.Organisation))
	put(el, "enteredAt", e.At.Format(time.RFC3339Nano))
	put(el, "reference", string(e.Reference))
	put(el, "caseReference", string(e.CaseReference))
	content, err := strict.XML(e.Body)
	if err != nil {
		return err
	}
	el.CreateElement("content").AddChild(content)
	return nil
}
