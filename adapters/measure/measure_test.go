package measure_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/einmal-hub/einmal/adapters"
	"github.com/einmal-hub/einmal/adapters/measure"
	"github.com/einmal-hub/einmal/contracts/fault"
	"github.com/einmal-hub/einmal/contracts/native"
	"github.com/stretchr/testify/require"
)

// bounds are what the systems of these tests say of themselves.
func bounds() adapters.Bounds {
	return adapters.Bounds{Send: time.Second, Request: 5 * time.Second, Processing: 20 * time.Second, Lookup: 10 * time.Second, Margin: time.Second}
}

func options() measure.Options { return measure.Options{Samples: 30, Cuts: 20, Seed: 7} }

// run measures in a time of its own.
func run(t *testing.T, tr traits, mode adapters.Mode, b adapters.Bounds, o measure.Options) (r measure.Report, err error) {
	t.Helper()
	if tr.latency == 0 {
		tr.latency = 40 * time.Millisecond
	}
	synctest.Test(t, func(t *testing.T) {
		s := &system{traits: tr}
		r, err = measure.Run(t.Context(), s.connect(mode, b), forms{}, o)
		s.running.Wait()
	})
	return r, err
}

func failed(r measure.Report) []string {
	var names []string
	for _, f := range r.Findings {
		if f.Result == measure.Fails {
			names = append(names, f.Experiment+f.Bound)
		}
	}
	return names
}

func TestARightSystemIsMeasuredAsWhatItIs(t *testing.T) {
	for name, test := range map[string]struct {
		traits   traits
		declared adapters.Mode
		verdict  adapters.Mode
	}{
		"joins":                            {traits{joins: true, noSearch: true}, adapters.ModeA, adapters.ModeA},
		"joins and is searched":            {traits{joins: true}, adapters.ModeA, adapters.ModeA},
		"is searched":                      {traits{}, adapters.ModeB, adapters.ModeB},
		"is searched, with a lag":          {traits{lag: 4 * time.Second}, adapters.ModeB, adapters.ModeB},
		"executes late, within its bounds": {traits{late: 15 * time.Second}, adapters.ModeB, adapters.ModeB},
		"late and lagging":                 {traits{late: 15 * time.Second, lag: 4 * time.Second}, adapters.ModeB, adapters.ModeB},
		"neither":                          {traits{noSearch: true}, adapters.ModeC, adapters.ModeC},
		"better than its adapter":          {traits{joins: true}, adapters.ModeC, adapters.ModeA},
		"tells records twice":              {traits{joins: true, repeats: true}, adapters.ModeA, adapters.ModeA},
		"executes late and joins":          {traits{joins: true, late: time.Minute}, adapters.ModeA, adapters.ModeA},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := run(t, test.traits, test.declared, bounds(), options())
			require.NoError(t, err)
			require.Equal(t, test.verdict, r.Measured.Mode, "%+v", r.Findings)
			require.True(t, r.Fits(), "%+v", r.Findings)
			for _, f := range r.Findings {
				require.Empty(t, f.Bound)
				require.NotEmpty(t, f.Did)
				require.NotEmpty(t, f.Saw, f.Experiment)
			}
		})
	}
}

