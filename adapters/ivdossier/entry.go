package ivdossier

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	contract "github.com/einmal-hub/einmal/contracts/native/ivdossier"
	"github.com/einmal-hub/einmal/contracts/strict"
)

// stored is an entry as it is committed. It never changes.
type stored struct {
	ID            native.RecordID         `json:"id"`
	Kind          native.Kind             `json:"kind"`
	Case          native.CaseKey          `json:"case"`
	CaseReference handover.CaseID         `json:"caseReference,omitzero"`
	Organisation  handover.OrganisationID `json:"organisation"`
	Reference     native.Reference        `json:"reference,omitzero"` // of what einmal wrote
	Source        string                  `json:"source,omitzero"`    // where the document of what staff wrote lay; staff choose names, so it goes nowhere else
	At            time.Time               `json:"at"`
	Content       string                  `json:"content"`
	Documents     []filed                 `json:"documents,omitzero"` // in the order of the content
}

// letterName is what the document is called that einmal writes for an entry into the folder of its case.
func (e *exchange) letterName(s stored) string {
	return s.At.In(e.zone).Format(time.DateOnly) + "_" + string(s.Kind) + "_" + string(s.ID) + ".xlsx"
}

// staffs reports whether an entry stands in the folder of its case as the document that staff released.
func (s stored) staffs() bool { return strings.HasPrefix(s.Source, s.folder()+"/") }

func (s stored) folder() string { return contract.Cases + "/" + string(s.Case) }

func (s stored) name() string { return entries + "/" + string(s.ID) + ".json" }

// letters are those of record ids and case keys: none looks like another one.
const letters = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"

// spell makes an id of 80 bits of a sum.
func spell(prefix string, sum []byte) string {
	var b strings.Builder
	b.WriteString(prefix)
	var bits, held uint
	for _, c := range sum[:10] {
		bits, held = bits<<8|uint(c), held+8
		for held >= 5 {
			held -= 5
			b.WriteByte(letters[bits>>held&31])
		}
	}
	return b.String()
}

// written returns the id of what einmal writes under a reference, and the case that it opens. References are random, so the ids say nothing.
func written(ref native.Reference) (native.RecordID, native.CaseKey) {
	record, opened := sha256.Sum256([]byte("eintrag "+ref)), sha256.Sum256([]byte("fall "+ref))
	return native.RecordID(spell("E-", record[:])), native.CaseKey(spell("IV-", opened[:]))
}

// namer makes ids of contents that say nothing about them to anybody who does not have the folder's secret.
type namer []byte

func (n namer) sum(parts ...string) []byte {
	h := hmac.New(sha256.New, n)
	for _, p := range parts {
		_, _ = fmt.Fprintf(h, "%d %s ", len(p), p)
	}
	return h.Sum(nil)
}

// entered returns the id of a document that staff wrote: of what it says, in which case, and with which files. Where it lies and how its cells are formatted make no difference.
func (n namer) entered(kind native.Kind, in native.CaseKey, values []value) native.RecordID {
	parts := []string{"dokument", string(kind), string(in)}
	sorted := slices.SortedFunc(slices.Values(values), func(a, b value) int { return strings.Compare(a.path, b.path) })
	for _, v := range sorted {
		parts = append(parts, v.path, v.text)
	}
	return native.RecordID(spell("D-", n.sum(parts...)))
}

// opened returns the case that a document of staff opens.
func (n namer) opened(id native.RecordID) native.CaseKey {
	return native.CaseKey(spell("IV-", n.sum("fall", string(id))))
}

// stuck returns the id of a file that cannot be taken.
func (n namer) stuck(b []byte, place string) native.RecordID {
	if b == nil {
		return native.RecordID(spell("F-", n.sum("platz", place)))
	}
	return native.RecordID(spell("F-", n.sum("datei", string(b))))
}

// namer returns the folder's secret, which is made with the first use. It must not be lost: with another one everything that staff ever released would be new.
func (e *exchange) namer(d *disk) (namer, error) {
	for {
		b, err := d.read(salt, 64)
		if err == nil && len(b) != 32 {
			err = errIrregular
		}
		if err == nil {
			return b, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		if e.index.last > 0 {
			return nil, damaged()
		}
		fresh := make([]byte, 32)
		_, _ = rand.Read(fresh)
		if err := d.put(salt, fresh, 0o600); err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
	}
}

func damaged() error {
	return fault.New(fault.Stop, Type+".journal", "damaged", "something is missing or changed in the folder "+contract.Machinery+", which is einmal's own").
		Hint("get it back from a backup, and keep everybody else from writing there")
}

// uncertain is a failure after which nobody knows whether the entry was committed.
type uncertain struct{ error }

func (u uncertain) Unwrap() error { return u.error }

// commit makes an entry stand under its id, or finds the one that stands there already: that one is returned. This is the moment from which on the entry is recorded, whatever happens.
func (e *exchange) commit(d *disk, s stored) (stored, bool, error) {
	b, err := json.Marshal(s, json.Deterministic(true))
	if err != nil {
		return stored{}, false, err
	}
	from, err := d.draft(b, 0o600)
	if err != nil {
		return stored{}, false, err
	}
	err = d.link(from, s.name())
	_ = d.root.Remove(from)
	switch {
	case err == nil:
		return s, false, nil
	case errors.Is(err, fs.ErrExist):
		first, err := e.recall(d, s.name())
		if err == nil && (first.ID != s.ID || first.Reference != s.Reference) {
			err = damaged()
		}
		return first, true, err
	default:
		return stored{}, false, uncertain{err}
	}
}

// recall reads a committed entry.
func (e *exchange) recall(d *disk, name string) (stored, error) {
	b, err := d.read(name, strict.MaxBytes)
	if err != nil {
		return stored{}, err
	}
	var s stored
	if err := strict.JSON(b, &s); err != nil || s.ID == "" || s.Case == "" || s.Kind == "" {
		return stored{}, damaged()
	}
	return s, nil
}

// finish does what follows from a committed entry, each step if it was not done before: its document in the case folder, and its place in the journal, which is the mark that all is done.
func (e *exchange) finish(d *disk, s stored) error {
	if !s.staffs() {
		if err := d.folder(s.folder()); err != nil {
			return err
		}
		b, err := e.letter(s)
		if err != nil {
			return err
		}
		if err := d.put(s.folder()+"/"+e.letterName(s), b, 0o440); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return e.number(d, s)
}

// number gives an entry the next free number. A link that exists is never replaced, so no two entries get one number, and no number below one that is visible is given later.
func (e *exchange) number(d *disk, s stored) error {
	for {
		if err := e.learn(d); err != nil {
			return err
		}
		if _, known := e.index.byID[s.ID]; known {
			return nil
		}
		err := d.link(s.name(), numbered(e.index.last+1))
		if err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
}

// complete finishes what a process that ended had committed and not finished.
func (e *exchange) complete(d *disk) error {
	committed, err := d.names(entries)
	if err != nil {
		return err
	}
	var open []stored
	for _, name := range committed {
		id, _ := strings.CutSuffix(name, ".json")
		if _, known := e.index.byID[native.RecordID(id)]; known {
			continue
		}
		s, err := e.recall(d, entries+"/"+name)
		if err != nil {
			return err
		}
		open = append(open, s)
	}
	slices.SortStableFunc(open, func(a, b stored) int { return a.At.Compare(b.At) })
	for _, s := range open {
		if err := e.finish(d, s); err != nil {
			return err
		}
	}
	return nil
}
