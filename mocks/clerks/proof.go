package clerks

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/einmal-hub/einmal/contracts/handover"
)

// Group is what became of one target group's handovers.
type Group struct {
	Handovers  int            `json:"handovers"`  // of which every step was played and stands everywhere
	Directions map[string]int `json:"directions"` // the same by agency types, "SH>ALV"
}

// Proof is what the journals say about a plan that was played. Times are in milliseconds from the clerk's entry to the entry by the interface,
// measured by the clocks of the native systems.
type Proof struct {
	Handovers      int                       `json:"handovers"`
	Returned       int                       `json:"returned"`      // applications that were answered with the rules that do not admit them
	Groups         map[string]Group          `json:"groups"`        // by target group, without those that end with a returned application
	MessageTypes   map[handover.Name]int     `json:"message_types"` // entries that have their reason, by what they say
	Messages       int                       `json:"messages"`      // entries that clerks made
	Unplayed       int                       `json:"unplayed"`      // steps of the plan that no clerk made
	Records        map[handover.SystemID]int `json:"records"`       // all entries of each system
	Expected       map[handover.SystemID]int `json:"expected"`      // what must stand there for the messages
	Double         int                       `json:"double_entries"`
	Lost           int                       `json:"lost"`
	Leaked         int                       `json:"leaked"`
	Unexplained    int                       `json:"unexplained"`
	Disorder       int                       `json:"disorder"`
	Misplaced      int                       `json:"misplaced"`
	WrongKind      int                       `json:"wrong_kind"`
	WrongReference int                       `json:"wrong_reference"`
	WrongDocuments int                       `json:"wrong_documents"`
	WrongAnswer    int                       `json:"wrong_answer"`
	Altered        int                       `json:"altered"`
	P50            float64                   `json:"p50_ms"`
	P99            float64                   `json:"p99_ms"`
	Max            float64                   `json:"max_ms"`
	Elapsed        float64                   `json:"elapsed_s"` // from the first entry to the last
	Findings       []Finding                 `json:"findings,omitempty"`
}

// Once reports whether every step was played and stands exactly once, in its place and order, wherever it must, and nothing else does.
func (p Proof) Once() bool { return p.Unplayed == 0 && len(p.Findings) == 0 }

func (c *checker) proof(journals Journals, all []entry) Proof {
	p := Proof{
		Handovers: len(c.plan.Handovers), Messages: len(c.origins), Unplayed: len(c.steps) - len(c.origins), Findings: c.findings,
		Records: map[handover.SystemID]int{}, Expected: map[handover.SystemID]int{}, Groups: map[string]Group{}, MessageTypes: c.records,
	}
	for id, entries := range journals {
		p.Records[id], p.Expected[id] = len(entries), 0
	}
	c.outcome(&p)
	for _, f := range c.findings {
		*p.counter(f.What)++
	}
	slices.Sort(c.waits)
	p.P50, p.P99, p.Max = rank(c.waits, 50), rank(c.waits, 99), rank(c.waits, 100)
	p.Elapsed = elapsed(all).Seconds()
	return p
}

// outcome counts the handovers that stand everywhere and the applications that were returned, and expects the answers.
func (c *checker) outcome(p *Proof) {
	wrong := map[int]bool{}
	for _, f := range c.findings {
		if h, known := c.owners[f.Marker]; known {
			wrong[h.Number] = true
		}
	}
	for _, h := range c.plan.Handovers {
		_, played := c.origins[h.Steps[len(h.Steps)-1].Marker]
		good := played && !wrong[h.Number]
		for _, s := range h.Steps {
			if _, made := c.origins[s.Marker]; made {
				p.expect(h, s)
			}
			if good && s.Returned() {
				p.Returned++
			}
		}
		if good && !h.Returned() {
			g := p.Groups[h.Group]
			if g.Directions == nil {
				g.Directions = map[string]int{}
			}
			g.Handovers++
			g.Directions[h.From+">"+h.To]++
			p.Groups[h.Group] = g
		}
	}
}

// expect counts where a step that was made must stand, and its answer.
func (p *Proof) expect(h Handover, s Step) {
	for _, at := range h.Where(s) {
		p.Expected[at.System]++
	}
	if s.Answer != nil {
		p.Expected[s.Place.System]++
	}
}

