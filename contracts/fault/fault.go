// Package fault is the vocabulary of failure: an error in einmal says what was being done, what
// went wrong, where, and, by its [Kind], what happens to the message next.
//
// There are five kinds because there are five things that can be done: call again, find out what
// happened, tell the sender no, ask a person, stop the process. An error class that leads to no
// action of its own was rejected: it would be decoration, and its reader would have to guess.
//
// The text of an error never holds personal data. Operations, codes, paths and next steps are
// written by the programmer; a value that came from a native system is not put into any of them.
package fault

import (
	"fmt"
	"strings"
)

// Kind decides what is done with a message whose handling failed.
type Kind uint8

const (
	// Unclassified is the zero kind: an error that nobody classified. A write that fails this way
	// is treated as [Doubt], a reading as [Retry]; it is never treated as success or refusal.
	Unclassified Kind = iota
	// Retry: provably nothing was written, and the same call may succeed later.
	Retry
	// Doubt: a write was sent and nobody knows whether it was executed.
	Doubt
	// Refuse: the other side read the message, wrote nothing, and will say no again.
	Refuse
	// Park: the machine cannot go on with this message without guessing; a person decides.
	Park
	// Stop: the configuration or the environment is wrong; going on would break a promise.
	Stop
)

// String returns the kind's name as it stands in logs, metrics and JSON.
func (k Kind) String() string {
	switch k {
	case Retry:
		return "retry"
	case Doubt:
		return "doubt"
	case Refuse:
		return "refuse"
	case Park:
		return "park"
	case Stop:
		return "stop"
	default:
		return "unclassified"
	}
}

// Error is a failure with everything that a reader needs to act on it. Only Kind and Op are always set.
type Error struct {
	Kind Kind
	Op   string // what was being done: "klib.apply", "mapping.to-handover"
	Code string // stable, for programs and for the operator's manual: "unknown-code"
	Path string // the field concerned, in the notation of its format: "person.ahv"
	Text string // one sentence for a person, without values from a native system
	Next string // what the reader should do
	Err  error  // the cause
}

// Error returns "op: text (code at path): cause; next".
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Op)
	if e.Text != "" {
		b.WriteString(": " + e.Text)
	}
	switch {
	case e.Code != "" && e.Path != "":
		fmt.Fprintf(&b, " (%s at %s)", e.Code, e.Path)
	case e.Code != "":
		fmt.Fprintf(&b, " (%s)", e.Code)
	case e.Path != "":
		fmt.Fprintf(&b, " (at %s)", e.Path)
	}
	if e.Err != nil {
		b.WriteString(": " + e.Err.Error())
	}
	if e.Next != "" {
		b.WriteString("; " + e.Next)
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error {
	if e == nil {
		return nil
	}
	return e.Err
}

// New makes an error of a kind. op names the operation, code is stable, text is one sentence.
func New(kind Kind, op, code, text string) *Error {
	return &Error{Kind: kind, Op: op, Code: code, Text: text}
}

// Wrap adds an operation and a kind to a cause. It returns nil for a nil cause.
func Wrap(kind Kind, op string, err error) error {
	if err == nil {
		return nil
	}
	return &Error{Kind: kind, Op: op, Err: err}
}

// At returns a copy of e that names the field concerned.
func (e *Error) At(path string) *Error { c := *e; c.Path = path; return &c }

// Hint returns a copy of e that tells the reader what to do next.
func (e *Error) Hint(next string) *Error { c := *e; c.Next = next; return &c }

// Because returns a copy of e with a cause.
func (e *Error) Because(err error) *Error { c := *e; c.Err = err; return &c }

// KindOf returns the kind of the outermost classified error in err's chain. Of errors joined side by side it returns the
// one that demands most care, in the order Doubt, Stop, Park, Refuse, Retry: a write in doubt stays in doubt
// whatever else went wrong beside it.
func KindOf(err error) Kind {
	var e *Error
	if direct(err, &e) && e.Kind != Unclassified {
		return e.Kind
	}
	worst := Unclassified
	for _, cause := range causes(err) {
		if k := KindOf(cause); k.care() > worst.care() {
			worst = k
		}
	}
	return worst
}

// care ranks the kinds by what it costs to take one for another.
func (k Kind) care() int {
	switch k {
	case Doubt:
		return 5
	case Stop:
		return 4
	case Park:
		return 3
	case Refuse:
		return 2
	case Retry:
		return 1
	default:
		return 0
	}
}

// CodeOf returns the first stable code in err's chain, that of the first of [Findings], or "unclassified".
func CodeOf(err error) string {
	if code := firstCode(err); code != "" {
		return code
	}
	return "unclassified"
}

func firstCode(err error) string {
	var e *Error
	if direct(err, &e) && e.Code != "" {
		return e.Code
	}
	if fs, ok := err.(Findings); ok && len(fs) > 0 { //nolint:errorlint // the tree is walked here, level by level
		return fs[0].Code
	}
	for _, cause := range causes(err) {
		if code := firstCode(cause); code != "" {
			return code
		}
	}
	return ""
}

// direct reports whether err itself, not a cause of it, is an [Error]. A nil *Error is none.
func direct(err error, e **Error) bool {
	found, ok := err.(*Error) //nolint:errorlint // the tree is walked here, level by level
	*e = found
	return ok && found != nil
}

// causes returns what err wraps: one error, several side by side, or nothing.
func causes(err error) []error {
	switch w := err.(type) { //nolint:errorlint // the tree is walked here, level by level
	case interface{ Unwrap() []error }:
		return w.Unwrap()
	case interface{ Unwrap() error }:
		if cause := w.Unwrap(); cause != nil {
			return []error{cause}
		}
	}
	return nil
}
