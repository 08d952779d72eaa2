package ivdossier

import (
	"errors"
	"regexp"
	"strings"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	contract "github.com/einmal-hub/einmal/contracts/native/ivdossier"
)

// document is what a form says about itself, and its content.
type document struct {
	kind      native.Kind
	in        native.CaseKey
	release   string
	record    native.RecordID
	reference native.Reference
	caseID    handover.CaseID
	values    []value
	body      []byte
}

// errForeign: the workbook is none of the contract's forms.
var errForeign = errors.New("a workbook of another kind")

// readForm reads a form. Errors are errTorn, errMacros, errForeign, or of kind Park for a form that cannot be taken as it is. A document that is not released is not looked at closely.
func (e *exchange) readForm(b []byte) (document, error) {
	opened, err := openBook(b, boundsOfForms())
	if err != nil {
		return document{}, err
	}
	defer func() { _ = opened.file.Close() }()
	if !opened.has(contract.FormSheet) {
		return document{}, errForeign
	}
	rows, err := opened.rows(contract.FormSheet)
	if err != nil {
		return document{}, err
	}
	doc, err := frame(rows)
	if err != nil || doc.release != contract.Released {
		return doc, err
	}
	if opened.formulas {
		return doc, unfit("formula", "a formula stands in the document", "write values, no formulas")
	}
	if err := opened.alone(); err != nil {
		return doc, err
	}
	form, known := e.forms.Kind(doc.kind)
	if !known || form.Einmal {
		return doc, unfit("unknown-kind", "there is no form of this kind for the staff of an office", "use a form out of the folder "+contract.Blank)
	}
	if doc.values, err = contents(form, rows); err != nil {
		return doc, err
	}
	if doc.body, err = unflatten(doc.values); err != nil {
		return doc, unfit("names", "a name in column A is no name, or stands there twice", "leave column A as it is in the blank form")
	}
	if len(doc.body) > contract.MaxContent {
		return doc, unfit("too-large", "the document says more than the contract allows", "shorten its texts")
	}
	return doc, nil
}

// text returns what stands beside a name, empty for nothing.
func (d document) text(name string) string {
	for _, v := range d.values {
		if v.path == name {
			return v.text
		}
	}
	return ""
}

// revises reports whether the document recalls or corrects an entry.
func (d document) revises() bool {
	action := d.text(contract.FieldAction)
	return action != "" && action != contract.ActionNew
}

func unfit(code, text, next string) error {
	return fault.New(fault.Park, opRead, code, text).Hint(next)
}

// alone demands that nothing stands outside the form: it would vanish.
func (b *book) alone() error {
	for _, sheet := range b.sheets() {
		if sheet == contract.FormSheet || sheet == contract.ListSheet {
			continue
		}
		rows, err := b.rows(sheet)
		if err != nil {
			return err
		}
		for _, row := range rows {
			for _, c := range row {
				if c.kind != blank {
					return unfit("other-sheet", "something stands on another sheet than the form", "write everything into the form")
				}
			}
		}
	}
	return nil
}

// frame reads what a form says about itself.
func frame(rows [][]cell) (document, error) {
	set := map[string]string{}
	for _, row := range rows {
		name := nameIn(row)
		switch name {
		case contract.NameForm, contract.NameCase, contract.NameRelease, contract.NameRecord, contract.NameReference, contract.NameCaseReference:
			if _, twice := set[name]; twice {
				return document{}, unfit("names", "a name of the head stands twice", "leave column A as it is in the blank form")
			}
			set[name] = ""
			if len(row) > 1 {
				set[name] = strings.TrimSpace(row[1].text)
			}
		}
	}
	if _, ours := set[contract.NameRelease]; !ours {
		return document{}, errForeign
	}
	doc := document{
		kind: native.Kind(set[contract.NameForm]), in: native.CaseKey(strings.ToUpper(set[contract.NameCase])), record: native.RecordID(set[contract.NameRecord]),
		reference: native.Reference(set[contract.NameReference]), caseID: handover.CaseID(set[contract.NameCaseReference]),
	}
	for _, known := range []string{contract.Draft, contract.Released, contract.Received} {
		if strings.EqualFold(set[contract.NameRelease], known) {
			doc.release = known
		}
	}
	if set[contract.NameRelease] == "" {
		doc.release = contract.Draft
	}
	if doc.release == "" {
		return doc, unfit("release", "what stands beside "+contract.NameRelease+" is none of the words", "choose a word of the list")
	}
	if doc.release == contract.Released && (doc.reference != "" || doc.record != "") {
		return doc, unfit("received-document", "the document is a copy of one that einmal wrote", "fill in a form out of the folder "+contract.Blank)
	}
	return doc, nil
}

func nameIn(row []cell) string {
	if len(row) == 0 {
		return ""
	}
	return strings.TrimSpace(row[0].text)
}

// contents reads the values of a form, in their order. What is left empty says nothing.
func contents(form contract.Form, rows [][]cell) ([]value, error) {
	var values []value
	for i, row := range rows {
		for _, c := range row[min(2, len(row)):] {
			if c.kind != blank {
				return nil, unfit("outside", "something stands outside the columns A and B", "write it into a field of the form")
			}
		}
		name := nameIn(row)
		if len(row) < 2 || row[1].kind == blank {
			continue
		}
		switch name {
		case contract.NameForm, contract.NameCase, contract.NameRelease, contract.NameRecord, contract.NameReference, contract.NameCaseReference:
			continue
		case "":
			return nil, unfit("nameless", "a value in column B has no name beside it", "write it into a field of the form")
		}
		if i == 0 {
			return nil, unfit("outside", "something stands beside the title", "write it into a field of the form")
		}
		field, _ := form.Field(name)
		if field.Einmal {
			return nil, unfit("einmal", "a field is filled in that einmal alone fills in", "leave it empty")
		}
		text, ok := spelled(field, row[1])
		if !ok || !holdable(text) {
			return nil, unfit("value", "a cell holds an error or something that is no text", "write the value as a text")
		}
		values = append(values, value{path: name, text: text})
	}
	return values, nil
}

// spelled returns a value as the contract spells it. An office program keeps what looks like a number as a number; then the field says how many decimals it has.
func spelled(field contract.Field, c cell) (string, bool) {
	switch {
	case c.kind == wrong:
		return "", false
	case c.kind == number && field.Type == contract.TypeAmount && regexp.MustCompile(`^[0-9]+(\.[0-9]{1,2})?$`).MatchString(c.text):
		francs, cents, _ := strings.Cut(c.text, ".")
		return francs + "." + (cents + "00")[:2], true
	default:
		return c.text, true
	}
}
