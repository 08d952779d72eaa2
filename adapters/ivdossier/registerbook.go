package ivdossier

import (
	"slices"
	"strconv"
	"strings"

	"github.com/xuri/excelize/v2"

	"github.com/einmal-hub/einmal/contracts/native"
	contract "github.com/einmal-hub/einmal/contracts/native/ivdossier"
)

// titles are the columns of the register, in their order.
func (e *exchange) titles() []string {
	all := []string{contract.ColumnCase}
	for _, c := range e.forms.Columns() {
		all = append(all, c.Title)
	}
	return append(all, contract.ColumnLast, contract.ColumnLastOn, contract.ColumnEntries, contract.ColumnLeads, contract.ColumnStaff, contract.ColumnNote)
}

// historyTitles are the columns of the history.
func historyTitles() []string {
	return []string{"Eintrag", "Fall", "Am", "Was", "Bezug", "Von", "Datei"}
}

// history lists the entries through a number of the journal.
func (e *exchange) history(through uint64) [][]string {
	rows := [][]string{historyTitles()}
	for _, i := range e.index.items {
		if i.number > through {
			break
		}
		from := "dieser Stelle"
		if i.reference != "" {
			from = "einmal"
		}
		rows = append(rows, []string{string(i.id), string(i.in), e.dayOf(i.at), tame(e.what(i)), tame(string(i.refers)), from, tame(i.file)})
	}
	return rows
}

// tame keeps a text from being taken for a formula also by a program that does not heed the format of a cell, such as one to which somebody exports the register. The register is only shown, so its
// cells need not come back the same.
func tame(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r\n|%", []rune(s)[0]) {
		return "'" + s
	}
	return s
}

// writeRegister makes the file of a version.
func (e *exchange) writeRegister(s state) ([]byte, error) {
	p := e.newPaper(contract.RegisterSheet)
	own := len(e.titles()) - 2
	for i, t := range e.titles() {
		p.set(contract.RegisterSheet, i+1, 1, t, p.name)
	}
	for r, l := range s.Lines {
		at := p.set(contract.RegisterSheet, 1, r+2, string(l.Case), p.plain)
		p.must(p.file.SetCellHyperLink(contract.RegisterSheet, at, contract.Cases+"/"+string(l.Case), "External"))
		for i, c := range l.Cells {
			p.set(contract.RegisterSheet, i+2, r+2, c, p.plain)
		}
		for i, c := range l.Staff {
			p.set(contract.RegisterSheet, own+i+1, r+2, c, p.open)
		}
	}
	p.tableView(contract.RegisterSheet, len(e.titles()), len(s.Lines)+1)
	_, err := p.file.NewSheet(contract.HistorySheet)
	p.must(err)
	rows := e.history(s.Through)
	for r, row := range rows {
		style := p.plain
		if r == 0 {
			style = p.name
		}
		for c, text := range row {
			p.set(contract.HistorySheet, c+1, r+1, text, style)
		}
	}
	p.tableView(contract.HistorySheet, len(historyTitles()), len(rows))
	_, err = p.file.NewSheet(contract.StampSheet)
	p.must(err)
	p.set(contract.StampSheet, 1, 1, strconv.FormatUint(s.Number, 10), p.plain)
	p.must(p.file.SetSheetVisible(contract.StampSheet, false))
	return p.bytes()
}

// tableView lets the head of a table stand still and be used to sort and filter.
func (p *paper) tableView(sheet string, columns, rows int) {
	last, err := excelize.ColumnNumberToName(columns)
	p.must(err)
	p.must(p.file.SetColWidth(sheet, "A", last, 22))
	p.must(p.file.SetPanes(sheet, &excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}))
	p.must(p.file.AutoFilter(sheet, "A1:"+last+strconv.Itoa(max(rows, 2)), nil))
	p.protect(sheet)
}

