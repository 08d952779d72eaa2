package ledger

import (
	"maps"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/einmal-hub/einmal/adapters"
)

// protocol returns the product in a mode, in a world where one of everything goes wrong.
func protocol(m adapters.Mode) variant {
	b := adapters.Bounds{Request: second, Processing: second, Lookup: second}
	return variant{
		mode: m, world: b, told: b, unique: m == adapters.ModeA, messages: 1, attempts: 3, decide: Decide, key: Record.key,
		budget: purse{crashes: 1, lost: 1, unanswered: 1, rejected: 1, broken: 1, rulings: 1},
	}
}

// with returns a variant with something changed.
func (v variant) with(change func(*variant)) variant {
	change(&v)
	return v
}

// size is how large a world is: what of it can go wrong how often.
type size struct {
	name     string
	messages int
	attempts int
	budget   purse
}

// in returns the variant in a world of a size. What goes wrong with Redis and the ledger belongs to the variant.
func (v variant) in(s size) variant {
	s.budget.redis, s.budget.compactions, s.budget.elections = v.budget.redis, v.budget.compactions, v.budget.elections
	v.messages, v.attempts, v.budget = s.messages, s.attempts, s.budget
	return v
}

// sizes returns the worlds that a variant is checked in. Redis only ever makes a worker wait, so what holds without it is checked with it in the smaller
// ones only, unless by make model.
func sizes(v variant) []size {
	small := []size{
		{"one message, network and crash", 1, 2, purse{crashes: 1, lost: 1, unanswered: 1, rulings: 1}},
		{"one message, answers of system and ledger", 1, 2, purse{rejected: 1, broken: 1, rulings: 1}},
		{"one message, two rulings", 1, 2, purse{unanswered: 1, rulings: 2}},
	}
	two := size{"two messages of one case", 2, 2, purse{lost: 1}}
	switch {
	case !*deep && v.redis:
		return small
	case !*deep:
		return append(small, two)
	}
	return append(small, two,
		size{"one message, everything", 1, 3, purse{crashes: 1, lost: 1, unanswered: 1, rejected: 1, broken: 1, rulings: 1}},
		size{"one message, twice", 1, 3, purse{crashes: 2, lost: 2, unanswered: 2, rulings: 2}},
		size{"two messages, crash and ruling", 2, 2, purse{crashes: 1, rulings: 1}},
		size{"two messages, refusal and ruling", 2, 2, purse{rejected: 1, rulings: 1}},
	)
}

func withRedis(v *variant)  { v.redis = true }
func staleRedis(v *variant) { v.redis, v.budget.redis = true, 1 }
func compacted(v *variant)  { v.budget.compactions = 1 }
func cutShort(v *variant)   { v.budget.elections, v.budget.broken, v.budget.rejected = 1, 0, 0 }
func answersLater(v *variant) {
	v.world.Answer, v.told.Answer = second, second
}

// answersInTime is answersLater for a system that executes nothing after the time in which it answers, as the carriers of messages promise.
func answersInTime(v *variant) {
	answersLater(v)
	v.world.Processing, v.told.Processing, v.told.Margin = 0, 0, second
}

// safe are the variants of reference/reliability.md 3.5 that must hold, and what came with the product since.
func safe() map[string]variant {
	a, b, c := protocol(adapters.ModeA), protocol(adapters.ModeB), protocol(adapters.ModeC)
	return map[string]variant{
		"A1 Redis":           a.with(withRedis),
		"A2 no Redis":        a,
		"A answers later":    a.with(answersInTime),
		"B3 Redis":           b.with(withRedis),
		"B4 no Redis":        b,
		"B5 stale Redis":     b.with(staleRedis),
		"B answers later":    b.with(answersLater),
		"B asks after doubt": b.with(func(v *variant) { v.doubts = maxDoubtsB - 1 }),
		"C2 Redis":           c.with(withRedis),
		"C3 no Redis":        c,
		"C4 stale Redis":     c.with(staleRedis),
		"C answers later":    c.with(answersLater),
	}
}

// I1, I2, I3: in all interleavings within the budget nothing is recorded twice, out of order or without reason, and nothing ends without a record or a person.
// Fault 35.
func TestModel_I1I2I3_TheProtocolHolds(t *testing.T) {
	t.Parallel()
	states := 0
	for name, v := range safe() {
		for _, size := range sizes(v) {
			t.Run(name+"/"+size.name, func(t *testing.T) {
				c := v.in(size).ask(t)
				require.Empty(t, c.found, c.String())
				require.Positive(t, c.ends)
				states += c.states
			})
		}
	}
	// Of two messages the second waits for the person's ruling on the first, too.
	t.Run("a ruling on one of two", func(t *testing.T) {
		c := protocol(adapters.ModeC).in(size{messages: 2, attempts: 1, budget: purse{rulings: 1}}).ask(t)
		require.Empty(t, c.found, c.String())
		states += c.states
	})
	t.Logf("%d states", states)
}

