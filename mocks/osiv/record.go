package osiv

import (
	"context"
	"errors"

	"github.com/beevik/etree"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	contract "github.com/einmal-hub/einmal/contracts/native/osiv"
	"github.com/einmal-hub/einmal/contracts/strict"
	"github.com/einmal-hub/einmal/mocks/core"
	"github.com/einmal-hub/einmal/mocks/ech0058"
	"github.com/einmal-hub/einmal/mocks/xsd"
)

// report is what OSIV says about a message: where the entry stands, or why there is none.
type report struct {
	reference    string
	record       native.RecordID
	of           native.CaseKey
	reason, path string
}

// record records a delivered message, or refuses it. An error is a failure of the mock itself.
func (m *Mock) record(ctx context.Context, id string, payload []byte) (report, error) {
	r := report{reference: id}
	w, err := m.order(payload)
	if err == nil {
		w.Reference = native.Reference(id)
		var e core.Entry
		if e, _, err = m.store.Write(ctx, w); err == nil {
			r.record, r.of = e.ID, e.Case
			return r, nil
		}
	}
	var refused *refusal
	var invalid *xsd.Invalid
	switch {
	case errors.As(err, &refused):
		r.reason, r.path = refused.reason, refused.path
	case errors.Is(err, core.ErrNoCase):
		r.reason = contract.ReasonUnknownCase
	case errors.Is(err, core.ErrNoRecord):
		r.reason = contract.ReasonUnknownEntry
	case errors.Is(err, core.ErrNoDocument):
		r.reason = contract.ReasonNoAttachment
	case errors.As(err, &invalid):
		r.reason, r.path = contract.ReasonInvalidContent, invalid.Path
	case errors.Is(err, errMalformed):
		r.reason = contract.ReasonInvalidContent
	default:
		return r, err
	}
	return r, nil
}

var errMalformed = errors.New("the payload is not what the contract describes")

// refusal is a reason of the contract.
type refusal struct{ reason, path string }

// Error names the reason and the place.
func (r *refusal) Error() string { return r.reason + " " + r.path }

// order reads a payload and judges it.
func (m *Mock) order(payload []byte) (core.Write, error) {
	b, enclosed, err := unpack(payload)
	if err != nil {
		return core.Write{}, err
	}
	root, err := strict.XML(b)
	if err != nil {
		return core.Write{}, errMalformed
	}
	content := ech0058.Child(root, contract.Namespace, "inhalt")
	if !strict.Is(root, contract.Namespace, "auftrag") || content == nil || len(content.ChildElements()) != 1 {
		return core.Write{}, errMalformed
	}
	body, err := alone(content.ChildElements()[0])
	if err != nil {
		return core.Write{}, errMalformed
	}
	kind := native.Kind(own(root, "art"))
	k, err := m.judge(kind, body)
	if err != nil {
		return core.Write{}, err
	}
	w := core.Write{
		Case: native.CaseKey(own(root, "geschaeft")), CaseReference: handover.CaseID(own(root, "fallreferenz")), Kind: kind,
		Organisation: handover.OrganisationID(own(root, "stelle")), By: core.ByInterface, Body: body,
	}
	w.Action, w.Refers = frame().Revises(content.ChildElements()[0])
	switch {
	case k.Opens && w.Case != "" && w.Action == "":
		return w, &refusal{reason: contract.ReasonOpening}
	case !k.Opens && w.Case == "":
		return w, &refusal{reason: contract.ReasonNotOpening}
	}
	if err := m.schema.Check(root); err != nil {
		return w, err
	}
	if err := m.sameCase(w, content.ChildElements()[0]); err != nil {
		return w, err
	}
	if err := m.revises(w, content.ChildElements()[0]); err != nil {
		return w, err
	}
	w.Documents = documents(content.ChildElements()[0])
	return w, m.keep(content.ChildElements()[0], enclosed)
}

// revises checks what a recall or correction says of the entry that it is about.
func (m *Mock) revises(w core.Write, content *etree.Element) error {
	if _, known := m.store.Case(w.Case); w.Case != "" && !known {
		return core.ErrNoCase
	}
	if w.Action == "" {
		return nil
	}
	earlier, ok := frame().Revised(m.store, w, content)
	if !ok {
		return core.ErrNoRecord
	}
	if before, err := strict.XML(earlier.Body); err != nil || own(before, "antragstellendeStelle") != own(content, "antragstellendeStelle") {
		return &refusal{reason: contract.ReasonRule, path: strict.PathOf(content)}
	}
	return nil
}

// sameCase holds the frame's case id against the one that the case was opened with.
func (m *Mock) sameCase(w core.Write, content *etree.Element) error {
	reference := w.CaseReference
	if entries, ok := m.store.Case(w.Case); ok && entries[0].CaseReference != "" {
		reference = entries[0].CaseReference
	}
	header := ech0058.Child(content, contract.Namespace, "meldungsrahmen")
	if process := ech0058.Value(header, contract.HeaderNamespace, "businessProcessId"); process != "" && process != string(reference) {
		return xsd.Wrong(header, "names another case in businessProcessId")
	}
	return nil
}

// alone writes an element as a document with all declarations of namespaces that were in force around it.
func alone(el *etree.Element) ([]byte, error) {
	own := el.Copy()
	for outer := el.Parent(); outer != nil; outer = outer.Parent() {
		for _, a := range outer.Attr {
			if (a.Space == "xmlns" || a.Key == "xmlns") && own.SelectAttr(a.FullKey()) == nil {
				own.CreateAttr(a.FullKey(), a.Value)
			}
		}
	}
	doc := etree.NewDocument()
	doc.WriteSettings.CanonicalText = true
	doc.SetRoot(own)
	return doc.WriteToBytes()
}
