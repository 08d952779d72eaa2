package ivdossier

import (
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
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
	shown     []string // the register's columns of an application
}

// index is the journal as it was read. Numbers only ever grow, and what stands under one never changes.
type index struct {
	last     uint64
	items    []*item
	byID     map[native.RecordID]*item
	byRef    map[native.Reference]*item
	bySource map[string]native.RecordID
	cases    map[native.CaseKey]*caseOf
	order    []native.CaseKey // in the order in which they were opened
}

// caseOf is one case.
type caseOf struct {
	reference handover.CaseID
	items     []*item
}

func newIndex() *index {
	return &index{
		byID: map[native.RecordID]*item{}, byRef: map[native.Reference]*item{}, bySource: map[string]native.RecordID{}, cases: map[native.CaseKey]*caseOf{},
	}
}

// numbered is the name of an entry in the journal; the width keeps names in order for people.
func numbered(n uint64) string { return fmt.Sprintf("%s/%010d.json", journal, n) }

// learn reads what has come to the journal. An entry that two processes numbered at once counts under its first number.
func (e *exchange) learn(d *disk) error {
	files, err := d.list(journal)
	if err != nil {
		return err
	}
	for _, f := range files {
		digits, isJSON := strings.CutSuffix(f.Name(), ".json")
		n, err := strconv.ParseUint(digits, 10, 63)
		if !isJSON || err != nil || n <= e.index.last {
			continue
		}
		s, err := e.recall(d, numbered(n))
		if errors.Is(err, fs.ErrNotExist) {
			err = damaged()
		}
		if err != nil {
			return err
		}
		e.index.add(n, s, e.shown(s))
	}
	return nil
}

func (x *index) add(n uint64, s stored, shown []string) {
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
	i := &item{number: n, id: s.ID, kind: s.Kind, in: s.Case, sequence: uint64(len(c.items)) + 1, reference: s.Reference, at: s.At, shown: shown}
	c.items, x.items = append(c.items, i), append(x.items, i)
	x.byID[s.ID] = i
	if s.Reference != "" {
		x.byRef[s.Reference] = i
	}
	if s.Source != "" {
		x.bySource[s.Source] = s.ID
	}
}

// shown returns what the register shows of an application.
func (e *exchange) shown(s stored) []string {
	if form, known := e.forms.Kind(s.Kind); !known || !form.Opens {
		return nil
	}
	values, err := flatten([]byte(s.Content))
	if err != nil {
		return nil // the register shows less; the entry itself is whole
	}
	var cells []string
	for _, c := range e.forms.Columns() {
		text := ""
		for _, v := range values {
			if v.path == c.Field {
				text = v.text
			}
		}
		cells = append(cells, text)
	}
	return cells
}
