package ivdossier

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	contract "github.com/einmal-hub/einmal/contracts/native/ivdossier"
)

// item is what is remembered of an entry: everything but its content, save what the register shows of an application.
type item struct {
	number    uint64
	id        native.RecordID
	kind      native.Kind
	in        native.CaseKey
	sequence  uint64
	reference native.Reference
	at        time.Time
	source    string  // where the document of what staff wrote lay
	file      string  // what the document is called in the folder of its case
	documents []filed // that came with it
	gleaned
}

// gleaned is what the register shows of a content, and what recalls and corrections go by.
type gleaned struct {
	shown     []string // the register's columns of an application
	action    string   // as it stands there: "Widerruf", "Berichtigung"; empty for what is new
	refers    native.RecordID
	procedure string
}

// index is the journal as it was read. Numbers only ever grow, and what stands under one never changes.
type index struct {
	last     uint64
	items    []*item
	byID     map[native.RecordID]*item
	byRef    map[native.Reference]*item
	bySource map[string]native.RecordID
	files    map[string]filed // what staff's documents named, as it was when it was last taken, by its place
	cases    map[native.CaseKey]*caseOf
	order    []native.CaseKey // in the order in which they were opened
}

// caseOf is one case.
type caseOf struct {
	reference handover.CaseID
	items     []*item
	shown     []string // of its application, as it was last corrected
	procedure string
}

func newIndex() *index {
	return &index{
		byID: map[native.RecordID]*item{}, byRef: map[native.Reference]*item{}, bySource: map[string]native.RecordID{}, files: map[string]filed{}, cases: map[native.CaseKey]*caseOf{},
	}
}

// numbered is the name of an entry in the journal; the width keeps names in order for people.
func numbered(n uint64) string { return fmt.Sprintf("%s/%010d.json", journal, n) }

// learn reads what has come to the journal, one number after the other: a listing is not made in one moment and may show a number without the one before it, and it would be one of years. Once it is
// listed all the same, to see that none is missing. An entry that two processes numbered at once counts under its first number.
func (e *exchange) learn(d *disk) error {
	most := uint64(0)
	if e.index.last == 0 {
		var err error
		if most, err = highest(d); err != nil {
			return err
		}
	}
	for {
		n := e.index.last + 1
		s, err := e.recall(d, numbered(n))
		if errors.Is(err, fs.ErrNotExist) && n > most {
			return nil
		}
		if errors.Is(err, fs.ErrNotExist) {
			return damaged()
		}
		if err != nil {
			return err
		}
		name := path.Base(s.Source)
		if !s.staffs() {
			name = e.letterName(s)
		}
		e.index.add(n, s, name, e.glean(s))
	}
}

// highest returns the highest number of the journal.
func highest(d *disk) (most uint64, err error) {
	names, err := d.names(journal)
	for _, name := range names {
		digits, isJSON := strings.CutSuffix(name, ".json")
		if n, err := strconv.ParseUint(digits, 10, 63); isJSON && err == nil {
			most = max(most, n)
		}
	}
	return most, err
}

func (x *index) add(n uint64, s stored, file string, g gleaned) {
	x.last = n
	if x.byID[s.ID] != nil {
		return
	}
	c := x.cases[s.Case]
	if c == nil {
		c = &caseOf{reference: s.CaseReference}
		x.cases[s.Case] = c
		x.order = append(x.order, s.Case)
	}
	i := &item{
		number: n, id: s.ID, kind: s.Kind, in: s.Case, sequence: uint64(len(c.items)) + 1, reference: s.Reference, at: s.At, source: s.Source, file: file, documents: s.Documents, gleaned: g,
	}
	if g.shown != nil && g.action != contract.Recall {
		c.shown = g.shown
	}
	if g.procedure != "" {
		c.procedure = g.procedure
	}
	for _, f := range s.Documents {
		if f.Source != "" {
			x.files[f.Source] = f
		}
	}
	c.items, x.items = append(c.items, i), append(x.items, i)
	x.byID[s.ID] = i
	if s.Reference != "" {
		x.byRef[s.Reference] = i
	}
	if s.Source != "" {
		x.bySource[s.Source] = s.ID
	}
}

// stands reports whether an entry stands in a case and is of a kind.
func (x *index) stands(id native.RecordID, in native.CaseKey, kind native.Kind) bool {
	i := x.byID[id]
	return i != nil && i.in == in && i.kind == kind
}

// revised returns when an entry of staff's was last recalled or corrected, or, if it is a correction itself, when what it is about was; the zero time if never.
func (x *index) revised(i *item) time.Time {
	var last time.Time
	for _, later := range x.cases[i.in].items {
		if later.number > i.number && later.action != "" && (later.refers == i.id || i.action != "" && later.refers == i.refers) {
			last = later.at
		}
	}
	return last
}

// glean returns what the register shows of an entry.
func (e *exchange) glean(s stored) gleaned {
	var g gleaned
	values, err := flatten([]byte(s.Content))
	if err != nil {
		return g // the register shows less; the entry itself is whole
	}
	texts := map[string]string{}
	for _, v := range values {
		texts[v.path] = v.text
	}
	if action := texts[contract.FieldAction]; action != contract.ActionNew {
		g.action, g.refers = action, native.RecordID(texts[contract.FieldRefers])
	}
	g.procedure = texts[contract.FieldProcedure]
	if form, known := e.forms.Kind(s.Kind); known && form.Opens {
		for _, c := range e.forms.Columns() {
			g.shown = append(g.shown, texts[c.Field])
		}
	}
	return g
}
