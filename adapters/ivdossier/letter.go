package ivdossier

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/xuri/excelize/v2"

	"github.com/einmal-hub/einmal/contracts/fault"
	contract "github.com/einmal-hub/einmal/contracts/native/ivdossier"
)

// paper is a workbook that is being written. Every value is a text in a cell that is formatted as text: no office program takes "=1+1" for a formula there, neither when it opens the
// file nor when somebody edits the cell.
type paper struct {
	file                          *excelize.File
	plain, name, title, open, day int // styles
	moment                        int
	err                           error
}

// textFormat is the number format "@".
const textFormat = 49

// newPaper returns a workbook with one sheet.
func (e *exchange) newPaper(sheet string) *paper {
	p := &paper{file: excelize.NewFile()}
	if e.zip != nil {
		p.file.SetZipWriter(e.zip)
	}
	p.must(p.file.SetSheetName("Sheet1", sheet))
	p.must(p.file.SetDocProps(&excelize.DocProperties{Creator: "einmal", LastModifiedBy: "einmal"}))
	top, locked, free := &excelize.Alignment{Vertical: "top", WrapText: true}, &excelize.Protection{Locked: true}, &excelize.Protection{Locked: false}
	date, moment := "dd.mm.yyyy", "dd.mm.yyyy hh:mm"
	for _, s := range []struct {
		to    *int
		style excelize.Style
	}{
		{&p.plain, excelize.Style{NumFmt: textFormat, Alignment: top, Protection: locked}},
		{&p.name, excelize.Style{NumFmt: textFormat, Alignment: top, Font: &excelize.Font{Bold: true}, Protection: locked}},
		{&p.title, excelize.Style{NumFmt: textFormat, Font: &excelize.Font{Bold: true, Size: 14}, Protection: locked}},
		{&p.open, excelize.Style{NumFmt: textFormat, Alignment: top, Protection: free}},
		{&p.day, excelize.Style{CustomNumFmt: &date, Alignment: top, Protection: free}},
		{&p.moment, excelize.Style{CustomNumFmt: &moment, Alignment: top, Protection: free}},
	} {
		id, err := p.file.NewStyle(&s.style)
		p.must(err)
		*s.to = id
	}
	return p
}

func (p *paper) must(err error) { p.err = errors.Join(p.err, err) }

// set writes a text into a cell.
func (p *paper) set(sheet string, column, row int, s string, style int) string {
	at, err := excelize.CoordinatesToCellName(column, row)
	p.must(err)
	if s != "" {
		p.must(p.file.SetCellStr(sheet, at, s))
	}
	p.must(p.file.SetCellStyle(sheet, at, at, style))
	return at
}

// bytes returns the workbook. Errors hold no value.
func (p *paper) bytes() ([]byte, error) {
	var b bytes.Buffer
	if p.err == nil {
		_, err := p.file.WriteTo(&b)
		p.must(err)
	}
	p.must(p.file.Close())
	if p.err != nil {
		return nil, fault.New(fault.Park, Type+".write", "workbook", "the workbook cannot be written")
	}
	return b.Bytes(), nil
}

// letter writes the document of an entry.
func (e *exchange) letter(s stored) ([]byte, error) {
	form, _ := e.forms.Kind(s.Kind)
	values, err := flatten([]byte(s.Content))
	if err != nil {
		return nil, damaged()
	}
	p := e.newPaper(contract.FormSheet)
	p.set(contract.FormSheet, 1, 1, form.Title, p.title)
	head := []value{
		{contract.NameForm, string(s.Kind)}, {contract.NameCase, string(s.Case)}, {contract.NameRelease, contract.Received}, {contract.NameRecord, string(s.ID)},
		{contract.NameReference, string(s.Reference)}, {contract.NameCaseReference, string(s.CaseReference)},
	}
	for i, v := range append(head, located(values, s.Documents)...) {
		p.set(contract.FormSheet, 1, i+2, v.path, p.name)
		at := p.set(contract.FormSheet, 2, i+2, v.text, p.plain)
		if isFile(v.path) {
			p.must(p.file.SetCellHyperLink(contract.FormSheet, at, v.text, "External"))
		}
	}
	p.must(p.file.SetColWidth(contract.FormSheet, "A", "A", 34))
	p.must(p.file.SetColWidth(contract.FormSheet, "B", "B", 80))
	p.protect(contract.FormSheet)
	return p.bytes()
}

// protect keeps staff from writing into cells that are not theirs by mistake. There is no password: it is a help, not a guard.
func (p *paper) protect(sheet string) {
	p.must(p.file.ProtectSheet(sheet, &excelize.SheetProtectionOptions{
		SelectLockedCells: true, SelectUnlockedCells: true, FormatColumns: true, FormatRows: true, Sort: true, AutoFilter: true,
	}))
}