// readRegister reads a version as somebody saved it, and holds it against what einmal wrote into it. The error is errTorn or errMacros.
func (e *exchange) readRegister(b []byte, all known) (sheet, error) {
	opened, err := openBook(b, e.room)
	if err != nil {
		return sheet{}, err
	}
	defer func() { _ = opened.file.Close() }()
	if !opened.has(contract.RegisterSheet) {
		return sheet{strange: true}, nil
	}
	rows, err := opened.rows(contract.RegisterSheet)
	if err != nil {
		return sheet{}, err
	}
	s := sheet{base: opened.stamp(), strange: opened.formulas}
	places, whole := e.places(rows)
	if !whole {
		return sheet{base: s.base, strange: true}, nil // a column that is not there says nothing; it does not say that its cells are empty
	}
	for i, c := range rows[0] {
		s.strange = s.strange || c.kind != blank && places[c.text] != i || c.kind != blank && !slices.Contains(e.titles(), c.text)
	}
	for _, row := range rows[1:] {
		if l, ok := e.lineOf(places, row, &s); ok {
			s.lines = append(s.lines, l)
		}
	}
	if e.changed(s, all.at(s.base)) {
		s.strange = true
	}
	others, err := e.others(opened, all.at(s.base))
	s.strange = s.strange || others
	return s, err
}

// places finds the columns by their titles: staff may have moved them. whole says that none is missing.
func (e *exchange) places(rows [][]cell) (places map[string]int, whole bool) {
	places = map[string]int{}
	if len(rows) == 0 {
		return places, false
	}
	for i, c := range rows[0] {
		if _, twice := places[c.text]; !twice {
			places[c.text] = i
		}
	}
	for _, t := range e.titles() {
		if _, there := places[t]; !there {
			return places, false
		}
	}
	return places, true
}

// changed reports whether somebody wrote into cells of einmal's.
func (*exchange) changed(s sheet, from state) bool {
	was := map[native.CaseKey][]string{}
	for _, l := range from.Lines {
		was[l.Case] = l.Cells
	}
	for _, l := range s.lines {
		if cells, there := was[l.Case]; !there || !sameCells(cells, l.Cells) {
			return true
		}
	}
	return false
}

// others reports whether something stands on other sheets than einmal wrote there.
func (e *exchange) others(opened *book, from state) (bool, error) {
	for _, name := range opened.sheets() {
		if name == contract.RegisterSheet || name == contract.StampSheet {
			continue
		}
		rows, err := opened.rows(name)
		if err != nil {
			return false, err
		}
		var want [][]string
		if name == contract.HistorySheet {
			want = e.history(from.Through)
		}
		for r, row := range rows {
			for c, cell := range row {
				if cell.kind != blank && (r >= len(want) || c >= len(want[r]) || want[r][c] != cell.text) {
					return true, nil
				}
			}
		}
	}
	return false, nil
}

// stamp returns the number of the version that a file was made from.
func (b *book) stamp() uint64 {
	if !b.has(contract.StampSheet) {
		return 0
	}
	rows, err := b.rows(contract.StampSheet)
	if err != nil || len(rows) == 0 || len(rows[0]) == 0 {
		return 0
	}
	n, err := strconv.ParseUint(rows[0][0].text, 10, 63)
	if err != nil {
		return 0
	}
	return n
}

// lineOf reads one row. Whatever a new version would not show makes the file strange.
func (e *exchange) lineOf(places map[string]int, row []cell, s *sheet) (line, bool) {
	titles, used := e.titles(), map[int]bool{}
	texts := make([]string, len(titles))
	for i, t := range titles {
		at := places[t]
		used[at] = true
		if at < len(row) {
			texts[i] = row[at].text
			s.strange = s.strange || row[at].kind == wrong
		}
	}
	for i, c := range row {
		s.strange = s.strange || c.kind != blank && !used[i]
	}
	if strings.Join(texts, "") == "" {
		return line{}, false
	}
	key := native.CaseKey(texts[0])
	if e.index.cases[key] == nil {
		s.strange = true
		return line{}, false
	}
	s.strange = s.strange || slices.ContainsFunc(s.lines, func(l line) bool { return l.Case == key })
	n := len(titles)
	return line{Case: key, Cells: texts[1 : n-2], Staff: [2]string{texts[n-2], texts[n-1]}}, true
}
