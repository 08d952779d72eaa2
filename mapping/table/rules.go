package table

import (
	"errors"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/einmal-hub/einmal/contracts/fault"
)

// rule converts one value between its native and its canonical spelling. Both directions refuse what they cannot carry exactly.
type rule struct {
	name    string
	native  kind // what it is in JSON; in XML everything is text
	classes []class
	list    bool   // needs a code list
	form    string // the native spelling, for people
	read    conversion
	write   conversion
}

type conversion func(f *field, s string) (string, *problem)

// problem is why a value cannot be converted; it never holds the value.
type problem struct{ code, text, next string }

func (r rule) serves(c class) bool { return c == classOutside || slices.Contains(r.classes, c) }

// rules lists every rule; the package comment describes them.
func rules() []rule {
	all := []rule{
		{name: "text", native: text, classes: []class{classText}, form: "text", read: limited, write: limited},
		{name: "text-int", native: number, classes: []class{classText}, form: "whole number", read: plainInt, write: plainInt},
		{name: "int", native: number, classes: []class{classInt}, form: "whole number", read: plainInt, write: plainInt},
		{name: "int-text", native: text, classes: []class{classInt}, form: "whole number as text", read: plainInt, write: plainInt},
		{name: "bool", native: boolean, classes: []class{classBool}, form: "true or false", read: readBool, write: same},
		{name: "bool-ja", native: text, classes: []class{classBool}, form: "J or N", read: readJa, write: writeJa},
		{name: "bool-code", native: text, classes: []class{classBool}, list: true, form: "code", read: readBoolCode, write: writeBoolCode},
		{name: "code", native: text, classes: []class{classCode}, list: true, form: "code", read: readCode, write: writeCode},
		{name: "code-int", native: number, classes: []class{classCode}, list: true, form: "code as number", read: readCode, write: writeCode},
		{name: "ahv", native: text, classes: []class{classAHV}, form: "13 digits", read: readAHV, write: same},
		{name: "ahv-int", native: number, classes: []class{classAHV}, form: "13 digits as number", read: readAHV, write: same},
		{name: "ahv-dotted", native: text, classes: []class{classAHV}, form: "756.XXXX.XXXX.XX", read: readDotted, write: writeDotted},
		{name: "amount", native: text, classes: []class{classInt}, form: "francs with two decimals", read: readFrancs, write: writeFrancs},
		{name: "amount-number", native: number, classes: []class{classInt}, form: "francs as number", read: readFrancsNumber, write: writeFrancs},
	}
	return append(all, timeRules()...)
}

func same(_ *field, s string) (string, *problem) { return s, nil }

// limited keeps a text as it is or refuses it; nothing is ever cut or replaced.
func limited(f *field, s string) (string, *problem) {
	switch {
	case f.Max > 0 && utf8.RuneCountInString(s) > f.Max:
		return "", &problem{"too-long", "the text is longer than the native system allows", "shorten it where it was entered; it is never cut"}
	case f.Charset == latin1 && strings.ContainsFunc(s, func(r rune) bool { return r > 0xFF }):
		return "", &problem{"charset", "the text holds a character outside ISO 8859-1", "spell it with characters that the native system knows"}
	case f.format == formatXML && strings.ContainsFunc(s, notXML):
		return "", &problem{"charset", "the text holds a character that XML cannot hold", "remove the invisible character where it was entered"}
	}
	return s, nil
}

// notXML reports characters that XML 1.0 cannot hold.
func notXML(r rune) bool {
	return r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF || r == utf8.RuneError
}

// plainInt takes the one plain spelling of a whole number, so that writing it back gives the same text.
func plainInt(_ *field, s string) (string, *problem) {
	digits := strings.TrimPrefix(s, "-")
	if !allDigits(digits) || len(digits) > 18 || len(digits) > 1 && digits[0] == '0' || s == "-0" {
		return "", &problem{"number-format", "the value is not a whole number in plain digits", ""}
	}
	return s, nil
}

func allDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

func readBool(_ *field, s string) (string, *problem) {
	switch s {
	case "true", "1":
		return "true", nil
	case "false", "0":
		return "false", nil
	}
	return "", &problem{"bool-format", "the value is not true or false", ""}
}

func readJa(_ *field, s string) (string, *problem) {
	switch s {
	case "J":
		return "true", nil
	case "N":
		return "false", nil
	}
	return "", &problem{"bool-format", "the value is not J or N", ""}
}

func writeJa(_ *field, s string) (string, *problem) {
	if s == "true" {
		return "J", nil
	}
	return "N", nil
}

func readCode(f *field, s string) (string, *problem) {
	for _, c := range f.codes {
		if c.Native == s {
			return string(c.Canonical), nil
		}
	}
	return "", unknownCode(f)
}

func writeCode(f *field, s string) (string, *problem) {
	for _, c := range f.codes {
		if string(c.Canonical) == s {
			return c.Native, nil
		}
	}
	return "", unknownCode(f)
}

func unknownCode(f *field) *problem {
	return &problem{"unknown-code", "the code is not in the list " + f.List, "correct it where it was entered, or add it to the table"}
}

func readBoolCode(f *field, s string) (string, *problem) {
	s, p := readCode(f, s)
	return strings.ToLower(s), p
}

func writeBoolCode(f *field, s string) (string, *problem) { return writeCode(f, strings.ToUpper(s)) }

// of turns an error of the vocabulary into a problem.
func of(err error) *problem {
	var e *fault.Error
	if errors.As(err, &e) {
		return &problem{e.Code, e.Text, e.Next}
	}
	return &problem{"malformed", "the value is malformed", ""}
}

const latin1 = "latin1"
