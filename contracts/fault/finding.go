package fault

import (
	"fmt"
	"strings"
)

// Finding is one thing wrong with a document that a person wrote or a system sent. A check reports
// all findings at once, never only the first.
type Finding struct {
	File string `json:"file,omitempty"` // empty for messages
	Line int    `json:"line,omitempty"` // 1-based; 0 when the format has no lines
	Path string `json:"path"`           // "systems.klib.url", "person.dateOfBirth"
	Code string `json:"code"`           // stable
	Text string `json:"text"`           // one sentence, without the value found
	Next string `json:"next,omitempty"` // what to do
}

// String returns "file:line: path: text; next" with the parts that are known.
func (f Finding) String() string {
	var b strings.Builder
	if f.File != "" {
		b.WriteString(f.File)
		if f.Line > 0 {
			fmt.Fprintf(&b, ":%d", f.Line)
		}
		b.WriteString(": ")
	}
	if f.Path != "" {
		b.WriteString(f.Path + ": ")
	}
	b.WriteString(f.Text)
	if f.Next != "" {
		b.WriteString("; " + f.Next)
	}
	return b.String()
}

// Findings is a list of findings that is an error when it is not empty.
type Findings []Finding

// Error returns one line a finding.
func (fs Findings) Error() string {
	lines := make([]string, len(fs))
	for i, f := range fs {
		lines[i] = f.String()
	}
	return strings.Join(lines, "\n")
}

// Err returns nil for an empty list.
func (fs Findings) Err() error {
	if len(fs) == 0 {
		return nil
	}
	return fs
}

// Add appends a finding without file and line.
func (fs *Findings) Add(path, code, text, next string) {
	*fs = append(*fs, Finding{Path: path, Code: code, Text: text, Next: next})
}
