package ivdossier

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/xuri/excelize/v2"

	contract "github.com/einmal-hub/einmal/contracts/native/ivdossier"
)

// errTorn: the file is not a whole workbook within the limits of the contract. It may still be being written.
var errTorn = errors.New("not a whole workbook within the limits of the contract")

// errMacros: the workbook holds a program. Nothing of it is read.
var errMacros = errors.New("a workbook with macros")

// book is a workbook that was opened.
type book struct {
	file     *excelize.File
	from1904 bool
	formulas bool // somewhere in it
}

// bounds are the limits of the contract for one workbook.
type bounds struct {
	file, unpacked int64 // bytes
	rows, cells    int   // of one sheet, of all sheets
}

func boundsOfForms() bounds {
	return bounds{file: contract.MaxFile, unpacked: contract.MaxBook, rows: contract.MaxRows, cells: contract.MaxCells}
}

func boundsOfRegister() bounds {
	return bounds{file: contract.MaxRegister, unpacked: contract.MaxRegisterBook, rows: contract.MaxRegisterRows, cells: contract.MaxRegisterCells}
}

// openBook opens a workbook. Before the library sees it, every part is unpacked within the limits and its checksum compared, and no sheet has cells far out, for which the library would
// make room. Whatever the library does with hostile bytes, the error is errTorn.
func openBook(b []byte, within bounds) (opened *book, err error) {
	formulas, err := guard(b, within)
	if err != nil {
		return nil, err
	}
	defer func() {
		if recover() != nil {
			opened, err = nil, errTorn
		}
	}()
	file, err := excelize.OpenReader(bytes.NewReader(b), excelize.Options{
		RawCellValue: true, UnzipSizeLimit: within.unpacked, UnzipXMLSizeLimit: within.unpacked, // the same: nothing is laid out on disk
	})
	if err != nil {
		return nil, errTorn
	}
	props, err := file.GetWorkbookProps()
	if err != nil {
		return nil, errTorn
	}
	return &book{file: file, from1904: props.Date1904 != nil && *props.Date1904, formulas: formulas}, nil
}

// guard checks a workbook before it is opened, and reports whether it holds formulas.
func guard(b []byte, within bounds) (formulas bool, err error) {
	if int64(len(b)) > within.file || !bytes.HasPrefix(b, []byte("PK\x03\x04")) {
		return false, errTorn
	}
	archive, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil || len(archive.File) > contract.MaxMembers {
		return false, errTorn
	}
	seen, room, cells := map[string]bool{}, within.unpacked, 0
	for _, f := range archive.File {
		name := strings.ToLower(strings.ReplaceAll(f.Name, "\\", "/"))
		if seen[name] || f.Flags&1 != 0 {
			return false, errTorn
		}
		seen[name] = true
		if strings.Contains(name, "vbaproject") || strings.Contains(name, "macrosheets") {
			return false, errMacros
		}
		content, err := unpack(f, room)
		if err != nil {
			return false, errTorn
		}
		room -= int64(len(content))
		if !strings.HasPrefix(name, "xl/worksheets/") || !strings.HasSuffix(name, ".xml") {
			continue
		}
		n, has, err := survey(content, within.rows)
		if cells += n; err != nil || cells > within.cells {
			return false, errTorn
		}
		formulas = formulas || has
	}
	return formulas, nil
}

// unpack reads a part to its end, where its checksum is compared.
func unpack(f *zip.File, room int64) ([]byte, error) {
	in, err := f.Open()
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(io.LimitReader(in, room+1))
	if err := errors.Join(err, in.Close()); err != nil {
		return nil, err
	}
	if int64(len(b)) > room {
		return nil, errTorn
	}
	return b, nil
}

// survey walks over a sheet and counts its cells. A cell outside the limits is an error.
func survey(sheet []byte, most int) (cells int, formulas bool, err error) {
	tokens := xml.NewDecoder(bytes.NewReader(sheet))
	rows := 0
	for {
		t, err := tokens.RawToken()
		if errors.Is(err, io.EOF) {
			return cells, formulas, nil
		}
		if err != nil {
			return 0, false, errTorn
		}
		start, ok := t.(xml.StartElement)
		if !ok {
			continue
		}
		switch start.Name.Local {
		case "f":
			formulas = true
		case "row":
			rows++
		case "c":
			cells++
		}
		if rows > most || !near(start, most) {
			return 0, false, errTorn
		}
	}
}

// near reports whether a row or cell says that it stands within the limits.
func near(start xml.StartElement, most int) bool {
	for _, a := range start.Attr {
		if a.Name.Local != "r" {
			continue
		}
		switch start.Name.Local {
		case "row":
			n, err := strconv.Atoi(a.Value)
			return err == nil && n >= 1 && n <= most
		case "c":
			column, row, err := excelize.CellNameToCoordinates(a.Value)
			return err == nil && row <= most && column <= contract.MaxColumns
		}
	}
	return true
}