// Faults 68 and 69 among others: a system that changes or forgets references is not used as if it knew them.
func TestEveryWrongSystemIsCaught(t *testing.T) {
	const a, b, c, none = adapters.ModeA, adapters.ModeB, adapters.ModeC, measure.None
	for name, test := range map[string]struct {
		traits            traits
		declared, verdict adapters.Mode
		by                string // experiment and bound
	}{
		"A that records twice":                      {traits{noSearch: true}, a, c, "the same reference again"},
		"A that records twice, with a search":       {traits{}, a, b, "the same reference again"},
		"A whose memory ends":                       {traits{joins: true, noSearch: true, forgets: 3 * time.Minute}, a, c, "the same reference again"},
		"A that refuses without a number":           {traits{refuses: true, noSearch: true}, a, c, "the same reference again"},
		"A that cuts references":                    {traits{joins: true, noSearch: true, keep: 34}, a, none, "references that look alike"},
		"B that cuts references":                    {traits{keep: 34}, b, none, "the reference comes back unchanged"},
		"B that keeps capitals":                     {traits{upper: true}, b, none, "the reference comes back unchanged"},
		"B whose stream forgets references":         {traits{nameless: true}, b, none, "the reference comes back unchanged"},
		"B whose search is slower than it says":     {traits{lag: 14 * time.Second}, b, b, "search lagbounds.lookup"},
		"B whose search is much slower":             {traits{lag: time.Hour}, b, c, "search lag"},
		"B that executes later than it says":        {traits{late: 45 * time.Second}, b, b, "late executionbounds.processing"},
		"B that executes when nobody looks":         {traits{late: 65 * time.Second}, b, b, "late executionbounds.processing"},
		"B that shows one of two":                   {traits{hidesSecond: true}, b, c, "search by reference"},
		"B whose search forgets":                    {traits{forgetsOld: 20 * time.Second}, b, c, "search by reference"},
		"B whose search is refused":                 {traits{searchFails: true}, b, c, "search by reference"},
		"B that finds everything":                   {traits{findsAll: true}, b, none, "search by reference"},
		"B without a search":                        {traits{noSearch: true}, b, c, ""},
		"writes half of what was cut":               {traits{joins: true, tornCut: true}, a, none, "an entry stands there whole or not at all"},
		"writes in two steps":                       {traits{tornCase: true}, b, none, "a case and its first entry stand together"},
		"says nothing was written":                  {traits{denies: true}, b, none, "nothing was written means nothing"},
		"says nothing was written, but joins":       {traits{joins: true, denies: true}, a, a, "nothing was written means nothing"},
		"loses what it confirmed":                   {traits{joins: true, loses: 9}, a, none, "a receipt means a record"},
		"records one request twice":                 {traits{doubles: 9}, b, none, "nothing was written means nothing"},
		"tells another order when it is read again": {traits{joins: true, unordered: true}, a, none, "the stream can be read again from an earlier position"},
		"gives back other documents":                {traits{joins: true, garbles: true}, a, none, "documents"},
	} {
		t.Run(name, func(t *testing.T) {
			o := options()
			o.Memory = 5 * time.Minute
			r, err := run(t, test.traits, test.declared, bounds(), o)
			require.NoError(t, err)
			require.Equal(t, test.verdict, r.Measured.Mode, "%+v", r.Findings)
			if test.by != "" {
				require.Contains(t, failed(r), test.by)
			}
			require.Equal(t, test.declared == test.verdict && test.by == "nothing was written means nothing", r.Fits())
		})
	}
}

func TestASystemThatAnswersLater(t *testing.T) {
	later := adapters.Bounds{Send: time.Second, Request: 5 * time.Second, Margin: time.Second, Answer: 10 * time.Hour}
	for name, test := range map[string]struct {
		traits   traits
		declared adapters.Mode
		verdict  adapters.Mode
		fits     bool
	}{
		"joins":                      {traits{joins: true, answer: 8 * time.Hour}, adapters.ModeA, adapters.ModeA, true},
		"records twice, and says so": {traits{answer: 8 * time.Hour}, adapters.ModeC, adapters.ModeB, true},
		"answers too late":           {traits{joins: true, answer: 10*time.Hour + time.Minute}, adapters.ModeA, adapters.ModeA, false},
		"does not answer sometimes":  {traits{joins: true, answer: 8 * time.Hour, mute: 7}, adapters.ModeB, adapters.ModeA, true},
	} {
		t.Run(name, func(t *testing.T) {
			test.traits.latency = time.Millisecond
			o := options()
			o.Watch = 12 * time.Hour
			r, err := run(t, test.traits, test.declared, later, o)
			require.NoError(t, err)
			require.Equal(t, test.verdict, r.Measured.Mode, "%+v", r.Findings)
			require.Equal(t, test.fits, r.Fits(), "%+v", r.Findings)
		})
	}
}

