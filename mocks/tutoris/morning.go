package tutoris

import (
	"context"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"time"

	"github.com/beevik/etree"

	contract "github.com/einmal-hub/einmal/contracts/native/tutoris"
	"github.com/einmal-hub/einmal/contracts/strict"
	"github.com/einmal-hub/einmal/mocks/core"
	"github.com/einmal-hub/einmal/mocks/ech0058"
)

// file is one that Tutoris writes for einmal.
type file struct {
	folder, name, text string
	says               []string // the references of the receipts in it
}

// entry is an entry of a clerk with its export number.
type entry struct {
	core.Entry
	export uint64
}

// Morning completes what lies there by halves, writes the result of the nights before, if there was anything to say, and exports what clerks entered.
func (m *Mock) Morning(context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return core.ErrClosed
	}
	for _, f := range m.halves {
		if err := m.put(f); err != nil {
			return err
		}
	}
	m.halves = nil
	if err := m.results(); err != nil {
		return err
	}
	return m.export()
}

// Settle makes nights and mornings until nothing waits any more.
func (m *Mock) Settle(ctx context.Context) error {
	for waits := true; waits; {
		if err := m.Night(ctx); err != nil {
			return err
		}
		if err := m.Morning(ctx); err != nil {
			return err
		}
		m.wire.finish()
		m.mu.Lock()
		inbox, err := fs.Glob(m.root.FS(), contract.Inbox+"/lieferung_*.xml")
		waits = len(m.halves)+len(m.held)+len(m.later)+len(m.receipts)+len(m.waiting)+len(inbox) > 0
		m.mu.Unlock()
		if err != nil {
			return fmt.Errorf("tutoris: read the inbox: %w", err)
		}
	}
	return nil
}

// results writes one result file.
func (m *Mock) results() error {
	if len(m.receipts) == 0 {
		return nil
	}
	n := min(len(m.receipts), contract.MaxReceipts)
	m.run++
	doc, f := document("ergebnis")
	f.Put("lauf", strconv.FormatUint(m.run, 10))
	f.Put("beendetAm", m.options.Clock().UTC().Format(time.RFC3339))
	var says []string
	for _, r := range m.receipts[:n] {
		says = append(says, string(r.Reference))
		q := f.Part("quittung")
		q.Put("referenz", string(r.Reference))
		q.Put("versuch", strconv.Itoa(r.Attempt))
		if r.reason != "" {
			no := q.Part("zurueckgewiesen")
			no.Put("grund", r.reason)
			no.Put("pfad", r.path)
			continue
		}
		yes := q.Part("erfasst")
		yes.Put("eintragsnummer", string(r.record))
		yes.Put("dossier", string(r.of))
	}
	m.receipts = m.receipts[n:]
	text, err := doc.WriteToString()
	if err != nil {
		return fmt.Errorf("tutoris: write a result: %w", err)
	}
	return m.place(file{contract.Results, contract.ResultFile(m.run), text, says})
}

// export writes what clerks entered since the last export, and lets faults strike it.
func (m *Mock) export() error {
	for _, e := range m.store.After(m.entered, 0) {
		m.entered = e.Number
		if e.By == core.ByClerk {
			m.exported++
			m.waiting = append(m.waiting, entry{e, m.exported})
		}
	}
	late := m.held
	m.held = nil
	if len(m.waiting) > 0 {
		n := min(len(m.waiting), contract.MaxEntries)
		text, err := exportOf(m.waiting[:n])
		if err == nil {
			err = m.publish(m.waiting[:n])
		}
		if err != nil {
			return err
		}
		times := 1
		if m.dice.Strike(core.OpEvent, core.FaultDuplicate) != "" {
			times = 2
		}
		for range times {
			m.exports++
			f := file{contract.Outbox, contract.Export{From: m.waiting[0].export, To: m.waiting[n-1].export, Run: m.exports}.File(), text, nil}
			if m.dice.Strike(core.OpEvent, core.FaultLate) != "" {
				m.held = append(m.held, f)
				continue
			}
			if err := m.place(f); err != nil {
				return err
			}
		}
		m.waiting = slices.Clone(m.waiting[n:])
	}
	for _, f := range late {
		if err := m.place(f); err != nil {
			return err
		}
	}
	return nil
}