// kind is what a cell holds.
type kind uint8

const (
	blank  kind = iota
	text        // a text, as it stands there
	number      // a number, in plain digits
	day         // a date or a time, as the contract writes them
	wrong       // an error, or something that has no spelling
)

// cell is one cell as a person sees it.
type cell struct {
	kind kind
	text string
}

// sheets returns the names of all sheets.
func (b *book) sheets() []string { return b.file.GetSheetList() }

// has reports whether there is a sheet of that name.
func (b *book) has(sheet string) bool {
	for _, s := range b.sheets() {
		if s == sheet {
			return true
		}
	}
	return false
}

// rows returns the cells of a sheet. Rows may differ in length.
func (b *book) rows(sheet string) (all [][]cell, err error) {
	defer func() {
		if recover() != nil {
			all, err = nil, errTorn
		}
	}()
	raw, err := b.file.GetRows(sheet, excelize.Options{RawCellValue: true})
	if err != nil {
		return nil, errTorn
	}
	for r, texts := range raw {
		row := make([]cell, len(texts))
		for c, s := range texts {
			if s == "" {
				continue
			}
			name, err := excelize.CoordinatesToCellName(c+1, r+1)
			if err != nil {
				return nil, errTorn
			}
			if row[c], err = b.cell(sheet, name, s); err != nil {
				return nil, errTorn
			}
		}
		all = append(all, row)
	}
	return all, nil
}

func (b *book) cell(sheet, name, raw string) (cell, error) {
	t, err := b.file.GetCellType(sheet, name)
	if err != nil {
		return cell{}, err
	}
	switch t {
	case excelize.CellTypeSharedString, excelize.CellTypeInlineString, excelize.CellTypeFormula:
		return cell{kind: text, text: raw}, nil
	case excelize.CellTypeBool:
		return cell{kind: text, text: map[string]string{"1": "Ja", "TRUE": "Ja", "0": "Nein", "FALSE": "Nein"}[raw]}, nil
	case excelize.CellTypeUnset, excelize.CellTypeNumber:
		return b.figure(sheet, name, raw)
	default:
		return cell{kind: wrong}, nil
	}
}

// figure spells a number: the office program turns what looks like a date into one.
func (b *book) figure(sheet, name, raw string) (cell, error) {
	f, err := strconv.ParseFloat(raw, 64)
	if err != nil || math.IsInf(f, 0) || math.IsNaN(f) || math.Abs(f) >= 1e15 {
		return cell{kind: wrong}, nil //nolint:nilerr // it is no number; the reader of the cell says so
	}
	id, err := b.file.GetCellStyle(sheet, name)
	if err != nil {
		return cell{}, err
	}
	style, err := b.file.GetStyle(id)
	if err != nil {
		return cell{}, err
	}
	if dated(style) {
		return spellTime(f, b.from1904), nil
	}
	return cell{kind: number, text: strconv.FormatFloat(f, 'f', -1, 64)}, nil
}

// dated reports whether a style shows a number as a date or a time.
func dated(s *excelize.Style) bool {
	if s.CustomNumFmt != nil {
		plain := regexp.MustCompile(`"[^"]*"|\[[^\]]*\]|\\.`).ReplaceAllString(strings.ToLower(*s.CustomNumFmt), "")
		return plain != "general" && strings.ContainsAny(plain, "ymdhsjt") // in German: Jahr, Tag
	}
	n := s.NumFmt
	return n >= 14 && n <= 22 || n >= 27 && n <= 36 || n >= 45 && n <= 47 || n >= 50 && n <= 58
}

// How the contract writes days and times.
const (
	dayLayout    = "02.01.2006"
	momentLayout = "02.01.2006 15:04"
)

// spellTime spells a day or a moment. Days before March 1900 are not taken: programs count them differently.
func spellTime(serial float64, from1904 bool) cell {
	first, least := time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC), 61.0
	if from1904 {
		first, least = time.Date(1904, 1, 1, 0, 0, 0, 0, time.UTC), 0
	}
	if serial < least || serial > 2_900_000 {
		return cell{kind: wrong}
	}
	days := math.Floor(serial)
	t := first.AddDate(0, 0, int(days)).Add(time.Duration(math.Round((serial-days)*86400)) * time.Second)
	layout := momentLayout
	switch {
	case t.Hour() == 0 && t.Minute() == 0 && t.Second() == 0:
		layout = dayLayout
	case t.Second() != 0:
		layout = momentLayout + ":05"
	}
	return cell{kind: day, text: t.Format(layout)}
}
