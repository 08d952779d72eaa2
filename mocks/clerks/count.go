package clerks

import (
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/einmal-hub/einmal/contracts/handover"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/einmal-hub/einmal/mocks/core"
)

// Table is a standard reporting table.
type Table []Line

// Line is one figure of it.
type Line struct {
	Name     string         `yaml:"line" json:"line"`
	Total    int            `yaml:"total" json:"total"`
	Agencies map[string]int `yaml:"agencies" json:"agencies,omitzero"` // by agency type; empty: the table does not say
}

// line returns the figure of a name.
func (t Table) line(name string) Line {
	for _, l := range t {
		if l.Name == name {
			return l
		}
	}
	return Line{Name: name}
}

// Against returns the lines in which a count differs from an expected table; what that does not say is not compared.
func (t Table) Against(want Table) []string {
	var differ []string
	for _, w := range want {
		got := t.line(w.Name)
		same := got.Total == w.Total
		for agency, n := range w.Agencies {
			same = same && got.Agencies[agency] == n
		}
		if !same {
			differ = append(differ, w.Name)
		}
	}
	return differ
}

// Print writes the table beside an expected one.
func (t Table) Print(w io.Writer, want Table) error {
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(out, "\tcounted\tIV\tALV\tSH\texpected\tIV\tALV\tSH") // a tabwriter keeps its error for Flush
	for _, l := range want {
		_, _ = fmt.Fprintln(out, l.Name+"\t"+t.line(l.Name).cells(l)+"\t"+l.cells(l))
	}
	return out.Flush()
}

// cells returns the figures that the other line has too.
func (l Line) cells(like Line) string {
	cells := []string{fmt.Sprint(l.Total)}
	for _, agency := range []string{"IV", "ALV", "SH"} {
		cell := ""
		if like.Agencies != nil {
			cell = fmt.Sprint(l.Agencies[agency])
		}
		cells = append(cells, cell)
	}
	return strings.Join(cells, "\t")
}

// Count counts the standard reporting table from what stands in the native systems, and from nothing else: each case where it stands in the receiving organisation's own
// dossier. An entry that was recalled does not count, a correction counts instead of what it corrects. What stands twice counts twice. Nobody enters
// anything for it (concept 6.2.1).
func Count(journals Journals, systems map[handover.SystemID]System) (Table, error) {
	d, err := lucerne()
	if err != nil {
		return nil, err
	}
	c := counter{directory: d, figures: map[string]map[string]int{}}
	for _, id := range slices.Sorted(maps.Keys(journals)) {
		sys, known := systems[id]
		if !known || sys.Compose == nil || sys.Compare == nil {
			return nil, fmt.Errorf("the form of %s is not known, so nothing can be counted there", id)
		}
		if err := c.system(id, sys, journals[id]); err != nil {
			return nil, err
		}
	}
	return c.table(), nil
}

// counter adds up figures by agency type.
type counter struct {
	directory
	figures map[string]map[string]int
}

func (c *counter) add(name, agency string) {
	if c.figures[name] == nil {
		c.figures[name] = map[string]int{}
	}
	c.figures[name][agency]++
}

func (c *counter) table() Table {
	var t Table
	for _, name := range slices.Sorted(maps.Keys(c.figures)) {
		l := Line{Name: name, Agencies: c.figures[name]}
		for _, n := range l.Agencies {
			l.Total += n
		}
		t = append(t, l)
	}
	return t
}

// system counts the cases of one system.
func (c *counter) system(id handover.SystemID, sys System, entries []core.Entry) error {
	l, err := learn(sys)
	if err != nil {
		return fmt.Errorf("%s: %w", id, err)
	}
	cases := map[native.CaseKey][]core.Entry{}
	var order []native.CaseKey
	for _, e := range entries {
		if e.Dossier == "" {
			continue // a shared platform shows what stands elsewhere
		}
		if cases[e.Case] == nil {
			order = append(order, e.Case)
		}
		cases[e.Case] = append(cases[e.Case], e)
	}
	for _, k := range order {
		if err := c.count(l, effective(cases[k])); err != nil {
			return fmt.Errorf("%s, case %s: %w", id, k, err)
		}
	}
	return nil
}

// effective returns what holds of a case's entries: without what was recalled, with what was corrected. An application that was recalled was one all the same.
func effective(entries []core.Entry) []core.Entry {
	var hold []core.Entry
	first := map[native.RecordID]native.RecordID{} // of a correction: what it corrects in the end
	for _, e := range entries {
		about := e.Refers
		if origin, corrects := first[about]; corrects {
			about = origin
		}
		i := slices.IndexFunc(hold, func(h core.Entry) bool { return h.ID == about })
		switch {
		case e.Action == handover.ActionRecall && i > 0:
			hold = slices.Delete(hold, i, i+1)
		case e.Action == handover.ActionRecall:
		case e.Action == handover.ActionCorrection && i >= 0:
			first[e.ID] = about
			e.ID = about
			hold[i] = e
		default:
			hold = append(hold, e)
		}
	}
	return hold
}

