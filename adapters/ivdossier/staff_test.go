package ivdossier

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"github.com/einmal-hub/einmal/contracts/native"
	contract "github.com/einmal-hub/einmal/contracts/native/ivdossier"
)

// workbook is a file that somebody has open in an office program.
type workbook struct {
	t    require.TestingT
	path string
	file *excelize.File
}

func openWorkbook(t require.TestingT, path string) *workbook {
	b, err := os.ReadFile(path) //nolint:gosec // a file of the test
	require.NoError(t, err)
	f, err := excelize.OpenReader(bytes.NewReader(b))
	require.NoError(t, err)
	return &workbook{t: t, path: path, file: f}
}

func (w *workbook) bytes() []byte {
	var b bytes.Buffer
	_, err := w.file.WriteTo(&b)
	require.NoError(w.t, err)
	return b.Bytes()
}

// save saves as office programs do: into a file beside it, which then takes the place.
func (w *workbook) save() { saveAs(w.t, w.path, w.bytes()) }

func saveAs(t require.TestingT, path string, b []byte) {
	beside := filepath.Join(filepath.Dir(path), "~beside.tmp")
	require.NoError(t, os.WriteFile(beside, b, 0o600))
	now := time.Now() // more exactly than the file system keeps it
	require.NoError(t, os.Chtimes(beside, now, now))
	require.NoError(t, os.Rename(beside, path))
}

// row returns the row of the register with a case.
func (w *workbook) row(key native.CaseKey) int {
	rows, err := w.file.GetRows(contract.RegisterSheet)
	require.NoError(w.t, err)
	for i, row := range rows {
		if len(row) > 0 && row[0] == string(key) {
			return i + 1
		}
	}
	require.FailNow(w.t, "the register does not show the case")
	return 0
}

// column returns the letter of a column of the register.
func (w *workbook) column(title string) string {
	rows, err := w.file.GetRows(contract.RegisterSheet)
	require.NoError(w.t, err)
	for i, c := range rows[0] {
		if c == title {
			letter, err := excelize.ColumnNumberToName(i + 1)
			require.NoError(w.t, err)
			return letter
		}
	}
	require.FailNow(w.t, "the register has no such column")
	return ""
}

func (w *workbook) get(key native.CaseKey, title string) string {
	text, err := w.file.GetCellValue(contract.RegisterSheet, w.column(title)+strconv.Itoa(w.row(key)))
	require.NoError(w.t, err)
	return text
}

func (w *workbook) set(key native.CaseKey, title, text string) *workbook {
	require.NoError(w.t, w.file.SetCellStr(contract.RegisterSheet, w.column(title)+strconv.Itoa(w.row(key)), text))
	return w
}

func (o *office) register(t require.TestingT) *workbook {
	return openWorkbook(t, o.path(contract.Register))
}

// registerOf reads the register as einmal does.
func registerOf(t *testing.T, o *office) sheet {
	t.Helper()
	b, err := os.ReadFile(o.path(contract.Register))
	require.NoError(t, err)
	s, err := o.ex.readRegister(b, nil)
	require.NoError(t, err)
	return s
}

// lock lays the lock of an office program beside a file.
func (o *office) lock(t require.TestingT, libre bool, parts ...string) func() {
	path := o.path(parts...)
	name := filepath.Join(filepath.Dir(path), "~$"+filepath.Base(path))
	if libre {
		name = filepath.Join(filepath.Dir(path), ".~lock."+filepath.Base(path)+"#")
	}
	require.NoError(t, os.WriteFile(name, []byte("office"), 0o600))
	return func() { require.NoError(t, ignoreMissing(os.Remove(name))) }
}
