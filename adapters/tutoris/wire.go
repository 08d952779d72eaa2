package tutoris

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"

	"github.com/beevik/etree"

	"github.com/einmal-hub/einmal/adapters/internal/xmlframe"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	contract "github.com/einmal-hub/einmal/contracts/native/tutoris"
	"github.com/einmal-hub/einmal/contracts/strict"
)

// writeDelivery writes the file for an entry.
func writeDelivery(d contract.Delivery, e native.Entry, content *etree.Element) ([]byte, error) {
	doc := etree.NewDocument()
	doc.WriteSettings = xmlframe.Canonical()
	doc.CreateProcInst("xml", `version="1.0" encoding="UTF-8"`)
	root := doc.CreateElement("lieferung")
	root.CreateAttr("xmlns", contract.Namespace)
	set := func(name, text string) { root.CreateElement(name).SetText(text) }
	set("referenz", string(d.Reference))
	set("versuch", strconv.Itoa(d.Attempt))
	if e.Case != "" {
		set("dossier", string(e.Case))
	}
	set("fallreferenz", string(e.CaseReference))
	set("stelle", string(e.Organisation))
	set("art", string(e.Kind))
	root.CreateElement("inhalt").AddChild(content)
	return doc.WriteToBytes()
}

// opened begins to read a file of the contract.
func opened(b []byte, name string) (*xmlframe.Frame, *etree.Element, error) {
	if len(b) > contract.MaxFile {
		return nil, nil, tooLarge()
	}
	root, err := strict.XML(b)
	if err != nil {
		return nil, nil, err
	}
	if !strict.Is(root, contract.Namespace, name) {
		return nil, nil, xmlframe.Broken("unexpected-root", "the file is not what its name says, or of another version").At(strict.PathOf(root))
	}
	return xmlframe.Read(root, contract.Namespace), root, nil
}

// receipt is what a result says about one file.
type receipt struct {
	reference native.Reference
	attempt   int
	record    native.Receipt // when it is recorded
	refusal   string         // code, when it is refused
}

// readResult reads a result file. It is believed whole or not at all.
func readResult(run uint64, b []byte) ([]receipt, error) {
	f, root, err := opened(b, "ergebnis")
	if err != nil {
		return nil, err
	}
	if n := f.Number("lauf"); f.Err() == nil && n != run {
		return nil, xmlframe.Broken("contradiction", "the file is of another run than its name says").At(strict.PathOf(root) + "/lauf")
	}
	_ = f.Moment("beendetAm")
	all := []receipt{}
	for q := f.Next("quittung"); q != nil; q = f.Next("quittung") {
		r, err := readReceipt(q)
		if err != nil {
			return nil, err
		}
		if all = append(all, r); len(all) > contract.MaxReceipts {
			return nil, tooLarge()
		}
	}
	return all, f.Done()
}

func readReceipt(q *etree.Element) (receipt, error) {
	f := xmlframe.Read(q, contract.Namespace)
	r := receipt{reference: native.Reference(f.Text("referenz"))}
	attempt := f.Number("versuch")
	if f.Err() == nil && (!reference(r.reference) || attempt < 1 || attempt > contract.MaxAttempt) {
		return receipt{}, xmlframe.Broken("reference", "a receipt is about a file that nobody can have written").At(strict.PathOf(q))
	}
	r.attempt = int(attempt) //nolint:gosec // at most 999
	if yes := f.Next("erfasst"); yes != nil {
		g := xmlframe.Read(yes, contract.Namespace)
		r.record = native.Receipt{Record: native.RecordID(g.Text("eintragsnummer")), Case: native.CaseKey(g.Text("dossier"))}
		if err := g.Done(); err != nil {
			return receipt{}, err
		}
		return r, f.Done()
	}
	no := f.Element("zurueckgewiesen")
	if f.Err() != nil {
		return receipt{}, f.Err()
	}
	g := xmlframe.Read(no, contract.Namespace)
	r.refusal = "refused"
	if code, known := map[string]string{
		contract.ReasonUnknownCase: "unknown-case", contract.ReasonInvalidContent: "invalid-content", contract.ReasonOpening: "opening",
		contract.ReasonNotOpening: "not-opening", contract.ReasonUnknownEntry: "unknown-entry", contract.ReasonNoDocument: "missing-document",
		contract.ReasonRule: "rule",
	}[g.Text("grund")]; known {
		r.refusal = code
	}
	_ = g.Optional("pfad")
	if err := g.Done(); err != nil {
		return receipt{}, err
	}
	return r, f.Done()
}