// blankForm writes an empty form.
func (e *exchange) blankForm(form contract.Form) ([]byte, error) {
	p := e.newPaper(contract.FormSheet)
	lists := p.lists(e.forms, form)
	p.set(contract.FormSheet, 1, 1, form.Title, p.title)
	row := 1
	line := func(name, text string, style int) string {
		row++
		p.set(contract.FormSheet, 1, row, name, p.name)
		return p.set(contract.FormSheet, 2, row, text, style)
	}
	line(contract.NameForm, string(form.Code), p.plain)
	if !form.Opens {
		p.hint(line(contract.NameCase, "", p.open), "Nummer des Falls; leer, wenn das Dokument im Ordner des Falls liegt")
	}
	p.offer(line(contract.NameRelease, contract.Draft, p.open), `"`+contract.Draft+","+contract.Released+`"`)
	for _, f := range slots(form) {
		at := line(f.Path, "", map[string]int{contract.TypeDate: p.day, contract.TypeMoment: p.moment}[f.Type])
		if f.Type != contract.TypeDate && f.Type != contract.TypeMoment {
			p.must(p.file.SetCellStyle(contract.FormSheet, at, at, p.open))
		}
		if f.Type == contract.TypeCode {
			p.offer(at, lists[f.List])
			continue
		}
		p.hint(at, hintFor(f))
	}
	p.must(p.file.SetColWidth(contract.FormSheet, "A", "A", 34))
	p.must(p.file.SetColWidth(contract.FormSheet, "B", "B", 80))
	return p.bytes()
}

// slots lists the fields of a blank form in their order, with those of a list once for each item that it has room for.
func slots(form contract.Form) []contract.Field {
	var all []contract.Field
	done := map[string]bool{}
	for _, f := range form.Fields {
		list, _, many := strings.Cut(f.Path, "[]")
		if f.Einmal {
			continue
		}
		if !many {
			all = append(all, f)
			continue
		}
		if done[list] {
			continue
		}
		done[list] = true
		for n := range f.Slots {
			for _, of := range form.Fields {
				if rest, in := strings.CutPrefix(of.Path, list+"[]"); in && !of.Einmal {
					of.Path = list + "[" + strconv.Itoa(n+1) + "]" + rest
					all = append(all, of)
				}
			}
		}
	}
	return all
}

// lists writes the code lists of a form on a hidden sheet and returns where each stands.
func (p *paper) lists(forms *contract.Forms, form contract.Form) map[string]string {
	_, err := p.file.NewSheet(contract.ListSheet)
	p.must(err)
	places := map[string]string{}
	for _, f := range form.Fields {
		if f.Type != contract.TypeCode || places[f.List] != "" {
			continue
		}
		column := len(places) + 1
		letter, err := excelize.ColumnNumberToName(column)
		p.must(err)
		words := forms.List(f.List)
		for i, w := range words {
			p.set(contract.ListSheet, column, i+1, w, p.plain)
		}
		places[f.List] = fmt.Sprintf("%s!$%s$1:$%s$%d", contract.ListSheet, letter, letter, len(words))
	}
	p.must(p.file.SetSheetVisible(contract.ListSheet, false))
	return places
}

// offer lets staff choose from a list.
func (p *paper) offer(at, list string) {
	dv := excelize.NewDataValidation(true)
	dv.SetSqref(at)
	dv.SetSqrefDropList(list)
	p.must(p.file.AddDataValidation(contract.FormSheet, dv))
}

// hint shows staff how a value is written.
func (p *paper) hint(at, words string) {
	if words == "" {
		return
	}
	dv := excelize.NewDataValidation(true)
	dv.SetSqref(at)
	dv.SetInput("Eingabe", words)
	p.must(p.file.AddDataValidation(contract.FormSheet, dv))
}

func hintFor(f contract.Field) string {
	words := map[string]string{
		contract.TypeDate: "TT.MM.JJJJ", contract.TypeMoment: "TT.MM.JJJJ HH:MM", contract.TypeAmount: "Franken mit zwei Stellen: 1234.50",
		contract.TypeAHV: "756.XXXX.XXXX.XX", contract.TypeNumber: "ganze Zahl",
	}[f.Type]
	if f.Type == contract.TypeFile {
		return "Name einer Datei, die im selben Ordner wie dieses Formular liegt, zum Beispiel Vertrag.pdf"
	}
	if f.Max > 0 {
		words = "höchstens " + strconv.Itoa(f.Max) + " Zeichen"
	}
	if f.Must {
		words += "; muss ausgefüllt sein"
	}
	return words
}
