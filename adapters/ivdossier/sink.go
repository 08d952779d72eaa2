package ivdossier

import (
	"context"
	"errors"
	"regexp"
	"slices"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/native"
	contract "github.com/einmal-hub/einmal/contracts/native/ivdossier"
)

const (
	opApply = Type + ".apply"
	opFind  = Type + ".find"
)

// Apply writes one entry as a document into its case folder; see [adapters.Sink]. A reference that was committed before is joined, and what was left open of it is finished.
func (e *exchange) Apply(ctx context.Context, entry native.Entry) (native.Receipt, error) {
	if err := e.examine(entry); err != nil {
		return native.Receipt{}, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	d, err := e.enter(ctx, opApply)
	if err != nil {
		return native.Receipt{}, err
	}
	defer d.close()
	if i, known := e.index.byRef[entry.Reference]; known {
		return native.Receipt{Record: i.id, Case: i.in, Joined: true}, nil
	}
	id, opened := written(entry.Reference)
	s := stored{
		ID: id, Kind: entry.Kind, Case: entry.Case, CaseReference: entry.CaseReference, Organisation: entry.Organisation, Reference: entry.Reference,
		At: e.now().UTC().Round(0), Content: string(entry.Body),
	}
	if s.Case == "" {
		s.Case = opened
	} else if e.index.cases[s.Case] == nil {
		return native.Receipt{}, fault.New(fault.Refuse, opApply, "unknown-case", "there is no such case in the folder")
	}
	if entry.Action != "" && !e.index.stands(entry.Refers, entry.Case, entry.Kind) {
		return native.Receipt{}, fault.New(fault.Refuse, opApply, "unknown-entry", "the entry that is recalled or corrected does not stand in the case, or is of another kind")
	}
	if s.Documents, err = e.file(d, s, entry.Documents); err != nil {
		return native.Receipt{}, unusable(opApply, err)
	}
	s, joined, err := e.commit(d, s)
	var unknown uncertain
	switch {
	case errors.As(err, &unknown):
		return native.Receipt{}, fault.New(fault.Doubt, opApply, "commit", "nobody knows whether the entry was committed").Because(bare(err))
	case err != nil:
		return native.Receipt{}, unusable(opApply, err)
	}
	if err := e.finish(d, s); err != nil {
		return native.Receipt{}, fault.New(fault.Doubt, opApply, "unfinished", "the entry is committed, but staff may not see it yet").
			Hint("nothing: it is finished as soon as the folder can be used again").Because(bare(err))
	}
	return native.Receipt{Record: s.ID, Case: s.Case, Joined: joined}, nil
}

// examine refuses what the contract does not provide for, before a file is written.
func (e *exchange) examine(entry native.Entry) error {
	no := func(code, text string) error { return fault.New(fault.Refuse, opApply, code, text) }
	form, known := e.forms.Kind(entry.Kind)
	values, err := flatten(entry.Body)
	switch {
	case !regexp.MustCompile(`^[0-9a-f-]{1,36}$`).MatchString(string(entry.Reference)):
		return no("reference", "the reference cannot stand in a document")
	case !known:
		return no("unknown-kind", "there is no form of this kind")
	case err != nil || len(entry.Body) > contract.MaxContent:
		return no("content", "the content is not names with texts within 64 KiB")
	case entry.Organisation != e.config.Organisation:
		return no("foreign-office", "the folder belongs to another office")
	case form.Opens && entry.Case != "" && entry.Action == "":
		return no("opening", "the entry opens a case, but names one")
	case entry.Case == "" && (!form.Opens || entry.Action != ""):
		return no("not-opening", "the entry does not open a case, and names none")
	case !slices.Equal(sumsIn(values), sumsOf(entry.Documents)):
		return no("documents", "the entry comes with other documents than its content names")
	}
	for _, v := range values {
		if !holdable(v.text) {
			return no("content", "a value cannot stand in a cell of a workbook")
		}
	}
	return nil
}

// Find returns the record with a reference; see [adapters.Finder]. What was committed and left open by a process that ended is finished first, so that what is found can be seen.
func (e *exchange) Find(ctx context.Context, ref native.Reference) ([]native.Receipt, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	d, err := e.enter(ctx, opFind)
	if err != nil {
		return nil, err
	}
	defer d.close()
	if i, known := e.index.byRef[ref]; known {
		return []native.Receipt{{Record: i.id, Case: i.in}}, nil
	}
	return nil, nil
}
