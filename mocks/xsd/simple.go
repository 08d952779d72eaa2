package xsd

import (
	"encoding/base64"
	"fmt"
	"math/big"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/beevik/etree"
)

// simpleType is a restriction of one of the types that XML Schema has by itself.
type simpleType struct {
	base                 string
	pattern              *regexp.Regexp
	values               []string
	minLength, maxLength int      // characters; maxLength 0: no limit
	least, most          *big.Rat // nil: no limit
}

func (*loader) simpleType(el *etree.Element) (*simpleType, error) {
	children := el.ChildElements()
	if len(children) != 1 || children[0].Tag != "restriction" {
		return nil, unknown(el)
	}
	base := qname(children[0], children[0].SelectAttrValue("base", ""))
	if base.space != Namespace || builtin(base.local) == nil {
		return nil, fmt.Errorf("the base type %q is not known here", base.local)
	}
	t := &simpleType{base: base.local}
	for _, facet := range children[0].ChildElements() {
		if err := t.facet(facet.Tag, facet.SelectAttrValue("value", "")); err != nil {
			return nil, err
		}
	}
	return t, nil
}

func (t *simpleType) facet(tag, value string) error {
	var err error
	switch tag {
	case "minLength":
		t.minLength, err = strconv.Atoi(value)
	case "maxLength":
		t.maxLength, err = strconv.Atoi(value)
	case "pattern":
		t.pattern, err = regexp.Compile("^(?:" + value + ")$")
	case "enumeration":
		t.values = append(t.values, value)
	case "minInclusive":
		t.least, err = bound(value)
	case "maxInclusive":
		t.most, err = bound(value)
	default:
		err = fmt.Errorf("the facet %q is not known here", tag)
	}
	return err
}

func bound(s string) (*big.Rat, error) {
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		return nil, fmt.Errorf("a bound is not a number")
	}
	return r, nil
}

// check returns what is wrong with a value, "" for nothing.
func (t *simpleType) check(s string) string {
	n := utf8.RuneCountInString(s)
	switch {
	case !builtin(t.base)(s):
		return "is not a value of its type"
	case n < t.minLength || (t.maxLength > 0 && n > t.maxLength):
		return "is too short or too long"
	case t.pattern != nil && !t.pattern.MatchString(s):
		return "does not have the form of its type"
	case len(t.values) > 0 && !slices.Contains(t.values, s):
		return "is not in its code list"
	case !t.inRange(s):
		return "is out of range"
	}
	return ""
}

func (t *simpleType) inRange(s string) bool {
	if t.least == nil && t.most == nil {
		return true
	}
	v, ok := new(big.Rat).SetString(s)
	return ok && (t.least == nil || v.Cmp(t.least) >= 0) && (t.most == nil || v.Cmp(t.most) <= 0)
}

// builtin returns the check of a type that XML Schema has by itself, nil for one that this contract does not use. Values are
// taken as they stand: the contract allows no white space that a schema processor would have to repair.
func builtin(typ string) func(string) bool {
	switch typ {
	case "string":
		return utf8.ValidString
	case "token":
		return collapsed
	case "anyURI":
		return func(s string) bool { _, err := url.Parse(s); return err == nil && collapsed(s) }
	case "boolean":
		return func(s string) bool { return s == "true" || s == "false" || s == "1" || s == "0" }
	case "date":
		return func(s string) bool { _, err := time.Parse(time.DateOnly, s); return err == nil }
	case "dateTime":
		return func(s string) bool { _, err := time.Parse(time.RFC3339Nano, s); return err == nil }
	case "int":
		return func(s string) bool { _, err := strconv.ParseInt(s, 10, 32); return err == nil }
	case "unsignedInt":
		return func(s string) bool { _, err := strconv.ParseUint(s, 10, 32); return err == nil }
	case "unsignedLong":
		return func(s string) bool { _, err := strconv.ParseUint(s, 10, 64); return err == nil }
	case "base64Binary":
		return func(s string) bool {
			_, err := base64.StdEncoding.Strict().DecodeString(strings.Join(strings.Fields(s), ""))
			return err == nil
		}
	case "decimal":
		return func(s string) bool { return !strings.ContainsAny(s, "eE/") && inDecimal(s) }
	default:
		return nil
	}
}

func collapsed(s string) bool {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == '\t' || r == '\n' || r == '\r' }), " ") == s
}

func inDecimal(s string) bool {
	_, ok := new(big.Rat).SetString(s)
	return ok
}
