package ivdossier

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/xuri/excelize/v2"

	contract "github.com/einmal-hub/einmal/contracts/native/ivdossier"
	"github.com/einmal-hub/einmal/mocks/core"
)

// sheet is a document as somebody reads it.
type sheet struct {
	head    map[string]string
	content page
}

func headNames() []string {
	return []string{
		contract.NameForm, contract.NameCase, contract.NameRelease, contract.NameRecord, contract.NameReference, contract.NameCaseReference,
	}
}

// readSheet opens a document and reads it as it is shown.
func readSheet(path string) (sheet, error) {
	b, err := os.ReadFile(path) //nolint:gosec // the mock's own folder
	if err != nil {
		return sheet{}, err
	}
	f, err := excelize.OpenReader(bytes.NewReader(b))
	if err != nil {
		return sheet{}, err
	}
	defer func() { _ = f.Close() }()
	rows, err := f.GetRows(contract.FormSheet)
	if err != nil {
		return sheet{}, err
	}
	s := sheet{head: map[string]string{}}
	for _, name := range headNames() {
		s.head[name] = ""
	}
	for _, row := range rows {
		if len(row) < 2 {
			continue
		}
		if _, head := s.head[row[0]]; head {
			s.head[row[0]] = row[1]
			continue
		}
		s.content.put(row[0], row[1])
	}
	return s, nil
}

// fill fills a form in: the blank one that lies in the folder, or one that somebody made herself.
func (m *Mock) fill(e core.Entry, p page, blank, release string) ([]byte, error) {
	f, err := m.form(e, blank)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	f.SetZipWriter(func(w io.Writer) excelize.ZipWriter { return stored{zip.NewWriter(w)} })
	rows, err := f.GetRows(contract.FormSheet)
	if err != nil {
		return nil, err
	}
	places := map[string]int{}
	for i, row := range rows {
		if len(row) > 0 {
			places[row[0]] = i + 1
		}
	}
	next := len(rows) + 1
	for _, w := range append(page{{contract.NameRelease, release}}, p...) {
		row, there := places[w.name]
		if !there {
			row = next
			next++
			if err := f.SetCellStr(contract.FormSheet, fmt.Sprintf("A%d", row), w.name); err != nil {
				return nil, err
			}
		}
		if err := m.enter(f, e, row, w); err != nil {
			return nil, err
		}
	}
	var b bytes.Buffer
	_, err = f.WriteTo(&b)
	return b.Bytes(), err
}

// form is an empty form: the blank one, or, every third time and where there is none, one that somebody made.
func (m *Mock) form(e core.Entry, blank string) (*excelize.File, error) {
	if m.options.Handmade || e.Number%3 == 0 {
		return ownForm(e)
	}
	f, err := excelize.OpenFile(blank)
	if errors.Is(err, fs.ErrNotExist) {
		return ownForm(e)
	}
	return f, err
}

// stored packs a workbook without compression, as some office programs do.
type stored struct{ *zip.Writer }

// Create begins a part.
func (s stored) Create(name string) (io.Writer, error) {
	return s.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store})
}

// ownForm is what somebody makes who does not use the blank form: no formats, no lists.
func ownForm(e core.Entry) (*excelize.File, error) {
	f := excelize.NewFile()
	err := f.SetSheetName("Sheet1", contract.FormSheet)
	for at, s := range map[string]string{"A1": "selbst gemacht", "A2": contract.NameForm, "B2": string(e.Kind), "A3": contract.NameRelease} {
		err = errors.Join(err, f.SetCellStr(contract.FormSheet, at, s))
	}
	return f, err
}

// enter types a value into a cell. An office program makes a date of what looks like one, and a number of what looks like an amount, wherever the cell is not formatted as text.
func (m *Mock) enter(f *excelize.File, e core.Entry, row int, w written) error {
	at := fmt.Sprintf("B%d", row)
	form, _ := m.forms.Kind(e.Kind)
	field, _ := form.Field(w.name)
	if e.Number%2 == 1 {
		return f.SetCellStr(contract.FormSheet, at, w.text)
	}
	switch field.Type {
	case contract.TypeDate:
		if t, err := time.Parse("02.01.2006", w.text); err == nil && t.Year() > 1900 {
			return f.SetCellValue(contract.FormSheet, at, t)
		}
	case contract.TypeAmount:
		var francs float64
		if _, err := fmt.Sscanf(strings.TrimSpace(w.text), "%f", &francs); err == nil {
			return f.SetCellValue(contract.FormSheet, at, francs)
		}
	}
	return f.SetCellStr(contract.FormSheet, at, w.text)
}
