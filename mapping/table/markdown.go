package table

import (
	"fmt"
	"strings"
)

// Markdown renders the table for people: every message with its rows, then the code lists.
func (t *Table) Markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Fields of %s\n\nMade from the mapping table of `%s`. Do not edit this page: edit the table and update the golden files.\n", t.system, t.system)
	for _, name := range t.Names() {
		m := t.messages[name]
		fmt.Fprintf(&b, "\n## %s: `%s`\n\n| %s (%s) | handover | how |\n|---|---|---|\n", name, m.kind, t.system, t.format)
		for _, f := range m.fields {
			fmt.Fprintf(&b, "| %s | %s | %s |\n", cell(f.Native), counterpart(f), how(f))
		}
	}
	for _, l := range t.lists {
		fmt.Fprintf(&b, "\n## Codes: %s\n\n| handover | %s |\n|---|---|\n", l.name, t.system)
		for _, c := range l.codes {
			fmt.Fprintf(&b, "| %s | %s |\n", cell(string(c.Canonical)), cell(c.Native))
		}
	}
	return b.String()
}

// cell escapes what would end a table cell.
func cell(s string) string {
	if s == "" {
		return ""
	}
	return "`" + strings.ReplaceAll(s, "|", "\\|") + "`"
}

func counterpart(f *field) string {
	if f.Outside != "" {
		return "envelope: " + f.Outside
	}
	return cell(f.Canonical)
}

// how says in words what a row does.
func how(f *field) string {
	var parts []string
	switch {
	case f.Drop && f.Native != "":
		parts = append(parts, "read and dropped")
	case f.Drop:
		parts = append(parts, "not written")
	case f.constant != nil:
		parts = append(parts, "always "+cell(f.Const))
	default:
		parts = append(parts, f.rule.form)
	}
	if f.List != "" {
		parts = append(parts, "list "+f.List)
	}
	if f.Max > 0 {
		parts = append(parts, fmt.Sprintf("at most %d characters", f.Max))
	}
	if f.Charset == latin1 {
		parts = append(parts, "ISO 8859-1")
	}
	if f.Row.Optional || f.optional() != nil {
		parts = append(parts, "optional")
	}
	if f.Because != "" {
		parts = append(parts, strings.ReplaceAll(f.Because, "|", "\\|"))
	}
	return strings.Join(parts, "; ")
}