// compactedSizes returns the worlds in which the ledger is compacted: smaller ones, because it counts what each worker has read before.
func compactedSizes() []size {
	if !*deep {
		return []size{{"one message, crash", 1, 1, purse{crashes: 1}}}
	}
	return []size{
		{"one message, network, crash and ruling", 1, 2, purse{crashes: 1, lost: 1, unanswered: 1, rulings: 1}},
		{"one message, refusal and ruling", 1, 2, purse{rejected: 1, rulings: 1}},
		{"one message, answers of the ledger and ruling", 1, 2, purse{broken: 1, rulings: 1}},
		{"one message, two rulings", 1, 2, purse{rulings: 2}},
		{"two messages of one case, ruling", 2, 1, purse{rulings: 1}},
	}
}

// I1, I2: compaction takes nothing away that counts, whoever has read what before it, and whoever reads only what is left.
// Fault 28.
func TestModel_I1I2_CompactionTakesNothingThatCounts(t *testing.T) {
	t.Parallel()
	states := 0
	for _, m := range []adapters.Mode{adapters.ModeA, adapters.ModeB, adapters.ModeC} {
		for _, size := range compactedSizes() {
			t.Run(string(m)+"/"+size.name, func(t *testing.T) {
				c := protocol(m).with(compacted).in(size).ask(t)
				require.Empty(t, c.found, c.String())
				require.Positive(t, c.ends)
				states += c.states
			})
		}
	}
	t.Logf("%d states", states)
}

// A3: a native system that refuses a second record is safe even when the ledger loses an acknowledged record.
// Fault 25.
func TestModel_I2_WhereTheSystemKnowsReferencesALostRecordDoublesNothing(t *testing.T) {
	t.Parallel()
	attempts := 1
	if *deep {
		attempts = 2
	}
	c := protocol(adapters.ModeA).with(staleRedis).with(cutShort).in(size{messages: 1, attempts: attempts}).ask(t)
	require.Empty(t, c.found[double], c.String())
}

// anybody lets whoever has appended an INTENT send.
func anybody(v *variant) {
	v.anybody = true
	v.decide = func(r Ref, own Own, m adapters.Mode, b adapters.Bounds, now time.Time) (Step, time.Duration) {
		if r.Attempt == own.Attempt && !own.Sent {
			r.Nonce = own.Nonce
		}
		return Decide(r, own, m, b, now)
	}
}

func noWait(v *variant) {
	v.decide = func(r Ref, own Own, m adapters.Mode, b adapters.Bounds, now time.Time) (Step, time.Duration) {
		step, wait := Decide(r, own, m, b, now)
		if step == StepWait {
			return StepLookup, 0
		}
		return step, wait
	}
}

func oneKey(v *variant) {
	compacted(v)
	v.key = func(r Record) string {
		switch r.Kind {
		case Intent, Void, Done:
			return string(r.Ref)
		default:
			return r.key()
		}
	}
}

func keyWithoutNonce(v *variant) {
	compacted(v)
	v.key = func(r Record) string {
		if r.Kind == Intent {
			r.Nonce = ""
		}
		return r.key()
	}
}

// personsKeyWithoutNonce lets a later question to a person, or her later ruling, take the place of an earlier one.
func personsKeyWithoutNonce(v *variant) {
	compacted(v)
	v.key = func(r Record) string {
		if r.Kind == Park || r.Kind == Ruling {
			r.Nonce = ""
		}
		return r.key()
	}
}

// mistake is a broken variant, with what it breaks.
type mistake struct {
	variant
	breaks []broken
}