func (p *Proof) counter(what string) *int {
	switch what {
	case Double:
		return &p.Double
	case Lost:
		return &p.Lost
	case Disorder:
		return &p.Disorder
	case Misplaced:
		return &p.Misplaced
	case WrongKind:
		return &p.WrongKind
	case WrongReference:
		return &p.WrongReference
	case WrongDocuments:
		return &p.WrongDocuments
	case WrongAnswer:
		return &p.WrongAnswer
	case Leaked:
		return &p.Leaked
	case Altered:
		return &p.Altered
	default:
		return &p.Unexplained
	}
}

// rank returns the nearest-rank percentile of sorted times, in milliseconds.
func rank(sorted []time.Duration, percent int) float64 {
	if len(sorted) == 0 {
		return 0
	}
	i := (len(sorted)*percent + 99) / 100
	return float64(sorted[i-1].Microseconds()) / 1000
}

func elapsed(all []entry) time.Duration {
	if len(all) == 0 {
		return 0
	}
	byTime := func(a, b entry) int { return a.At.Compare(b.At) }
	return slices.MaxFunc(all, byTime).At.Sub(slices.MinFunc(all, byTime).At)
}

// findingsShown is how many findings a table lists.
const findingsShown = 20

// Print writes the proof as a table for people.
func (p Proof) Print(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	rows := [][2]string{{"handovers", fmt.Sprint(p.Handovers)}}
	for _, name := range slices.Sorted(maps.Keys(p.Groups)) {
		rows = append(rows, [2]string{"  group " + name, p.Groups[name].String()})
	}
	rows = append(rows, [][2]string{
		{"returned by the rules", fmt.Sprint(p.Returned)}, {"messages", fmt.Sprint(p.Messages)},
		{"kinds of messages", fmt.Sprintf("%d of %d", len(p.MessageTypes), len(handover.Catalogue()))},
	}...)
	for _, id := range systemsIn(p) {
		rows = append(rows, [2]string{"records in " + string(id), fmt.Sprintf("%d of %d", p.Records[id], p.Expected[id])})
	}
	rows = append(rows, [][2]string{
		{"double entries", fmt.Sprint(p.Double)}, {"lost", fmt.Sprint(p.Lost)}, {"leaked", fmt.Sprint(p.Leaked)}, {"unexplained", fmt.Sprint(p.Unexplained)},
		{"out of order", fmt.Sprint(p.Disorder)}, {"misplaced", fmt.Sprint(p.Misplaced)}, {"wrong kind", fmt.Sprint(p.WrongKind)},
		{"wrong reference", fmt.Sprint(p.WrongReference)}, {"wrong documents", fmt.Sprint(p.WrongDocuments)},
		{"wrong answer", fmt.Sprint(p.WrongAnswer)}, {"altered", fmt.Sprint(p.Altered)}, {"not played", fmt.Sprint(p.Unplayed)},
		{"entry to record", fmt.Sprintf("p50 %.0f ms, p99 %.0f ms, max %.0f ms", p.P50, p.P99, p.Max)},
		{"elapsed", fmt.Sprintf("%.1f s", p.Elapsed)},
	}...)
	for _, r := range rows {
		_, _ = fmt.Fprintf(t, "%s\t%s\n", r[0], r[1]) // a tabwriter keeps its error for Flush
	}
	for i, f := range p.Findings {
		if i == findingsShown {
			_, _ = fmt.Fprintf(t, "... and %d more\n", len(p.Findings)-i)
			break
		}
		_, _ = fmt.Fprintln(t, f)
	}
	return t.Flush()
}

// String returns the directions as one line.
func (g Group) String() string {
	var all []string
	for _, d := range slices.Sorted(maps.Keys(g.Directions)) {
		all = append(all, fmt.Sprintf("%s %d", d, g.Directions[d]))
	}
	return strings.Join(all, ", ")
}

func systemsIn(p Proof) []handover.SystemID {
	ids := slices.AppendSeq(slices.Collect(maps.Keys(p.Records)), maps.Keys(p.Expected))
	slices.Sort(ids)
	return slices.Compact(ids)
}