// exportOf writes an export of entries in the order of their numbers.
func exportOf(entries []entry) (string, error) {
	doc, f := document("export")
	f.Put("von", strconv.FormatUint(entries[0].export, 10))
	f.Put("bis", strconv.FormatUint(entries[len(entries)-1].export, 10))
	for _, e := range entries {
		p := f.Part("eintrag")
		p.Put("exportnummer", strconv.FormatUint(e.export, 10))
		p.Put("eintragsnummer", string(e.ID))
		p.Put("dossier", string(e.Case))
		p.Put("laufnummer", strconv.FormatUint(e.Sequence, 10))
		p.Put("fallreferenz", string(e.CaseReference))
		p.Put("stelle", string(e.Organisation))
		p.Put("art", string(e.Kind))
		p.Put("erfasstAm", e.At.Format(time.RFC3339Nano))
		content, err := strict.XML(e.Body)
		if err != nil {
			return "", fmt.Errorf("tutoris: an entry cannot be read: %w", err)
		}
		p.Part("inhalt").El.AddChild(content)
	}
	text, err := doc.WriteToString()
	if err != nil {
		return "", fmt.Errorf("tutoris: write an export: %w", err)
	}
	return text, nil
}

// Reexport writes the entries with the export numbers from one to another once more, as the operator of Tutoris does when a file was lost.
func (m *Mock) Reexport(from, to uint64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	var entries []entry
	n := uint64(0)
	for e := range m.store.Heads(0) {
		if e.By != core.ByClerk {
			continue
		}
		if n++; n >= from && n <= to {
			e, _ = m.store.Entry(e.ID)
			entries = append(entries, entry{e, n})
		}
	}
	if len(entries) == 0 {
		return fmt.Errorf("tutoris: nothing was entered under the numbers %d to %d", from, to)
	}
	text, err := exportOf(entries)
	if err == nil {
		err = m.publish(entries)
	}
	if err != nil {
		return err
	}
	m.exports++
	return m.put(file{contract.Outbox, contract.Export{From: entries[0].export, To: entries[len(entries)-1].export, Run: m.exports}.File(), text, nil})
}

func document(name string) (*etree.Document, ech0058.Form) {
	doc := etree.NewDocument()
	doc.WriteSettings.CanonicalText = true
	doc.CreateProcInst("xml", `version="1.0" encoding="UTF-8"`)
	root := doc.CreateElement(name)
	root.CreateAttr("xmlns", contract.Namespace)
	return doc, ech0058.Form{El: root}
}

// place puts a file into place; a slow one lies there by halves first.
func (m *Mock) place(f file) error {
	if m.dice.Strike(core.OpEvent, core.FaultSlow) == "" {
		return m.put(f)
	}
	m.halves = append(m.halves, f)
	return m.write(f.folder+"/"+f.name, f.text[:len(f.text)/2])
}

// put writes a whole file under another name and renames it into place.
func (m *Mock) put(f file) error {
	draft := f.folder + "/." + f.name + ".tmp"
	if err := m.write(draft, f.text); err != nil {
		return err
	}
	if err := m.root.Rename(draft, f.folder+"/"+f.name); err != nil {
		return fmt.Errorf("tutoris: put a file into place: %w", err)
	}
	if f.folder == contract.Documents {
		return nil // nobody reads those again
	}
	return m.note(f.name, int64(len(f.text)), f.says)
}

func (m *Mock) write(name, text string) error {
	if err := m.root.WriteFile(name, []byte(text), 0o600); err != nil {
		return fmt.Errorf("tutoris: write a file: %w", err)
	}
	return nil
}
