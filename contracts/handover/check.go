package handover

import (
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/personal"
)

// check collects findings; its methods never stop at the first one.
type check struct{ fault.Findings }

// must records a finding unless ok.
func (c *check) must(ok bool, path, code, text string) {
	if !ok {
		c.Add(path, code, text, "")
	}
}

// text bounds an open text: its length in characters and no control characters. A text of nothing but blanks is missing.
func (c *check) text(path, s string, least, most int) {
	c.bounds(path, s, s, least, most)
}

// personal bounds a personal text; line breaks and tabs are allowed, and count.
func (c *check) personal(path string, t personal.Text, least, most int) {
	c.bounds(path, t.Reveal(), strings.Map(withoutBreaks, t.Reveal()), least, most)
}

// withoutBreaks drops line breaks and tabs.
func withoutBreaks(r rune) rune {
	switch r {
	case '\n', '\r', '\t':
		return -1
	}
	return r
}

// bounds checks the length of s and the characters of the part of it that must be clean.
func (c *check) bounds(path, s, part string, least, most int) {
	n := utf8.RuneCountInString(s)
	switch {
	case n < least, least > 0 && strings.TrimSpace(s) == "":
		c.Add(path, "missing", "the value is missing", "")
	case n > most:
		c.Add(path, "too-long", "the value is longer than the message allows", "")
	case !clean(part):
		c.Add(path, "control-characters", "the value holds control characters or is not UTF-8", "")
	}
}

// code demands a value of a code list, in einmal's spelling.
func (c *check) code(path string, v Code, required bool) {
	if v == "" {
		c.must(!required, path, "missing", "the code is missing")
		return
	}
	for _, r := range v {
		if (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '_' {
			c.Add(path, "code-format", "a code is upper case letters, digits and underscores", "")
			return
		}
	}
	c.must(len(v) <= 40, path, "too-long", "a code has at most 40 characters")
}

// date demands a day.
func (c *check) date(path string, d Date) {
	c.must(d != "", path, "missing", "the date is missing")
	c.day(path, d)
}

// day demands that a date that is there is a day; one that was parsed always is.
func (c *check) day(path string, d Date) {
	_, err := ParseDate(string(d))
	c.must(d == "" || err == nil, path, "date-format", "the date is not a day that exists, written YYYY-MM-DD")
}

// order demands that a day does not lie after another one.
func (c *check) order(path string, from, to Date) {
	c.must(from == "" || to == "" || from <= to, path, "dates-reversed", "the end lies before the beginning")
}

// within runs a part's own check and puts a prefix before its paths.
func (c *check) within(prefix string, validate func() error) {
	err := validate()
	var fs fault.Findings
	if !errors.As(err, &fs) {
		c.must(err == nil, strings.TrimSuffix(prefix, "."), fault.CodeOf(err), "the part is not valid")
		return
	}
	for _, f := range fs {
		f.Path = prefix + f.Path
		c.Findings = append(c.Findings, f)
	}
}

// clean reports whether s is valid UTF-8 without control characters, without the replacement character that a wrong
// conversion leaves, and without the two characters that XML cannot carry.
func clean(s string) bool {
	if !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		if unicode.IsControl(r) || r >= utf8.RuneError && r <= 0xFFFF {
			return false
		}
	}
	return true
}