// mistakes are the broken variants of reference/reliability.md 3.5, and some more.
func mistakes() map[string]mistake {
	a, b, c := protocol(adapters.ModeA), protocol(adapters.ModeB), protocol(adapters.ModeC)
	none := protocol(adapters.ModeB).with(withRedis).with(func(v *variant) { v.noLedger = true })
	retry := func(v *variant) {
		v.decide = func(r Ref, own Own, _ adapters.Mode, b adapters.Bounds, now time.Time) (Step, time.Duration) {
			return Decide(r, own, adapters.ModeA, b, now)
		}
	}
	pair := size{messages: 2, attempts: 2, budget: purse{lost: 1, rulings: 1}}
	asked := size{messages: 1, attempts: 2, budget: purse{lost: 1}}
	twice, both := []broken{double}, []broken{double, loss}
	return map[string]mistake{
		"Redis claim and retry, no ledger":      {none, twice},
		"B1 lookup without waiting":             {b.with(noWait), twice},
		"B2 a pause longer than the margin":     {b.with(func(v *variant) { v.paused = true }), twice},
		"B6 no first wins, no Redis":            {b.with(anybody), twice},
		"B7 no first wins, stale Redis":         {b.with(anybody).with(staleRedis), twice},
		"B8 one key":                            {b.with(oneKey), twice},
		"B9 lookup lag not covered":             {b.with(func(v *variant) { v.told.Lookup = 0 }), twice},
		"B10 the ledger loses a record":         {b.with(cutShort), both},
		"B11 the same, with a lookup first":     {b.with(cutShort).with(func(v *variant) { v.looksFirst = true }), twice},
		"B12 INTENT key without nonce":          {b.with(keyWithoutNonce), twice},
		"B late execution not covered":          {b.with(func(v *variant) { v.told.Processing = 0 }), twice},
		"B answer not covered":                  {b.with(answersLater).with(func(v *variant) { v.told.Answer = 0 }), twice},
		"C1 retry on timeout":                   {c.with(retry), twice},
		"C5 no first wins, no Redis":            {c.with(anybody), twice},
		"C6 no first wins, stale Redis":         {c.with(anybody).with(staleRedis), twice},
		"C7 one key":                            {c.with(oneKey), twice},
		"C8 the ledger loses a record":          {c.with(cutShort), both},
		"C9 INTENT key without nonce":           {c.with(keyWithoutNonce), twice},
		"C PARK and RULING keys without nonce":  {c.with(personsKeyWithoutNonce).in(asked), []broken{loss}},
		"A the system does not know references": {a.with(func(v *variant) { v.unique = false }), twice},
		"a new owner goes by the bus":           {a.in(pair).with(func(v *variant) { v.unordered = true }), []broken{disorder}},
		"what is parked holds nothing back":     {c.in(pair).with(func(v *variant) { v.unheld = true }), []broken{disorder}},
	}
}

// mistakesAboutRefusals are broken variants in which the native system says no, or has said something.
func mistakesAboutRefusals() map[string]mistake {
	a, b, c := protocol(adapters.ModeA), protocol(adapters.ModeB), protocol(adapters.ModeC)
	atOnce := func(v *variant) { v.atOnce = true }
	anyAttempt := func(v *variant) { v.anyAttempt, v.nameless = true, true }
	nameless := func(v *variant) { v.nameless = true }
	hurried := func(v *variant) { v.hurried = true }
	voidsFirst := func(v *variant) { v.hurried, v.voidsFirst = true, true }
	again := size{messages: 1, attempts: 2, budget: purse{crashes: 1, rejected: 1, rulings: 1}}
	misleads := []broken{misled}
	return map[string]mistake{
		"A a refusal counts before an earlier attempt has settled": {a.with(atOnce), misleads},
		"A a refusal counts whichever attempt it is of":            {a.with(anyAttempt), misleads},
		"B a refusal counts whichever attempt it is of":            {b.with(anyAttempt), misleads},
		"C a refusal counts whichever attempt it is of":            {c.with(anyAttempt), misleads},
		"A of the PARK and the next INTENT the first does not win": {a.with(nameless), misleads},
		"B of the PARK and the next INTENT the first does not win": {b.with(nameless), misleads},
		"C of the PARK and the next INTENT the first does not win": {c.with(nameless), misleads},
		"A a later refusal counts for an attempt not handed over":  {a.with(answersInTime).with(hurried).in(again), misleads},
		"B a later refusal counts for an attempt not handed over":  {b.with(answersLater).with(hurried).in(again), misleads},
		"C a later refusal counts for an attempt not handed over":  {c.with(answersLater).with(hurried).in(again), misleads},
		"C a later refusal is a VOID first":                        {c.with(answersLater).with(voidsFirst), []broken{double}},
		"A what a system has said later is not looked up":          {a.with(answersInTime).with(func(v *variant) { v.unasking = true }), []broken{needless}},
		"A execution after the time to answer":                     {a.with(answersInTime).with(func(v *variant) { v.world.Processing = 2 * second }), misleads},
	}
}

// The model sees: each mistake is found by what it breaks. Run with -v to read how.
func TestModel_EachMistakeIsFound(t *testing.T) {
	all := mistakes()
	maps.Copy(all, mistakesAboutRefusals())
	for name, m := range all {
		for _, b := range m.breaks {
			t.Run(name+"/"+string(b), func(t *testing.T) {
				t.Parallel()
				c := m.ask(t, b)
				require.NotEmpty(t, c.found[b], "%d states, and it was not found", c.states)
				t.Logf("%s:\n%s", b, c.found[b])
			})
		}
	}
}
