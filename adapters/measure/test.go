package measure

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/contracts/native"
)

// test is what is written in one measurement, and how long its late effects are looked for.
type test struct {
	first    *item
	twice    []*item // written again after the answer
	atOnce   []*item // written several times at once
	variants []*item // neighbours differ in one character of the reference
	named    []*item // name a document
	samples  []*item
	cuts     []*item
	watch    time.Duration
}

// item is one reference of a measurement and everything that was seen of it.
type item struct {
	n     int
	ref   native.Reference
	opens bool
	cut   bool // its request is cut on purpose
	entry native.Entry

	pending  int // requests under way
	attempts []attempt
	sights   map[native.RecordID]sight
	answers  []string // what a search said in place of records: fault codes of refusals
	looks    int      // searches and readings since the last request that could have shown it
	lag      time.Duration
	timed    bool // lag was measured
	lost     bool // no search found it in time
}

// sight is a record that somebody has said to stand under a reference.
type sight struct {
	in                          native.CaseKey
	late                        time.Duration // after an unclear request it was seen so long after its end; 0: at once, or nothing was unclear
	streamed                    bool          // the stream showed it first, which no index delays
	answer                      time.Duration // a system that answers later has taken so long
	denied                      bool          // the adapter's last word was that nothing was written
	receipt, search, last, echo bool          // who has shown it; last: the last search
}

// attempt is one request.
type attempt struct {
	began, ended time.Time
	outcome      outcome
	code         string
	joined       bool
	cut          bool // on this side, on purpose
}

// outcome is what is known after a request, by the adapter's word.
type outcome string

const (
	recorded   outcome = "recorded"
	handedOver outcome = "handed over"
	inDoubt    outcome = "in doubt"
	nothing    outcome = "nothing was written"
	refused    outcome = "refused"
)

// atOnceWriters is how many write one reference at once.
const atOnceWriters = 4

func newTest(o Options, a adapters.Abilities) *test {
	r := rand.New(rand.NewPCG(o.Seed, 1)) //nolint:gosec // references must be repeatable, not secret
	n := 0
	give := func(opens bool, ref native.Reference) *item {
		n++
		return &item{n: n, ref: ref, opens: opens, sights: map[native.RecordID]sight{}}
	}
	draw := func(opens bool) *item { return give(opens, reference(r.Uint64(), r.Uint64())) }
	t := &test{first: draw(true), watch: watch(o, a)}
	for _, opens := range []bool{true, false} {
		t.twice, t.atOnce = append(t.twice, draw(opens)), append(t.atOnce, draw(opens))
	}
	for _, ref := range alike(reference(r.Uint64(), r.Uint64())) {
		t.variants = append(t.variants, give(false, ref))
	}
	t.named = append(t.named, draw(false))
	for k := range o.Samples {
		t.samples = append(t.samples, draw(k%10 == 0))
	}
	for k := range o.Cuts {
		c := draw(k%3 == 0)
		c.cut = true
		t.cuts = append(t.cuts, c)
	}
	return t
}

func (t *test) all() []*item {
	return slices.Concat([]*item{t.first}, t.twice, t.atOnce, t.variants, t.named, t.samples, t.cuts)
}

// watch is how long late effects are looked for. In mode B the bounds rest on it; in the others nothing does, and an answer that is
// outstanding is waited for anyway.
func watch(o Options, a adapters.Abilities) time.Duration {
	b := a.Bounds
	least := b.Processing + b.Lookup + b.Answer + b.Margin
	switch {
	case o.Watch > 0 && a.Mode == adapters.ModeB:
		return max(o.Watch, least)
	case o.Watch > 0:
		return o.Watch
	case b.Asynchronous():
		return least
	default:
		return 2 * least
	}
}

// reference makes a reference in the form of a UUID that marks a measurement; see [native.Measured].
func reference(a, b uint64) native.Reference {
	return native.Reference(fmt.Sprintf("%s%04x-0%03x-%04x-%012x", native.MeasuredPrefix, a>>48, a>>32&0xfff, b>>48, b&0xffff_ffff_ffff))
}

// alike returns references that a system mixes up which cuts them, folds them, or takes them for numbers: pairs that differ in the last or the first free character, digits only,
// zeros in front, what looks like a number with an exponent, and every character of the alphabet.
func alike(ref native.Reference) []native.Reference {
	s := string(ref)
	const free = len(native.MeasuredPrefix)
	digits := s[:free] + "0000" + strings.Map(func(r rune) rune {
		if r >= 'a' {
			return r - 'a' + '3'
		}
		return r
	}, s[free+4:])
	return []native.Reference{
		native.Reference(s[:35] + "a"), native.Reference(s[:35] + "b"),
		native.Reference(s[:free] + "0" + s[free+1:35] + "c"), native.Reference(s[:free] + "1" + s[free+1:35] + "c"),
		native.Reference(digits[:35] + "4"), native.Reference(digits[:35] + "e"), native.Reference(digits[:32] + "1e10"), native.Reference(digits[:32] + "1e01"),
	}
}
