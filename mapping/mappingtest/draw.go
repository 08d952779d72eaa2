package mappingtest

import (
	"fmt"
	"strings"
	"time"
	_ "time/tzdata" // meetings take place in Switzerland, on every machine

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/personal"
	"github.com/einmal-hub/einmal/mapping/table"
	"pgregory.net/rapid"
)

// draw invents the values of one payload within what every table can hold. Paths are those of the tables.
type draw struct {
	*rapid.T
	name   handover.Name
	limits map[string][]limit // by canonical path
	size   size
}

// limit is a row of a table and the codes of its list.
type limit struct {
	table.Row
	codes []handover.Code
}

// limitsOf collects the rows of all tables for a message.
func limitsOf(name handover.Name, tables []*table.Table) map[string][]limit {
	limits := map[string][]limit{}
	for _, t := range tables {
		for _, r := range t.Rows(name) {
			l := limit{Row: r}
			for _, c := range t.Codes(r.List) {
				l.codes = append(l.codes, c.Canonical)
			}
			limits[r.Canonical] = append(limits[r.Canonical], l)
		}
	}
	return limits
}

// size is how much a payload says.
type size uint8

const (
	anySize  size = iota
	fullSize      // everything optional is there
	mostSize      // everything is there, and every text is as long as it may be
)

// there decides whether something optional is said.
func (d draw) there(path string) bool { return d.size != anySize || rapid.Bool().Draw(d.T, path+"?") }

// text invents a text of at most so many characters: words with umlauts and the characters that formats fight over, single blanks between
// them, which is the form that every text field of every system keeps.
func (d draw) text(path string, most int) personal.Text {
	alphabet := []rune(letters + "łŐ中😀")
	for _, r := range d.limits[path] {
		if r.Max > 0 {
			most = min(most, r.Max)
		}
		if r.Charset == "latin1" {
			alphabet = []rune(letters)
		}
	}
	if d.size == mostSize {
		return personal.Text(strings.Repeat("ü", most))
	}
	word := rapid.StringOfN(rapid.SampledFrom(alphabet), 1, 12, -1)
	words := strings.Join(rapid.SliceOfN(word, 1, 5).Draw(d.T, path), " ")
	return personal.Text(strings.TrimSpace(string(firstRunes(words, most))))
}

const letters = "abcXYZäöüÄÖÜéèçñß0123456789.,;:-_/()'\"<>&#%+=@!?[]{}\\"

func firstRunes(s string, n int) []rune {
	r := []rune(s)
	return r[:min(n, len(r))]
}

// long invents a free text, which may have line breaks and tabs.
func (d draw) long(path string) personal.Text { return d.longOf(path, 2000) }

func (d draw) longOf(path string, most int) personal.Text {
	text := d.text(path, most)
	if d.size == mostSize || !rapid.Bool().Draw(d.T, path+" lines") || len(text) > 100 {
		return text
	}
	return text + "\n\tzweite Zeile"
}

func (d draw) maybe(path string, value func() personal.Text) personal.Text {
	if !d.there(path) {
		return ""
	}
	return value()
}

func (d draw) maybeText(path string, most int) personal.Text {
	return d.maybe(path, func() personal.Text { return d.text(path, most) })
}

func (d draw) remark() personal.Text { return d.maybeLong("remark") }

func (d draw) maybeLong(path string) personal.Text {
	return d.maybe(path, func() personal.Text { return d.long(path) })
}

func (d draw) between(path string, least, most int) int {
	return rapid.IntRange(least, most).Draw(d.T, path)
}

func (d draw) yes(path string) bool { return rapid.Bool().Draw(d.T, path) }

// code draws a code that every table with a list for the path knows, or one of the given.
func (d draw) code(path string, otherwise ...handover.Code) handover.Code {
	return rapid.SampledFrom(d.codes(path, otherwise...)).Draw(d.T, path)
}

// codes lists those that every table with a list for the path knows, or the given.
func (d draw) codes(path string, otherwise ...handover.Code) []handover.Code {
	var choices []handover.Code
	for _, l := range d.limits[path] {
		switch {
		case l.codes == nil:
		case choices == nil:
			choices = l.codes
		default:
			choices = common(choices, l.codes)
		}
	}
	if choices == nil {
		choices = otherwise
	}
	return choices
}

func common(a, b []handover.Code) []handover.Code {
	var both []handover.Code
	for _, x := range a {
		for _, y := range b {
			if x == y {
				both = append(both, x)
			}
		}
	}
	return both
}

func (d draw) maybeCode(path string, otherwise ...handover.Code) handover.Code {
	if !d.there(path) {
		return ""
	}
	return d.code(path, otherwise...)
}

// day draws a day from 1990 on; days of one payload that must be in order are drawn from one another.
func (d draw) day(path string) handover.Date {
	return handover.Date(d.days(path, "1990-01-01", 39_000))
}

// after draws a day that is not before another one.
func (d draw) after(path string, first handover.Date) handover.Date {
	return handover.Date(d.days(path, string(first), 300))
}

func (d draw) maybeDay(path string) handover.Date {
	if !d.there(path) {
		return ""
	}
	return d.day(path)
}

func (d draw) days(path, first string, most int) string {
	from, err := time.Parse(time.DateOnly, first)
	if err != nil {
		d.Fatalf("the day %s at %s: %v", first, path, err)
	}
	return from.AddDate(0, 0, d.between(path, 0, most)).Format(time.DateOnly)
}

func (d draw) birth(path string) personal.Date {
	day, err := personal.ParseDate(d.days(path, "1900-01-01", 45_000))
	if err != nil {
		d.Fatalf("a birth at %s: %v", path, err)
	}
	return day
}

// moment draws a full minute in Switzerland that clocks show once.
func (d draw) moment(path string) handover.Instant {
	zone, err := time.LoadLocation("Europe/Zurich")
	if err != nil {
		d.Fatalf("the time zone: %v", err)
	}
	day := d.days(path, "1990-01-01", 39_000)
	at, err := time.ParseInLocation("2006-01-02 15:04", fmt.Sprintf("%s %02d:%02d", day, d.between(path+" hour", 4, 23), d.between(path+" minute", 0, 59)), zone)
	if err != nil {
		d.Fatalf("a moment at %s: %v", path, err)
	}
	return handover.InstantOf(at)
}

// ahv draws an invented number with a valid check digit.
func (d draw) ahv(path string) personal.AHV {
	nine := fmt.Sprintf("%09d", d.between(path, 1, 111_111_110))
	for digit := range 10 {
		if n, err := personal.ParseAHV(fmt.Sprintf("756%s%d", nine, digit)); err == nil {
			return n
		}
	}
	d.Fatalf("no check digit fits at %s", path)
	return personal.AHV{}
}