// count counts one case, if it is in the receiving organisation's dossier.
func (c *counter) count(l learnt, entries []core.Entry) error {
	receiving := ""
	for _, e := range entries {
		said, err := l.leaves(e.Body)
		if err != nil {
			return fmt.Errorf("the entry %s cannot be read: %w", e.ID, err)
		}
		if l.kinds[e.Kind] == "application-submitted" && receiving == "" {
			if said[l.receiving] != string(e.Dossier) {
				return nil
			}
			receiving = c.agency(e.Dossier)
			c.add("applications", receiving)
			c.add("by assigning agency", c.agency(handover.OrganisationID(said[l.assigning])))
			c.add("by receiving agency", receiving)
			continue
		}
		c.later(l, l.kinds[e.Kind], said, receiving)
	}
	return nil
}

// later counts what is said after the application.
func (c *counter) later(l learnt, n handover.Name, said map[string]string, receiving string) {
	switch n {
	case "application-decided":
		if l.decision.code(said) == string(handover.Accepted) {
			c.add("accepted", receiving)
			return
		}
		c.add("rejected", receiving)
		c.add("rejected: "+l.reason.code(said), receiving)
	case "cost-approval-requested":
		c.add("cost approvals requested", receiving)
	case "cost-approval-signed":
		c.add("cost approvals signed", receiving)
	case "cost-approval-refused":
		c.add("cost approvals refused", receiving)
	case "case-closed":
		c.add("closed", receiving)
		c.add("closed: "+l.outcome.code(said), receiving)
	}
}

// learnt is where a system's form writes what is counted, and in which words: found out by filling in the form with one answer after the other. So there is no second
// table of native codes that could agree with a wrong one.
type learnt struct {
	leaves                    Leaves
	kinds                     map[native.Kind]handover.Name
	assigning, receiving      string
	decision, reason, outcome words
}

// words are a place on a form and the code that each word there stands for.
type words struct {
	place string
	codes map[string]string
}

func (w words) code(said map[string]string) string { return w.codes[said[w.place]] }

func learn(sys System) (learnt, error) {
	l := learnt{leaves: sys.Compare, kinds: map[native.Kind]handover.Name{}}
	known := core.Invent(rand.New(rand.NewPCG(1, 1))) //nolint:gosec // any invented facts will do
	for _, m := range handover.Catalogue() {
		kind, _ := sys.Compose(m.Name(), known)
		l.kinds[kind] = m.Name()
	}
	var err error
	find := func(n handover.Name, fill func(*core.Facts, string), answers ...string) words {
		w, problem := sys.find(n, known, fill, answers)
		if err == nil {
			err = problem
		}
		return w
	}
	l.assigning = find("application-submitted", func(f *core.Facts, s string) { f.Assigning = handover.OrganisationID(s) }, "org-a", "org-b").place
	l.receiving = find("application-submitted", func(f *core.Facts, s string) { f.Receiving = handover.OrganisationID(s) }, "org-a", "org-b").place
	l.decision = find("application-decided", func(f *core.Facts, s string) { f.Decision, f.RejectionReason = s, "OTHER" }, string(handover.Accepted), string(handover.Rejected))
	l.reason = find("application-decided", func(f *core.Facts, s string) { f.Decision, f.RejectionReason = string(handover.Rejected), s },
		"IV_REJECTION_RECENT", "NO_INTACT_WORK_OFFER", "NO_CAPACITY", "OTHER", "GOAL_NOT_REALISABLE")
	l.outcome = find("case-closed", func(f *core.Facts, s string) { f.Outcome = s }, "SUCCESSFUL", "PARTIAL", "NOT_IMPLEMENTED", "OTHER")
	return l, err
}

// find fills in a form with one answer after the other and looks where they stand.
func (s System) find(n handover.Name, known core.Facts, fill func(*core.Facts, string), answers []string) (words, error) {
	var contents []map[string]string
	for _, a := range answers {
		f := known
		fill(&f, a)
		_, body := s.Compose(n, f)
		leaves, err := s.Compare(body)
		if err != nil {
			return words{}, fmt.Errorf("the form of %s cannot be read: %w", n, err)
		}
		contents = append(contents, leaves)
	}
	for _, place := range slices.Sorted(maps.Keys(contents[0])) {
		w := words{place: place, codes: map[string]string{}}
		for i, leaves := range contents {
			if leaves[place] != "" {
				w.codes[leaves[place]] = answers[i]
			}
		}
		if len(w.codes) == len(answers) {
			return w, nil
		}
	}
	return words{}, fmt.Errorf("the form of %s shows none of the answers that are counted", n)
}
