package tutoris

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/beevik/etree"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	contract "github.com/einmal-hub/einmal/contracts/native/tutoris"
	"github.com/einmal-hub/einmal/contracts/strict"
	"github.com/einmal-hub/einmal/mocks/core"
	"github.com/einmal-hub/einmal/mocks/ech0058"
	"github.com/einmal-hub/einmal/mocks/xsd"
)

// delivery is a file that was taken from the inbox.
type delivery struct {
	contract.Delivery
	bytes []byte
}

// receipt is what Tutoris says about a delivery: where the entry stands, or why there is none.
type receipt struct {
	contract.Delivery
	record       native.RecordID
	of           native.CaseKey
	reason, path string
}

// abandoned is how old a file that nobody finished must be to be removed.
const abandoned = 7 * 24 * time.Hour

// Night takes what lies in the inbox, in the order of the names, and records it. Files whose names begin with a dot are still being written.
func (m *Mock) Night(ctx context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return core.ErrClosed
	}
	tonight := m.later
	m.later = nil
	for _, d := range tonight {
		if err := m.record(ctx, d, true); err != nil {
			return err
		}
	}
	entries, err := fs.ReadDir(m.root.FS(), contract.Inbox)
	if err != nil {
		return fmt.Errorf("tutoris: read the inbox: %w", err)
	}
	for _, e := range entries {
		d, ok := contract.ParseDelivery(e.Name())
		switch {
		case ok:
			err = m.take(ctx, d)
		case strings.HasPrefix(e.Name(), "."):
			err = m.sweep(e)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// sweep removes a file that was begun long ago and never finished.
func (m *Mock) sweep(e fs.DirEntry) error {
	info, err := e.Info()
	if err != nil || m.options.Clock().Sub(info.ModTime()) < abandoned {
		return nil //nolint:nilerr // it is gone
	}
	if err := m.root.Remove(contract.Inbox + "/" + e.Name()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("tutoris: remove a file that was never finished: %w", err)
	}
	return nil
}

// take takes one file over, with what may go wrong.
func (m *Mock) take(ctx context.Context, name contract.Delivery) error {
	fault := m.dice.Scripted(core.OpWrite, core.FaultErrorInDoubt, core.FaultDuplicate, core.FaultLostAnswer)
	if fault == "" {
		fault = m.dice.Strike(core.OpWrite, core.FaultError, core.FaultLate)
	}
	if fault == core.FaultError {
		return nil
	}
	if err := m.root.Rename(contract.Inbox+"/"+name.File(), contract.Archive+"/"+name.File()); err != nil {
		return fmt.Errorf("tutoris: move a delivery: %w", err)
	}
	b, err := m.root.ReadFile(contract.Archive + "/" + name.File())
	if err != nil {
		return fmt.Errorf("tutoris: read a delivery: %w", err)
	}
	d := delivery{name, b}
	switch fault {
	case core.FaultErrorInDoubt:
		return nil
	case core.FaultLate:
		m.later = append(m.later, d)
		return nil
	case core.FaultDuplicate:
		if err := m.record(ctx, d, true); err != nil {
			return err
		}
	}
	return m.record(ctx, d, fault != core.FaultLostAnswer)
}

// record records a delivery or refuses it. An error is a failure of the mock itself.
func (m *Mock) record(ctx context.Context, d delivery, say bool) error {
	r := receipt{Delivery: d.Delivery}
	w, err := m.order(d)
	if err == nil {
		var e core.Entry
		if e, _, err = m.store.Write(ctx, w); err == nil {
			r.record, r.of = e.ID, e.Case
		}
	}
	var refused *refusal
	var invalid *xsd.Invalid
	switch {
	case err == nil:
	case errors.As(err, &refused):
		r.reason, r.path = refused.reason, refused.path
	case errors.Is(err, core.ErrNoCase):
		r.reason = contract.ReasonUnknownCase
	case errors.Is(err, core.ErrNoRecord):
		r.reason = contract.ReasonUnknownEntry
	case errors.Is(err, core.ErrNoDocument):
		r.reason = contract.ReasonNoDocument
	case errors.As(err, &invalid):
		r.reason, r.path = contract.ReasonInvalidContent, invalid.Path
	case errors.Is(err, errMalformed):
		r.reason = contract.ReasonInvalidContent
	default:
		return err
	}
	if say {
		m.receipts = append(m.receipts, r)
	}
	return nil
}

var errMalformed = errors.New("the file is not what the contract describes")

// refusal is a reason of the contract.
type refusal struct{ reason, path string }

// Error names the reason and the place.
func (r *refusal) Error() string { return r.reason + " " + r.path }

// order reads a delivery and judges it.
func (m *Mock) order(d delivery) (core.Write, error) {
	root, err := strict.XML(d.bytes)
	if err != nil {
		return core.Write{}, errMalformed
	}
	content := ech0058.Child(root, contract.Namespace, "inhalt")
	if !strict.Is(root, contract.Namespace, "lieferung") || content == nil || len(content.ChildElements()) != 1 {
		return core.Write{}, errMalformed
	}
	body, err := alone(content.ChildElements()[0])
	if err != nil {
		return core.Write{}, errMalformed
	}
	w := core.Write{
		Case: native.CaseKey(own(root, "dossier")), CaseReference: handover.CaseID(own(root, "fallreferenz")), Kind: native.Kind(own(root, "art")),
		Organisation: handover.OrganisationID(own(root, "stelle")), Reference: d.Reference, By: core.ByInterface, Body: body,
	}
	w.Action, w.Refers = frame().Revises(content.ChildElements()[0])
	w.Documents = documents(content.ChildElements()[0])
	k, err := m.judge(w.Kind, body)
	switch {
	case err != nil:
		return w, err
	case own(root, "referenz") != string(d.Reference) || own(root, "versuch") != fmt.Sprint(d.Attempt):
		return w, xsd.Wrong(root, "is of another name than its file")
	case k.Opens && w.Case != "" && w.Action == "":
		return w, &refusal{reason: contract.ReasonOpening}
	case w.Case == "" && (!k.Opens || w.Action != ""):
		return w, &refusal{reason: contract.ReasonNotOpening}
	}
	if err := m.schema.Check(root); err != nil {
		return w, err
	}
	if m.refusals > 0 {
		m.refusals--
		return w, &refusal{reason: contract.ReasonRule}
	}
	return w, m.admits(w, content.ChildElements()[0])
}

// admits holds a content that is well made in itself against what stands here.
func (m *Mock) admits(w core.Write, content *etree.Element) error {
	if err := m.sameCase(w, content); err != nil {
		return err
	}
	if err := m.revises(w, content); err != nil {
		return err
	}
	return m.fetch(content)
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
	if before, err := strict.XML(earlier.Body); err != nil || own(before, "zuweisendeStelle") != own(content, "zuweisendeStelle") {
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
	header := ech0058.Child(content, contract.Namespace, "kopf")
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