func TestMeasuredTimesAreTheLongestThatWereSeen(t *testing.T) {
	r, err := run(t, traits{lag: 4 * time.Second, late: 15 * time.Second, latency: 200 * time.Millisecond}, adapters.ModeB, bounds(), options())
	require.NoError(t, err)
	require.InDelta(t, 4, time.Duration(r.Measured.Lookup).Seconds(), 0.6)
	require.GreaterOrEqual(t, time.Duration(r.Measured.Lookup), 4*time.Second-200*time.Millisecond)
	require.InDelta(t, 15, time.Duration(r.Measured.Processing).Seconds(), 1.5)
	require.GreaterOrEqual(t, time.Duration(r.Measured.Processing), 15*time.Second)
	require.Equal(t, 200*time.Millisecond, time.Duration(r.Measured.Request))
}

func TestWhatCannotBeMeasuredIsAnError(t *testing.T) {
	for name, test := range map[string]struct {
		traits traits
		kind   fault.Kind
		code   string
	}{
		"takes nothing":       {traits{down: true}, fault.Retry, "nothing-taken"},
		"refuses the form":    {traits{badForm: true}, fault.Stop, "form-refused"},
		"says nothing at all": {traits{latency: time.Hour, noSearch: true, blind: true}, fault.Retry, "first-entry"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := run(t, test.traits, adapters.ModeC, bounds(), options())
			require.Equal(t, test.kind, fault.KindOf(err))
			require.Equal(t, test.code, fault.CodeOf(err))
		})
	}
	_, err := measure.Run(t.Context(), adapters.System{}, forms{}, options())
	require.Equal(t, "no-sink", fault.CodeOf(err))
}

func TestTheEndOfTheContextEndsAMeasurement(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		s := &system{traits: traits{latency: 100 * time.Millisecond, lag: time.Hour}}
		r, err := measure.Run(ctx, s.connect(adapters.ModeB, bounds()), forms{}, options())
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.NotEmpty(t, r.Written.References, "what was written is told all the same")
		s.running.Wait()
	})
}

func TestThePlanIsWhatIsWritten(t *testing.T) {
	p := options().Plan(adapters.Abilities{Mode: adapters.ModeB, Bounds: bounds()})
	r, err := run(t, traits{}, adapters.ModeB, bounds(), options())
	require.NoError(t, err)
	require.Len(t, r.Written.References, p.Entries)
	require.Len(t, r.Written.Cases, p.Cases)
	require.Equal(t, 62*time.Second, p.Least)
	for _, ref := range r.Written.References {
		require.True(t, ref.Measured(), ref)
	}
}

// A system may be measured again and again: what was written before is not written again.
func TestReferencesBelongToOneMeasurement(t *testing.T) {
	seen := map[native.Reference]uint64{}
	alphabet := map[rune]bool{}
	for seed := uint64(1); seed <= 20; seed++ {
		o := options()
		o.Seed = seed
		r, err := run(t, traits{joins: true, noSearch: true}, adapters.ModeA, bounds(), o)
		require.NoError(t, err)
		for _, ref := range r.Written.References {
			require.Zero(t, seen[ref], "%s was written with the seeds %d and %d", ref, seen[ref], seed)
			require.Regexp(t, "^7e577e57-[0-9a-f]{4}-0[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$", string(ref))
			seen[ref] = seed
			for _, c := range ref {
				alphabet[c] = true
			}
		}
	}
	require.Len(t, alphabet, 17, "every character of the alphabet is tried")
}

func TestMeasuringTwiceWithOneSeedGivesTheSame(t *testing.T) {
	first, err := run(t, traits{joins: true}, adapters.ModeA, bounds(), options())
	require.NoError(t, err)
	second, err := run(t, traits{joins: true}, adapters.ModeA, bounds(), options())
	require.NoError(t, err)
	require.Equal(t, first.Written, second.Written)
	require.Equal(t, first.Measured.Mode, second.Measured.Mode)
}
