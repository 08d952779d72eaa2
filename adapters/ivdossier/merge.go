package ivdossier

import (
	"strings"
	"unicode/utf16"

	"github.com/einmal-hub/einmal/contracts/native"
	contract "github.com/einmal-hub/einmal/contracts/native/ivdossier"
)

// line is one case in the register: what einmal writes, and the two cells that staff own.
type line struct {
	Case  native.CaseKey `json:"case"`
	Cells []string       `json:"cells"`
	Staff [2]string      `json:"staff"` // Zuständig, Notiz
}

// state is one version of the register as data. What einmal wrote is known for ever, whatever becomes of the file.
type state struct {
	Number  uint64 `json:"number"`
	Through uint64 `json:"through"` // the last number of the journal that it shows
	Sum     string `json:"sum"`     // of the file; empty for a version that only takes over what staff wrote
	Lines   []line `json:"lines"`
}

// staff returns the cells that staff own, by case.
func (s state) staff() map[native.CaseKey][2]string {
	all := map[native.CaseKey][2]string{}
	for _, l := range s.Lines {
		all[l.Case] = l.Staff
	}
	return all
}

// sheet is the register as somebody saved it.
type sheet struct {
	base    uint64 // the version that it was made from; 0: nobody knows
	lines   []line
	strange bool // it holds something that a new version would not: it is kept and shown to a person
}

// merged returns the cells of staff with the edits of one saved version. now is what stands there, from what einmal wrote into the version that was edited. A cell in which staff changed nothing says
// nothing; one that was changed on both sides keeps both texts.
func merged(now, from map[native.CaseKey][2]string, saved []line) map[native.CaseKey][2]string {
	result := map[native.CaseKey][2]string{}
	for k, v := range now {
		result[k] = v
	}
	for _, l := range saved {
		cells := result[l.Case]
		for i := range cells {
			cells[i] = mergedCell(from[l.Case][i], cells[i], l.Staff[i])
		}
		result[l.Case] = cells
	}
	return result
}

func mergedCell(base, now, saved string) string {
	switch {
	case saved == base || saved == now:
		return now
	case now == base:
		return saved
	case strings.Contains(now, saved): // also when it was emptied: somebody else wrote something that its author did not see
		return now
	case strings.Contains(saved, now):
		return saved
	default:
		return now + "\n" + saved
	}
}

// fits reports whether all cells can be written. A person who fills a cell twice over has both halves kept in the version that was set aside.
func fits(staff map[native.CaseKey][2]string) bool {
	for _, cells := range staff {
		for _, c := range cells {
			if len(utf16.Encode([]rune(c))) > contract.MaxValue {
				return false
			}
		}
	}
	return true
}

// same reports whether two registers say the same. Staff may sort the rows as they like.
func same(a, b []line) bool {
	if len(a) != len(b) {
		return false
	}
	of := map[native.CaseKey]line{}
	for _, l := range b {
		of[l.Case] = l
	}
	for _, l := range a {
		o, there := of[l.Case]
		if !there || o.Staff != l.Staff || !sameCells(l.Cells, o.Cells) {
			return false
		}
	}
	return true
}

func sameCells(a, b []string) bool {
	return strings.Join(a, "\x00") == strings.Join(b, "\x00")
}
