package core

import (
	"bytes"
	"fmt"
	"io"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
)

// Who made an entry.
const (
	ByClerk     = "clerk"
	ByInterface = "interface"
)

// Entry is one record in a mock native system. Entries are never changed; Body is shared and must not be written to.
type Entry struct {
	Number        uint64                  // 1..n in the system: the order of commit
	ID            native.RecordID         // in the system's own style
	Case          native.CaseKey          // the case that it stands in
	Sequence      uint64                  // 1..n in the case
	Kind          native.Kind             // the system's own word
	Organisation  handover.OrganisationID // who entered it; for the interface: as the wire said
	Dossier       handover.OrganisationID // whose dossier the case is; empty on shared platforms
	CaseReference handover.CaseID         // as the opening write said, or this write
	Reference     native.Reference        // empty for what a clerk entered
	Action        handover.Action         // empty for a new entry; recall or correction of the entry that Refers names, in the same case
	Refers        native.RecordID
	Documents     []string  // hashes of the documents that the entry names; each stood here when it was committed
	By            string    // ByClerk or ByInterface
	At            time.Time // UTC
	Body          []byte    // the content in wire format
}

// line is an entry as it stands in the journal.
type line struct {
	Number        uint64    `json:"number"`
	ID            string    `json:"id"`
	Case          string    `json:"case"`
	Sequence      uint64    `json:"sequence"`
	Kind          string    `json:"kind"`
	Organisation  string    `json:"organisation"`
	Dossier       string    `json:"dossier"`
	CaseReference string    `json:"caseReference"`
	Reference     string    `json:"reference"`
	Action        string    `json:"action,omitzero"`
	Refers        string    `json:"refers,omitzero"`
	Documents     []string  `json:"documents,omitzero"`
	By            string    `json:"by"`
	At            time.Time `json:"at"`
	Body          string    `json:"body"`
}

// appendLine appends the entry's journal line, with its line break, to b.
func appendLine(b []byte, e Entry) ([]byte, error) {
	l, err := json.Marshal(line{
		Number: e.Number, ID: string(e.ID), Case: string(e.Case), Sequence: e.Sequence, Kind: string(e.Kind),
		Organisation: string(e.Organisation), Dossier: string(e.Dossier), CaseReference: string(e.CaseReference),
		Reference: string(e.Reference), Action: string(e.Action), Refers: string(e.Refers), Documents: e.Documents, By: e.By, At: e.At, Body: string(e.Body),
	})
	if err != nil {
		return b, fmt.Errorf("write a journal line: %w", err)
	}
	return append(append(b, l...), '\n'), nil
}

// decodeLine reads any valid journal line.
func decodeLine(b []byte) (Entry, error) {
	var l line
	if err := json.Unmarshal(b, &l, json.RejectUnknownMembers(true)); err != nil {
		return Entry{}, fmt.Errorf("read a journal line: %w", err)
	}
	return Entry{
		Number: l.Number, ID: native.RecordID(l.ID), Case: native.CaseKey(l.Case), Sequence: l.Sequence, Kind: native.Kind(l.Kind),
		Organisation: handover.OrganisationID(l.Organisation), Dossier: handover.OrganisationID(l.Dossier),
		CaseReference: handover.CaseID(l.CaseReference), Reference: native.Reference(l.Reference),
		Action: handover.Action(l.Action), Refers: native.RecordID(l.Refers), Documents: l.Documents, By: l.By, At: l.At, Body: []byte(l.Body),
	}, nil
}

// ReadJournal reads journal lines in the order of commit. A last line without its line break was never answered by the store and is left
// out; whole is the length of everything before it. Numbers must run from 1 without a gap.
func ReadJournal(r io.Reader) (entries []Entry, whole int64, err error) {
	b, err := io.ReadAll(r)
	if err != nil {
		return nil, 0, fmt.Errorf("read a journal: %w", err)
	}
	all, whole, err := parseJournal(b)
	if err != nil {
		return nil, 0, err
	}
	for _, f := range all {
		entries = append(entries, f.entry())
	}
	return entries, whole, nil
}

// parseJournal is ReadJournal for a caller that leaves the contents where they stand, in b.
func parseJournal(b []byte) (all []filed, whole int64, err error) {
	all = make([]filed, 0, bytes.Count(b, []byte("\n")))
	for line := range bytes.Lines(b) {
		text, ended := bytes.CutSuffix(line, []byte("\n"))
		if !ended {
			break
		}
		f, err := parseLine(text)
		if err != nil {
			return nil, 0, err
		}
		if f.Number != uint64(len(all))+1 {
			return nil, 0, fmt.Errorf("read a journal: entry %d stands where %d belongs", f.Number, len(all)+1)
		}
		all, whole = append(all, f), whole+int64(len(line))
	}
	return all, whole, nil
}
