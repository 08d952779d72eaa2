package table

import (
	"time"

	"github.com/einmal-hub/einmal/contracts/handover"
)

// side is one of the two documents that a table stands between.
type side uint8

const (
	nativeSide side = iota
	canonicalSide
)

// Row is one line of a table with every group resolved.
type Row struct {
	Native    string // path in the native document; empty when nothing stands there
	Canonical string // path in the payload; empty when nothing stands there
	Outside   string // name of a value beside the payload
	Rule      string
	List      string // code list
	Max       int    // most characters; 0: no limit of its own
	Charset   string // "latin1" or empty
	Const     string // the fixed value of the side that is named
	Drop      bool   // not carried to the other side, on purpose
	Because   string // why, for const and drop and for what stands out
	Optional  bool   // may be missing, on its own or with its group
	Line      int    // in the YAML file
}

// Code is one line of a code list.
type Code struct {
	Canonical handover.Code
	Native    string
}

// use is one inclusion of a group.
type use struct {
	optional bool
	lists    int // lists on the way to the group
}

// field is a row with everything looked up.
type field struct {
	Row
	at       string // place in the YAML document
	paths    [2]path
	rule     rule
	class    class
	codes    []Code
	constant *node
	uses     []*use // outermost first
	format   string
	zone     *time.Location
}

// stands reports whether the field has a value on a side.
func (f *field) stands(s side) bool { return len(f.paths[s]) > 0 }

// required reports whether a value must be there when a document of that side is read.
func (f *field) required(s side) bool {
	return f.stands(s) && !f.Drop && !f.Row.Optional
}

// optional returns the innermost optional group that the field belongs to, or nil.
func (f *field) optional() *use {
	for i := len(f.uses) - 1; i >= 0; i-- {
		if f.uses[i].optional {
			return f.uses[i]
		}
	}
	return nil
}

// message is the compiled table of one message.
type message struct {
	name   handover.Name
	kind   string
	root   string
	fields []*field
	shapes [2]*shape
}

// shape is the tree of all paths of one side.
type shape struct {
	name     string
	list     bool
	field    *field // nil for objects
	children []*shape
}

func (s *shape) child(name string) *shape {
	for _, c := range s.children {
		if c.name == name {
			return c
		}
	}
	return nil
}

// clash is why a path does not fit beside the ones that stand in the tree already.
type clash string

const (
	clashRepeated  clash = "repeated-path"
	clashConflict  clash = "path-conflict"
	clashScattered clash = "scattered"
)

// add puts a field into the tree. contiguous demands that the rows of one object stand together, because XML elements
// are written in the order of the rows.
func (s *shape) add(f *field, p path, contiguous bool) clash {
	for i, step := range p {
		last := i == len(p)-1
		next := s.child(step.name)
		switch {
		case next == nil:
			next = &shape{name: step.name, list: step.list}
			s.children = append(s.children, next)
		case next.list != step.list:
			return clashConflict
		case last && next.field != nil:
			return clashRepeated
		case contiguous && !last && next != s.children[len(s.children)-1]:
			return clashScattered
		}
		if last && next.holdsElements() || !last && next.field != nil && p[i+1].name[0] != '@' {
			return clashConflict
		}
		s = next
	}
	s.field = f
	return ""
}

// holdsElements reports whether something other than attributes stands below.
func (s *shape) holdsElements() bool {
	for _, c := range s.children {
		if c.name[0] != '@' {
			return true
		}
	}
	return false
}
