package table

import (
	"reflect"
	"strings"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/personal"
)

// class is what a canonical value is.
type class string

const (
	classText    class = "text"
	classAHV     class = "AHV number"
	classBirth   class = "date of a person"
	classDay     class = "date"
	classInstant class = "moment"
	classCode    class = "code"
	classBool    class = "yes or no"
	classInt     class = "whole number"
	// classOutside is a value beside the payload; every rule may make it.
	classOutside class = "outside value"
)

// leafType describes one value of a payload.
type leafType struct {
	path     string // "participants[].name"
	class    class
	optional bool // the payload may lack it
	within   bool // the payload may lack an object that holds it
}

// schema lists the values of a payload in the order of its fields. An unknown Go type has the class "", which no rule serves.
func schema(p handover.Payload) []leafType {
	var leaves []leafType
	describe(reflect.TypeOf(p), leafType{}, &leaves)
	return leaves
}

func describe(t reflect.Type, at leafType, into *[]leafType) {
	if at.class = classOf(t); at.class != "" {
		*into = append(*into, at)
		return
	}
	at.within, at.optional = at.within || at.optional, false
	switch t.Kind() {
	case reflect.Pointer:
		describe(t.Elem(), at, into)
	case reflect.Slice:
		at.path += "[]"
		describe(t.Elem(), at, into)
	case reflect.Struct:
		for f := range t.Fields() {
			name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
			describe(f.Type, leafType{path: join(at.path, name), optional: options == "omitzero", within: at.within}, into)
		}
	default:
		*into = append(*into, at)
	}
}

func classOf(t reflect.Type) class {
	switch t {
	case reflect.TypeFor[personal.Text]():
		return classText
	case reflect.TypeFor[personal.AHV]():
		return classAHV
	case reflect.TypeFor[personal.Date]():
		return classBirth
	case reflect.TypeFor[handover.Date]():
		return classDay
	case reflect.TypeFor[handover.Instant]():
		return classInstant
	case reflect.TypeFor[handover.Code]():
		return classCode
	}
	switch t.Kind() {
	case reflect.String:
		return classText
	case reflect.Bool:
		return classBool
	case reflect.Int, reflect.Int64:
		return classInt
	}
	return ""
}

// canonicalKind is how JSON writes a value of the class.
func (c class) canonicalKind() kind {
	switch c {
	case classBool:
		return boolean
	case classInt:
		return number
	default:
		return text
	}
}