// exported is one entry of an export.
type exported struct {
	number uint64
	check  string // over what tells the entry from another one with the same number
	record native.Record
	raw    []byte // of an entry that could not be taken apart
	broken error
}

// readExport reads an export, whose name says which numbers it holds. An entry that is not what the contract describes does not spoil the others, as long as its
// place is certain.
func readExport(name contract.Export, b []byte) ([]exported, error) {
	f, root, err := opened(b, "export")
	if err != nil {
		return nil, err
	}
	from, to := f.Number("von"), f.Number("bis")
	if f.Err() == nil && (from != name.From || to != name.To) {
		return nil, xmlframe.Broken("contradiction", "the file holds other numbers than its name says").At(strict.PathOf(root))
	}
	var all []exported
	for el := f.Next("eintrag"); el != nil; el = f.Next("eintrag") {
		e, err := readEntry(el)
		if err != nil {
			return nil, err
		}
		if e.number != from+uint64(len(all)) {
			return nil, xmlframe.Broken("order", "the numbers of the entries do not follow one another").At(strict.PathOf(el))
		}
		all = append(all, e)
	}
	if err := f.Done(); err != nil {
		return nil, err
	}
	if uint64(len(all)) != to-from+1 {
		return nil, xmlframe.Broken("incomplete", "the file holds fewer entries than it says").At(strict.PathOf(root))
	}
	return all, nil
}

// readEntry reads one entry. An error means that not even its number is certain.
func readEntry(el *etree.Element) (exported, error) {
	f := xmlframe.Read(el, contract.Namespace)
	e := exported{number: f.Number("exportnummer")}
	if f.Err() != nil || e.number == 0 {
		return exported{}, xmlframe.Broken("number", "an entry has no export number").At(strict.PathOf(el))
	}
	e.record, e.broken = readRecord(f, el)
	identity := string(e.record.ID) + "\n" + string(e.record.Case) + "\n" + strconv.FormatUint(e.record.Sequence, 10) + "\n" + strconv.FormatInt(e.record.At.UnixNano(), 10)
	sum := sha256.Sum256([]byte(identity))
	e.check = hex.EncodeToString(sum[:6])
	if e.broken != nil {
		raw, err := xmlframe.Detach(el)
		if err != nil {
			return exported{}, err
		}
		e.raw, e.record = raw, native.Record{}
	}
	return e, nil
}

func readRecord(f *xmlframe.Frame, el *etree.Element) (native.Record, error) {
	r := native.Record{
		ID: native.RecordID(f.Text("eintragsnummer")), Case: native.CaseKey(f.Text("dossier")), Sequence: f.Number("laufnummer"),
		CaseReference: handover.CaseID(f.Optional("fallreferenz")), Organisation: handover.OrganisationID(f.Text("stelle")), Kind: native.Kind(f.Text("art")),
	}
	r.At = f.Moment("erfasstAm")
	content := f.Element("inhalt")
	if err := f.Done(); err != nil {
		return r, err
	}
	if r.Sequence == 0 {
		return r, xmlframe.Broken("number", "the position in the dossier is not a number from 1").At(strict.PathOf(el) + "/laufnummer")
	}
	inner, err := xmlframe.Only(content)
	if err != nil {
		return r, err
	}
	r.Body, err = xmlframe.Detach(inner)
	return r, err
}
